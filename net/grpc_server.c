/*
 * The gRPC server: one grpc_stream per exchange, in the exchange's arena.
 *
 * A call ends in exactly one place, finish(): status in the head alone when nothing was sent before
 * (Trailers-Only), else in the trailers. What comes after it from either side is dropped. Unary and
 * server-stream methods see their one message when the client has half-closed.
 */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/list.h"
#include "net/grpc.h"

struct stream {
    struct grpc_stream s;
    struct grpc_frames frames;
    struct buf rest; /* received while paused */
    struct str only; /* the one message of a unary call */
    uint32_t messages;
    struct env_timer deadline;
    bool timed;
    bool timed_out;
    bool headers_sent;
    bool finished;
    bool paused;
};

static struct stream *of(struct grpc_stream *s)
{
    return container_of(s, struct stream, s);
}

static bool streams_in(const struct stream *t)
{
    return t->s.method->kind == GRPC_CLIENT_STREAM || t->s.method->kind == GRPC_BIDI;
}

/* ---- answering ---- */

/* Status fields; accept: also say which encodings we take. */
static size_t status_fields(struct arena *a, struct http_header *out, enum grpc_code code,
                            struct str message, bool accept)
{
    size_t n = 0;
    out[n++] = (struct http_header){ str_lit("grpc-status"), str_printf(a, "%d", (int)code) };
    if (message.len > 0)
        out[n++] = (struct http_header){ str_lit("grpc-message"), grpc_message_encode(a, message) };
    if (accept)
        out[n++] = (struct http_header){ str_lit("grpc-accept-encoding"), str_lit("identity") };
    return n;
}

static void trailers_only(struct http_exchange *x, enum grpc_code code, struct str message,
                          bool accept)
{
    struct http_header fields[4] = { { str_lit("content-type"), str_lit("application/grpc") } };
    size_t n = status_fields(&x->arena, fields + 1, code, message, accept);
    http_respond(x, 200, fields, n + 1);
    http_end(x);
}

static void finish(struct stream *t, enum grpc_code code, struct str message, bool accept)
{
    struct http_exchange *x = t->s.x;
    if (t->finished)
        return;
    t->finished = true;
    if (t->timed)
        env_timer_stop(&t->deadline);
    if (!t->headers_sent) {
        trailers_only(x, code, message, accept);
        return;
    }
    struct http_header fields[3];
    size_t n = status_fields(&x->arena, fields, code, message, accept);
    http_end_trailers(x, fields, n);
}

void grpc_stream_headers(struct grpc_stream *s, const struct http_header *headers, size_t count)
{
    struct stream *t = of(s);
    if (t->headers_sent || t->finished)
        return;
    t->headers_sent = true;
    struct http_headers all = { 0 };
    struct arena *a = &s->x->arena;
    http_headers_add(a, &all, str_lit("content-type"), str_lit("application/grpc"));
    for (size_t i = 0; i < count; i++)
        http_headers_add(a, &all, headers[i].name, headers[i].value);
    http_respond(s->x, 200, all.items, all.count);
}

void grpc_stream_send(struct grpc_stream *s, struct str message)
{
    struct stream *t = of(s);
    if (t->finished)
        return;
    grpc_stream_headers(s, NULL, 0);
    uint8_t head[GRPC_FRAME_HEAD_BYTES];
    grpc_frame_head(head, message.len);
    http_write(s->x, str_of(head, sizeof(head)));
    http_write(s->x, message);
}

void grpc_stream_finish(struct grpc_stream *s, enum grpc_code code, struct str message)
{
    finish(of(s), code, message, false);
}

void grpc_stream_finish_err(struct grpc_stream *s, int err, const struct err *e)
{
    struct str message = err != 0 && e != NULL ? str_from(e->msg) : (struct str){ 0 };
    finish(of(s), grpc_code_from_err(err), message, false);
}

size_t grpc_stream_queued(const struct grpc_stream *s)
{
    return http_queued(s->x);
}

