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
 * - CHECK, COMPACT, ALARM, TICK and FEATURE_LEVEL, while leading: housekeeping.h.
 */
#ifndef STORE_GROUP_H
#define STORE_GROUP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "store/alarm.h"
#include "store/applier.h"
#include "store/point.h"
#include "store/store.h"

struct arena;
struct buf;
struct fsm_mismatch;
struct kv;
struct kv_engine;

/* Why a member can go no further. The applier has committed what came before and applies nothing
 * more. */
enum group_halt {
    GROUP_HALT_UPGRADE = 1, /* a format or feature level this build does not know */
    GROUP_HALT_DIVERGED,    /* a CHECK found another digest: quarantine, wipe, rejoin */
    GROUP_HALT_CORRUPT,     /* an entry that does not decode: the log is damaged */
    GROUP_HALT_ROTTEN,      /* a row is not as it was written (scrub.h) */
};
/* What a member's operator is told then. */
const char *group_halt_text(enum group_halt why);

struct group_config {
    struct env *env;
    enum store_group_id id;
    const char *folder; /* the group's own (folder.h); NULL: use kv, owned by the caller */
    struct kv *kv;
    const struct kv_engine *engine; /* of folder; borrowed for the group's life; NULL: kv_lmdb */
    uint64_t map_bytes;             /* 0: STORE_MAP_BYTES */
    uint64_t quota_bytes;           /* 0: STORE_QUOTA_BYTES; see usage_quota */
    size_t ring_bytes;              /* 0: RING_BYTES_MAX */
    struct env_loop *apply_loop;    /* NULL: a loop of its own is made and started */
    uint64_t retain_revisions;      /* 0: default */
    uint64_t retain_ms;
    uint32_t scrub_ms; /* before and between looks for rot; 0: SCRUB_FIRST_MS, SCRUB_REST_MS */
    const char *const *short_history_prefixes; /* NULL-ended; see store_config */
    uint32_t level_max;                        /* 0: STORE_FEATURE_LEVEL */
    /* The raft loop (NULL in tests without one): durable runs there, coalesced, with the newest
     * point, after the commit that follows a no of group_covers or a group_queue_bytes above its
     * bound: with nobody waiting, a commit wakes no one. Halt at most once. Room: the disk is full
     * and nothing is applied, or it is not any more; coalesced too. */
    struct env_loop *raft_loop;
    void (*on_durable)(void *ctx, const struct point *point);
    void (*on_halt)(void *ctx, enum group_halt why, const char *message);
    void (*on_room)(void *ctx, bool room); /* may be NULL */
    void *ctx;
};

/* Blocking: at start, before loops run. */
int group_open(const struct group_config *config, struct store_group **out, struct err *e);
/* Applies what is queued, stops and joins the applier's own loop, closes the kv it opened. After
 * the raft loop has stopped; no reader is left. Only with a loop of its own. */
void group_close(struct store_group *g);
/* The simulation's end or crash of a member: apply_loop and raft_loop were freed before, nothing is
 * applied, config.kv stays the caller's. Proposals still queued are released unanswered. */
void group_abandon(struct store_group *g);

void group_point(struct store_group *g, struct point *out); /* durable and published: any thread */
/* Every entry handed over with an index at or below this one is durable and published. Any thread,
 * after the raft loop handed it over. */
bool group_covers(struct store_group *g, uint64_t index);
uint64_t group_queue_bytes(struct store_group *g); /* any thread */

/* For /metrics, any thread; unlike group_queue_bytes it asks nobody to tell. longest_read_ns is
 * that of the reads ended since the last call. */
struct group_load {
    uint64_t queue_bytes;
    uint64_t queue_entries;
    uint64_t reads_open;
    uint64_t longest_read_ns;
};
void group_load(struct store_group *g, struct group_load *out);

/* The consensus half's own state. */
void group_set_raft(struct store_group *g, void *raft);
void *group_raft(struct store_group *g);
enum store_group_id group_id(const struct store_group *g);

/* How long history is kept at least. */
uint64_t group_retain_ms(const struct store_group *g);

