/* A member: libraft behind the guard, the state machine behind an applier's queue, their crash and
 * restart, and what is checked of one member after each event. */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/txn.h"
#include "tests/sim/sim.h"

/* ---- the state machine ---- */

uint32_t sim_hash(const void *data, size_t len)
{
    const uint8_t *bytes = data;
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

/* The committed prefix never changes: the first member to apply an index fixes it for all. */
static void check_committed(struct sim_node *n, raft_index index, raft_term term,
                            const struct raft_buffer *buf)
{
    struct sim *s = n->sim;
    uint32_t hash = sim_hash(buf->base, buf->len);
    struct sim_applied *a;

    if (index >= SIM_INDEX_MAX) {
        sim_fail(s, "the log outgrew the simulation (%llu)", index);
        return;
    }
    a = &s->applied[index];
    if (a->seen && (a->term != term || a->hash != hash))
        sim_fail(s, "member %u applies term %llu at index %llu where term %llu was committed",
                 n->index + 1, term, index, a->term);
    a->seen = true;
    a->term = term;
    a->hash = hash;
}

static int on_apply(struct raft_fsm *fsm, const struct raft_buffer *buf, void **result)
{
    struct sim_node *n = fsm->data;
    raft_index index = n->raft.last_applied + 1;
    struct sim_handed *h;

    *result = NULL;
    check_committed(n, index, guard_term_of(&n->raft, index), buf);
    if (index <= n->fsm->point.index)
        return 0;
    h = mem_alloc(sizeof(*h) + buf->len);
    h->index = index;
    h->term = guard_term_of(&n->raft, index);
    h->len = buf->len;
    memcpy(h->data, buf->base, buf->len);
    list_append(&n->handed, &h->node);
    if (!n->fsm_planned) {
        n->fsm_planned = true;
        sim_post(n->sim, SIM_FSM, n->index, n->sim->now + 1 + sim_draw(n->sim, 10));
    }
    return 0;
}

static int on_snapshot(struct raft_fsm *fsm, struct raft_buffer *bufs[], unsigned *n_bufs)
{
    (void)fsm;
    *bufs = NULL;
    *n_bufs = 0;
    return 0;
}

static int on_snapshot_bytes(struct raft_fsm *fsm, struct raft_buffer *bufs[], unsigned *n_bufs)
{
    struct sim_node *n = fsm->data;

    n->manifest.base = &n->manifest_index;
    n->manifest.len = sizeof(n->manifest_index);
    *bufs = &n->manifest;
    *n_bufs = 1;
    return 0;
}

static int on_snapshot_finalize(struct raft_fsm *fsm, struct raft_buffer *bufs[], unsigned *n_bufs)
{
    (void)fsm;
    *bufs = NULL;
    *n_bufs = 0;
    return 0;
}

static int on_snapshot_work(void *ctx, struct raft_io_async_work *req, raft_io_async_work_cb cb)
{
    struct sim_node *n = ctx;

    n->work = req;
    n->work_done = cb;
    n->manifest_index = 0;
    sim_post(n->sim, SIM_WORK, n->index, n->sim->now + 20);
    return 0;
}

static void on_cancel_work(void *ctx)
{
    struct sim_node *n = ctx;

    n->work = NULL;
}

/* As raft_node.c: only when the state machine holds all of it, and another commit followed. */
void sim_node_work(struct sim_node *n)
{
    struct raft_io_async_work *work = n->work;
    uint64_t durable = n->fsm->point.index;

    if (work == NULL)
        return;

    if (n->manifest_index == 0 && list_empty(&n->handed) &&
        n->raft.last_applied >= n->raft.snapshot.pending.index)
        n->manifest_index = durable;
    if (n->manifest_index == 0 || durable <= n->manifest_index) {
        sim_post(n->sim, SIM_WORK, n->index, n->sim->now + 20);
        return;
    }
    n->work = NULL;
    n->work_done(work, work->work(work));
}

static void open_state(struct sim_node *n)
{
    struct err e;
    int rv;

    n->kv = kv_sim_open(n->disk.kv);
    n->fsm = mem_alloc(sizeof(*n->fsm));
    rv = fsm_init(n->fsm, n->kv, &e);
    ASSERT(rv == 0);
}

static void close_state(struct sim_node *n)
{
    struct list *node;

    while ((node = list_pop(&n->handed)) != NULL)
        mem_free(container_of(node, struct sim_handed, node));
    fsm_deinit(n->fsm);
    mem_free(n->fsm);
    n->fsm = NULL;
}

/* The snapshot's state was fetched before: it becomes the member's own. */
static int on_restore(struct raft_fsm *fsm, struct raft_buffer *buf)
{
    struct sim_node *n = fsm->data;
    uint64_t index;

    memcpy(&index, buf->base, sizeof(index));
    raft_free(buf->base);
    if (n->fsm->point.index >= index)
        return 0;
    if (n->disk.staged == NULL || n->disk.staged_index < index) {
        sim_fail(n->sim, "member %u: a snapshot needs a state at %llu, there is %llu", n->index + 1,
                 (unsigned long long)index, (unsigned long long)n->fsm->point.index);
        return 0;
    }
    close_state(n);
    kv_close(n->kv);
    kv_sim_disk_free(n->disk.kv);
    n->disk.kv = n->disk.staged;
    n->disk.staged = NULL;
    open_state(n);
    return 0;
}

/* ---- another member's state ---- */

static struct kv_sim_disk *copy_state(struct kv *from)
{
    struct kv_sim_disk *disk = kv_sim_disk_new();
    struct kv *to = kv_sim_open(disk);
    struct kv_txn *read = kv_begin_read(from);
    struct kv_txn *write = kv_begin_write(to);

    for (int table = 0; table < KV_TABLES; table++) {
        struct kv_cursor c;

        kv_cursor_open(read, (enum kv_table)table, &c);
        for (bool at = kv_seek(&c, str_lit("")); at; at = kv_next(&c))
            kv_put(write, c.table, c.key, c.value);
        kv_cursor_close(&c);
    }
    kv_abort(read);
    kv_commit(write);
    kv_commit(kv_begin_write(to)); /* durable: a crash takes the last commit only */
    kv_close(to);
    return disk;
}

static void plan_fetch(struct sim_node *n)
{
    struct sim *s = n->sim;

    sim_post(s, SIM_FETCH, n->index, s->now + 5 + sim_draw(s, s->fetch_ms + 1));
}

static void on_install(void *ctx, uint64_t index, uint64_t term, struct str manifest,
                       uint64_t leader_id)
{
    struct sim_node *n = ctx;
    uint64_t state;

    (void)term;
    ASSERT(manifest.len == sizeof(state));
    memcpy(&state, manifest.data, sizeof(state));
    n->fetch_index = index > state ? index : state;
    n->fetch_from = (unsigned)(leader_id - 1);
    n->fetch_tries = 0;
    plan_fetch(n);
}

void sim_node_fetch(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct sim_node *from = &s->nodes[n->fetch_from];

    if (from == n || !from->up || s->cut[from->index][n->index] || s->cut[n->index][from->index] ||
        from->raft.last_applied < n->fetch_index || !list_empty(&from->handed)) {
        n->fetch_from = sim_draw(s, s->n);
        if (++n->fetch_tries < 20)
            plan_fetch(n);
        else
            guard_install_abort(&n->guard);
        return;
    }
    kv_sim_disk_free(n->disk.staged);
    n->disk.staged = copy_state(from->kv);
    n->disk.staged_index = from->raft.last_applied;
    guard_install_continue(&n->guard);
}

static bool on_covers(void *ctx, struct str manifest)
{
    struct sim_node *n = ctx;
    uint64_t state;

    memcpy(&state, manifest.data, sizeof(state));
    return n->disk.staged_index >= state;
}

static void on_installed(void *ctx, uint64_t index)
{
    struct sim_node *n = ctx;

    if (index != 0)
        n->sim->counters.installs++;
}

static void on_transferred(struct raft_transfer *req)
{
    (void)req;
}

static void on_step_aside(void *ctx)
{
    struct sim_node *n = ctx;

    if (raft_transfer(&n->raft, &n->transfer, guard_successor(&n->guard), on_transferred) == 0)
        guard_check(&n->guard);
}

static void check_digest(struct sim_node *n, raft_index index)
{
    struct sim_applied *a = &n->sim->applied[index];
    uint64_t digest = n->fsm->point.digest;

    if (a->digest_seen && a->digest != digest)
        sim_fail(n->sim, "member %u has another digest at index %llu", n->index + 1, index);
    a->digest_seen = true;
    a->digest = digest;
}

void sim_node_apply(struct sim_node *n)
{
    struct kv_txn *t = kv_begin_write(n->kv);
    struct list *node;

    n->fsm_planned = false;
    while ((node = list_pop(&n->handed)) != NULL) {
        struct sim_handed *h = container_of(node, struct sim_handed, node);
        size_t commands;
        struct err e;
        enum group_halt halt =
            fsm_apply(n->fsm, t, h->index, str_of(h->data, h->len), NULL, NULL, &commands, &e);

        if (halt != 0)
            sim_fail(n->sim, "member %u halts at index %llu: %s", n->index + 1, h->index, e.msg);
        else
            check_digest(n, h->index);
        mem_free(h);
    }
    fsm_save(n->fsm, t);
    kv_commit(t);
}

/* ---- the guard's events ---- */

static void on_edge(void *ctx, int state, uint64_t term, uint64_t leader_id)
{
    struct sim_node *n = ctx;

    if (state == RAFT_CANDIDATE && n->edge_state != RAFT_CANDIDATE)
        n->sim->campaigns++;
    if (state != RAFT_LEADER && n->edge_state == RAFT_LEADER)
        n->sim->losses++;
    n->edge_state = state;
    n->edge_term = term;
    n->edge_leader = leader_id;
}

static void on_ready(void *ctx, uint64_t term)
{
    (void)ctx;
    (void)term;
}

static void on_fatal(void *ctx, const char *what, int raft_code)
{
    struct sim_node *n = ctx;

    (void)what;
    (void)raft_code;
    n->fatal = true;
}

static void on_turn(void *ctx)
{
    (void)ctx;
}

static const struct guard_events guard_events = { .edge = on_edge,
                                                  .ready = on_ready,
                                                  .fatal = on_fatal,
                                                  .install = on_install,
                                                  .covers = on_covers,
                                                  .installed = on_installed,
                                                  .step_aside = on_step_aside,
                                                  .async_work = on_snapshot_work,
                                                  .cancel_work = on_cancel_work,
                                                  .turn = on_turn };

/* ---- life ---- */

void sim_node_start(struct sim_node *n)
{
    int rv;

    sim_heap_enter(n);
    n->up = true;
    n->fatal = false;
    n->incarnation++;
    n->fsm_planned = false;
    n->edge_state = RAFT_UNAVAILABLE;
    n->edge_term = 0;
    n->edge_leader = 0;
    n->work = NULL;
    n->stalled_until = 0;
    n->full = false;
    open_state(n);
    memset(&n->raft, 0, sizeof(n->raft));
    memset(&n->raft_fsm, 0, sizeof(n->raft_fsm));
    n->raft_fsm.version = 3;
    n->raft_fsm.snapshot_async = on_snapshot_bytes;
    n->raft_fsm.snapshot_finalize = on_snapshot_finalize;
    n->raft_fsm.data = n;
    n->raft_fsm.apply = on_apply;
    n->raft_fsm.snapshot = on_snapshot;
    n->raft_fsm.restore = on_restore;
    sim_io_init(n);
    guard_init(&n->guard, &n->raft, &n->backend, n->sim->rules, &guard_events, n);
    if (n->sim->window_bytes != 0)
        n->guard.window_bytes = n->sim->window_bytes;
    rv = raft_init(&n->raft, &n->guard.io, &n->raft_fsm, n->index + 1, sim_address(n->index + 1));
    ASSERT(rv == 0);
    raft_set_election_timeout(&n->raft, SIM_ELECTION_MS);
    raft_set_heartbeat_timeout(&n->raft, SIM_HEARTBEAT_MS);
    raft_set_pre_vote(&n->raft, true);
    raft_set_install_snapshot_timeout(&n->raft, SIM_INSTALL_MS);
    raft_set_snapshot_threshold(&n->raft,
                                n->sim->snapshot_every != 0 ? n->sim->snapshot_every : 1u << 30);
    raft_set_snapshot_trailing(&n->raft, n->sim->trailing);
    rv = raft_start(&n->raft);
    ASSERT(rv == 0);
    guard_check(&n->guard);
}

void sim_crash(struct sim_node *n)
{
    if (!n->up)
        return;
    n->sim->counters.crashes++;
    n->up = false;
    n->incarnation++; /* what was posted for the old one is dropped */
    sim_io_crash(n);
    close_state(n);
    kv_sim_crash(n->disk.kv, sim_draw(n->sim, 3) == 0);
    kv_close(n->kv);
    n->kv = NULL;
    sim_heap_free_all(n);
}

void sim_restart(struct sim_node *n)
{
    if (n->up || n->gone)
        return;
    n->sim->counters.restarts++;
    sim_node_start(n);
}

void sim_fill(struct sim_node *n, bool full)
{
    n->sim->counters.full += full && !n->full;
    n->full = full;
    if (!n->up)
        return;
    sim_heap_enter(n);
    guard_held(&n->guard, full);
}

void sim_stall(struct sim_node *n, unsigned ms)
{
    n->sim->counters.stalls++;
    n->stalled_until = n->sim->now + ms;
}

void sim_node_check(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct raft *r = &n->raft;

    if (!n->up)
        return;
    if (n->fatal) {
        sim_crash(n);
        sim_post(s, SIM_RESTART, n->index, s->now + 50 + sim_draw(s, 500))->incarnation =
            n->incarnation;
        return;
    }
    if (r->state == RAFT_LEADER) {
        if (r->current_term >= SIM_TERM_MAX) {
            sim_fail(s, "terms outgrew the simulation");
            return;
        }
        if (s->leader_of_term[r->current_term] == 0) {
            s->leader_of_term[r->current_term] = (unsigned char)(n->index + 1);
            s->counters.leaders++;
        }
        if (s->leader_of_term[r->current_term] != n->index + 1)
            sim_fail(s, "two leaders in term %llu", r->current_term);
    }
    if (!s->harm_only && (n->edge_state != r->state || n->edge_term != r->current_term ||
                          n->edge_leader != guard_leader(&n->guard)))
        sim_fail(s, "member %u: a change to state %d, term %llu was not reported", n->index + 1,
                 r->state, r->current_term);
}

void sim_set_timeout(struct sim_node *n, unsigned ms)
{
    n->election_ms = ms;
    if (n->up && n->raft.state == RAFT_FOLLOWER)
        n->raft.follower_state.randomized_election_timeout = ms;
    else if (n->up && n->raft.state == RAFT_CANDIDATE)
        n->raft.candidate_state.randomized_election_timeout = ms;
}

void sim_forget_leader(struct sim_node *n)
{
    if (!n->up || n->raft.state != RAFT_FOLLOWER)
        return;
    n->raft.follower_state.current_leader.id = 0;
    n->edge_leader = 0; /* our doing, not a change the guard could have missed */
    n->guard.last_leader = 0;
}
