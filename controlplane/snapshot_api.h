/*
 * GET /gantry/v1/snapshot: a backup of the cluster (store/backup.h) as this member has it, for
 * administrators: it holds every Secret.
 *
 * The copies are made on the work pool from LMDB, the file is sent piece by piece as the connection
 * takes it. One at a time. With ?local=true the member does not ask the leader first whether it has
 * every write: what is left when there is no leader.
 */
#ifndef CONTROLPLANE_SNAPSHOT_API_H
#define CONTROLPLANE_SNAPSHOT_API_H

#include <stdint.h>

struct http_exchange;
struct store;

#define SNAPSHOT_PATH "/gantry/v1/snapshot"
/* A client that takes nothing for so long is given up. */
#define SNAPSHOT_STALL_MS 60000

/* Takes the exchange, in the handler's call, on its loop. cluster_id and version are borrowed. */
void snapshot_serve(struct store *store, const char *cluster_id, const char *version,
                    struct http_exchange *x);

#endif
