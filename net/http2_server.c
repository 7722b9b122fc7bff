/*
 * The HTTP/2 server engine: one http_exchange per stream.
 *
 * A response's head is submitted when the output is next filled, not when the handler gives it: by
 * then it is mostly known whether a body follows, so that an answer without one is a single frame.
 */
#include "base/assert.h"
#include "base/err.h"
#include "net/http2.h"

struct exchange {
    struct http2_stream s;
    struct http_exchange x;
    uint64_t received;
    nghttp2_nv *nv;
    size_t nv_count;
    bool handled;
    bool responded;
    bool no_body;
    bool over_limit;
    size_t collected; /* of the body, as the connection's account knows it */
    int reset;
};

static struct exchange *exchange_of(struct http_exchange *x)
{
    return container_of(x, struct exchange, x);
}

static struct exchange *of_stream(struct http2_stream *s)
{
    return container_of(s, struct exchange, s);
}

/* ---- the exchange's calls ---- */

static void exchange_respond(struct http_exchange *x, int status, const struct http_header *headers,
                             size_t count)
{
    struct exchange *e = exchange_of(x);
    if (e->responded || e->s.closed || e->reset != 0)
        return;
    struct arena *a = &x->arena;
    e->responded = true;
    e->no_body = x->is_head || status == 204 || status == 304;
    e->nv = arena_array(a, count + 2, sizeof(*e->nv));
    e->nv[e->nv_count++] = http2_nv(a, str_lit(":status"), str_printf(a, "%d", status));
    bool date = false;
    for (size_t i = 0; i < count; i++) {
        if (http_is_connection_header(headers[i].name))
            continue;
        date = date || str_eq_c(headers[i].name, "date");
        struct str name = str_copy(a, headers[i].name);
        e->nv[e->nv_count++] = http2_nv(a, name, str_copy(a, headers[i].value));
    }
    struct str now = http_core_date(e->s.conn->g.link->core);
    if (!date && now.len > 0)
        e->nv[e->nv_count++] = http2_nv(a, str_lit("date"), str_copy(a, now));
    list_append(&e->s.conn->unsent, &e->s.unsent);
    e->s.conn->g.link->ops->wake(e->s.conn->g.link);
}

static void submit(struct http2_stream *s)
{
    struct exchange *e = of_stream(s);
    nghttp2_data_provider provider = http2_stream_provider(s);
    bool bare = e->no_body || (s->output_ended && s->queue.bytes == 0 && s->trailer_count == 0);
    int rc = nghttp2_submit_response(s->conn->session, s->id, e->nv, e->nv_count,
                                     bare ? NULL : &provider);
    if (rc != 0)
        http2_stream_reset(s, NGHTTP2_INTERNAL_ERROR);
}

static void exchange_reset(struct http_exchange *x, int code)
{
    struct exchange *e = exchange_of(x);
    if (e->reset != 0 || e->s.closed || e->s.output_sent)
        return;
    e->reset = code == ERR_LIMIT || code == ERR_PROTOCOL ? -code : -ERR_CANCELED;
    http2_stream_reset(&e->s, http2_error_of(code));
}

static void exchange_write(struct http_exchange *x, struct str bytes, struct shared *shared)
{
    struct exchange *e = exchange_of(x);
    if (!e->responded || e->no_body || e->reset != 0)
        return;
    if (!http2_stream_write(&e->s, bytes, shared))
        exchange_reset(x, ERR_LIMIT);
}

static void exchange_end(struct http_exchange *x, const struct http_header *trailers, size_t count)
{
    struct exchange *e = exchange_of(x);
    if (!e->responded || e->reset != 0 || e->s.closed)
        return;
    struct http_headers copy = { 0 };
    for (size_t i = 0; i < count; i++)
        http_headers_add(&x->arena, &copy, str_copy(&x->arena, trailers[i].name),
                         str_copy(&x->arena, trailers[i].value));
    http2_stream_end(&e->s, copy.items, copy.count);
}

