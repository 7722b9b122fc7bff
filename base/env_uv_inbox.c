/*
 * Messages to a loop of the real world, and completions due on a fresh stack.
 *
 * Messages gather in a locked list. The bell, an eventfd, rings only for a loop that sleeps: before
 * it waits for input it looks once more and, finding nothing, lies down; the first to post then
 * rings and clears the mark. A message to a loop that is awake, its own above all, costs no system
 * call and runs after the input of the same turn. (uv_async is not used: it writes for every loop
 * alike, and the woken side spins until the writer has returned from its write.)
 *
 * Happy path: on_before (anything waiting? then do not sleep) -> libuv waits, reads, completes ->
 * on_after runs what is deferred and what was posted, a few rounds of it.
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/env_uv_impl.h"

/* Messages posted by messages run in the same turn so many times; input waits for no more. */
#define UV_INBOX_ROUNDS 4

/* ---- messages ---- */

/* Under the lock: must the caller ring? Its own thread is awake, whatever the mark says. */
static bool claim_bell(struct uv_env_loop *l)
{
    bool asleep = l->inbox.asleep;
    l->inbox.asleep = false;
    return asleep && !uv_env_on_loop(&l->base);
}

static void ring(struct uv_env_loop *l)
{
    uint64_t one = 1;
    ssize_t n;
    do {
        n = write(l->inbox.bell, &one, sizeof one);
    } while (n < 0 && errno == EINTR);
    ASSERT(n == sizeof one); /* the counter cannot be near its limit */
}

void uv_env_post(struct env_loop *loop, struct env_msg *m)
{
    struct uv_env_loop *l = uv_env_loop_of(loop);
    pthread_mutex_lock(&l->inbox.lock);
    list_append(&l->inbox.messages, &m->node);
    bool must_ring = claim_bell(l);
    pthread_mutex_unlock(&l->inbox.lock);
    if (must_ring)
        ring(l);
}

void uv_inbox_wake(struct uv_env_loop *l)
{
    pthread_mutex_lock(&l->inbox.lock);
    bool must_ring = claim_bell(l);
    pthread_mutex_unlock(&l->inbox.lock);
    if (must_ring)
        ring(l);
}

/* False: there was none. */
static bool run_messages(struct uv_env_loop *l)
{
    struct list batch;
    list_init(&batch);
    pthread_mutex_lock(&l->inbox.lock);
    l->inbox.asleep = false;
    list_move(&batch, &l->inbox.messages);
    pthread_mutex_unlock(&l->inbox.lock);
    if (list_empty(&batch))
        return false;
    struct list *node;
    while ((node = list_pop(&batch)) != NULL) {
        struct env_msg *m = container_of(node, struct env_msg, node);
        m->run(m);
    }
    return true;
}

/* ---- deferred completions ---- */

void uv_run_deferred(struct uv_env_loop *l)
{
    struct list batch;
    list_init(&batch);
    list_move(&batch, &l->deferred);
    struct list *node;
    while ((node = list_pop(&batch)) != NULL) {
        struct uv_deferred *d = container_of(node, struct uv_deferred, node);
        d->run(d);
    }
}

void uv_defer(struct uv_env_loop *l, struct uv_deferred *d, void (*run)(struct uv_deferred *d))
{
    uv_assert_on_loop(l);
    d->run = run;
    list_append(&l->deferred, &d->node);
}

/* ---- turns ---- */

static void on_busy(uv_idle_t *busy)
{
    (void)busy; /* its being active keeps libuv from waiting */
}

static void on_before(uv_prepare_t *before)
{
    struct uv_env_loop *l = container_of(before, struct uv_env_loop, inbox.before);
    bool work = !list_empty(&l->deferred);
    pthread_mutex_lock(&l->inbox.lock);
    /* env_loop_stop sets stopping before it looks at asleep. */
    work = work || !list_empty(&l->inbox.messages) || atomic_load(&l->stopping);
    l->inbox.asleep = !work;
    pthread_mutex_unlock(&l->inbox.lock);
    if (work)
        (void)uv_idle_start(&l->inbox.busy, on_busy); /* the callback is not NULL: cannot fail */
    else
        (void)uv_idle_stop(&l->inbox.busy); /* cannot fail */
}

static void on_after(uv_check_t *after)
{
    struct uv_env_loop *l = container_of(after, struct uv_env_loop, inbox.after);
    for (int round = 0; round < UV_INBOX_ROUNDS; round++) {
        uv_run_deferred(l);
        if (!run_messages(l))
            break;
    }
    if (atomic_load(&l->stopping))
        uv_stop(&l->uv);
}

static void on_bell(uv_poll_t *handle, int status, int events)
{
    (void)status; /* an eventfd does not fail, */
    (void)events; /* and only reading was asked for */
    struct uv_env_loop *l = container_of(handle, struct uv_env_loop, inbox.bell_handle);
    uint64_t rings;
    ssize_t n = read(l->inbox.bell, &rings, sizeof rings);
    ASSERT(n == sizeof rings || errno == EAGAIN || errno == EINTR); /* then it rings again */
}

/* ---- life ---- */

static void close_inbox(struct uv_owner *o)
{
    struct uv_inbox *inbox = container_of(o, struct uv_inbox, owner);
    uv_close((uv_handle_t *)&inbox->bell_handle, NULL);
    uv_close((uv_handle_t *)&inbox->before, NULL);
    uv_close((uv_handle_t *)&inbox->after, NULL);
    uv_close((uv_handle_t *)&inbox->busy, NULL);
}

void uv_inbox_init(struct uv_env_loop *l)
{
    struct uv_inbox *inbox = &l->inbox;
    list_init(&inbox->messages);
    list_init(&l->deferred);
    pthread_mutex_init(&inbox->lock, NULL);
    inbox->owner.close = close_inbox;
    inbox->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ASSERT(inbox->bell >= 0); /* only for want of memory or descriptors, at start */
    int rc = uv_poll_init(&l->uv, &inbox->bell_handle, inbox->bell);
    ASSERT(rc == 0); /* as above */
    rc = uv_poll_start(&inbox->bell_handle, UV_READABLE, on_bell);
    ASSERT(rc == 0);
    (void)uv_prepare_init(&l->uv, &inbox->before); /* none of these can fail */
    (void)uv_check_init(&l->uv, &inbox->after);
    (void)uv_idle_init(&l->uv, &inbox->busy);
    (void)uv_prepare_start(&inbox->before, on_before);
    (void)uv_check_start(&inbox->after, on_after);
    inbox->bell_handle.data = &inbox->owner;
    inbox->before.data = &inbox->owner;
    inbox->after.data = &inbox->owner;
    inbox->busy.data = &inbox->owner;
}

void uv_inbox_deinit(struct uv_env_loop *l)
{
    (void)close(l->inbox.bell); /* nothing was written that could be lost */
    pthread_mutex_destroy(&l->inbox.lock);
}
