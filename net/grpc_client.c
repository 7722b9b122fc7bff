/* The gRPC client: one http_request per call. The outcome is decided in on_done alone. */
#include "base/assert.h"
#include "base/err.h"
#include "base/list.h"
#include "net/grpc.h"

enum {
    CALL_MADE = 1,   /* frames and buffers are initialized */
    CALL_FAILED = 2, /* code and message are decided here, whatever HTTP says */
    CALL_PAUSED = 4
};

static struct grpc_call *call_of(struct http_request *r)
{
    return container_of(r, struct grpc_call, http);
}

static void fail(struct grpc_call *c, enum grpc_code code, struct str message)
{
    if ((c->flags & CALL_FAILED) != 0)
        return;
    c->flags |= CALL_FAILED;
    c->code = code;
    c->message = message;
    http_request_cancel(&c->http);
}

/* ---- the request's events ---- */

static void on_response(struct http_request *r)
{
    struct grpc_call *c = call_of(r);
    if (c->events->headers != NULL && r->status == 200)
        c->events->headers(c);
}

static void on_message(struct grpc_call *c, struct str message)
{
    c->messages++;
    bool one = c->kind == GRPC_UNARY || c->kind == GRPC_CLIENT_STREAM;
    if (one && c->messages > 1)
        fail(c, GRPC_INTERNAL, str_lit("more than one response message"));
    else if (c->events->message != NULL)
        c->events->message(c, message);
    else
        c->reply = str_copy(&c->http.arena, message);
}

static void run_frames(struct grpc_call *c, struct str *in)
{
    struct str message;
    while ((c->flags & (CALL_FAILED | CALL_PAUSED)) == 0 && http_request_active(&c->http)) {
        int rc = grpc_frames_next(&c->frames, in, &message);
        if (rc == 0)
            return;
        if (rc > 0)
            on_message(c, message);
        else if (rc == -ERR_LIMIT)
            fail(c, GRPC_RESOURCE_EXHAUSTED, str_lit("message larger than the limit"));
        else
            fail(c, GRPC_INTERNAL, str_lit("malformed or compressed message frame"));
    }
}

static void on_body(struct http_request *r, struct str bytes)
{
    struct grpc_call *c = call_of(r);
    if (r->status != 200)
        return; /* some proxy's page */
    if (c->rest.len == 0) {
        run_frames(c, &bytes);
        if (bytes.len > 0 && (c->flags & CALL_PAUSED) != 0)
            buf_append_str(&c->rest, bytes);
        return;
    }
    struct buf all = c->rest;
    buf_init(&c->rest);
    buf_append_str(&all, bytes);
    struct str in = buf_str(&all);
    run_frames(c, &in);
    if (in.len > 0 && (c->flags & CALL_PAUSED) != 0)
        buf_append_str(&c->rest, in);
    buf_deinit(&all);
}

static void on_drained(struct http_request *r)
{
    struct grpc_call *c = call_of(r);
    if (c->events->drained != NULL)
        c->events->drained(c);
}

/* The status the server sent, in the trailers or in the head of a Trailers-Only response. */
static void read_status(struct grpc_call *c)
{
    struct http_request *r = &c->http;
    struct http_headers *from = &r->trailers;
    struct str status = http_headers_get(from, "grpc-status");
    if (status.data == NULL) {
        from = &r->response_headers;
        status = http_headers_get(from, "grpc-status");
    }
    uint64_t code = GRPC_UNKNOWN;
    if (status.data == NULL) {
        c->code = r->status == 200 ? GRPC_INTERNAL : grpc_code_from_http(r->status);
        c->message = str_printf(&r->arena, "HTTP status %d without grpc-status", r->status);
        return;
    }
    if (str_to_u64(status, &code) != 0 || code >= GRPC_CODE_COUNT)
        code = GRPC_UNKNOWN;
    c->code = (enum grpc_code)code;
    c->message = grpc_message_decode(&r->arena, http_headers_get(from, "grpc-message"));
    bool one = c->kind == GRPC_UNARY || c->kind == GRPC_CLIENT_STREAM;
    if (c->code == GRPC_OK && one && c->messages == 0) {
        c->code = GRPC_INTERNAL;
        c->message = str_lit("no response message");
    } else if (c->code == GRPC_OK && grpc_frames_partial(&c->frames)) {
        c->code = GRPC_INTERNAL;
        c->message = str_lit("the response ends inside a message");
    }
}

