/*
 * The HTTP/1.1 client engine: one request at a time on its connection. A request that is canceled,
 * or a response that was not read to its end, costs the connection.
 */
#include "base/assert.h"
#include "base/err.h"
#include "base/list.h"
#include "net/engine.h"
#include "net/http1.h"

struct http1_client {
    struct http_engine g;
    struct http1_parser parser;
    struct buf in;
    struct buf out;
    size_t out_at;
    struct http_request *r;
    uint64_t received;
    int result; /* what done will say */
    bool over;  /* done is due */
    bool final; /* the final head is there */
    bool chunked;
    bool output_ended;
    bool above;
    bool paused;
    bool link_paused;
    bool peer_ended;
    bool processing;
    bool finished;
};

static struct http1_client *client_of(struct http_engine *g)
{
    return container_of(g, struct http1_client, g);
}

static void wake(struct http1_client *c)
{
    c->g.link->ops->wake(c->g.link);
}

static size_t output_queued(const struct http1_client *c)
{
    return c->out.len - c->out_at + c->g.link->ops->queued(c->g.link);
}

/* The request is over; the connection with it unless the response was complete. */
static void set_over(struct http1_client *c, int result)
{
    if (c->over)
        return;
    c->over = true;
    c->result = result;
    if (result != 0 || !c->parser.keep_alive || !c->output_ended || c->r->upgraded)
        c->finished = true;
}

/* ---- reading ---- */

static void on_head(struct http1_client *c)
{
    struct http_request *r = c->r;
    if (c->parser.status < 200 && !(c->parser.status == 101 && c->parser.upgrade))
        return; /* 1xx: the real one follows at this message's end */
    c->final = true;
    r->status = c->parser.status;
    r->response_headers = c->parser.headers;
    r->upgraded = c->parser.status == 101;
    if (r->events->response != NULL)
        r->events->response(r);
}

static void on_message_end(struct http1_client *c)
{
    struct http_request *r = c->r;
    if (!c->final) {
        http1_parser_next(&c->parser, &r->arena, str_eq_c(str_lit("HEAD"), r->method));
    } else if (!r->upgraded) {
        r->trailers = c->parser.trailers;
        set_over(c, 0);
    }
}

static void on_body(struct http1_client *c, struct str bytes)
{
    /* The handler may cancel in there; then it was not over the limit. */
    if (bytes.len > 0 && http_request_take_body(c->r, &c->received, bytes))
        set_over(c, -ERR_LIMIT);
}

static bool process_one(struct http1_client *c, struct str *in)
{
    if (c->r == NULL || c->over) {
        /* Bytes that no request asked for: the connection is not to be trusted. */
        if (in->len > 0 && c->r == NULL)
            c->finished = true;
        if (c->finished)
            *in = str_slice(*in, in->len, in->len);
        return false;
    }
    if (c->paused)
        return false;
    struct str piece = { 0 };
    if (c->r->upgraded) {
        piece = *in;
        *in = str_slice(*in, in->len, in->len);
        on_body(c, piece);
        return false;
    }
    switch (http1_parse(&c->parser, in, &piece)) {
    case HTTP1_HEAD:
        on_head(c);
        return true;
    case HTTP1_BODY:
        on_body(c, piece);
        return true;
    case HTTP1_END:
        on_message_end(c);
        return !c->over;
    case HTTP1_ERROR:
        set_over(c, -ERR_PROTOCOL);
        return false;
    case HTTP1_MORE:
    default:
        return false;
    }
}

static void update_link_pause(struct http1_client *c)
{
    bool pause = c->in.len > 0 || (c->paused && c->r != NULL);
    if (pause != c->link_paused) {
        c->link_paused = pause;
        c->g.link->ops->pause(c->g.link, pause);
    }
}

static void end_of_input(struct http1_client *c)
{
    if (c->r == NULL || c->over || c->paused || c->in.len > 0)
        return;
    if (c->r->upgraded || (c->final && http1_parse_end(&c->parser) == HTTP1_END))
        set_over(c, 0);
    else
        set_over(c, -ERR_UNAVAILABLE);
}

