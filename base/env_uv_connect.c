/*
 * Addresses, listeners and outgoing connections of the real world.
 *
 * A connection attempt is one box: the stream to be, its connect request, and the deadline's timer.
 * Whichever comes first decides the status; done is called from a close callback or the connect
 * callback, never from env_connect or env_connect_cancel. The box goes when the timer has closed
 * and the stream was handed over or has closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv_impl.h"

/* Connections that a listener takes before others on its loop have their turn. */
#define ACCEPTS_PER_TURN 64
/* How long it waits when it can take none: descriptors come back as connections end. */
#define ACCEPT_PAUSE_MS 100

/* ---- addresses ---- */

static int parse_tcp(struct str host, uint64_t port, struct uv_address *out)
{
    char text[64];
    if (port > 65535 || host.len == 0 || host.len >= sizeof(text))
        return -ERR_INVALID_ARGUMENT;
    bool ip6 = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    struct str bare = ip6 ? str_slice(host, 1, host.len - 1) : host;
    memcpy(text, bare.data, bare.len);
    text[bare.len] = '\0';
    int rc = ip6 ? uv_ip6_addr(text, (int)port, (struct sockaddr_in6 *)&out->ip)
                 : uv_ip4_addr(text, (int)port, (struct sockaddr_in *)&out->ip);
    return rc == 0 ? 0 : -ERR_INVALID_ARGUMENT;
}

int uv_address_parse(const char *text, struct uv_address *out, struct err *e)
{
    struct str s = str_from(text);
    uint64_t number;
    *out = (struct uv_address){ .fd = -1 };
    if (str_starts(s, str_lit("unix:"))) {
        out->type = UV_ADDRESS_UNIX;
        struct str path = str_slice(s, 5, s.len);
        if (path.len == 0 || path.len >= sizeof(out->path))
            return err_set(e, ERR_INVALID_ARGUMENT, "%s: a path of 1 to %zu bytes is needed", text,
                           sizeof(out->path) - 1);
        memcpy(out->path, path.data, path.len);
        return 0;
    }
    if (str_starts(s, str_lit("fd:"))) {
        out->type = UV_ADDRESS_FD;
        if (str_to_u64(str_slice(s, 3, s.len), &number) != 0 || number > INT32_MAX)
            return err_set(e, ERR_INVALID_ARGUMENT, "%s: no descriptor number", text);
        out->fd = (int)number;
        return 0;
    }
    out->type = UV_ADDRESS_TCP;
    size_t colon = s.len;
    while (colon > 0 && s.data[colon - 1] != ':')
        colon--;
    if (!str_starts(s, str_lit("tcp:")) || colon <= 4 ||
        str_to_u64(str_slice(s, colon, s.len), &number) != 0 ||
        parse_tcp(str_slice(s, 4, colon - 1), number, out) != 0)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "%s: expected tcp:ADDRESS:PORT (numeric), unix:PATH or fd:NUMBER", text);
    return 0;
}

/* ---- listeners ---- */

/*
 * Ours on a poll handle, not libuv's: where no descriptor is left libuv's accept is called again
 * and again in one turn, until there is one. Here who comes waits in the kernel for a pause. And a
 * flood of them leaves the loop's other work its turn.
 */
struct uv_env_listener {
    struct env_listener base;
    struct uv_owner owner;
    uv_poll_t poll;
    uv_timer_t pause;
    int live; /* handles */
    int fd;
    int domain;
    struct sockaddr_un bound; /* a socket file that goes with it, when the path is not empty */
    void (*accept)(void *ctx, struct env_stream *s);
    void *ctx;
};

static void listener_release(struct uv_env_listener *l)
{
    if (--l->live == 0)
        mem_free(l);
}

static void on_poll_closed(uv_handle_t *handle)
{
    listener_release(container_of((uv_poll_t *)handle, struct uv_env_listener, poll));
}

static void on_pause_closed(uv_handle_t *handle)
{
    listener_release(container_of((uv_timer_t *)handle, struct uv_env_listener, pause));
}

