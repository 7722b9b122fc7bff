/*
 * What a leader proposes by the clock, so that a group keeps itself: history forgotten, keys
 * expired, digests compared, alarms raised and taken back, the feature level risen. Each is an
 * ordinary entry; the state machine decides from the entry and the state alone, here is measured.
 *
 * Every member says of itself (PeerService/Status) what it can follow, how full it is and what its
 * digest was after an entry; the leader asks. Its own answer counts like the others':
 * - FEATURE_LEVEL: once every configured member said lately that it can follow.
 * - ALARM: per voter, with hysteresis; a member that says nothing keeps what it has.
 * - CHECK: the digest that a majority of the voters had after one entry. A member that had another
 *   stops, the leader too. Without a majority nobody does: it is logged and counted.
 * - TICK: when the leader's clock is past the earliest deadline. COMPACT: group_compact_ops.
 *
 * Thread: the raft loop. Nothing here blocks or waits; what is lost is asked or proposed again.
 */
#ifndef STORE_HOUSEKEEPING_H
#define STORE_HOUSEKEEPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "store/group.h"
#include "store/store.h"
#include "store/usage.h"

struct proposer;

#define HOUSE_COMPACT_MS      10000
#define HOUSE_COMPACT_OPS_MAX 16
#define HOUSE_ASK_MS          5000  /* members are asked so often */
#define HOUSE_FRESH_MS        30000 /* an answer counts so long */
#define HOUSE_DECIDE_MS       1000
#define HOUSE_AGAIN_MS        10000 /* what was proposed and did not happen is proposed again */
#define HOUSE_TICK_AGAIN_MS   1000
#define HOUSE_CHECK_MS        60000
#define HOUSE_CHECK_ASK_MS    1000
#define HOUSE_CHECK_TRIES_MAX 10
/* Free pages given back: looked for so often, done at most so often. A leader lets the others go
 * first: it hands over when it has found waste for HOUSE_HAND_OVER_MS, more than a look of theirs,
 * and then looks often for as long as that may take. */
#define HOUSE_DEFRAGMENT_MS   60000
#define HOUSE_DEFRAGMENTED_MS 3600000
#define HOUSE_HAND_OVER_MS    90000
#define HOUSE_HANDING_MS      10000
#define HOUSE_HANDED_LOOK_MS  200
/* Members that began together do not look together: spread by id. */
#define HOUSE_DEFRAGMENT_PHASES 8

/* The disk alarm: below the smaller of both. */
#define HOUSE_DISK_LOW_BYTES   (512ull << 20)
#define HOUSE_DISK_LOW_PERCENT 5

struct housekeeping_member {
    uint64_t id;
    bool voter;
};

/* What a member said of itself. */
struct housekeeping_report {
    uint32_t level_max; /* 0: a release that does not say: the first */
    struct usage usage;
    uint64_t digest_index; /* 0: not asked, or not known there */
    uint64_t digest;
};

struct housekeeping_ops {
    bool (*leading)(void *ctx); /* and its own-term barrier is published */
    /* The configuration, this member included; the number. */
    size_t (*members)(void *ctx, struct housekeeping_member out[STORE_MEMBERS_MAX]);
    /* Asks another member; housekeeping_reported follows, or never. digest_index 0: no digest. */
    void (*ask)(void *ctx, uint64_t member, uint64_t digest_index);
    void (*propose)(void *ctx, const struct store_op *ops, size_t count); /* copied */
    uint64_t (*wall_ms)(void *ctx);                                       /* this member's clock */
    /* A compact copy takes the place of this member's LMDB; NULL: cannot be done here. false: this
     * member leads others, which would wait meanwhile; with hand_over one of them is asked to. */
    bool (*defragment)(void *ctx, bool hand_over);
};

struct housekeeping_peer {
    struct housekeeping_member member;
    bool heard;
    uint64_t heard_ms;
    struct housekeeping_report report;
};

struct housekeeping {
    struct store_group *group;
    uint64_t member_id;
    const struct housekeeping_ops *ops;
    void *ctx;
    uint32_t compact_every_ms; /* HOUSE_COMPACT_MS or less, and HOUSE_CHECK_MS, unless a simulation
                                  says otherwise */
    uint32_t check_every_ms;
    bool led; /* at the last run */
    struct housekeeping_peer peers[STORE_MEMBERS_MAX];
    size_t peers_count;
    uint64_t ask_ms;
    uint64_t decide_ms;
    uint64_t compact_ms;
    uint64_t level_ms;
    uint64_t alarm_ms;
    uint64_t defragment_ms; /* the next look */
    uint64_t wasteful_ms;   /* 0, or since when the looks have found free pages, or the handover */
    uint64_t handed_ms;     /* the last handover */
    uint64_t check_ms;
    uint64_t check_index; /* 0: no round is under way */
    unsigned check_tries;
    uint64_t check_ask_ms;
    uint64_t tick_ms; /* the last TICK, and what it was proposed for */
    uint64_t tick_deadline_ms;
    uint64_t tick_timers;
};

void housekeeping_init(struct housekeeping *h, struct store_group *group, uint64_t member_id,
                       const struct housekeeping_ops *ops, void *ctx);
/* After init, before the first turn: how often it looks. NULL: as usual. */
void housekeeping_pace(struct housekeeping *h, const struct store_simulation *simulation);
/* Every turn, on any member. */
void housekeeping_run(struct housekeeping *h, uint64_t now_ms);
void housekeeping_reported(struct housekeeping *h, uint64_t member, uint64_t now_ms,
                           const struct housekeeping_report *report);
/* What this member says of itself; any thread. */
void housekeeping_self(struct store_group *group, uint64_t digest_index,
                       struct housekeeping_report *out);
/* The usual ops->propose: one transaction, only as leader, refusals logged. */
void housekeeping_submit(struct proposer *p, struct env_loop *loop, const struct store_op *ops,
                         size_t count);

/* ---- the decisions ---- */

/* STORE_ALARM_* that a member of this usage has, when it had `now`. */
uint32_t housekeeping_alarm(const struct usage *usage, uint32_t now);

struct housekeeping_digest {
    bool known;
    uint64_t digest;
};
enum housekeeping_verdict {
    HOUSE_FEW,    /* too few are known, and they do not differ */
    HOUSE_AGREED, /* a majority of count has one digest */
    HOUSE_SPLIT   /* they differ, and no majority agrees */
};
enum housekeeping_verdict housekeeping_verdict(const struct housekeeping_digest *digests,
                                               size_t count, uint64_t *out_agreed);

#endif
