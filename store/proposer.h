/*
 * The proposer: group commit. What waits when an entry may go becomes ONE entry, in order of
 * arrival, up to STORE_BATCH_BYTES_MAX; the next gathers while PROPOSER_INFLIGHT_MAX are under way.
 *
 * A write that arrives where nobody leads, or where another member leads, waits or is forwarded:
 * as long as it was proposed nowhere it may be tried again safely, until its deadline
 * (-ERR_UNAVAILABLE). Once proposed it is answered by the applier, or, when leadership was lost
 * first, with -ERR_UNKNOWN_OUTCOME. The proposer never guesses.
 *
 * What needs a feature level that the cluster has not reached is refused (-ERR_UNIMPLEMENTED): such
 * an entry would stop every member that cannot read it.
 *
 * Bounded: PROPOSER_WRITES_MAX writes and PROPOSER_BYTES_MAX bytes wait; above, a new one gets
 * -ERR_TOO_MANY_REQUESTS at once.
 *
 * Thread: the raft loop; proposer_submit on any. It sees raft only through struct proposer_ops.
 */
#ifndef STORE_PROPOSER_H
#define STORE_PROPOSER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/list.h"
#include "store/applier.h"
#include "store/raft_node.h"
#include "store/store.h"

#define PROPOSER_INFLIGHT_MAX 2
#define PROPOSER_WRITES_MAX   16384
#define PROPOSER_BYTES_MAX    (64u << 20)

struct replica;

/* One write on its way: local (a store_write waits) or forwarded by another member. Allocated by
 * the submitter, freed by the proposer after done. */
struct pending {
    struct list node; /* in the queue */
    struct env_msg msg;
    struct proposer *proposer;
    struct buf txn;          /* encoded */
    uint32_t level;          /* txn_level of it */
    uint64_t deadline_ms;    /* monotonic */
    struct replica *replica; /* of a local one, for its latency: see store.c */
    uint64_t submitted_ns;
    uint64_t queued_ms;    /* when it was accepted here */
    struct env_loop *loop; /* where done runs */
    bool forwarded;        /* came from another member: never forwarded again */
    /* On loop, once; result is set. Frees with pending_free. */
    void (*done)(struct pending *w);
    struct store_result result;
    void *priv;
};

struct pending *pending_new(void);
void pending_free(struct pending *w);
/* Sets the result and posts done to the write's loop. Any thread. */
void pending_finish(struct pending *w, const struct store_result *result);
void pending_fail(struct pending *w, int status);

struct proposer_ops {
    void (*view)(void *ctx, struct raft_view *out);
    int (*propose)(void *ctx, struct buf *entry, struct proposal *p,
                   void (*lost)(struct proposal *p));
    unsigned (*inflight)(void *ctx);
    uint64_t (*applier_bytes)(void *ctx); /* queued at the applier */
    uint32_t (*level)(void *ctx);         /* feature level for new entries */
    /* Sends the writes in list to the leader; each ends by pending_finish, or comes back by
     * proposer_return when it surely was not proposed. Returns false when it can take none now. */
    bool (*forward)(void *ctx, uint64_t leader_id, struct list *writes);
};

struct proposer {
    struct env_loop *loop;
    enum store_group_id group; /* for metrics */
    const struct proposer_ops *ops;
    void *ctx;
    struct list queue;
    size_t queue_writes;
    size_t queue_bytes;
    uint64_t expire_ms; /* when deadlines are looked at next */
    struct env_msg kick;
    bool kicked;
    bool stopped;
};

void proposer_init(struct proposer *p, struct env_loop *loop, const struct proposer_ops *ops,
                   void *ctx);
/* How long the first write has waited. Raft loop. */
uint64_t proposer_oldest_ms(const struct proposer *p);
/* Any thread. Takes w; too many: done with -ERR_TOO_MANY_REQUESTS (posted, like every answer). */
void proposer_submit(struct proposer *p, struct pending *w);
/* A forwarded write that the other member surely did not propose: waits again. Raft loop. */
void proposer_return(struct proposer *p, struct pending *w);
/* Something changed (raft, applier, forward): proposes, forwards, expires. Raft loop. */
void proposer_run(struct proposer *p);
/* Runs soon, once for all that arrived in one turn of the loop. Raft loop. */
void proposer_kick(struct proposer *p);
/* Fails what waits with -ERR_UNAVAILABLE (what another member forwarded: -ERR_NOT_LEADER) and takes
 * nothing more. Raft loop. */
void proposer_stop(struct proposer *p);

#endif
