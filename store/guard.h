/*
 * The guard: what stands between libraft 0.15.0 and its I/O backend, and closes the library's holes
 * from outside.
 *
 * libraft is given guard.io; the guard calls the backend below it (raft_uv, or the simulation's
 * memory) and looks at every message, tick, write and completion on its way. It depends on private
 * semantics of 0.15.0: guard.c pins sizes and offsets, and an upgrade of the library re-runs the
 * whole simulation. Each rule has a scenario in tests/sim that fails without it; only the
 * simulation may switch rules off.
 *
 *   G1  An AppendEntries reply claims no more than the message it answers checked. (The library
 *       answers heartbeats with its last stored index, leftovers of other terms included.)
 *   G2  A new leader appends a barrier at once, and until that is stored no follower's reply is
 *       counted: entries of older terms are committed only with one of its own (Raft, figure 8).
 *   G3  A reply commits what a quorum has, not only what equals the leader's newest stored index.
 *       (Otherwise commit stands still under continuous writes.)
 *   G4  The reply of a follower's log write that finishes in another term is dropped.
 *   G5  A failed log write, truncation, term or vote is fatal before the library sees it.
 *   G7  Votes are asked for with what is on disk, and no election starts while a follower's log
 *       writes are in flight.
 *   G8  No truncation while a snapshot is being stored (fatal: the restart is safe), and no
 *       snapshot between a truncation and the next finished write. (raft_uv would forget one.)
 *   G9  A tick after a stall of the loop is skipped: heartbeats that wait in its sockets come
 * first. G10 Every change of state, term or leader is reported right where it happens, and
 *       RAFT_UNAVAILABLE, in which the library would stay silent for ever, is fatal.
 *   G11 At most GUARD_WINDOW_BYTES of entries are on their way to one peer.
 *   G13 When everything in its log is committed, a leader tells its followers so at once. (The
 * library would with its next heartbeat: till then they neither apply nor show the last write.) G12
 * After a failed send to a peer not heard of yet, probing begins at the end of the log again. (The
 * library would begin at 1, and offer a snapshot though its log holds what is missing.)
 *
 * InstallSnapshot is refused unless this member has that entry anyway: see raft_node.h.
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

enum guard_rule {
    GUARD_ACK_CLAMP = 1 << 1,      /* G1 */
    GUARD_OWN_TERM = 1 << 2,       /* G2 */
    GUARD_COMMIT_MATCH = 1 << 3,   /* G3 */
    GUARD_CANCEL_STALE = 1 << 4,   /* G4 */
    GUARD_WRITE_FATAL = 1 << 5,    /* G5 */
    GUARD_VOTE_STORED = 1 << 7,    /* G7 */
    GUARD_SNAPSHOT_ORDER = 1 << 8, /* G8 */
    GUARD_LATE_TICK = 1 << 9,      /* G9 */
    GUARD_EDGES = 1 << 10,         /* G10 */
    GUARD_WINDOW = 1 << 11,        /* G11 */
    GUARD_PROBE_END = 1 << 12,     /* G12 */
    GUARD_TELL_COMMIT = 1 << 13,   /* G13 */
};
#define GUARD_ALL_RULES                                                                            \
    (GUARD_ACK_CLAMP | GUARD_OWN_TERM | GUARD_COMMIT_MATCH | GUARD_CANCEL_STALE |                  \
     GUARD_WRITE_FATAL | GUARD_VOTE_STORED | GUARD_SNAPSHOT_ORDER | GUARD_LATE_TICK |              \
     GUARD_EDGES | GUARD_WINDOW | GUARD_PROBE_END | GUARD_TELL_COMMIT)

/* A tick later than so many heartbeats after the last one is late (G9). */
#define GUARD_LATE_HEARTBEATS 3
#define GUARD_WINDOW_BYTES    (32u << 20)
#define GUARD_PEERS_MAX       8

