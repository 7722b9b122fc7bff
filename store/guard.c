/*
 * See guard.h. One function per method of raft_io, each saying which rule it holds; guard_log.c
 * reads the library's memory.
 *
 * The wrapped callbacks find the guard by the backend's io->data; libraft finds it by
 * guard.io.impl.
 */
#include "store/guard.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/list.h"

static struct guard *guard_of(const struct raft_io *io)
{
    return io->impl;
}

static bool rule(const struct guard *g, enum guard_rule r)
{
    return (g->rules & (unsigned)r) != 0;
}

static int guard_fatal(struct guard *g, const char *what, int code)
{
    if (!g->dead) {
        g->dead = true;
        g->events->fatal(g->ctx, what, code);
    }
    return code;
}

bool guard_ready(const struct guard *g)
{
    return !g->dead && g->ready && g->raft->state == RAFT_LEADER && g->raft->transfer == NULL &&
           g->barrier_term == g->raft->current_term;
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
    if (!rule(g, GUARD_OWN_TERM)) {
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
    if (r->state != RAFT_LEADER || g->barrier_term != r->current_term) {
        g->ready = false;
        g->term_start = UINT64_MAX;
    }
    if (rule(g, GUARD_EDGES))
        report_edge(g);
    if (g->dead)
        return;
    if (r->state == RAFT_LEADER && g->term_start == UINT64_MAX) {
        append_barrier(g);
        if (r->state != RAFT_LEADER && rule(g, GUARD_EDGES))
            report_edge(g);
    }
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

    if (r->state != RAFT_LEADER || result->rejected != 0 || result->term != r->current_term) {
        g->recv(&g->io, m);
        return;
    }
    if (rule(g, GUARD_OWN_TERM) && stored < g->term_start) {
        /* Heard of all the same: a leader whose disk is slow must not think itself cut off. */
        for (unsigned i = 0; i < r->configuration.n; i++)
            if (r->configuration.servers[i].id == m->server_id)
                r->leader_state.progress[i].recent_recv = true;
        return;
    }
    if (!rule(g, GUARD_COMMIT_MATCH)) {
        g->recv(&g->io, m);
        return;
    }
    commit = guard_quorum_match(r, m->server_id, result->last_log_index);
    if (commit > stored)
        commit = stored;
    if (rule(g, GUARD_OWN_TERM) && commit < g->term_start)
        commit = r->commit_index;
    if (commit < r->commit_index)
        commit = r->commit_index;
    r->last_stored = commit;
    g->recv(&g->io, m);
    /* Nothing in the call moves it: writes finish in their own callbacks. */
    ASSERT(r->last_stored == commit);
    r->last_stored = stored;
}

static void on_recv(struct raft_io *backend, struct raft_message *m)
{
    struct guard *g = backend->data;

    if (g->dead || !guard_message_is_sane(g->raft, m)) {
        guard_drop_message(m);
        return;
    }
    switch (m->type) {
    case RAFT_IO_INSTALL_SNAPSHOT:
        /* With that very entry in the log there is nothing to install: the library only answers. */
        if (guard_term_of(g->raft, m->install_snapshot.last_index) !=
            m->install_snapshot.last_term) {
            g->events->behind(g->ctx, m->install_snapshot.last_index);
            guard_drop_message(m);
            return;
        }
        g->recv(&g->io, m);
        break;
    case RAFT_IO_TIMEOUT_NOW:
        if (rule(g, GUARD_VOTE_STORED) && g->follower_writes > 0)
            return;
        g->recv(&g->io, m);
        break;
    case RAFT_IO_APPEND_ENTRIES:
        g->in_append = true;
        g->append_last = m->append_entries.prev_log_index + m->append_entries.n_entries;
        g->recv(&g->io, m);
        g->in_append = false;
        break;
    case RAFT_IO_APPEND_ENTRIES_RESULT:
        receive_append_result(g, m);
        break;
    default:
        g->recv(&g->io, m);
    }
    guard_check(g);
}

/* G9. libuv runs timers before it polls: after a stall the election timer would fire although the
 * leader was heard all the time. The next tick finds those messages handled. */
static bool tick_is_late(struct guard *g)
{
    raft_time now = g->backend->time(g->backend);
    raft_time last = g->last_tick;

    g->last_tick = now;
    return rule(g, GUARD_LATE_TICK) && last != 0 &&
           now - last > (raft_time)GUARD_LATE_HEARTBEATS * g->raft->heartbeat_timeout;
}

static void on_tick(struct raft_io *backend)
{
    struct guard *g = backend->data;

    if (g->dead || tick_is_late(g))
        return;
    if (rule(g, GUARD_VOTE_STORED) && g->raft->state == RAFT_FOLLOWER && g->follower_writes > 0)
        return;
    g->tick(&g->io);
    guard_check(g);
}

/* ---- G11: bytes under way, by peer; G12: where probing begins again ---- */

struct guarded_send {
    struct raft_io_send req;
    struct raft_io_send *original;
    struct guard *guard;
    raft_id peer;
    size_t bytes;
};

/* After a failed send the library probes from match + 1: from 1 when this leader has heard nothing
 * of the peer yet, and for that it would offer its snapshot though its log reaches back far enough.
 * The end of the log is where a new leader begins to probe anyway. */
static void probe_from_end(struct guard *g, raft_id peer)
{
    struct raft *r = g->raft;

    for (unsigned i = 0; r->state == RAFT_LEADER && i < r->configuration.n; i++) {
        struct raft_progress *p = &r->leader_state.progress[i];

        if (r->configuration.servers[i].id == peer && p->match_index == 0 && p->next_index == 1)
            p->next_index = raft_last_index(r) + 1;
    }
}

static void on_sent(struct raft_io_send *req, int status)
{
    struct guarded_send *s = container_of(req, struct guarded_send, req);
    struct guard *g = s->guard;
    raft_io_send_cb cb = s->original->cb;

    g->window[s->peer] -= s->bytes;
    if (!g->dead && cb != NULL) {
        cb(s->original, status);
        if (status != 0 && rule(g, GUARD_PROBE_END))
            probe_from_end(g, s->peer);
    }
    raft_free(s);
}

static int send_entries(struct guard *g, struct raft_io_send *req, const struct raft_message *m,
                        raft_io_send_cb cb)
{
    struct guarded_send *s;
    size_t bytes = 0;
    int rv;

    for (unsigned i = 0; i < m->append_entries.n_entries; i++)
        bytes += m->append_entries.entries[i].buf.len;
    /* One message always fits: a peer that is slow gets what it can take, never nothing. */
    if (rule(g, GUARD_WINDOW) && bytes > 0 && g->window[m->server_id] > 0 &&
        g->window[m->server_id] + bytes > GUARD_WINDOW_BYTES)
        return RAFT_NOCONNECTION;
    s = raft_malloc(sizeof(*s));
    if (s == NULL)
        return RAFT_NOMEM;
    s->original = req;
    s->guard = g;
    s->peer = m->server_id;
    s->bytes = bytes;
    req->cb = cb;
    rv = g->backend->send(g->backend, &s->req, m, on_sent);
    if (rv != 0)
        raft_free(s);
    else
        g->window[m->server_id] += bytes;
    return rv;
}

/* G1, G4, G7, G11. */
static int guard_send(struct raft_io *io, struct raft_io_send *req, const struct raft_message *m,
                      raft_io_send_cb cb)
{
    struct guard *g = guard_of(io);
    struct raft_message copy = *m;

    /* The library answers a leader it has forgotten meanwhile: id 0, no address. */
    if (g->dead || m->server_id == 0 || m->server_address == NULL)
        return RAFT_CANCELED;
    if (m->type == RAFT_IO_APPEND_ENTRIES && m->server_id <= GUARD_PEERS_MAX)
        return send_entries(g, req, m, cb);
    if (m->type == RAFT_IO_APPEND_ENTRIES_RESULT && m->append_entries_result.rejected == 0) {
        if (rule(g, GUARD_CANCEL_STALE) && g->suppress)
            return RAFT_CANCELED;
        if (rule(g, GUARD_ACK_CLAMP) && g->in_append &&
            copy.append_entries_result.last_log_index > g->append_last)
            copy.append_entries_result.last_log_index = g->append_last;
    }
    if (m->type == RAFT_IO_REQUEST_VOTE && rule(g, GUARD_VOTE_STORED)) {
        copy.request_vote.last_log_index = g->raft->last_stored;
        copy.request_vote.last_log_term = guard_term_of(g->raft, g->raft->last_stored);
    }
    return g->backend->send(g->backend, req, &copy, cb);
}

/* ---- G4, G5, G7: log writes ---- */

struct guarded_append {
    struct raft_io_append req;
    struct list node; /* canceled at close */
    struct raft_io_append *original;
    raft_io_append_cb cb;
    struct guard *guard;
    raft_index first;
    raft_term term;
    bool follower;
};

static void on_appended(struct raft_io_append *req, int status)
{
    struct guarded_append *a = container_of(req, struct guarded_append, req);
    struct guard *g = a->guard;

    if (a->follower)
        g->follower_writes--;
    if (status != 0 && !g->closing && rule(g, GUARD_WRITE_FATAL))
        guard_fatal(g, "log write failed", status);
    if (g->dead && !g->closing) {
        raft_free(a);
        return;
    }
    if (g->closing && status != 0) {
        list_prepend(&g->canceled, &a->node);
        return;
    }
    g->truncated = false;
    g->suppress = a->term != g->raft->current_term;
    a->cb(a->original, status);
    g->suppress = false;
    raft_free(a);
    guard_check(g);
}

static int guard_append(struct raft_io *io, struct raft_io_append *req,
                        const struct raft_entry entries[], unsigned n, raft_io_append_cb cb)
{
    struct guard *g = guard_of(io);
    struct guarded_append *a;
    int rv;

    if (g->dead)
        return RAFT_IOERR;
    a = raft_malloc(sizeof(*a));
    if (a == NULL)
        return guard_fatal(g, "out of memory for a log write", RAFT_NOMEM);
    a->original = req;
    a->cb = cb;
    a->guard = g;
    a->term = g->raft->current_term;
    a->follower = g->raft->state != RAFT_LEADER;
    a->first = raft_last_index(g->raft) + 1 - n;
    rv = g->backend->append(g->backend, &a->req, entries, n, on_appended);
    if (rv != 0) {
        /* raft_uv may still hold the request: its memory is given up on purpose. */
        memcpy(io->errmsg, g->backend->errmsg, sizeof(io->errmsg));
        return rule(g, GUARD_WRITE_FATAL) ? guard_fatal(g, "log write refused", rv) : rv;
    }
    if (a->follower)
        g->follower_writes++;
    return 0;
}

/* ---- the other methods ---- */

static int checked(struct guard *g, const char *what, int rv)
{
    if (rv == 0)
        return 0;
    memcpy(g->io.errmsg, g->backend->errmsg, sizeof(g->io.errmsg));
    return rule(g, GUARD_WRITE_FATAL) ? guard_fatal(g, what, rv) : rv;
}

static int guard_truncate(struct raft_io *io, raft_index index)
{
    struct guard *g = guard_of(io);

    if (g->dead)
        return RAFT_IOERR;
    if (g->snapshot_busy && rule(g, GUARD_SNAPSHOT_ORDER))
        return guard_fatal(g, "log conflict while a snapshot is being stored", RAFT_BUSY);
    g->truncated = true;
    return checked(g, "log truncation failed", g->backend->truncate(g->backend, index));
}

static int guard_set_term(struct raft_io *io, raft_term term)
{
    struct guard *g = guard_of(io);

    if (g->dead)
        return RAFT_IOERR;
    return checked(g, "writing the term failed", g->backend->set_term(g->backend, term));
}

static int guard_set_vote(struct raft_io *io, raft_id id)
{
    struct guard *g = guard_of(io);

    if (g->dead)
        return RAFT_IOERR;
    return checked(g, "writing the vote failed", g->backend->set_vote(g->backend, id));
}

static int guard_start(struct raft_io *io, unsigned msecs, raft_io_tick_cb tick,
                       raft_io_recv_cb recv)
{
    struct guard *g = guard_of(io);

    g->tick = tick;
    g->recv = recv;
    g->started = true;
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
    struct list *node;

    /* raft_uv may say so once for each of its handles that closes last. */
    if (closed == NULL)
        return;
    g->close_cb = NULL;
    /* Canceled writes are completed newest first: the library truncates its log at each, and never
     * looks whether that index is still there. */
    while ((node = list_pop(&g->canceled)) != NULL) {
        struct guarded_append *a = container_of(node, struct guarded_append, node);

        if (a->follower || a->first <= raft_last_index(g->raft))
            a->cb(a->original, RAFT_CANCELED);
        raft_free(a);
    }
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

    if (rv != 0)
        memcpy(io->errmsg, g->backend->errmsg, sizeof(io->errmsg));
    else
        guard_log_repack(*entries, *n_entries);
    return rv;
}

static int guard_bootstrap(struct raft_io *io, const struct raft_configuration *conf)
{
    return guard_of(io)->backend->bootstrap(guard_of(io)->backend, conf);
}

static int guard_recover(struct raft_io *io, const struct raft_configuration *conf)
{
    return guard_of(io)->backend->recover(guard_of(io)->backend, conf);
}

/* ---- G8: snapshots ---- */

static void on_snapshot_stored(struct raft_io_snapshot_put *req, int status)
{
    struct guard *g = req->data == NULL ? NULL : ((struct raft *)req->data)->io->impl;

    ASSERT(g != NULL);
    g->snapshot_busy = false;
    g->snapshot_cb(req, status);
}

/* Installs are refused, so every snapshot here is one the member takes of itself: req->data is the
 * instance (libraft sets it before the call). RAFT_BUSY makes the library try again later. */
static int guard_snapshot_put(struct raft_io *io, unsigned trailing,
                              struct raft_io_snapshot_put *req,
                              const struct raft_snapshot *snapshot, raft_io_snapshot_put_cb cb)
{
    struct guard *g = guard_of(io);
    int rv;

    if (g->dead)
        return RAFT_CANCELED;
    if (rule(g, GUARD_SNAPSHOT_ORDER) && (g->truncated || g->snapshot_busy))
        return RAFT_BUSY;
    g->snapshot_cb = cb;
    g->snapshot_busy = true;
    rv = g->backend->snapshot_put(g->backend, trailing, req, snapshot, on_snapshot_stored);
    if (rv != 0)
        g->snapshot_busy = false;
    return rv;
}

static int guard_snapshot_get(struct raft_io *io, struct raft_io_snapshot_get *req,
                              raft_io_snapshot_get_cb cb)
{
    return guard_of(io)->backend->snapshot_get(guard_of(io)->backend, req, cb);
}

static raft_time guard_time(struct raft_io *io)
{
    return guard_of(io)->backend->time(guard_of(io)->backend);
}

static int guard_random(struct raft_io *io, int min, int max)
{
    return guard_of(io)->backend->random(guard_of(io)->backend, min, max);
}

static int guard_async_work(struct raft_io *io, struct raft_io_async_work *req,
                            raft_io_async_work_cb cb)
{
    struct guard *g = guard_of(io);

    return g->events->async_work(g->ctx, req, cb);
}

void guard_init(struct guard *g, struct raft *raft, struct raft_io *backend, unsigned rules,
                const struct guard_events *events, void *ctx)
{
    memset(g, 0, sizeof(*g));
    g->raft = raft;
    g->backend = backend;
    g->rules = rules;
    g->events = events;
    g->ctx = ctx;
    g->term_start = UINT64_MAX;
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