void grpc_stream_pause(struct grpc_stream *s)
{
    of(s)->paused = true;
    http_body_pause(s->x);
}

void grpc_stream_resume(struct grpc_stream *s)
{
    of(s)->paused = false;
    http_body_resume(s->x);
}

/* ---- the exchange's events ---- */

static void on_message(struct stream *t, struct str message)
{
    t->messages++;
    if (streams_in(t)) {
        if (t->s.method->message != NULL)
            t->s.method->message(&t->s, message);
    } else if (t->messages == 1) {
        t->only = str_copy(&t->s.x->arena, message);
    } else {
        finish(t, GRPC_INTERNAL, str_lit("more than one request message"), false);
    }
}

static void on_bad_frame(struct stream *t, int rc)
{
    if (rc == -ERR_LIMIT)
        finish(t, GRPC_RESOURCE_EXHAUSTED, str_lit("message larger than the limit"), false);
    else if (rc == -ERR_UNIMPLEMENTED)
        finish(t, GRPC_UNIMPLEMENTED, str_lit("compressed messages are not supported"), true);
    else
        finish(t, GRPC_INTERNAL, str_lit("malformed message frame"), false);
}

/* Gives out messages until the input or the handler's patience ends. */
static void run_frames(struct stream *t, struct str *in)
{
    struct str message;
    while (!t->finished && !t->paused) {
        int rc = grpc_frames_next(&t->frames, in, &message);
        if (rc == 0)
            return;
        if (rc < 0) {
            on_bad_frame(t, rc);
            return;
        }
        on_message(t, message);
    }
}

static void on_body(struct http_exchange *x, struct str bytes)
{
    struct stream *t = x->user;
    if (t->rest.len == 0) {
        run_frames(t, &bytes);
        if (bytes.len > 0 && !t->finished)
            buf_append_str(&t->rest, bytes);
        return;
    }
    struct buf all = t->rest; /* moved: a message may lie in it while the handler runs */
    buf_init(&t->rest);
    buf_append_str(&all, bytes);
    struct str in = buf_str(&all);
    run_frames(t, &in);
    if (in.len > 0 && !t->finished)
        buf_append_str(&t->rest, in);
    buf_deinit(&all);
}

static void on_end(struct http_exchange *x, int status)
{
    struct stream *t = x->user;
    (void)status; /* no body limit is set */
    if (t->finished)
        return;
    if (grpc_frames_partial(&t->frames)) {
        finish(t, GRPC_INTERNAL, str_lit("the request ends inside a message"), false);
    } else if (streams_in(t)) {
        if (t->s.method->half_close != NULL)
            t->s.method->half_close(&t->s);
    } else if (t->messages == 0) {
        finish(t, GRPC_INTERNAL, str_lit("no request message"), false);
    } else {
        t->s.method->message(&t->s, t->only);
    }
}

static void on_drained(struct http_exchange *x)
{
    struct stream *t = x->user;
    if (!t->finished && t->s.method->drained != NULL)
        t->s.method->drained(&t->s);
}

static void on_closed(struct http_exchange *x, int status)
{
    struct stream *t = x->user;
    t->finished = true;
    if (t->timed)
        env_timer_deinit(&t->deadline);
    if (t->s.method->closed != NULL)
        t->s.method->closed(&t->s, t->timed_out ? -ERR_TIMEOUT : status);
    grpc_frames_deinit(&t->frames);
    buf_deinit(&t->rest);
}

static void on_deadline(struct env_timer *timer)
{
    struct stream *t = container_of(timer, struct stream, deadline);
    t->timed_out = !t->finished;
    finish(t, GRPC_DEADLINE_EXCEEDED, str_lit("deadline exceeded"), false);
}

/* ---- accepting ---- */

static void nothing_body(struct http_exchange *x, struct str bytes)
{
    (void)x;
    (void)bytes;
}

static void nothing_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

