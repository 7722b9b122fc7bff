/*
 * The simulated world: virtual time, loops, timers, work.
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
#define SIM_WORK_US_MAX    500u
#define SIM_LATENCY_MIN_US 100u
#define SIM_LATENCY_MAX_US 2000u

struct sim_host *sim_host_of(struct env *env)
{
    return container_of(env, struct sim_host, base);
}

struct sim_env *sim_env_of(struct env *env)
{
    return sim_host_of(env)->world;
}

struct sim_loop *sim_loop_of(struct env_loop *loop)
{
    return container_of(loop, struct sim_loop, base);
}

static struct sim_env *world_of(struct sim_loop *l)
{
    return l->host->world;
}

static uint64_t log_wall_ns(void *ctx)
{
    return sim_wall_ns(ctx);
}

void sim_assert_on_loop(struct sim_loop *l)
{
    struct sim_env *env = world_of(l);
    ASSERT(env->current == NULL || env->current == l);
}

/* ---- messages ---- */

struct sim_post {
    struct list node;
    struct sim_event event;
    struct env_msg *msg;
    const struct sim_host *from; /* NULL: the test's own code */
};

static void post_free(struct sim_post *post)
{
    sim_unschedule(&post->event);
    list_remove(&post->node);
    list_remove(&post->msg->node);
    mem_free(post);
}

static void run_message(struct sim_event *event)
{
    struct sim_post *post = container_of(event, struct sim_post, event);
    struct env_msg *m = post->msg;
    post_free(post);
    m->run(m);
}

/*
 * One event each: a message posted late in a slow event is not run before one that another loop
 * posted meanwhile. Equal times keep their order. The dead are heard by the dead alone, who may
 * still wait for each other (sim_loop_join).
 */
static void sim_post(struct env_loop *loop, struct env_msg *m)
{
    struct sim_loop *l = sim_loop_of(loop);
    struct sim_loop *from = world_of(l)->current;
    bool from_dead = from != NULL && from->dead;
    if (l->dead != from_dead || (from_dead && from->host != l->host))
        return;
    struct sim_post *post = mem_alloc(sizeof(*post));
    post->msg = m;
    post->from = from != NULL ? from->host : NULL;
    list_append(&l->inbox, &m->node);
    list_append(&l->posts, &post->node);
    sim_schedule(l, &post->event, 0, SIM_MESSAGE, run_message);
}

