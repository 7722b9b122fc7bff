/*
 * See guard.h: snapshots, taken and installed (G6, and G16's part in them).
 *
 * An offer goes: held (offer) -> fetched -> handed to the library, which calls snapshot_put from
 * inside (installing) -> stored -> the library restores the FSM and answers the leader.
 */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/guard_parts.h"

/* ---- offers ---- */

/* What the snapshot stands for is in the log, or was compacted: there is nothing to install. */
static bool has_entry(const struct raft *r, const struct raft_install_snapshot *s)
{
    return s->last_index <= r->log.snapshot.last_index ||
           guard_term_of(r, s->last_index) == s->last_term;
}

static void drop_offer(struct raft_message *offer)
{
    if (offer->type == 0)
        return;
    guard_drop_message(offer);
    offer->type = 0;
}

void guard_install_forget(struct guard *g)
{
    drop_offer(&g->offer);
    drop_offer(&g->newer);
    g->fetched = false;
}

void guard_install_abort(struct guard *g)
{
    guard_install_forget(g);
}

/* The state behind a snapshot of its own may never be durable enough: its member gets no more
 * entries, that is why it is offered one. */
static void cancel_own(struct guard *g)
{
    struct raft_io_async_work *work = g->work;

    if (work == NULL)
        return;
    g->work = NULL;
    g->events->cancel_work(g->ctx);
    g->work_cb(work, RAFT_CANCELED);
}

void guard_offered(struct guard *g, struct raft_message *m)
{
    const struct raft_install_snapshot *s = &m->install_snapshot;

    /* The library only answers these, the second kind when it takes no snapshot itself. */
    if (s->term < g->raft->current_term || has_entry(g->raft, s)) {
        if (guard_rule(g, GUARD_INSTALL))
            cancel_own(g);
        g->recv(&g->io, m);
        return;
    }
    m->server_address = NULL; /* borrowed, and not needed any more */
    if (g->offer.type != 0) {
        const struct raft_message *last = g->newer.type != 0 ? &g->newer : &g->offer;

        if (s->last_index <= last->install_snapshot.last_index) {
            guard_drop_message(m);
            return;
        }
        drop_offer(&g->newer);
        g->newer = *m;
        return;
    }
    g->offer = *m;
    g->events->install(g->ctx, s->last_index, s->last_term, str_of(s->data.base, s->data.len),
                       m->server_id);
}

/* ---- installing ---- */

static void on_stored_aside(struct raft_io_snapshot_put *req, int status)
{
    struct guard *g = container_of(req, struct guard, put);

    guard_fatal(g, status != 0 ? "storing a snapshot failed" : "a snapshot replaced the whole log",
                status);
}

/* The log has an uncommitted entry at the snapshot's index, of a higher term than the committed
 * one, and the library would say that it has everything. The snapshot is stored past it, and the
 * restart begins with that. */
static void store_aside(struct guard *g, const struct raft_install_snapshot *s)
{
    int rv;

    g->aside_manifest = s->data;
    g->aside = (struct raft_snapshot){ .index = s->last_index,
                                       .term = s->last_term,
                                       .configuration = s->conf,
                                       .configuration_index = s->conf_index,
                                       .bufs = &g->aside_manifest,
                                       .n_bufs = 1 };
    g->put_busy = true;
    g->installing = true;
    rv = g->backend->snapshot_put(g->backend, 0, &g->put, &g->aside, on_stored_aside);
    if (rv != 0)
        guard_fatal(g, "storing a snapshot failed", rv);
}

static struct raft_message take_offer(struct guard *g)
{
    const struct raft_buffer *newer = &g->newer.install_snapshot.data;
    struct raft_message *best = &g->offer;
    struct raft_message taken;

    if (g->newer.type != 0 && g->events->covers(g->ctx, str_of(newer->base, newer->len)))
        best = &g->newer;
    taken = *best;
    best->type = 0;
    guard_install_forget(g);
    return taken;
}

static bool is_in_the_way(const struct guard *g)
{
    const struct raft *r = g->raft;

    return g->writes_count > 0 || g->put_busy || r->snapshot.pending.term != 0 ||
           r->snapshot.put.data != NULL;
}

