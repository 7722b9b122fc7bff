/*
 * The real world's own structs: private to base's env_uv files.
 *
 * Every libuv handle's data points to a struct uv_owner, so that freeing a loop can close whatever
 * is still open on it.
 */
#ifndef BASE_ENV_UV_IMPL_H
#define BASE_ENV_UV_IMPL_H

#include <pthread.h>
#include <uv.h>

#include "base/env_impl.h"

#define UV_LOOP_NAME_BYTES 16          /* the kernel's limit for a thread's name */
#define UV_READ_BYTES      (64u << 10) /* one read; the buffer is shared by a loop's streams */

/* What a handle belongs to; close closes the whole owner. */
struct uv_owner {
    void (*close)(struct uv_owner *o);
};

/* Messages from any thread, and how a sleeping loop learns of them. */
struct uv_inbox {
    pthread_mutex_t lock; /* messages and asleep */
    struct list messages; /* env_msg */
    bool asleep;          /* the loop is about to wait, or waits: who posts rings the bell */
    int bell;             /* eventfd */
    uv_poll_t bell_handle;
    uv_prepare_t before; /* before the loop waits for input */
    uv_check_t after;    /* after it */
    uv_idle_t busy;      /* active: do not wait */
    struct uv_owner owner;
};

struct uv_env_loop {
    struct env_loop base;
    uv_loop_t uv;
    char name[UV_LOOP_NAME_BYTES];
    pthread_t thread;
    bool started;
    _Atomic bool running;
    _Atomic bool stopping;
    bool freeing;

    struct uv_inbox inbox;
    struct list deferred; /* uv_deferred, this thread: completions due on a fresh stack */

    uv_signal_t signals[2];
    struct uv_owner signal_owner;
    bool signals_open;
    void (*on_signal)(void *ctx, int signal);
    void *signal_ctx;

    char read_buffer[UV_READ_BYTES];
};

/* A completion that must not fire inside the call that caused it. */
struct uv_deferred {
    struct list node;
    void (*run)(struct uv_deferred *d);
};

void uv_inbox_init(struct uv_env_loop *l);
void uv_inbox_deinit(struct uv_env_loop *l); /* its handles are closed */
/* Makes the loop take a turn. Any thread. */
void uv_inbox_wake(struct uv_env_loop *l);
void uv_env_post(struct env_loop *loop, struct env_msg *m);
void uv_run_deferred(struct uv_env_loop *l);

struct uv_env_loop *uv_env_loop_of(struct env_loop *loop);
/* Asserts that this is the loop's thread, or that the loop does not run (set-up, tear-down). */
void uv_assert_on_loop(struct uv_env_loop *l);
bool uv_env_on_loop(const struct env_loop *loop);
void uv_defer(struct uv_env_loop *l, struct uv_deferred *d, void (*run)(struct uv_deferred *d));
/* A libuv status (negative) as our code (positive). */
enum err_code uv_err_code(int status);

/* Streams, listeners and connections (env_uv_stream.c, env_uv_connect.c). */

union uv_any_stream {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct uv_env_stream {
    struct env_stream base;
    struct uv_owner owner;
    union uv_any_stream uv;
    const struct env_stream_events *events;
    void *ctx;
    bool paused;
    bool ended;     /* end was reported */
    bool failed;    /* output is dropped from here on */
    bool above_low; /* drained is owed */
    bool shut;
    bool closing;
    bool defer_pending; /* deferred is queued */
    int end_status;     /* what the deferred end reports */
    struct uv_deferred deferred;
    char peer[64];
};

/* A numeric address or a path. */
struct uv_address {
    enum { UV_ADDRESS_TCP, UV_ADDRESS_UNIX, UV_ADDRESS_FD } type;
    struct sockaddr_storage ip;
    char path[108];
    int fd;
};

int uv_address_parse(const char *text, struct uv_address *out, struct err *e);

struct uv_env_stream *uv_stream_new(struct uv_env_loop *l, bool tcp);
/* The handle is connected: learn the peer, send small writes at once. */
void uv_stream_connected(struct uv_env_stream *s);

int uv_env_listen(struct env_loop *loop, const char *address, bool reuse_port,
                  void (*accept)(void *ctx, struct env_stream *s), void *ctx,
                  struct env_listener **out, struct err *e);
void uv_env_listener_close(struct env_listener *l);
int uv_env_listener_port(const struct env_listener *l);
void uv_env_connect(struct env_connect *c, const char *address, uint64_t timeout_ms);
void uv_env_connect_cancel(struct env_connect *c);
void uv_env_resolve(struct env_resolve *r, const char *address); /* env_uv_resolve.c */
void uv_env_resolve_cancel(struct env_resolve *r);
void uv_env_stream_start(struct env_stream *s, const struct env_stream_events *events, void *ctx);
void uv_env_stream_write(struct env_stream *s, struct str bytes);
size_t uv_env_stream_queued(const struct env_stream *s);
void uv_env_stream_pause(struct env_stream *s);
void uv_env_stream_resume(struct env_stream *s);
void uv_env_stream_shutdown(struct env_stream *s);
void uv_env_stream_close(struct env_stream *s);
bool uv_env_stream_broken(const struct env_stream *s);
void uv_env_stream_peer_limit(struct env_stream *s, uint64_t limit_ms);
const char *uv_env_stream_peer(const struct env_stream *s);
int uv_env_stream_peer_cred(const struct env_stream *s, struct env_peer_cred *out);

#endif
