/* The public calls of the seam: each goes to its world's table. */
#include "base/env.h"

#include "base/assert.h"
#include "base/env_impl.h"

uint64_t env_now_ns(struct env *env)
{
    return env->ops->now_ns(env);
}

uint64_t env_wall_ns(struct env *env)
{
    return env->ops->wall_ns(env);
}

void env_random(struct env *env, void *out, size_t len)
{
    env->ops->random(env, out, len);
}

uint64_t env_random_u64(struct env *env)
{
    uint64_t v;
    env->ops->random(env, &v, sizeof(v));
    return v;
}

struct env_loop *env_loop_new(struct env *env, const char *name)
{
    return env->ops->loop_new(env, name);
}

void env_loop_start(struct env_loop *loop)
{
    loop->env->ops->loop_start(loop);
}

void env_loop_run(struct env_loop *loop)
{
    loop->env->ops->loop_run(loop);
}

void env_loop_stop(struct env_loop *loop)
{
    loop->env->ops->loop_stop(loop);
}

void env_loop_join(struct env_loop *loop)
{
    loop->env->ops->loop_join(loop);
}

void env_loop_free(struct env_loop *loop)
{
    if (loop != NULL)
        loop->env->ops->loop_free(loop);
}

struct env *env_of(struct env_loop *loop)
{
    return loop->env;
}

bool env_on_loop(const struct env_loop *loop)
{
    return loop->env->ops->on_loop(loop);
}

uint64_t env_loop_now_ms(struct env_loop *loop)
{
    return env_now_ns(loop->env) / ENV_MS;
}

void env_post(struct env_loop *loop, struct env_msg *m, void (*run)(struct env_msg *m))
{
    ASSERT(run != NULL);
    m->run = run;
    loop->env->ops->post(loop, m);
}

void env_timer_init(struct env_loop *loop, struct env_timer *t, void (*fire)(struct env_timer *t))
{
    *t = (struct env_timer){ .loop = loop, .fire = fire };
    loop->env->ops->timer_init(t);
}

void env_timer_start(struct env_timer *t, uint64_t delay_ms)
{
    ASSERT(t->impl != NULL);
    t->loop->env->ops->timer_start(t, delay_ms);
}

void env_timer_stop(struct env_timer *t)
{
    if (t->impl != NULL)
        t->loop->env->ops->timer_stop(t);
}

bool env_timer_active(const struct env_timer *t)
{
    return t->impl != NULL && t->loop->env->ops->timer_active(t);
}

void env_timer_deinit(struct env_timer *t)
{
    if (t->impl == NULL)
        return;
    t->loop->env->ops->timer_deinit(t);
    t->impl = NULL;
}

void env_work(struct env_loop *loop, struct env_work *w, void (*work)(struct env_work *w),
              void (*done)(struct env_work *w))
{
    *w = (struct env_work){ .loop = loop, .work = work, .done = done };
    loop->env->ops->work(w);
}

int env_listen(struct env_loop *loop, const char *address, bool reuse_port,
               void (*accept)(void *ctx, struct env_stream *s), void *ctx,
               struct env_listener **out, struct err *e)
{
    return loop->env->ops->listen(loop, address, reuse_port, accept, ctx, out, e);
}

void env_listener_close(struct env_listener *l)
{
    if (l != NULL)
        l->loop->env->ops->listener_close(l);
}

int env_listener_port(const struct env_listener *l)
{
    return l->loop->env->ops->listener_port(l);
}

void env_connect(struct env_loop *loop, struct env_connect *c, const char *address,
                 uint64_t timeout_ms,
                 void (*done)(struct env_connect *c, struct env_stream *s, int status))
{
    *c = (struct env_connect){ .loop = loop, .done = done };
    loop->env->ops->connect(c, address, timeout_ms != 0 ? timeout_ms : ENV_CONNECT_TIMEOUT_MS);
}

void env_connect_cancel(struct env_connect *c)
{
    if (c->impl != NULL)
        c->loop->env->ops->connect_cancel(c);
}

void env_stream_start(struct env_stream *s, const struct env_stream_events *events, void *ctx)
{
    s->loop->env->ops->stream_start(s, events, ctx);
}

void env_stream_write(struct env_stream *s, struct str bytes)
{
    s->loop->env->ops->stream_write(s, bytes);
}

size_t env_stream_queued(const struct env_stream *s)
{
    return s->loop->env->ops->stream_queued(s);
}

void env_stream_pause(struct env_stream *s)
{
    s->loop->env->ops->stream_pause(s);
}

void env_stream_resume(struct env_stream *s)
{
    s->loop->env->ops->stream_resume(s);
}

void env_stream_shutdown(struct env_stream *s)
{
    s->loop->env->ops->stream_shutdown(s);
}

void env_stream_close(struct env_stream *s)
{
    s->loop->env->ops->stream_close(s);
}

const char *env_stream_peer(const struct env_stream *s)
{
    return s->loop->env->ops->stream_peer(s);
}

struct env_loop *env_stream_loop(const struct env_stream *s)
{
    return s->loop;
}

int env_stream_peer_cred(const struct env_stream *s, struct env_peer_cred *out)
{
    return s->loop->env->ops->stream_peer_cred(s, out);
}
