/*
 * See guard.h. The library's turns: ticks, messages, edges, the own-term barrier, life. Writes are
 * guard_write.c, what is sent guard_send.c, snapshots guard_install.c, membership
 * guard_configuration.c; guard_log.c reads the library's memory.
 *
 * The wrapped callbacks find the guard by the backend's io->data; libraft finds it by
 * guard.io.impl.
 */
#include "store/guard.h"

#include <string.h>

#include "base/assert.h"
#include "store/guard_parts.h"

struct guard *guard_of(const struct raft_io *io)
{
    return io->impl;
}

bool guard_rule(const struct guard *g, enum guard_rule r)
{
    return (g->rules & (unsigned)r) != 0;
}

int guard_fatal(struct guard *g, const char *what, int code)
{
    if (!g->dead) {
        g->dead = true;
        g->events->fatal(g->ctx, what, code);
    }
    return code;
}

int guard_checked(struct guard *g, const char *what, int rv)
{
    if (rv == 0)
        return 0;
    memcpy(g->io.errmsg, g->backend->errmsg, sizeof(g->io.errmsg));
    return guard_rule(g, GUARD_WRITE_FATAL) ? guard_fatal(g, what, rv) : rv;
}

bool guard_ready(const struct guard *g)
{
    return !g->dead && g->ready && !g->held && g->raft->state == RAFT_LEADER &&
           g->raft->transfer == NULL && g->barrier_term == g->raft->current_term;
}

/* G7, and who has no room for what it would have to write should not ask for it. */
static bool must_not_campaign(const struct guard *g)
{
    return g->held || (guard_rule(g, GUARD_VOTE_STORED) && g->follower_writes > 0);
}

bool guard_may_change(const struct guard *g)
{
    const struct raft *r = g->raft;

    return guard_ready(g) && r->configuration_uncommitted_index == 0 &&
           r->leader_state.promotee_id == 0 && r->leader_state.change == NULL;
}

uint64_t guard_successor(const struct guard *g)
{
    const struct raft *r = g->raft;
    const struct raft_progress *best = NULL;
    uint64_t id = 0;

    for (unsigned i = 0; r->state == RAFT_LEADER && i < r->configuration.n; i++) {
        const struct raft_progress *p = &r->leader_state.progress[i];

        if (r->configuration.servers[i].id == r->id ||
            r->configuration.servers[i].role != RAFT_VOTER)
            continue;
        if (best != NULL &&
            (best->recent_recv != p->recent_recv ? best->recent_recv
                                                 : best->match_index >= p->match_index))
            continue;
        best = p;
        id = r->configuration.servers[i].id;
    }
    return id;
}

/* ---- G2: the own-term barrier ---- */

static void on_barrier(struct raft_barrier *b, int status)
{
    struct guard *g = container_of(b, struct guard, barrier);

    g->barrier_busy = false;
    if (status != 0 || g->dead)
        return;
    g->ready = true;
    g->events->ready(g->ctx, g->barrier_term);
}

/* RAFT_NOTLEADER here means a transfer that the library has not forgotten yet: tried again on each
 * tick, and until then no reply counts. */
static void append_barrier(struct guard *g)
{
    if (!guard_rule(g, GUARD_OWN_TERM)) {
        g->barrier_term = g->raft->current_term;
        g->term_start = 0;
        g->ready = true;
        g->events->ready(g->ctx, g->barrier_term);
        return;
    }
    g->term_start = UINT64_MAX;
    if (g->barrier_busy)
        return;
    g->barrier_term = g->raft->current_term;
    g->barrier_busy = true;
    if (raft_barrier(g->raft, &g->barrier, on_barrier) != 0) {
        g->barrier_busy = false;
        return;
    }
    /* A single voter commits by itself; its callback may have run already. */
    g->term_start = raft_last_index(g->raft);
}

/* ---- G10: edges ---- */

static void report_edge(struct guard *g)
{
    struct raft *r = g->raft;
    raft_id leader = guard_leader(g);

    if (g->last_state == r->state && g->last_term == r->current_term && g->last_leader == leader)
        return;
    g->last_state = r->state;
    g->last_term = r->current_term;
    g->last_leader = leader;
    if (r->state == RAFT_UNAVAILABLE) {
        guard_fatal(g, "libraft gave up (RAFT_UNAVAILABLE)", 0);
        return;
    }
    g->events->edge(g->ctx, r->state, r->current_term, leader);
}

