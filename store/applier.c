/*
 * Happy path: group_apply copies the entry into a message -> on_entry queues it and posts one drain
 * -> on_drain applies a batch in the open transaction, answering as it goes, commits and publishes
 * if that is due, and posts itself again while entries are left. Messages of a loop run in order,
 * so a drain finds everything that arrived before it was posted, and what arrives during a commit
 * waits for the next batch.
 *
 * Gathering: a commit flushes, on the disk of the log whose flush answers wait for, and entries
 * that come meanwhile wait for it. So commits keep APPLIER_GATHER_MS apart; where a subscriber is
 * awake and many entries are gathered, of whose time the log's flush is a small part,
 * APPLIER_WATCHED_MS. The first one after a pause is due at once. Until then entries gather in the
 * open transaction; answers do not wait, and whoever waits for what will be published (group_covers
 * said no) makes it due.
 *
 * Failure: an entry that cannot be applied halts the applier: what came before is committed, the
 * raft loop is told once, nothing more is applied, and every later command is answered
 * UNKNOWN_OUTCOME. A commit that fails aborts the process inside kv.
 *
 * An installed state (group_env.c) comes as a message between two drains: what it holds is dropped
 * from the queue, and from what still arrives.
 *
 * A full disk: nothing is begun while kv_room says no. What arrives waits in the queue, the raft
 * loop is told, and every APPLIER_ROOM_MS the disk is looked at again. What was taken is in the
 * log, which ends, too, where the disk does; so the queue is bounded.
 *
 * Compaction goes along with the entries: their transaction is flushed anyway, and whatever the
 * load, more is forgotten than is made (COMPACT_PER_COMMAND). What is left is done in between, in
 * transactions of its own that end when a write arrives, each after a rest.
 */
#include "store/applier.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/group_metrics.h"
#include "store/group_state.h"

#define APPLIER_WATCHED_MS   2
#define APPLIER_GATHER_MS    5
#define APPLIER_MANY_ENTRIES 16
#define COMPACT_REST_MS      10
/* A command makes at most as many rows as it has operations, mostly one; each is walked, and one
 * removed for it. */
#define COMPACT_PER_COMMAND 3
/* Steps between entries look so often whether there are new ones, */
#define COMPACT_LOOK_ROWS 32
/* take so long at most, */
#define COMPACT_STEP_NS (2 * ENV_MS)
/* and are left out when as much was done along with entries. */
#define COMPACT_ALONG_ROWS 64

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
static struct metric compact_rows_total = { .name = "store_compact_rows_total",
                                            .help = "rows that compaction walked or removed",
                                            .type = METRIC_COUNTER };
static struct metric scrub_total = { .name = "store_scrub_total",
                                     .help = "times that every key's row was looked at for rot",
                                     .type = METRIC_COUNTER };
struct metric *const applier_metrics[] = { &commands_total,      &commit_seconds,
                                           &compact_steps_total, &compact_rows_total,
                                           &scrub_total,         NULL };

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
    atomic_store(&to->alarm, p->alarm);
    atomic_store(&to->timers, p->timers);
    atomic_store(&to->next_deadline_ms, p->next_deadline_ms);
    atomic_store(&to->clock_ms, p->clock_ms);
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

/* A key was put or deleted: whoever asked for its prefix is told after the commit. */
static void on_touch(void *ctx, struct str key)
{
    struct store_group *g = ctx;
    for (struct store_subscriber *s = atomic_load(&g->subscribers); s != NULL; s = s->next)
        if (s->prefix != NULL && str_starts(key, str_from(s->prefix)))
            s->touched = true;
}

/* all: whatever was touched. */
static bool wants(struct store_subscriber *s, bool all)
{
    bool wanted = all || s->prefix == NULL || s->touched;
    s->touched = false;
    return wanted && atomic_load(&s->resting) == 0;
}

