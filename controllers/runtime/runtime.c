/* One generation of controllers: reflectors in, keys to passes, figures out (see runtime.h). */
#include "controllers/runtime/runtime.h"

#include <string.h>

#include "api/client/reflector.h"
#include "api/meta/object.h"
#include "base/assert.h"
#include "controllers/runtime/enqueue.h"
#include "controllers/runtime/impl.h"

/* ---- from changes to keys ---- */

static void dispatch(struct runtime *rt, const struct change *c)
{
    for (size_t i = 0; i < rt->engines_count; i++) {
        struct engine *en = &rt->engines[i];
        struct enqueue q = { .controller = en->controller,
                             .queue = en->queue,
                             .listers = rt->listers,
                             .flags = rt->config.flags };

        for (const struct watch *w = en->controller->watches; w->kind != KIND_NONE; w++)
            if (w->kind == c->kind)
                w->enqueue(&q, c);
    }
}

static void on_upsert(void *ctx, const struct lister_item *old, const struct lister_item *item)
{
    struct kind_source *src = ctx;
    struct change c = {
        .kind = src->kind, .old = old->bytes.len > 0 ? old : NULL, .now = item, .removed = false
    };

    dispatch(src->rt, &c);
}

static void on_removed(void *ctx, const struct lister_item *item)
{
    struct kind_source *src = ctx;
    struct change c = { .kind = src->kind, .now = item, .removed = true };

    dispatch(src->rt, &c);
}

static bool watches(const struct controller *c, enum kind kind)
{
    for (const struct watch *w = c->watches; w->kind != KIND_NONE; w++)
        if (w->kind == kind)
            return true;
    return false;
}

static bool is_read(const struct runtime *rt, enum kind kind, const struct lister_item *item)
{
    for (size_t i = 0; i < rt->engines_count; i++) {
        const struct controller *c = rt->engines[i].controller;

        if (watches(c, kind) && (c->reads == NULL || c->reads(kind, item)))
            return true;
    }
    return false;
}

static struct str keep(void *ctx, const struct lister_item *item, struct buf *scratch)
{
    const struct kind_source *src = ctx;

    if (is_read(src->rt, src->kind, item))
        return item->bytes;
    object_put_identity(scratch, item->bytes);
    return buf_str(scratch);
}

/* ---- from keys to passes ---- */

static void pump(struct engine *en)
{
    uint32_t most =
        en->controller->concurrency > 0 ? en->controller->concurrency : CONTROLLER_CONCURRENCY;
    struct str key;

    while (en->rt->synced && !en->rt->stopping && en->running < most &&
           workqueue_get(en->queue, &key)) {
        en->running++;
        pass_start(en, key);
    }
}

static void on_ready(void *ctx)
{
    pump(ctx);
}

static void post_gone(struct runtime *rt);

void runtime_pass_ended(struct engine *en)
{
    ASSERT(en->running > 0);
    en->running--;
    if (en->rt->stopping)
        post_gone(en->rt);
    else
        workqueue_kick(en->queue);
}

static bool all_synced(const struct runtime *rt)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (rt->sources[kind].reflector != NULL && !reflector_synced(rt->sources[kind].reflector))
            return false;
    return true;
}

static void on_advanced(void *ctx, uint64_t revision)
{
    struct kind_source *src = ctx;
    struct runtime *rt = src->rt;

    (void)revision; /* the lister knows; it may be another view than the reflector's */
    if (!rt->synced && all_synced(rt)) {
        rt->synced = true;
        for (size_t i = 0; i < rt->engines_count; i++)
            workqueue_kick(rt->engines[i].queue);
    }
    list_foreach_safe (node, &rt->passes) {
        struct pass *p = container_of(node, struct pass, node);

        if (p->writes_count > 0)
            pass_check(p);
    }
}

/* ---- figures ---- */

static void on_sample(struct env_timer *t)
{
    struct runtime *rt = container_of(t, struct runtime, sample_timer);
    struct workqueue_sample s;

    for (size_t i = 0; i < rt->engines_count; i++) {
        workqueue_sample(rt->engines[i].queue, &s);
        if (s.depth + s.processing + s.added + s.completed > 0)
            rt->config.publish.queue(rt->config.publish.ctx, &s);
    }
    env_timer_start(&rt->sample_timer, PUBLISH_INTERVAL_MS);
}

/* ---- life ---- */