void guard_check(struct guard *g)
{
    struct raft *r = g->raft;

    if (g->dead || g->closing || !g->started)
        return;
    guard_restore_cuts(g);
    if (r->state != RAFT_LEADER || g->barrier_term != r->current_term) {
        g->ready = false;
        g->term_start = UINT64_MAX;
    }
    if (guard_rule(g, GUARD_EDGES))
        report_edge(g);
    if (g->dead)
        return;
    if (r->state == RAFT_LEADER && g->term_start == UINT64_MAX) {
        append_barrier(g);
        guard_restore_cuts(g);
        if (r->state != RAFT_LEADER && guard_rule(g, GUARD_EDGES))
            report_edge(g);
    }
    if (g->dead)
        return;
    guard_send_timeout_now(g);
    guard_install_step(g);
    if (!g->dead)
        g->events->turn(g->ctx);
}

/* ---- messages ---- */

/* G2 and G3. The library tries to commit exactly r->last_stored after a reply: what it shall commit
 * is put there for the time of the call. */
static void receive_append_result(struct guard *g, struct raft_message *m)
{
    const struct raft_append_entries_result *result = &m->append_entries_result;
    struct raft *r = g->raft;
    raft_index stored = r->last_stored;
    raft_index commit;

    if (r->state == RAFT_LEADER && result->term == r->current_term)
        guard_peer_replied(g, m->server_id, result->rejected != 0);
    if (r->state != RAFT_LEADER || result->rejected != 0 || result->term != r->current_term) {
        g->recv(&g->io, m);
        return;
    }
    if (guard_rule(g, GUARD_OWN_TERM) && stored < g->term_start) {
        struct raft_progress *p = guard_progress(r, m->server_id);

        /* Heard of all the same: a leader whose disk is slow must not think itself cut off. */
        if (p != NULL)
            p->recent_recv = true;
        return;
    }
    if (!guard_rule(g, GUARD_COMMIT_MATCH)) {
        g->recv(&g->io, m);
        return;
    }
    commit = guard_quorum_match(r, m->server_id, result->last_log_index);
    if (commit > stored)
        commit = stored;
    if (guard_rule(g, GUARD_OWN_TERM) && commit < g->term_start)
        commit = r->commit_index;
    if (commit < r->commit_index)
        commit = r->commit_index;
    r->last_stored = commit;
    g->recv(&g->io, m);
    /* Nothing in the call moves it: writes finish in their own callbacks. */
    ASSERT(r->last_stored == commit);
    r->last_stored = stored;
}

static bool too_many_to_store(const struct guard *g)
{
    return guard_rule(g, GUARD_WINDOW) && (g->full || g->write_bytes > g->window_bytes);
}

/* G1, G6, G11, G16, G19, G21. */
static void receive_entries(struct guard *g, struct raft_message *m)
{
    struct raft_append_entries *a = &m->append_entries;

    if (g->installing && guard_rule(g, GUARD_INSTALL)) {
        /* The log is neither what it was nor what it will be: nothing to check. */
        guard_drop_entries(a);
        a->prev_log_index = 0;
        a->prev_log_term = 0;
    } else if (a->n_entries > 0 && (g->fetched || too_many_to_store(g))) {
        guard_drop_entries(a);
    }
    if (guard_rule(g, GUARD_SKIP_COMPACTED))
        guard_skip_compacted(g->raft, a);
    if (a->n_entries > 0 && guard_rule(g, GUARD_REFERENCES))
        guard_keep_entries(a, guard_referable(g, a));
    g->append_last = a->prev_log_index + a->n_entries;
    if (guard_rule(g, GUARD_ACK_CLAMP) && a->leader_commit > g->append_last)
        a->leader_commit = g->append_last;
    if (guard_rule(g, GUARD_CONFIGURATION))
        guard_configuration_conflict(g, a);
    g->in_append = true;
    g->recv(&g->io, m);
    g->in_append = false;
}

