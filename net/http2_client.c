/* The HTTP/2 client engine: one stream per http_request. */
#include "base/assert.h"
#include "base/err.h"
#include "net/http2.h"

struct client_stream {
    struct http2_stream s;
    struct http_request *r; /* NULL once canceled */
    uint64_t received;
    int result; /* decided here before the stream closes */
    bool final; /* the final head is there */
};

static struct client_stream *of_stream(struct http2_stream *s)
{
    return container_of(s, struct client_stream, s);
}

static struct client_stream *of_request(const struct http_request *r)
{
    return r->stream;
}

static void give_up(struct client_stream *t, int result)
{
    if (t->result == 0)
        t->result = result;
    http2_stream_reset(&t->s, NGHTTP2_CANCEL);
}

/* ---- the session's events ---- */

static struct http2_stream *client_begin(struct http2_conn *c, int32_t id)
{
    (void)c;
    (void)id;
    ASSERT(false); /* push is off: nghttp2 refuses it */
    return NULL;
}

static void client_field(struct http2_stream *s, struct str name, struct str value)
{
    struct client_stream *t = of_stream(s);
    struct http_request *r = t->r;
    if (r == NULL)
        return;
    uint64_t status = 0;
    if (t->final)
        http_headers_add(&r->arena, &r->trailers, name, value);
    else if (name.data[0] != ':')
        http_headers_add(&r->arena, &r->response_headers, name, value);
    else if (str_eq_c(name, ":status") && str_to_u64(value, &status) == 0 && status <= 999)
        r->status = (int)status;
}

static void client_head(struct http2_stream *s)
{
    struct client_stream *t = of_stream(s);
    struct http_request *r = t->r;
    if (r == NULL)
        return;
    if (s->header_overflow) {
        give_up(t, -ERR_LIMIT);
        return;
    }
    if (t->final)
        return;
    if (r->status < 200) { /* 1xx: the real one follows */
        r->status = 0;
        r->response_headers.count = 0;
        return;
    }
    t->final = true;
    if (r->events->response != NULL)
        r->events->response(r);
}

static void client_body(struct http2_stream *s, struct str bytes)
{
    struct client_stream *t = of_stream(s);
    if (t->r == NULL || t->result != 0)
        return;
    if (http_request_take_body(t->r, &t->received, bytes))
        give_up(t, -ERR_LIMIT);
}

static void client_end(struct http2_stream *s)
{
    /* The answer is complete; a server that did not want the rest of our body has said so. */
    if (!s->output_sent)
        http2_stream_reset(s, NGHTTP2_CANCEL);
}

static void client_drained(struct http2_stream *s)
{
    struct http_request *r = of_stream(s)->r;
    if (r != NULL && r->events->drained != NULL && !s->output_ended)
        r->events->drained(r);
}

static int outcome(const struct client_stream *t)
{
    const struct http2_stream *s = &t->s;
    if (t->result != 0)
        return t->result;
    if (s->end_delivered && t->final)
        return 0;
    if (s->conn->fail_status != 0)
        return s->conn->fail_status;
    t->r->h2_error = s->error;
    if (s->error == NGHTTP2_REFUSED_STREAM) {
        t->r->refused = true;
        return -ERR_UNAVAILABLE;
    }
    return -ERR_PROTOCOL;
}

static void client_closed(struct http2_stream *s)
{
    struct client_stream *t = of_stream(s);
    struct http_request *r = t->r;
    struct http_link *link = s->conn->g.link;
    int status = r == NULL ? 0 : outcome(t);
    http2_stream_deinit(s);
    mem_free(t);
    if (r != NULL) {
        r->stream = NULL;
        link->ops->done(link, r, status);
    }
}

static struct arena *client_arena(struct http2_stream *s)
{
    struct http_request *r = of_stream(s)->r;
    return r == NULL ? NULL : &r->arena;
}

static void client_submit(struct http2_stream *s)
{
    (void)s; /* requests are submitted when they are sent */
}

/* ---- the engine's calls ---- */

static bool client_can_send(const struct http_engine *g)
{
    const struct http2_conn *c = container_of(g, const struct http2_conn, g);
    return !c->draining && !c->failed && nghttp2_session_check_request_allowed(c->session) != 0;
}

/* Longer than the peer takes: it would answer nothing else, or break the connection. */
static bool too_long(struct http2_conn *c, const nghttp2_nv *nv, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += nv[i].namelen + nv[i].valuelen + 32;
    return bytes >
           nghttp2_session_get_remote_settings(c->session, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE);
}