static void tell(struct store_group *g, bool news, bool all)
{
    if (g->config.raft_loop != NULL && g->config.on_durable != NULL &&
        atomic_exchange(&g->durable_wanted, 0) != 0 && atomic_exchange(&g->durable_posted, 1) == 0)
        env_post(g->config.raft_loop, &g->durable, on_durable);
    if (!news)
        return;
    for (struct store_subscriber *s = atomic_load(&g->subscribers); s != NULL; s = s->next)
        if (wants(s, all))
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

static struct queued *pop(struct store_group *g)
{
    return container_of(list_pop(&g->queue), struct queued, node);
}

/* The transaction that entries go into: the first one begins it. */
static struct kv_txn *open_txn(struct store_group *g)
{
    if (g->txn != NULL)
        return g->txn;
    g->txn = kv_begin_write(g->kv);
    g->txn_revision = g->fsm.point.revision;
    g->txn_commands = 0;
    g->txn_bytes = 0;
    g->fsm.appended = false;
    g->fsm.touch = on_touch;
    g->fsm.touch_ctx = g;
    return g->txn;
}

static bool is_full(const struct store_group *g)
{
    return g->txn_commands >= APPLIER_BATCH_COMMANDS || g->txn_bytes >= APPLIER_BATCH_BYTES;
}

static void apply_first(struct store_group *g, struct kv_txn *t)
{
    struct queued *q = pop(g);
    struct err e = { 0 };
    size_t count = 0;
    enum group_halt why = fsm_apply(&g->fsm, t, q->index, str_of(q->bytes, q->len),
                                    q->proposal != NULL ? on_answer : NULL, q, &count, &e);
    ASSERT(why != 0 || q->proposal == NULL || q->proposal->count == count);
    atomic_fetch_sub(&g->queue_bytes, q->len);
    atomic_fetch_sub(&g->queue_entries, 1);
    g->txn_commands += count;
    g->txn_bytes += q->len;
    metric_add(&commands_total, (int64_t)count);
    q->answered = why == 0;
    answer_unknown(q);
    queued_free(q);
    if (why != 0)
        halt(g, why, &e);
}

static void tell_compacted(struct store_group *g, size_t rows)
{
    g->compacted_rows += rows;
    if (compact_pending(&g->fsm.compact))
        return;
    log_debug("history forgotten", KVN("group", g->config.id), KVN("rows", g->compacted_rows),
              KVN("before", g->fsm.point.compacted));
    g->compacted_rows = 0;
}

static size_t forget(struct store_group *g, struct kv_txn *t, size_t rows)
{
    size_t walked = compact_step(&g->fsm.compact, t, rows);
    metric_add(&compact_steps_total, 1);
    metric_add(&compact_rows_total, (int64_t)walked);
    tell_compacted(g, walked);
    return walked;
}

/* Applies from the queue until a bound is met. */
static void apply_queued(struct store_group *g)
{
    uint64_t began_ns = env_now_ns(g->config.env);
    uint64_t took_ns;
    struct kv_txn *t = open_txn(g);
    size_t before = g->txn_commands;
    size_t entries = 0;
    do {
        apply_first(g, t);
        entries++;
        took_ns = env_now_ns(g->config.env) - began_ns;
    } while (g->halted == 0 && !list_empty(&g->queue) && !is_full(g) && took_ns < APPLIER_BATCH_NS);
    metric_observe(group_metric(g->config.id, GROUP_APPLY_BATCH_ENTRIES), (double)entries);
    metric_observe(group_metric(g->config.id, GROUP_APPLY_SECONDS), (double)took_ns / ENV_S);
    if (g->halted == 0 && compact_pending(&g->fsm.compact))
        g->forgotten += forget(g, t, COMPACT_PER_COMMAND * (g->txn_commands - before));
}

void applier_commit(struct store_group *g)
{
    struct kv_txn *t = g->txn;
    if (t == NULL)
        return;
    g->txn = NULL;
    env_timer_stop(&g->gather);
    fsm_save(&g->fsm, t);
    uint64_t began_ns = env_now_ns(g->config.env);
    kv_commit(t);
    g->committed_ns = env_now_ns(g->config.env);
    metric_observe(&commit_seconds, (double)(g->committed_ns - began_ns) / 1e9);
    ring_publish(g->ring);
    metric_set(group_metric(g->config.id, GROUP_RING_BYTES), (int64_t)ring_bytes(g->ring));
    metric_set(group_metric(g->config.id, GROUP_RING_EVENTS), (int64_t)ring_count(g->ring));
    group_publish(g, &g->fsm.point);
    tell(g, g->fsm.point.revision != g->txn_revision || g->fsm.appended, false);
}

static void post_drain(struct store_group *g)
{
    if (g->drain_posted)
        return;
    g->drain_posted = true;
    env_post(g->loop, &g->drain, on_drain);
}

static void drop(struct store_group *g, struct queued *q)
{
    atomic_fetch_sub(&g->queue_bytes, q->len);
    atomic_fetch_sub(&g->queue_entries, 1);
    answer_unknown(q);
    queued_free(q);
}

static void drop_queue(struct store_group *g)
{
    while (!list_empty(&g->queue))
        drop(g, pop(g));
}

/* ---- gathering ---- */

static bool is_watched(struct store_group *g)
{
    for (struct store_subscriber *s = atomic_load(&g->subscribers); s != NULL; s = s->next)
        if (atomic_load(&s->resting) == 0)
            return true;
    return false;
}

/* Shall the open transaction wait for more? Then the timer runs. */
static bool gather(struct store_group *g)
{
    bool many = g->txn_commands >= APPLIER_MANY_ENTRIES;
    uint64_t apart_ms = many && is_watched(g) ? APPLIER_WATCHED_MS : APPLIER_GATHER_MS;
    uint64_t due = g->committed_ns + apart_ms * ENV_MS;
    uint64_t now = env_now_ns(g->config.env);
    /* The mark first: who wants it now and does not see the mark is seen here. */
    atomic_store(&g->gathering, 1);
    if (g->halted == 0 && !is_full(g) && now < due && atomic_load(&g->durable_wanted) == 0) {
        if (!env_timer_active(&g->gather))
            env_timer_start(&g->gather, (due - now + ENV_MS - 1) / ENV_MS);
        return true;
    }
    atomic_store(&g->gathering, 0);
    return false;
}

static void on_gathered(struct env_timer *timer)
{
    post_drain(container_of(timer, struct store_group, gather));
}

static void on_hurry(struct env_msg *m)
{
    struct store_group *g = container_of(m, struct store_group, hurry);
    atomic_store(&g->hurried, 0);
    post_drain(g);
}

void applier_hurry(struct store_group *g)
{
    if (atomic_load(&g->gathering) != 0 && atomic_exchange(&g->hurried, 1) == 0)
        env_post(g->loop, &g->hurry, on_hurry);
}

/* ---- a full disk ---- */

static void on_room(struct env_msg *m)
{
    struct store_group *g = container_of(m, struct store_group, room);
    atomic_store(&g->room_posted, 0);
    g->config.on_room(g->config.ctx, atomic_load(&g->starved) == 0);
}

/* May a transaction begin, or grow? */
static bool has_room(struct store_group *g)
{
    bool room = kv_room(g->kv);
    if (!room)
        env_timer_start(&g->wait, APPLIER_ROOM_MS);
    if (atomic_exchange(&g->starved, room ? 0 : 1) == (room ? 0 : 1))
        return room;
    if (g->config.raft_loop != NULL && g->config.on_room != NULL &&
        atomic_exchange(&g->room_posted, 1) == 0)
        env_post(g->config.raft_loop, &g->room, on_room);
    return room;
}

static void on_wait(struct env_timer *timer)
{
    struct store_group *g = container_of(timer, struct store_group, wait);
    post_drain(g);
}

/* ---- turns ---- */

static void on_drain(struct env_msg *m)
{
    struct store_group *g = container_of(m, struct store_group, drain);
    g->drain_posted = false;
    if (g->halted != 0) {
        drop_queue(g);
        return;
    }
    if (!has_room(g))
        return;
    if (!list_empty(&g->queue))
        apply_queued(g);
    if (g->txn != NULL && !gather(g))
        applier_commit(g);
    if (!list_empty(&g->queue))
        post_drain(g);
    else if (compact_pending(&g->fsm.compact) && !env_timer_active(&g->rest))
        env_timer_start(&g->rest, COMPACT_REST_MS);
}

/* A step between entries, in their transaction if one is open. */
static void forget_between(struct store_group *g)
{
    uint64_t deadline = env_now_ns(g->config.env) + COMPACT_STEP_NS;
    struct kv_txn *t = g->txn != NULL ? g->txn : kv_begin_write(g->kv);
    size_t rows = 0;
    do {
        rows += forget(g, t, COMPACT_LOOK_ROWS);
    } while (compact_pending(&g->fsm.compact) && rows < COMPACT_STEP_ROWS &&
             atomic_load(&g->queue_bytes) == 0 && env_now_ns(g->config.env) < deadline);
    if (t != g->txn)
        kv_commit(t);
}

static void on_rest(struct env_timer *timer)
{
    struct store_group *g = container_of(timer, struct store_group, rest);
    if (g->halted != 0 || !compact_pending(&g->fsm.compact) || !has_room(g))
        return;
    if (atomic_load(&g->queue_bytes) == 0 && g->forgotten < COMPACT_ALONG_ROWS)
        forget_between(g);
    g->forgotten = 0;
    env_timer_start(&g->rest, COMPACT_REST_MS);
}

static void scrub_later(struct store_group *g, uint64_t usual_ms)
{
    env_timer_start(&g->scrubbing, g->config.scrub_ms != 0 ? g->config.scrub_ms : usual_ms);
}

/* Of what is committed, and of the open transaction if there is one. */
static void on_scrub(struct env_timer *timer)
{
    struct store_group *g = container_of(timer, struct store_group, scrubbing);
    uint64_t passes = g->scrub.passes;
    struct err e = { 0 };
    int rc = 0;
    if (g->halted != 0)
        return;
    struct kv_txn *t = g->txn != NULL ? g->txn : kv_begin_read(g->kv);
    if (t != NULL) /* else every reader slot is taken: at the next step */
        rc = scrub_step(&g->scrub, t, g->config.env, &e);
    if (t != NULL && t != g->txn)
        kv_abort(t);
    if (rc != 0) {
        applier_commit(g);
        halt(g, GROUP_HALT_ROTTEN, &e);
    } else if (g->scrub.passes != passes) {
        metric_add(&scrub_total, 1);
        scrub_later(g, SCRUB_REST_MS);
    } else {
        env_timer_start(&g->scrubbing, SCRUB_STEP_MS);
    }
}

static void on_entry(struct env_msg *m)
{
    struct queued *q = container_of(m, struct queued, msg);
    struct store_group *g = q->group;
    if (q->index <= g->fsm.point.index) {
        drop(g, q); /* an installed state holds it */
        return;
    }
    list_append(&g->queue, &q->node);
    post_drain(g);
}

void applier_installed(struct store_group *g)
{
    list_foreach_safe (n, &g->queue) {
        struct queued *q = container_of(n, struct queued, node);
        if (q->index > g->fsm.point.index)
            break;
        drop(g, pop(g));
    }
    group_publish(g, &g->fsm.point);
    tell(g, true, true);
    if (list_empty(&g->queue) && compact_pending(&g->fsm.compact))
        env_timer_start(&g->rest, COMPACT_REST_MS);
}

void group_apply(struct store_group *g, uint64_t index, uint64_t term, struct str bytes,
                 struct proposal *proposal)
{
    if (index <= atomic_load(&g->handed)) {
        ASSERT(proposal == NULL);
        return;
    }
    struct queued *q = mem_alloc_with(sizeof *q, bytes.len);
    q->group = g;
    q->proposal = proposal;
    q->index = index;
    q->term = term;
    q->len = bytes.len;
    memcpy(q->bytes, bytes.data, bytes.len);
    list_init(&q->simulated);
    if (!g->loop_owned)
        list_append(&g->simulated, &q->simulated);
    atomic_store(&g->handed, index);
    atomic_fetch_add(&g->queue_bytes, bytes.len);
    atomic_fetch_add(&g->queue_entries, 1);
    env_post(g->loop, &q->msg, on_entry);
}

/* ---- life ---- */

static void on_start(struct env_msg *m)
{
    struct store_group *g = container_of(m, struct store_group, start);
    env_timer_init(g->loop, &g->rest, on_rest);
    env_timer_init(g->loop, &g->wait, on_wait);
    env_timer_init(g->loop, &g->gather, on_gathered);
    env_timer_init(g->loop, &g->scrubbing, on_scrub);
    group_env_start(g);
    g->started = true;
    usage_start(g);
    scrub_later(g, SCRUB_FIRST_MS);
    if (compact_pending(&g->fsm.compact))
        env_timer_start(&g->rest, COMPACT_REST_MS);
}

static void on_stop(struct env_msg *m)
{
    struct store_group *g = container_of(m, struct store_group, stop);
    while (!list_empty(&g->queue) && g->halted == 0 && kv_room(g->kv)) {
        apply_queued(g);
        applier_commit(g);
    }
    if (kv_room(g->kv))
        applier_commit(g);
    else if (g->txn != NULL)
        kv_abort(g->txn); /* the log has it */
    g->txn = NULL;
    drop_queue(g);
    usage_stop(g);
    env_timer_deinit(&g->rest);
    env_timer_deinit(&g->wait);
    env_timer_deinit(&g->gather);
    env_timer_deinit(&g->scrubbing);
    group_env_stop(g);
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
