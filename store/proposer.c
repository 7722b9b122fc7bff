/* See proposer.h. proposer_run is the whole decision: expire, then propose, forward or wait. */
#include "store/proposer.h"

#include "base/arena.h"
#include "base/assert.h"
#include "store/group_metrics.h"
#include "store/txn.h"

/* Deadlines are looked at so often; a tick of the raft loop is about as long. */
#define EXPIRE_EVERY_MS 50

/* The writes of one entry, in command order. */
struct batch {
    struct proposal proposal;
    struct pending *writes[];
};

/* ---- one write ---- */

struct pending *pending_new(void)
{
    struct pending *w = mem_alloc(sizeof(*w));

    list_init(&w->node);
    buf_init(&w->txn);
    return w;
}

void pending_free(struct pending *w)
{
    if (w == NULL)
        return;
    buf_deinit(&w->txn);
    mem_free(w);
}

static void run_done(struct env_msg *m)
{
    struct pending *w = container_of(m, struct pending, msg);

    w->done(w);
}

void pending_finish(struct pending *w, const struct store_result *result)
{
    w->result = *result;
    env_post(w->loop, &w->msg, run_done);
}

void pending_fail(struct pending *w, int status)
{
    struct store_result result = { .status = status };

    pending_finish(w, &result);
}

/* This member stops: another member's write goes back to it, who may know a better one. */
static void refuse(struct pending *w)
{
    pending_fail(w, w->forwarded ? -ERR_NOT_LEADER : -ERR_UNAVAILABLE);
}

/* ---- one entry ---- */

static void on_answer(struct proposal *p, size_t command, const struct store_result *result)
{
    struct batch *b = container_of(p, struct batch, proposal);

    pending_finish(b->writes[command], result);
}

static void on_released(struct proposal *p)
{
    mem_free(container_of(p, struct batch, proposal));
}

static void on_lost(struct proposal *p)
{
    struct batch *b = container_of(p, struct batch, proposal);

    for (size_t i = 0; i < p->count; i++)
        pending_fail(b->writes[i], -ERR_UNKNOWN_OUTCOME);
    mem_free(b);
}

static struct pending *take_first(struct proposer *p)
{
    struct pending *w = container_of(list_pop(&p->queue), struct pending, node);

    p->queue_writes--;
    p->queue_bytes -= w->txn.len;
    return w;
}

static void put_first(struct proposer *p, struct pending *w)
{
    list_prepend(&p->queue, &w->node);
    p->queue_writes++;
    p->queue_bytes += w->txn.len;
}

/* How many of the queue's first writes go into one entry: at least one. */
static size_t batch_size(const struct proposer *p, size_t *out_bytes)
{
    size_t count = 0;
    size_t bytes = 0;

    list_foreach (node, &p->queue) {
        const struct pending *w = container_of(node, struct pending, node);

        if (count > 0 && bytes + w->txn.len > STORE_BATCH_BYTES_MAX)
            break;
        bytes += w->txn.len;
        if (++count == ENTRY_TXNS_MAX)
            break;
    }
    *out_bytes = bytes;
    return count;
}

static bool propose_batch(struct proposer *p, uint64_t term)
{
    size_t bytes;
    size_t count = batch_size(p, &bytes);
    struct batch *b = mem_alloc(sizeof(*b) + count * sizeof(b->writes[0]));
    struct buf entry;

    buf_init(&entry);
    buf_reserve(&entry, entry_bytes(count, bytes));
    entry_begin(&entry, p->ops->level(p->ctx), term);
    for (size_t i = 0; i < count; i++) {
        b->writes[i] = take_first(p);
        entry_add(&entry, buf_str(&b->writes[i]->txn));
    }
    entry_end(&entry, (uint32_t)count);
    b->proposal = (struct proposal){ .answer = on_answer, .released = on_released, .count = count };
    if (p->ops->propose(p->ctx, &entry, &b->proposal, on_lost) == 0) {
        metric_observe(group_metric(p->group, GROUP_BATCH_COMMANDS), (double)count);
        return true;
    }
    /* Nothing happened: they wait on, in their order. */
    for (size_t i = count; i > 0; i--)
        put_first(p, b->writes[i - 1]);
    mem_free(b);
    return false;
}

/* ---- where there is no leading here ---- */

