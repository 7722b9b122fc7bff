/*
 * The nghttp2 session: its callbacks, and the engine calls that both roles share. nghttp2 checks
 * the grammar of messages, the windows, and floods of SETTINGS, PING and RST_STREAM.
 */
#include "net/http2.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"

/* SETTINGS or PING answers waiting to be sent; beyond it nghttp2 takes the peer for an attacker. */
#define OUTBOUND_ACKS_MAX 1000
#define FRAME_HEAD_BYTES  9
#define GOAWAY_BYTES      (FRAME_HEAD_BYTES + 8) /* without debug data */

static struct http2_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

/* ---- input ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2_conn *c = user;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    if (!c->server)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    struct http2_stream *s = c->role->begin(c, frame->hd.stream_id);
    (void)nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, s); /* it exists */
    c->heading = s;
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct http2_conn *c = user;
    struct http2_stream *s = stream_of(session, frame->hd.stream_id);
    (void)flags;
    if (s == NULL || s->header_overflow)
        return 0;
    s->header_bytes += name_len + value_len + 32;
    if (s->header_bytes > HTTP2_HEADER_BYTES_MAX || ++s->header_count > HTTP_HEADER_COUNT_MAX) {
        s->header_overflow = true;
        return 0;
    }
    struct arena *a = c->role->arena(s);
    if (a != NULL)
        c->role->field(s, str_copy(a, str_of(name, name_len)),
                       str_copy(a, str_of(value, value_len)));
    return 0;
}

static void deliver_end(struct http2_stream *s)
{
    if (!s->remote_ended || s->end_delivered || s->in.len > 0 || s->paused)
        return;
    s->end_delivered = true;
    s->conn->role->end(s);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2_conn *c = user;
    if (frame->hd.type == NGHTTP2_GOAWAY && !c->server)
        c->draining = true;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 &&
        c->role->pong != NULL)
        c->role->pong(c);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct http2_stream *s = stream_of(session, frame->hd.stream_id);
    if (s == NULL)
        return 0;
    c->heading = NULL;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        s->remote_ended = true;
    if (frame->hd.type == NGHTTP2_HEADERS)
        c->role->head(s);
    deliver_end(s);
    return 0;
}

static void consume(struct http2_stream *s, size_t len)
{
    if (!s->closed && len > 0)
        (void)nghttp2_session_consume_stream(s->conn->session, s->id, len); /* gone: nothing due */
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                         size_t len, void *user)
{
    struct http2_conn *c = user;
    (void)flags;
    (void)nghttp2_session_consume_connection(session, len); /* cannot fail: just received */
    struct http2_stream *s = stream_of(session, id);
    if (s == NULL) {
        (void)nghttp2_session_consume_stream(session, id, len); /* nobody listens any more */
        return 0;
    }
    if (s->paused || s->in.len > 0) {
        buf_append(&s->in, data, len);
        return 0;
    }
    c->role->body(s, str_of(data, len));
    consume(s, len);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    struct http2_stream *s = stream_of(session, id);
    (void)user;
    if (s == NULL)
        return 0;
    (void)nghttp2_session_set_stream_user_data(session, id, NULL); /* it exists */
    s->closed = true;
    s->error = error;
    http2_stream_ready(s);
    return 0;
}

/* ---- output ---- */

static int submit_trailers(struct http2_stream *s)
{
    struct arena *a = s->conn->role->arena(s);
    if (a == NULL)
        return 0;
    nghttp2_nv *nv = arena_array(a, s->trailer_count, sizeof(*nv));
    for (size_t i = 0; i < s->trailer_count; i++)
        nv[i] = http2_nv(a, s->trailers[i].name, s->trailers[i].value);
    return nghttp2_submit_trailer(s->conn->session, s->id, nv, s->trailer_count);
}

