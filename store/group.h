/*
 * A group's state half: kv, state machine, applier, ring, published revision. The seam with the
 * consensus half (raft node, proposer, peers), which hangs on `raft` and owns store_submit,
 * store_barrier, store_wait_revision, store_on_leadership, store_status and store_open.
 *
 * What the raft loop does with it:
 * - before raft_start: group_open, then group_durable gives the applied index the log may skip to.
 * - FSM apply: group_apply(index, term, bytes, proposal or NULL) (applier.h).
 * - configuration and barrier entries have no commands and are not handed over, so a read point at
 *   commit index c waits for group_covers(g, c), not for durable >= c. on_durable is the edge.
 * - log compaction and snapshot: only at an index that group_covers; the snapshot's bytes are
 *   manifest_encode of group_durable's point.
 * - back-pressure: stop proposing while group_queue_bytes > APPLIER_QUEUE_BYTES_MAX.
 * - CHECK, every minute while leading: op {revision = point.index, amount = (int64_t)point.digest}.
 * - COMPACT, on a timer while leading: group_compact_ops says what is due.
 */
#ifndef STORE_GROUP_H
#define STORE_GROUP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "store/applier.h"
#include "store/store.h"

struct arena;
struct buf;
struct kv;

/* A committed state of the group: all five belong to the same LMDB transaction. */
struct point {
    uint64_t index; /* Raft index of the last entry applied */
    uint64_t term;  /* that entry's proposer's term */
    uint64_t revision;
    uint64_t digest; /* running sum over current rows, counters, streams, plain rows */
    uint64_t compacted;
    uint32_t level; /* feature level */
};

/* Why a member can go no further. The applier has committed what came before and applies nothing
 * more. */
enum group_halt {
    GROUP_HALT_UPGRADE = 1, /* a format or feature level this build does not know */
    GROUP_HALT_DIVERGED,    /* a CHECK found another digest: quarantine, wipe, rejoin */
    GROUP_HALT_CORRUPT,     /* an entry that does not decode: the log is damaged */
};

struct group_config {
    struct env *env;
    enum store_group_id id;
    const char *folder; /* of LMDB; NULL: use kv (the simulation; owned by the caller) */
    struct kv *kv;
    uint64_t map_bytes;          /* 0: STORE_MAP_BYTES */
    size_t ring_bytes;           /* 0: RING_BYTES_MAX */
    struct env_loop *apply_loop; /* NULL: a loop of its own is made and started */
    uint64_t retain_revisions;   /* 0: default */
    uint64_t retain_ms;
    const char *const *short_history_prefixes; /* NULL-ended; see store_config */
    /* The raft loop (NULL in tests without one): durable runs there, coalesced, with the newest
     * point, after the commit that follows a no of group_covers or a group_queue_bytes above 0:
     * with nobody waiting, a commit wakes no one. Halt at most once. */
    struct env_loop *raft_loop;
    void (*on_durable)(void *ctx, const struct point *point);
    void (*on_halt)(void *ctx, enum group_halt why, const char *message);
    void *ctx;
};

/* Blocking: at start, before loops run. */
int group_open(const struct group_config *config, struct store_group **out, struct err *e);
/* Applies what is queued, stops and joins the applier's own loop, closes the kv it opened. After
 * the raft loop has stopped; no reader is left. Only with a loop of its own. */
void group_close(struct store_group *g);
/* The simulation's end or crash of a member: apply_loop and raft_loop were freed before, nothing is
 * applied, the kv stays the caller's. Proposals still queued are released unanswered. */
void group_abandon(struct store_group *g);

void group_point(struct store_group *g, struct point *out); /* durable and published: any thread */
/* Every entry handed over with an index at or below this one is durable and published. Any thread,
 * after the raft loop handed it over. */
bool group_covers(struct store_group *g, uint64_t index);
uint64_t group_queue_bytes(struct store_group *g); /* any thread */

/* The consensus half's own state. */
void group_set_raft(struct store_group *g, void *raft);
void *group_raft(struct store_group *g);
enum store_group_id group_id(const struct store_group *g);

/* COMPACT operations due now (0: none), at most max, keys in static memory: by age and count of
 * store_config. The raft loop, about every 10 s while leading. */
size_t group_compact_ops(struct store_group *g, struct store_op *out_ops, size_t max);

/* A Raft snapshot is this manifest; the data travels as an LMDB copy (kv_lmdb_copy). */
#define MANIFEST_BYTES 64 /* a multiple of 8 */
void manifest_encode(const struct point *p, enum store_group_id id, uint8_t out[MANIFEST_BYTES]);
int manifest_decode(struct str bytes, enum store_group_id id, struct point *out, struct err *e);

#endif