void guard_install_step(struct guard *g)
{
    struct raft *r = g->raft;
    const struct raft_install_snapshot *s = &g->offer.install_snapshot;
    raft_term conflicting;
    struct raft_message m;

    if (!g->fetched || g->installing || g->dead || g->closing)
        return;
    ASSERT(g->offer.type != 0);
    if (has_entry(r, s)) {
        guard_install_forget(g);
        g->events->installed(g->ctx, 0);
        return;
    }
    if (r->state != RAFT_FOLLOWER || r->follower_state.current_leader.id == 0)
        return;
    if (guard_rule(g, GUARD_INSTALL))
        cancel_own(g);
    if (guard_rule(g, GUARD_INSTALL) && is_in_the_way(g))
        return;
    m = take_offer(g);
    s = &m.install_snapshot;
    conflicting = guard_term_of(r, s->last_index);
    if (conflicting > s->last_term) {
        store_aside(g, s);
        return;
    }
    m.install_snapshot.term = r->current_term;
    m.server_id = r->follower_state.current_leader.id;
    m.server_address = r->follower_state.current_leader.address;
    g->recv(&g->io, &m);
    guard_check(g);
}

void guard_install_continue(struct guard *g)
{
    if (g->offer.type == 0)
        return;
    g->fetched = true;
    guard_install_step(g);
}

/* ---- the library's snapshots ---- */

/* After an install the FSM holds the snapshot, and so does the log. */
static void check_installed(struct guard *g)
{
    struct raft *r = g->raft;
    raft_index index = r->log.snapshot.last_index;

    if (r->last_stored != index || r->last_applied != index) {
        guard_fatal(g, "an installed snapshot was not restored", 0);
        return;
    }
    guard_configuration_installed(g);
    g->events->installed(g->ctx, index);
}

static void on_stored(struct raft_io_snapshot_put *req, int status)
{
    struct guard *g = container_of(req, struct guard, put);
    bool installed = g->installing;

    if (installed && status != 0 && !g->closing)
        status = guard_checked(g, "storing a snapshot failed", status);
    if (g->dead && !g->closing)
        return;
    g->put_busy = false;
    g->put_cb(g->put_original, status);
    g->installing = false;
    if (g->closing)
        return;
    if (installed && status == 0)
        check_installed(g);
    guard_check(g);
}

/* libraft sets data to itself for one of its own, to a request for an install. RAFT_BUSY makes it
 * try one of its own again later. */
int guard_snapshot_put(struct raft_io *io, unsigned trailing, struct raft_io_snapshot_put *req,
                       const struct raft_snapshot *snapshot, raft_io_snapshot_put_cb cb)
{
    struct guard *g = guard_of(io);
    bool own = req->data == g->raft;
    int rv;

    if (g->dead)
        return RAFT_CANCELED;
    if (own && guard_rule(g, GUARD_CONFIGURATION) &&
        (g->taints_snapshot || g->raft->configuration_uncommitted_index != 0))
        return RAFT_BUSY;
    if (g->put_busy)
        return RAFT_BUSY;
    g->put_original = req;
    g->put_cb = cb;
    g->put_busy = true;
    g->installing = !own;
    if (!own)
        guard_references_truncated(g, 0);
    rv = g->backend->snapshot_put(g->backend, trailing, &g->put, snapshot, on_stored);
    if (rv == 0)
        return 0;
    g->put_busy = false;
    g->installing = false;
    return own ? rv : guard_checked(g, "storing a snapshot failed", rv);
}

int guard_snapshot_get(struct raft_io *io, struct raft_io_snapshot_get *req,
                       raft_io_snapshot_get_cb cb)
{
    return guard_of(io)->backend->snapshot_get(guard_of(io)->backend, req, cb);
}

static void on_worked(struct raft_io_async_work *req, int status)
{
    struct guard *g = guard_of(((struct raft *)req->data)->io);

    g->work = NULL;
    g->work_cb(req, status);
    guard_check(g);
}

/* The library has copied its configuration for the snapshot just now. A failure here would make it
 * unavailable: it is refused in snapshot_put. */
int guard_async_work(struct raft_io *io, struct raft_io_async_work *req, raft_io_async_work_cb cb)
{
    struct guard *g = guard_of(io);

    g->taints_snapshot = g->raft->configuration_uncommitted_index != 0;
    g->work = req;
    g->work_cb = cb;
    return g->events->async_work(g->ctx, req, on_worked);
}