/* COMPACT operations due now (0: none), at most max, keys in static memory: by age and count of
 * store_config. The raft loop, about every 10 s while leading. */
size_t group_compact_ops(struct store_group *g, struct store_op *out_ops, size_t max);

/* What fsm.h says of these, on any thread. */
bool group_digest(struct store_group *g, uint64_t index, uint64_t *out_digest);
size_t group_alarms(struct store_group *g, struct alarm_member out[ALARM_MEMBERS_MAX]);
uint32_t group_level_max(const struct store_group *g);
/* After on_halt with GROUP_HALT_DIVERGED: which digests differed. The raft loop. */
void group_mismatch(struct store_group *g, struct fsm_mismatch *out);

/*
 * Another member's copy becomes this group's state while readers go on.
 *
 * The applier, between two transactions, puts the staged copy in place and opens it, verifies that
 * it is this group's, at least at min_index and no older than what is published, makes it the
 * current environment durably (folder.h), and publishes its point. Entries at or below it are
 * skipped from then on (proposals among them are answered UNKNOWN_OUTCOME), later ones applied.
 * Readers that are in the old environment finish there; it closes when the last one has left.
 * Watchers behind the new revision read what lies between from the new environment's history, and
 * are told -ERR_EXPIRED if that was compacted away.
 *
 * Refused, with the state as it was and staged gone: -ERR_CONFLICT (older than what is published
 * or than min_index), -ERR_CORRUPT (another group's, or not a copy), -ERR_UNIMPLEMENTED (a newer
 * build's), -ERR_UNAVAILABLE (the group has halted), or what the disk said.
 */
struct group_install {
    const char *folder; /* staged: KV_FILE in it is complete, verified and flushed (fetch.h) */
    uint64_t min_index; /* the Raft snapshot's */
    void (*done)(struct group_install *i); /* raft loop, once, never inside the call */
    void *priv;
    /* The outcome. */
    int status;
    struct point point; /* what is published now, when status is 0 */
    struct err err;
    /* The group's. */
    struct env_msg msg;
    struct store_group *group;
};
/* The raft loop; one at a time; i and folder live until done. */
void group_install(struct store_group *g, struct group_install *i);

/* The environment is exchanged for a compact copy of itself: what lay free in its file goes back to
 * the disk. Nothing is applied meanwhile (about a second a GiB), so not on a leader. Any thread. */
void group_defragment(struct store_group *g);
/* The newest entry that the state held when it came as a copy; 0: it never did. Blocking: at start.
 */
uint64_t group_installed(struct store_group *g);
/* Somebody is fetching a copy of this index: the log behind it should still be there when it has
 * arrived. Any thread; said again while it goes on. */
void group_pin(struct store_group *g, uint64_t index);
/* The index last pinned, if that was within GROUP_PIN_MS; 0: none. */
uint64_t group_pinned(struct store_group *g);
#define GROUP_PIN_MS 60000
/* A consistent copy of the newest committed state as a new file, and bytes of pages in use
 * (without those free for reuse) and of the map.
 * Blocking: any pool thread. Usage is zeros in the simulation. */
int group_copy(struct store_group *g, const char *path, struct err *e);
void group_pages(struct store_group *g, uint64_t *out_used_bytes, uint64_t *out_map_bytes);
/* The point of a copy (its bytes are trusted), which must be a copy of this group. */
int group_copy_point(const struct kv_engine *engine, enum store_group_id id, const char *path,
                     struct point *out, struct err *e);
/* How many keys a copy holds, deleted ones not counted. Blocking: walks them all. */
int group_copy_keys(const struct kv_engine *engine, const char *path, uint64_t *out, struct err *e);
const struct kv_engine *group_engine(const struct store_group *g);
const char *group_folder(const struct store_group *g); /* its own; empty: the caller's kv */

/* A Raft snapshot is this manifest; the data travels as a copy (copy.h, fetch.h). */
#define MANIFEST_BYTES 64 /* a multiple of 8 */
void manifest_encode(const struct point *p, enum store_group_id id, uint8_t out[MANIFEST_BYTES]);
int manifest_decode(struct str bytes, enum store_group_id id, struct point *out, struct err *e);

#endif
