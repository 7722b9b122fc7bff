/*
 * The real world: clock, randomness, loops, timers, the work pool, signals.
 *
 * A loop is one libuv loop with an inbox (env_uv_inbox.c).
 *
 * On free: every handle still open is closed through its owner, deferred completions run, messages
 * not yet run are dropped.
 */
#include "base/env_uv.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv_impl.h"
#include "base/log.h"

/* Pool threads: enough for a few slow disks or name servers beside each other. */
#define UV_POOL_THREADS "8"

/* Large buffers get a mapping of their own, so that freeing one gives it back, and a heap's free
 * end above the second bound is given back too. Set, because left alone glibc raises both after
 * the first large free, up to 32 MiB: what one moment needed then stays for good. */
#define UV_OWN_MAPPING_BYTES (1 << 20)
#define UV_TRIM_BYTES        (1 << 20)
#define RANDOM_KEPT_BYTES    512

static _Thread_local struct env_loop *current_loop;

struct uv_env_loop *uv_env_loop_of(struct env_loop *loop)
{
    return container_of(loop, struct uv_env_loop, base);
}

void uv_assert_on_loop(struct uv_env_loop *l)
{
    ASSERT(current_loop == &l->base || !atomic_load_explicit(&l->running, memory_order_relaxed));
}

enum err_code uv_err_code(int status)
{
    if (status == UV_EOF)
        return ERR_EOF;
    return err_from_errno(-status); /* libuv's numbers are negated errno values on Linux */
}

/* ---- clock and randomness ---- */

static uint64_t clock_ns(clockid_t id)
{
    struct timespec now;
    int rc = clock_gettime(id, &now);
    ASSERT(rc == 0);
    return (uint64_t)now.tv_sec * ENV_S + (uint64_t)now.tv_nsec;
}

static uint64_t uv_env_now_ns(struct env *env)
{
    (void)env; /* there is one real clock */
    return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t uv_env_wall_ns(struct env *env)
{
    (void)env; /* there is one real clock */
    return clock_ns(CLOCK_REALTIME);
}

static uint64_t log_wall_ns(void *ctx)
{
    return uv_env_wall_ns(ctx);
}

static void kernel_random(uint8_t *p, size_t len)
{
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        ASSERT(n > 0);
        p += n;
        len -= (size_t)n;
    }
}

/* The kernel's generator, asked for many of a thread's small wishes at once: every object made has
 * an id of random bytes. What was given is gone from here. */
static void uv_env_random(struct env *env, void *out, size_t len)
{
    static _Thread_local uint8_t kept[RANDOM_KEPT_BYTES];
    static _Thread_local size_t left;
    (void)env; /* there is one kernel */
    if (len > sizeof(kept) / 4) {
        kernel_random(out, len);
        return;
    }
    if (left < len) {
        kernel_random(kept, sizeof(kept));
        left = sizeof(kept);
    }
    left -= len;
    memcpy(out, kept + left, len);
    explicit_bzero(kept + left, len);
}

/* ---- loops ---- */

static struct env_loop *uv_env_loop_new(struct env *env, const char *name)
{
    struct uv_env_loop *l = mem_alloc(sizeof(*l));
    l->base.env = env;
    strncpy(l->name, name, sizeof(l->name) - 1);
    int rc = uv_loop_init(&l->uv);
    ASSERT(rc == 0); /* only for want of memory or descriptors, at start */
    uv_inbox_init(l);
    return &l->base;
}

static void uv_env_loop_run(struct env_loop *loop)
{
    struct uv_env_loop *l = uv_env_loop_of(loop);
    ASSERT(current_loop == NULL);
    current_loop = loop;
    while (!atomic_load(&l->stopping))
        (void)uv_run(&l->uv, UV_RUN_DEFAULT); /* returns on uv_stop; the inbox keeps it */
    current_loop = NULL;
    atomic_store(&l->running, false);
}

static void *loop_thread(void *arg)
{
    struct uv_env_loop *l = arg;
    pthread_setname_np(pthread_self(), l->name);
    uv_env_loop_run(&l->base);
    return NULL;
}

static void uv_env_loop_run_here(struct env_loop *loop)
{
    struct uv_env_loop *l = uv_env_loop_of(loop);
    ASSERT(!l->started);
    atomic_store(&l->running, true);
    uv_env_loop_run(loop);
    atomic_store(&l->stopping, false); /* it may be run again */
}

static void uv_env_loop_start(struct env_loop *loop)
{
    struct uv_env_loop *l = uv_env_loop_of(loop);
    ASSERT(!l->started);
    l->started = true;
    atomic_store(&l->running, true);
    int rc = pthread_create(&l->thread, NULL, loop_thread, l);
    ASSERT(rc == 0);
}

