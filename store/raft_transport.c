/*
 * See raft_transport.h.
 *
 * Connect: pipe → uv_pipe_connect → write the handshake → hand the stream over. Accept: pipe → uid
 * check → read the handshake, timed → hand over. Every attempt is one struct link; it leaves by
 * handing its pipe to raft_uv or by closing it, and the transport's own close waits until none is
 * left (counted in live). Streams are allocated with raft_malloc: raft_uv frees them.
 */
#include "store/raft_transport.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/list.h"

#define HANDSHAKE_MAGIC   0x31666172796e6167ull /* "ganyraf1" */
#define HANDSHAKE_VERSION 1
#define HANDSHAKE_BYTES   24 /* le64 magic, le32 version, le32 group, le64 id */
#define LISTEN_BACKLOG    64

struct raft_transport {
    struct raft_uv_transport uv;
    struct uv_loop_s *loop;
    char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    enum store_group_id group;
    const struct store_member *members;
    size_t members_count;
    raft_id id;
    uv_pipe_t *listener;
    raft_uv_accept_cb accept_cb;
    raft_uv_transport_close_cb close_cb;
    struct list links;
    unsigned accepting;
    unsigned live; /* handles not yet closed */
    bool closing;
};

struct link {
    struct list node;
    struct raft_transport *transport;
    uv_pipe_t *pipe;
    uv_timer_t timer; /* embedded: the link is freed after both handles are closed */
    uv_connect_t connecting;
    uv_write_t writing;
    struct raft_uv_connect *req; /* outgoing; NULL: incoming */
    uint8_t handshake[HANDSHAKE_BYTES];
    size_t got;
    int status;
    bool ended;
    unsigned open; /* timer, and pipe when it is ours to close */
};

static const struct store_member *member_by_id(const struct raft_transport *t, raft_id id)
{
    for (size_t i = 0; i < t->members_count; i++)
        if (t->members[i].id == id)
            return &t->members[i];
    return NULL;
}

static int socket_path(const struct raft_transport *t, const char *name, char *out, size_t len)
{
    int n = snprintf(out, len, "%s/%d-%s.sock", t->folder, (int)t->group, name);

    return n > 0 && (size_t)n < len ? 0 : RAFT_NAMETOOLONG;
}

static void maybe_closed(struct raft_transport *t)
{
    if (t->closing && t->live == 0 && t->close_cb != NULL) {
        raft_uv_transport_close_cb cb = t->close_cb;

        t->close_cb = NULL;
        cb(&t->uv);
    }
}

/* ---- links ---- */

/* Both handles are gone, or the pipe is raft_uv's now: tell, then free. */
static void link_released(struct link *l)
{
    struct raft_transport *t = l->transport;
    struct raft_uv_connect *req = l->req;
    int status = l->status;
    uv_pipe_t *pipe = l->pipe;
    uint64_t id = load_le64(l->handshake + 16);

    if (--l->open > 0)
        return;
    list_remove(&l->node);
    if (req == NULL)
        t->accepting--;
    t->live--;
    mem_free(l);
    if (t->closing && status == 0) {
        /* Established in the last moment: nobody wants it any more. */
        uv_close((uv_handle_t *)pipe, (uv_close_cb)raft_free);
        pipe = NULL;
        status = RAFT_CANCELED;
    }
    if (req != NULL)
        req->cb(req, (struct uv_stream_s *)pipe, status);
    else if (status == 0)
        t->accept_cb(&t->uv, id, member_by_id(t, id)->name, (struct uv_stream_s *)pipe);
    maybe_closed(t);
}

static void on_timer_closed(uv_handle_t *handle)
{
    link_released(container_of(handle, struct link, timer));
}

static void on_pipe_closed(uv_handle_t *handle)
{
    struct link *l = handle->data;

    raft_free(handle);
    l->pipe = NULL;
    link_released(l);
}

