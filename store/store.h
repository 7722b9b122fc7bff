/*
 * The store: replicated, revisioned rows of bytes. It knows no kinds.
 *
 * A member opens one struct store. It holds groups; a group is one raft, one log, one LMDB
 * environment, one applier thread and one quota. Nothing spans groups. Group STORE_CLUSTER holds
 * objects (revisioned rows with history and watch); group STORE_BUS holds streams (plain append
 * rows).
 *
 * Write path: store_submit from any loop -> raft loop gathers everything waiting into ONE entry ->
 * quorum -> applier evaluates guards and applies in the open LMDB transaction, ANSWERS (the
 * completion is posted to the submitter's loop), commits, PUBLISHES. The answer needs quorum and
 * evaluation; visibility needs the commit. No read or watch sees above the published revision.
 * On a follower the transaction is forwarded to the leader, from raft loop to raft loop.
 *
 * Read path: store_barrier gives linearizability (one shared read-index round serves every reader
 * that was waiting when it began), then a struct store_read: a short LMDB read transaction, opened
 * and closed inside one function, on any thread, at one revision.
 *
 * Everything an applied transaction does is decided by its bytes: index terms and charges come from
 * the proposer; the FSM computes nothing from a value.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "base/str.h"
#include "store/point.h"

struct arena;
struct store;
struct store_group;

/* A transaction's encoded size; above: -ERR_TOO_LARGE. One entry gathers up to
 * STORE_BATCH_BYTES_MAX. */
#define STORE_TXN_BYTES_MAX   (3u << 19) /* 1.5 MiB */
#define STORE_BATCH_BYTES_MAX (1u << 20)
/* Rows are far below LMDB's 511 bytes: longer prefixes are replaced by digests by whoever builds
 * keys (key.h), terms over STORE_TERM_BYTES_MAX inside the index row only: events carry them whole.
 */
#define STORE_KEY_BYTES_MAX        400
#define STORE_TERM_BYTES_MAX       64
#define STORE_TERM_WHOLE_BYTES_MAX 1024
#define STORE_TXN_OPS_MAX          256
#define STORE_MEMBERS_MAX          8

/* ---- transactions ---- */

enum store_guard_type {
    STORE_GUARD_MOD = 1,        /* newest revision of key == revision (0: the key is absent) */
    STORE_GUARD_EXISTS = 2,     /* key is present */
    STORE_GUARD_EMPTY = 3,      /* no present key starts with key */
    STORE_GUARD_COUNTER = 4,    /* counter named key + amount <= its limit (no limit set: passes) */
    STORE_GUARD_ROW_EXISTS = 5, /* plain row key is there */
    STORE_GUARD_ROW_ABSENT = 6,
};

struct store_guard {
    enum store_guard_type type;
    struct str key;
    uint64_t revision;
    int64_t amount;
};

enum store_op_type {
    STORE_OP_PUT = 1,       /* key, value, terms, charges, expires_ms */
    STORE_OP_DELETE = 2,    /* key; leaves a tombstone in cur until compacted */
    STORE_OP_SET_LIMIT = 3, /* counter named key gets limit = amount (negative: none) */
    STORE_OP_REWRAP = 4,    /* replaces value of the same revision (new sealing) */
    STORE_OP_COMPACT = 5,   /* history up to revision is gone: of keys that start with key (a short
                               window; empty: of every key) */
    STORE_OP_CHECK = 6,     /* the digest after entry `revision` was (uint64_t)amount */
    STORE_OP_FEATURE_LEVEL = 7, /* amount: the new level */
    /* Plain rows, without revision, history or watch: the bus. */
    STORE_OP_APPEND = 8,      /* stream key: value at the next sequence; producer dedups (below) */
    STORE_OP_ROW_PUT = 9,     /* plain row key := value */
    STORE_OP_ROW_DELETE = 10, /* plain row key removed */
    STORE_OP_TRIM = 11,       /* stream key: rows with sequence <= revision removed */
    /* Feature level 2. */
    STORE_OP_ALARM = 12, /* member `revision` has reasons amount (STORE_ALARM_*; 0: none) */
    STORE_OP_TIMER = 13, /* key expires at expires_ms (0: never) if its newest revision is still
                            `revision` (0: whatever it is); else nothing happens */
    STORE_OP_TICK = 14,  /* the leader's clock is past expires_ms: what is due is deleted, at most
                            STORE_TXN_OPS_MAX keys; proposed by the store itself */
};

