/*
 * Writes of a member that does not lead, for the one that does: frames over links, from raft loop
 * to raft loop. The asker sends a batch and waits; the leader checks each transaction, gives them
 * to its proposer, and answers when it knows what came of all of them.
 *
 * A write that surely was not proposed (its frame never left, or the leader says NOT_LEADER) goes
 * back to the proposer's queue. One whose frame or answer may be lost with a connection, or that is
 * not answered in WRITES_CALL_MS, is -ERR_UNKNOWN_OUTCOME.
 *
 * A member whose release is older does not know these frames: they are sent from feature level
 * STORE_LEVEL_WRITES on, and below it writes go by the peer loop (forward.h).
 *
 * Bounded: WRITES_BATCHES_MAX batches of one entry's writes under way; at the leader what comes is
 * in its proposer's queue, or answered at once.
 *
 * Thread: the raft loop.
 */
#ifndef STORE_WRITES_H
#define STORE_WRITES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"

struct replica;
struct wire_writes;

#define WRITES_BATCHES_MAX 4     /* what comes meanwhile gathers */
#define WRITES_CALL_MS     12000 /* longer than a write's own deadline */

struct writes {
    struct list batches; /* of this member, unanswered, oldest first */
    unsigned batches_count;
    struct list served; /* of other members */
    uint64_t call;      /* number of the last batch */
};

/* call: any number that no earlier life of this member began with (an answer to that one may still
 * be on its way). */
void writes_init(struct writes *w, uint64_t call);
/* Takes the writes (struct pending) out of the list. false: too many under way, or no connection;
 * the list is untouched. */
bool writes_forward(struct replica *r, uint64_t leader_id, struct list *writes);
/* From another member. -ERR_PROTOCOL: nonsense, nothing of it was taken. */
int writes_receive(struct replica *r, uint64_t from, const struct wire_writes *frame,
                   struct err *e);
/* A connection with the member was lost, in either direction. */
void writes_lost(struct replica *r, uint64_t member_id);
void writes_run(struct replica *r); /* every turn: what waits too long ends */
/* After the proposer has stopped: what waits ends. */
void writes_stop(struct replica *r);
/* When no loop runs any more, and nobody answers. */
void writes_deinit(struct writes *w);

#endif
