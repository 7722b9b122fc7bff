/*
 * The guard: what stands between libraft 0.15.0 and its I/O backend, and closes the library's holes
 * from outside.
 *
 * libraft is given guard.io; the guard calls the backend below it (log and links, or the
 * simulation's memory) and looks at every message, tick, write and completion on its way. It
 * depends on private semantics of 0.15.0: guard_log.c pins sizes and offsets, and an upgrade of the
 * library re-runs the whole simulation. Each rule has a scenario in tests/sim that fails without
 * it; only the simulation may switch rules off.
 *
 *   G1  An AppendEntries reply claims no more than the message it answers checked, and the message
 *       commits no more than that either. (The library answers with, and commits up to, its last
 *       stored index, leftovers of other terms included.)
 *   G2  A new leader appends a barrier at once, and until that is stored no follower's reply is
 *       counted: entries of older terms are committed only with one of its own (Raft, figure 8).
 *   G3  A reply commits what a quorum has, not only what equals the leader's newest stored index.
 *       (Otherwise commit stands still under continuous writes.)
 *   G4  The reply of a follower's log write that finishes in another term is dropped.
 *   G5  A failed write of log, snapshot, term or vote is fatal before the library sees it.
 *   G6  While a snapshot is being installed the member neither campaigns nor votes nor takes
 *       entries: it answers heartbeats. (The library's log is that of the snapshot already, its
 *       disk's is not, and the completion reads the state of a follower whatever it is by then.)
 *       And an install begins only when no log write and no snapshot of its own is in flight.
 *   G7  Votes are asked for with what is on disk, and no election starts while a follower's log
 *       writes are in flight, nor while its disk is full (guard_held).
 *   G9  A tick after a stall of the loop is skipped, never two in a row: heartbeats that wait in
 *       its sockets come first.
 *   G10 Every change of state, term or leader is reported right where it happens, and
 *       RAFT_UNAVAILABLE, in which the library would stay silent for ever, is fatal.
 *   G11 At most window_bytes of entries are on their way to one peer: what is longer goes in parts.
 *       And at most as much of received entries waits for this member's disk; none is taken while
 *       as much as may waits to be applied (guard_full). (The library sends all it has at once,
 *       and again.)
 *   G12 After a failed send to a peer not heard of yet, probing begins at the end of the log again.
 *       (The library would begin at 1, and offer a snapshot though its log holds what is missing.)
 *   G13 When everything in its log is committed, a leader tells its followers so soon, each when it
 *       has confirmed all. (The library would with its next heartbeat: till then they neither
 *       apply nor show the last write.)
 *   G14 Heartbeats have a connection of their own, so they overtake entries. While entries are on
 *       their way, a heartbeat asks only for what the peer has confirmed, is sent on time however
 *       many entries are, and what is under way is not sent again. TimeoutNow waits for the
 *       confirmation of the last entry, and until that is committed and applied here. On their way
 *       means: their connection was not lost since, and within an election timeout a confirmation
 *       came or bytes were handed on. Otherwise messages go out as they are, and a loss shows.
 *       (The library takes the rejection of a heartbeat that came too early for a loss and sends
 *       all again.)
 *   G15 One vote a term. (The library votes a second time for the member that it wanted to hand
 *       leadership to.)
 *   G16 A configuration is uncommitted until its entry is committed: after a restart too, and until
 *       then no snapshot is taken; a conflict in the log restores the one before it from the
 *       guard's own copy; an installed snapshot leaves none uncommitted. (The library takes the
 *       last one in a loaded log for committed, puts uncommitted ones into snapshots, and reads the
 *       one before from a log that may no longer reach back to it.)
 *   G17 A member votes though its own configuration does not call it a voter yet, once it has not
 *       heard of a leader for an election timeout. (The candidate may be the only other one that
 *       knows of the promotion; the library would refuse for ever.)
 *   G18 A sole voter leads in a term of its own. (The library makes it leader of the term that it
 *       is in, again after a restart, with other entries than those it had sent to its standbys.)
 *   G19 Entries that begin before what this member has let go begin after it: what was compacted is
 *       committed, so the leader's is the same. (The library rejects them, its leader goes further
 *       back, and if it gets to the first entry the library appends them all again.)
 *   G20 A reply or a vote that cannot be sent is lost, and nothing more. (The library frees the
 *       entries of the message it answers a second time, or gives up.)
 *   G21 An entry that was truncated is not appended again while a write or a message still refers
 *       to it. (The library counts references and stored entries by term and index: it would free
 *       the new one with the old one, and count it as stored before it is.)
 *
 * There is no G8: what it held back in raft_uv the log orders itself (wal.h).
 *
 * Snapshots. A leader offers one when its log no longer reaches back to ours. The offer is held and
 * the event `install` asks the owner for the state, which takes as long as it takes; the member
 * meanwhile goes on as it is, heartbeats and votes included. Then guard_install_continue or
 * guard_install_abort. Nothing that is offered meanwhile starts a second one; the newest offer that
 * the fetched state covers is the one installed. It is installed in the name of whoever leads by
 * then: it holds only what is committed.
 *
 * Changing the membership: only while guard_may_change says so; one raft_add, raft_assign or
 * raft_remove at a time, whose request lives until its callback. A new member is added (SPARE),
 * assigned STANDBY, and VOTER only when its applied index is near the leader's.
 *
 * Senders are whom the transport has authenticated (links.h). That they be members of this
 * library's configuration is not asked: one that was away must follow a leader who joined since.
 *
 * Thread: the raft loop. Events run inside the library's calls unless said otherwise: they note
 * and post, and never call the library.
 */
