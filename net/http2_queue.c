/* A stream's output queue and its life: everything about one stream that needs no callback. */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "net/http2.h"

struct segment {
    struct list node;
    struct shared *shared; /* or NULL: the bytes follow */
    size_t at;
    size_t len;
    size_t capacity;
    bool elsewhere; /* the slice lies in other queues too: the first one counts it */
    uint8_t bytes[];
};

/* A slice's own reference, and the giver's. */
#define REFS_OF_ONE_QUEUE 2

static struct str segment_str(const struct segment *g)
{
    const char *data = g->shared != NULL ? shared_str(g->shared).data : (const char *)g->bytes;
    return str_of(data + g->at, g->len - g->at);
}

static struct segment *segment_new(struct http2_queue *q, size_t capacity)
{
    struct segment *g = mem_alloc_with(sizeof(*g), capacity);
    g->capacity = capacity;
    list_append(&q->segments, &g->node);
    return g;
}

static void segment_free(struct segment *g)
{
    list_remove(&g->node);
    shared_unref(g->shared);
    mem_free(g);
}

static void queue_append(struct http2_queue *q, struct str bytes, struct shared *shared)
{
    q->bytes += bytes.len;
    if (shared != NULL) {
        struct segment *g = segment_new(q, 0);
        g->shared = shared_ref(shared);
        g->len = bytes.len;
        g->elsewhere = shared_refs(shared) > REFS_OF_ONE_QUEUE;
        q->held += g->elsewhere ? 0 : bytes.len;
        return;
    }
    q->held += bytes.len;
    struct segment *tail = NULL;
    if (!list_empty(&q->segments))
        tail = container_of(q->segments.prev, struct segment, node);
    if (tail == NULL || tail->shared != NULL || tail->capacity - tail->len < bytes.len) {
        /* A lone message gets its own size; a stream of small ones gets room to gather. */
        size_t room =
            tail == NULL || bytes.len >= HTTP2_SEGMENT_BYTES ? bytes.len : HTTP2_SEGMENT_BYTES;
        tail = segment_new(q, room);
    }
    memcpy(tail->bytes + tail->len, bytes.data, bytes.len);
    tail->len += bytes.len;
}

void http2_queue_take(struct http2_queue *q, struct buf *out, size_t len)
{
    ASSERT(len <= q->bytes);
    q->bytes -= len;
    while (len > 0) {
        struct segment *g = container_of(q->segments.next, struct segment, node);
        struct str s = segment_str(g);
        size_t take = s.len < len ? s.len : len;
        buf_append(out, s.data, take);
        q->held -= g->elsewhere ? 0 : take;
        g->at += take;
        len -= take;
        if (g->at == g->len)
            segment_free(g);
    }
}

void http2_stream_init(struct http2_conn *c, struct http2_stream *s, int32_t id)
{
    s->conn = c;
    s->id = id;
    list_init(&s->queue.segments);
    list_init(&s->ready);
    list_init(&s->unsent);
    buf_init(&s->in);
    list_append(&c->streams, &s->node);
    c->stream_count++;
}

void http2_stream_deinit(struct http2_stream *s)
{
    list_foreach_safe (node, &s->queue.segments)
        segment_free(container_of(node, struct segment, node));
    s->conn->held -= s->queue.held;
    if (s->conn->heading == s)
        s->conn->heading = NULL;
    buf_deinit(&s->in);
    list_remove(&s->ready);
    list_remove(&s->unsent);
    list_remove(&s->node);
    s->conn->stream_count--;
}

void http2_stream_ready(struct http2_stream *s)
{
    if (list_empty(&s->ready))
        list_append(&s->conn->ready, &s->ready);
    s->conn->g.link->ops->wake(s->conn->g.link);
}

static void resume_output(struct http2_stream *s)
{
    if (s->deferred && !s->closed) {
        s->deferred = false;
        (void)nghttp2_session_resume_data(s->conn->session, s->id); /* closing streams refuse */
    }
    s->conn->g.link->ops->wake(s->conn->g.link);
}

bool http2_stream_write(struct http2_stream *s, struct str bytes, struct shared *shared)
{
    if (s->closed || s->output_ended)
        return true;
    size_t held = s->queue.held;
    queue_append(&s->queue, bytes, shared);
    s->conn->held += s->queue.held - held;
    if (s->queue.bytes > HTTP_QUEUE_LOW_BYTES)
        s->above = true;
    resume_output(s);
    return s->queue.bytes <= HTTP_QUEUE_BYTES_MAX;
}

bool http2_stream_stalls(struct http2_stream *s, uint64_t now_ms)
{
    bool stalled = http_stalled(&s->stall, s->queue.bytes, s->taken, now_ms, HTTP_STALL_MS);
    if (!stalled || s->closed)
        return false;
    enum http_stalls stalls = s->conn->role->stalls(s);
    return stalls == HTTP_STALLS_CUT || (stalls == HTTP_STALLS_END && s->output_ended);
}

void http2_stream_end(struct http2_stream *s, const struct http_header *trailers, size_t count)
{
    if (s->closed || s->output_ended)
        return;
    s->output_ended = true;
    s->trailers = trailers;
    s->trailer_count = count;
    resume_output(s);
}

void http2_stream_pause(struct http2_stream *s, bool paused)
{
    if (s->paused && !paused) {
        s->resumed = true;
        http2_stream_ready(s);
    }
    s->paused = paused;
}

void http2_stream_reset(struct http2_stream *s, uint32_t error)
{
    if (s->closed || s->conn->failed)
        return;
    /* Fails only without memory, which aborts before. */
    (void)nghttp2_submit_rst_stream(s->conn->session, NGHTTP2_FLAG_NONE, s->id, error);
    s->conn->g.link->ops->wake(s->conn->g.link);
}

nghttp2_nv http2_nv(struct arena *a, struct str name, struct str value)
{
    ASSERT(name.len > 0);
    if (!http_is_field_value(value)) {
        char *copy = arena_copy(a, value.data, value.len);
        for (size_t i = 0; i < value.len; i++) {
            if ((uint8_t)copy[i] < 0x20 || copy[i] == 0x7f)
                copy[i] = ' ';
        }
        value = str_of(copy, value.len);
    }
    return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name.data,
                         .namelen = name.len,
                         .value = (uint8_t *)(uintptr_t)value.data,
                         .valuelen = value.len,
                         .flags = NGHTTP2_NV_FLAG_NONE };
}

uint32_t http2_error_of(int code)
{
    switch (code < 0 ? -code : code) {
    case ERR_CANCELED:
    case ERR_TIMEOUT:
        return NGHTTP2_CANCEL;
    case ERR_PROTOCOL:
        return NGHTTP2_PROTOCOL_ERROR;
    case ERR_UNAVAILABLE:
        return NGHTTP2_REFUSED_STREAM;
    case ERR_LIMIT:
    case ERR_TOO_MANY_REQUESTS:
        return NGHTTP2_ENHANCE_YOUR_CALM;
    case ERR_NONE:
        return NGHTTP2_NO_ERROR;
    default:
        return NGHTTP2_INTERNAL_ERROR;
    }
}
