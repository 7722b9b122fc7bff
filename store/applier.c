/*
 * Happy path: group_apply copies the entry into a message -> on_entry queues it and posts one drain
 * -> on_drain applies a batch in one transaction, answering as it goes, commits, publishes, and
 * posts itself again while entries are left. Messages of a loop run in order, so a drain finds
 * everything that arrived before it was posted, and what arrives during a commit waits for the next
 * batch.
 *
 * Failure: an entry that cannot be applied halts the applier: what came before is committed, the
 * raft loop is told once, nothing more is applied, and every later command is answered
 * UNKNOWN_OUTCOME. A commit that fails aborts the process inside kv.
 *
 * Compaction: when the queue is empty and rows wait to be forgotten, one step of bounded size in a
 * transaction of its own, then a rest.
 */
#include "store/applier.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/metrics.h"
#include "store/group_state.h"

#define COMPACT_REST_MS 10

static const double commit_bounds[] = { 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 1 };
static struct metric commands_total = { .name = "store_apply_commands_total",
                                        .help = "commands evaluated by the state machines",
                                        .type = METRIC_COUNTER };
static struct metric commit_seconds = { .name = "store_commit_seconds",
                                        .help = "flushing one batch of entries to LMDB",
                                        .type = METRIC_HISTOGRAM,
                                        .bounds = commit_bounds,
                                        .bounds_count = 8 };
static struct metric compact_steps_total = { .name = "store_compact_steps_total",
                                             .help = "background steps of compaction",
                                             .type = METRIC_COUNTER };
struct metric *const applier_metrics[] = { &commands_total, &commit_seconds, &compact_steps_total,
                                           NULL };

struct queued {
    struct env_msg msg;
    struct list node;
    struct list simulated;
    struct store_group *group;
    struct proposal *proposal;
    uint64_t index;
    uint64_t term;
    bool answered;
    size_t len;
    uint8_t bytes[];
};

static void on_drain(struct env_msg *m);

/* ---- publishing ---- */

void group_publish(struct store_group *g, const struct point *p)
{
    struct published *to = &g->published;
    atomic_fetch_add(&to->sequence, 1);
    atomic_store(&to->index, p->index);
    atomic_store(&to->term, p->term);
    atomic_store(&to->revision, p->revision);
    atomic_store(&to->digest, p->digest);
    atomic_store(&to->compacted, p->compacted);
    atomic_store(&to->level, p->level);
    atomic_fetch_add(&to->sequence, 1);
}

static void on_subscriber(struct env_msg *m)
{
    struct store_subscriber *s = container_of(m, struct store_subscriber, msg);
    /* Before reading: a commit after this posts again. */
    atomic_store(&s->posted, 0);
    s->published(s, store_published(s->group));
}

static void post_subscriber(struct store_subscriber *s)
{
    if (atomic_exchange(&s->posted, 1) == 0)
        env_post(s->loop, &s->msg, on_subscriber);
}

static void on_durable(struct env_msg *m)
{
    struct store_group *g = container_of(m, struct store_group, durable);
    struct point point;
    atomic_store(&g->durable_posted, 0);
    group_point(g, &point);
    g->config.on_durable(g->config.ctx, &point);
}

static void on_halt(struct env_msg *m)
{
    struct store_group *g = container_of(m, struct store_group, halt);
    g->config.on_halt(g->config.ctx, g->halted, g->halt_message);
}

static void tell(struct store_group *g, bool news)
{
    if (g->config.raft_loop != NULL && g->config.on_durable != NULL &&
        atomic_exchange(&g->durable_wanted, 0) != 0 && atomic_exchange(&g->durable_posted, 1) == 0)
        env_post(g->config.raft_loop, &g->durable, on_durable);
    if (!news)
        return;
    for (struct store_subscriber *s = atomic_load(&g->subscribers); s != NULL; s = s->next)
        if (atomic_load(&s->resting) == 0)
            post_subscriber(s);
}

void store_subscriber_rest(struct store_subscriber *s)
{
    atomic_store(&s->resting, 1);
}

void store_subscriber_wake(struct store_subscriber *s)
{
    /* Before published reads the revision: a commit after that finds it awake. */
    if (atomic_exchange(&s->resting, 0) != 0)
        post_subscriber(s);
}

/* ---- applying ---- */

/* What was handed over and will not be applied here: the log has it, others may apply it. */
static void answer_unknown(struct queued *q)
{
    struct store_result unknown = { .status = -ERR_UNKNOWN_OUTCOME };
    for (size_t i = 0; q->proposal != NULL && !q->answered && i < q->proposal->count; i++)
        q->proposal->answer(q->proposal, i, &unknown);
}

static void queued_free(struct queued *q)
{
    list_remove(&q->simulated);
    if (q->proposal != NULL)
        q->proposal->released(q->proposal);
    mem_free(q);
}

static void on_answer(void *ctx, size_t command, const struct store_result *result)
{
    struct proposal *p = ((struct queued *)ctx)->proposal;
    ASSERT(command < p->count);
    p->answer(p, command, result);
}

static void halt(struct store_group *g, enum group_halt why, const struct err *e)
{
    g->halted = why;
    memcpy(g->halt_message, e->msg, sizeof g->halt_message);
    if (g->config.raft_loop != NULL && g->config.on_halt != NULL)
        env_post(g->config.raft_loop, &g->halt, on_halt);
}

