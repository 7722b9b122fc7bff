/*
 * Byte streams and listeners of the real world: TCP and unix sockets.
 *
 * A write is first offered to the kernel; what it does not take is copied and queued with libuv.
 * A failed read or write is reported once as the end; an end found inside a caller's own call is
 * deferred to a fresh stack.
 *
 * On close: libuv completes the queued writes with ECANCELED, then the close callback reports
 * closed and frees the stream.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv_impl.h"

static struct uv_env_stream *stream_of(struct env_stream *s)
{
    return container_of(s, struct uv_env_stream, base);
}

static struct uv_env_stream *stream_of_handle(uv_handle_t *handle)
{
    return container_of((union uv_any_stream *)handle, struct uv_env_stream, uv);
}

/* ---- the end ---- */

static void stream_end(struct uv_env_stream *s, int status)
{
    if (status != 0)
        s->failed = true;
    if (s->ended || s->closing || s->events == NULL)
        return;
    s->ended = true;
    (void)uv_read_stop(&s->uv.stream); /* cannot fail */
    s->events->end(s->ctx, status);
}

static void on_deferred(struct uv_deferred *d)
{
    struct uv_env_stream *s = container_of(d, struct uv_env_stream, deferred);
    s->defer_pending = false;
    if (!s->closing) {
        if (!s->ended) {
            stream_end(s, s->end_status);
        } else if (s->above_low) {
            /* Output failed after the peer's orderly end: the writer must not wait for ever. */
            s->above_low = false;
            if (s->events->drained != NULL)
                s->events->drained(s->ctx);
        }
    }
}

static void stream_end_later(struct uv_env_stream *s, int status)
{
    s->failed = true;
    s->end_status = status;
    if (s->defer_pending || s->events == NULL)
        return;
    s->defer_pending = true;
    uv_defer(uv_env_loop_of(s->base.loop), &s->deferred, on_deferred);
}

/* ---- closing ---- */

static void on_stream_closed(uv_handle_t *handle)
{
    struct uv_env_stream *s = stream_of_handle(handle);
    if (s->defer_pending)
        list_remove(&s->deferred.node);
    if (s->events != NULL)
        s->events->closed(s->ctx);
    mem_free(s);
}

static void close_stream(struct uv_owner *o)
{
    struct uv_env_stream *s = container_of(o, struct uv_env_stream, owner);
    s->closing = true;
    uv_close(&s->uv.handle, on_stream_closed);
}

void uv_env_stream_close(struct env_stream *stream)
{
    struct uv_env_stream *s = stream_of(stream);
    uv_assert_on_loop(uv_env_loop_of(stream->loop));
    if (!s->closing)
        close_stream(&s->owner);
}

/* ---- making one ---- */

struct uv_env_stream *uv_stream_new(struct uv_env_loop *l, bool tcp)
{
    struct uv_env_stream *s = mem_alloc(sizeof(*s));
    s->base.loop = &l->base;
    s->owner.close = close_stream;
    int rc = tcp ? uv_tcp_init(&l->uv, &s->uv.tcp) : uv_pipe_init(&l->uv, &s->uv.pipe, 0);
    ASSERT(rc == 0); /* no socket is made yet: cannot fail */
    s->uv.handle.data = &s->owner;
    return s;
}

static void format_address(const struct sockaddr_storage *a, char *out, size_t out_len)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)a;
        (void)inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)); /* the buffer is big enough */
        (void)snprintf(out, out_len, "%s:%d", text, ntohs(in->sin_port));
    } else if (a->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)); /* as above */
        (void)snprintf(out, out_len, "[%s]:%d", text, ntohs(in6->sin6_port));
    }
}

