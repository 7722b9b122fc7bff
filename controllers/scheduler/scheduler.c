/* The scheduler's life under changing leadership: one session per term. */
#include "controllers/scheduler/scheduler.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/env.h"
#include "controllers/scheduler/session.h"

struct scheduler {
    struct scheduler_config config;
    char *name;
    char *instance;
    struct session *current;
    size_t live; /* sessions not gone yet */
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
    struct env_msg closed_msg;
};

struct scheduler *scheduler_new(const struct scheduler_config *config)
{
    struct scheduler *s = mem_alloc(sizeof(*s));

    s->config = *config;
    s->name = mem_strdup(config->name != NULL ? config->name : "default-scheduler");
    s->instance = mem_strdup(config->instance != NULL ? config->instance : "");
    s->config.name = s->name;
    s->config.instance = s->instance;
    return s;
}

void scheduler_start(struct scheduler *s, uint64_t term)
{
    ASSERT(!s->closing);
    scheduler_stop(s);
    s->live++;
    s->current = session_start(s, &s->config, term);
}

void scheduler_stop(struct scheduler *s)
{
    struct session *session = s->current;

    s->current = NULL;
    if (session != NULL)
        session_stop(session);
}

static void on_closed(struct env_msg *m)
{
    struct scheduler *s = container_of(m, struct scheduler, closed_msg);
    void (*closed)(void *ctx) = s->closed;
    void *ctx = s->closed_ctx;

    mem_free(s->name);
    mem_free(s->instance);
    mem_free(s);
    if (closed != NULL)
        closed(ctx);
}

static void maybe_closed(struct scheduler *s)
{
    if (s->closing && s->live == 0)
        env_post(s->config.loop, &s->closed_msg, on_closed);
}

void scheduler_session_gone(struct scheduler *s)
{
    s->live--;
    maybe_closed(s);
}

void scheduler_session_fenced(struct scheduler *s, struct session *session)
{
    if (s->current == session)
        s->current = NULL;
    if (s->config.fenced != NULL)
        s->config.fenced(s->config.ctx);
}

void scheduler_close(struct scheduler *s, void (*closed)(void *ctx), void *ctx)
{
    ASSERT(!s->closing);
    s->closing = true;
    s->closed = closed;
    s->closed_ctx = ctx;
    scheduler_stop(s);
    maybe_closed(s);
}