/* Once per link: status 0 hands the pipe over, else it is closed. */
static void link_end(struct link *l, int status)
{
    if (l->ended)
        return;
    l->ended = true;
    l->status = status;
    l->open = status == 0 ? 1 : 2;
    uv_close((uv_handle_t *)&l->timer, on_timer_closed);
    if (status != 0)
        uv_close((uv_handle_t *)l->pipe, on_pipe_closed);
}

static void on_timeout(uv_timer_t *timer)
{
    link_end(container_of(timer, struct link, timer), RAFT_NOCONNECTION);
}

static struct link *link_new(struct raft_transport *t, struct raft_uv_connect *req)
{
    struct link *l = mem_alloc(sizeof(*l));

    l->transport = t;
    l->req = req;
    l->pipe = raft_malloc(sizeof(*l->pipe));
    ASSERT(l->pipe != NULL);
    (void)uv_pipe_init(t->loop, l->pipe, 0); /* cannot fail */
    (void)uv_timer_init(t->loop, &l->timer);
    l->pipe->data = l;
    list_append(&t->links, &l->node);
    t->live++;
    if (req == NULL)
        t->accepting++;
    (void)uv_timer_start(&l->timer, on_timeout, TRANSPORT_HANDSHAKE_MS, 0);
    return l;
}

/* ---- outgoing ---- */

static void on_handshake_written(uv_write_t *w, int status)
{
    struct link *l = container_of(w, struct link, writing);

    link_end(l, status == 0 ? 0 : RAFT_NOCONNECTION);
}

static void on_connected(uv_connect_t *c, int status)
{
    struct link *l = container_of(c, struct link, connecting);
    uv_buf_t buf = uv_buf_init((char *)l->handshake, HANDSHAKE_BYTES);

    if (l->ended)
        return;
    store_le64(l->handshake, HANDSHAKE_MAGIC);
    store_le32(l->handshake + 8, HANDSHAKE_VERSION);
    store_le32(l->handshake + 12, (uint32_t)l->transport->group);
    store_le64(l->handshake + 16, l->transport->id);
    if (status != 0 ||
        uv_write(&l->writing, (uv_stream_t *)l->pipe, &buf, 1, on_handshake_written) != 0)
        link_end(l, RAFT_NOCONNECTION);
}

static int transport_connect(struct raft_uv_transport *uv, struct raft_uv_connect *req, raft_id id,
                             const char *address, raft_uv_connect_cb cb)
{
    struct raft_transport *t = uv->impl;
    char path[sizeof(t->folder)];
    struct link *l;

    (void)id;
    if (socket_path(t, address, path, sizeof(path)) != 0)
        return RAFT_NOCONNECTION;
    req->cb = cb;
    l = link_new(t, req);
    /* A missing or full socket is reported through the callback. */
    uv_pipe_connect(&l->connecting, l->pipe, path, on_connected);
    return 0;
}

