/* The server has a loop of its own; what it keeps of an exchange is in the exchange's arena. */
#include "tests/unit/controlplane/apiserver/proxy_backend.h"

#include "base/env.h"
#include "base/env_uv.h"
#include "net/http.h"
#include "net/pki.h"
#include "net/server.h"
#include "net/tls.h"
#include "tests/unit/unit.h"

_Atomic size_t proxy_backend_flooded;
_Atomic int proxy_backend_open;
int proxy_backend_port;
int proxy_backend_tls_port;

static struct {
    struct env *env;
    struct arena arena;
    struct env_loop *loop;
    struct http_server *servers[2];
    struct tls_context *server_tls;
    struct tls_context *client_tls;
    int closed;
} backend;

/* ---- answers ---- */

static void on_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
    atomic_fetch_sub(&proxy_backend_open, 1);
}

static void echo(struct http_exchange *x)
{
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "%.*s %.*s\nauthority: %.*s\nverified: %d\n", STR_ARG(x->method),
               STR_ARG(x->target), STR_ARG(x->authority), x->peer->identity->verified);
    for (size_t i = 0; i < x->headers.count; i++) {
        buf_printf(&b, "%.*s: %.*s\n", STR_ARG(x->headers.items[i].name),
                   STR_ARG(x->headers.items[i].value));
    }
    const struct http_header header = { str_lit("x-answer"), str_lit("yes") };
    http_reply_headers(x, 203, &header, 1, buf_str(&b));
    buf_deinit(&b);
}

static void flood(struct http_exchange *x)
{
    static const char bytes[16384];
    while (http_queued(x) < HTTP_QUEUE_HIGH_BYTES) {
        http_write(x, str_of(bytes, sizeof(bytes)));
        atomic_fetch_add(&proxy_backend_flooded, sizeof(bytes));
    }
}

static void on_drained(struct http_exchange *x)
{
    if (str_ends(x->path, str_lit("/flood"))) {
        flood(x);
    } else {
        http_body_resume(x);
    }
}

static void on_body(struct http_exchange *x, struct str bytes)
{
    if (http_responded(x)) {
        http_write(x, bytes);
        if (http_queued(x) > HTTP_QUEUE_HIGH_BYTES) {
            http_body_pause(x);
        }
    }
}

static void on_end(struct http_exchange *x, int status)
{
    (void)status;
    if (str_ends(x->path, str_lit("/back")) || str_ends(x->path, str_lit("/tunnel"))) {
        http_end(x);
    }
}

static void upgrade(struct http_exchange *x)
{
    const struct http_header headers[] = { { str_lit("upgrade"), str_lit("websocket") },
                                           { str_lit("sec-websocket-accept"), str_lit("yes") } };
    assert_int_equal(http_upgrade(x, headers, 2), 0);
    if (str_ends(x->path, str_lit("/short"))) {
        http_write(x, str_lit("bye"));
        http_end(x);
    }
}

static void on_request(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events events = {
        .body = on_body, .end = on_end, .drained = on_drained, .closed = on_closed
    };
    static const struct http_header location = { str_lit("location"), str_lit("/elsewhere?a=1") };
    static const struct http_header length = { str_lit("content-length"), str_lit("100") };
    (void)ctx;
    atomic_fetch_add(&proxy_backend_open, 1);
    x->events = &events;
    x->body_bytes_max = UINT64_MAX;
    if (str_ends(x->path, str_lit("/echo"))) {
        echo(x);
    } else if (str_ends(x->path, str_lit("/back"))) {
        http_respond(x, 200, NULL, 0);
    } else if (str_ends(x->path, str_lit("/flood"))) {
        http_respond(x, 200, NULL, 0);
        flood(x);
    } else if (str_ends(x->path, str_lit("/half"))) {
        http_respond(x, 200, &length, 1);
        http_write(x, str_lit("half"));
        http_end(x);
    } else if (str_ends(x->path, str_lit("/page"))) {
        http_reply(x, 200, "text/html", str_lit("<a href='/x'>x</a><"));
    } else if (str_ends(x->path, str_lit("/moved"))) {
        http_reply_headers(x, 302, &location, 1, str_lit(""));
    } else if (str_ends(x->path, str_lit("/tunnel")) || str_ends(x->path, str_lit("/short"))) {
        upgrade(x);
    } else if (!str_ends(x->path, str_lit("/waits"))) {
        http_reply(x, 404, "text/plain", str_lit("not here"));
    }
}

