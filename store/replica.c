/*
 * See replica.h. Everything meets in on_turn: after libraft, the applier or a peer moved something,
 * gauges are set, leadership is told, and proposer and readers look again.
 */
#include "store/replica.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "store/forward.h"
#include "store/txn.h"

#define PATH_BYTES_MAX    768
#define CLOSE_TRANSFER_MS 1000 /* for a successor to take over */
#define CLOSE_POLL_MS     20

static const char *const gauge_names[REPLICA_GAUGES] = { "store_raft_leader_id", "store_raft_term",
                                                         "store_raft_commit_index",
                                                         "store_raft_applied_index",
                                                         "store_raft_ready" };

/* ---- what proposer and readers see of the rest ---- */

static void op_view(void *ctx, struct raft_view *out)
{
    raft_node_view(((struct replica *)ctx)->node, out);
}

static int op_propose(void *ctx, struct buf *entry, struct proposal *p,
                      void (*lost)(struct proposal *p))
{
    return raft_node_propose(((struct replica *)ctx)->node, entry, p, lost);
}

static unsigned op_inflight(void *ctx)
{
    return raft_node_inflight(((struct replica *)ctx)->node);
}

static uint64_t op_applier_bytes(void *ctx)
{
    return group_queue_bytes(((struct replica *)ctx)->group);
}

static uint32_t op_level(void *ctx)
{
    struct point p;

    group_point(((struct replica *)ctx)->group, &p);
    return p.level;
}

static bool op_forward(void *ctx, uint64_t leader_id, struct list *writes)
{
    struct replica *r = ctx;

    return r->forwarder != NULL && forward_writes(r->forwarder, r, leader_id, writes);
}

static const struct proposer_ops proposer_ops = { .view = op_view,
                                                  .propose = op_propose,
                                                  .inflight = op_inflight,
                                                  .applier_bytes = op_applier_bytes,
                                                  .level = op_level,
                                                  .forward = op_forward };

static unsigned op_confirm(void *ctx, uint64_t term, uint64_t round)
{
    struct replica *r = ctx;

    return r->forwarder == NULL ? 0 : forward_confirm(r->forwarder, r, term, round);
}

static void op_ask(void *ctx, uint64_t leader_id, uint64_t round)
{
    struct replica *r = ctx;

    if (r->forwarder != NULL)
        forward_read(r->forwarder, r, leader_id, round);
}

static bool op_covers(void *ctx, uint64_t index)
{
    struct replica *r = ctx;
    struct raft_view v;

    raft_node_view(r->node, &v);
    return v.applied_index >= index && group_covers(r->group, index);
}

static uint64_t op_published(void *ctx)
{
    return store_published(((struct replica *)ctx)->group);
}

static const struct readindex_ops readindex_ops = { .view = op_view,
                                                    .confirm = op_confirm,
                                                    .ask = op_ask,
                                                    .covers = op_covers,
                                                    .published = op_published };

/* ---- leadership ---- */

static void run_changed(struct env_msg *m)
{
    struct store_leadership *l = container_of(m, struct store_leadership, msg);
    uint64_t news = atomic_exchange(&l->pending, 0);

    l->changed(l, (news & 2) != 0, news >> 2);
}

/* Only the newest counts: a listener that was slow sees the last edge. */
static void tell(struct store_leadership *l, bool leading, uint64_t term)
{
    if (atomic_exchange(&l->pending, term << 2 | (leading ? 2u : 0u) | 1u) == 0)
        env_post(l->loop, &l->msg, run_changed);
}

static void tell_all(struct replica *r, bool leading, uint64_t term)
{
    for (struct store_leadership *l = r->listeners; l != NULL; l = l->next)
        tell(l, leading, term);
}

static void check_leadership(struct replica *r, const struct raft_view *v)
{
    if (r->told != 0 && (!v->ready || v->term != r->told)) {
        tell_all(r, false, r->told);
        r->told = 0;
    }
    if (r->told == 0 && v->ready && group_covers(r->group, v->barrier_index)) {
        r->told = v->term;
        tell_all(r, true, v->term);
    }
}

struct add_listener {
    struct env_msg msg;
    struct replica *replica;
    struct store_leadership *listener;
};

static void on_add_listener(struct env_msg *m)
{
    struct add_listener *a = container_of(m, struct add_listener, msg);

    a->listener->next = a->replica->listeners;
    a->replica->listeners = a->listener;
    if (a->replica->told != 0)
        tell(a->listener, true, a->replica->told);
    mem_free(a);
}

void replica_add_listener(struct replica *r, struct store_leadership *l)
{
    struct add_listener *a = mem_alloc(sizeof(*a));

    a->replica = r;
    a->listener = l;
    env_post(r->loop, &a->msg, on_add_listener);
}