static void close_socket(struct uv_env_listener *l)
{
    if (l->bound.sun_path[0] != '\0')
        (void)unlink(l->bound.sun_path); /* may be gone already */
    if (l->fd >= 0)
        (void)close(l->fd); /* nothing was written */
}

static void close_listener(struct uv_owner *o)
{
    struct uv_env_listener *l = container_of(o, struct uv_env_listener, owner);
    uv_close((uv_handle_t *)&l->poll, on_poll_closed);
    uv_close((uv_handle_t *)&l->pause, on_pause_closed);
    close_socket(l);
}

void uv_env_listener_close(struct env_listener *listener)
{
    uv_assert_on_loop(uv_env_loop_of(listener->loop));
    struct uv_env_listener *l = container_of(listener, struct uv_env_listener, base);
    if (!uv_is_closing((uv_handle_t *)&l->poll))
        close_listener(&l->owner);
}

static void on_connection(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
    struct uv_env_listener *l = container_of(timer, struct uv_env_listener, pause);
    int rc = uv_poll_start(&l->poll, UV_READABLE, on_connection);
    ASSERT(rc == 0); /* it was started before */
}

static void take_connection(struct uv_env_listener *l, int fd)
{
    bool tcp = l->domain != AF_UNIX;
    struct uv_env_stream *s = uv_stream_new(uv_env_loop_of(l->base.loop), tcp);
    int rc = tcp ? uv_tcp_open(&s->uv.tcp, fd) : uv_pipe_open(&s->uv.pipe, fd);
    if (rc != 0) {
        (void)close(fd); /* not taken over */
        uv_env_stream_close(&s->base);
        return;
    }
    uv_stream_connected(s);
    l->accept(l->ctx, &s->base);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct uv_env_listener *l = container_of(poll, struct uv_env_listener, poll);
    (void)status; /* accept says what is wrong */
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && !uv_is_closing((uv_handle_t *)poll); i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_connection(l, fd);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            (void)uv_poll_stop(poll);                                           /* cannot fail */
            (void)uv_timer_start(&l->pause, on_pause_over, ACCEPT_PAUSE_MS, 0); /* nor this */
            return;
        }
    }
}

/* A socket file that nobody listens on is left over from a crash; one that answers is in use. */
static int clear_stale_socket(const char *path, struct err *e)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return err_set(e, ERR_ALREADY_EXISTS, "%s exists and is not a socket", path);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(e, err_from_errno(errno), "socket: %s", strerror(errno));
    bool refused =
        connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno == ECONNREFUSED;
    (void)close(fd); /* nothing was written */
    if (!refused)
        return err_set(e, ERR_ALREADY_EXISTS, "%s is in use", path);
    if (unlink(path) != 0)
        return err_set(e, err_from_errno(errno), "unlink %s: %s", path, strerror(errno));
    return 0;
}

static int make_socket(struct uv_env_listener *l, int domain)
{
    l->domain = domain;
    l->fd = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return l->fd < 0 ? -errno : 0;
}

static int bind_tcp(struct uv_env_listener *l, const struct uv_address *a, bool reuse_port)
{
    int one = 1;
    int rc = make_socket(l, a->ip.ss_family);
    if (rc != 0)
        return rc;
    socklen_t len = l->domain == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        (reuse_port && setsockopt(l->fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0) ||
        bind(l->fd, (const struct sockaddr *)&a->ip, len) != 0)
        return -errno;
    return 0;
}

