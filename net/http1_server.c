/*
 * The HTTP/1.1 server engine: one exchange at a time; what a peer pipelines waits in `in` while the
 * link is paused.
 *
 * Happy path: receive → parse → handler → body, end → the handler answers into `out` → turn
 * delivers closed and starts the next request. A framing error answers with the parser's status and
 * closes. An answer that ends before its request's body was read closes too: the rest of the body
 * is not worth reading. On loss every path ends in finish_exchange, the only place that calls
 * closed.
 */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/list.h"
#include "net/engine.h"
#include "net/http1.h"

struct exchange {
    struct http_exchange x;
    struct http1_server *server;
    uint64_t received;
    uint64_t left; /* of the answer's content-length */
    bool handled;  /* the handler was called */
    bool request_done;
    bool over_limit;
    bool paused;
    bool responded;
    bool no_body;
    bool chunked;
    bool has_length;
    bool response_done;
    bool above; /* the queue was above the low mark */
    bool tunnel;
    bool tunnel_ended; /* end was delivered */
    int reset;         /* -ERR_X once given up */
};

struct http1_server {
    struct http_engine g;
    struct http1_parser parser;
    struct buf in;  /* read but not parsed yet */
    struct buf out; /* written but not handed out yet, from out_at */
    size_t out_at;
    struct http_stall stall;
    struct exchange *current;
    bool may_stall; /* the reader of what is left of the last answer */
    bool processing;
    bool link_paused;
    bool peer_ended;
    bool last;     /* no request after the current one */
    bool finished; /* close when out is empty */
};

static struct http1_server *server_of(struct http_engine *g)
{
    return container_of(g, struct http1_server, g);
}

static struct exchange *exchange_of(struct http_exchange *x)
{
    return container_of(x, struct exchange, x);
}

static void wake(struct http1_server *s)
{
    s->g.link->ops->wake(s->g.link);
}

static size_t output_queued(const struct http1_server *s)
{
    return s->out.len - s->out_at + s->g.link->ops->queued(s->g.link);
}

/* ---- the exchange's calls ---- */

static void note_queue(struct exchange *e)
{
    size_t queued = output_queued(e->server);
    if (queued > HTTP_QUEUE_LOW_BYTES)
        e->above = true;
    if (queued > HTTP_QUEUE_BYTES_MAX && e->reset == 0)
        e->reset = -ERR_LIMIT;
    wake(e->server);
}

static void write_connection(struct exchange *e)
{
    struct http1_server *s = e->server;
    if (!s->parser.keep_alive)
        s->last = true;
    if (s->last)
        http1_write_header(&s->out, str_lit("connection"), str_lit("close"));
    else if (e->x.version == 10)
        http1_write_header(&s->out, str_lit("connection"), str_lit("keep-alive"));
}

static void exchange_respond(struct http_exchange *x, int status, const struct http_header *headers,
                             size_t count)
{
    struct exchange *e = exchange_of(x);
    struct http1_server *s = e->server;
    if (e->responded || e->reset != 0)
        return;
    e->responded = true;
    e->no_body = x->is_head || status == 204 || status == 304;
    http1_write_status(&s->out, status);
    bool date = false;
    for (size_t i = 0; i < count; i++) {
        if (http_is_connection_header(headers[i].name))
            continue;
        if (str_eq_c(headers[i].name, "content-length"))
            e->has_length = str_to_u64(headers[i].value, &e->left) == 0;
        date = date || str_eq_c(headers[i].name, "date");
        http1_write_header(&s->out, headers[i].name, headers[i].value);
    }
    struct str now = http_core_date(s->g.link->core);
    if (!date && now.len > 0)
        http1_write_header(&s->out, str_lit("date"), now);
    if (!e->no_body && !e->has_length) {
        if (x->version == 11) {
            e->chunked = true;
            http1_write_header(&s->out, str_lit("transfer-encoding"), str_lit("chunked"));
        } else {
            s->last = true;
        }
    }
    write_connection(e);
    http1_write_head_end(&s->out);
    wake(s);
}

static void exchange_write(struct http_exchange *x, struct str bytes, struct shared *shared)
{
    struct exchange *e = exchange_of(x);
    (void)shared; /* one output buffer: bytes are copied */
    if (!e->responded || e->response_done || e->reset != 0 || e->no_body)
        return;
    if (e->chunked) {
        http1_write_chunk(&e->server->out, bytes);
    } else {
        if (e->has_length && bytes.len > e->left) {
            e->reset = -ERR_INTERNAL; /* the handler wrote more than it announced */
            bytes = str_slice(bytes, 0, (size_t)e->left);
        }
        if (e->has_length)
            e->left -= bytes.len;
        buf_append_str(&e->server->out, bytes);
    }
    note_queue(e);
}