/* How much of the queue the next DATA frame takes; the bytes are copied in on_send_data. */
static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *to, size_t len,
                       uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct http2_stream *s = source->ptr;
    (void)session;
    (void)id;
    (void)to;
    (void)user;
    size_t take = s->queue.bytes < len ? s->queue.bytes : len;
    if (take == 0 && !s->output_ended) {
        s->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (take == s->queue.bytes && s->output_ended) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (s->trailer_count > 0) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            if (submit_trailers(s) != 0)
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
    }
    return (ssize_t)take;
}

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *frame_head,
                        size_t len, nghttp2_data_source *source, void *user)
{
    struct http2_conn *c = user;
    struct http2_stream *s = source->ptr;
    (void)session;
    (void)frame;
    if (c->fill_out->len >= c->fill_max)
        return NGHTTP2_ERR_WOULDBLOCK;
    buf_reserve(c->fill_out, len + FRAME_HEAD_BYTES);
    buf_append(c->fill_out, frame_head, FRAME_HEAD_BYTES);
    size_t held = s->queue.held;
    http2_queue_take(&s->queue, c->fill_out, len);
    c->held -= held - s->queue.held;
    c->taken += len;
    s->taken += len;
    if (s->queue.bytes == 0)
        s->stall.watched = false;
    if (s->above && s->queue.bytes <= HTTP_QUEUE_LOW_BYTES)
        http2_stream_ready(s);
    return 0;
}

/* An answer that is complete before its request: tell the client to stop sending (RFC 9113 8.1). */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2_conn *c = user;
    if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    struct http2_stream *s = stream_of(session, frame->hd.stream_id);
    if (s == NULL)
        return 0;
    s->output_sent = true;
    if (c->server && !s->remote_ended)
        http2_stream_reset(s, NGHTTP2_NO_ERROR);
    return 0;
}

nghttp2_data_provider http2_stream_provider(struct http2_stream *s)
{
    return (nghttp2_data_provider){ .source = { .ptr = s }, .read_callback = on_read };
}

/* ---- the session ---- */

static void session_new(struct http2_conn *c)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int rc = nghttp2_session_callbacks_new(&callbacks);
    ASSERT(rc == 0);
    rc = nghttp2_option_new(&option);
    ASSERT(rc == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_outbound_ack(option, OUTBOUND_ACKS_MAX);
    nghttp2_option_set_max_send_header_block_length(option, 4 * HTTP2_HEADER_BYTES_MAX);
    if (c->server)
        rc = nghttp2_session_server_new2(&c->session, callbacks, c, option);
    else
        rc = nghttp2_session_client_new2(&c->session, callbacks, c, option);
    ASSERT(rc == 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
}

void http2_conn_init(struct http2_conn *c, const struct http2_role *role, bool server,
                     struct http_link *link)
{
    c->role = role;
    c->server = server;
    c->g.link = link;
    list_init(&c->streams);
    list_init(&c->ready);
    list_init(&c->unsent);
    session_new(c);
    uint32_t streams = link->core->streams_max;
    nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
          server ? HTTP2_SERVER_WINDOW_BYTES : HTTP_CLIENT_WINDOW_BYTES },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP2_HEADER_BYTES_MAX },
        { server ? NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS : NGHTTP2_SETTINGS_ENABLE_PUSH,
          server ? streams : 0 },
    };
    int rc = nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, 3);
    ASSERT(rc == 0);
    rc = nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0,
                                               HTTP2_CONNECTION_WINDOW_BYTES);
    ASSERT(rc == 0);
}

void http2_conn_deinit(struct http2_conn *c)
{
    ASSERT(list_empty(&c->streams));
    nghttp2_session_del(c->session);
}

/* ---- the engine's calls ---- */

static struct http2_conn *conn_of(struct http_engine *g)
{
    return container_of(g, struct http2_conn, g);
}

void http2_receive(struct http_engine *g, struct str bytes)
{
    struct http2_conn *c = conn_of(g);
    if (c->failed)
        return;
    ASSERT(!c->in_session);
    c->in_session = true;
    ssize_t n = nghttp2_session_mem_recv(c->session, (const uint8_t *)bytes.data, bytes.len);
    c->in_session = false;
    /* A protocol error is no failure here: nghttp2 queued GOAWAY. What is left are floods and a
     * wrong preface: nothing can be said to such a peer. */
    if (n < 0)
        c->failed = true;
}

/* Gives a stream what arrived while it was paused. */
static void deliver_input(struct http2_stream *s)
{
    if ((s->in.len > 0 || s->resumed) && !s->paused) {
        s->resumed = false;
        struct buf in = s->in;
        buf_init(&s->in);
        s->conn->role->body(s, buf_str(&in));
        consume(s, in.len);
        buf_deinit(&in);
    }
    deliver_end(s);
}

