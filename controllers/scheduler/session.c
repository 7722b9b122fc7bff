/*
 * One generation of the scheduler: watches in, decisions, figures out.
 *
 *   reflectors -> track.c -> snapshot, queue -> pump -> decide -> bind.c (or refusal)
 *
 * Decisions begin when nodes and pods are both listed: with half a picture every pod would be
 * refused, or placed on what is taken. Stop cancels; the session goes when nothing is in flight.
 */
#include "controllers/scheduler/session.h"

#include <string.h>

#include "api/client/reflector.h"
#include "base/arena.h"
#include "base/assert.h"
#include "controllers/scheduler/impl.h"

uint64_t session_now_ms(const struct session *s)
{
    return env_loop_now_ms(s->config->loop);
}

/* ---- telling ---- */

void session_publish(struct session *s, const struct sched_pod *p, enum scheduling_step step,
                     struct str message, const struct binding *b)
{
    struct env *env = env_of(s->config->loop);
    struct scheduling_event ev = { .step = step,
                                   .namespace = p->namespace,
                                   .name = p->name,
                                   .uid = p->uid,
                                   .node = p->node,
                                   .message = message,
                                   .revision = p->revision,
                                   .wall_ns = env_wall_ns(env),
                                   .attempt = p->queue.attempts };

    if (s->config->publish.scheduling == NULL)
        return;
    if (b != NULL) {
        ev.queued_ns = b->queued_ns;
        ev.decide_ns = b->decide_ns;
        ev.bind_ns = b->began_ns > 0 ? env_now_ns(env) - b->began_ns : 0;
        ev.nodes = b->looked;
        ev.nodes_fit = b->fit;
    }
    s->config->publish.scheduling(s->config->publish.ctx, &ev);
}

static uint64_t oldest_ms(const struct session *s)
{
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < s->queue.active.count; i++)
        if (s->queue.active.items[i]->added_ms < first)
            first = s->queue.active.items[i]->added_ms;
    return first == UINT64_MAX ? 0 : session_now_ms(s) - first;
}

static void on_sample(struct env_timer *t)
{
    struct session *s = container_of(t, struct session, sample_timer);
    uint64_t now = session_now_ms(s);
    struct workqueue_sample sample = { .name = "scheduler",
                                       .depth = s->queue.active.count,
                                       .processing = s->bindings,
                                       .delayed =
                                           s->queue.backoff.count + s->queue.unschedulable_count,
                                       .oldest_ms = oldest_ms(s),
                                       .added = s->added,
                                       .completed = s->completed,
                                       .retried = s->retried,
                                       .interval_ms = now - s->sampled_ms };

    if (sample.depth + sample.processing + sample.delayed + sample.added + sample.completed > 0)
        s->config->publish.queue(s->config->publish.ctx, &sample);
    s->added = s->completed = s->retried = 0;
    s->sampled_ms = now;
    env_timer_start(&s->sample_timer, PUBLISH_INTERVAL_MS);
}

/* ---- deciding ---- */

static bool ready(const struct session *s)
{
    return !s->stopping && reflector_synced(s->node_reflector) &&
           reflector_synced(s->pod_reflector);
}

static void try_one(struct session *s, struct queue_entry *e)
{
    struct sched_pod *p = container_of(e, struct sched_pod, queue);
    struct env *env = env_of(s->config->loop);
    uint64_t began = env_now_ns(env);
    struct decision d;

    decide(&s->snapshot, &p->row, s->seed + ++s->sequence, &d);
    if (d.node != NULL)
        bind_start(p, &d, env_now_ns(env) - began);
    else
        refuse(p, &d, env_now_ns(env) - began);
}

static void pump(struct session *s)
{
    uint64_t now = session_now_ms(s), next = queue_tick(&s->queue, now);

    for (int i = 0; i < DECISIONS_PER_TURN && s->bindings < BINDINGS_MAX; i++) {
        struct queue_entry *e = queue_pop(&s->queue, now);

        if (e == NULL)
            break;
        try_one(s, e);
    }
    next = queue_tick(&s->queue, now);
    if (s->queue.active.count > 0 && s->bindings < BINDINGS_MAX)
        session_kick(s);
    if (next != UINT64_MAX)
        env_timer_start(&s->timer, next > now ? next - now : 0);
}

