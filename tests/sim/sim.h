/*
 * The simulation: up to SIM_NODES_MAX members with the real libraft, the real guard and the real
 * state machine, on one thread, in virtual time, every choice drawn from one seed.
 *
 * A member's disk (term, vote, log, snapshot, state, a fetched state) survives a crash; what was
 * being written is lost, kept, or torn between entries. Memory that libraft allocated for a member
 * goes with it. A snapshot carries the index of a state; the state itself is fetched from another
 * member, which takes its time.
 *
 * The network is links.h: two connections from each member to each other one, one for entries and
 * snapshots (bulk) and one for everything else (urgent). Each delivers in order, the two do not;
 * each has a latency, bulk also a rate. What crosses a cut, or comes to a member that is down, is
 * lost, and with it whatever is on that connection; the sender learns of it a little later. Cuts
 * are of one direction.
 *
 * Checked after every event: at most one leader per term; entries of the same index and term are
 * the same on every disk, and so are those before them; an index once applied anywhere keeps its
 * term and bytes; equal digests at equal applied index; votes are asked for with what is on disk;
 * every state, term or leader change was reported when it happened. At the end all is healed and
 * the members of the configuration must converge within SIM_HEAL_MS: the same configuration,
 * applied index and digest, a new write accepted, every acknowledged write present.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <raft.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "store/fsm.h"
#include "store/guard.h"
#include "store/kv.h"

#define SIM_NODES_MAX    12
#define SIM_WRITES_MAX   8192
#define SIM_INDEX_MAX    16384
#define SIM_TERM_MAX     4096
#define SIM_CHANGES_MAX  512
#define SIM_HEARTBEAT_MS 100
#define SIM_ELECTION_MS  1000
#define SIM_HEAL_MS      20000
#define SIM_INSTALL_MS   2000
#define SIM_REASON_BYTES 200
#define SIM_HARM_SEED    2 /* seeds with this bit look for harm only, in some families */

struct sim;

struct sim_entry {
    raft_term term;
    unsigned short type;
    size_t len;
    void *data;
};

struct sim_configuration {
    raft_index index;
    unsigned n;
    raft_id ids[SIM_NODES_MAX];
    int roles[SIM_NODES_MAX];
};

struct sim_disk {
    raft_term term;
    raft_id vote;
    struct sim_entry *entries; /* index start.. */
    size_t count;
    size_t capacity;
    raft_index start;          /* 1, until a snapshot let the beginning go */
    raft_index snapshot_index; /* 0: none */
    raft_term snapshot_term;
    uint64_t snapshot_state; /* index the state machine was durable at for it */
    struct sim_configuration snapshot_servers;
    struct kv_sim_disk *kv;
    struct kv_sim_disk *staged; /* a fetched state, not yet the member's own; NULL: none */
    uint64_t staged_index;
};

/* A committed entry on its way to the state machine. */
struct sim_handed {
    struct list node;
    raft_index index;
    raft_term term;
    size_t len;
    uint8_t data[];
};

struct sim_node {
    struct sim *sim;
    unsigned index; /* 0.. ; raft id is index + 1 */
    bool up;
    bool fatal; /* the guard gave up during this event */
    bool gone;  /* for good: removed, or its machine burnt */
    unsigned incarnation;
    struct raft raft;
    struct raft_io backend;
    struct raft_fsm raft_fsm;
    struct guard guard;
    raft_io_tick_cb tick;
    raft_io_recv_cb recv;
    struct sim_disk disk;
    struct list disk_ops; /* under way, in order */
    uint64_t disk_due;    /* of the last of them */
    struct list heap;     /* what libraft allocated */
    struct list handed;
    bool fsm_planned;
    struct raft_io_async_work *work; /* libraft's snapshot, until the state machine is durable */
    raft_io_async_work_cb work_done;
    struct raft_buffer manifest;
    uint64_t manifest_index;
    /* A state to be fetched for an install. */
    uint64_t fetch_index;
    unsigned fetch_from;
    unsigned fetch_tries;
    struct raft_transfer transfer;
    struct kv *kv;
    struct fsm *fsm;
    /* As last reported by the guard. */
    int edge_state;
    uint64_t edge_term;
    uint64_t edge_leader;
    /* Knobs, set by families. */
    unsigned net_ms;
    unsigned bulk_ms;   /* more than net_ms, for bulk */
    unsigned bulk_rate; /* bytes a millisecond, 0: any */
    unsigned disk_ms;
    bool full;              /* log writes are held */
    uint64_t stalled_until; /* its loop handles nothing before */
    unsigned election_ms;
    int fail_writes;  /* the next so many log writes fail */
    int fail_sends;   /* the next so many sends are refused */
    unsigned lose_to; /* bit per member index: messages with entries to it get lost */
};