/* ---- what a leader does by the clock ---- */

static void on_own_done(struct pending *w)
{
    if (w->result.status != 0 && w->result.status != -ERR_UNAVAILABLE &&
        w->result.status != -ERR_UNKNOWN_OUTCOME)
        log_warn("store housekeeping was refused", KV("status", err_name(w->result.status)));
    pending_free(w);
}

static void submit_own(struct replica *r, const struct store_op *ops, size_t count)
{
    struct store_txn txn = { .ops = ops, .ops_count = count };
    struct pending *w = pending_new();
    struct err e = { 0 };

    if (txn_encode(&txn, &w->txn, &e) != 0) {
        log_error("store housekeeping does not encode", KV("error", e.msg));
        pending_free(w);
        return;
    }
    w->loop = r->loop;
    w->done = on_own_done;
    w->forwarded = true; /* only as leader */
    w->deadline_ms = env_loop_now_ms(r->loop) + STORE_WRITE_TIMEOUT_MS;
    proposer_submit(&r->proposer, w);
}

static void keep_house(struct replica *r)
{
    uint64_t now = env_loop_now_ms(r->loop);
    struct store_op ops[REPLICA_COMPACT_OPS_MAX];
    struct point p;
    size_t count;

    if (r->told == 0) {
        r->check_ms = now + REPLICA_CHECK_MS;
        r->compact_ms = now + REPLICA_COMPACT_MS;
        return;
    }
    if (now >= r->check_ms) {
        r->check_ms = now + REPLICA_CHECK_MS;
        group_point(r->group, &p);
        submit_own(r,
                   &(struct store_op){
                       .type = STORE_OP_CHECK, .revision = p.index, .amount = (int64_t)p.digest },
                   1);
    }
    if (now >= r->compact_ms) {
        r->compact_ms = now + REPLICA_COMPACT_MS;
        count = group_compact_ops(r->group, ops, REPLICA_COMPACT_OPS_MAX);
        if (count > 0)
            submit_own(r, ops, count);
    }
}

/* ---- turns ---- */

static void set_gauges(struct replica *r, const struct raft_view *v)
{
    bool ready = v->leader_id != 0 && !v->behind &&
                 (v->leading ? r->told != 0 : v->applied_index >= v->commit_index) &&
                 v->commit_index > 1;

    metric_set(&r->gauges[REPLICA_LEADER], (int64_t)v->leader_id);
    metric_set(&r->gauges[REPLICA_TERM], (int64_t)v->term);
    metric_set(&r->gauges[REPLICA_COMMIT], (int64_t)v->commit_index);
    metric_set(&r->gauges[REPLICA_APPLIED], (int64_t)v->applied_index);
    metric_set(&r->gauges[REPLICA_READY], ready ? 1 : 0);
}

static void on_turn(void *ctx)
{
    struct replica *r = ctx;
    struct raft_view v;

    if (r->closing)
        return;
    raft_node_view(r->node, &v);
    check_leadership(r, &v);
    set_gauges(r, &v);
    keep_house(r);
    proposer_run(&r->proposer);
    readindex_run(&r->readindex);
}

static void on_durable(void *ctx, const struct point *point)
{
    struct replica *r = ctx;

    (void)point;
    if (r->node != NULL && !r->closing)
        raft_node_durable(r->node);
}

static void on_halt(void *ctx, enum group_halt why, const char *message)
{
    struct replica *r = ctx;

    log_error(why == GROUP_HALT_UPGRADE ? "upgrade this member: its group cannot go on"
              : why == GROUP_HALT_DIVERGED
                  ? "this member's state differs from the leader's: wipe its "
                    "data folder and copy another member's"
                  : "this member's log is damaged: wipe its data folder and "
                    "copy another member's",
              KVN("group", group_id(r->group)), KV("reason", message));
    assert_fail("the group halted", __FILE__, __LINE__, __func__);
}

void replica_status(struct replica *r, struct store_status *out)
{
    struct point p;

    group_point(r->group, &p);
    *out = (struct store_status){
        .member_id = r->member_id,
        .leader_id = (uint64_t)metric_value(&r->gauges[REPLICA_LEADER]),
        .term = (uint64_t)metric_value(&r->gauges[REPLICA_TERM]),
        .commit_index = (uint64_t)metric_value(&r->gauges[REPLICA_COMMIT]),
        .applied_index = p.index,
        .published = p.revision,
        .compacted = p.compacted,
        .digest = p.digest,
        .feature_level = p.level,
        .ready = metric_value(&r->gauges[REPLICA_READY]) != 0,
    };
}

struct replica *replica_of(struct store_group *g)
{
    return group_raft(g);
}

/* ---- life ---- */

