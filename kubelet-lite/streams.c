/*
 * One stream: asked → the runtime gives a URL → connected → the runtime says 101, we say 101 →
 * bytes pass both ways until either side ends.
 *
 * Failure modes: the runtime refuses (its own words are the answer); it is silent for
 * SPLICE_UPGRADE_MS (its request is cancelled: 502); it goes away in the middle (the exchange is
 * reset); the peer goes away (the runtime's request is cancelled, which ends an exec's process as
 * the runtime sees fit). On close: the stream is freed when the exchange, the call, and the client
 * are gone.
 */
#include "kubelet-lite/streams.h"

#include <string.h>

#include "api/proto/runtime.pb-c.h"
#include "base/env.h"
#include "kubelet-lite/cri.h"
#include "kubelet-lite/pods.h"
#include "net/client.h"
#include "net/http.h"
#include "net/splice.h"

#define STREAM_VERSION  "x-stream-protocol-version"
#define ERROR_BYTES_MAX 2048

enum stream_kind { EXEC, ATTACH, PORT_FORWARD, STREAM_KIND_COUNT };

static const char *const prefixes[STREAM_KIND_COUNT] = { "/exec/", "/attach/", "/portForward/" };

struct options {
    bool input;
    bool output;
    bool error;
    bool tty;
    char **command;
    size_t command_count;
    size_t command_capacity;
};

struct stream {
    struct streams host;
    struct http_exchange *x; /* NULL: the peer is gone */
    enum stream_kind kind;
    struct cri_call call;
    bool calling;
    struct http_client *client;
    struct http_request out;
    struct env_timer timer;
    uint64_t active_ms;
    bool open;
    struct buf error;
};

static struct stream *stream_of(struct http_request *out)
{
    return container_of(out, struct stream, out);
}

static void maybe_free(struct stream *s)
{
    if (s->x != NULL || s->calling || s->client != NULL)
        return;
    struct streams host = s->host;
    env_timer_deinit(&s->timer);
    http_request_deinit(&s->out);
    cri_call_deinit(&s->call);
    buf_deinit(&s->error);
    mem_free(s);
    host.ended(host.ctx);
}

static void on_client_closed(void *ctx)
{
    struct stream *s = ctx;
    s->client = NULL;
    maybe_free(s);
}

/* ---- the runtime's stream ---- */

static void on_response(struct http_request *out)
{
    struct stream *s = stream_of(out);
    if (out->status != 101 || s->x == NULL)
        return;
    struct str version = http_headers_get(&out->response_headers, STREAM_VERSION);
    const struct http_header headers[] = { { str_lit("upgrade"), str_lit("SPDY/3.1") },
                                           { str_lit(STREAM_VERSION), version } };
    if (http_upgrade(s->x, headers, version.len > 0 ? 2 : 1) != 0) {
        http_request_cancel(out);
        return;
    }
    s->open = true;
    s->active_ms = env_loop_now_ms(s->host.loop);
    env_timer_start(&s->timer, SPLICE_IDLE_MS);
}

static void on_runtime_bytes(struct http_request *out, struct str bytes)
{
    struct stream *s = stream_of(out);
    s->active_ms = env_loop_now_ms(s->host.loop);
    if (!s->open)
        buf_append_str(&s->error, str_slice(bytes, 0, ERROR_BYTES_MAX - s->error.len));
    else if (s->x != NULL)
        splice_to_exchange(s->x, out, bytes);
}

static void on_runtime_drained(struct http_request *out)
{
    struct stream *s = stream_of(out);
    if (s->x != NULL)
        http_body_resume(s->x);
}

static void on_done(struct http_request *out, int status)
{
    struct stream *s = stream_of(out);
    env_timer_stop(&s->timer);
    if (s->x != NULL && s->open) {
        if (status == 0)
            http_end(s->x);
        else
            http_reset(s->x, status);
    } else if (s->x != NULL && status == 0 && out->status >= 400) {
        http_reply(s->x, out->status, "text/plain", buf_str(&s->error));
    } else if (s->x != NULL) {
        http_reply(s->x, 502, "text/plain",
                   str_lit("the container runtime's streaming server did not answer"));
    }
    http_client_close(s->client, on_client_closed, s);
}

/* Until the runtime's answer: it is late. After: is anything still passing? */
static void on_timer(struct env_timer *t)
{
    struct stream *s = container_of(t, struct stream, timer);
    uint64_t idle_ms = env_loop_now_ms(s->host.loop) - s->active_ms;
    if (s->open && idle_ms < SPLICE_IDLE_MS)
        env_timer_start(t, SPLICE_IDLE_MS - idle_ms);
    else
        http_request_cancel(&s->out);
}

