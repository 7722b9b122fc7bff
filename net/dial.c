/*
 * Happy path: lookup -> on_resolved -> the first address -> on_connected -> done. A failure there
 * goes on with the next address. Timeout and cancel note why, cancel what is under way, and its
 * completion ends the dial.
 */
#include "net/dial.h"

#include "base/arena.h"
#include "base/assert.h"

struct dial_try {
    struct dial *dial;
    struct env_loop *loop;
    struct env_resolve resolve;
    struct env_connect connect;
    struct env_timer timer; /* the limit of it all */
    uint64_t deadline_ms;
    size_t tried;
    bool resolving;
    int stop; /* 0, or why nothing more is tried */
};

static void finish(struct dial_try *t, struct env_stream *stream, int status)
{
    struct dial *d = t->dial;

    env_timer_deinit(&t->timer);
    mem_free(t);
    d->at = NULL;
    d->done(d, stream, status);
}

static void on_connected(struct env_connect *connect, struct env_stream *stream, int status);

/* status: of what was tried last. */
static void go_on(struct dial_try *t, int status)
{
    uint64_t now_ms = env_loop_now_ms(t->loop);
    uint64_t left_ms = now_ms < t->deadline_ms ? t->deadline_ms - now_ms : 0;
    size_t left = t->resolve.count - t->tried;

    /* Canceled by nobody here: the loop ends. */
    if (t->stop != 0 || left == 0 || status == -ERR_CANCELED) {
        finish(t, NULL, t->stop != 0 ? t->stop : status);
        return;
    }
    env_connect(t->loop, &t->connect, t->resolve.addresses[t->tried++], left_ms / left + 1,
                on_connected);
}

static void on_connected(struct env_connect *connect, struct env_stream *stream, int status)
{
    struct dial_try *t = container_of(connect, struct dial_try, connect);

    if (status == 0 && t->stop != 0)
        env_stream_close(stream);
    if (status == 0 && t->stop == 0)
        finish(t, stream, 0);
    else
        go_on(t, status);
}

static void on_resolved(struct env_resolve *resolve, int status)
{
    struct dial_try *t = container_of(resolve, struct dial_try, resolve);

    t->resolving = false;
    if (status != 0)
        t->resolve.count = 0;
    go_on(t, status);
}

static void stop(struct dial_try *t, int why)
{
    if (t->stop != 0)
        return;
    t->stop = why;
    if (t->resolving)
        env_resolve_cancel(&t->resolve);
    else
        env_connect_cancel(&t->connect);
}

static void on_timeout(struct env_timer *timer)
{
    stop(container_of(timer, struct dial_try, timer), -ERR_TIMEOUT);
}

void dial_start(struct dial *d, struct env_loop *loop, const char *address, uint64_t timeout_ms,
                void (*done)(struct dial *d, struct env_stream *stream, int status))
{
    struct dial_try *t = mem_alloc(sizeof(*t));

    ASSERT(d->at == NULL);
    d->at = t;
    d->done = done;
    t->dial = d;
    t->loop = loop;
    t->deadline_ms = env_loop_now_ms(loop) + timeout_ms;
    t->resolving = true;
    env_timer_init(loop, &t->timer, on_timeout);
    env_timer_start(&t->timer, timeout_ms);
    env_resolve(loop, &t->resolve, address, on_resolved);
}

void dial_cancel(struct dial *d)
{
    if (d->at != NULL)
        stop(d->at, -ERR_CANCELED);
}