/* but: from that host they stay. */
static void drop_posts(struct sim_loop *l, const struct sim_host *but)
{
    list_foreach_safe (node, &l->posts) {
        struct sim_post *post = container_of(node, struct sim_post, node);
        if (but == NULL || post->from != but)
            post_free(post);
    }
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
    struct sim_loop *l = sim_loop_of(t->loop);
    sim_assert_on_loop(l);
    /* The delay is by the host's clock. */
    uint64_t ppm = (uint64_t)(1000000 + l->host->clock_ppm);
    uint64_t delay_ns = (uint64_t)((unsigned __int128)(delay_ms * ENV_MS) * 1000000u / ppm);
    sim_schedule(l, &box->event, delay_ns, SIM_TIMER, run_timer);
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
    uint64_t elapsed_ns = world_of(event->loop)->elapsed_ns;
    box->work->work(box->work);
    box->worked = true;
    sim_schedule(event->loop, event, work_delay_ns(event->loop), SIM_WORK, run_work);
    world_of(event->loop)->elapsed_ns = elapsed_ns; /* the pool was busy, not the loop */
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

/* Outside of events there is nothing that time could be put down to: it passes. */
static void pass_time(struct sim_env *env)
{
    if (env->current != NULL)
        return;
    env->now_ns += env->elapsed_ns;
    env->elapsed_ns = 0;
}

static bool sim_die(struct env *env)
{
    struct sim_host *host = sim_host_of(env);
    if (host->disk == NULL)
        return false; /* the world's own code */
    sim_host_die(host, false);
    return true;
}

static struct env_loop *sim_loop_new(struct env *env, const char *name)
{
    struct sim_host *host = sim_host_of(env);
    struct sim_env *world = host->world;
    struct sim_loop *l = mem_alloc(sizeof(*l));
    l->base.env = env;
    l->host = host;
    l->dead = !host->alive || (world->current != NULL && world->current->dead);
    l->disk = l->dead ? host->corpse : host->disk;
    (void)snprintf(l->name, sizeof(l->name), "%s", name); /* longer names are cut */
    l->index = world->loop_index++;
    list_init(&l->inbox);
    list_init(&l->posts);
    list_init(&l->timers);
    list_init(&l->works);
    list_init(&l->streams);
    list_append(l->dead ? &world->dead_loops : &world->loops, &l->node);
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

static void sim_loop_free(struct env_loop *loop)
{
    struct sim_loop *l = sim_loop_of(loop);
    struct sim_env *env = world_of(l);
    struct sim_loop *outer = env->current;
    if (l->dead && (outer == NULL || !outer->dead))
        return; /* its memory is not known to be there any more; it goes with the world */
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
    pass_time(env);
    drop_posts(l, NULL);
    ASSERT(l->heap_len == 0);
    list_remove(&l->node);
    mem_free(l->heap);
    mem_free(l);
}

void sim_loop_die(struct sim_loop *l)
{
    l->dead = true;
    drop_posts(l, l->host); /* what others posted may be embedded in what lives on */
    sim_streams_die(l);
    list_remove(&l->node);
    list_append(&world_of(l)->dead_loops, &l->node);
}

void sim_loop_release(struct sim_loop *l)
{
    struct list *node;
    ASSERT(l->dead);
    while ((node = list_pop(&l->posts)) != NULL)
        mem_free(container_of(node, struct sim_post, node));
    while ((node = list_pop(&l->timers)) != NULL)
        mem_free(container_of(node, struct sim_timer, node));
    while ((node = list_pop(&l->works)) != NULL)
        mem_free(container_of(node, struct sim_work, node));
    sim_streams_release(l);
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

/* When its next event may run. */
static uint64_t loop_due_ns(const struct sim_loop *l)
{
    uint64_t due_ns = l->heap[1]->due_ns;
    return due_ns > l->busy_until_ns ? due_ns : l->busy_until_ns;
}

/* Chooses among the loops with something due; NULL when none has. */
static struct sim_loop *pick_due(struct sim_env *env)
{
    uint64_t count = 0;
    list_foreach (node, &env->loops) {
        struct sim_loop *l = container_of(node, struct sim_loop, node);
        count += loop_runs(l) && loop_due_ns(l) <= env->now_ns;
    }
    if (count == 0)
        return NULL;
    uint64_t chosen = sim_random(env, count);
    list_foreach (node, &env->loops) {
        struct sim_loop *l = container_of(node, struct sim_loop, node);
        if (loop_runs(l) && loop_due_ns(l) <= env->now_ns && chosen-- == 0)
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
        if (!loop_runs(l) || (any && loop_due_ns(l) >= *out_ns))
            continue;
        *out_ns = loop_due_ns(l);
        any = true;
    }
    return any;
}

static void run_first(struct sim_env *env, struct sim_loop *l)
{
    struct sim_loop *outer = env->current;
    struct sim_event *event = l->heap[1];
    sim_unschedule(event);
    sim_mix(env, sim_time_ns(env));
    sim_mix(env, l->index << 8 | (uint64_t)event->kind);
    env->current = l;
    event->run(event);
    env->current = outer;
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
    env->elapsed_ns = 0;
    env->now_ns += SIM_EVENT_COST_NS;
    run_first(env, l);
    if (env->elapsed_ns > 0)
        l->busy_until_ns = sim_time_ns(env);
    env->elapsed_ns = 0;
    return true;
}

/*
 * Runs the loop's events, and no other's, until it has stopped, which the caller waits for. Time
 * passes for the caller as it would: all of the loop's events are part of the caller's. When both
 * die meanwhile it goes on all the same: what the caller does next may count on it.
 */
static void sim_loop_join(struct env_loop *loop)
{
    struct sim_loop *l = sim_loop_of(loop);
    struct sim_env *env = world_of(l);
    ASSERT(env->current != l);
    if (l->dead && (env->current == NULL || !env->current->dead))
        return;
    while (loop_runs(l)) {
        uint64_t due_ns = loop_due_ns(l);
        if (due_ns > sim_time_ns(env) && env->current != NULL)
            env->elapsed_ns = due_ns - env->now_ns;
        else if (due_ns > env->now_ns && env->current == NULL)
            env->now_ns = due_ns;
        run_first(env, l);
        pass_time(env);
    }
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

const struct env_sim_faults *env_sim_faults(const struct env *env)
{
    return &container_of(env, const struct sim_host, base)->world->faults;
}

const struct env_ops sim_ops = { .real = false,
                                 .die = sim_die,
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
                                 .resolve = sim_resolve,
                                 .resolve_cancel = sim_resolve_cancel,
                                 .stream_start = sim_stream_start,
                                 .stream_write = sim_stream_write,
                                 .stream_queued = sim_stream_queued,
                                 .stream_pause = sim_stream_pause,
                                 .stream_resume = sim_stream_resume,
                                 .stream_shutdown = sim_stream_shutdown,
                                 .stream_close = sim_stream_close,
                                 .stream_broken = sim_stream_broken,
                                 .stream_peer_limit = sim_stream_peer_limit,
                                 .stream_peer = sim_stream_peer,
                                 .stream_peer_cred = sim_stream_peer_cred };

struct env *env_sim_new(uint64_t seed)
{
    struct sim_env *env = mem_alloc(sizeof(*env));
    env->random_state = seed;
    env->digest = seed;
    env->now_ns = SIM_START_NS;
    env->latency_min_us = SIM_LATENCY_MIN_US;
    env->latency_max_us = SIM_LATENCY_MAX_US;
    list_init(&env->loops);
    list_init(&env->dead_loops);
    list_init(&env->hosts);
    list_init(&env->dead_disks);
    sim_host_init(&env->self, env, "");
    sim_streams_init(env);
    sim_links_init(env);
    log_set_clock(log_wall_ns, &env->self.base);
    return &env->self.base;
}

void env_sim_free(struct env *world)
{
    if (world == NULL)
        return;
    struct sim_env *env = sim_env_of(world);
    ASSERT(&env->self.base == world);
    ASSERT(list_empty(&env->loops));
    while (!list_empty(&env->dead_loops))
        sim_loop_release(container_of(env->dead_loops.next, struct sim_loop, node));
    sim_streams_free(env);
    sim_links_free(env);
    sim_hosts_free(env);
    log_set_clock(NULL, NULL);
    mem_free(env);
}