static size_t exchange_queued(const struct http_exchange *x)
{
    return container_of(x, const struct exchange, x)->s.queue.bytes;
}

static void exchange_pause(struct http_exchange *x, bool paused)
{
    http2_stream_pause(&exchange_of(x)->s, paused);
}

static bool exchange_responded(const struct http_exchange *x)
{
    return container_of(x, const struct exchange, x)->responded;
}

static int exchange_upgrade(struct http_exchange *x, const struct http_header *headers,
                            size_t count)
{
    (void)x;
    (void)headers;
    (void)count;
    return -ERR_UNIMPLEMENTED; /* HTTP/2 has no upgrade */
}

static const struct http_exchange_ops exchange_ops = {
    .respond = exchange_respond,
    .write = exchange_write,
    .end = exchange_end,
    .reset = exchange_reset,
    .queued = exchange_queued,
    .pause = exchange_pause,
    .responded = exchange_responded,
    .upgrade = exchange_upgrade,
};

/* ---- the session's events ---- */

static struct http2_stream *server_begin(struct http2_conn *c, int32_t id)
{
    struct exchange *e = mem_alloc(sizeof(*e));
    http2_stream_init(c, &e->s, id);
    e->x.ops = &exchange_ops;
    http_exchange_init(&e->x, c->g.link);
    e->x.version = 20;
    return &e->s;
}

static void server_field(struct http2_stream *s, struct str name, struct str value)
{
    struct http_exchange *x = &of_stream(s)->x;
    if (of_stream(s)->handled) {
        http_headers_add(&x->arena, &x->trailers, name, value);
    } else if (name.data[0] != ':') {
        if (x->authority.len == 0 && str_eq_c(name, "host"))
            x->authority = value;
        http_headers_add(&x->arena, &x->headers, name, value);
    } else if (str_eq_c(name, ":method")) {
        x->method = value;
    } else if (str_eq_c(name, ":path")) {
        x->target = value;
    } else if (str_eq_c(name, ":authority")) {
        x->authority = value;
    }
}

static void server_head(struct http2_stream *s)
{
    struct exchange *e = of_stream(s);
    struct http_exchange *x = &e->x;
    if (e->handled)
        return;
    e->handled = true;
    x->is_head = str_eq_c(x->method, "HEAD");
    x->has_body = !s->remote_ended;
    http_split_target(x->target, &x->path, &x->query);
    bool uri_over =
        x->target.len > HTTP_URI_BYTES_MAX || (s->header_overflow && x->target.len == 0);
    int refuse = uri_over                                                ? 414
                 : s->header_overflow                                    ? 431
                 : x->method.len > HTTP_METHOD_BYTES_MAX                 ? 400
                 : x->target.len == 0                                    ? 501 /* CONNECT */
                 : x->target.data[0] != '/' && !str_eq_c(x->target, "*") ? 400
                                                                         : 0;
    if (refuse != 0) {
        http_exchange_refuse(x, s->conn->g.link->core, refuse);
        return;
    }
    struct http_core *core = s->conn->g.link->core;
    core->handler(core->handler_ctx, x);
    if (x->events == NULL)
        x->events = &http_events_none;
}

/* A body is in the account until it is complete: then it is its handler's. */
static void account_body(struct exchange *e, size_t bytes)
{
    e->s.conn->held += bytes - e->collected;
    e->collected = bytes;
}

static void server_body(struct http2_stream *s, struct str bytes)
{
    struct exchange *e = of_stream(s);
    if (e->over_limit || !e->handled || e->reset != 0)
        return;
    bool over = http_exchange_body(&e->x, &e->received, bytes);
    account_body(e, e->x.body.len);
    if (!over)
        return;
    e->over_limit = true;
    if (e->x.events->end != NULL)
        e->x.events->end(&e->x, -ERR_LIMIT);
}