enum sim_write_state { SIM_WRITE_PENDING, SIM_WRITE_ACKED, SIM_WRITE_UNKNOWN };

struct sim_write {
    struct raft_apply req;
    struct sim *sim;
    enum sim_write_state state;
    uint64_t submitted_ms;
    uint64_t acked_ms;
    raft_index index;
};

struct sim_applied {
    raft_term term;
    uint32_t hash;
    uint32_t write; /* id + 1, 0: not a client's */
    uint64_t digest;
    bool seen;
    bool digest_seen;
};

/* What an entry was when a disk first got it: the same for all, then and later. */
struct sim_stored {
    struct sim_stored *next; /* of another term at this index */
    raft_term term;
    raft_term before; /* of the entry before it; 0: not known */
    uint32_t hash;
};

struct sim_event;

enum sim_channel { SIM_URGENT, SIM_BULK, SIM_CHANNELS };

/* One direction of one connection. */
struct sim_link {
    uint64_t busy; /* until then bytes are being handed over */
    uint64_t due;  /* of the last delivery */
    unsigned life; /* counts losses: what was sent in an earlier one never arrives */
    size_t queued; /* bytes of entries not handed over yet */
};

/* One raft_add, raft_assign or raft_remove; its memory is never used again. */
struct sim_change {
    struct raft_change req;
    struct sim *sim;
};

/* What happened in a run, for its totals. */
struct sim_counters {
    uint64_t virtual_ms;
    uint64_t events;
    uint64_t leaders;
    uint64_t writes;
    uint64_t unknown; /* writes without an answer */
    uint64_t stored;  /* entries, on any disk */
    uint64_t messages;
    uint64_t lost;
    uint64_t doubled;
    uint64_t refused;
    uint64_t cuts;
    uint64_t crashes;
    uint64_t restarts;
    uint64_t torn; /* log writes of which a part was kept */
    uint64_t failed;
    uint64_t full;
    uint64_t stalls;
    uint64_t installs;
    uint64_t changes;
};

struct sim {
    uint64_t seed;
    uint64_t rng;
    uint64_t now;
    uint64_t order; /* of events of the same time */
    unsigned n;
    unsigned rules;
    unsigned snapshot_every; /* entries, 0: no snapshots */
    unsigned trailing;       /* entries kept behind one */
    struct sim_node nodes[SIM_NODES_MAX];
    bool cut[SIM_NODES_MAX][SIM_NODES_MAX];
    struct sim_link links[SIM_NODES_MAX][SIM_NODES_MAX][SIM_CHANNELS];
    struct sim_event **events; /* heap by (due, order) */
    size_t events_count;
    size_t events_capacity;
    struct sim_write writes[SIM_WRITES_MAX];
    unsigned writes_count;
    struct sim_applied applied[SIM_INDEX_MAX];
    struct sim_stored *stored[SIM_INDEX_MAX];
    unsigned char leader_of_term[SIM_TERM_MAX]; /* index + 1 */
    struct sim_change changes[SIM_CHANGES_MAX];
    unsigned changes_count;
    size_t window_bytes; /* of every guard; 0: as it is */
    bool no_offers;      /* a snapshot sent is a failure */
    bool refuses;        /* what cannot be delivered is refused at once */
    unsigned doubles;    /* of a hundred messages so many come twice, */
    unsigned double_ms;  /* the second time up to so much later */
    bool harm_only;      /* what restates a rule is not checked: its harm has to show */
    unsigned fetch_ms;   /* a fetch takes up to so long */
    /* What happened. */
    uint64_t ack_ms_max;
    unsigned campaigns; /* changes to candidate */
    unsigned losses;    /* changes from leader */
    uint64_t entries_sent;
    struct sim_counters counters;
    size_t queued_max;
    char reason[SIM_REASON_BYTES]; /* why the run is bad; empty: it is not */
};