static void uv_env_loop_stop(struct env_loop *loop)
{
    struct uv_env_loop *l = uv_env_loop_of(loop);
    atomic_store(&l->stopping, true);
    uv_inbox_wake(l);
}

static void uv_env_loop_join(struct env_loop *loop)
{
    struct uv_env_loop *l = uv_env_loop_of(loop);
    if (!l->started)
        return;
    int rc = pthread_join(l->thread, NULL);
    ASSERT(rc == 0);
    l->started = false;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg; /* the handle's owner knows its loop */
    if (uv_is_closing(handle))
        return;
    struct uv_owner *o = handle->data;
    if (o != NULL)
        o->close(o);
    else
        uv_close(handle, NULL); /* libuv's own, or made by a user of the raw loop */
}

static void uv_env_loop_free(struct env_loop *loop)
{
    struct uv_env_loop *l = uv_env_loop_of(loop);
    ASSERT(!l->started);
    ASSERT(!atomic_load(&l->running));
    struct env_loop *outer = current_loop;
    current_loop = loop;
    l->freeing = true;
    do {
        uv_walk(&l->uv, close_handle, NULL);
        uv_run_deferred(l);
        (void)uv_run(&l->uv, UV_RUN_DEFAULT); /* until the closes and pool work are done */
    } while (uv_loop_alive(&l->uv) || !list_empty(&l->deferred));
    current_loop = outer;
    int rc = uv_loop_close(&l->uv);
    ASSERT(rc == 0);
    uv_inbox_deinit(l);
    mem_free(l);
}

bool uv_env_on_loop(const struct env_loop *loop)
{
    return current_loop == loop;
}

struct uv_loop_s *env_uv_loop(struct env_loop *loop)
{
    return &uv_env_loop_of(loop)->uv;
}

/* ---- timers ---- */

struct uv_env_timer {
    uv_timer_t uv;
    struct uv_owner owner;
    struct env_timer *timer;
};

static void on_timer(uv_timer_t *uv)
{
    struct uv_env_timer *box = container_of(uv, struct uv_env_timer, uv);
    box->timer->fire(box->timer);
}

static void on_timer_closed(uv_handle_t *handle)
{
    mem_free(container_of((uv_timer_t *)handle, struct uv_env_timer, uv));
}

static void close_timer(struct uv_owner *o)
{
    struct uv_env_timer *box = container_of(o, struct uv_env_timer, owner);
    uv_close((uv_handle_t *)&box->uv, on_timer_closed);
}

static void uv_env_timer_init(struct env_timer *t)
{
    struct uv_env_loop *l = uv_env_loop_of(t->loop);
    uv_assert_on_loop(l);
    struct uv_env_timer *box = mem_alloc(sizeof(*box));
    (void)uv_timer_init(&l->uv, &box->uv); /* cannot fail */
    box->owner.close = close_timer;
    box->uv.data = &box->owner;
    box->timer = t;
    t->impl = box;
}

static void uv_env_timer_start(struct env_timer *t, uint64_t delay_ms)
{
    struct uv_env_timer *box = t->impl;
    uv_assert_on_loop(uv_env_loop_of(t->loop));
    uv_update_time(box->uv.loop); /* the delay counts from now, not from the turn's start */
    (void)uv_timer_start(&box->uv, on_timer, delay_ms, 0); /* fails only when closing */
}

static void uv_env_timer_stop(struct env_timer *t)
{
    struct uv_env_timer *box = t->impl;
    uv_assert_on_loop(uv_env_loop_of(t->loop));
    (void)uv_timer_stop(&box->uv); /* cannot fail */
}

static bool uv_env_timer_active(const struct env_timer *t)
{
    const struct uv_env_timer *box = t->impl;
    return uv_is_active((const uv_handle_t *)&box->uv) != 0;
}

static void uv_env_timer_deinit(struct env_timer *t)
{
    struct uv_env_timer *box = t->impl;
    uv_assert_on_loop(uv_env_loop_of(t->loop));
    if (!uv_is_closing((uv_handle_t *)&box->uv))
        close_timer(&box->owner);
}

/* ---- work ---- */

struct uv_env_work {
    uv_work_t uv;
    struct env_work *work;
};

static void on_work(uv_work_t *uv)
{
    struct env_work *w = container_of(uv, struct uv_env_work, uv)->work;
    w->work(w);
}

static void on_work_done(uv_work_t *uv, int status)
{
    (void)status; /* never cancelled: there is no cancel call */
    struct uv_env_work *box = container_of(uv, struct uv_env_work, uv);
    struct env_work *w = box->work;
    mem_free(box);
    w->impl = NULL;
    w->done(w);
}