bool streams_url(struct str url, struct str *out_host, struct str *out_target)
{
    static const char *const locals[] = { "127.0.0.1:", "[::1]:", "localhost:" };
    const struct str scheme = STR("http://");
    if (!str_starts(url, scheme))
        return false;
    struct str rest = str_slice(url, scheme.len, url.len);
    ptrdiff_t slash = str_find_char(rest, '/', 0);
    if (slash < 0)
        return false;
    *out_host = str_slice(rest, 0, (size_t)slash);
    *out_target = str_slice(rest, (size_t)slash, rest.len);
    for (size_t i = 0; i < sizeof locals / sizeof locals[0]; i++)
        if (str_starts(*out_host, str_from(locals[i])))
            return true;
    return false;
}

/* The versions the peer offered, for the runtime to choose from. */
static void copy_versions(struct stream *s, struct arena *a, struct http_headers *h)
{
    const struct http_headers *sent = &s->x->headers;
    for (size_t i = 0; i < sent->count; i++)
        if (str_eq_c(sent->items[i].name, STREAM_VERSION))
            http_headers_add(a, h, str_lit(STREAM_VERSION), sent->items[i].value);
}

static void connect_runtime(struct stream *s, struct str url)
{
    static const struct http_request_events events = { .response = on_response,
                                                       .body = on_runtime_bytes,
                                                       .drained = on_runtime_drained,
                                                       .done = on_done };
    struct arena *a = &s->x->arena;
    struct http_headers headers = { 0 };
    struct str host;
    struct str target;
    if (!streams_url(url, &host, &target)) {
        http_reply(s->x, 500, "text/plain",
                   str_printf(a, "the container runtime streams at %.*s, which is not on loopback",
                              STR_ARG(url)));
        return;
    }
    s->client = http_client_new(s->host.loop,
                                &(struct http_client_options){
                                    .address = str_dup(a, str_printf(a, "tcp:%.*s", STR_ARG(host))),
                                    .authority = str_dup(a, host),
                                    .protocol = HTTP_PROTOCOL_HTTP1 });
    http_headers_add(a, &headers, str_lit("upgrade"), str_lit("SPDY/3.1"));
    copy_versions(s, a, &headers);
    s->out.method = "POST";
    s->out.target = target;
    s->out.headers = headers.items;
    s->out.header_count = headers.count;
    s->out.streaming = true;
    s->out.events = &events;
    env_timer_start(&s->timer, SPLICE_UPGRADE_MS);
    http_client_send(s->client, &s->out);
}

/* ---- the CRI call ---- */

static const char *url_of(const struct stream *s)
{
    switch (s->kind) {
    case EXEC:
        return ((const Runtime__V1__ExecResponse *)s->call.reply)->url;
    case ATTACH:
        return ((const Runtime__V1__AttachResponse *)s->call.reply)->url;
    default:
        return ((const Runtime__V1__PortForwardResponse *)s->call.reply)->url;
    }
}

static void on_called(struct cri_call *call)
{
    struct stream *s = call->priv;
    s->calling = false;
    if (s->x == NULL)
        maybe_free(s);
    else if (call->status != 0)
        http_reply(s->x, call->status == -ERR_NOT_FOUND ? 404 : 500, "text/plain",
                   str_from(call->err.msg));
    else
        connect_runtime(s, str_from(url_of(s)));
}

static void call_runtime(struct stream *s, struct options *o, const struct pods_stream *target)
{
    struct cri *cri = s->host.cri;
    s->calling = true;
    if (s->kind == EXEC) {
        Runtime__V1__ExecRequest q = RUNTIME__V1__EXEC_REQUEST__INIT;
        q.container_id = (char *)(uintptr_t)target->container_id; /* only read */
        q.cmd = o->command;
        q.n_cmd = o->command_count;
        q.tty = o->tty;
        q.stdin = o->input;
        q.stdout = o->output;
        q.stderr = o->error;
        cri_call_start(cri, &s->call, CRI_EXEC, &q);
    } else if (s->kind == ATTACH) {
        Runtime__V1__AttachRequest q = RUNTIME__V1__ATTACH_REQUEST__INIT;
        q.container_id = (char *)(uintptr_t)target->container_id;
        q.tty = o->tty;
        q.stdin = o->input;
        q.stdout = o->output;
        q.stderr = o->error;
        cri_call_start(cri, &s->call, CRI_ATTACH, &q);
    } else {
        Runtime__V1__PortForwardRequest q = RUNTIME__V1__PORT_FORWARD_REQUEST__INIT;
        q.pod_sandbox_id = (char *)(uintptr_t)target->sandbox_id;
        cri_call_start(cri, &s->call, CRI_PORT_FORWARD, &q);
    }
}

/* ---- the peer's side ---- */

static void on_peer_bytes(struct http_exchange *x, struct str bytes)
{
    struct stream *s = x->user;
    s->active_ms = env_loop_now_ms(s->host.loop);
    if (http_request_active(&s->out))
        splice_to_request(x, &s->out, bytes);
}

static void on_peer_end(struct http_exchange *x, int status)
{
    struct stream *s = x->user;
    (void)status;
    /* Before the upgrade this is only the end of a request without a body. */
    if (s->open && http_request_active(&s->out))
        http_request_cancel(&s->out);
}

static void on_peer_drained(struct http_exchange *x)
{
    struct stream *s = x->user;
    if (http_request_active(&s->out))
        http_request_resume(&s->out);
}

