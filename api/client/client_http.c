/*
 * The client over HTTP (see client_http.h).
 *
 *   call: send on the current endpoint -> answer, done
 *         connection lost or refused -> the next endpoint becomes current; a call that may be sent
 *         again waits RETRY_MS and is; the others end
 *   watch: headers 200 -> frames (length, WatchEvent) -> end
 *
 * A deadline is the http_request's timeout for one try and is checked again before the next.
 */
#include "api/client/client_http.h"

#include <string.h>

#include "api/client/http_target.h"
#include "api/client/kubeconfig.h"
#include "api/meta/peek.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/list.h"
#include "net/client.h"
#include "net/tls.h"

/* Between two tries of a call; endpoints that are down refuse at once. */
#define RETRY_MS 100
/* A dead peer is noticed by silence: pings after so long. */
#define PING_MS 10000
/* One object with its frame; above: the watch ends. */
#define FRAME_BYTES_MAX (4u << 20)

enum { EVENT_TYPE = 1, EVENT_OBJECT = 2, RAW_EXTENSION_RAW = 1 };

struct http_call {
    struct http_request request;
    struct list node; /* in client_http.live */
    struct client_http *client;
    struct client_call *call;   /* of a call, */
    struct client_watch *watch; /* or of a watch */
    struct env_timer timer;
    struct env_msg msg;
    struct buf target;
    struct buf frames; /* watch: bytes of an incomplete frame */
    size_t endpoint;
    int end_status; /* watch: what an ERROR event or a bad frame said; 0: nothing */
    struct err err;
    bool waiting; /* for the timer */
    bool canceled;
};