static void on_pump(struct env_msg *m)
{
    struct session *s = container_of(m, struct session, pump_msg);

    s->pump_posted = false;
    if (ready(s))
        pump(s);
    session_ended_one(s);
}

void session_kick(struct session *s)
{
    if (s->pump_posted || s->stopping)
        return;
    s->pump_posted = true;
    env_post(s->config->loop, &s->pump_msg, on_pump);
}

static void on_timer(struct env_timer *t)
{
    session_kick(container_of(t, struct session, timer));
}

static void on_advanced(void *ctx, uint64_t revision)
{
    (void)revision; /* what it brought was tracked; a first list may make the session ready */
    session_kick(ctx);
}

/* ---- life ---- */

struct session *session_start(struct scheduler *owner, struct scheduler_config *config,
                              uint64_t term)
{
    struct session *s = mem_alloc(sizeof(*s));
    struct env *env = env_of(config->loop);
    struct reflector_config nodes = { .client = config->client,
                                      .kind = KIND_NODE,
                                      .keys_only = true,
                                      .upsert = track_node,
                                      .removed = track_node_gone,
                                      .advanced = on_advanced,
                                      .ctx = s };
    struct reflector_config pods = nodes;

    pods.kind = KIND_POD;
    pods.upsert = track_pod;
    pods.removed = track_pod_gone;
    s->owner = owner;
    s->config = config;
    s->term = term;
    s->nonce = env_random_u64(env);
    s->seed = config->seed != 0 ? config->seed : env_random_u64(env);
    snapshot_init(&s->snapshot);
    queue_init(&s->queue);
    map_init(&s->pods);
    list_init(&s->patches);
    env_timer_init(config->loop, &s->timer, on_timer);
    env_timer_init(config->loop, &s->sample_timer, on_sample);
    s->recorder = event_recorder_new(config->client, config->instance, term);
    s->node_reflector = reflector_new(&nodes);
    s->pod_reflector = reflector_new(&pods);
    reflector_start(s->node_reflector);
    reflector_start(s->pod_reflector);
    s->sampled_ms = session_now_ms(s);
    if (config->publish.queue != NULL)
        env_timer_start(&s->sample_timer, PUBLISH_INTERVAL_MS);
    return s;
}

static void on_gone(struct env_msg *m)
{
    struct session *s = container_of(m, struct session, gone_msg);
    struct scheduler *owner = s->owner;

    reflector_free(s->node_reflector);
    reflector_free(s->pod_reflector);
    event_recorder_free(s->recorder);
    map_foreach (it, &s->pods) {
        struct sched_pod *p = it.value;

        sched_pod_unplace(p);
        sched_pod_free(p);
    }
    map_deinit(&s->pods);
    queue_deinit(&s->queue);
    snapshot_deinit(&s->snapshot);
    env_timer_deinit(&s->timer);
    env_timer_deinit(&s->sample_timer);
    mem_free(s);
    scheduler_session_gone(owner);
}

void session_ended_one(struct session *s)
{
    if (!s->stopping || s->gone_posted || s->bindings > 0 || !list_empty(&s->patches) ||
        s->pump_posted)
        return;
    s->gone_posted = true;
    env_post(s->config->loop, &s->gone_msg, on_gone);
}

void session_stop(struct session *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    env_timer_stop(&s->timer);
    env_timer_stop(&s->sample_timer);
    reflector_stop(s->node_reflector);
    reflector_stop(s->pod_reflector);
    s->bindings++; /* holds the session while bindings end one by one */
    map_foreach (it, &s->pods) {
        struct sched_pod *p = it.value;

        if (p->binding != NULL)
            bind_cancel(p->binding);
    }
    s->bindings--;
    refuse_cancel(s);
    session_ended_one(s);
}

void session_fenced(struct session *s)
{
    if (s->stopping)
        return;
    session_stop(s);
    scheduler_session_fenced(s->owner, s);
}
