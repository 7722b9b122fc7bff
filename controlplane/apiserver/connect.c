/*
 * The life of a stream. Run finds the agent and asks it first, so that every refusal is a plain
 * answer to the client; when the agent said 101 the client hears 101 too and bytes pass both ways.
 *
 * Failure modes: the agent refuses (its code and words are the answer); it cannot be reached or is
 * silent for SPLICE_UPGRADE_MS (503); it goes away in the middle (the protocol's last words, then
 * the end); the client goes away (the agent's request is cancelled). Either side slow: the other is
 * not read (net/splice.h). The request is held until the agent's side is done.
 */
#include "controlplane/apiserver/connect.h"

#include <string.h>

#include "api/client/client.h"
#include "base/assert.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/pod_target.h"
#include "controlplane/apiserver/socket.h"
#include "net/splice.h"

#define STREAM_VERSION "x-stream-protocol-version"
#define VERSIONS_MAX   16

static struct connect *connect_of(struct http_request *out)
{
    return container_of(out, struct connect, out);
}

/* ---- writing ---- */

void connect_to_client(struct connect *c)
{
    struct request *r = c->request;
    if (!c->finished && r->x != NULL && c->frame.len > 0) {
        splice_to_exchange(r->x, &c->out, buf_str(&c->frame));
    }
    buf_clear(&c->frame);
}

void connect_to_agent(struct connect *c)
{
    struct request *r = c->request;
    if (!c->finished && r->x != NULL && http_request_active(&c->out) && c->frame.len > 0) {
        splice_to_request(r->x, &c->out, buf_str(&c->frame));
    }
    buf_clear(&c->frame);
}

struct str connect_broken(struct connect *c)
{
    struct request *r = c->request;
    struct status s = { 0 };
    struct buf b;
    buf_init(&b);
    (void)status_internal(&r->arena, &s, /* only sets s */
                          str_lit("the node's agent or its container runtime closed the stream "
                                  "before the end of the command was known"));
    status_encode(&r->arena, &s, MEDIA_JSON, &b);
    struct str text = str_copy(&r->arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

void connect_finish(struct connect *c)
{
    struct request *r = c->request;
    if (!c->finished && r->x != NULL) {
        http_end(r->x);
    }
    c->finished = true;
    if (http_request_active(&c->out)) {
        http_request_cancel(&c->out);
    }
}

void connect_close(struct connect *c, uint16_t code, const char *reason)
{
    websocket_write_close(&c->frame, code, str_from(reason));
    connect_to_client(c);
    connect_finish(c);
}

static void on_control(struct connect *c)
{
    struct websocket_decoder *d = &c->websocket;
    if (d->op == WEBSOCKET_PING) {
        /* Whoever takes no answers gets none: only the latest ping needs one (RFC 6455 5.5.3). */
        if (c->request->x == NULL || http_queued(c->request->x) > HTTP_QUEUE_HIGH_BYTES) {
            return;
        }
        websocket_write(&c->frame, WEBSOCKET_PONG, true, d->data, str_lit(""), NULL);
        connect_to_client(c);
    } else if (d->op == WEBSOCKET_CLOSE) {
        connect_close(c, WEBSOCKET_NORMAL, "");
    }
}

void connect_websocket(struct connect *c, struct str bytes, void (*message)(struct connect *c))
{
    while (!c->finished) {
        switch (websocket_decode(&c->websocket, &bytes)) {
        case WEBSOCKET_EVENT_DATA:
            message(c);
            break;
        case WEBSOCKET_EVENT_CONTROL:
            on_control(c);
            break;
        case WEBSOCKET_EVENT_ERROR:
            connect_close(c, c->websocket.code, "");
            return;
        case WEBSOCKET_EVENT_MORE:
        default:
            return;
        }
    }
}

/* ---- what to ask the agent for ---- */

static void add_flag(struct request *r, struct buf *b, const char *ours, const char *theirs)
{
    if (route_param_bool(&r->route, ours)) {
        buf_printf(b, "&%s=1", theirs);
    }
}

/* Little is escaped that a query can hold, so that the agent's target is hardly longer than that of
 * a client that escapes what it should: both have the same bound. Of one that escapes less (raw
 * bytes above ASCII) ours may exceed it, and the agent refuses it. */
static void add_command(struct buf *b, struct str text)
{
    buf_append_c(b, "&command=");
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == ' ') {
            buf_append_byte(b, '+');
        } else if (c != '\0' && strchr("!$'()*,/:?@", c) != NULL) {
            buf_append_byte(b, (uint8_t)c);
        } else {
            client_query_escape(b, str_slice(text, i, i + 1));
        }
    }
}