struct client_http {
    struct client client;
    struct http_client *endpoints[CLIENT_HTTP_ENDPOINTS_MAX];
    size_t endpoints_count;
    size_t current;
    char *user_agent;
    struct list live;
    size_t live_count;
    size_t open_endpoints; /* while closing */
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void send(struct http_call *h);

/* ---- ends ---- */

static void maybe_gone(struct client_http *c)
{
    if (!c->closing || c->open_endpoints > 0 || c->live_count > 0)
        return;
    if (c->closed != NULL)
        c->closed(c->closed_ctx);
    mem_free(c->user_agent);
    mem_free(c);
}

/* Frees h's own parts; the caller still tells call or watch. */
static void release(struct http_call *h)
{
    http_request_deinit(&h->request);
    env_timer_deinit(&h->timer);
    buf_deinit(&h->target);
    buf_deinit(&h->frames);
    list_remove(&h->node);
}

static void end_watch(struct http_call *h, int status)
{
    struct client_http *c = h->client;
    struct client_watch *w = h->watch;
    struct err e = h->err;

    release(h);
    mem_free(h);
    w->end(w, status, &e);
    c->live_count--;
    maybe_gone(c);
}

static void fail_call(struct http_call *h, int code, const char *message)
{
    struct client_http *c = h->client;
    struct client_call *call = h->call;

    release(h);
    mem_free(h);
    client_call_fail(call, code, message);
    c->live_count--;
    maybe_gone(c);
}

static void answer_call(struct http_call *h)
{
    struct client_http *c = h->client;

    client_call_finish(h->call, h->request.status, buf_str(&h->request.body));
    release(h);
    mem_free(h);
    c->live_count--;
    maybe_gone(c);
}

/* ---- calls ---- */

static bool may_repeat(const struct http_call *h)
{
    const struct client_call *call = h->call;

    return h->request.refused || call->verb == CLIENT_GET || call->verb == CLIENT_LIST ||
           call->request_id.len > 0;
}

static void next_endpoint(struct http_call *h)
{
    struct client_http *c = h->client;

    /* Others of the same broken connection may have moved on already. */
    if (c->current == h->endpoint)
        c->current = (c->current + 1) % c->endpoints_count;
}

static void on_call_done(struct http_request *r, int status)
{
    struct http_call *h = container_of(r, struct http_call, request);
    bool late;

    if (status == 0) {
        answer_call(h);
        return;
    }
    if (h->canceled || h->client->closing) {
        fail_call(h, ERR_CANCELED, "the call was canceled");
        return;
    }
    if (status != -ERR_UNAVAILABLE && status != -ERR_PROTOCOL) {
        fail_call(h, status, err_name(status));
        return;
    }
    next_endpoint(h);
    late = env_loop_now_ms(h->client->client.loop) + RETRY_MS >= h->call->deadline_ms;
    if (!may_repeat(h)) {
        fail_call(h, ERR_UNKNOWN_OUTCOME, "the connection was lost before the answer");
    } else if (late) {
        fail_call(h, ERR_UNAVAILABLE, "no endpoint answers");
    } else {
        h->waiting = true;
        env_timer_start(&h->timer, RETRY_MS);
    }
}

static const struct http_request_events call_events = { .done = on_call_done };

static void on_retry(struct env_timer *t)
{
    struct http_call *h = container_of(t, struct http_call, timer);

    h->waiting = false;
    send(h);
}

/* ---- watches ---- */

static bool event_type(struct str text, enum client_event_type *out)
{
    static const char *const names[] = { [CLIENT_ADDED] = "ADDED",
                                         [CLIENT_MODIFIED] = "MODIFIED",
                                         [CLIENT_DELETED] = "DELETED",
                                         [CLIENT_BOOKMARK] = "BOOKMARK" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_eq_c(text, names[i])) {
            *out = (enum client_event_type)i;
            return true;
        }
    return false;
}

static void take_error(struct http_call *h, struct str status)
{
    static const uint8_t message_path[] = { 3, 0 }, reason_path[] = { 4, 0 },
                         code_path[] = { 6, 0 };
    struct peek_field code = { 0 };
    struct str message = peek_string(status, message_path);

    (void)peek_path(status, code_path, &code); /* absent: 0, the reason decides */
    h->end_status =
        err_set(&h->err, client_code(peek_string(status, reason_path), (int)code.number_value),
                "%.*s", STR_ARG(message));
}

static bool has_annotation(struct str object, const char *key)
{
    static const uint8_t meta_path[] = { 1, 0 };
    struct str meta = peek_string(object, meta_path);
    struct peek_field f, k;
    size_t at = 0;

    while (peek_next(meta, &at, &f))
        if (f.number == 12 && f.wire == PEEK_BYTES && peek_field(f.bytes, 1, &k) &&
            str_eq_c(k.bytes, key))
            return true;
    return false;
}

/* False: the stream is not to be read on. */
static bool take_frame(struct http_call *h, struct str frame)
{
    static const uint8_t type_path[] = { EVENT_TYPE, 0 };
    static const uint8_t raw_path[] = { EVENT_OBJECT, RAW_EXTENSION_RAW, 0 };
    static const uint8_t revision_path[] = { 1, 6, 0 };
    struct client_event ev = { 0 };
    struct str type = peek_string(frame, type_path), kind;

    if (client_unwrap(peek_string(frame, raw_path), &kind, &ev.object) != 0) {
        h->end_status = err_set(&h->err, ERR_PROTOCOL, "an event without an object");
        return false;
    }
    if (str_eq_c(type, "ERROR")) {
        take_error(h, ev.object);
        return false;
    }
    if (!event_type(type, &ev.type) ||
        str_to_u64(peek_string(ev.object, revision_path), &ev.revision) != 0) {
        h->end_status = err_set(&h->err, ERR_PROTOCOL, "an event of type \"%.*s\" we cannot read",
                                STR_ARG(type));
        return false;
    }
    if (ev.type == CLIENT_BOOKMARK) {
        ev.initial_end = has_annotation(ev.object, "k8s.io/initial-events-end");
        ev.object = str_of(NULL, 0);
    }
    h->watch->event(h->watch, &ev);
    return !h->canceled;
}

static void take_frames(struct http_call *h)
{
    size_t at = 0;

    while (h->frames.len - at >= 4 && h->end_status == 0 && !h->canceled) {
        uint32_t len = load_be32(h->frames.data + at);

        if (len > FRAME_BYTES_MAX) {
            h->end_status = err_set(&h->err, ERR_LIMIT, "an event of %u bytes", len);
            break;
        }
        if (h->frames.len - at - 4 < len)
            break;
        if (!take_frame(h, str_of(h->frames.data + at + 4, len)))
            break;
        at += 4 + len;
    }
    buf_consume(&h->frames, at);
    if (h->end_status != 0)
        http_request_cancel(&h->request);
}

static void on_watch_body(struct http_request *r, struct str bytes)
{
    struct http_call *h = container_of(r, struct http_call, request);

    if (h->canceled || h->end_status != 0)
        return;
    if (h->frames.len + bytes.len > FRAME_BYTES_MAX + (1u << 20)) {
        h->end_status = err_set(&h->err, ERR_LIMIT, "more bytes than one event may have");
        http_request_cancel(r);
        return;
    }
    buf_append_str(&h->frames, bytes);
    if (r->status == 200)
        take_frames(h);
}

/* A refusal before the stream began: its Status came as the body. */
static int watch_refused(struct http_call *h)
{
    struct str kind, raw;

    if (client_unwrap(buf_str(&h->frames), &kind, &raw) == 0)
        take_error(h, raw);
    else
        h->end_status = err_set(&h->err, client_code(str_of(NULL, 0), h->request.status), "HTTP %d",
                                h->request.status);
    return h->end_status;
}

static void on_watch_done(struct http_request *r, int status)
{
    struct http_call *h = container_of(r, struct http_call, request);

    if (h->canceled || h->client->closing)
        status = -ERR_CANCELED;
    else if (h->end_status != 0)
        status = h->end_status;
    else if (status == 0 && r->status != 200)
        status = watch_refused(h);
    if (status != 0 && h->err.code == ERR_NONE)
        (void)err_set(&h->err, (enum err_code) - status, "the watch ended: %s", err_name(status));
    if (status == -ERR_UNAVAILABLE)
        next_endpoint(h);
    end_watch(h, status);
}

static const struct http_request_events watch_events = { .body = on_watch_body,
                                                         .done = on_watch_done };

/* ---- sending ---- */

static size_t add_header(struct http_header *headers, size_t n, const char *name, struct str value)
{
    headers[n] = (struct http_header){ str_from(name), value };
    return n + 1;
}

static size_t call_headers(const struct http_call *h, struct http_header *headers, char *term)
{
    const struct client_call *call = h->call;
    size_t n = 0;

    n = add_header(headers, n, "user-agent", str_from(h->client->user_agent));
    n = add_header(headers, n, "accept",
                   str_lit("application/vnd.kubernetes.protobuf,application/json"));
    if (call->content != CLIENT_NO_BODY)
        n = add_header(headers, n, "content-type", str_from(client_content_type(call->content)));
    if (call->request_id.len > 0)
        n = add_header(headers, n, "gantry-request-id", call->request_id);
    if (call->fence_term > 0)
        n = add_header(headers, n, "gantry-fence-term", http_term_text(call->fence_term, term));
    return n;
}

static void send_call(struct http_call *h)
{
    struct client_call *call = h->call;
    uint64_t now = env_loop_now_ms(h->client->client.loop);
    struct http_header headers[8];
    char term[HTTP_TERM_TEXT_MAX];

    h->request.header_count = call_headers(h, headers, term);
    h->request.headers = headers;
    h->request.method = http_method(call->verb);
    h->request.content = call->body;
    h->request.timeout_ms = call->deadline_ms > now ? call->deadline_ms - now : 1;
    h->request.body_bytes_max = CLIENT_RESPONSE_BYTES_MAX;
    h->request.events = &call_events;
    http_client_send(h->client->endpoints[h->endpoint], &h->request);
}

static void send_watch(struct http_call *h)
{
    struct http_header headers[2];
    size_t n = add_header(headers, 0, "user-agent", str_from(h->client->user_agent));

    n = add_header(headers, n, "accept",
                   str_lit("application/vnd.kubernetes.protobuf;stream=watch"));
    h->request.headers = headers;
    h->request.header_count = n;
    h->request.method = "GET";
    h->request.body_bytes_max = UINT64_MAX;
    h->request.events = &watch_events;
    http_client_send(h->client->endpoints[h->endpoint], &h->request);
}

static void send(struct http_call *h)
{
    h->endpoint = h->client->current;
    h->request.target = buf_str(&h->target);
    if (h->call != NULL)
        send_call(h);
    else
        send_watch(h);
}

static struct http_call *call_new(struct client_http *c)
{
    struct http_call *h = mem_alloc(sizeof(*h));