/* Why a group takes nothing that grows it: bits. */
enum {
    STORE_ALARM_QUOTA = 1, /* a member's LMDB uses over STORE_ALARM_ON_PERCENT of its quota */
    STORE_ALARM_DISK = 2   /* a member's disk is nearly full */
};

struct store_term {
    uint32_t index; /* index numbers are never reused */
    struct str bytes;
};

struct store_charge {
    struct str counter;
    int64_t amount;
};

struct store_op {
    enum store_op_type type;
    struct str key;
    struct str value;
    uint64_t revision;
    int64_t amount;
    const struct store_term *terms;
    size_t terms_count;
    const struct store_charge *charges;
    size_t charges_count;
    /* APPEND: (producer, producer_sequence) already seen, or older: nothing is appended and the
     * result carries the sequence of the first time when still known, else 0. Empty: no dedup.
     * With expires_ms the producer's row goes at that time, and its dedup with it. */
    struct str producer;
    uint64_t producer_sequence;
    /* Milliseconds since 1970. PUT: this version is deleted, as by a DELETE, some time after the
     * leader's clock passed this, unless another version follows first; 0: never. A put replaces
     * the timer of the version before, a delete removes it. A clock that goes back delays it.
     * APPEND: the producer is forgotten about then, unless it appends again. */
    uint64_t expires_ms;
};

struct store_txn {
    const struct store_guard *guards;
    size_t guards_count;
    const struct store_op *ops;
    size_t ops_count;
    struct str request_id; /* at most 64 bytes; kept in the version rows it writes */
    uint64_t
        fence_term; /* 0: none; else refused with -ERR_FENCED unless the entry's term is this */
};

/* What a transaction did. */
struct store_result {
    /* 0; -ERR_CONFLICT: a guard failed; -ERR_FENCED; -ERR_UNKNOWN_OUTCOME; -ERR_UNAVAILABLE;
     * -ERR_TOO_LARGE; -ERR_INVALID_ARGUMENT; -ERR_TOO_MANY_REQUESTS: the queue is full;
     * -ERR_NO_SPACE: an alarm is on (store_status) and this would grow the group;
     * -ERR_UNIMPLEMENTED: it needs a feature level that not every member can follow yet. */
    int status;
    uint64_t revision; /* cluster: of this transaction; on CONFLICT: the guarded key's newest */
    uint64_t sequence; /* bus: of the last APPEND */
    uint32_t appended; /* bus: how many APPENDs added a row; duplicates add none */
    uint32_t failed_guard;
    /* CONFLICT on a retry: the version that followed the guarded one carries this very request id,
     * so the first attempt was applied: status is 0 and revision is what it got. */
    bool replayed;
};

struct store_write {
    struct env_msg msg;    /* the store's while in flight */
    struct env_loop *loop; /* where done runs */
    void (*done)(struct store_write *w);
    struct store_result result;
    uint64_t deadline_ms; /* env_loop_now_ms of loop; 0: STORE_WRITE_TIMEOUT_MS from now */
    void *priv;
};

#define STORE_WRITE_TIMEOUT_MS 10000

/* Encodes txn (copied before return) and submits it. Any loop; done runs on w->loop, once, never
 * inside this call. The write may have happened when the status is UNKNOWN_OUTCOME. */
void store_submit(struct store_group *g, struct store_write *w, const struct store_txn *txn);

/* ---- reads ---- */

