/*
 * What a member serves beside the Kubernetes API, on the same listeners and for the same
 * identities: gRPC (the bus, grpc.health.v1); GET /gantry/v1/member, the member's own state for
 * `gantry status`, which also answers without a leader; the members' API (members_api.h); and
 * backups (snapshot_api.h).
 */
#ifndef CONTROLPLANE_MEMBER_H
#define CONTROLPLANE_MEMBER_H

#include <stdbool.h>

struct bus;
struct env_loop;
struct http_exchange;
struct member;
struct members_api;
struct store;
struct store_config;
struct store_status;

/* Everything is borrowed and outlives the member. */
struct member *member_new(struct store *store, const struct store_config *config, const char *name,
                          const char *cluster_id, struct bus *bus);

/* After its loops are joined; NULL-safe. */
void member_free(struct member *m);

/* Who the members are, as operators see it; before the loops run. NULL: not served. */
void member_set_members_api(struct member *m, struct members_api *api);

/* One of the loops that member_intercept will run on. Before it runs. */
void member_add_loop(struct member *m, struct env_loop *loop);

/* This member is about to stop: grpc.health.v1 says NOT_SERVING from now on. Once, any thread. */
void member_stopping(struct member *m);

/* The API server's intercept: true when the request was ours. On the exchange's loop. */
bool member_intercept(void *ctx, struct http_exchange *x);

/* One word for an operator: ready; held (the disk is full); behind:25% (a copy of the state is
 * being fetched); no-leader; catching-up; alarm:quota, alarm:disk, alarm:quota+disk (ready all the
 * same).
 */
#define MEMBER_HEALTH_BYTES 24
void member_health(const struct store_status *s, char out[MEMBER_HEALTH_BYTES]);

#endif