/* The kubelet's own names of the options. */
static struct str make_target(struct request *r, enum connect_kind kind, struct str container)
{
    static const char *const paths[] = { "exec", "attach", "portForward" };
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "/%s/%.*s/%.*s", paths[kind], STR_ARG(r->route.ns), STR_ARG(r->route.name));
    if (kind != CONNECT_FORWARD) {
        buf_printf(&b, "/%.*s?", STR_ARG(container));
        add_flag(r, &b, "stdin", "input");
        add_flag(r, &b, "stdout", "output");
        add_flag(r, &b, "stderr", "error");
        add_flag(r, &b, "tty", "tty");
    }
    for (size_t i = 0; kind == CONNECT_EXEC && i < r->route.params_count; i++) {
        if (str_eq_c(r->route.params[i].name, "command")) {
            add_command(&b, r->route.params[i].value);
        }
    }
    struct str target = str_copy(&r->arena, buf_str(&b));
    buf_deinit(&b);
    return target;
}

/* SPDY's own negotiation is between the client and the runtime; of a translated stream it is ours.
 */
static void make_headers(struct connect *c)
{
    struct request *r = c->request;
    struct http_headers h = { 0 };
    http_headers_add(&r->arena, &h, str_lit("upgrade"), str_lit("SPDY/3.1"));
    if (c->protocol != &connect_spdy) {
        http_headers_add(&r->arena, &h, str_lit(STREAM_VERSION),
                         c->kind == CONNECT_FORWARD ? str_lit("portforward.k8s.io")
                                                    : str_lit("v4.channel.k8s.io"));
    }
    const struct http_headers *sent = &r->x->headers;
    for (size_t i = 0; c->protocol == &connect_spdy && i < sent->count; i++) {
        if (str_eq_c(sent->items[i].name, STREAM_VERSION) && h.count <= VERSIONS_MAX) {
            http_headers_add(&r->arena, &h, str_lit(STREAM_VERSION), sent->items[i].value);
        }
    }
    c->out.headers = h.items;
    c->out.header_count = h.count;
}

/* The first of the client's subprotocols that we speak. */
static int pick_subprotocol(struct connect *c)
{
    struct request *r = c->request;
    bool forward = c->kind == CONNECT_FORWARD;
    struct str offered = http_headers_get(&r->x->headers, "sec-websocket-protocol");
    struct str rest = offered;
    struct str name;
    struct err e;
    if (websocket_check(&r->x->headers, &e) != 0) {
        return status_bad_request(&r->status, str_copy(&r->arena, str_from(e.msg)));
    }
    int rc = socket_check_origin(r);
    if (rc != 0) {
        return rc;
    }
    if (offered.len == 0) {
        c->protocol = connect_channels_find(str_lit(""), forward);
    }
    while (c->protocol == NULL && rest.len > 0 && str_split(&rest, ',', &name)) {
        name = str_trim(name);
        c->protocol = forward && str_eq_c(name, connect_tunnel.name)
                          ? &connect_tunnel
                          : connect_channels_find(name, forward);
    }
    if (c->protocol == NULL) {
        return status_bad_request(
            &r->status,
            str_printf(&r->arena, "none of the offered WebSocket protocols is supported: \"%.*s\"",
                       STR_ARG(offered)));
    }
    return 0;
}

