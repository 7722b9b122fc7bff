/* See the header. The client's certificate is cn admin, o system:masters. */
#include "tests/unit/net/world.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

#define ADDRESS "m1:api"

static const char *const alpn_http2[] = { "h2", "http/1.1", NULL };
static const char *const alpn_http1[] = { "http/1.1", NULL };

static void issue(struct world *w, bool server, struct pki_pair *out)
{
    static const struct str names[] = { STR("gantry.test") };
    static const struct str organizations[] = { STR("system:masters") };
    struct pki_request r = { .common_name = server ? str_lit("server") : str_lit("admin"),
                             .organizations = organizations,
                             .organization_count = server ? 0 : 1,
                             .dns_names = names,
                             .dns_name_count = server ? 1 : 0,
                             .server = server,
                             .client = !server,
                             .now_s = 0,
                             .days = 36500 };
    r.now_s = 1700000000;
    int rc = pki_issue(&w->arena, &w->ca, &r, out, NULL);
    ASSERT(rc == 0);
}

static void make_tls(struct world *w)
{
    struct pki_pair pair;
    int rc = pki_make_ca(&w->arena, str_lit("ca"), 1700000000, 36500, &w->ca, NULL);
    ASSERT(rc == 0);
    struct tls_options o = { .ca_pem = w->ca.certificate_pem,
                             .alpn = w->kind == WORLD_TLS_HTTP1 ? alpn_http1 : alpn_http2 };
    issue(w, true, &pair);
    o.certificate_pem = pair.certificate_pem;
    o.key_pem = pair.key_pem;
    w->server_tls = tls_server_context_new(&o, NULL);
    issue(w, false, &pair);
    o.certificate_pem = pair.certificate_pem;
    o.key_pem = pair.key_pem;
    w->client_tls = tls_client_context_new(&o, NULL);
    ASSERT(w->server_tls != NULL);
    ASSERT(w->client_tls != NULL);
}

static void on_state(void *ctx, int status)
{
    struct world *w = ctx;
    w->states += status == 0;
    w->last_state = status;
}

static void on_server_closed(void *ctx)
{
    struct world *w = ctx;
    w->server_closed++;
    w->server = NULL;
}

static void on_client_closed(void *ctx)
{
    ((struct world *)ctx)->client_closed++;
}

bool world_is_http2(const struct world *w)
{
    return w->kind == WORLD_HTTP2 || w->kind == WORLD_TLS_HTTP2;
}

void world_open_server(struct world *w, http_handler_fn *handler, void *ctx)
{
    struct http_server_options o = {
        .address = ADDRESS, .tls = w->server_tls, .handler = handler, .ctx = ctx
    };
    int rc = http_server_open(w->server_loop, &o, &w->server, NULL);
    ASSERT(rc == 0);
}

struct world *world_new(enum world_kind kind, http_handler_fn *handler, void *ctx)
{
    struct world *w = mem_alloc(sizeof(*w));
    w->kind = kind;
    w->env = env_sim_new(7);
    w->server_loop = env_loop_new(w->env, "server");
    w->client_loop = env_loop_new(w->env, "client");
    env_loop_start(w->server_loop);
    env_loop_start(w->client_loop);
    arena_init(&w->arena);
    if (kind >= WORLD_TLS_HTTP1)
        make_tls(w);
    world_open_server(w, handler, ctx);
    enum http_protocol protocol = world_is_http2(w) ? HTTP_PROTOCOL_HTTP2 : HTTP_PROTOCOL_AUTO;
    w->client_options = (struct http_client_options){ .address = ADDRESS,
                                                      .authority = "gantry.test:443",
                                                      .tls = w->client_tls,
                                                      .protocol = protocol,
                                                      .state = on_state,
                                                      .ctx = w };
    w->client = http_client_new(w->client_loop, &w->client_options);
    return w;
}

void world_close_server(struct world *w, uint64_t drain_ms)
{
    http_server_close(w->server, drain_ms, on_server_closed, w);
}

void world_free(struct world *w)
{
    int server_closed = w->server_closed;
    if (w->client != NULL)
        http_client_close(w->client, on_client_closed, w);
    world_run(w, 10);
    bool open = w->server != NULL;
    if (open)
        world_close_server(w, 0);
    world_run(w, 5000);
    ASSERT(w->client_closed == 1);
    ASSERT(w->server_closed == server_closed + open);
    env_loop_free(w->client_loop);
    env_loop_free(w->server_loop);
    env_sim_free(w->env);
    tls_context_unref(w->server_tls);
    tls_context_unref(w->client_tls);
    arena_deinit(&w->arena);
    mem_free(w);
}

void world_run(struct world *w, uint64_t ms)
{
    env_sim_run(w->env, ms);
}

/* ---- calls ---- */

static struct world_call *call_of(struct http_request *r)
{
    return r->user;
}

static void on_response(struct http_request *r)
{
    call_of(r)->responses++;
}

static void on_body(struct http_request *r, struct str bytes)
{
    if (bytes.len > 0)
        buf_append_str(&call_of(r)->got, bytes);
}

static void on_drained(struct http_request *r)
{
    call_of(r)->drained++;
}

static void on_done(struct http_request *r, int status)
{
    call_of(r)->done++;
    call_of(r)->status = status;
}

void world_send(struct world *w, struct world_call *c, const char *method, const char *target)
{
    static const struct http_request_events collected = { .response = on_response,
                                                          .drained = on_drained,
                                                          .done = on_done };
    static const struct http_request_events streamed = {
        .response = on_response, .body = on_body, .drained = on_drained, .done = on_done
    };
    c->done = 0;
    c->r.method = method;
    c->r.target = str_from(target);
    c->r.events = c->streamed ? &streamed : &collected;
    c->r.user = c;
    http_client_send(w->client, &c->r);
    ASSERT(c->done == 0); /* never inside the call */
}

void world_call_deinit(struct world_call *c)
{
    http_request_deinit(&c->r);
    buf_deinit(&c->got);
}