    h->client = c;
    buf_init(&h->target);
    buf_init(&h->frames);
    env_timer_init(c->client.loop, &h->timer, on_retry);
    list_append(&c->live, &h->node);
    c->live_count++;
    return h;
}

/* ---- the vtable ---- */

static void on_too_many(struct env_msg *m)
{
    fail_call(container_of(m, struct http_call, msg), ERR_TOO_MANY_REQUESTS,
              "too many calls of this process are waiting");
}

static void ops_call(struct client *client, struct client_call *call)
{
    struct client_http *c = container_of(client, struct client_http, client);
    struct http_call *h = call_new(c);

    ASSERT(!c->closing);
    h->call = call;
    call->impl = h;
    http_target_call(&h->target, call);
    if (c->live_count > CLIENT_HTTP_PENDING_MAX)
        env_post(client->loop, &h->msg, on_too_many);
    else
        send(h);
}

static void on_canceled(struct env_msg *m)
{
    fail_call(container_of(m, struct http_call, msg), ERR_CANCELED, "the call was canceled");
}

static void cancel(struct http_call *h)
{
    if (h->canceled)
        return;
    h->canceled = true;
    if (h->waiting) {
        env_timer_stop(&h->timer);
        env_post(h->client->client.loop, &h->msg, on_canceled);
    } else {
        http_request_cancel(&h->request);
    }
}

static void ops_cancel(struct client *client, struct client_call *call)
{
    (void)client; /* the call knows it */
    cancel(call->impl);
}

static void ops_watch(struct client *client, struct client_watch *w)
{
    struct client_http *c = container_of(client, struct client_http, client);
    struct http_call *h = call_new(c);

    ASSERT(!c->closing);
    h->watch = w;
    w->impl = h;
    http_target_watch(&h->target, w);
    send(h);
}

static void ops_unwatch(struct client *client, struct client_watch *w)
{
    (void)client; /* the watch knows it */
    cancel(w->impl);
}

static const struct client_ops http_ops = {
    .call = ops_call, .cancel = ops_cancel, .watch = ops_watch, .unwatch = ops_unwatch
};

/* ---- life ---- */

static int add_endpoint(struct client_http *c, const struct client_http_config *config,
                        struct tls_context *tls, struct str url, struct err *e)
{
    struct http_endpoint ep;
    struct http_client_options options = { .tls = tls,
                                           .protocol = HTTP_PROTOCOL_HTTP2,
                                           .ping_ms = PING_MS };
    struct arena a;
    int rc;