/* ---- incoming ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct link *l = handle->data;

    (void)suggested;
    *buf = uv_buf_init((char *)l->handshake + l->got, (unsigned)(HANDSHAKE_BYTES - l->got));
}

static bool handshake_is_good(const struct link *l)
{
    uint64_t id = load_le64(l->handshake + 16);

    return load_le64(l->handshake) == HANDSHAKE_MAGIC &&
           load_le32(l->handshake + 8) == HANDSHAKE_VERSION &&
           load_le32(l->handshake + 12) == (uint32_t)l->transport->group &&
           id != l->transport->id && member_by_id(l->transport, id) != NULL;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct link *l = stream->data;

    (void)buf;
    if (l->ended || n == 0)
        return;
    if (n < 0) {
        link_end(l, RAFT_NOCONNECTION);
        return;
    }
    l->got += (size_t)n;
    if (l->got < HANDSHAKE_BYTES)
        return;
    uv_read_stop(stream);
    link_end(l, handshake_is_good(l) ? 0 : RAFT_UNAUTHORIZED);
}

static bool same_user(const uv_pipe_t *pipe)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);
    uv_os_fd_t fd;

    return uv_fileno((const uv_handle_t *)pipe, &fd) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.uid == geteuid();
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct raft_transport *t = listener->data;
    struct link *l;

    if (status != 0 || t->closing)
        return;
    l = link_new(t, NULL);
    if (uv_accept(listener, (uv_stream_t *)l->pipe) != 0 || t->accepting > TRANSPORT_ACCEPTS_MAX ||
        !same_user(l->pipe) || uv_read_start((uv_stream_t *)l->pipe, on_alloc, on_read) != 0)
        link_end(l, RAFT_UNAUTHORIZED);
}

static int transport_listen(struct raft_uv_transport *uv, raft_uv_accept_cb cb)
{
    struct raft_transport *t = uv->impl;
    char path[sizeof(t->folder)];
    int rv = socket_path(t, member_by_id(t, t->id)->name, path, sizeof(path));

    if (rv != 0)
        return rv;
    t->accept_cb = cb;
    (void)unlink(path); /* of a former life; the data folder's lock says there is no other */
    rv = uv_pipe_bind(t->listener, path);
    if (rv == 0)
        rv = uv_listen((uv_stream_t *)t->listener, LISTEN_BACKLOG, on_connection);
    if (rv != 0) {
        snprintf(uv->errmsg, sizeof(uv->errmsg), "listen on %.100s: %s", path, uv_strerror(rv));
        return RAFT_IOERR;
    }
    return 0;
}

/* ---- life ---- */

static int transport_init(struct raft_uv_transport *uv, raft_id id, const char *address)
{
    struct raft_transport *t = uv->impl;

    (void)address;
    t->id = id;
    if (member_by_id(t, id) == NULL)
        return RAFT_BADID;
    t->listener = mem_alloc(sizeof(*t->listener));
    (void)uv_pipe_init(t->loop, t->listener, 0);
    t->listener->data = t;
    t->live++;
    return 0;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct raft_transport *t = handle->data;

    mem_free(t->listener);
    t->listener = NULL;
    t->live--;
    maybe_closed(t);
}

static void transport_close(struct raft_uv_transport *uv, raft_uv_transport_close_cb cb)
{
    struct raft_transport *t = uv->impl;

    t->closing = true;
    t->close_cb = cb;
    list_foreach_safe (node, &t->links)
        link_end(container_of(node, struct link, node), RAFT_CANCELED);
    if (t->listener != NULL)
        uv_close((uv_handle_t *)t->listener, on_listener_closed);
}

int raft_transport_new(const struct raft_transport_config *config, struct raft_transport **out,
                       struct err *e)
{
    struct raft_transport *t;
    char path[sizeof(t->folder)];

    if (strlen(config->folder) >= sizeof(t->folder))
        return err_set(e, ERR_INVALID_ARGUMENT, "socket folder %s is too long", config->folder);
    t = mem_alloc(sizeof(*t));
    list_init(&t->links);
    snprintf(t->folder, sizeof(t->folder), "%s", config->folder);
    t->loop = config->loop;
    t->group = config->group;
    t->members = config->members;
    t->members_count = config->members_count;
    for (size_t i = 0; i < t->members_count; i++)
        if (socket_path(t, t->members[i].name, path, sizeof(path)) != 0) {
            mem_free(t);
            return err_set(e, ERR_INVALID_ARGUMENT, "socket path of %s in %s is too long",
                           config->members[i].name, config->folder);
        }
    t->uv.impl = t;
    t->uv.init = transport_init;
    t->uv.listen = transport_listen;
    t->uv.connect = transport_connect;
    t->uv.close = transport_close;
    *out = t;
    return 0;
}

struct raft_uv_transport *raft_transport_uv(struct raft_transport *t)
{
    return &t->uv;
}

void raft_transport_free(struct raft_transport *t)
{
    if (t == NULL)
        return;
    ASSERT(t->live == 0);
    mem_free(t);
}