static void uv_env_work(struct env_work *w)
{
    struct uv_env_loop *l = uv_env_loop_of(w->loop);
    uv_assert_on_loop(l);
    struct uv_env_work *box = mem_alloc(sizeof(*box));
    box->work = w;
    w->impl = box;
    int rc = uv_queue_work(&l->uv, &box->uv, on_work, on_work_done);
    ASSERT(rc == 0);
}

/* ---- signals ---- */

static void on_signal(uv_signal_t *uv, int signal)
{
    struct uv_env_loop *l = container_of(uv->loop, struct uv_env_loop, uv);
    l->on_signal(l->signal_ctx, signal);
}

static void close_signals(struct uv_owner *o)
{
    struct uv_env_loop *l = container_of(o, struct uv_env_loop, signal_owner);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&l->signals[i], NULL);
}

void env_on_terminate(struct env_loop *loop, void (*on_signal_)(void *ctx, int signal), void *ctx)
{
    static const int numbers[2] = { SIGTERM, SIGINT };
    ASSERT(loop->env->ops->real);
    struct uv_env_loop *l = uv_env_loop_of(loop);
    uv_assert_on_loop(l);
    l->on_signal = on_signal_;
    l->signal_ctx = ctx;
    if (l->signals_open)
        return;
    l->signals_open = true;
    l->signal_owner.close = close_signals;
    for (int i = 0; i < 2; i++) {
        (void)uv_signal_init(&l->uv, &l->signals[i]); /* fails only for want of descriptors */
        l->signals[i].data = &l->signal_owner;
        (void)uv_signal_start(&l->signals[i], on_signal, numbers[i]); /* numbers are valid */
    }
}

/* ---- the world ---- */

static const struct env_ops uv_ops = { .real = true,
                                       .now_ns = uv_env_now_ns,
                                       .wall_ns = uv_env_wall_ns,
                                       .random = uv_env_random,
                                       .loop_new = uv_env_loop_new,
                                       .loop_start = uv_env_loop_start,
                                       .loop_run = uv_env_loop_run_here,
                                       .loop_stop = uv_env_loop_stop,
                                       .loop_join = uv_env_loop_join,
                                       .loop_free = uv_env_loop_free,
                                       .on_loop = uv_env_on_loop,
                                       .post = uv_env_post,
                                       .timer_init = uv_env_timer_init,
                                       .timer_start = uv_env_timer_start,
                                       .timer_stop = uv_env_timer_stop,
                                       .timer_active = uv_env_timer_active,
                                       .timer_deinit = uv_env_timer_deinit,
                                       .work = uv_env_work,
                                       .listen = uv_env_listen,
                                       .listener_close = uv_env_listener_close,
                                       .listener_port = uv_env_listener_port,
                                       .connect = uv_env_connect,
                                       .connect_cancel = uv_env_connect_cancel,
                                       .resolve = uv_env_resolve,
                                       .resolve_cancel = uv_env_resolve_cancel,
                                       .stream_start = uv_env_stream_start,
                                       .stream_write = uv_env_stream_write,
                                       .stream_queued = uv_env_stream_queued,
                                       .stream_pause = uv_env_stream_pause,
                                       .stream_resume = uv_env_stream_resume,
                                       .stream_shutdown = uv_env_stream_shutdown,
                                       .stream_close = uv_env_stream_close,
                                       .stream_broken = uv_env_stream_broken,
                                       .stream_peer_limit = uv_env_stream_peer_limit,
                                       .stream_peer = uv_env_stream_peer,
                                       .stream_peer_cred = uv_env_stream_peer_cred };

struct env *env_uv_new(void)
{
    struct env *env = mem_alloc(sizeof(*env));
    (void)mallopt(M_MMAP_THRESHOLD, UV_OWN_MAPPING_BYTES); /* the values are valid: cannot fail */
    (void)mallopt(M_TRIM_THRESHOLD, UV_TRIM_BYTES);
    env->ops = &uv_ops;
    env->fs = &env_posix_fs_ops;
    env->file = &env_posix_file_ops;
    (void)setenv("UV_THREADPOOL_SIZE", UV_POOL_THREADS, 0); /* an operator's own value wins */
    (void)signal(SIGPIPE, SIG_IGN);                         /* a valid signal: cannot fail */
    log_set_clock(log_wall_ns, env);
    return env;
}

void env_uv_free(struct env *env)
{
    if (env == NULL)
        return;
    log_set_clock(NULL, NULL);
    mem_free(env);
}