#ifndef STORE_GUARD_H
#define STORE_GUARD_H

#include <raft.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/str.h"

enum guard_rule {
    GUARD_ACK_CLAMP = 1 << 1,       /* G1 */
    GUARD_OWN_TERM = 1 << 2,        /* G2 */
    GUARD_COMMIT_MATCH = 1 << 3,    /* G3 */
    GUARD_CANCEL_STALE = 1 << 4,    /* G4 */
    GUARD_WRITE_FATAL = 1 << 5,     /* G5 */
    GUARD_INSTALL = 1 << 6,         /* G6 */
    GUARD_VOTE_STORED = 1 << 7,     /* G7 */
    GUARD_LATE_TICK = 1 << 9,       /* G9 */
    GUARD_EDGES = 1 << 10,          /* G10 */
    GUARD_WINDOW = 1 << 11,         /* G11 */
    GUARD_PROBE_END = 1 << 12,      /* G12 */
    GUARD_TELL_COMMIT = 1 << 13,    /* G13 */
    GUARD_URGENT = 1 << 14,         /* G14 */
    GUARD_ONE_VOTE = 1 << 15,       /* G15 */
    GUARD_CONFIGURATION = 1 << 16,  /* G16 */
    GUARD_VOTE_ANYWAY = 1 << 17,    /* G17 */
    GUARD_SOLE_TERM = 1 << 18,      /* G18 */
    GUARD_SKIP_COMPACTED = 1 << 19, /* G19 */
    GUARD_LOST_SENDS = 1 << 20,     /* G20 */
    GUARD_REFERENCES = 1 << 21,     /* G21 */
};
#define GUARD_ALL_RULES                                                                            \
    (GUARD_ACK_CLAMP | GUARD_OWN_TERM | GUARD_COMMIT_MATCH | GUARD_CANCEL_STALE |                  \
     GUARD_WRITE_FATAL | GUARD_INSTALL | GUARD_VOTE_STORED | GUARD_LATE_TICK | GUARD_EDGES |       \
     GUARD_WINDOW | GUARD_PROBE_END | GUARD_TELL_COMMIT | GUARD_URGENT | GUARD_ONE_VOTE |          \
     GUARD_CONFIGURATION | GUARD_VOTE_ANYWAY | GUARD_SOLE_TERM | GUARD_SKIP_COMPACTED |            \
     GUARD_LOST_SENDS | GUARD_REFERENCES)

/* A tick later than so many heartbeats after the last one is late (G9). */
#define GUARD_LATE_HEARTBEATS 3
#define GUARD_WINDOW_BYTES    (32u << 20)
/* Servers of one configuration; also who has bytes under way: members and those removed lately. */
#define GUARD_SERVERS_MAX       16
#define GUARD_ADDRESS_BYTES_MAX 64