/* Applies from the queue into t until a bound is met; false: halted. */
static bool apply_queued(struct store_group *g, struct kv_txn *t)
{
    uint64_t deadline = env_now_ns(g->config.env) + APPLIER_BATCH_NS;
    size_t commands = 0;
    size_t bytes = 0;
    do {
        struct queued *q = container_of(list_pop(&g->queue), struct queued, node);
        struct err e = { 0 };
        size_t count = 0;
        enum group_halt why = fsm_apply(&g->fsm, t, q->index, str_of(q->bytes, q->len),
                                        q->proposal != NULL ? on_answer : NULL, q, &count, &e);
        ASSERT(why != 0 || q->proposal == NULL || q->proposal->count == count);
        atomic_fetch_sub(&g->queue_bytes, q->len);
        commands += count;
        bytes += q->len;
        metric_add(&commands_total, (int64_t)count);
        q->answered = why == 0;
        answer_unknown(q);
        queued_free(q);
        if (why != 0) {
            halt(g, why, &e);
            return false;
        }
    } while (!list_empty(&g->queue) && commands < APPLIER_BATCH_COMMANDS &&
             bytes < APPLIER_BATCH_BYTES && env_now_ns(g->config.env) < deadline);
    return true;
}

static void apply_batch(struct store_group *g)
{
    uint64_t revision = g->fsm.point.revision;
    struct kv_txn *t = kv_begin_write(g->kv);
    g->fsm.appended = false;
    (void)apply_queued(g, t); /* halted: what came before is committed all the same */
    fsm_save(&g->fsm, t);
    uint64_t began_ns = env_now_ns(g->config.env);
    kv_commit(t);
    metric_observe(&commit_seconds, (double)(env_now_ns(g->config.env) - began_ns) / 1e9);
    ring_publish(g->ring);
    group_publish(g, &g->fsm.point);
    tell(g, g->fsm.point.revision != revision || g->fsm.appended);
}

static void post_drain(struct store_group *g)
{
    if (g->drain_posted)
        return;
    g->drain_posted = true;
    env_post(g->loop, &g->drain, on_drain);
}

static void drop_queue(struct store_group *g)
{
    for (struct list *n = list_pop(&g->queue); n != NULL; n = list_pop(&g->queue)) {
        struct queued *q = container_of(n, struct queued, node);
        atomic_fetch_sub(&g->queue_bytes, q->len);
        answer_unknown(q);
        queued_free(q);
    }
}

static void on_drain(struct env_msg *m)
{
    struct store_group *g = container_of(m, struct store_group, drain);
    g->drain_posted = false;
    if (g->halted != 0) {
        drop_queue(g);
        return;
    }
    if (!list_empty(&g->queue))
        apply_batch(g);
    if (!list_empty(&g->queue))
        post_drain(g);
    else if (compact_pending(&g->fsm.compact) && !env_timer_active(&g->rest))
        env_timer_start(&g->rest, COMPACT_REST_MS);
}

static void on_rest(struct env_timer *timer)
{
    struct store_group *g = container_of(timer, struct store_group, rest);
    if (g->halted != 0 || !compact_pending(&g->fsm.compact))
        return;
    if (list_empty(&g->queue)) {
        struct kv_txn *t = kv_begin_write(g->kv);
        compact_step(&g->fsm.compact, t, COMPACT_STEP_ROWS);
        kv_commit(t);
        metric_add(&compact_steps_total, 1);
    }
    env_timer_start(&g->rest, COMPACT_REST_MS);
}

static void on_entry(struct env_msg *m)
{
    struct queued *q = container_of(m, struct queued, msg);
    struct store_group *g = q->group;
    list_append(&g->queue, &q->node);
    post_drain(g);
}

void group_apply(struct store_group *g, uint64_t index, uint64_t term, struct str bytes,
                 struct proposal *proposal)
{
    if (index <= atomic_load(&g->handed)) {
        ASSERT(proposal == NULL);
        return;
    }
    struct queued *q = mem_alloc(sizeof *q + bytes.len);
    q->group = g;
    q->proposal = proposal;
    q->index = index;
    q->term = term;
    q->len = bytes.len;
    memcpy(q->bytes, bytes.data, bytes.len);
    list_init(&q->simulated);
    if (g->config.kv != NULL)
        list_append(&g->simulated, &q->simulated);
    atomic_store(&g->handed, index);
    atomic_fetch_add(&g->queue_bytes, bytes.len);
    env_post(g->loop, &q->msg, on_entry);
}

/* ---- life ---- */

static void on_start(struct env_msg *m)
{
    struct store_group *g = container_of(m, struct store_group, start);
    env_timer_init(g->loop, &g->rest, on_rest);
    g->started = true;
    if (compact_pending(&g->fsm.compact))
        env_timer_start(&g->rest, COMPACT_REST_MS);
}

static void on_stop(struct env_msg *m)
{
    struct store_group *g = container_of(m, struct store_group, stop);
    while (!list_empty(&g->queue) && g->halted == 0)
        apply_batch(g);
    drop_queue(g);
    env_timer_deinit(&g->rest);
    env_loop_stop(g->loop);
}

void applier_init(struct store_group *g)
{
    list_init(&g->queue);
    list_init(&g->simulated);
    env_post(g->loop, &g->start, on_start);
}

void applier_stop(struct store_group *g)
{
    env_post(g->loop, &g->stop, on_stop);
    env_loop_join(g->loop);
}

void applier_drop(struct store_group *g)
{
    for (struct list *n = list_pop(&g->simulated); n != NULL; n = list_pop(&g->simulated)) {
        struct queued *q = container_of(n, struct queued, simulated);
        list_init(&q->simulated);
        queued_free(q);
    }
}