/* G6: what a member may still take while it installs a snapshot. */
static bool may_receive(const struct guard *g, const struct raft_message *m)
{
    return !g->installing || !guard_rule(g, GUARD_INSTALL) || m->type == RAFT_IO_APPEND_ENTRIES ||
           m->type == RAFT_IO_APPEND_ENTRIES_RESULT || m->type == RAFT_IO_REQUEST_VOTE_RESULT;
}

static void on_recv(struct raft_io *backend, struct raft_message *m)
{
    struct guard *g = backend->data;

    if (g->dead || !guard_message_is_sane(g->raft, m) || !may_receive(g, m)) {
        guard_drop_message(m);
        return;
    }
    guard_restore_cuts(g);
    switch (m->type) {
    case RAFT_IO_INSTALL_SNAPSHOT:
        guard_offered(g, m);
        break;
    case RAFT_IO_TIMEOUT_NOW:
        if (must_not_campaign(g))
            return;
        g->recv(&g->io, m);
        break;
    case RAFT_IO_APPEND_ENTRIES:
        receive_entries(g, m);
        break;
    case RAFT_IO_APPEND_ENTRIES_RESULT:
        receive_append_result(g, m);
        break;
    case RAFT_IO_REQUEST_VOTE:
        guard_receive_vote(g, m);
        break;
    default:
        g->recv(&g->io, m);
    }
    guard_check(g);
}

/* ---- ticks ---- */

/* G9. libuv runs timers before it polls: after a stall the election timer would fire although the
 * leader was heard all the time. The next tick finds those messages handled; when that is late too,
 * the machine is slow and time must go on all the same. */
static bool tick_is_late(struct guard *g)
{
    raft_time now = g->backend->time(g->backend);
    raft_time last = g->last_tick;
    bool late =
        last != 0 && now - last > (raft_time)GUARD_LATE_HEARTBEATS * g->raft->heartbeat_timeout;

    g->last_tick = now;
    g->tick_skipped = guard_rule(g, GUARD_LATE_TICK) && late && !g->tick_skipped;
    return g->tick_skipped;
}

void guard_peer_gone(struct guard *g, uint64_t peer_id)
{
    struct raft *r = g->raft;
    raft_time soon;

    if (g->dead || g->closing || !g->started || r->state != RAFT_FOLLOWER ||
        (g->installing && guard_rule(g, GUARD_INSTALL)) || peer_id == 0 ||
        r->follower_state.current_leader.id != peer_id)
        return;
    /* Drawn, lest all followers of it stand at once. */
    soon = g->backend->time(g->backend) - r->election_timer_start +
           (raft_time)g->backend->random(g->backend, 0, (int)r->election_timeout / 2);
    if (soon < r->follower_state.randomized_election_timeout)
        r->follower_state.randomized_election_timeout = (unsigned)soon;
    /* And so that this member votes for whoever stands first. */
    r->follower_state.current_leader.id = 0;
    guard_check(g);
}

static void look_at_held(struct guard *g)
{
    raft_time now = g->backend->time(g->backend);

    if (!g->held || g->raft->state != RAFT_LEADER ||
        now - g->held_since < g->raft->election_timeout)
        return;
    g->held_since = now;
    g->events->step_aside(g->ctx);
}

static void on_tick(struct raft_io *backend)
{
    struct guard *g = backend->data;

    if (g->dead || tick_is_late(g))
        return;
    if (g->raft->state == RAFT_FOLLOWER && must_not_campaign(g))
        return;
    if (guard_rule(g, GUARD_INSTALL) && g->installing)
        return;
    guard_restore_cuts(g);
    if (guard_rule(g, GUARD_SOLE_TERM) && guard_will_elect_itself(g))
        guard_begin_term(g);
    if (g->dead)
        return;
    g->tick(&g->io);
    guard_send_beats(g);
    guard_check(g);
    if (!g->dead)
        look_at_held(g);
}

void guard_held(struct guard *g, bool held)
{
    if (held == g->held)
        return;
    g->held = held;
    g->held_since = g->backend->time(g->backend);
    if (!g->dead)
        g->events->turn(g->ctx);
}

void guard_full(struct guard *g, bool full)
{
    g->full = full;
}