struct guard_events {
    /* State, term or known leader changed; all three are now as given. */
    void (*edge)(void *ctx, int state, uint64_t term, uint64_t leader_id);
    /* The own-term barrier of a leader is committed, and everything before it was handed to the
     * FSM. */
    void (*ready)(void *ctx, uint64_t term);
    /* Something after which this member must not go on. Production: log and abort, never return.
     * The simulation crashes the member; after a return the guard is dead and touches nothing. */
    void (*fatal)(void *ctx, const char *what, int raft_code);
    /* A leader offers a snapshot because its log no longer reaches back to ours. The offer is held:
     * fetch a state that holds what manifest stands for, make it durable, guard_install_continue;
     * or guard_install_abort, from here too. manifest is borrowed for the call. */
    void (*install)(void *ctx, uint64_t index, uint64_t term, struct str manifest,
                    uint64_t leader_id);
    /* Of a later offer: does the state that was fetched hold what this manifest stands for? */
    bool (*covers)(void *ctx, struct str manifest);
    /* What became of guard_install_continue: the log now begins after index, the FSM was restored;
     * or 0: it was not needed any more. Not inside the library. */
    void (*installed)(void *ctx, uint64_t index);
    /* This leader's log has been held for an election timeout (guard_held): another should lead.
     * Again after each further one. Not inside the library; the owner calls raft_transfer. */
    void (*step_aside)(void *ctx);
    /* The library wants req->work run (its snapshot's bytes) and then cb, on this loop, not inside
     * this call; the owner waits until the FSM is durable up to the snapshot. 0 or a raft code. */
    int (*async_work)(void *ctx, struct raft_io_async_work *req, raft_io_async_work_cb cb);
    /* What async_work asked for is not wanted any more: the owner forgets the request and does not
     * call its cb. Not inside the library. */
    void (*cancel_work)(void *ctx);
    /* A message was handled, a write finished or a tick passed: indexes may have moved. */
    void (*turn)(void *ctx);
};

/* G11, G14: one peer, as its leader sees it. */
struct guard_peer {
    raft_id id;       /* 0: free */
    size_t bytes;     /* of entries not yet handed to its connection */
    raft_index sent;  /* newest entry sent since the last rejection or loss; 0: none */
    raft_index match; /* as last seen */
    raft_index cut;   /* the library thinks that more than this was sent; 0: no */
    raft_index told;  /* G13: commit index it was told by itself */
    raft_time moved;  /* when match grew, bytes were handed over, or the first of `sent` left */
    raft_time beat;   /* when the last message without entries left */
};

/* G16: a configuration and the index of its entry. */
struct guard_configuration {
    bool known;
    raft_index index;
    struct raft_configuration servers;
};

/* G21: what a write or a message in flight holds of the library's log. */
struct guard_reference {
    struct list node;
    const struct raft_entry *entries; /* the library's, until its callback */
    raft_index first;
    unsigned n;
    unsigned kept; /* of n: the rest was truncated since */
};

struct guard {
    struct raft_io io; /* for raft_init */
    struct raft_io *backend;
    struct raft *raft;
    unsigned rules;
    size_t window_bytes; /* GUARD_WINDOW_BYTES; the simulation's is smaller */
    const struct guard_events *events;
    void *ctx;

    raft_io_tick_cb tick;
    raft_io_recv_cb recv;
    raft_io_close_cb close_cb;
    bool started;
    bool closing;
    bool dead;
    int last_state; /* G10: as last reported */
    raft_term last_term;
    raft_id last_leader;
    raft_time last_tick; /* G9 */
    bool tick_skipped;
    bool held; /* the log is full: guard_held */
    raft_time held_since;

    /* Log writes. */
    bool in_append;         /* G1: an AppendEntries message is being handled */
    raft_index append_last; /* G1: what that message checked */
    bool suppress;          /* G4: the finished write belongs to another term */
    struct list references; /* G21: of writes and messages to entries */
    unsigned stale_references;
    struct list canceled; /* cut off by a close */
    unsigned writes_count;
    unsigned follower_writes;
    size_t write_bytes;

    /* Leading. */
    raft_index term_start;  /* G2: index of the own-term barrier; UINT64_MAX: not yet appended */
    raft_term barrier_term; /* G2: of the barrier in flight or done */
    bool barrier_busy;      /* barrier's memory is the library's */
    bool ready;             /* own-term barrier committed */
    struct raft_barrier barrier;
    raft_term peers_term; /* peers' marks are of this leadership */
    struct guard_peer peers[GUARD_SERVERS_MAX];
    raft_id transferee; /* G14: TimeoutNow waits for its last confirmation */