struct store_barrier {
    struct env_msg msg;
    struct env_loop *loop;
    void (*done)(struct store_barrier *b);
    int status;        /* 0 or -ERR_UNAVAILABLE, -ERR_TIMEOUT */
    uint64_t revision; /* published, at least every write acknowledged before the call */
    uint64_t deadline_ms;
    void *priv;
};

/* Linearizable read point: after done(status 0), reads at b->revision see every write acknowledged
 * anywhere before this call. Any loop. */
void store_barrier(struct store_group *g, struct store_barrier *b);
/* As above, but waits only until `revision` is published here (resourceVersion=N): TIMEOUT after
 * deadline. */
void store_wait_revision(struct store_group *g, struct store_barrier *b, uint64_t revision);

uint64_t store_published(struct store_group *g); /* any thread */
uint64_t store_compacted(struct store_group *g); /* any thread: history below is gone */

/* One version of a key. Bytes are borrowed from the read transaction (or the ring chunk). */
struct store_version {
    struct str key;
    struct str value; /* empty for a tombstone */
    uint64_t revision;
    uint64_t created;  /* revision of the key's creation */
    uint64_t previous; /* revision of the version before, 0: none */
    uint64_t version;  /* 1 for a new key */
    bool tombstone;
    struct str request_id;
};

/* A read transaction at most this long (asserted in tests, a metric in production). */
#define STORE_READ_ROWS_MAX 1000
#define STORE_READ_NS_MAX   (5 * ENV_MS)

struct store_read {
    struct store_group *group;
    uint64_t revision; /* reads see exactly this revision */
    uint64_t newest;   /* of the transaction's snapshot */
    void *txn;
    void *env; /* what the transaction is in */
    uint64_t began_ns;
};

/* revision 0: the newest committed, at least the published one. -ERR_EXPIRED when compacted,
 * -ERR_INVALID_ARGUMENT when in the future, -ERR_UNAVAILABLE when every reader slot is taken. Begin
 * and end in ONE function; never return to the loop in between. */
int store_read_begin(struct store_group *g, uint64_t revision, struct store_read *out);
void store_read_end(struct store_read *r);
/* Keys under a short history window (store_config) expire earlier: the revision below which history
 * of keys that start with prefix is gone. A watch or a paged list of such keys checks it too. */
uint64_t store_read_compacted(struct store_read *r, struct str prefix);
/* 0 and *out (never a tombstone), or -ERR_NOT_FOUND. */
int store_read_get(struct store_read *r, struct str key, struct store_version *out);
/* The version of any key at exactly this revision (watch's previous object): -ERR_NOT_FOUND. */
int store_read_revision(struct store_read *r, struct str key, uint64_t revision,
                        struct store_version *out);

/* The tombstone of a key that is gone (its previous version is what was removed): 0, or
 * -ERR_NOT_FOUND when the key is present, never was, or its history is compacted. */
int store_read_removed(struct store_read *r, struct str key, struct store_version *out);

/* Versions of key that can still be read at some revision up to r's, newest first, removals
 * included, from the newest at or below `from` on (0: r's revision). visit returns false to stop.
 * *out_next: the revision that was not visited for that, or because STORE_READ_ROWS_MAX were; 0:
 * there are no more. -ERR_NOT_FOUND: there is none. */
int store_read_history(struct store_read *r, struct str key, uint64_t from,
                       bool (*visit)(void *ctx, const struct store_version *v), void *ctx,
                       uint64_t *out_next);

/* When key's newest version expires (store_op), 0: never, or there is no such key. */
uint64_t store_read_expires(struct store_read *r, struct str key);

/* Keys that start with prefix, ascending, strictly after `after` (empty: from the first). visit
 * returns false to stop. Stops by itself after STORE_READ_ROWS_MAX rows or STORE_READ_NS_MAX:
 * *out_more tells whether keys remain; continue in a new read at the same revision, after the last
 * key visited. Where keys were that are gone there may be none: resume is then set to the last one
 * walked (it may hold `after`); NULL: such rows are walked to their end. */