static int pick_protocol(struct connect *c)
{
    struct request *r = c->request;
    const struct http_headers *h = &r->x->headers;
    if (r->x->version != 11 || r->x->has_body ||
        !http_headers_has_token(h, "connection", "upgrade")) {
        return status_bad_request(&r->status, str_lit("Upgrade request required"));
    }
    if (http_headers_has_token(h, "upgrade", "SPDY/3.1")) {
        /* Of exec and attach the runtime says so; of port-forward it says nothing. */
        if (c->kind == CONNECT_FORWARD && http_headers_get(h, STREAM_VERSION).len == 0) {
            return status_bad_request(
                &r->status, str_lit("unable to upgrade: X-Stream-Protocol-Version is required"));
        }
        c->protocol = &connect_spdy;
        connect_raw_prepare(c);
        return 0;
    }
    if (!http_headers_has_token(h, "upgrade", "websocket")) {
        return status_bad_request(&r->status, str_lit("Upgrade request required"));
    }
    int rc = pick_subprotocol(c);
    return rc == 0 && c->protocol != &connect_tunnel ? connect_channels_prepare(c) : rc;
}

/* ---- the agent's side ---- */

static int answer_upgrade(struct connect *c)
{
    struct request *r = c->request;
    struct http_headers h = { 0 };
    if (c->protocol == &connect_spdy) {
        struct str version = http_headers_get(&c->out.response_headers, STREAM_VERSION);
        http_headers_add(&r->arena, &h, str_lit("upgrade"), str_lit("SPDY/3.1"));
        if (version.len > 0) {
            http_headers_add(&r->arena, &h, str_lit(STREAM_VERSION), version);
        }
        return request_upgrade(r, h.items, h.count);
    }
    struct str key = http_headers_get(&r->x->headers, "sec-websocket-key");
    http_headers_add(&r->arena, &h, str_lit("upgrade"), str_lit("websocket"));
    http_headers_add(&r->arena, &h, str_lit("sec-websocket-accept"),
                     websocket_accept(&r->arena, key));
    if (c->protocol->name[0] != '\0') {
        http_headers_add(&r->arena, &h, str_lit("sec-websocket-protocol"),
                         str_from(c->protocol->name));
    }
    return request_upgrade(r, h.items, h.count);
}

static void on_response(struct http_request *out)
{
    struct connect *c = connect_of(out);
    struct request *r = c->request;
    if (out->status != 101 || r->x == NULL || c->finished) {
        return;
    }
    if (answer_upgrade(c) != 0) {
        http_request_cancel(out); /* answered when that is done */
        return;
    }
    c->open = true;
    c->active_ms = env_loop_now_ms(r->loop->loop);
    env_timer_start(&c->timer, SPLICE_IDLE_MS);
    if (c->protocol->opened != NULL) {
        c->protocol->opened(c);
    }
}

static void on_body(struct http_request *out, struct str bytes)
{
    struct connect *c = connect_of(out);
    if (!c->open) {
        buf_append_str(&c->error, str_slice(bytes, 0, POD_TARGET_ERROR_BYTES_MAX - c->error.len));
        return;
    }
    c->active_ms = env_loop_now_ms(c->request->loop->loop);
    if (!c->finished) {
        c->protocol->from_agent(c, bytes);
    }
}

static void on_agent_drained(struct http_request *out)
{
    struct connect *c = connect_of(out);
    if (c->open && c->request->x != NULL) {
        http_body_resume(c->request->x);
    }
}

/* The agent did not say 101: its own words, as they are (kubectl shows them), or ours. */
static void answer_failure(struct connect *c, int status)
{
    struct request *r = c->request;
    if (status == 0 && c->out.status >= 400) {
        request_answer(r, c->out.status, "text/plain; charset=utf-8",
                       str_copy(&r->arena, buf_str(&c->error)));
    } else {
        (void)pod_target_unavailable(
            r, str_printf(&r->arena,
                          "error dialing backend: the node's agent at %.*s did not "
                          "answer: %s",
                          STR_ARG(c->host), err_name(status != 0 ? status : -ERR_PROTOCOL)));
        (void)request_answer_status(r);
    }
    request_send_answer(r);
}

static void on_done(struct http_request *out, int status)
{
    struct connect *c = connect_of(out);
    struct request *r = c->request;
    env_timer_stop(&c->timer);
    if (r->x != NULL && !c->open) {
        answer_failure(c, status);
    } else if (r->x != NULL && !c->finished) {
        c->protocol->agent_ended(c, status);
        connect_finish(c);
    }
    request_unhold(r); /* may free r and c */
}

static const struct http_request_events out_events = {
    .response = on_response,
    .body = on_body,
    .drained = on_agent_drained,
    .done = on_done,
};