    /* Snapshots. */
    struct raft_io_snapshot_put put; /* the backend's */
    struct raft_io_snapshot_put *put_original;
    raft_io_snapshot_put_cb put_cb;
    bool put_busy;
    bool installing;                 /* G6: put is an install */
    struct raft_io_async_work *work; /* of a snapshot of its own, at the owner's */
    raft_io_async_work_cb work_cb;
    bool taints_snapshot;       /* G16: the one under way began with an uncommitted configuration */
    struct raft_message offer;  /* held; type 0: none */
    struct raft_message newer;  /* a later offer; type 0: none */
    bool full;                  /* see guard_full */
    bool fetched;               /* guard_install_continue: goes on as soon as it can */
    struct raft_snapshot aside; /* stored past the library (guard_install.c) */
    struct raft_buffer aside_manifest;

    struct guard_configuration newest; /* G16: of the log */
    struct guard_configuration before; /* the one before newest */
};

/* Wraps backend (initialized, with its own impl); raft is the instance that raft_init will be given
 * together with g->io. */
void guard_init(struct guard *g, struct raft *raft, struct raft_io *backend, unsigned rules,
                const struct guard_events *events, void *ctx);
/* raft_close is about to be called: canceled writes are no failures from here on. */
void guard_closing(struct guard *g);
/* G13: tells of a commit whom nothing else will; whether there was anybody. Not inside the
 * library's calls: from the raft loop, soon after something moved. */
bool guard_tell_commit(struct guard *g);
/* After raft_start and each raft_apply, raft_transfer, raft_add, raft_assign, raft_remove: looks
 * for what those caused. Not inside the library's calls. */
void guard_check(struct guard *g);
/* Leading, the own-term barrier is committed, and the log is not held: may propose and serve
 * reads. */
bool guard_ready(const struct guard *g);
/* Leader this member knows of, 0: none; itself only when leading. */
uint64_t guard_leader(const struct guard *g);

/* The state that `install` asked for is fetched and durable. `installed` tells the outcome, later
 * or inside this call. Nothing held: nothing happens. Not inside the library's calls. */
void guard_install_continue(struct guard *g);
/* The state cannot be had: the offer is dropped, the leader makes it again. Any time. */
void guard_install_abort(struct guard *g);

/* The connection for entries to this peer was lost: what was sent on it may never arrive. */
void guard_peer_lost(struct guard *g, uint64_t peer_id);
/* The peer's process has most likely ended. A follower of it looks for another leader soon: within
 * half an election timeout, not one or two. Being wrong costs a round of pre-votes that others, who
 * hear of the leader, refuse. Not inside the library's calls. */
void guard_peer_gone(struct guard *g, uint64_t peer_id);
/* The disk is full: what is appended is held (wal.h), or nothing is applied; or not any more. */
void guard_held(struct guard *g, bool held);
/* G11: as much waits to be applied as may, or not any more. Inside and outside of calls. */
void guard_full(struct guard *g, bool full);
/* Who should lead in this leader's place: the voter heard of lately with the most of its log; 0:
 * none. For raft_transfer. */
uint64_t guard_successor(const struct guard *g);
/* Leading and ready, no change of the configuration is under way, the last one is committed. */
bool guard_may_change(const struct guard *g);

/* The term of the entry at index from the library's memory, 0 when it is not there. */
raft_term guard_term_of(const struct raft *r, raft_index index);
/* The newest entries whose bytes sum up to at most bytes, at most entries of them. */
unsigned guard_log_tail(const struct raft *r, size_t bytes, unsigned entries);
/* Entries in the library's memory, and their bytes: O(n). */
size_t guard_log_size(const struct raft *r, size_t *out_bytes);
/* Loaded entries point into whole segments, which stay in memory as long as one of their entries
 * does: gives each entry bytes of its own. */
void guard_log_repack(struct raft_entry *entries, size_t count);

/* Rule by its name above ("G1".."G21"), 0 when there is none. */
unsigned guard_rule_named(const char *name);

#endif
