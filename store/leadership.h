/*
 * Who leads a group, as this member sees it change, in words: the log's lines about it, and why.
 *
 * The reason is derived from what the guard's edge (G10) and libraft's state say; two facts are
 * remembered from one edge to the next: whether a campaign was asked for by the leader, and since
 * when no leader was known. Votes and campaigns are for debugging, the rest is what an operator
 * reads.
 *
 * Thread: the raft loop.
 */
#ifndef STORE_LEADERSHIP_H
#define STORE_LEADERSHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "store/store.h"

#define LEADERSHIP_REASON_BYTES 128

/* What one edge changed, and what was known in its moment. */
struct leadership_view {
    int state; /* RAFT_FOLLOWER, RAFT_CANDIDATE, RAFT_LEADER */
    uint64_t term;
    uint64_t leader_id; /* 0: none known */
};

struct leadership_edge {
    uint64_t member_id;
    struct leadership_view from;
    struct leadership_view to;
    uint64_t successor; /* whom this member has asked to lead; 0: nobody */
    uint64_t voted_for; /* in the new term; 0: nobody */
    bool held;          /* this member's disk is full */
    bool asked;         /* its campaign was asked for by the leader before */
};

enum leadership_kind {
    LEADERSHIP_NONE, /* nothing to tell */
    LEADERSHIP_CAMPAIGN,
    LEADERSHIP_WON,
    LEADERSHIP_LOST,
    LEADERSHIP_FOLLOWS, /* another member leads */
    LEADERSHIP_NOBODY   /* the leader is gone */
};

struct leadership_news {
    enum leadership_kind kind;
    enum log_level level;
    const char *message;
    char reason[LEADERSHIP_REASON_BYTES];
};

void leadership_describe(const struct leadership_edge *e, struct leadership_news *out);

struct leadership {
    enum store_group_id group;
    struct leadership_view seen;
    bool asked;
    uint64_t asked_by;
    uint64_t leaderless_ms; /* since when no leader is known; 0: one is */
};

/* Logs and counts what e changed; from and asked are filled in. asks: libraft's campaign is one
 * that a leader asked for. */
void leadership_note(struct leadership *l, struct leadership_edge *e, bool asks, uint64_t now_ms);

#endif