/* A forwarded write is never forwarded again: its sender learns that this is the wrong member. */
static void refuse_forwarded(struct proposer *p)
{
    list_foreach_safe (node, &p->queue) {
        struct pending *w = container_of(node, struct pending, node);

        if (!w->forwarded)
            continue;
        list_remove(&w->node);
        p->queue_writes--;
        p->queue_bytes -= w->txn.len;
        pending_fail(w, -ERR_NOT_LEADER);
    }
}

static void forward_batch(struct proposer *p, uint64_t leader_id)
{
    struct list writes;
    size_t bytes;
    size_t count = batch_size(p, &bytes);

    list_init(&writes);
    for (size_t i = 0; i < count; i++)
        list_append(&writes, &take_first(p)->node);
    if (p->ops->forward(p->ctx, leader_id, &writes))
        return;
    while (!list_empty(&writes)) {
        struct pending *w = container_of(writes.prev, struct pending, node);

        list_remove(&w->node);
        put_first(p, w);
    }
}

static void expire(struct proposer *p, int status)
{
    uint64_t now = env_loop_now_ms(p->loop);

    if (now < p->expire_ms)
        return;
    p->expire_ms = now + EXPIRE_EVERY_MS;
    list_foreach_safe (node, &p->queue) {
        struct pending *w = container_of(node, struct pending, node);

        if (w->deadline_ms > now)
            continue;
        list_remove(&w->node);
        p->queue_writes--;
        p->queue_bytes -= w->txn.len;
        pending_fail(w, status);
    }
}

void proposer_run(struct proposer *p)
{
    struct raft_view v;

    if (list_empty(&p->queue))
        return;
    expire(p, -ERR_UNAVAILABLE);
    p->ops->view(p->ctx, &v);
    if (v.leading) {
        while (v.ready && !list_empty(&p->queue) &&
               p->ops->inflight(p->ctx) < PROPOSER_INFLIGHT_MAX &&
               p->ops->applier_bytes(p->ctx) <= APPLIER_QUEUE_BYTES_MAX)
            if (!propose_batch(p, v.term))
                break;
        return;
    }
    refuse_forwarded(p);
    if (v.leader_id != 0 && !list_empty(&p->queue))
        forward_batch(p, v.leader_id);
}

/* ---- arrival ---- */

static void accept(struct proposer *p, struct pending *w)
{
    if (p->stopped) {
        refuse(w);
    } else if (w->level > p->ops->level(p->ctx)) {
        /* The member that forwarded it knew better: this one will, too, in a moment. */
        pending_fail(w, w->forwarded ? -ERR_UNAVAILABLE : -ERR_UNIMPLEMENTED);
    } else if (p->queue_writes >= PROPOSER_WRITES_MAX ||
               p->queue_bytes + w->txn.len > PROPOSER_BYTES_MAX) {
        pending_fail(w, -ERR_TOO_MANY_REQUESTS);
    } else {
        w->queued_ms = env_loop_now_ms(p->loop);
        list_append(&p->queue, &w->node);
        p->queue_writes++;
        p->queue_bytes += w->txn.len;
    }
}

static void on_submitted(struct env_msg *m)
{
    struct pending *w = container_of(m, struct pending, msg);
    struct proposer *p = w->proposer;

    accept(p, w);
    proposer_kick(p);
}

void proposer_submit(struct proposer *p, struct pending *w)
{
    w->proposer = p;
    env_post(p->loop, &w->msg, on_submitted);
}

void proposer_return(struct proposer *p, struct pending *w)
{
    if (p->stopped)
        refuse(w);
    else
        put_first(p, w);
}

static void on_kick(struct env_msg *m)
{
    struct proposer *p = container_of(m, struct proposer, kick);

    p->kicked = false;
    proposer_run(p);
}

void proposer_kick(struct proposer *p)
{
    if (p->kicked || p->stopped) /* nothing waits any more, and the loop may end first */
        return;
    p->kicked = true;
    env_post(p->loop, &p->kick, on_kick);
}

void proposer_init(struct proposer *p, struct env_loop *loop, const struct proposer_ops *ops,
                   void *ctx)
{
    *p = (struct proposer){ .loop = loop, .ops = ops, .ctx = ctx };
    list_init(&p->queue);
    group_metrics_register();
}

uint64_t proposer_oldest_ms(const struct proposer *p)
{
    if (list_empty(&p->queue))
        return 0;
    return env_loop_now_ms(p->loop) - container_of(p->queue.next, struct pending, node)->queued_ms;
}

void proposer_stop(struct proposer *p)
{
    p->stopped = true;
    while (!list_empty(&p->queue))
        refuse(take_first(p));
}
