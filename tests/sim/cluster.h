/*
 * The simulation of whole members: up to CLUSTER_HOSTS_MAX hosts of one simulated world
 * (base/env_sim.h), each with a real struct store: libraft, guard, write-ahead log, links, peers,
 * forwarding, read points, copies, housekeeping and membership as they are in gantryd, over disks
 * that lose what was not flushed and connections that are cut, slow and reset. LMDB alone is
 * replaced (kv_sim), and TLS is left out.
 *
 * A host that dies, by the schedule, by an operation count or because its member gave up, starts
 * again some time later, as a supervisor would do it. On each host that is up live clients that
 * write with guards, read, append to streams and watch; what they saw is kept by the world.
 *
 * Checked after every event: at most one leader per term and group; a committed command is the same
 * wherever it is handed over; equal digests at equal applied index; the applied index of a member
 * never goes back, but for one lost commit at a power loss; what a member forgot is what was
 * committed; every event of a watch is the next one of the one history there is, and a watch, a
 * list or a read is too old only when what it needs is forgotten, never served when it is; who has
 * listed and watched knows the keys as they are. A member that refuses to start is wrong unless its
 * files rotted or its disk fails; then it is replaced by a new member. At the end everything is
 * healed and must converge within CLUSTER_HEAL_MS: every wanted member is a voter and has the same
 * index and digest, writes are taken, what was acknowledged is there, the history of each key is
 * linearizable, every stream has each acknowledged message once.
 */
#ifndef TESTS_SIM_CLUSTER_H
#define TESTS_SIM_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "store/kv.h"
#include "store/store.h"
#include "tests/lincheck/lincheck.h"

#define CLUSTER_HOSTS_MAX    12
#define CLUSTER_KEYS         6
#define CLUSTER_LASTING      "s/%u" /* keys that are seldom written */
#define CLUSTER_SESSIONS     3 /* of each host: one writes, one reads, one appends to a stream */
#define CLUSTER_WATCHERS     3 /* move between hosts */
#define CLUSTER_GROUPS       (STORE_BUS + 1)
#define CLUSTER_REASON_BYTES 400
#define CLUSTER_HEAL_MS      60000
#define CLUSTER_HEARTBEAT_MS 50
#define CLUSTER_ELECTION_MS  500

struct cluster;

/* ---- what is known of all members ---- */

/* One revision of the cluster's group, as the first watcher saw it. */
struct cluster_revision {
    uint64_t hash; /* of its events: keys, values */
    uint64_t value;
    uint32_t key;     /* of ours; UINT32_MAX: another's (members, alarms) */
    unsigned skipped; /* a bit for each watcher that listed instead of seeing it */
    bool seen;
    bool deleted;
};

struct cluster_index {
    uint64_t term;
    uint64_t hash;
    uint64_t digest;
    bool committed;
    bool digested;
};

/* The entry at index says that history below revision is forgotten. */
struct cluster_mark {
    uint64_t index;
    uint64_t revision;
};

/* Arrays that grow with what is asked of them. */
struct cluster_known {
    struct cluster_mark *marks; /* as they were committed */
    size_t marks_count;
    struct cluster_index *indexes;
    size_t indexes_count;
    uint64_t *leaders; /* by term: member id; 0: none was seen */
    size_t leaders_count;
};

/* ---- hosts ---- */

enum cluster_state {
    CLUSTER_UNUSED,
    CLUSTER_UP,
    CLUSTER_STOPPING, /* store_stop was called */
    CLUSTER_DOWN,     /* starts again at restart_ns */
    CLUSTER_GONE      /* for good */
};

struct cluster_life;

struct cluster_host {
    struct cluster *world;
    struct env *env;
    struct kv_engine *engine;
    char name[16];
    struct store_member self;
    /* Its configuration file: who the members were when it was made. */
    struct store_member members[STORE_MEMBERS_MAX];
    size_t members_count;
    enum cluster_state state;
    enum store_start start;
    uint64_t restart_ns;
    bool power_lost; /* how it went down last */
    bool rotten;     /* a file of it was changed: it may refuse to start */
    bool diverged;   /* a row of its state was changed: it must not be for long */
    bool ended;      /* and then it ended itself, for good */
    bool wanted;     /* the operator wants it as a member */
    uint64_t knows;  /* hosts that its state names, as it was last seen: bits */
    bool removed;    /* it was told that it is no member any more */
    uint32_t level_max;
    bool untold;                                    /* its disk does not say how full it is */
    struct kv_sim_disk *full_state[CLUSTER_GROUPS]; /* where rows have no room; NULL: they have */
    bool held[CLUSTER_GROUPS];                      /* as it was last seen */
    bool starved[CLUSTER_GROUPS];
    unsigned refusals; /* starts in a row that failed for a good reason */
    struct store *store;
    struct store_simulation simulation; /* the world's, with its own engine */
    struct cluster_life *life;          /* its clients */
    /* Of the point after its newest commit, and the one before. */
    uint64_t applied[CLUSTER_GROUPS];
    uint64_t applied_before[CLUSTER_GROUPS];
};