static void init_gauges(struct replica *r, const char *name)
{
    snprintf(r->labels, sizeof(r->labels), "group=\"%s\"", name);
    for (int i = 0; i < REPLICA_GAUGES; i++) {
        r->gauges[i].name = gauge_names[i];
        r->gauges[i].help = "raft's view on this member";
        r->gauges[i].type = METRIC_GAUGE;
        r->gauges[i].labels = r->labels;
        r->gauge_table[i] = &r->gauges[i];
    }
}

static int open_state(struct replica *r, const struct replica_config *c, const char *name,
                      struct err *e)
{
    char folder[PATH_BYTES_MAX];
    struct group_config group = { .env = c->env,
                                  .id = c->id,
                                  .folder = folder,
                                  .map_bytes = c->store->map_bytes,
                                  .retain_revisions = c->store->retain_revisions,
                                  .retain_ms = c->store->retain_ms,
                                  .short_history_prefixes = c->store->short_history_prefixes,
                                  .raft_loop = c->raft_loop,
                                  .on_durable = on_durable,
                                  .on_halt = on_halt,
                                  .ctx = r };
    int rv;

    snprintf(folder, sizeof(folder), "%s/lmdb-%s", c->store->folder, name);
    rv = env_dir_make(c->env, folder, 0700, e);
    return rv != 0 ? rv : group_open(&group, &r->group, e);
}

static int open_log(struct replica *r, const struct replica_config *c, const char *name,
                    struct err *e)
{
    char folder[PATH_BYTES_MAX];
    struct raft_node_config node = { .env = c->env,
                                     .loop = c->raft_loop,
                                     .group = r->group,
                                     .folder = folder,
                                     .socket_folder = c->store->raft_socket_folder,
                                     .member_id = c->store->member_id,
                                     .members = c->store->members,
                                     .members_count = c->store->members_count,
                                     .heartbeat_ms = c->store->heartbeat_ms,
                                     .election_ms = c->store->election_ms,
                                     .on_turn = on_turn,
                                     .ctx = r };

    snprintf(folder, sizeof(folder), "%s/raft-%s", c->store->folder, name);
    return raft_node_open(&node, &r->node, e);
}

int replica_open(const struct replica_config *c, struct replica **out, struct err *e)
{
    const char *name = c->id == STORE_CLUSTER ? "cluster" : "bus";
    struct replica *r;
    int rv;

    if (strlen(c->store->folder) + 32 > PATH_BYTES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "data folder %s is too long", c->store->folder);
    r = mem_alloc(sizeof(*r));
    r->env = c->env;
    r->loop = c->raft_loop;
    r->member_id = c->store->member_id;
    r->forwarder = c->forwarder;
    init_gauges(r, name);
    env_timer_init(r->loop, &r->close_timer, NULL);
    rv = open_state(r, c, name, e);
    if (rv != 0) {
        env_timer_deinit(&r->close_timer);
        mem_free(r);
        return rv;
    }
    group_set_raft(r->group, r);
    proposer_init(&r->proposer, r->loop, &proposer_ops, r);
    readindex_init(&r->readindex, r->loop, (unsigned)c->store->members_count, &readindex_ops, r);
    rv = open_log(r, c, name, e);
    if (rv != 0) {
        group_close(r->group);
        env_timer_deinit(&r->close_timer);
        mem_free(r);
        return err_wrap(e, rv, "group %s", name);
    }
    *out = r;
    return 0;
}

/* Until another member leads, or time is up. */
static void on_close_poll(struct env_timer *t)
{
    struct replica *r = container_of(t, struct replica, close_timer);
    struct raft_view v;

    raft_node_view(r->node, &v);
    if (v.leading && env_loop_now_ms(r->loop) < r->close_ms) {
        env_timer_start(t, CLOSE_POLL_MS);
        return;
    }
    env_timer_deinit(t);
    raft_node_close(r->node, r->closed, r->closed_ctx);
}

void replica_quiesce(struct replica *r)
{
    if (r->told != 0)
        tell_all(r, false, r->told);
    r->told = 0;
    r->closing = true;
    proposer_stop(&r->proposer);
    readindex_stop(&r->readindex);
}

void replica_close(struct replica *r, void (*closed)(void *ctx), void *ctx)
{
    r->closed = closed;
    r->closed_ctx = ctx;
    r->close_ms = env_loop_now_ms(r->loop) + CLOSE_TRANSFER_MS;
    raft_node_transfer(r->node);
    r->close_timer.fire = on_close_poll;
    env_timer_start(&r->close_timer, CLOSE_POLL_MS);
}

void replica_free(struct replica *r)
{
    if (r == NULL)
        return;
    raft_node_free(r->node);
    group_close(r->group);
    mem_free(r);
}
