/*
 * The simulated world: events, virtual time, loops, timers, work.
 *
 * One step picks, with the seed, one of the loops that have an event due, and runs that loop's
 * first event. Every event costs a little virtual time, so a loop that never stops posting cannot
 * stop the clock. Everything executed goes into the digest.
 */
#include "base/env_sim.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_sim_impl.h"
#include "base/log.h"

#define SIM_EVENT_COST_NS  200u
#define SIM_START_NS       ENV_S
#define SIM_WALL_START_NS  (1767225600ull * ENV_S) /* 2026-01-01T00:00:00Z */
#define SIM_WORK_US_MAX    500u
#define SIM_LATENCY_MIN_US 100u
#define SIM_LATENCY_MAX_US 2000u

struct sim_env *sim_env_of(struct env *env)
{
    return container_of(env, struct sim_env, base);
}

struct sim_loop *sim_loop_of(struct env_loop *loop)
{
    return container_of(loop, struct sim_loop, base);
}

static struct sim_env *world_of(struct sim_loop *l)
{
    return sim_env_of(l->base.env);
}

/* ---- randomness and the digest ---- */

/* SplitMix64 (Steele, Lea, Flood 2014): one word of state, every seed is good. */
static uint64_t random_next(struct sim_env *env)
{
    uint64_t z = (env->random_state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

uint64_t sim_random(struct sim_env *env, uint64_t n)
{
    ASSERT(n > 0);
    /* The high half of a 128-bit product: no division, a bias below 2^-64 * n. */
    return (uint64_t)((unsigned __int128)random_next(env) * n >> 64);
}

void sim_mix(struct sim_env *env, uint64_t value)
{
    env->digest = (env->digest ^ value) * 0xd6e8feb86659fd93ull;
    env->digest ^= env->digest >> 32;
}

static uint64_t sim_now_ns(struct env *env)
{
    return sim_env_of(env)->now_ns;
}

static uint64_t sim_wall_ns(struct env *env)
{
    return SIM_WALL_START_NS + sim_env_of(env)->now_ns;
}

static uint64_t log_wall_ns(void *ctx)
{
    return sim_wall_ns(ctx);
}

static void sim_random_bytes(struct env *env, void *out, size_t len)
{
    uint8_t *p = out;
    while (len > 0) {
        uint64_t v = random_next(sim_env_of(env));
        size_t n = len < sizeof(v) ? len : sizeof(v);
        memcpy(p, &v, n);
        p += n;
        len -= n;
    }
}

/* ---- events: a binary heap per loop ---- */

static bool event_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void heap_set(struct sim_loop *l, size_t at, struct sim_event *event)
{
    l->heap[at] = event;
    event->at = at;
}

static void heap_up(struct sim_loop *l, size_t at)
{
    struct sim_event *event = l->heap[at];
    for (; at > 1 && event_before(event, l->heap[at / 2]); at /= 2)
        heap_set(l, at, l->heap[at / 2]);
    heap_set(l, at, event);
}

static void heap_down(struct sim_loop *l, size_t at)
{
    struct sim_event *event = l->heap[at];
    for (;;) {
        size_t child = at * 2;
        if (child > l->heap_len)
            break;
        if (child < l->heap_len && event_before(l->heap[child + 1], l->heap[child]))
            child++;
        if (!event_before(l->heap[child], event))
            break;
        heap_set(l, at, l->heap[child]);
        at = child;
    }
    heap_set(l, at, event);
}

void sim_unschedule(struct sim_event *event)
{
    if (event->at == 0)
        return;
    struct sim_loop *l = event->loop;
    size_t at = event->at;
    ASSERT(l->heap[at] == event);
    struct sim_event *last = l->heap[l->heap_len--];
    event->at = 0;
    if (last == event)
        return;
    heap_set(l, at, last);
    heap_up(l, at);
    heap_down(l, last->at);
}

void sim_schedule(struct sim_loop *l, struct sim_event *event, uint64_t delay_ns,
                  enum sim_kind kind, void (*run)(struct sim_event *event))
{
    struct sim_env *env = world_of(l);
    sim_unschedule(event);
    event->due_ns = env->now_ns + delay_ns;
    event->order = env->order++;
    event->loop = l;
    event->kind = kind;
    event->run = run;
    if (l->heap_len + 1 >= l->heap_capacity) {
        l->heap_capacity = l->heap_capacity == 0 ? 64 : l->heap_capacity * 2;
        l->heap = mem_realloc(l->heap, l->heap_capacity * sizeof(struct sim_event *));
    }
    heap_set(l, ++l->heap_len, event);
    heap_up(l, l->heap_len);
}

void sim_assert_on_loop(struct sim_loop *l)
{
    struct sim_env *env = world_of(l);
    ASSERT(env->current == NULL || env->current == l);
}

/* ---- messages ---- */

static void run_message(struct sim_event *event)
{
    struct sim_loop *l = event->loop;
    struct env_msg *m = container_of(list_pop(&l->inbox), struct env_msg, node);
    if (!list_empty(&l->inbox))
        sim_schedule(l, &l->inbox_event, 0, SIM_MESSAGE, run_message);
    m->run(m);
}

static void sim_post(struct env_loop *loop, struct env_msg *m)
{
    struct sim_loop *l = sim_loop_of(loop);
    list_append(&l->inbox, &m->node);
    if (l->inbox_event.at == 0)
        sim_schedule(l, &l->inbox_event, 0, SIM_MESSAGE, run_message);
}

/* ---- timers ---- */

struct sim_timer {
    struct list node;
    struct sim_event event;
    struct env_timer *timer;
};

static void run_timer(struct sim_event *event)
{
    struct env_timer *t = container_of(event, struct sim_timer, event)->timer;
    t->fire(t);
}

static void sim_timer_init(struct env_timer *t)
{
    struct sim_timer *box = mem_alloc(sizeof(*box));
    box->timer = t;
    t->impl = box;
    list_append(&sim_loop_of(t->loop)->timers, &box->node);
}

static void sim_timer_start(struct env_timer *t, uint64_t delay_ms)
{
    struct sim_timer *box = t->impl;
    sim_assert_on_loop(sim_loop_of(t->loop));
    sim_schedule(sim_loop_of(t->loop), &box->event, delay_ms * ENV_MS, SIM_TIMER, run_timer);
}

static void sim_timer_stop(struct env_timer *t)
{
    sim_assert_on_loop(sim_loop_of(t->loop));
    sim_unschedule(&((struct sim_timer *)t->impl)->event);
}

static bool sim_timer_active(const struct env_timer *t)
{
    return ((const struct sim_timer *)t->impl)->event.at != 0;
}

static void timer_free(struct sim_timer *box)
{
    sim_unschedule(&box->event);
    list_remove(&box->node);
    mem_free(box);
}

static void sim_timer_deinit(struct env_timer *t)
{
    sim_assert_on_loop(sim_loop_of(t->loop));
    timer_free(t->impl);
}

/* ---- work: one event for the work, a later one for its completion ---- */

struct sim_work {
    struct list node;
    struct sim_event event;
    struct env_work *work;
    bool worked;
};

static void work_finish(struct sim_work *box)
{
    struct env_work *w = box->work;
    list_remove(&box->node);
    mem_free(box);
    w->impl = NULL;
    w->done(w);
}

static uint64_t work_delay_ns(struct sim_loop *l)
{
    return sim_random(world_of(l), SIM_WORK_US_MAX * 1000u);
}

static void run_work(struct sim_event *event)
{
    struct sim_work *box = container_of(event, struct sim_work, event);
    if (box->worked) {
        work_finish(box);
        return;
    }
    box->work->work(box->work);
    box->worked = true;
    sim_schedule(event->loop, event, work_delay_ns(event->loop), SIM_WORK, run_work);
}

static void sim_work(struct env_work *w)
{
    struct sim_loop *l = sim_loop_of(w->loop);
    sim_assert_on_loop(l);
    struct sim_work *box = mem_alloc(sizeof(*box));
    box->work = w;
    w->impl = box;
    list_append(&l->works, &box->node);
    sim_schedule(l, &box->event, work_delay_ns(l), SIM_WORK, run_work);
}

/* ---- loops ---- */

static struct env_loop *sim_loop_new(struct env *env, const char *name)
{
    struct sim_env *world = sim_env_of(env);
    struct sim_loop *l = mem_alloc(sizeof(*l));
    l->base.env = env;
    (void)snprintf(l->name, sizeof(l->name), "%s", name); /* longer names are cut */
    l->index = world->loop_index++;
    list_init(&l->inbox);
    list_init(&l->timers);
    list_init(&l->works);
    list_init(&l->streams);
    list_append(&world->loops, &l->node);
    return &l->base;
}

static void sim_loop_start(struct env_loop *loop)
{
    sim_loop_of(loop)->started = true;
}

static void sim_loop_run(struct env_loop *loop)
{
    ASSERT(loop->env->ops->real); /* a simulated loop takes no thread: use env_loop_start */
}

static void sim_loop_stop(struct env_loop *loop)
{
    sim_loop_of(loop)->stopped = true;
}

static void sim_loop_join(struct env_loop *loop)
{
    (void)loop; /* no thread */
}

static void sim_loop_free(struct env_loop *loop)
{
    struct sim_loop *l = sim_loop_of(loop);
    struct sim_env *env = world_of(l);
    struct sim_loop *outer = env->current;
    ASSERT(outer != l);
    env->current = l;
    while (!list_empty(&l->works)) {
        struct sim_work *box = container_of(l->works.next, struct sim_work, node);
        sim_unschedule(&box->event);
        if (!box->worked)
            box->work->work(box->work);
        work_finish(box);
    }
    sim_streams_free_loop(l);
    while (!list_empty(&l->timers))
        timer_free(container_of(l->timers.next, struct sim_timer, node));
    env->current = outer;
    sim_unschedule(&l->inbox_event);
    ASSERT(l->heap_len == 0);
    list_remove(&l->node);
    mem_free(l->heap);
    mem_free(l);
}

static bool sim_on_loop(const struct env_loop *loop)
{
    const struct sim_loop *current = sim_env_of(loop->env)->current;
    return current != NULL && &current->base == loop;
}

/* ---- the schedule ---- */

static bool loop_runs(const struct sim_loop *l)
{
    return l->started && !l->stopped && !l->paused && l->heap_len > 0;
}

/* Chooses among the loops with something due; NULL when none has. */
static struct sim_loop *pick_due(struct sim_env *env)
{
    uint64_t count = 0;
    list_foreach (node, &env->loops) {
        struct sim_loop *l = container_of(node, struct sim_loop, node);
        count += loop_runs(l) && l->heap[1]->due_ns <= env->now_ns;
    }
    if (count == 0)
        return NULL;
    uint64_t chosen = sim_random(env, count);
    list_foreach (node, &env->loops) {
        struct sim_loop *l = container_of(node, struct sim_loop, node);
        if (loop_runs(l) && l->heap[1]->due_ns <= env->now_ns && chosen-- == 0)
            return l;
    }
    return NULL;
}

/* When the next event of any running loop is due; false when there is none. */
static bool next_due(struct sim_env *env, uint64_t *out_ns)
{
    bool any = false;
    list_foreach (node, &env->loops) {
        struct sim_loop *l = container_of(node, struct sim_loop, node);
        if (!loop_runs(l) || (any && l->heap[1]->due_ns >= *out_ns))
            continue;
        *out_ns = l->heap[1]->due_ns;
        any = true;
    }
    return any;
}

bool env_sim_step(struct env *world)
{
    struct sim_env *env = sim_env_of(world);
    ASSERT(env->current == NULL);
    uint64_t due;
    if (!next_due(env, &due))
        return false;
    if (due > env->now_ns)
        env->now_ns = due;
    struct sim_loop *l = pick_due(env);
    ASSERT(l != NULL);
    struct sim_event *event = l->heap[1];
    sim_unschedule(event);
    sim_mix(env, env->now_ns);
    sim_mix(env, l->index << 8 | (uint64_t)event->kind);
    env->now_ns += SIM_EVENT_COST_NS;
    env->current = l;
    event->run(event);
    env->current = NULL;
    return true;
}

void env_sim_run(struct env *world, uint64_t duration_ms)
{
    struct sim_env *env = sim_env_of(world);
    uint64_t until = env->now_ns + duration_ms * ENV_MS;
    uint64_t due;
    while (env->now_ns < until && next_due(env, &due) && due <= until)
        (void)env_sim_step(world); /* something is due */
    if (env->now_ns < until)
        env->now_ns = until;
}

void env_sim_pause_loop(struct env_loop *loop, bool paused)
{
    sim_loop_of(loop)->paused = paused;
}

void env_sim_set_latency(struct env *env, uint64_t min_us, uint64_t max_us)
{
    ASSERT(min_us <= max_us);
    sim_env_of(env)->latency_min_us = min_us;
    sim_env_of(env)->latency_max_us = max_us;
}

uint64_t env_sim_random(struct env *env, uint64_t n)
{
    return sim_random(sim_env_of(env), n);
}

uint64_t env_sim_digest(const struct env *env)
{
    return container_of(env, const struct sim_env, base)->digest;
}

static const struct env_ops sim_ops = { .real = false,
                                        .now_ns = sim_now_ns,
                                        .wall_ns = sim_wall_ns,
                                        .random = sim_random_bytes,
                                        .loop_new = sim_loop_new,
                                        .loop_start = sim_loop_start,
                                        .loop_run = sim_loop_run,
                                        .loop_stop = sim_loop_stop,
                                        .loop_join = sim_loop_join,
                                        .loop_free = sim_loop_free,
                                        .on_loop = sim_on_loop,
                                        .post = sim_post,
                                        .timer_init = sim_timer_init,
                                        .timer_start = sim_timer_start,
                                        .timer_stop = sim_timer_stop,
                                        .timer_active = sim_timer_active,
                                        .timer_deinit = sim_timer_deinit,
                                        .work = sim_work,
                                        .listen = sim_listen,
                                        .listener_close = sim_listener_close,
                                        .listener_port = sim_listener_port,
                                        .connect = sim_connect,
                                        .connect_cancel = sim_connect_cancel,
                                        .stream_start = sim_stream_start,
                                        .stream_write = sim_stream_write,
                                        .stream_queued = sim_stream_queued,
                                        .stream_pause = sim_stream_pause,
                                        .stream_resume = sim_stream_resume,
                                        .stream_shutdown = sim_stream_shutdown,
                                        .stream_close = sim_stream_close,
                                        .stream_peer = sim_stream_peer,
                                        .stream_peer_cred = sim_stream_peer_cred };

struct env *env_sim_new(uint64_t seed)
{
    struct sim_env *env = mem_alloc(sizeof(*env));
    env->base.ops = &sim_ops;
    env->random_state = seed;
    env->digest = seed;
    env->now_ns = SIM_START_NS;
    env->latency_min_us = SIM_LATENCY_MIN_US;
    env->latency_max_us = SIM_LATENCY_MAX_US;
    list_init(&env->loops);
    sim_streams_init(env);
    log_set_clock(log_wall_ns, &env->base);
    return &env->base;
}

void env_sim_free(struct env *world)
{
    if (world == NULL)
        return;
    struct sim_env *env = sim_env_of(world);
    ASSERT(list_empty(&env->loops));
    sim_streams_free(env);
    log_set_clock(NULL, NULL);
    mem_free(env);
}