int store_read_scan(struct store_read *r, struct str prefix, struct str after,
                    bool (*visit)(void *ctx, const struct store_version *v), void *ctx,
                    struct buf *resume, bool *out_more);
/* Keys under an index term, ascending: of a read begun with revision 0 only, else -ERR_EXPIRED. */
int store_read_index(struct store_read *r, uint32_t index, struct str term, struct str prefix,
                     bool (*visit)(void *ctx, const struct store_version *v), void *ctx);
/* Present keys under prefix after `after`, as many as one read may walk; `after` becomes the last
 * one. *out_more: keys remain, to be counted in a new read at the same revision. 0; -ERR_EXPIRED.
 */
int store_read_count(struct store_read *r, struct str prefix, struct buf *after,
                     uint64_t *out_count, bool *out_more);
int64_t store_read_counter(struct store_read *r, struct str counter, int64_t *out_limit);
/* Plain rows. Stream rows: sequence > after, up to the limits of a read. */
int store_read_row(struct store_read *r, struct str key, struct str *out_value);
int store_read_rows(struct store_read *r, struct str prefix, struct str after,
                    bool (*visit)(void *ctx, struct str key, struct str value), void *ctx,
                    bool *out_more);
int store_read_stream(struct store_read *r, struct str stream, uint64_t after,
                      bool (*visit)(void *ctx, uint64_t sequence, struct str value), void *ctx);
int store_read_stream_bounds(struct store_read *r, struct str stream, uint64_t *out_first,
                             uint64_t *out_last);

/* ---- watching ---- */

/* One committed change. Bytes belong to the chunk it came from. */
struct store_event {
    uint64_t revision;
    struct str key;
    struct str value;      /* of this version; empty when deleted */
    struct str old_value;  /* of the version before; empty when created */
    uint64_t old_revision; /* 0: created */
    uint64_t created;
    bool deleted;
    bool more;                      /* further events of the same revision follow */
    const struct store_term *terms; /* new terms */
    size_t terms_count;
    const struct store_term *old_terms;
    size_t old_terms_count;
};

/* The applier posts each published revision once to every registered loop that does not rest;
 * published runs there. A commit that appended to streams posts too, though it took no revision. */
struct store_subscriber {
    struct env_msg msg;
    struct env_loop *loop;
    void (*published)(struct store_subscriber *s, uint64_t revision);
    _Atomic int posted; /* the store's, as is what follows */
    _Atomic int resting;
    const char *prefix;
    bool touched;
    struct store_group *group;
    struct store_subscriber *next;
    void *priv;
};

/* Before the loop starts or on it; lives as long as the store. */
void store_subscribe(struct store_group *g, struct store_subscriber *s);
/* Only commits that put or deleted a key that starts with prefix (static memory), or that replaced
 * the whole state, are posted. */
void store_subscribe_prefix(struct store_group *g, struct store_subscriber *s, const char *prefix);
/* While nobody there wants to know, nothing is posted: a write does not wake its loop. A published
 * already posted still runs. Wake posts at once, so that nothing published meanwhile is missed.
 * On the subscriber's loop, after store_subscribe. */
void store_subscriber_rest(struct store_subscriber *s);
void store_subscriber_wake(struct store_subscriber *s);

/*
 * Calls visit for each event with revision in (after, store_published], in revision order, from the
 * ring, or from LMDB when `after` is behind it (then bounded as a read; *out_last tells how far it
 * came: the last whole revision). visit returns false to stop: that event counts as not visited,
 * and nor do others of its revision. -ERR_EXPIRED when `after` is below the compacted revision;
 * -ERR_UNAVAILABLE when every reader slot is taken.
 */
int store_events(struct store_group *g, uint64_t after,
                 bool (*visit)(void *ctx, const struct store_event *event), void *ctx,
                 uint64_t *out_last);