static void refuse_events(struct http_exchange *x)
{
    static const struct http_exchange_events events = { .body = nothing_body,
                                                        .closed = nothing_closed };
    x->events = &events;
    x->body_bytes_max = UINT64_MAX;
}

static bool is_grpc(const struct http_exchange *x)
{
    struct str type = http_headers_get(&x->headers, "content-type");
    struct str grpc = str_lit("application/grpc");
    if (!str_starts(type, grpc))
        return false;
    return type.len == grpc.len || type.data[grpc.len] == '+' || type.data[grpc.len] == ';';
}

static const struct grpc_service *
find_service(struct str path, const struct grpc_service *const *services, size_t count)
{
    ptrdiff_t slash = str_find_char(path, '/', 1);
    if (slash < 0)
        return NULL;
    struct str name = str_slice(path, 1, (size_t)slash);
    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(name, services[i]->name))
            return services[i];
    }
    return NULL;
}

static const struct grpc_method *find_method(struct str path, const struct grpc_service *service)
{
    for (size_t i = 0; service != NULL && i < service->method_count; i++) {
        if (str_eq_c(path, service->methods[i].path))
            return &service->methods[i];
    }
    return NULL;
}

/* What speaks against the call before it begins; true when it was answered. */
static bool refuse(struct http_exchange *x, const struct grpc_service *service,
                   const struct grpc_method *method, uint64_t *out_timeout_ms)
{
    *out_timeout_ms = 0;
    if (x->version != 20 || !is_grpc(x) || !str_eq_c(x->method, "POST")) {
        int status = !is_grpc(x) ? 415 : x->version != 20 ? 505 : 405;
        http_reply(x, status, "text/plain", str_from(http_reason(status)));
        return true;
    }
    if (method == NULL) {
        struct str what = str_printf(&x->arena, "unknown %s %.*s",
                                     service == NULL ? "service of" : "method", STR_ARG(x->path));
        trailers_only(x, GRPC_UNIMPLEMENTED, what, false);
        return true;
    }
    struct str encoding = http_headers_get(&x->headers, "grpc-encoding");
    if (encoding.len > 0 && !str_eq_c(encoding, "identity")) {
        trailers_only(x, GRPC_UNIMPLEMENTED, str_lit("unsupported grpc-encoding"), true);
        return true;
    }
    struct str timeout = http_headers_get(&x->headers, "grpc-timeout");
    if (timeout.data != NULL && grpc_timeout_parse(timeout, out_timeout_ms) != 0) {
        trailers_only(x, GRPC_INTERNAL, str_lit("malformed grpc-timeout"), false);
        return true;
    }
    if (timeout.data != NULL && *out_timeout_ms == 0)
        *out_timeout_ms = 1;
    return false;
}

bool grpc_serve(struct http_exchange *x, const struct grpc_service *const *services, size_t count)
{
    static const struct http_exchange_events events = {
        .body = on_body, .end = on_end, .drained = on_drained, .closed = on_closed
    };
    const struct grpc_service *service = find_service(x->path, services, count);
    if (service == NULL && !is_grpc(x))
        return false;
    const struct grpc_method *method = find_method(x->path, service);
    uint64_t timeout_ms = 0;
    refuse_events(x);
    if (refuse(x, service, method, &timeout_ms))
        return true;
    struct stream *t = arena_new(&x->arena, struct stream);
    t->s = (struct grpc_stream){ .x = x, .method = method, .ctx = service->ctx };
    uint32_t max = method->message_bytes_max;
    grpc_frames_init(&t->frames, max != 0 ? max : GRPC_MESSAGE_BYTES_MAX);
    buf_init(&t->rest);
    x->events = &events;
    x->user = t;
    if (timeout_ms != 0) {
        t->timed = true;
        t->s.deadline_ms = env_loop_now_ms(x->loop) + timeout_ms;
        env_timer_init(x->loop, &t->deadline, on_deadline);
        env_timer_start(&t->deadline, timeout_ms);
    }
    if (streams_in(t) && method->open != NULL)
        method->open(&t->s);
    return true;
}