/* Before the agent's answer: it is too late for one. After: is anybody still there? */
static void on_timer(struct env_timer *t)
{
    struct connect *c = container_of(t, struct connect, timer);
    uint64_t idle_ms = env_loop_now_ms(c->request->loop->loop) - c->active_ms;
    if (c->open && idle_ms < SPLICE_IDLE_MS) {
        env_timer_start(t, SPLICE_IDLE_MS - idle_ms);
    } else {
        http_request_cancel(&c->out);
    }
}

/* ---- the client's side ---- */

static void connect_received(struct request *r, struct str bytes)
{
    struct connect *c = r->state;
    c->active_ms = env_loop_now_ms(r->loop->loop);
    if (!c->finished) {
        c->protocol->from_client(c, bytes);
    }
}

/* None of the protocols has a use for a client that only listens: it has gone. */
static void connect_ended(struct request *r)
{
    connect_finish(r->state);
}

static void connect_drained(struct request *r)
{
    struct connect *c = r->state;
    if (http_request_active(&c->out)) {
        http_request_resume(&c->out);
    }
}

static void connect_closed(struct request *r)
{
    struct connect *c = r->state;
    c->finished = true;
    if (http_request_active(&c->out)) {
        http_request_cancel(&c->out);
    }
}

static void connect_stop(struct request *r)
{
    struct connect *c = r->state;
    if (c->open && c->protocol != &connect_spdy) {
        connect_close(c, WEBSOCKET_GOING_AWAY, "the server is stopping");
    } else if (http_request_active(&c->out)) {
        http_request_cancel(&c->out);
    }
}

static void connect_release(struct request *r)
{
    struct connect *c = r->state;
    if (c == NULL) {
        return;
    }
    connect_channels_release(c);
    connect_raw_release(c);
    websocket_decoder_deinit(&c->websocket);
    env_timer_deinit(&c->timer);
    http_request_deinit(&c->out);
    buf_deinit(&c->error);
    buf_deinit(&c->frame);
}

static struct connect *connect_new(struct request *r, enum connect_kind kind)
{
    struct connect *c = arena_new(&r->arena, struct connect);
    c->request = r;
    c->kind = kind;
    buf_init(&c->error);
    buf_init(&c->frame);
    websocket_decoder_init(&c->websocket, true);
    env_timer_init(r->loop->loop, &c->timer, on_timer);
    r->state = c;
    return c;
}

static enum request_run connect_run(struct request *r, enum connect_kind kind)
{
    const Pod *pod = NULL;
    struct str container = str_lit("");
    struct http_client *client = NULL;
    struct connect *c = connect_new(r, kind);
    int rc = pod_target_find(r, &pod);
    rc = rc == 0 && kind != CONNECT_FORWARD ? pod_target_container(r, pod, &container) : rc;
    rc = rc == 0 ? pod_target_agent(r, pod, &client, &c->host) : rc;
    rc = rc == 0 ? pick_protocol(c) : rc;
    if (rc != 0) {
        return RUN_FAIL;
    }
    c->out.method = "POST";
    c->out.target = make_target(r, kind, container);
    c->out.streaming = true;
    c->out.events = &out_events;
    make_headers(c);
    env_timer_start(&c->timer, SPLICE_UPGRADE_MS);
    request_hold(r);
    http_client_send(client, &c->out);
    return RUN_STREAM;
}

static enum request_run exec_run(struct request *r)
{
    return connect_run(r, CONNECT_EXEC);
}

static enum request_run attach_run(struct request *r)
{
    return connect_run(r, CONNECT_ATTACH);
}

static enum request_run forward_run(struct request *r)
{
    return connect_run(r, CONNECT_FORWARD);
}

#define CONNECT_OPERATION(text, function)                                                          \
    {                                                                                              \
        .name = text, .long_running = true, .mode = READ_FRESH, .run = function,                   \
        .drained = connect_drained, .stop = connect_stop, .received = connect_received,            \
        .ended = connect_ended, .closed = connect_closed, .release = connect_release               \
    }

const struct operation operation_exec = CONNECT_OPERATION("exec", exec_run);
const struct operation operation_attach = CONNECT_OPERATION("attach", attach_run);
const struct operation operation_portforward = CONNECT_OPERATION("portforward", forward_run);