static int bind_unix(struct uv_env_listener *l, const struct uv_address *a)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    memcpy(address.sun_path, a->path, strlen(a->path) + 1);
    int rc = make_socket(l, AF_UNIX);
    if (rc == 0 && bind(l->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        rc = -errno;
    if (rc == 0)
        l->bound = address;
    return rc;
}

/* The descriptor is duplicated: several loops may accept from one that was handed in. */
static int bind_fd(struct uv_env_listener *l, const struct uv_address *a)
{
    socklen_t len = sizeof(l->domain);
    if (getsockopt(a->fd, SOL_SOCKET, SO_DOMAIN, &l->domain, &len) != 0)
        return -errno;
    l->fd = fcntl(a->fd, F_DUPFD_CLOEXEC, 3);
    return l->fd < 0 ? -errno : 0;
}

static int start_listening(struct uv_env_listener *l)
{
    uv_loop_t *uv = &uv_env_loop_of(l->base.loop)->uv;
    if (listen(l->fd, ENV_LISTEN_BACKLOG) != 0)
        return -errno;
    int rc = uv_poll_init(uv, &l->poll, l->fd);
    if (rc != 0)
        return rc; /* libuv took the handle back */
    rc = uv_timer_init(uv, &l->pause);
    ASSERT(rc == 0); /* never fails */
    l->owner.close = close_listener;
    l->poll.data = &l->owner;
    l->pause.data = &l->owner;
    l->live = 2;
    on_pause_over(&l->pause);
    return 0;
}

int uv_env_listen(struct env_loop *loop, const char *address, bool reuse_port,
                  void (*accept)(void *ctx, struct env_stream *s), void *ctx,
                  struct env_listener **out, struct err *e)
{
    uv_assert_on_loop(uv_env_loop_of(loop));
    struct uv_address a;
    int rc = uv_address_parse(address, &a, e);
    if (rc == 0 && a.type == UV_ADDRESS_UNIX)
        rc = clear_stale_socket(a.path, e);
    if (rc != 0)
        return rc;
    struct uv_env_listener *l = mem_alloc(sizeof(*l));
    l->base.loop = loop;
    l->fd = -1;
    l->accept = accept;
    l->ctx = ctx;
    if (a.type == UV_ADDRESS_TCP)
        rc = bind_tcp(l, &a, reuse_port);
    else
        rc = a.type == UV_ADDRESS_UNIX ? bind_unix(l, &a) : bind_fd(l, &a);
    rc = rc == 0 ? start_listening(l) : rc;
    if (rc == 0) {
        *out = &l->base;
        return 0;
    }
    close_socket(l);
    mem_free(l);
    return err_set(e, uv_err_code(rc), "listen on %s: %s", address, uv_strerror(rc));
}

int uv_env_listener_port(const struct env_listener *listener)
{
    const struct uv_env_listener *l = container_of(listener, const struct uv_env_listener, base);
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    if (l->domain == AF_UNIX || getsockname(l->fd, (struct sockaddr *)&bound, &len) != 0)
        return 0;
    if (bound.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&bound)->sin6_port);
    return ntohs(((const struct sockaddr_in *)&bound)->sin_port);
}

/* ---- connecting ---- */

struct uv_env_connect {
    struct env_connect *connect; /* NULL once done was called */
    struct uv_env_stream *stream;
    uv_connect_t uv;
    uv_timer_t timer;
    struct uv_owner owner; /* the timer's: closing it cancels */
    int status;
    int live; /* the timer, and the attempt itself */
};

static void connect_release(struct uv_env_connect *box)
{
    if (--box->live == 0)
        mem_free(box);
}

static void on_connect_timer_closed(uv_handle_t *handle)
{
    connect_release(container_of((uv_timer_t *)handle, struct uv_env_connect, timer));
}

static void connect_report(struct uv_env_connect *box, struct env_stream *s, int status)
{
    struct env_connect *c = box->connect;
    box->connect = NULL;
    c->impl = NULL;
    if (!uv_is_closing((uv_handle_t *)&box->timer))
        uv_close((uv_handle_t *)&box->timer, on_connect_timer_closed);
    connect_release(box);
    c->done(c, s, status);
}

static void on_attempt_closed(uv_handle_t *handle)
{
    struct uv_env_stream *s = container_of((union uv_any_stream *)handle, struct uv_env_stream, uv);
    struct uv_env_connect *box = s->ctx;
    mem_free(s);
    connect_report(box, NULL, box->status);
}