static void client_receive(struct http_engine *g, struct str bytes)
{
    struct http1_client *c = client_of(g);
    ASSERT(!c->processing);
    c->processing = true;
    bool stashed = c->in.len > 0;
    if (stashed)
        buf_append_str(&c->in, bytes);
    struct str rest = stashed ? buf_str(&c->in) : bytes;
    while (process_one(c, &rest))
        ;
    if (stashed)
        buf_consume(&c->in, c->in.len - rest.len);
    else if (rest.len > 0)
        buf_append_str(&c->in, rest);
    c->processing = false;
    if (c->peer_ended)
        end_of_input(c);
    update_link_pause(c);
}

/* ---- turns ---- */

static bool drained_due(const struct http1_client *c)
{
    return c->r != NULL && c->above && output_queued(c) <= HTTP_QUEUE_LOW_BYTES;
}

static bool input_due(const struct http1_client *c)
{
    if (c->r == NULL || c->over || c->paused)
        return false;
    return c->in.len > 0 || c->peer_ended || (http1_at_end(&c->parser) && !c->r->upgraded);
}

static bool client_pending(const struct http_engine *g)
{
    const struct http1_client *c = container_of(g, const struct http1_client, g);
    return (c->r != NULL && c->over) || drained_due(c) || input_due(c);
}

static void finish(struct http1_client *c, int status)
{
    struct http_request *r = c->r;
    c->r = NULL;
    c->over = false;
    c->paused = false;
    r->stream = NULL;
    c->g.link->ops->done(c->g.link, r, status);
}

static void client_turn(struct http_engine *g)
{
    struct http1_client *c = client_of(g);
    if (drained_due(c)) {
        c->above = false;
        if (c->r->events->drained != NULL && !c->over && !c->output_ended)
            c->r->events->drained(c->r);
    }
    if (input_due(c))
        client_receive(g, (struct str){ 0 });
    if (c->r != NULL && c->over)
        finish(c, c->result);
    update_link_pause(c);
}

static void client_fill(struct http_engine *g, struct buf *out, size_t bytes_max)
{
    struct http1_client *c = client_of(g);
    size_t left = c->out.len - c->out_at;
    size_t room = bytes_max > out->len ? bytes_max - out->len : 0;
    size_t take = left < room ? left : room;
    if (take == 0)
        return;
    buf_append(out, c->out.data + c->out_at, take);
    c->out_at += take;
    if (c->out_at == c->out.len) {
        buf_deinit(&c->out);
        buf_init(&c->out);
        c->out_at = 0;
    }
}

static void client_ended(struct http_engine *g)
{
    struct http1_client *c = client_of(g);
    c->peer_ended = true;
    if (c->r == NULL)
        c->finished = true;
    end_of_input(c);
    wake(c);
}

static void client_fail(struct http_engine *g, int status)
{
    struct http1_client *c = client_of(g);
    c->finished = true;
    c->out_at = c->out.len;
    if (c->r != NULL)
        finish(c, c->over ? c->result : status);
}

static void client_shutdown(struct http_engine *g)
{
    struct http1_client *c = client_of(g);
    c->parser.keep_alive = false;
    if (c->r == NULL)
        c->finished = true;
    wake(c);
}

static bool client_finished(const struct http_engine *g)
{
    const struct http1_client *c = container_of(g, const struct http1_client, g);
    return c->finished && c->r == NULL;
}

static bool client_idle(const struct http_engine *g)
{
    return container_of(g, const struct http1_client, g)->r == NULL;
}

static void client_free(struct http_engine *g)
{
    struct http1_client *c = client_of(g);
    client_fail(g, -ERR_UNAVAILABLE);
    http1_parser_deinit(&c->parser);
    buf_deinit(&c->in);
    buf_deinit(&c->out);
    mem_free(c);
}

/* ---- requests ---- */

static bool client_can_send(const struct http_engine *g)
{
    const struct http1_client *c = container_of(g, const struct http1_client, g);
    return c->r == NULL && !c->finished && !c->peer_ended;
}