struct guard_events {
    /* State, term or known leader changed; all three are now as given. */
    void (*edge)(void *ctx, int state, uint64_t term, uint64_t leader_id);
    /* The own-term barrier of a leader is committed, and everything before it was handed to the
     * FSM. */
    void (*ready)(void *ctx, uint64_t term);
    /* Something after which this member must not go on. Production: log and abort, never return.
     * The simulation crashes the member; after a return the guard is dead and touches nothing. */
    void (*fatal)(void *ctx, const char *what, int raft_code);
    /* A leader offers a snapshot because its log no longer reaches back to ours: refused. */
    void (*behind)(void *ctx, uint64_t snapshot_index);
    /* The library wants req->work run (its snapshot's bytes) and then cb, on this loop, not inside
     * this call; the owner waits until the FSM is durable up to the snapshot. 0 or a raft code. */
    int (*async_work)(void *ctx, struct raft_io_async_work *req, raft_io_async_work_cb cb);
    /* A message was handled, a write finished or a tick passed: indexes may have moved. */
    void (*turn)(void *ctx);
};

struct guard {
    struct raft_io io; /* for raft_init */
    struct raft_io *backend;
    struct raft *raft;
    unsigned rules;
    const struct guard_events *events;
    void *ctx;

    raft_io_tick_cb tick;
    raft_io_recv_cb recv;
    raft_io_close_cb close_cb;
    raft_io_snapshot_put_cb snapshot_cb;
    bool started;
    bool closing;
    bool dead;
    struct list canceled; /* writes that a close cut off */

    bool in_append;         /* G1: an AppendEntries message is being handled */
    raft_index append_last; /* G1: what that message checked */
    bool suppress;          /* G4: the finished write belongs to another term */
    unsigned follower_writes;
    raft_time last_tick;    /* G9 */
    bool snapshot_busy;     /* G8: snapshot_put in flight */
    bool truncated;         /* G8: truncation since the last finished write */
    raft_index term_start;  /* G2: index of the own-term barrier; UINT64_MAX: not yet appended */
    raft_term barrier_term; /* G2: of the barrier in flight or done */
    bool barrier_busy;      /* barrier's memory is the library's */
    bool ready;             /* own-term barrier committed */
    struct raft_barrier barrier;
    int last_state; /* G10: as last reported */
    raft_term last_term;
    raft_id last_leader;
    raft_index told_commit;             /* G13: the followers were told of it */
    size_t window[GUARD_PEERS_MAX + 1]; /* G11: bytes under way by peer id */
};

/* Wraps backend (initialized, with its own impl); raft is the instance that raft_init will be given
 * together with g->io. */
void guard_init(struct guard *g, struct raft *raft, struct raft_io *backend, unsigned rules,
                const struct guard_events *events, void *ctx);
/* raft_close is about to be called: canceled writes are no failures from here on. */
void guard_closing(struct guard *g);
/* G13: sends heartbeats now if a commit is news to the followers and nothing else will carry it.
 * Not inside the library's calls: from the raft loop, once a turn. */
void guard_tell_commit(struct guard *g);
/* After raft_start, raft_apply, raft_transfer: looks for an edge that those caused. */
void guard_check(struct guard *g);
/* Leading, and the own-term barrier is committed: may propose and serve reads. */
bool guard_ready(const struct guard *g);
/* Leader this member knows of, 0: none; itself only when leading. */
uint64_t guard_leader(const struct guard *g);

/* The term of the entry at index from the library's memory, 0 when it is not there. */
raft_term guard_term_of(const struct raft *r, raft_index index);
/* The newest entries whose bytes sum up to at most bytes, at most entries of them. */
unsigned guard_log_tail(const struct raft *r, size_t bytes, unsigned entries);
/* Loaded entries point into whole segments, which stay in memory as long as one of their entries
 * does: gives each entry bytes of its own. */
void guard_log_repack(struct raft_entry *entries, size_t count);

/* The highest index that a quorum of voters has, were `sender` to match `match`. On a leader. */
raft_index guard_quorum_match(const struct raft *r, raft_id sender, raft_index match);
/* What the library would only have asserted: sender is a member, no two leaders in a term. */
bool guard_message_is_sane(const struct raft *r, const struct raft_message *m);
/* Frees what a received message carries. */
void guard_drop_message(struct raft_message *m);

/* Rule by its name in the brief ("G1".."G12"), 0 when there is none. */
unsigned guard_rule_named(const char *name);

#endif