static void exchange_end(struct http_exchange *x, const struct http_header *trailers, size_t count)
{
    struct exchange *e = exchange_of(x);
    if (!e->responded || e->response_done || e->reset != 0)
        return;
    if (e->chunked)
        http1_write_last_chunk(&e->server->out, trailers, count);
    if (e->has_length && e->left > 0 && !e->no_body)
        e->reset = -ERR_INTERNAL; /* less than announced: only a cut connection says so */
    e->response_done = true;
    wake(e->server);
}

static void exchange_reset(struct http_exchange *x, int code)
{
    struct exchange *e = exchange_of(x);
    (void)code; /* HTTP/1.1 has no way to say it */
    if (e->reset == 0 && !e->response_done)
        e->reset = -ERR_CANCELED;
    wake(e->server);
}

static size_t exchange_queued(const struct http_exchange *x)
{
    return output_queued(container_of(x, const struct exchange, x)->server);
}

static void exchange_pause(struct http_exchange *x, bool paused)
{
    struct exchange *e = exchange_of(x);
    e->paused = paused;
    wake(e->server);
}

static bool exchange_responded(const struct http_exchange *x)
{
    return container_of(x, const struct exchange, x)->responded;
}

static int exchange_upgrade(struct http_exchange *x, const struct http_header *headers,
                            size_t count)
{
    struct exchange *e = exchange_of(x);
    struct http1_server *s = e->server;
    if (e->responded || e->reset != 0 || !s->parser.upgrade || x->version != 11 || x->has_body)
        return -ERR_INVALID_ARGUMENT;
    ASSERT(x->events->body != NULL);
    http1_write_status(&s->out, 101);
    for (size_t i = 0; i < count; i++) {
        if (!http_is_connection_header(headers[i].name))
            http1_write_header(&s->out, headers[i].name, headers[i].value);
    }
    http1_write_header(&s->out, str_lit("connection"), str_lit("upgrade"));
    http1_write_head_end(&s->out);
    e->responded = true;
    e->tunnel = true;
    s->last = true;
    wake(s);
    return 0;
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

/* ---- reading ---- */

static void finish_exchange(struct http1_server *s, int status)
{
    struct exchange *e = s->current;
    s->current = NULL;
    s->may_stall = e->x.stalls == HTTP_STALLS_MAY;
    if (e->handled)
        e->x.events->closed(&e->x, status);
    http_exchange_deinit(&e->x);
    mem_free(e);
}

static struct exchange *start_exchange(struct http1_server *s)
{
    struct exchange *e = mem_alloc(sizeof(*e));
    e->server = s;
    e->x.ops = &exchange_ops;
    http_exchange_init(&e->x, s->g.link);
    http1_parser_next(&s->parser, &e->x.arena, false);
    s->current = e;
    return e;
}

static void fill_exchange(struct http1_server *s, struct exchange *e)
{
    struct http_exchange *x = &e->x;
    x->method = s->parser.method;
    x->target = s->parser.target;
    x->authority = s->parser.authority;
    x->headers = s->parser.headers;
    x->version = s->parser.version == 10 ? 10 : 11;
    x->has_body = s->parser.has_body;
    x->is_head = str_eq_c(x->method, "HEAD");
    http_split_target(x->target, &x->path, &x->query);
}

static void on_head(struct http1_server *s, struct exchange *e)
{
    struct http_core *core = s->g.link->core;
    fill_exchange(s, e);
    e->handled = true;
    core->handler(core->handler_ctx, &e->x);
    if (e->x.events == NULL)
        e->x.events = &http_events_none;
    if (s->parser.expect_continue && e->x.has_body) {
        if (e->responded)
            s->last = true; /* whether the body follows is unknowable now */
        else
            buf_append_c(&s->out, "HTTP/1.1 100 Continue\r\n\r\n");
    }
}

static void on_bad_request(struct http1_server *s, struct exchange *e)
{
    s->last = true;
    if (!e->handled) {
        fill_exchange(s, e);
        s->parser.keep_alive = false;
        e->x.is_head = false;
        e->x.version = 11;
        e->request_done = true;
        e->handled = true;
        http_exchange_refuse(&e->x, s->g.link->core, s->parser.error);
        return;
    }
    if (!e->responded) {
        http1_write_status(&s->out, s->parser.error);
        http1_write_header(&s->out, str_lit("connection"), str_lit("close"));
        http1_write_header(&s->out, str_lit("content-length"), str_lit("0"));
        http1_write_head_end(&s->out);
    }
    if (e->reset == 0)
        e->reset = -ERR_PROTOCOL;
}

static void on_body(struct http1_server *s, struct exchange *e, struct str bytes)
{
    if (e->over_limit || bytes.len == 0)
        return;
    if (!http_exchange_body(&e->x, &e->received, bytes))
        return;
    e->over_limit = true;
    s->last = true;
    if (e->x.events->end != NULL)
        e->x.events->end(&e->x, -ERR_LIMIT);
}

static void on_end(struct http1_server *s, struct exchange *e)
{
    e->request_done = true;
    e->x.trailers = s->parser.trailers;
    if (!e->over_limit && e->x.events->end != NULL)
        e->x.events->end(&e->x, 0);
}

/* One step; false when nothing more can be done with this input now. */
static bool process_one(struct http1_server *s, struct str *in)
{
    struct exchange *e = s->current;
    if (e == NULL) {
        if (s->last || s->finished)
            *in = str_slice(*in, in->len, in->len);
        if (in->len == 0)
            return false;
        e = start_exchange(s);
    }
    if (e->reset != 0 || (e->paused && e->handled))
        return false;
    if (e->tunnel) {
        struct str bytes = *in;
        *in = str_slice(*in, in->len, in->len);
        if (bytes.len > 0)
            e->x.events->body(&e->x, bytes);
        return false;
    }
    if (e->request_done)
        return false;
    struct str piece = { 0 };
    switch (http1_parse(&s->parser, in, &piece)) {
    case HTTP1_HEAD:
        on_head(s, e);
        return true;
    case HTTP1_BODY:
        on_body(s, e, piece);
        return true;
    case HTTP1_END:
        on_end(s, e);
        return true;
    case HTTP1_ERROR:
        on_bad_request(s, e);
        *in = str_slice(*in, in->len, in->len);
        return false;
    case HTTP1_MORE:
    default:
        return false;
    }
}

/* Stops reading while input waits: the peer's pipeline then stays in the kernel. */
static void update_link_pause(struct http1_server *s)
{
    bool pause = s->in.len > 0;
    if (pause != s->link_paused) {
        s->link_paused = pause;
        s->g.link->ops->pause(s->g.link, pause);
    }
}

static void server_receive(struct http_engine *g, struct str bytes)
{
    struct http1_server *s = server_of(g);
    ASSERT(!s->processing);
    s->processing = true;
    bool stashed = s->in.len > 0;
    if (stashed)
        buf_append_str(&s->in, bytes);
    struct str rest = stashed ? buf_str(&s->in) : bytes;
    while (process_one(s, &rest))
        ;
    if (stashed)
        buf_consume(&s->in, s->in.len - rest.len);
    else
        buf_append_str(&s->in, rest);
    if (s->in.len == 0) {
        buf_deinit(&s->in);
        buf_init(&s->in);
    }
    s->processing = false;
    update_link_pause(s);
}

/* ---- turns ---- */

static bool exchange_over(const struct exchange *e)
{
    return e->reset != 0 || (e->response_done && output_queued(e->server) <= HTTP_QUEUE_HIGH_BYTES);
}

static bool drained_due(const struct exchange *e)
{
    return e->above && output_queued(e->server) <= HTTP_QUEUE_LOW_BYTES;
}

static bool tunnel_end_due(const struct http1_server *s)
{
    const struct exchange *e = s->current;
    return s->peer_ended && e->tunnel && !e->tunnel_ended && s->in.len == 0;
}

static bool input_due(const struct http1_server *s)
{
    const struct exchange *e = s->current;
    if (s->finished)
        return false;
    if (s->in.len == 0)
        return e != NULL && e->handled && !e->request_done && !e->paused && !e->tunnel &&
               http1_at_end(&s->parser);
    if (e == NULL)
        return true;
    return !(e->paused && e->handled) && (e->tunnel || !e->request_done);
}

static bool server_pending(const struct http_engine *g)
{
    const struct http1_server *s = container_of(g, const struct http1_server, g);
    const struct exchange *e = s->current;
    if (e != NULL && (exchange_over(e) || drained_due(e) || tunnel_end_due(s)))
        return true;
    return input_due(s);
}

static void server_turn(struct http_engine *g)
{
    struct http1_server *s = server_of(g);
    struct exchange *e = s->current;
    if (e != NULL && drained_due(e)) {
        e->above = false;
        if (e->handled && e->x.events->drained != NULL && !e->response_done && e->reset == 0)
            e->x.events->drained(&e->x);
    }
    if (e != NULL && exchange_over(e)) {
        if (e->reset != 0 || !e->request_done || e->tunnel || s->last)
            s->finished = true;
        finish_exchange(s, e->reset);
    }
    if (input_due(s))
        server_receive(g, (struct str){ 0 });
    if (s->current != NULL && tunnel_end_due(s)) {
        s->current->tunnel_ended = true;
        if (s->current->x.events->end != NULL)
            s->current->x.events->end(&s->current->x, 0);
    }
    update_link_pause(s);
}

static void server_fill(struct http_engine *g, struct buf *out, size_t bytes_max)
{
    struct http1_server *s = server_of(g);
    size_t left = s->out.len - s->out_at;
    size_t room = bytes_max > out->len ? bytes_max - out->len : 0;
    size_t take = left < room ? left : room;
    if (take == 0)
        return;
    buf_append(out, s->out.data + s->out_at, take);
    s->out_at += take;
    if (s->out_at == s->out.len) {
        buf_deinit(&s->out); /* an idle connection holds no buffer */
        buf_init(&s->out);
        s->out_at = 0;
    }
}

static void server_ended(struct http_engine *g)
{
    struct http1_server *s = server_of(g);
    s->peer_ended = true;
    s->last = true;
    if (s->current == NULL) {
        s->finished = true;
    } else if (!s->current->tunnel && !s->current->response_done) {
        /* A client that stops talking in the middle of an exchange has gone away. */
        s->finished = true;
        finish_exchange(s, -ERR_CANCELED);
    }
    wake(s);
}

static void server_fail(struct http_engine *g, int status)
{
    struct http1_server *s = server_of(g);
    s->finished = true;
    if (s->current != NULL)
        finish_exchange(s, s->current->response_done ? 0 : status);
}

static void server_shutdown(struct http_engine *g)
{
    struct http1_server *s = server_of(g);
    s->last = true;
    if (s->current == NULL || !http1_started(&s->parser))
        s->finished = s->current == NULL;
    wake(s);
}

static bool server_finished(const struct http_engine *g)
{
    const struct http1_server *s = container_of(g, const struct http1_server, g);
    return s->finished && s->out.len == s->out_at;
}

static bool server_idle(const struct http_engine *g)
{
    const struct http1_server *s = container_of(g, const struct http1_server, g);
    return s->current == NULL || !s->current->handled;
}

static bool server_partial(const struct http_engine *g)
{
    const struct http1_server *s = container_of(g, const struct http1_server, g);
    return s->current != NULL && !s->current->handled && http1_started(&s->parser);
}

static struct http_held server_held(const struct http_engine *g)
{
    const struct http1_server *s = container_of(g, const struct http1_server, g);
    const struct http_link *l = s->g.link;
    size_t body = s->current != NULL ? s->current->x.body.len : 0;
    size_t head = s->parser.head.len;
    return (struct http_held){ .bytes = s->out.len - s->out_at + s->in.len + head + body,
                               .head = server_partial(g) ? head : 0,
                               .taken = l->ops->sent(l) + l->ops->queued(l) };
}

static bool server_expire(struct http_engine *g, uint64_t now_ms)
{
    struct http1_server *s = server_of(g);
    const struct exchange *e = s->current;
    bool stalled = http_stalled(&s->stall, output_queued(s), s->g.link->ops->sent(s->g.link),
                                now_ms, HTTP_STALL_MS);
    if (!stalled || e == NULL)
        return stalled && !s->may_stall;
    return e->x.stalls == HTTP_STALLS_CUT || (e->x.stalls == HTTP_STALLS_END && e->response_done);
}

static void server_free(struct http_engine *g)
{
    struct http1_server *s = server_of(g);
    if (s->current != NULL)
        finish_exchange(s, -ERR_CANCELED);
    http1_parser_deinit(&s->parser);
    buf_deinit(&s->in);
    buf_deinit(&s->out);
    mem_free(s);
}

struct http_engine *http1_server_new(struct http_link *link)
{
    static const struct http_engine_ops ops = {
        .receive = server_receive,
        .turn = server_turn,
        .pending = server_pending,
        .fill = server_fill,
        .ended = server_ended,
        .fail = server_fail,
        .shutdown = server_shutdown,
        .finished = server_finished,
        .idle = server_idle,
        .partial = server_partial,
        .held = server_held,
        .expire = server_expire,
        .free = server_free,
    };
    struct http1_server *s = mem_alloc(sizeof(*s));
    s->g = (struct http_engine){ &ops, link };
    http1_parser_init(&s->parser, false);
    buf_init(&s->in);
    buf_init(&s->out);
    return &s->g;
}
