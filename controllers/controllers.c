/* The set of controllers a member runs, and its generations under changing leadership. */
#include "controllers/controllers.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env.h"
#include "base/list.h"
#include "controllers/deployment.h"
#include "controllers/disruption.h"
#include "controllers/garbagecollector.h"
#include "controllers/namespace.h"
#include "controllers/nodelifecycle.h"
#include "controllers/podgc.h"
#include "controllers/replicaset.h"
#include "controllers/runtime/runtime.h"
#include "controllers/serviceaccount.h"

static const struct controller *const all_controllers[] = {
    &namespace_controller,     &garbagecollector_controller,
    &replicaset_controller,    &deployment_controller,
    &nodelifecycle_controller, &serviceaccount_controller,
    &rootca_controller,        &podgc_controller,
    &disruption_controller,    NULL
};

/* One start; it outlives the next one until its last completion is back. */
struct generation {
    struct controllers *owner;
    struct runtime *runtime;
};

struct controllers {
    struct controllers_config config;
    char *instance;
    char *root_ca;
    struct generation *current;
    size_t live; /* generations not gone yet */
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
    struct env_msg closed_msg;
};

void controllers_flags_default(struct controllers_flags *f)
{
    *f = (struct controllers_flags){ .node_grace_ms = 40000,
                                     .node_startup_grace_ms = 60000,
                                     .orphan_quarantine_ms = 40000,
                                     .terminated_pods_max = 12500 };
}

struct controllers *controllers_new(const struct controllers_config *config)
{
    struct controllers *c = mem_alloc(sizeof(*c));
    struct str pem = config->flags.root_ca_pem;

    c->config = *config;
    c->instance = mem_strdup(config->instance != NULL ? config->instance : "");
    c->config.instance = c->instance;
    c->root_ca = mem_dup(pem.data, pem.len);
    c->config.flags.root_ca_pem = str_of(c->root_ca, pem.len);
    return c;
}

static void on_closed(struct env_msg *m)
{
    struct controllers *c = container_of(m, struct controllers, closed_msg);
    void (*closed)(void *ctx) = c->closed;
    void *ctx = c->closed_ctx;

    mem_free(c->instance);
    mem_free(c->root_ca);
    mem_free(c);
    if (closed != NULL)
        closed(ctx);
}

static void maybe_closed(struct controllers *c)
{
    if (c->closing && c->live == 0)
        env_post(c->config.loop, &c->closed_msg, on_closed);
}

static void on_stopped(void *ctx)
{
    struct generation *g = ctx;
    struct controllers *c = g->owner;

    mem_free(g);
    c->live--;
    maybe_closed(c);
}

static void on_fenced(void *ctx)
{
    struct generation *g = ctx;
    struct controllers *c = g->owner;

    if (c->current == g)
        c->current = NULL;
    if (c->config.fenced != NULL)
        c->config.fenced(c->config.ctx);
}

void controllers_start(struct controllers *c, uint64_t term)
{
    struct generation *g;
    struct runtime_config config = { .loop = c->config.loop,
                                     .client = c->config.client,
                                     .lister = c->config.lister,
                                     .lister_ctx = c->config.lister_ctx,
                                     .controllers = all_controllers,
                                     .flags = &c->config.flags,
                                     .publish = c->config.publish,
                                     .instance = c->instance,
                                     .term = term,
                                     .fenced = on_fenced,
                                     .stopped = on_stopped };

    ASSERT(!c->closing);
    controllers_stop(c);
    g = mem_alloc(sizeof(*g));
    g->owner = c;
    config.ctx = g;
    c->live++;
    c->current = g;
    g->runtime = runtime_start(&config);
}

void controllers_stop(struct controllers *c)
{
    struct generation *g = c->current;

    c->current = NULL;
    if (g != NULL)
        runtime_stop(g->runtime);
}

void controllers_close(struct controllers *c, void (*closed)(void *ctx), void *ctx)
{
    ASSERT(!c->closing);
    c->closing = true;
    c->closed = closed;
    c->closed_ctx = ctx;
    controllers_stop(c);
    maybe_closed(c);
}