static void add_source(struct runtime *rt, enum kind kind)
{
    struct kind_source *src = &rt->sources[kind];
    struct reflector_config config = { .client = rt->config.client,
                                       .kind = kind,
                                       .keep = keep,
                                       .upsert = on_upsert,
                                       .removed = on_removed,
                                       .advanced = on_advanced,
                                       .ctx = src };

    if (src->reflector != NULL)
        return;
    src->rt = rt;
    src->kind = kind;
    src->reflector = reflector_new(&config);
    if (rt->config.lister != NULL)
        rt->listers[kind] = rt->config.lister(rt->config.lister_ctx, kind);
    if (rt->listers[kind] == NULL)
        rt->listers[kind] = reflector_lister(src->reflector);
}

static void add_engine(struct runtime *rt, struct engine *en, const struct controller *c)
{
    struct workqueue_config config = {
        .loop = rt->config.loop, .name = c->name, .ready = on_ready, .ctx = en
    };

    en->rt = rt;
    en->controller = c;
    en->queue = workqueue_new(&config);
    memory_init(&en->memory);
    map_init(&en->failures);
    for (const struct watch *w = c->watches; w->kind != KIND_NONE; w++)
        add_source(rt, w->kind);
}

struct runtime *runtime_start(const struct runtime_config *config)
{
    struct runtime *rt = mem_alloc(sizeof(*rt));

    ASSERT(env_on_loop(config->loop));
    rt->config = *config;
    rt->nonce = env_random_u64(env_of(config->loop));
    list_init(&rt->passes);
    env_timer_init(config->loop, &rt->sample_timer, on_sample);
    rt->recorder = event_recorder_new(config->client, config->instance, config->term);
    while (config->controllers[rt->engines_count] != NULL)
        rt->engines_count++;
    rt->engines = mem_alloc(rt->engines_count * sizeof(*rt->engines));
    for (size_t i = 0; i < rt->engines_count; i++)
        add_engine(rt, &rt->engines[i], config->controllers[i]);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (rt->sources[kind].reflector != NULL)
            reflector_start(rt->sources[kind].reflector);
    if (config->publish.queue != NULL)
        env_timer_start(&rt->sample_timer, PUBLISH_INTERVAL_MS);
    return rt;
}

static void free_engine(struct engine *en)
{
    map_foreach (it, &en->failures)
        mem_free(it.value);
    map_deinit(&en->failures);
    memory_deinit(&en->memory);
    workqueue_free(en->queue);
}

static void on_gone(struct env_msg *m)
{
    struct runtime *rt = container_of(m, struct runtime, stopped_msg);
    void (*stopped)(void *ctx) = rt->config.stopped;
    void *ctx = rt->config.ctx;

    for (int kind = 0; kind < KIND_COUNT; kind++)
        reflector_free(rt->sources[kind].reflector);
    event_recorder_free(rt->recorder);
    for (size_t i = 0; i < rt->engines_count; i++)
        free_engine(&rt->engines[i]);
    mem_free(rt->engines);
    env_timer_deinit(&rt->sample_timer);
    mem_free(rt);
    if (stopped != NULL)
        stopped(ctx);
}

static void post_gone(struct runtime *rt)
{
    if (!list_empty(&rt->passes) || rt->gone_posted)
        return;
    rt->gone_posted = true;
    env_post(rt->config.loop, &rt->stopped_msg, on_gone);
}

void runtime_stop(struct runtime *rt)
{
    ASSERT(env_on_loop(rt->config.loop));
    if (rt->stopping)
        return;
    rt->stopping = true;
    env_timer_stop(&rt->sample_timer);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (rt->sources[kind].reflector != NULL)
            reflector_stop(rt->sources[kind].reflector);
    list_foreach_safe (node, &rt->passes)
        pass_cancel(container_of(node, struct pass, node));
    post_gone(rt);
}

void runtime_fenced(struct runtime *rt)
{
    if (rt->stopping)
        return;
    runtime_stop(rt);
    if (rt->config.fenced != NULL)
        rt->config.fenced(rt->config.ctx);
}

bool runtime_idle(const struct runtime *rt)
{
    struct workqueue_sample s;

    if (!rt->synced || !list_empty(&rt->passes))
        return false;
    for (size_t i = 0; i < rt->engines_count; i++) {
        workqueue_peek(rt->engines[i].queue, &s);
        if (s.depth > 0 || s.processing > 0)
            return false;
    }
    return true;
}