/* ---- clients ---- */

/* What a client that lists and watches knows of the keys, in their order. */
struct cluster_row {
    char *key; /* owned */
    uint64_t revision;
    uint64_t value; /* hash of it */
};
struct cluster_view {
    struct cluster_row *rows;
    size_t count;
    size_t capacity;
};

/* A watcher outlives the host it watches on. */
struct cluster_watcher {
    struct cluster *world;
    struct cluster_host *host; /* NULL: looks for one */
    uint64_t last;             /* whole revisions up to this one were seen */
    struct cluster_view view;  /* the keys at `last` */
    uint64_t rest_until_ms;    /* looks at nothing before */
    unsigned events_max;       /* at one look, which only a timer makes; 0: all there are */
    unsigned looks;
    /* What it watched from is forgotten: it lists, page by page, and goes on from there. */
    bool listing;
    uint64_t list_revision; /* of all pages; 0: the first is still to come */
    struct cluster_view list;
};

/* One producer's messages of the bus. */
struct cluster_producer {
    uint64_t sequence; /* the newest that was sent */
    uint64_t acked;    /* every one up to it was acknowledged */
};

struct cluster_counters {
    uint64_t events;
    uint64_t writes_ok;
    uint64_t writes_conflict;
    uint64_t writes_unknown;
    uint64_t writes_replayed;
    uint64_t reads_ok;
    uint64_t reads_failed;
    uint64_t appends;
    uint64_t watch_events;
    uint64_t watch_expired;
    uint64_t lists;         /* after an expired watch, whole */
    uint64_t lists_expired; /* between two pages */
    uint64_t reads_expired;
    uint64_t too_hard; /* histories that the checker could not decide */
    uint64_t leaders;
    uint64_t starts;
    uint64_t refused; /* starts that failed for a good reason */
    uint64_t gave_up; /* members that ended themselves */
    uint64_t stops;
    uint64_t installs; /* starts apart: states that came as a copy */
    uint64_t quarantined;
    uint64_t diverged; /* members whose state was changed behind their back */
    uint64_t added;
    uint64_t removed;
    uint64_t partitions;
    uint64_t jumps;
    uint64_t pauses;
    uint64_t held;    /* members that waited for room on the disk, per group */
    uint64_t starved; /* of these, for that of the state */
    uint64_t wipes;
    uint64_t transfers;
    uint64_t virtual_ms;
    struct env_sim_faults faults;
};

struct cluster {
    struct env *env;
    uint64_t rng; /* the schedule's */
    struct store_simulation simulation;
    size_t log_retain_bytes; /* 0: default */
    unsigned log_retain_entries;
    uint64_t retain_revisions;
    uint64_t retain_ms;
    size_t padding_bytes; /* of values; 0: some hundred */
    uint64_t pause_ms;    /* between operations, more than usual */
    uint32_t heartbeat_ms;
    uint32_t election_ms;
    struct cluster_host hosts[CLUSTER_HOSTS_MAX];
    size_t hosts_count;
    size_t founders;
    uint64_t restart_ms_max;
    bool healing;
    uint64_t kills_seen;    /* of env_sim_faults, at the last look */
    bool idle;              /* clients begin nothing new */
    uint64_t healed_writes; /* counters, when all was healed */
    uint64_t healed_reads;
    uint64_t healed_appends;
    struct cluster_known known[CLUSTER_GROUPS];
    struct cluster_revision *revisions;
    size_t revisions_count;
    uint64_t revision_last;
    bool lasting_rest;     /* CLUSTER_LASTING stay as they are */
    uint64_t read_back;    /* reads at a revision go back so far */
    unsigned page_rest_ms; /* watchers that list rest so long between pages, at most */
    struct cluster_watcher watchers[CLUSTER_WATCHERS];
    struct cluster_producer producers[CLUSTER_HOSTS_MAX];
    struct lincheck_op *history;
    size_t history_count;
    size_t history_capacity;
    uint64_t tick; /* orders invocations and returns */
    uint64_t values;
    struct cluster_counters counters;
    bool verbose;
    char reason[CLUSTER_REASON_BYTES]; /* why the run is bad; empty: it is not */
};

/* ---- one run ---- */