static void on_done(struct http_request *r, int status)
{
    struct grpc_call *c = call_of(r);
    c->refused = r->refused;
    if ((c->flags & CALL_FAILED) != 0) {
        /* decided before */
    } else if (status == 0) {
        read_status(c);
    } else if (status == -ERR_TIMEOUT) {
        c->code = GRPC_DEADLINE_EXCEEDED;
        c->message = str_lit("deadline exceeded");
    } else if (status == -ERR_PROTOCOL) {
        c->code = grpc_code_from_h2(r->h2_error);
        c->message = str_printf(&r->arena, "stream reset with HTTP/2 error %u", r->h2_error);
    } else if (status == -ERR_LIMIT) {
        c->code = GRPC_RESOURCE_EXHAUSTED;
        c->message = str_lit("a local limit was reached");
    } else {
        c->code = grpc_code_from_err(status);
        c->message = str_from(err_name(status));
    }
    c->events->done(c);
}

/* ---- the owner's calls ---- */

static void start_request(struct http_client *client, struct grpc_call *c, struct str content)
{
    static const struct http_request_events events = {
        .response = on_response, .body = on_body, .drained = on_drained, .done = on_done
    };
    struct arena a;
    arena_init(&a);
    struct http_headers h = { 0 };
    http_headers_add(&a, &h, str_lit("content-type"), str_lit("application/grpc"));
    http_headers_add(&a, &h, str_lit("te"), str_lit("trailers"));
    http_headers_add(&a, &h, str_lit("grpc-accept-encoding"), str_lit("identity"));
    http_headers_add(&a, &h, str_lit("user-agent"), str_lit("grpc-c-gantry"));
    if (c->timeout_ms != 0)
        http_headers_add(&a, &h, str_lit("grpc-timeout"), grpc_timeout_format(&a, c->timeout_ms));
    for (size_t i = 0; i < c->metadata_count; i++)
        http_headers_add(&a, &h, c->metadata[i].name, c->metadata[i].value);
    struct http_request *r = &c->http;
    r->method = "POST";
    r->target = str_from(c->path);
    r->authority = (struct str){ 0 };
    r->headers = h.items;
    r->header_count = h.count;
    r->content = content;
    r->streaming = content.len == 0;
    r->timeout_ms = c->timeout_ms;
    r->body_bytes_max = UINT64_MAX;
    r->events = &events;
    http_client_send(client, r);
    arena_deinit(&a);
}

void grpc_call_start(struct http_client *client, struct grpc_call *c, struct str request)
{
    ASSERT(!http_request_active(&c->http));
    if ((c->flags & CALL_MADE) != 0) {
        grpc_frames_deinit(&c->frames);
        buf_deinit(&c->rest);
    }
    uint32_t max = c->message_bytes_max;
    grpc_frames_init(&c->frames, max != 0 ? max : GRPC_MESSAGE_BYTES_MAX);
    buf_init(&c->rest);
    c->flags = CALL_MADE;
    c->messages = 0;
    c->code = GRPC_UNKNOWN;
    c->message = (struct str){ 0 };
    c->reply = (struct str){ 0 };
    c->refused = false;
    struct buf content;
    buf_init(&content);
    if (c->kind == GRPC_UNARY || c->kind == GRPC_SERVER_STREAM) {
        uint8_t head[GRPC_FRAME_HEAD_BYTES];
        grpc_frame_head(head, request.len);
        buf_reserve(&content, sizeof(head) + request.len);
        buf_append(&content, head, sizeof(head));
        if (request.len > 0)
            buf_append_str(&content, request);
    }
    start_request(client, c, buf_str(&content));
    buf_deinit(&content);
}

void grpc_call_send(struct grpc_call *c, struct str message)
{
    uint8_t head[GRPC_FRAME_HEAD_BYTES];
    grpc_frame_head(head, message.len);
    http_request_write(&c->http, str_of(head, sizeof(head)));
    http_request_write(&c->http, message);
}

void grpc_call_end(struct grpc_call *c)
{
    http_request_end(&c->http);
}

void grpc_call_cancel(struct grpc_call *c)
{
    http_request_cancel(&c->http);
}

size_t grpc_call_queued(const struct grpc_call *c)
{
    return http_request_queued(&c->http);
}

void grpc_call_pause(struct grpc_call *c)
{
    c->flags |= CALL_PAUSED;
    http_request_pause(&c->http);
}

void grpc_call_resume(struct grpc_call *c)
{
    c->flags &= ~(uint32_t)CALL_PAUSED;
    http_request_resume(&c->http);
}

bool grpc_call_active(const struct grpc_call *c)
{
    return http_request_active(&c->http);
}

int grpc_call_error(const struct grpc_call *c, struct err *e)
{
    if (c->code == GRPC_OK)
        return 0;
    return err_set(e, (enum err_code) - grpc_code_to_err(c->code), "%s: %s: %.*s", c->path,
                   grpc_code_name(c->code), STR_ARG(c->message));
}

void grpc_call_deinit(struct grpc_call *c)
{
    if ((c->flags & CALL_MADE) == 0)
        return;
    grpc_frames_deinit(&c->frames);
    buf_deinit(&c->rest);
    http_request_deinit(&c->http);
    c->flags = 0;
}