static void write_head(struct http1_client *c, struct http_request *r)
{
    bool length = false;
    bool upgrade = false;
    http1_write_request(&c->out, r->method, r->sent.target, r->sent.authority);
    for (size_t i = 0; i < r->header_count; i++) {
        struct str name = r->sent.headers[i].name;
        if (http_is_connection_header(name) || str_eq_c(name, "host"))
            continue;
        length = length || str_eq_c(name, "content-length");
        upgrade = upgrade || str_eq_c(name, "upgrade");
        http1_write_header(&c->out, name, r->sent.headers[i].value);
    }
    if (upgrade)
        http1_write_header(&c->out, str_lit("connection"), str_lit("upgrade"));
    bool wants_length = r->sent.content.len > 0 || str_eq_c(str_lit("POST"), r->method) ||
                        str_eq_c(str_lit("PUT"), r->method) ||
                        str_eq_c(str_lit("PATCH"), r->method);
    c->chunked = r->streaming && !length && !upgrade;
    if (c->chunked)
        http1_write_header(&c->out, str_lit("transfer-encoding"), str_lit("chunked"));
    else if (!r->streaming && !length && wants_length)
        buf_printf(&c->out, "content-length: %zu\r\n", r->sent.content.len);
    http1_write_head_end(&c->out);
}

static void client_send(struct http_engine *g, struct http_request *r)
{
    struct http1_client *c = client_of(g);
    ASSERT(client_can_send(g));
    c->r = r;
    r->stream = c;
    c->received = 0;
    c->final = false;
    c->above = false;
    c->result = 0;
    http1_parser_next(&c->parser, &r->arena, str_eq_c(str_lit("HEAD"), r->method));
    write_head(c, r);
    buf_append_str(&c->out, r->sent.content);
    c->output_ended = !r->streaming;
    wake(c);
}

static void client_write(struct http_engine *g, struct http_request *r, struct str bytes)
{
    struct http1_client *c = client_of(g);
    if (c->over || c->output_ended)
        return;
    ASSERT(c->r == r);
    if (c->chunked)
        http1_write_chunk(&c->out, bytes);
    else
        buf_append_str(&c->out, bytes);
    size_t queued = output_queued(c);
    c->above = c->above || queued > HTTP_QUEUE_LOW_BYTES;
    if (queued > HTTP_QUEUE_BYTES_MAX)
        set_over(c, -ERR_LIMIT);
    wake(c);
}

static void client_finish(struct http_engine *g, struct http_request *r)
{
    struct http1_client *c = client_of(g);
    if (c->over || c->output_ended)
        return;
    c->output_ended = true;
    if (c->chunked)
        http1_write_last_chunk(&c->out, NULL, 0);
    if (r->upgraded)
        set_over(c, 0);
    wake(c);
}

static void client_cancel(struct http_engine *g, struct http_request *r)
{
    struct http1_client *c = client_of(g);
    ASSERT(c->r == r);
    c->r = NULL;
    c->over = false;
    c->paused = false;
    c->finished = true;
    r->stream = NULL;
    wake(c);
}

static void client_pause(struct http_engine *g, struct http_request *r, bool paused)
{
    (void)r;
    client_of(g)->paused = paused;
    wake(client_of(g));
}

static size_t client_queued(const struct http_engine *g, const struct http_request *r)
{
    (void)r;
    return output_queued(container_of(g, const struct http1_client, g));
}

static void client_ping(struct http_engine *g)
{
    (void)g; /* HTTP/1.1 has none */
}

struct http_engine *http1_client_new(struct http_link *link)
{
    static const struct http_engine_ops ops = {
        .receive = client_receive,
        .turn = client_turn,
        .pending = client_pending,
        .fill = client_fill,
        .ended = client_ended,
        .fail = client_fail,
        .shutdown = client_shutdown,
        .finished = client_finished,
        .idle = client_idle,
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
    struct http1_client *c = mem_alloc(sizeof(*c));
    c->g = (struct http_engine){ &ops, link };
    http1_parser_init(&c->parser, true);
    buf_init(&c->in);
    buf_init(&c->out);
    return &c->g;
}
