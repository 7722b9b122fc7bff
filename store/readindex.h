/*
 * Linearizable read points without a log entry: shared ReadIndex rounds.
 *
 * A leader whose own-term barrier is committed notes its commit index c, then asks the others to
 * CONFIRM its term. A member says yes iff it is a follower, in that very term, of that very leader.
 * With a majority of yes (its own included) no other leader can have committed anything before the
 * round began, so every reader that waited when it began may read once c is applied and published
 * here. One round is under way at a time; readers that come meanwhile share the next. A follower
 * asks the leader for c (READ) and waits until it has applied and published that much itself. Its
 * question says in which term it follows that leader, and so is its yes, given after its readers
 * came: where the two are a majority the leader answers at once, without a round.
 *
 * A round asks no more voters than a majority needs, the quickest: one message and one answer of
 * three members. When they do not answer soon, or say no, it asks the others too.
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
#define READINDEX_ROUND_MS    500  /* a round without answers is given up and tried again */
#define READINDEX_HEDGE_MS    3    /* without a majority: the others are asked too */
#define READINDEX_SURVEY_MS   1000 /* so often all are asked at once: who is quick? */
#define READINDEX_ALL         STORE_MEMBERS_MAX

struct readindex;

/* A reader waiting here (a store_barrier), or for another member (c only, no waiting to apply). */
struct read_point {
    struct list node;
    struct env_msg msg;
    struct readindex *readindex;
    struct env_loop *loop; /* where done runs */
    uint64_t deadline_ms;
    bool remote;   /* another member's: done at once when c is known; only a leader may answer */
    uint64_t from; /* remote: that member, */
    uint64_t
        term; /* and the term in which it followed this one when it asked; 0: it does not say */
    uint64_t index;    /* c */
    uint64_t revision; /* not 0: no round, only wait until so much is published here */
    int status;
    void (*done)(struct read_point *r); /* on loop; owns r again */
    void *priv;
};

struct readindex_ops {
    void (*view)(void *ctx, struct raft_view *out);
    /* Voters of the newest configuration, and whether this member is one. */
    unsigned (*voters)(void *ctx, bool *out_self);
    /* Are this member and that one, both of them voters, a majority? */
    bool (*pair)(void *ctx, uint64_t member_id);
    /* Asks other voters to confirm, at most so many and none twice in a round, those first that
     * were quick when READINDEX_ALL were last asked. Each yes or no calls readindex_confirmed,
     * later, on the raft loop, at most once each. Returns how many were asked: fewer than most when
     * the others cannot be reached. */
    unsigned (*confirm)(void *ctx, uint64_t term, uint64_t round, unsigned most);
    /* Asks leader_id for c, saying that this member follows it in term (0: says nothing);
     * readindex_answered follows on the raft loop, unless the way there is lost. false: there is
     * none. */
    bool (*ask)(void *ctx, uint64_t leader_id, uint64_t term, uint64_t round);
    bool (*covers)(void *ctx, uint64_t index); /* applied here and published up to index */
    uint64_t (*published)(void *ctx);
};

struct readindex {
    struct env_loop *loop;
    enum store_group_id group; /* for metrics */
    const struct readindex_ops *ops;
    void *ctx;
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
    unsigned round_voters; /* when it began: later configurations share a voter of each majority */
    unsigned round_yes;
    unsigned round_open; /* asked, and not heard */
    uint64_t round_began_ms;
    uint64_t round_deadline_ms;
    struct env_timer hedge;
    uint64_t survey_ms; /* when the next is due */
    bool stopped;
};

/* round: any number that no earlier life of this member began with (an answer to that one may still
 * be on its way). */
void readindex_init(struct readindex *x, struct env_loop *loop, uint64_t round,
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
