/* What any peer may send to an HTTP/2 client with one request of each kind under way: each ends
 * exactly once. The first byte is the size of the pieces. */
#include "base/assert.h"
#include "net/engine.h"
#include "net/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define TURNS_MAX      64
#define BODY_BYTES_MAX 1000

enum {
    COLLECTS, /* its answer, of at most BODY_BYTES_MAX */
    STREAMS,  /* its own body goes on while the answer comes */
    PAUSES,   /* now and then */
    CANCELS,  /* once it has seen the head */
    REQUESTS
};

static struct http_engine *engine;
static struct http_request requests[REQUESTS];
static bool active[REQUESTS];
static bool canceled;
static bool woken;

static size_t index_of(const struct http_request *r)
{
    return (size_t)(r - requests);
}

/* ---- the link ---- */

static void on_wake(struct http_link *l)
{
    (void)l;
    woken = true;
}

static size_t on_queued(const struct http_link *l)
{
    (void)l;
    return 0;
}

static void on_pause(struct http_link *l, bool pause)
{
    (void)l;
    (void)pause;
}

static void on_done(struct http_link *l, struct http_request *r, int status)
{
    (void)l;
    ASSERT(active[index_of(r)]);
    ASSERT(status != 0 || r->status >= 200);
    active[index_of(r)] = false;
}

/* ---- the requests ---- */

static void on_response(struct http_request *r)
{
    ASSERT(active[index_of(r)]);
    ASSERT(r->status >= 200);
    if (index_of(r) == CANCELS)
        canceled = true; /* not inside the session: in the next turn */
}

static void on_body(struct http_request *r, struct str bytes)
{
    ASSERT(active[index_of(r)]);
    if (index_of(r) == PAUSES && bytes.len % 3 == 1)
        engine->ops->pause(engine, r, true);
    if (index_of(r) == STREAMS)
        engine->ops->write(engine, r, bytes);
}

static void on_drained(struct http_request *r)
{
    ASSERT(active[index_of(r)]);
    engine->ops->end(engine, r);
}

static void send(size_t i)
{
    static const struct http_request_events collect = { .response = on_response };
    static const struct http_request_events stream = { .response = on_response,
                                                       .body = on_body,
                                                       .drained = on_drained };
    struct http_request *r = &requests[i];
    *r = (struct http_request){ .method = i == STREAMS ? "POST" : "GET",
                                .streaming = i == STREAMS,
                                .body_bytes_max = BODY_BYTES_MAX,
                                .events = i == COLLECTS ? &collect : &stream };
    arena_init(&r->arena);
    buf_init(&r->body);
    r->sent.authority = str_lit("fuzz");
    r->sent.target = str_lit("/");
    active[i] = true;
    engine->ops->send(engine, r);
}

static void run_turns(struct buf *out)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        woken = false;
        if (canceled && active[CANCELS]) {
            active[CANCELS] = false; /* nothing more comes */
            engine->ops->cancel(engine, &requests[CANCELS]);
        }
        engine->ops->turn(engine);
        engine->ops->fill(engine, out, 4096);
        buf_clear(out);
        if (!woken && !engine->ops->pending(engine))
            break;
    }
}

static void receive(struct str bytes, size_t piece, struct buf *out)
{
    while (bytes.len > 0 && !engine->ops->finished(engine)) {
        struct str head = str_slice(bytes, 0, piece);
        bytes = str_slice(bytes, head.len, bytes.len);
        engine->ops->receive(engine, head);
        run_turns(out);
        if (active[PAUSES] && head.len % 2 == 0)
            engine->ops->pause(engine, &requests[PAUSES], false);
    }
    if (piece % 2 == 0)
        engine->ops->ended(engine);
    else
        engine->ops->shutdown(engine);
    run_turns(out);
    engine->ops->fail(engine, -ERR_UNAVAILABLE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct http_link_ops ops = {
        .wake = on_wake, .queued = on_queued, .pause = on_pause, .done = on_done
    };
    struct http_core core = { .streams_max = 16 };
    struct http_link link = { .ops = &ops, .core = &core };
    struct buf out;
    if (len == 0)
        return 0;
    link.peer.address = "fuzz";
    link.peer.identity = &tls_identity_none;
    canceled = false;
    buf_init(&out);
    engine = http2_client_new(&link);
    for (size_t i = 0; i < REQUESTS; i++)
        send(i);
    run_turns(&out);
    receive(str_of(data + 1, len - 1), data[0] == 0 ? len : data[0], &out);
    engine->ops->free(engine);
    for (size_t i = 0; i < REQUESTS; i++) {
        ASSERT(!active[i]);
        arena_deinit(&requests[i].arena);
        buf_deinit(&requests[i].body);
    }
    buf_deinit(&out);
    return 0;
}