static void client_send(struct http_engine *g, struct http_request *r)
{
    struct http2_conn *c = container_of(g, struct http2_conn, g);
    struct client_stream *t = mem_alloc(sizeof(*t));
    struct arena *a = &r->arena;
    t->r = r;
    r->stream = t;
    http2_stream_init(c, &t->s, 0);
    nghttp2_nv *nv = arena_array(a, r->header_count + 4, sizeof(*nv));
    size_t n = 0;
    nv[n++] = http2_nv(a, str_lit(":method"), str_from(r->method));
    nv[n++] = http2_nv(a, str_lit(":scheme"), str_from(g->link->peer.tls ? "https" : "http"));
    nv[n++] = http2_nv(a, str_lit(":authority"), r->sent.authority);
    nv[n++] = http2_nv(a, str_lit(":path"), r->sent.target);
    for (size_t i = 0; i < r->header_count; i++) {
        if (!http_is_connection_header(r->sent.headers[i].name))
            nv[n++] = http2_nv(a, r->sent.headers[i].name, r->sent.headers[i].value);
    }
    nghttp2_data_provider provider = http2_stream_provider(&t->s);
    bool body = r->streaming || r->sent.content.len > 0;
    t->s.output_ended = !body;
    if (too_long(c, nv, n)) {
        t->s.closed = true;
        t->result = -ERR_LIMIT;
        http2_stream_ready(&t->s);
        return;
    }
    int32_t id = nghttp2_submit_request(c->session, NULL, nv, n, body ? &provider : NULL, &t->s);
    if (id < 0) { /* out of stream ids: surely not processed */
        t->s.closed = true;
        t->s.error = NGHTTP2_REFUSED_STREAM;
        http2_stream_ready(&t->s);
        return;
    }
    t->s.id = id;
    if (!r->streaming && body) {
        (void)http2_stream_write(&t->s, r->sent.content,
                                 NULL); /* its size is the caller's choice */
        http2_stream_end(&t->s, NULL, 0);
    }
    g->link->ops->wake(g->link);
}

static void client_write(struct http_engine *g, struct http_request *r, struct str bytes)
{
    (void)g;
    struct client_stream *t = of_request(r);
    if (!http2_stream_write(&t->s, bytes, NULL))
        give_up(t, -ERR_LIMIT);
}

static void client_finish(struct http_engine *g, struct http_request *r)
{
    (void)g;
    http2_stream_end(&of_request(r)->s, NULL, 0);
}

static void client_cancel(struct http_engine *g, struct http_request *r)
{
    (void)g;
    struct client_stream *t = of_request(r);
    t->r = NULL;
    r->stream = NULL;
    http2_stream_pause(&t->s, false);
    http2_stream_reset(&t->s, NGHTTP2_CANCEL);
}

static void client_pause(struct http_engine *g, struct http_request *r, bool paused)
{
    (void)g;
    http2_stream_pause(&of_request(r)->s, paused);
}

static size_t client_queued(const struct http_engine *g, const struct http_request *r)
{
    (void)g;
    return of_request(r)->s.queue.bytes;
}

static void client_ping(struct http_engine *g)
{
    struct http2_conn *c = container_of(g, struct http2_conn, g);
    if (!c->failed)
        (void)nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, NULL); /* only memory fails */
    g->link->ops->wake(g->link);
}

static void client_shutdown(struct http_engine *g)
{
    struct http2_conn *c = container_of(g, struct http2_conn, g);
    c->draining = true;
    g->link->ops->wake(g->link);
}

static void client_free(struct http_engine *g)
{
    struct http2_conn *c = container_of(g, struct http2_conn, g);
    http2_fail(g, -ERR_UNAVAILABLE);
    http2_conn_deinit(c);
    mem_free(c);
}

struct http_engine *http2_client_new(struct http_link *link)
{
    static const struct http2_role role = {
        .begin = client_begin,
        .field = client_field,
        .head = client_head,
        .body = client_body,
        .end = client_end,
        .drained = client_drained,
        .submit = client_submit,
        .closed = client_closed,
        .arena = client_arena,
    };
    static const struct http_engine_ops ops = {
        .receive = http2_receive,
        .turn = http2_turn,
        .pending = http2_pending,
        .fill = http2_fill,
        .ended = http2_ended,
        .fail = http2_fail,
        .shutdown = client_shutdown,
        .finished = http2_finished,
        .idle = http2_idle,
        .free = client_free,
        .can_send = client_can_send,
        .send = client_send,
        .write = client_write,
        .end = client_finish,
        .cancel = client_cancel,
        .pause = client_pause,
        .queued = client_queued,
        .ping = client_ping,
    };
    struct http2_conn *c = mem_alloc(sizeof(*c));
    c->g.ops = &ops;
    http2_conn_init(c, &role, false, link);
    return &c->g;
}