    if (c->endpoints_count == CLIENT_HTTP_ENDPOINTS_MAX)
        return err_set(e, ERR_LIMIT, "more than %d endpoints", CLIENT_HTTP_ENDPOINTS_MAX);
    arena_init(&a);
    rc = http_endpoint_parse(&a, url, &ep, e);
    if (rc == 0) {
        options.address = ep.address;
        options.authority = ep.authority;
        if (config->tls_server_name.len > 0)
            options.server_name = str_dup(&a, config->tls_server_name);
        if (!ep.secure)
            options.tls = NULL;
        c->endpoints[c->endpoints_count++] = http_client_new(config->loop, &options);
    }
    arena_deinit(&a);
    return rc;
}

static void on_endpoint_closed(void *ctx)
{
    struct client_http *c = ctx;

    c->open_endpoints--;
    maybe_gone(c);
}

int client_http_new(const struct client_http_config *config, struct client_http **out,
                    struct err *e)
{
    static const char *const alpn[] = { "h2", NULL };
    struct tls_options options = { .certificate_pem = config->client_cert_pem,
                                   .key_pem = config->client_key_pem,
                                   .ca_pem = config->ca_pem,
                                   .alpn = alpn };
    struct client_http *c = mem_alloc(sizeof(*c));
    struct tls_context *tls = NULL;
    struct str rest = config->servers, url;
    int rc = 0;

    c->client = (struct client){ &http_ops, config->loop };
    c->user_agent = mem_strdup(config->user_agent);
    list_init(&c->live);
    if (config->ca_pem.len > 0) {
        tls = tls_client_context_new(&options, e);
        rc = tls == NULL ? -(int)e->code : 0;
    }
    while (rc == 0 && str_split(&rest, ',', &url))
        rc = add_endpoint(c, config, tls, url, e);
    tls_context_unref(tls);
    if (rc == 0 && c->endpoints_count == 0)
        rc = err_set(e, ERR_INVALID_ARGUMENT, "no server is named");
    if (rc != 0)
        client_http_close(c, NULL, NULL);
    else
        *out = c;
    return rc;
}

int client_http_open(struct env_loop *loop, const struct kubeconfig *k, const char *user_agent,
                     struct client_http **out, struct err *e)
{
    return client_http_new(&(struct client_http_config){ .loop = loop,
                                                         .servers = k->server,
                                                         .tls_server_name = k->tls_server_name,
                                                         .ca_pem = k->ca_pem,
                                                         .client_cert_pem = k->client_cert_pem,
                                                         .client_key_pem = k->client_key_pem,
                                                         .user_agent = user_agent },
                           out, e);
}

struct client *client_http_client(struct client_http *c)
{
    return &c->client;
}

void client_http_close(struct client_http *c, void (*closed)(void *ctx), void *ctx)
{
    ASSERT(!c->closing);
    c->closing = true;
    c->closed = closed;
    c->closed_ctx = ctx;
    c->open_endpoints = c->endpoints_count;
    list_foreach (node, &c->live)
        cancel(container_of(node, struct http_call, node));
    if (c->endpoints_count == 0) {
        maybe_gone(c);
        return;
    }
    for (size_t i = 0; i < c->endpoints_count; i++)
        http_client_close(c->endpoints[i], on_endpoint_closed, c);
}
