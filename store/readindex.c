/*
 * See readindex.h. A reader moves waiting → asked (in the round) → known (its index) → done; a
 * round that fails puts its readers back at the front of waiting.
 */
#include "store/readindex.h"

#include "base/assert.h"
#include "store/group_metrics.h"

#define EXPIRE_EVERY_MS 50

static void run_done(struct env_msg *m)
{
    struct read_point *r = container_of(m, struct read_point, msg);

    r->done(r);
}

static void finish(struct readindex *x, struct read_point *r, int status)
{
    list_remove(&r->node);
    x->count--;
    r->status = status;
    env_post(r->loop, &r->msg, run_done);
}

static void move_all(struct list *from, struct list *to)
{
    struct list *node;

    while ((node = list_pop(from)) != NULL)
        list_append(to, node);
}

/* ---- rounds ---- */

/* Readers of a failed round go first in the next. */
static void give_up_round(struct readindex *x)
{
    x->running = false;
    env_timer_stop(&x->hedge);
    metric_add(group_metric(x->group, GROUP_READINDEX_FAILED), 1);
    move_all(&x->waiting, &x->asked);
    move_all(&x->asked, &x->waiting);
}

static void complete_round(struct readindex *x, uint64_t index)
{
    uint64_t took_ms = env_loop_now_ms(x->loop) - x->round_began_ms;
    struct list *node;

    x->running = false;
    env_timer_stop(&x->hedge);
    metric_observe(group_metric(x->group, GROUP_READINDEX_SECONDS), (double)took_ms / 1000);
    while ((node = list_pop(&x->asked)) != NULL) {
        container_of(node, struct read_point, node)->index = index;
        list_append(&x->known, node);
    }
}

static void refuse_remote(struct readindex *x)
{
    list_foreach_safe (node, &x->waiting) {
        struct read_point *r = container_of(node, struct read_point, node);

        if (r->remote)
            finish(x, r, -ERR_NOT_LEADER);
    }
}

static void begin_round(struct readindex *x, const struct raft_view *v, bool local)
{
    x->running = true;
    x->local = local;
    x->round++;
    x->round_term = v->term;
    x->round_index = v->commit_index;
    x->round_yes = 0;
    x->round_open = 0;
    x->round_began_ms = env_loop_now_ms(x->loop);
    x->round_deadline_ms = x->round_began_ms + READINDEX_ROUND_MS;
    metric_add(group_metric(x->group, GROUP_READINDEX_ROUNDS), 1);
    move_all(&x->waiting, &x->asked);
}

/* Too many no, or out of reach: the next tick begins another, no hurry towards a no. */
static void ask_voters(struct readindex *x, unsigned most)
{
    x->round_open += x->ops->confirm(x->ctx, x->round_term, x->round, most);
    if (x->round_yes + x->round_open <= x->round_voters / 2)
        give_up_round(x);
}

static void ask_first(struct readindex *x)
{
    if (x->round_began_ms >= x->survey_ms) {
        x->survey_ms = x->round_began_ms + READINDEX_SURVEY_MS;
        ask_voters(x, READINDEX_ALL);
        return;
    }
    env_timer_start(&x->hedge, READINDEX_HEDGE_MS);
    ask_voters(x, x->round_voters / 2 + 1 - x->round_yes);
}

static void on_hedge(struct env_timer *t)
{
    struct readindex *x = container_of(t, struct readindex, hedge);

    if (x->running && x->local)
        ask_voters(x, READINDEX_ALL);
}

static void maybe_begin(struct readindex *x)
{
    struct raft_view v;
    bool self;

    if (x->running || list_empty(&x->waiting))
        return;
    x->ops->view(x->ctx, &v);
    if (v.leading) {
        if (!v.ready)
            return;
        begin_round(x, &v, true);
        x->round_voters = x->ops->voters(x->ctx, &self);
        x->round_yes = self ? 1 : 0;
        if (x->round_yes > x->round_voters / 2)
            complete_round(x, x->round_index);
        else
            ask_first(x);
        return;
    }
    refuse_remote(x);
    if (v.leader_id == 0 || list_empty(&x->waiting))
        return;
    begin_round(x, &v, false);
    if (!x->ops->ask(x->ctx, v.leader_id, v.following ? v.term : 0, x->round))
        give_up_round(x);
}

static void serve_known(struct readindex *x)
{
    list_foreach_safe (node, &x->known) {
        struct read_point *r = container_of(node, struct read_point, node);

        if (r->revision != 0 ? x->ops->published(x->ctx) >= r->revision
                             : r->remote || x->ops->covers(x->ctx, r->index))
            finish(x, r, 0);
    }
}

