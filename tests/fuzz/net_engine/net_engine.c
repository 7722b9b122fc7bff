/* See the header. */
#include "tests/fuzz/net_engine/net_engine.h"

#include "base/assert.h"
#include "base/list.h"
#include "net/tls.h"

#define TURNS_MAX 64

static size_t open_count;
static size_t queued;
static bool woken;

static void on_wake(struct http_link *l)
{
    (void)l;
    woken = true;
}

static size_t on_queued(const struct http_link *l)
{
    (void)l;
    return queued;
}

static void on_pause(struct http_link *l, bool pause)
{
    (void)l;
    (void)pause;
}

static void on_body(struct http_exchange *x, struct str bytes)
{
    if (bytes.len % 3 == 1)
        http_body_pause(x);
    http_write(x, bytes);
}

static void on_end(struct http_exchange *x, int status)
{
    if (!http_responded(x))
        http_reply(x, status == 0 ? 200 : 413, "text/plain", buf_str(&x->body));
    http_end(x);
}

static void on_drained(struct http_exchange *x)
{
    http_end(x);
}

static void on_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
    ASSERT(open_count > 0);
    open_count--;
}

static void on_request(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events collect = { .end = on_end, .closed = on_closed };
    static const struct http_exchange_events stream = {
        .body = on_body, .end = on_end, .drained = on_drained, .closed = on_closed
    };
    static const struct http_header trailer = { STR("x-end"), STR("1") };
    static char big[100000];
    (void)ctx;
    open_count++;
    ASSERT(x->method.len > 0);
    ASSERT(x->path.len > 0);
    x->events = &collect;
    x->body_bytes_max = 1000;
    switch (x->path.len > 1 ? x->path.data[1] : 'c') {
    case 's':
        x->events = &stream;
        http_respond(x, 200, NULL, 0);
        break;
    case 'b':
        http_respond(x, 200, NULL, 0);
        http_write(x, str_of(big, sizeof(big)));
        http_end_trailers(x, &trailer, 1);
        break;
    case 'r':
        http_reset(x, -ERR_INTERNAL);
        break;
    case 'u':
        x->events = &stream;
        if (http_upgrade(x, NULL, 0) != 0)
            http_reply(x, 400, NULL, str_lit(""));
        break;
    case 'l':
        http_respond(x, 200, &(struct http_header){ str_lit("content-length"), str_lit("9") }, 1);
        http_write(x, str_lit("more than nine bytes"));
        break;
    case 'n':
        http_reply(x, 204, NULL, str_lit(""));
        break;
    default:
        break;
    }
}

static void run_turns(struct http_engine *g, struct buf *out)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        woken = false;
        g->ops->turn(g);
        g->ops->fill(g, out, 4096);
        queued = out->len % 3 == 0 ? HTTP_QUEUE_LOW_BYTES + 1 : 0;
        buf_clear(out);
        if (!woken && !g->ops->pending(g))
            break;
    }
    queued = 0;
}

void net_engine_serve(struct http_engine *(*make)(struct http_link *link), struct str bytes,
                      size_t piece)
{
    static const struct http_link_ops ops = { .wake = on_wake,
                                              .queued = on_queued,
                                              .pause = on_pause };
    struct http_core core = { .handler = on_request, .streams_max = 16 };
    struct http_link link = { .ops = &ops, .core = &core };
    link.peer.address = "fuzz";
    link.peer.identity = &tls_identity_none;
    struct buf out;
    buf_init(&out);
    open_count = 0;
    struct http_engine *g = make(&link);
    while (bytes.len > 0 && !g->ops->finished(g)) {
        struct str head = str_slice(bytes, 0, piece);
        bytes = str_slice(bytes, head.len, bytes.len);
        g->ops->receive(g, head);
        run_turns(g, &out);
    }
    if (piece % 2 == 0)
        g->ops->ended(g);
    else
        g->ops->shutdown(g);
    run_turns(g, &out);
    g->ops->fail(g, -ERR_UNAVAILABLE);
    g->ops->free(g);
    ASSERT(open_count == 0);
    buf_deinit(&out);
}