/* ---- the cluster ---- */

static int open_server(size_t i, struct tls_context *tls)
{
    struct err e = { 0 };
    const struct http_server_options options = { .address = "tcp:127.0.0.1:0",
                                                 .tls = tls,
                                                 .handler = on_request };
    assert_int_equal(http_server_open(backend.loop, &options, &backend.servers[i], &e), 0);
    return http_server_port(backend.servers[i]);
}

void proxy_backend_pod(struct harness *h, const char *name, const char *address, bool ready,
                       const char *labels, const char *ports)
{
    struct str path = str_printf(&h->arena, PROXY_PODS "/%s/status", name);
    struct str text =
        str_printf(&h->arena,
                   "{\"metadata\":{\"name\":\"%s\",\"labels\":{%s}},\"spec\":{\"containers\":[{"
                   "\"name\":\"c\",\"image\":\"i\"},{\"name\":\"d\",\"image\":\"i\",\"ports\":[%s]}"
                   "]}}",
                   name, labels, ports);
    struct reply r = harness_post(h, PROXY_PODS, text.data);
    harness_expect(&r, 201);
    text = str_printf(&h->arena,
                      "{\"status\":{\"podIP\":\"%s\",\"podIPs\":[{\"ip\":\"%s\"}],\"conditions\":[{"
                      "\"type\":\"Ready\",\"status\":\"%s\"}]}}",
                      address, address, ready ? "True" : "False");
    r = harness_send(h, "PATCH", path.data, "Content-Type: application/merge-patch+json\r\n",
                     text.data);
    harness_expect(&r, 200);
}

static void make_objects(struct harness *h)
{
    struct reply r = harness_post(h, "/api/v1/namespaces/default/serviceaccounts",
                                  "{\"metadata\":{\"name\":\"default\"}}");
    harness_expect(&r, 201);
    struct str node = str_printf(
        &h->arena,
        "{\"metadata\":{\"name\":\"n\"},\"status\":{\"addresses\":[{\"type\":\"InternalIP\","
        "\"address\":\"10.0.0.2\"}],\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":%d}}}}",
        proxy_backend_tls_port);
    r = harness_post(h, "/api/v1/nodes", node.data);
    harness_expect(&r, 201);
    struct str port =
        str_printf(&h->arena, "{\"name\":\"http\",\"containerPort\":%d}", proxy_backend_port);
    proxy_backend_pod(h, "web", "10.0.0.1", true, "\"app\":\"web\"", port.data);
}

int proxy_backend_setup(void **state)
{
    struct pki_pair ca;
    struct err e = { 0 };
    backend.env = env_uv_new();
    arena_init(&backend.arena);
    assert_int_equal(
        pki_make_ca(&backend.arena, str_lit("ca"), env_wall_ns(backend.env) / ENV_S, 2, &ca, &e),
        0);
    backend.server_tls = harness_tls(backend.env, &backend.arena, true, &ca);
    backend.client_tls = harness_tls(backend.env, &backend.arena, false, &ca);
    backend.loop = env_loop_new(backend.env, "backend");
    proxy_backend_port = open_server(0, NULL);
    proxy_backend_tls_port = open_server(1, backend.server_tls);
    int rc = harness_setup_tls(state, backend.env, backend.client_tls);
    make_objects(*state);
    env_loop_start(backend.loop);
    return rc;
}

static void on_server_closed(void *ctx)
{
    if (++backend.closed == 2) {
        env_loop_stop(ctx);
    }
}

static void close_servers(struct env_msg *m)
{
    (void)m;
    for (size_t i = 0; i < 2; i++) {
        http_server_close(backend.servers[i], 0, on_server_closed, backend.loop);
    }
}

int proxy_backend_teardown(void **state)
{
    struct harness *h = *state;
    static struct env_msg msg;
    env_post(backend.loop, &msg, close_servers);
    env_loop_join(backend.loop);
    h->extra = backend.loop;
    int rc = harness_teardown(state);
    tls_context_unref(backend.server_tls);
    tls_context_unref(backend.client_tls);
    arena_deinit(&backend.arena);
    return rc;
}