static void server_end(struct http2_stream *s)
{
    struct exchange *e = of_stream(s);
    account_body(e, 0);
    if (e->handled && !e->over_limit && e->reset == 0 && e->x.events->end != NULL)
        e->x.events->end(&e->x, 0);
}

static void server_drained(struct http2_stream *s)
{
    struct exchange *e = of_stream(s);
    if (e->handled && !s->output_ended && e->x.events->drained != NULL)
        e->x.events->drained(&e->x);
}

static void server_closed(struct http2_stream *s)
{
    struct exchange *e = of_stream(s);
    int status = -ERR_CANCELED;
    if (s->output_sent)
        status = 0;
    else if (e->reset != 0)
        status = e->reset;
    else if (s->conn->fail_status != 0)
        status = s->conn->fail_status;
    if (e->handled)
        e->x.events->closed(&e->x, status);
    account_body(e, 0);
    http2_stream_deinit(s);
    http_exchange_deinit(&e->x);
    mem_free(e);
}

static enum http_stalls server_stalls(const struct http2_stream *s)
{
    return container_of(s, const struct exchange, s)->x.stalls;
}

static struct arena *server_arena(struct http2_stream *s)
{
    return &of_stream(s)->x.arena;
}

static void server_shutdown(struct http_engine *g)
{
    struct http2_conn *c = container_of(g, struct http2_conn, g);
    if (c->draining || c->failed)
        return;
    c->draining = true;
    int32_t last = nghttp2_session_get_last_proc_stream_id(c->session);
    int rc = nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0);
    ASSERT(rc == 0);
    g->link->ops->wake(g->link);
}

static bool server_partial(const struct http_engine *g)
{
    return container_of(g, const struct http2_conn, g)->heading != NULL;
}

static struct http_held server_held(const struct http_engine *g)
{
    const struct http2_conn *c = container_of(g, const struct http2_conn, g);
    size_t head = c->heading != NULL ? c->heading->header_bytes : 0;
    return (struct http_held){ .bytes = c->held + head, .head = head, .taken = c->taken };
}

/* Whoever reads nothing at all cannot be told of a reset. */
static bool server_expire(struct http_engine *g, uint64_t now_ms)
{
    struct http2_conn *c = container_of(g, struct http2_conn, g);
    list_foreach_safe (node, &c->streams) {
        struct http2_stream *s = container_of(node, struct http2_stream, node);
        if (http2_stream_stalls(s, now_ms))
            exchange_reset(&of_stream(s)->x, ERR_TIMEOUT);
    }
    return http_stalled(&c->stall, g->link->ops->queued(g->link), g->link->ops->sent(g->link),
                        now_ms, HTTP_STALL_MS);
}

static void server_free(struct http_engine *g)
{
    struct http2_conn *c = container_of(g, struct http2_conn, g);
    http2_fail(g, -ERR_CANCELED);
    http2_conn_deinit(c);
    mem_free(c);
}

struct http_engine *http2_server_new(struct http_link *link)
{
    static const struct http2_role role = {
        .begin = server_begin,
        .field = server_field,
        .head = server_head,
        .body = server_body,
        .end = server_end,
        .drained = server_drained,
        .stalls = server_stalls,
        .submit = submit,
        .closed = server_closed,
        .arena = server_arena,
    };
    static const struct http_engine_ops ops = {
        .receive = http2_receive,
        .turn = http2_turn,
        .pending = http2_pending,
        .fill = http2_fill,
        .ended = http2_ended,
        .fail = http2_fail,
        .shutdown = server_shutdown,
        .finished = http2_finished,
        .idle = http2_idle,
        .partial = server_partial,
        .held = server_held,
        .expire = server_expire,
        .free = server_free,
    };
    struct http2_conn *c = mem_alloc(sizeof(*c));
    c->g.ops = &ops;
    http2_conn_init(c, &role, true, link);
    return &c->g;
}