/* The same of keys that start with prefix (empty: of every key), for a reader to whom the history
 * of short windows matters: -ERR_EXPIRED also when some of theirs after `after` is gone.
 * event->more is of all keys. */
int store_events_of(struct store_group *g, struct str prefix, uint64_t after,
                    bool (*visit)(void *ctx, const struct store_event *event), void *ctx,
                    uint64_t *out_last);

/* ---- life and leadership ---- */

/* Addresses name a host or a number: "tcp:10.250.0.11:2380", "tcp:[fd00::11]:2380",
 * "tcp:m1.example:2380". */
struct store_member {
    uint64_t id;            /* raft id, 1..; never used again for another */
    char name[64];          /* certificate SAN gantry-member-<name> */
    char raft_address[128]; /* Raft's messages (links.h) */
    char peer_address[128]; /* what is said outside Raft (peers.h) */
};

/* What an empty data folder means. */
enum store_start {
    STORE_START_AGAIN, /* this member ran before: an empty folder is a loss, and is refused */
    STORE_START_FOUND, /* the first start of a new cluster of config.members, all of them voters */
    STORE_START_JOIN,  /* a member that was added: the leader sends it what it lacks */
};

/* What a simulation changes: the member talks plainly to its peers and believes what they say of
 * themselves (no file, no TLS), and the rest is small enough to happen often. */
struct kv_engine;
struct store_simulation {
    const struct kv_engine *engine; /* NULL: LMDB */
    uint64_t log_file_bytes;        /* 0: WAL_FILE_BYTES */
    uint32_t compact_ms;            /* between looks for history to forget; 0: HOUSE_COMPACT_MS */
    uint32_t check_ms;              /* between comparisons of digests; 0: HOUSE_CHECK_MS */
    uint32_t scrub_ms;              /* before and between looks for rot; 0: as usual (scrub.h) */
    /* Each committed command as it is handed to the state machine; the raft loop. May be NULL. */
    void (*committed)(void *ctx, enum store_group_id group, uint64_t index, uint64_t term,
                      struct str bytes);
    void *ctx;
};

struct store_config {
    struct env *env;
    const char *folder; /* the member's data folder: LOCK, log-<group>/, lmdb-<group>/ */
    uint64_t member_id;
    /* The members as they were configured, this one among them (its addresses are what it listens
     * on). What the state says of the others counts more, once there is any. */
    struct store_member members[STORE_MEMBERS_MAX];
    size_t members_count;
    enum store_start start;
    const char *ca_file; /* NULL: this member has no peers and never will (members_count 1) */
    const char *cert_file;
    const char *key_file;
    int peer_listen_fd;      /* -1: listen on our own peer_address */
    int raft_listen_fd;      /* -1: listen on our own raft_address */
    size_t log_retain_bytes; /* kept for members that lag; 0: RAFT_RETAIN_BYTES (raft_node.h) */
    unsigned log_retain_entries;
    uint64_t map_bytes;        /* LMDB map size; 0: STORE_MAP_BYTES */
    size_t ring_bytes;         /* of each group's watch ring; 0: RING_BYTES_MAX (ring.h) */
    uint32_t heartbeat_ms;     /* 0: 50 */
    uint32_t election_ms;      /* 0: 500 */
    uint64_t retain_revisions; /* compaction keeps at least this many; 0: default */
    uint64_t retain_ms;        /* and at least this long; 0: 5 minutes */
    /* Key prefixes whose history is kept only STORE_SHORT_RETAIN_MS (leases, events), NULL-ended;
     * NULL: none. Only the leader's list counts: compaction is an entry. */
    const char *const *short_history_prefixes;
    /* Of each group's LMDB: the alarm goes on at STORE_ALARM_ON_PERCENT of it. 0:
     * STORE_QUOTA_BYTES; never over STORE_QUOTA_MAP_PERCENT of the map. */
    uint64_t quota_bytes;
    /* 0: what this build can. Tests: be a member of the release before. */
    uint32_t feature_level_max;
    const struct store_simulation *simulation; /* borrowed for the store's life; NULL: none */
    /* The name of the recovery that made this member the only one left (recover.h); NULL: none. */
    const char *recovery;
    /* This member was removed from the cluster: it has no part in it any more, and its data folder
     * can be deleted. On the peer loop, perhaps more than once; may be NULL. */
    void (*removed)(void *ctx);
    void *removed_ctx;
};