static void set_option(uv_os_fd_t fd, int level, int name, int value)
{
    /* Each of them helps; a stream works without. */
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

/*
 * Small messages leave at once. Of what cannot leave yet the kernel takes ENV_STREAM_UNSENT_BYTES,
 * not the megabytes its send buffer may grow to: the rest stays queued here, where it is counted,
 * bounded and can be reordered. That costs no throughput: what is in flight does not count, and
 * the socket asks for more while one of its largest packets' worth is still there to send.
 * Keepalive finds the vanished peer of an idle stream. TCP_USER_TIMEOUT would also find that of a
 * busy one, but cuts off a peer that pauses reading (its window stays closed): it is for those who
 * know that their peer always reads (uv_env_stream_peer_limit).
 */
static void tune_tcp(struct uv_env_stream *s)
{
    uv_os_fd_t fd;
    if (uv_fileno(&s->uv.handle, &fd) != 0)
        return;
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, ENV_STREAM_UNSENT_BYTES);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, ENV_STREAM_KEEPALIVE_IDLE_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, ENV_STREAM_KEEPALIVE_EVERY_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, ENV_STREAM_KEEPALIVE_PROBES);
}

/* Both ends in order are no break of a TCP connection: what was sent may still be on its way. */
bool uv_env_stream_broken(const struct env_stream *stream)
{
    const struct uv_env_stream *s = container_of(stream, const struct uv_env_stream, base);
    struct tcp_info info = { .tcpi_state = TCP_CLOSE };
    socklen_t len = sizeof(info);
    uv_os_fd_t fd;
    if (s->failed || s->closing || uv_fileno(&s->uv.handle, &fd) != 0)
        return true;
    if (s->uv.handle.type == UV_TCP)
        return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
               info.tcpi_state == TCP_CLOSE;
    struct pollfd p = { .fd = fd };
    return poll(&p, 1, 0) > 0; /* asked for nothing, it tells of hang-ups and errors */
}

void uv_env_stream_peer_limit(struct env_stream *stream, uint64_t limit_ms)
{
    struct uv_env_stream *s = stream_of(stream);
    uv_assert_on_loop(uv_env_loop_of(stream->loop));
    ASSERT(limit_ms <= INT32_MAX);
    uv_os_fd_t fd;
    if (s->uv.handle.type == UV_TCP && uv_fileno(&s->uv.handle, &fd) == 0)
        set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)limit_ms);
}

void uv_stream_connected(struct uv_env_stream *s)
{
    s->owner.close = close_stream; /* from here on it is nobody's attempt */
    if (s->uv.handle.type != UV_TCP) {
        (void)snprintf(s->peer, sizeof(s->peer), "unix");
        return;
    }
    tune_tcp(s);
    struct sockaddr_storage peer;
    int len = sizeof(peer);
    if (uv_tcp_getpeername(&s->uv.tcp, (struct sockaddr *)&peer, &len) == 0)
        format_address(&peer, s->peer, sizeof(s->peer));
}

const char *uv_env_stream_peer(const struct env_stream *stream)
{
    return container_of(stream, const struct uv_env_stream, base)->peer;
}

int uv_env_stream_peer_cred(const struct env_stream *stream, struct env_peer_cred *out)
{
    const struct uv_env_stream *s = container_of(stream, const struct uv_env_stream, base);
    if (s->uv.handle.type != UV_NAMED_PIPE)
        return -ERR_UNIMPLEMENTED;
    uv_os_fd_t fd;
    int rc = uv_fileno(&s->uv.handle, &fd);
    if (rc != 0)
        return -(int)uv_err_code(rc);
    struct ucred cred;
    socklen_t len = sizeof(cred);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
        return -ERR_IO;
    *out = (struct env_peer_cred){ cred.pid, cred.uid, cred.gid };
    return 0;
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested; /* one buffer for the loop: libuv reads into it right after this call */
    struct uv_env_loop *l = container_of(handle->loop, struct uv_env_loop, uv);
    *out = uv_buf_init(l->read_buffer, sizeof(l->read_buffer));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct uv_env_stream *s = stream_of_handle((uv_handle_t *)stream);
    if (n > 0)
        s->events->data(s->ctx, str_of(bytes->base, (size_t)n));
    else if (n == UV_EOF)
        stream_end(s, 0);
    else if (n < 0)
        stream_end(s, -(int)uv_err_code((int)n));
}

static void stream_read(struct uv_env_stream *s)
{
    int rc = uv_read_start(&s->uv.stream, on_alloc, on_read);
    if (rc != 0 && rc != UV_EALREADY)
        stream_end_later(s, -(int)uv_err_code(rc));
}