static void turn_stream(struct http2_stream *s)
{
    struct http2_conn *c = s->conn;
    if (!s->closed || s->error == NGHTTP2_NO_ERROR || s->remote_ended)
        deliver_input(s);
    if (s->above && s->queue.bytes <= HTTP_QUEUE_LOW_BYTES && !s->closed) {
        s->above = false;
        c->role->drained(s);
    }
    /* A client's paused consumer keeps its stream until it has taken what came in order. */
    if (s->closed && (c->server || s->error != NGHTTP2_NO_ERROR || (s->in.len == 0 && !s->paused)))
        c->role->closed(s);
}

void http2_turn(struct http_engine *g)
{
    struct http2_conn *c = conn_of(g);
    /* One round: a stream made ready again meanwhile waits for the next turn. */
    struct list round;
    list_init(&round);
    while (!list_empty(&c->ready))
        list_append(&round, list_pop(&c->ready));
    struct list *node;
    while ((node = list_pop(&round)) != NULL)
        turn_stream(container_of(node, struct http2_stream, ready));
}

bool http2_pending(const struct http_engine *g)
{
    return !list_empty(&container_of(g, const struct http2_conn, g)->ready);
}

/* nghttp2 breaks a connection over a field that it takes for too long, and says nothing of it. Most
 * clients show the debug data of a GOAWAY. */
static void append_frame(struct buf *out, struct str frame)
{
    static const char why[] = "a head that does not decode, or is longer than 64 KiB";
    size_t start = out->len;
    buf_append_str(out, frame);
    uint8_t *head = out->data + start;
    if (frame.len == GOAWAY_BYTES && head[3] == NGHTTP2_GOAWAY &&
        load_be32(head + GOAWAY_BYTES - 4) == NGHTTP2_COMPRESSION_ERROR) {
        head[2] = (uint8_t)(GOAWAY_BYTES - FRAME_HEAD_BYTES + sizeof(why) - 1);
        buf_append_c(out, why);
    }
}

void http2_fill(struct http_engine *g, struct buf *out, size_t bytes_max)
{
    struct http2_conn *c = conn_of(g);
    ASSERT(!c->in_session);
    while (!list_empty(&c->unsent)) {
        struct http2_stream *s = container_of(list_pop(&c->unsent), struct http2_stream, unsent);
        if (!s->closed && !c->failed)
            c->role->submit(s);
    }
    c->in_session = true;
    c->fill_out = out;
    c->fill_max = bytes_max;
    while (!c->failed && out->len < bytes_max) {
        const uint8_t *data = NULL;
        ssize_t n = nghttp2_session_mem_send(c->session, &data);
        if (n < 0)
            c->failed = true;
        if (n <= 0)
            break;
        append_frame(out, str_of(data, (size_t)n));
    }
    c->fill_out = NULL;
    c->in_session = false;
}

void http2_ended(struct http_engine *g)
{
    http2_fail(g, conn_of(g)->server ? -ERR_CANCELED : -ERR_UNAVAILABLE);
}

void http2_fail(struct http_engine *g, int status)
{
    struct http2_conn *c = conn_of(g);
    c->failed = true;
    c->fail_status = status;
    list_foreach_safe (node, &c->streams) {
        struct http2_stream *s = container_of(node, struct http2_stream, node);
        if (!s->closed) {
            (void)nghttp2_session_set_stream_user_data(c->session, s->id, NULL); /* may be gone */
            s->closed = true;
            s->error = NGHTTP2_CANCEL;
        }
        http2_stream_ready(s);
        s->paused = false;
    }
    while (!list_empty(&c->ready))
        http2_turn(g);
}

bool http2_finished(const struct http_engine *g)
{
    const struct http2_conn *c = container_of(g, const struct http2_conn, g);
    if (c->failed)
        return true;
    if (nghttp2_session_want_write(c->session) != 0)
        return false;
    return (c->draining && c->stream_count == 0) || nghttp2_session_want_read(c->session) == 0;
}

bool http2_idle(const struct http_engine *g)
{
    return container_of(g, const struct http2_conn, g)->stream_count == 0;
}