/* ---- one run ---- */

struct sim *sim_new(uint64_t seed, unsigned members, unsigned rules);
/* A member with nothing on its disk, running: its index. */
unsigned sim_add(struct sim *s);
void sim_free(struct sim *s);
uint32_t sim_draw(struct sim *s, uint32_t n); /* [0, n) */
void sim_fail(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool sim_bad(const struct sim *s);
/* Runs events until ms have passed or the run went bad. */
void sim_run(struct sim *s, uint64_t ms);
/* Until member i leads (and may propose), at most ms: whether it does. */
bool sim_run_until_leads(struct sim *s, unsigned i, uint64_t ms);
/* Heals everything and checks what must hold at the end. */
void sim_finish(struct sim *s);

/* ---- faults ---- */

void sim_cut(struct sim *s, unsigned i, unsigned j);     /* both ways */
void sim_cut_one(struct sim *s, unsigned i, unsigned j); /* from i to j */
void sim_isolate(struct sim *s, unsigned i);
void sim_heal(struct sim *s);
void sim_crash(struct sim_node *n);
void sim_restart(struct sim_node *n);
void sim_set_timeout(struct sim_node *n, unsigned ms); /* election timer, now and later */
void sim_forget_leader(struct sim_node *n);
void sim_fill(struct sim_node *n, bool full);    /* its disk: log writes are held */
void sim_stall(struct sim_node *n, unsigned ms); /* its loop, from now on */
/* One step of an operator that wants these members (bit per index), through the leader. True: that
 * is what there is. */
bool sim_operate(struct sim *s, unsigned wanted);
bool sim_transfer(struct sim *s, unsigned from, unsigned to);

/* ---- clients ---- */

int sim_leader(const struct sim *s);     /* highest term, or -1 */
bool sim_put(struct sim *s, unsigned i); /* false: member i takes no writes */
bool sim_acked(const struct sim *s, unsigned id);

/* ---- for sim_io.c, sim_node.c ---- */

enum sim_event_type {
    SIM_TICK,
    SIM_DELIVER,
    SIM_SENT,
    SIM_LOST, /* a bulk connection to `from` was */
    SIM_DISK,
    SIM_GET, /* a snapshot was read */
    SIM_FSM,
    SIM_WORK,
    SIM_FETCH,
    SIM_RESTART
};

struct sim_disk_op {
    struct list node;
    struct raft_io_append *req; /* NULL: a truncation, or a snapshot */
    struct raft_io_snapshot_put *put;
    raft_index snapshot_index;
    raft_term snapshot_term;
    uint64_t snapshot_state;
    struct sim_configuration snapshot_servers;
    unsigned trailing;
    const struct raft_entry *entries;
    unsigned n;
    raft_index first; /* truncation: the first index gone */
    int status;
};

struct sim_event {
    uint64_t due;
    uint64_t order;
    enum sim_event_type type;
    unsigned node;
    unsigned from;
    unsigned incarnation;
    enum sim_channel channel;
    unsigned life; /* of its link */
    size_t bytes;
    struct raft_io_send *sent;
    struct raft_io_snapshot_get *get;
    int status;
    struct raft_message message;      /* entries are the event's own copies */
    struct sim_configuration servers; /* of an offered snapshot */
    uint64_t manifest;
};

struct sim_event *sim_post(struct sim *s, enum sim_event_type type, unsigned node, uint64_t due);
void sim_event_free(struct sim_event *e);
const char *sim_address(raft_id id);
void sim_servers_note(struct sim_configuration *to, const struct raft_configuration *from);
void sim_servers_make(const struct sim_configuration *from, struct raft_configuration *to);
int sim_net_send(struct raft_io *io, struct raft_io_send *req, const struct raft_message *m,
                 raft_io_send_cb cb);
void sim_net_deliver(struct sim_node *n, struct sim_event *e);
void sim_net_sent(struct sim_node *n, struct sim_event *e);
void sim_net_reset(struct sim *s); /* all connections are made anew */
void sim_io_init(struct sim_node *n);
void sim_io_disk_done(struct sim_node *n);
void sim_io_got(struct sim_node *n, struct sim_event *e);
void sim_io_crash(struct sim_node *n); /* what becomes of writes under way */
void sim_disk_append(struct sim_disk *d, const struct raft_entry *entry);
uint32_t sim_hash(const void *data, size_t len);
/* Log matching: the newest entry of a member's disk against what any disk ever had there. */
void sim_check_stored(struct sim_node *n);
void sim_stored_free(struct sim *s);
void sim_disk_truncate(struct sim_disk *d, raft_index index);
/* libraft's allocations are charged to the member whose code runs. */
void sim_heap_enter(struct sim_node *n);
void sim_heap_free_all(struct sim_node *n);
void sim_node_start(struct sim_node *n);
void sim_node_apply(struct sim_node *n); /* SIM_FSM: one commit of what was handed over */
void sim_node_work(struct sim_node *n);  /* SIM_WORK: the snapshot's bytes, when durable */
void sim_node_fetch(struct sim_node *n); /* SIM_FETCH: another member's state is here, or not */
raft_index sim_disk_last(const struct sim_disk *d);
void sim_node_check(struct sim_node *n);

/* ---- families ---- */

struct sim_family {
    const char *name;
    const char *about;
    unsigned members; /* 0: 3 or 5 by seed */
    void (*run)(struct sim *s);
};

extern const struct sim_family sim_families[];
extern const size_t sim_families_count;
/* families_wide.c: network, snapshots, membership. */
void sim_family_install(struct sim *s);
void sim_family_stall(struct sim *s);
void sim_family_window(struct sim *s);
void sim_family_overtake(struct sim *s);
void sim_family_one_vote(struct sim *s);
void sim_family_rollback(struct sim *s);
void sim_family_promoted(struct sim *s);
void sim_family_sole(struct sim *s);
void sim_family_let_go(struct sim *s);
void sim_family_unsent(struct sim *s);
void sim_family_held(struct sim *s);
void sim_family_members(struct sim *s);
void sim_family_twice(struct sim *s);
/* families.c, for both. */
void sim_leaders_put(struct sim *s);
bool sim_elect(struct sim *s, unsigned i);
void sim_loose_timers(struct sim *s);
void sim_random_fault(struct sim *s, bool crashes);
void sim_random_knobs(struct sim *s);
void sim_random_schedule(struct sim *s, uint64_t ms, bool crashes);
const struct sim_family *sim_family_named(const char *name);
/* 0: good; else bad, with the reason. */
int sim_run_seed(const struct sim_family *family, uint64_t seed, unsigned rules,
                 char reason[SIM_REASON_BYTES], struct sim_counters *out);
/* The same in a process of its own, where a crash or a hang is a bad seed too; verbose prints why.
 * What happened is added to totals, which may be NULL. */
int sim_run_isolated(const struct sim_family *family, uint64_t seed, unsigned rules, bool verbose,
                     struct sim_counters *totals);

#endif