static void on_peer_closed(struct http_exchange *x, int status)
{
    struct stream *s = x->user;
    (void)status;
    s->x = NULL;
    if (http_request_active(&s->out))
        http_request_cancel(&s->out);
    maybe_free(s);
}

/* ---- requests ---- */

static bool flag(struct str value)
{
    return str_eq_c(value, "1") || str_eq_c(value, "true");
}

static int options_parse(struct arena *a, struct str query, struct options *o, struct err *e)
{
    struct str pair;
    while (query.len > 0 && str_split(&query, '&', &pair)) {
        struct str name = pair;
        struct str value = str_lit("");
        ptrdiff_t eq = str_find_char(pair, '=', 0);
        if (eq >= 0) {
            name = str_slice(pair, 0, (size_t)eq);
            if (http_percent_decode(a, str_slice(pair, (size_t)eq + 1, pair.len), true, &value) !=
                0)
                return err_set(e, ERR_INVALID_ARGUMENT, "invalid escape in the query");
        }
        if (str_eq_c(name, "command")) {
            if (o->command_count == STREAMS_COMMAND_MAX)
                return err_set(e, ERR_INVALID_ARGUMENT, "more than %d arguments",
                               STREAMS_COMMAND_MAX);
            if (o->command_count == o->command_capacity)
                o->command = arena_grow(a, o->command, o->command_count, &o->command_capacity,
                                        sizeof *o->command);
            o->command[o->command_count++] = str_dup(a, value);
        }
        o->input = o->input || (str_eq_c(name, "input") && flag(value));
        o->output = o->output || (str_eq_c(name, "output") && flag(value));
        o->error = o->error || (str_eq_c(name, "error") && flag(value));
        o->tty = o->tty || (str_eq_c(name, "tty") && flag(value));
    }
    o->error = o->error && !o->tty; /* a terminal has one output */
    if (!o->input && !o->output && !o->error)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "you must specify at least 1 of stdin, stdout, stderr");
    return 0;
}

static bool segment(struct arena *a, struct str *rest, struct str *out)
{
    struct str raw;
    return rest->len > 0 && str_split(rest, '/', &raw) && raw.len > 0 &&
           http_percent_decode(a, raw, false, out) == 0;
}

static enum stream_kind kind_of(struct str path)
{
    enum stream_kind kind = EXEC;
    while (kind < STREAM_KIND_COUNT && !str_starts(path, str_from(prefixes[kind])))
        kind++;
    return kind;
}

bool streams_path(struct str path)
{
    return kind_of(path) < STREAM_KIND_COUNT;
}

/* 0 with what to stream to, or -ERR_X (-ERR_NOT_FOUND: also for a path that has other parts). */
static int resolve(const struct streams *s, struct http_exchange *x, enum stream_kind kind,
                   struct options *o, struct pods_stream *target, struct err *e)
{
    struct str rest = str_slice(x->path, strlen(prefixes[kind]), x->path.len);
    struct str namespace;
    struct str pod;
    struct str container = { 0 };
    if (!segment(&x->arena, &rest, &namespace) || !segment(&x->arena, &rest, &pod) ||
        (kind != PORT_FORWARD && !segment(&x->arena, &rest, &container)) || rest.len > 0)
        return err_set(e, ERR_NOT_FOUND, "404 page not found");
    int rc = kind == PORT_FORWARD ? 0 : options_parse(&x->arena, x->query, o, e);
    if (rc == 0 && kind == EXEC && o->command_count == 0)
        rc = err_set(e, ERR_INVALID_ARGUMENT, "you must specify a command");
    if (rc == 0 && (x->has_body || x->version != 11 ||
                    !http_headers_has_token(&x->headers, "connection", "upgrade") ||
                    !http_headers_has_token(&x->headers, "upgrade", "SPDY/3.1")))
        rc = err_set(e, ERR_INVALID_ARGUMENT, "an upgrade to SPDY/3.1 is required");
    return rc != 0
               ? rc
               : pods_stream_target(s->pods, namespace, pod, container, kind == ATTACH, target, e);
}

bool streams_serve(const struct streams *host, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .body = on_peer_bytes,
                                                        .end = on_peer_end,
                                                        .drained = on_peer_drained,
                                                        .closed = on_peer_closed };
    struct options *o = arena_new(&x->arena, struct options);
    struct pods_stream target;
    struct err e = { 0 };
    enum stream_kind kind = kind_of(x->path);
    int rc = resolve(host, x, kind, o, &target, &e);
    if (rc != 0) {
        http_reply(x, err_http_status(rc), "text/plain", str_from(e.msg));
        return false;
    }
    struct stream *s = mem_alloc(sizeof *s);
    s->host = *host;
    s->x = x;
    s->kind = kind;
    s->call.done = on_called;
    s->call.priv = s;
    buf_init(&s->error);
    env_timer_init(host->loop, &s->timer, on_timer);
    x->events = &events;
    x->user = s;
    call_runtime(s, o, &target);
    return true;
}