/* ---- life ---- */

static int guard_start(struct raft_io *io, unsigned msecs, raft_io_tick_cb tick,
                       raft_io_recv_cb recv)
{
    struct guard *g = guard_of(io);

    g->tick = tick;
    g->recv = recv;
    g->started = true;
    if (guard_rule(g, GUARD_CONFIGURATION))
        guard_configuration_started(g);
    if (guard_rule(g, GUARD_SOLE_TERM) && guard_is_sole_voter(g->raft))
        guard_begin_term(g);
    if (g->dead)
        return RAFT_IOERR;
    return g->backend->start(g->backend, msecs, on_tick, on_recv);
}

static int guard_backend_init(struct raft_io *io, raft_id id, const char *address)
{
    struct guard *g = guard_of(io);
    int rv = g->backend->init(g->backend, id, address);

    if (rv != 0)
        memcpy(io->errmsg, g->backend->errmsg, sizeof(io->errmsg));
    return rv;
}

static void on_backend_closed(struct raft_io *backend)
{
    struct guard *g = backend->data;
    raft_io_close_cb closed = g->close_cb;

    /* A backend may say so once for each of its handles that closes last. */
    if (closed == NULL)
        return;
    g->close_cb = NULL;
    guard_cancel_writes(g);
    guard_install_forget(g);
    guard_configuration_close(g);
    g->dead = true;
    closed(&g->io);
}

static void guard_close(struct raft_io *io, raft_io_close_cb cb)
{
    struct guard *g = guard_of(io);

    g->closing = true;
    g->close_cb = cb;
    g->backend->close(g->backend, on_backend_closed);
}

static int guard_load(struct raft_io *io, raft_term *term, raft_id *voted_for,
                      struct raft_snapshot **snapshot, raft_index *start_index,
                      struct raft_entry *entries[], size_t *n_entries)
{
    struct guard *g = guard_of(io);
    int rv =
        g->backend->load(g->backend, term, voted_for, snapshot, start_index, entries, n_entries);

    if (rv != 0) {
        memcpy(io->errmsg, g->backend->errmsg, sizeof(io->errmsg));
        return rv;
    }
    guard_log_repack(*entries, *n_entries);
    guard_configuration_loaded(g, *snapshot, *start_index, *entries, *n_entries);
    return 0;
}

static int guard_bootstrap(struct raft_io *io, const struct raft_configuration *conf)
{
    return guard_of(io)->backend->bootstrap(guard_of(io)->backend, conf);
}

static int guard_recover(struct raft_io *io, const struct raft_configuration *conf)
{
    return guard_of(io)->backend->recover(guard_of(io)->backend, conf);
}

static raft_time guard_time(struct raft_io *io)
{
    return guard_of(io)->backend->time(guard_of(io)->backend);
}

static int guard_random(struct raft_io *io, int min, int max)
{
    return guard_of(io)->backend->random(guard_of(io)->backend, min, max);
}

void guard_init(struct guard *g, struct raft *raft, struct raft_io *backend, unsigned rules,
                const struct guard_events *events, void *ctx)
{
    memset(g, 0, sizeof(*g));
    g->raft = raft;
    g->backend = backend;
    g->rules = rules;
    g->window_bytes = GUARD_WINDOW_BYTES;
    g->events = events;
    g->ctx = ctx;
    g->term_start = UINT64_MAX;
    list_init(&g->references);
    list_init(&g->canceled);
    backend->data = g;
    g->io = (struct raft_io){
        .version = 2, /* snapshots wait for the durable index in async_work */
        .impl = g,
        .init = guard_backend_init,
        .close = guard_close,
        .load = guard_load,
        .start = guard_start,
        .bootstrap = guard_bootstrap,
        .recover = guard_recover,
        .set_term = guard_set_term,
        .set_vote = guard_set_vote,
        .send = guard_send,
        .append = guard_append,
        .truncate = guard_truncate,
        .snapshot_put = guard_snapshot_put,
        .snapshot_get = guard_snapshot_get,
        .time = guard_time,
        .random = guard_random,
        .async_work = guard_async_work,
    };
}

void guard_closing(struct guard *g)
{
    g->closing = true;
}