/* Gives the attempt up; done follows when its stream has closed. */
static void connect_fail(struct uv_env_connect *box, int status)
{
    if (box->connect == NULL || uv_is_closing(&box->stream->uv.handle))
        return;
    box->status = status;
    box->stream->closing = true;
    box->stream->ctx = box; /* no owner has the stream yet */
    uv_close(&box->stream->uv.handle, on_attempt_closed);
}

static int connect_status(int uv_status)
{
    if (uv_status == UV_ETIMEDOUT)
        return -ERR_TIMEOUT;
    if (uv_status == UV_ECANCELED)
        return -ERR_CANCELED;
    if (uv_status == UV_EACCES || uv_status == UV_EPERM)
        return -ERR_FORBIDDEN;
    return uv_status == UV_EINVAL ? -ERR_INVALID_ARGUMENT : -ERR_UNAVAILABLE;
}

static void on_connect(uv_connect_t *uv, int status)
{
    struct uv_env_connect *box = container_of(uv, struct uv_env_connect, uv);
    if (uv_is_closing(&box->stream->uv.handle))
        return; /* given up already: the close reports */
    if (status < 0) {
        connect_fail(box, connect_status(status));
        return;
    }
    box->stream->ctx = NULL;
    uv_stream_connected(box->stream);
    connect_report(box, &box->stream->base, 0);
}

static void on_connect_timeout(uv_timer_t *timer)
{
    connect_fail(container_of(timer, struct uv_env_connect, timer), -ERR_TIMEOUT);
}

static void close_attempt(struct uv_owner *o)
{
    struct uv_env_connect *box = container_of(o, struct uv_env_connect, owner);
    connect_fail(box, -ERR_CANCELED);
    if (!uv_is_closing((uv_handle_t *)&box->timer))
        uv_close((uv_handle_t *)&box->timer, on_connect_timer_closed);
}

/* The stream of an attempt may be met before the timer when a loop is freed. */
static void close_attempt_stream(struct uv_owner *o)
{
    struct uv_env_stream *s = container_of(o, struct uv_env_stream, owner);
    struct uv_env_connect *box = s->ctx;
    close_attempt(&box->owner);
}

void uv_env_connect(struct env_connect *c, const char *address, uint64_t timeout_ms)
{
    struct uv_env_loop *l = uv_env_loop_of(c->loop);
    uv_assert_on_loop(l);
    struct uv_address a;
    int rc = uv_address_parse(address, &a, NULL) == 0 ? 0 : UV_EINVAL;
    struct uv_env_connect *box = mem_alloc(sizeof(*box));
    c->impl = box;
    box->connect = c;
    box->live = 2;
    box->stream = uv_stream_new(l, a.type == UV_ADDRESS_TCP);
    box->stream->ctx = box;
    box->stream->owner.close = close_attempt_stream;
    (void)uv_timer_init(&l->uv, &box->timer); /* cannot fail */
    box->owner.close = close_attempt;
    box->timer.data = &box->owner;
    (void)uv_timer_start(&box->timer, on_connect_timeout, timeout_ms, 0); /* not closing */
    if (rc == 0 && a.type == UV_ADDRESS_FD)
        rc = UV_EINVAL; /* listen only */
    if (rc == 0 && a.type == UV_ADDRESS_UNIX)
        uv_pipe_connect(&box->uv, &box->stream->uv.pipe, a.path, on_connect);
    else if (rc == 0)
        rc = uv_tcp_connect(&box->uv, &box->stream->uv.tcp, (struct sockaddr *)&a.ip, on_connect);
    if (rc != 0)
        connect_fail(box, connect_status(rc)); /* done comes from the close callback */
}

void uv_env_connect_cancel(struct env_connect *c)
{
    uv_assert_on_loop(uv_env_loop_of(c->loop));
    connect_fail(c->impl, -ERR_CANCELED);
}
