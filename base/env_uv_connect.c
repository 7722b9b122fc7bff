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

struct uv_env_listener {
    struct env_listener base;
    struct uv_owner owner;
    union uv_any_stream uv;
    void (*accept)(void *ctx, struct env_stream *s);
    void *ctx;
};

static void on_listener_closed(uv_handle_t *handle)
{
    mem_free(container_of((union uv_any_stream *)handle, struct uv_env_listener, uv));
}

static void close_listener(struct uv_owner *o)
{
    struct uv_env_listener *l = container_of(o, struct uv_env_listener, owner);
    uv_close(&l->uv.handle, on_listener_closed);
}

void uv_env_listener_close(struct env_listener *listener)
{
    uv_assert_on_loop(uv_env_loop_of(listener->loop));
    struct uv_env_listener *l = container_of(listener, struct uv_env_listener, base);
    if (!uv_is_closing(&l->uv.handle))
        close_listener(&l->owner);
}

static void on_connection(uv_stream_t *server, int status)
{
    if (status < 0)
        return; /* the peer was gone before we came to it */
    struct uv_env_listener *l =
        container_of((union uv_any_stream *)server, struct uv_env_listener, uv);
    struct uv_env_stream *s = uv_stream_new(uv_env_loop_of(l->base.loop), server->type == UV_TCP);
    if (uv_accept(server, &s->uv.stream) != 0) {
        uv_env_stream_close(&s->base);
        return;
    }
    uv_stream_connected(s);
    l->accept(l->ctx, &s->base);
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

static int bind_tcp(struct uv_env_listener *l, const struct uv_address *a, bool reuse_port)
{
    uv_loop_t *uv = &uv_env_loop_of(l->base.loop)->uv;
    int rc = uv_tcp_init_ex(uv, &l->uv.tcp, a->ip.ss_family);
    if (rc != 0)
        return rc; /* libuv took the handle back */
    l->uv.handle.data = &l->owner;
    int one = 1;
    uv_os_fd_t fd;
    rc = uv_fileno(&l->uv.handle, &fd);
    if (rc == 0 && reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0)
        rc = -errno;
    if (rc == 0)
        rc = uv_tcp_bind(&l->uv.tcp, (const struct sockaddr *)&a->ip, 0);
    return rc;
}

static int bind_unix(struct uv_env_listener *l, const struct uv_address *a)
{
    int rc = uv_pipe_init(&uv_env_loop_of(l->base.loop)->uv, &l->uv.pipe, 0);
    l->uv.handle.data = &l->owner;
    return rc != 0 ? rc : uv_pipe_bind(&l->uv.pipe, a->path);
}

/* The descriptor is duplicated: several loops may accept from one that was handed in. */
static int bind_fd(struct uv_env_listener *l, const struct uv_address *a)
{
    uv_loop_t *uv = &uv_env_loop_of(l->base.loop)->uv;
    int domain = 0;
    socklen_t len = sizeof(domain);
    if (getsockopt(a->fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0)
        return -errno;
    int fd = fcntl(a->fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return -errno;
    int rc = domain == AF_UNIX ? uv_pipe_init(uv, &l->uv.pipe, 0) : uv_tcp_init(uv, &l->uv.tcp);
    l->uv.handle.data = &l->owner;
    if (rc == 0)
        rc = domain == AF_UNIX ? uv_pipe_open(&l->uv.pipe, fd) : uv_tcp_open(&l->uv.tcp, fd);
    if (rc != 0)
        (void)close(fd); /* not taken over */
    return rc;
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
    l->owner.close = close_listener;
    l->accept = accept;
    l->ctx = ctx;
    if (a.type == UV_ADDRESS_TCP)
        rc = bind_tcp(l, &a, reuse_port);
    else
        rc = a.type == UV_ADDRESS_UNIX ? bind_unix(l, &a) : bind_fd(l, &a);
    if (rc == 0)
        rc = uv_listen(&l->uv.stream, ENV_LISTEN_BACKLOG, on_connection);
    if (rc == 0) {
        *out = &l->base;
        return 0;
    }
    if (l->uv.handle.data != NULL)
        close_listener(&l->owner);
    else
        mem_free(l);
    return err_set(e, uv_err_code(rc), "listen on %s: %s", address, uv_strerror(rc));
}

int uv_env_listener_port(const struct env_listener *listener)
{
    const struct uv_env_listener *l = container_of(listener, const struct uv_env_listener, base);
    struct sockaddr_storage bound;
    int len = sizeof(bound);
    if (l->uv.handle.type != UV_TCP ||
        uv_tcp_getsockname(&l->uv.tcp, (struct sockaddr *)&bound, &len) != 0)
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