void uv_env_stream_start(struct env_stream *stream, const struct env_stream_events *events,
                         void *ctx)
{
    struct uv_env_stream *s = stream_of(stream);
    uv_assert_on_loop(uv_env_loop_of(stream->loop));
    ASSERT(s->events == NULL);
    s->events = events;
    s->ctx = ctx;
    if (s->failed)
        stream_end_later(s, s->end_status); /* a write before the start failed */
    else if (!s->closing && !s->paused)
        stream_read(s);
}

void uv_env_stream_pause(struct env_stream *stream)
{
    struct uv_env_stream *s = stream_of(stream);
    uv_assert_on_loop(uv_env_loop_of(stream->loop));
    s->paused = true;
    (void)uv_read_stop(&s->uv.stream); /* cannot fail */
}

void uv_env_stream_resume(struct env_stream *stream)
{
    struct uv_env_stream *s = stream_of(stream);
    uv_assert_on_loop(uv_env_loop_of(stream->loop));
    if (!s->paused)
        return;
    s->paused = false;
    if (s->events != NULL && !s->ended && !s->failed && !s->closing)
        stream_read(s);
}

/* ---- writing ---- */

struct stream_write {
    uv_write_t uv;
    struct uv_env_stream *stream;
    char data[];
};

static void on_write(uv_write_t *uv, int status)
{
    struct stream_write *w = container_of(uv, struct stream_write, uv);
    struct uv_env_stream *s = w->stream;
    mem_free(w);
    if (s->closing)
        return;
    if (status < 0) {
        bool orderly_end_before = s->ended && !s->failed;
        stream_end(s, -(int)uv_err_code(status));
        if (!orderly_end_before)
            return;
    }
    if (!s->above_low || uv_env_stream_queued(&s->base) > ENV_STREAM_LOW_BYTES)
        return;
    s->above_low = false;
    if (s->events != NULL && s->events->drained != NULL)
        s->events->drained(s->ctx);
}

static void stream_queue(struct uv_env_stream *s, struct str bytes)
{
    struct stream_write *w = mem_alloc_bytes(sizeof(*w) + bytes.len);
    *w = (struct stream_write){ .stream = s };
    memcpy(w->data, bytes.data, bytes.len);
    uv_buf_t piece = uv_buf_init(w->data, (unsigned)bytes.len);
    int rc = uv_write(&w->uv, &s->uv.stream, &piece, 1, on_write);
    if (rc != 0) {
        mem_free(w);
        stream_end_later(s, -(int)uv_err_code(rc));
        return;
    }
    if (uv_env_stream_queued(&s->base) > ENV_STREAM_LOW_BYTES)
        s->above_low = true;
}

void uv_env_stream_write(struct env_stream *stream, struct str bytes)
{
    struct uv_env_stream *s = stream_of(stream);
    uv_assert_on_loop(uv_env_loop_of(stream->loop));
    ASSERT(!s->shut);
    ASSERT(bytes.len <= UINT32_MAX / 2); /* every message is bounded far below */
    if (s->closing || s->failed || bytes.len == 0)
        return;
    if (uv_env_stream_queued(stream) == 0) {
        uv_buf_t piece = uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.len);
        int n = uv_try_write(&s->uv.stream, &piece, 1);
        if (n < 0 && n != UV_EAGAIN) {
            stream_end_later(s, -(int)uv_err_code(n));
            return;
        }
        bytes = str_slice(bytes, n > 0 ? (size_t)n : 0, bytes.len);
    }
    if (bytes.len > 0)
        stream_queue(s, bytes);
}

size_t uv_env_stream_queued(const struct env_stream *stream)
{
    return uv_stream_get_write_queue_size(
        &container_of(stream, const struct uv_env_stream, base)->uv.stream);
}

static void on_shutdown(uv_shutdown_t *uv, int status)
{
    (void)status; /* a broken connection shows as the end */
    mem_free(uv);
}

void uv_env_stream_shutdown(struct env_stream *stream)
{
    struct uv_env_stream *s = stream_of(stream);
    uv_assert_on_loop(uv_env_loop_of(stream->loop));
    if (s->shut || s->closing)
        return;
    s->shut = true;
    uv_shutdown_t *uv = mem_alloc(sizeof(*uv));
    if (uv_shutdown(uv, &s->uv.stream, on_shutdown) != 0)
        mem_free(uv); /* not connected any more: the end says so */
}
