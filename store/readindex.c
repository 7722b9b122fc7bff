/*
 * See readindex.h. A reader moves waiting → asked (in the round) → known (its index) → done; a
 * round that fails puts its readers back at the front of waiting.
 */
#include "store/readindex.h"

#include "base/assert.h"

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
    move_all(&x->waiting, &x->asked);
    move_all(&x->asked, &x->waiting);
}

static void complete_round(struct readindex *x, uint64_t index)
{
    struct list *node;

    x->running = false;
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
    x->round_yes = 1; /* this member */
    x->round_no = 0;
    x->round_deadline_ms = env_loop_now_ms(x->loop) + READINDEX_ROUND_MS;
    move_all(&x->waiting, &x->asked);
}

static void maybe_begin(struct readindex *x)
{
    struct raft_view v;

    if (x->running || list_empty(&x->waiting))
        return;
    x->ops->view(x->ctx, &v);
    if (v.leading) {
        if (!v.ready)
            return;
        begin_round(x, &v, true);
        if (x->voters == 1)
            complete_round(x, x->round_index);
        else
            x->ops->confirm(x->ctx, x->round_term, x->round);
        return;
    }
    refuse_remote(x);
    if (v.leader_id == 0 || list_empty(&x->waiting))
        return;
    begin_round(x, &v, false);
    x->ops->ask(x->ctx, v.leader_id, x->round);
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
    x->round_yes += yes ? 1 : 0;
    x->round_no += yes ? 0 : 1;
    if (x->round_yes > x->voters / 2) {
        x->ops->view(x->ctx, &v);
        if (v.leading && v.term == x->round_term) {
            complete_round(x, x->round_index);
            readindex_run(x);
            return;
        }
        give_up_round(x);
    } else if (x->round_no >= x->voters - x->voters / 2) {
        give_up_round(x); /* the next tick begins another: no hurry towards a no */
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

void readindex_init(struct readindex *x, struct env_loop *loop, unsigned voters,
                    const struct readindex_ops *ops, void *ctx)
{
    *x = (struct readindex){ .loop = loop, .voters = voters, .ops = ops, .ctx = ctx };
    list_init(&x->waiting);
    list_init(&x->asked);
    list_init(&x->known);
}

void readindex_stop(struct readindex *x)
{
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