#define STORE_MAP_BYTES          (64ull << 30)
#define STORE_QUOTA_BYTES        (8ull << 30)
#define STORE_QUOTA_MAP_PERCENT  80
#define STORE_ALARM_ON_PERCENT   80
#define STORE_ALARM_OFF_PERCENT  70
#define STORE_RETAIN_REVISIONS   10000
#define STORE_RETAIN_MS          (5 * 60 * 1000)
#define STORE_SHORT_RETAIN_MS    (60 * 1000)
#define STORE_SHORT_PREFIXES_MAX 8

/* Opens folder, LMDB, logs; starts raft loop, peer loop and appliers. Blocking: at start. */
int store_open(const struct store_config *config, struct store **out, struct err *e);
/* For a graceful stop, before anything else ends: another member leads, in each group that this one
 * leads or may come to lead by an election under way, or a second has passed. The store goes on;
 * writes wait in between and are not lost. done runs once, on a loop of the store's: it only posts.
 * Once, on any thread. */
void store_hand_over(struct store *s, void (*done)(void *ctx), void *ctx);
/* Stops taking writes, transfers leadership away, syncs. Blocking: at exit. */
void store_close(struct store *s);
/* Begins what store_close does and waits for, for a caller that cannot wait: a simulated member.
 * Its loops go on until store_stopped; then store_close. Once. */
void store_stop(struct store *s);
bool store_stopped(const struct store *s); /* any thread */
struct store_group *store_group(struct store *s, enum store_group_id id);

struct store_status {
    uint64_t member_id;
    uint64_t leader_id; /* 0: none known */
    uint64_t term;
    uint64_t commit_index;
    uint64_t applied_index;
    uint64_t published;
    uint64_t compacted;
    uint64_t digest; /* running digest at `applied_index` */
    uint32_t feature_level;
    bool ready; /* a leader is known and this member has applied its own-term barrier */
    uint32_t feature_level_max; /* what this member can follow */
    uint32_t alarm;             /* STORE_ALARM_* of any member: nothing that grows is taken */
    uint64_t used_bytes;        /* this member's LMDB, without pages free for reuse */
    uint64_t quota_bytes;
    uint64_t disk_bytes; /* of the file system that holds it; 0: not known yet */
    uint64_t disk_free_bytes;
    uint64_t timers;        /* keys that expire some day */
    uint64_t clock_ms;      /* the newest time a TICK brought */
    bool held;              /* the log waits for room on the disk */
    bool behind;            /* older than the leader's log: a copy of the state is being fetched */
    uint64_t fetched_bytes; /* of it */
    uint64_t fetch_bytes;   /* 0: not known */
};

/* Why writes get -ERR_NO_SPACE, in words for their callers; "" while no alarm is on. */
#define STORE_ALARM_TEXT_BYTES 160
void store_alarm_text(const struct store_status *status, char out[STORE_ALARM_TEXT_BYTES]);

void store_status(struct store_group *g, struct store_status *out); /* any thread */
uint32_t store_feature_level(struct store_group *g); /* any thread: what may be proposed */

/* Leadership edges of this member in a group, posted to the loop: leading with `term` (only after
 * the own-term barrier is published) or not. */
struct store_leadership {
    struct env_msg msg;
    struct env_loop *loop;
    void (*changed)(struct store_leadership *l, bool leading, uint64_t term);
    struct store_leadership *next;
    _Atomic uint64_t pending;
    void *priv;
};

void store_on_leadership(struct store_group *g, struct store_leadership *l);

#endif
