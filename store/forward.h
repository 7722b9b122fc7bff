/*
 * What this member asks of others for its groups over the peer loop: how they are, and, as long as
 * a member of the cluster may be of the release before (feature level below STORE_LEVEL_WRITES),
 * writes for the leader; else those go by writes.h. (What is asked for reads goes by reads.h.)
 * Called on the raft loop; the calls themselves run on the peer loop, and every outcome comes back
 * to the raft loop.
 *
 * A forwarded write whose call was refused before anybody saw it, or that the callee says it did
 * not propose (NOT_LEADER), goes back to the proposer's queue. One whose call broke is
 * -ERR_UNKNOWN_OUTCOME: it may have been proposed.
 */
#ifndef STORE_FORWARD_H
#define STORE_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/list.h"
#include "store/store.h"

struct forwarder;
struct peers;
struct replica;

/* Calls under way per group; what comes meanwhile gathers. */
#define FORWARD_INFLIGHT_MAX 4
#define FORWARD_CALL_MS      12000 /* longer than a write's own deadline */

/* peers is set before the loops run; the forwarder outlives them. */
struct forwarder *forwarder_new(struct env_loop *raft_loop, struct env_loop *peer_loop);
void forwarder_set_peers(struct forwarder *f, struct peers *peers);
void forwarder_free(struct forwarder *f);

/* Takes the writes (struct pending) out of the list. false: too many under way, list untouched. */
bool forward_writes(struct forwarder *f, struct replica *r, uint64_t leader_id,
                    struct list *writes);
/* Batches under way. Raft loop. */
unsigned forward_inflight(const struct forwarder *f, enum store_group_id group);
/* housekeeping_reported follows, unless the call fails. digest_index 0: no digest is asked for. */
void forward_status(struct forwarder *f, struct replica *r, uint64_t member_id,
                    uint64_t digest_index);

#endif