static void expire_list(struct readindex *x, struct list *list, uint64_t now, int status)
{
    list_foreach_safe (node, list) {
        struct read_point *r = container_of(node, struct read_point, node);

        if (r->deadline_ms <= now)
            finish(x, r, status);
    }
}

static void expire(struct readindex *x)
{
    uint64_t now = env_loop_now_ms(x->loop);
    struct raft_view v;

    if (now < x->expire_ms)
        return;
    x->expire_ms = now + EXPIRE_EVERY_MS;
    if (x->running && now >= x->round_deadline_ms)
        give_up_round(x);
    x->ops->view(x->ctx, &v);
    expire_list(x, &x->waiting, now, v.leader_id == 0 ? -ERR_UNAVAILABLE : -ERR_TIMEOUT);
    expire_list(x, &x->asked, now, -ERR_TIMEOUT);
    expire_list(x, &x->known, now, -ERR_TIMEOUT);
}

void readindex_run(struct readindex *x)
{
    if (x->count == 0)
        return;
    serve_known(x);
    expire(x);
    maybe_begin(x);
    serve_known(x);
}

void readindex_confirmed(struct readindex *x, uint64_t round, bool yes)
{
    struct raft_view v;

    if (!x->running || !x->local || round != x->round)
        return;
    ASSERT(x->round_open > 0);
    x->round_open--;
    x->round_yes += yes ? 1 : 0;
    if (x->round_yes > x->round_voters / 2) {
        x->ops->view(x->ctx, &v);
        if (v.leading && v.term == x->round_term) {
            complete_round(x, x->round_index);
            readindex_run(x);
            return;
        }
        give_up_round(x);
    } else if (!yes) {
        ask_voters(x, 1);
    }
}

void readindex_answered(struct readindex *x, uint64_t round, int status, uint64_t index)
{
    if (!x->running || x->local || round != x->round)
        return;
    if (status != 0) {
        give_up_round(x);
        return;
    }
    complete_round(x, index);
    readindex_run(x);
}

/* ---- arrival ---- */

/* The asker's word and this member's are a majority: what the round would find out is known. It
 * counts for the asker's own readers only: others may have come after it was given. */
static bool is_vouched(const struct readindex *x, struct read_point *r)
{
    struct raft_view v;

    if (!r->remote || r->term == 0)
        return false;
    x->ops->view(x->ctx, &v);
    if (!v.leading || !v.ready || v.term != r->term || !x->ops->pair(x->ctx, r->from))
        return false;
    r->index = v.commit_index;
    return true;
}

/* One run for all that arrived in one turn of the loop. */
static void on_kick(struct env_msg *m)
{
    struct readindex *x = container_of(m, struct readindex, kick);

    x->kicked = false;
    readindex_run(x);
}

static void on_submitted(struct env_msg *m)
{
    struct read_point *r = container_of(m, struct read_point, msg);
    struct readindex *x = r->readindex;

    list_init(&r->node);
    x->count++;
    if (x->stopped) {
        finish(x, r, -ERR_UNAVAILABLE);
        return;
    }
    if (x->count > READINDEX_READERS_MAX) {
        finish(x, r, -ERR_TOO_MANY_REQUESTS);
        return;
    }
    if (is_vouched(x, r)) {
        finish(x, r, 0);
        return;
    }
    list_append(r->revision != 0 ? &x->known : &x->waiting, &r->node);
    if (x->kicked)
        return;
    x->kicked = true;
    env_post(x->loop, &x->kick, on_kick);
}

void readindex_submit(struct readindex *x, struct read_point *r)
{
    r->readindex = x;
    env_post(x->loop, &r->msg, on_submitted);
}

void readindex_init(struct readindex *x, struct env_loop *loop, uint64_t round,
                    const struct readindex_ops *ops, void *ctx)
{
    *x = (struct readindex){ .loop = loop, .round = round, .ops = ops, .ctx = ctx };
    list_init(&x->waiting);
    list_init(&x->asked);
    list_init(&x->known);
    env_timer_init(loop, &x->hedge, on_hedge);
    group_metrics_register();
}

void readindex_stop(struct readindex *x)
{
    if (!x->stopped)
        env_timer_deinit(&x->hedge);
    x->stopped = true;
    x->running = false;
    move_all(&x->asked, &x->waiting);
    move_all(&x->known, &x->waiting);
    list_foreach_safe (node, &x->waiting)
        finish(x, container_of(node, struct read_point, node), -ERR_UNAVAILABLE);
}

bool readindex_follows(const struct raft_view *v, uint64_t member_id, uint64_t leader_id,
                       uint64_t term)
{
    return v->following && v->term == term && v->leader_id == leader_id && leader_id != member_id;
}