struct cluster *cluster_new(uint64_t seed, size_t founders);
uint64_t cluster_draw(struct cluster *c, uint64_t n); /* [0, n) */
bool cluster_chance(struct cluster *c, unsigned percent);
void cluster_fail(struct cluster *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool cluster_bad(const struct cluster *c);
uint64_t cluster_now_ms(struct cluster *c);
/* Runs events, restarts what is down, until ms have passed or the run went bad. */
void cluster_run(struct cluster *c, uint64_t ms);
/* Every host reaches every other. */
void cluster_connect(struct cluster *c);
/* Heals everything and checks what must hold at the end. */
void cluster_finish(struct cluster *c);

/* ---- hosts (cluster_host.c) ---- */

/* A founder; or a member to be, which starts once the operator has added it. */
struct cluster_host *cluster_host_add(struct cluster *c, enum store_start start);
void cluster_host_start(struct cluster_host *h);
void cluster_host_crash(struct cluster_host *h, bool power_loss);
void cluster_host_stop(struct cluster_host *h); /* in order; it starts again later */
/* After each event: what died is put aside, what is due starts again. */
void cluster_hosts_look(struct cluster *c);
bool cluster_up(const struct cluster_host *h);
/* A host that is up and a member, drawn; NULL: there is none. */
struct cluster_host *cluster_any(struct cluster *c);
struct cluster_host *cluster_leader(struct cluster *c, enum store_group_id group); /* or NULL */
bool cluster_knows(const struct cluster_host *h); /* a leader, and the rows of all there are */
/* For good: removed from the roster by the operator, its machine gone. */
void cluster_host_retire(struct cluster_host *h);

/* ---- checks (cluster_check.c) ---- */

void cluster_check(struct cluster *c);
void cluster_check_start(struct cluster_host *h); /* after a start: what the disk kept */
void cluster_committed(void *ctx, enum store_group_id group, uint64_t index, uint64_t term,
                       struct str bytes);
/* Below this revision the member has forgotten, by what was committed. */
uint64_t cluster_forgotten(const struct cluster_host *h);
/* NULL: every wanted member is alike; else what is missing. */
const char *cluster_unlike(struct cluster *c);
void cluster_check_end(struct cluster *c);
void cluster_dump_host(const struct cluster_host *h); /* on stderr, for people */
uint64_t cluster_hash(uint64_t hash, const void *data, size_t len);

/* ---- clients (cluster_client.c, cluster_watch.c) ---- */

void cluster_life_begin(struct cluster_host *h);
void cluster_life_end(struct cluster_host *h); /* what was under way has no answer */
struct env_loop *cluster_life_loop(const struct cluster_host *h);
size_t cluster_life_busy(const struct cluster_host *h);
void cluster_watch_begin(struct cluster_host *h, struct env_loop *loop);
void cluster_watch_end(struct cluster_host *h);
void cluster_watch_move(struct cluster *c); /* a watcher without a host, or by chance */
void cluster_key(unsigned key, char out[16]);
uint32_t cluster_key_number(struct str key); /* UINT32_MAX: none of ours */
struct cluster_revision *cluster_revision_at(struct cluster *c, uint64_t revision);

/* ---- what watchers know (cluster_view.c) ---- */

void cluster_view_put(struct cluster_view *v, struct str key, uint64_t revision, struct str value);
void cluster_view_delete(struct cluster_view *v, struct str key);
/* One more page of the list; the last one ends it. */
void cluster_list_step(struct cluster_watcher *w);
/* A watcher that has seen all there is knows what the member's state says. */
void cluster_view_check(struct cluster_watcher *w);

/* ---- the operator (cluster_operator.c) ---- */

/* One guarded write to the roster through any member; again at the next call if it failed. */
void cluster_operate(struct cluster *c);
bool cluster_operated(
    struct cluster *c); /* the roster is as wanted, and so is each configuration */

/* ---- families (cluster_families.c; cluster_rot.c, cluster_forget.c, cluster_disk.c) ---- */

void cluster_step_rot(struct cluster *c);
void cluster_prepare_diverged(struct cluster *c);
void cluster_step_diverged(struct cluster *c);
void cluster_prepare_forget(struct cluster *c);
void cluster_step_forget(struct cluster *c);
void cluster_prepare_full(struct cluster *c);
void cluster_step_full(struct cluster *c);
void cluster_disk_mend(struct cluster_host *h); /* there is room again */

struct cluster_family {
    const char *name;
    const char *about;
    size_t founders;                    /* 0: 1, 3 or 5 by seed */
    void (*prepare)(struct cluster *c); /* before the members start; may be NULL */
    void (*step)(struct cluster *c);    /* faults, again and again */
    unsigned steps;
};

extern const struct cluster_family cluster_families[];
extern const size_t cluster_families_count;
const struct cluster_family *cluster_family_named(const char *name);

/* 0, or 1 with the reason. out may be NULL. */
int cluster_run_seed(const struct cluster_family *family, uint64_t seed, bool verbose,
                     char reason[CLUSTER_REASON_BYTES], struct cluster_counters *out,
                     uint64_t *out_digest);

#endif
