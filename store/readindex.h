/*
 * Linearizable read points without a log entry: shared ReadIndex rounds.
 *
 * A leader whose own-term barrier is committed notes its commit index c, then asks the others to
 * CONFIRM its term. A member says yes iff it is a follower, in that very term, of that very leader.
 * With a majority of yes (its own included) no other leader can have committed anything before the
 * round began, so every reader that waited when it began may read once c is applied and published
 * here. One round is under way at a time; readers that come meanwhile share the next. A follower
 * asks the leader for c (READ) and waits until it has applied and published that much itself.
 *
 * No clocks: a leader that was cut off gets no majority. A round that fails is tried again until
 * its readers' deadlines: -ERR_TIMEOUT, or -ERR_UNAVAILABLE when no leader was known at the end.
 *
 * Thread: the raft loop; readindex_submit on any. Peers and raft only through struct readindex_ops.
 */
#ifndef STORE_READINDEX_H
#define STORE_READINDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/list.h"
#include "store/raft_node.h"
#include "store/store.h"

#define READINDEX_READERS_MAX 65536
#define READINDEX_ROUND_MS    500 /* a round without answers is given up and tried again */

struct readindex;

/* A reader waiting here (a store_barrier), or for another member (c only, no waiting to apply). */
struct read_point {
    struct list node;
    struct env_msg msg;
    struct readindex *readindex;
    struct env_loop *loop; /* where done runs */
    uint64_t deadline_ms;
    bool remote;    /* another member's: done at once when c is known; only a leader may answer */
    uint64_t index; /* c */
    uint64_t revision; /* not 0: no round, only wait until so much is published here */
    int status;
    void (*done)(struct read_point *r); /* on loop; owns r again */
    void *priv;
};

struct readindex_ops {
    void (*view)(void *ctx, struct raft_view *out);
    /* Asks every other voter to confirm; each yes or no calls readindex_confirmed on the raft
     * loop. Returns how many were asked. */
    unsigned (*confirm)(void *ctx, uint64_t term, uint64_t round);
    /* Asks leader_id for c; readindex_answered follows on the raft loop. */
    void (*ask)(void *ctx, uint64_t leader_id, uint64_t round);
    bool (*covers)(void *ctx, uint64_t index); /* applied here and published up to index */
    uint64_t (*published)(void *ctx);
};

struct readindex {
    struct env_loop *loop;
    const struct readindex_ops *ops;
    void *ctx;
    unsigned voters;     /* of the group */
    struct list waiting; /* join the next round */
    struct list asked;   /* of the round under way */
    struct list known;   /* c (or the revision) is known: waiting to cover it */
    size_t count;        /* readers in all three */
    uint64_t expire_ms;
    struct env_msg kick;
    bool kicked;
    uint64_t round; /* number of the one under way */
    bool running;
    bool local; /* the round is ours as leader */
    uint64_t round_term;
    uint64_t round_index;
    unsigned round_yes;
    unsigned round_no;
    uint64_t round_deadline_ms;
    bool stopped;
};

void readindex_init(struct readindex *x, struct env_loop *loop, unsigned voters,
                    const struct readindex_ops *ops, void *ctx);
void readindex_submit(struct readindex *x, struct read_point *r); /* any thread */
void readindex_confirmed(struct readindex *x, uint64_t round, bool yes);
/* status 0: index is c; else why not (then the round is tried again). */
void readindex_answered(struct readindex *x, uint64_t round, int status, uint64_t index);
void readindex_run(struct readindex *x); /* something moved: raft loop, every turn and tick */
void readindex_stop(struct readindex *x);

/* Another member asks: does this one follow leader_id in term? Raft loop. */
bool readindex_follows(const struct raft_view *v, uint64_t member_id, uint64_t leader_id,
                       uint64_t term);

#endif
