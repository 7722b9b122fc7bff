/* See the header. */
#include "tests/unit/cli/pod_server.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "base/list.h"
#include "cli/ask.h"
#include "net/server.h"
#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

bool pod_server_upgrade(struct pod_server *s, struct http_exchange *x)
{
    struct err e;
    struct str key = http_headers_get(&x->headers, "sec-websocket-key");
    const struct http_header headers[] = {
        { str_lit("upgrade"), str_lit("websocket") },
        { str_lit("sec-websocket-accept"), websocket_accept(&x->arena, key) },
        { str_lit("sec-websocket-protocol"), str_from(s->protocol) }
    };
    (void)snprintf(s->target, sizeof s->target, "%.*s", STR_ARG(x->target));
    if (s->refusal != 0) {
        x->events = &http_events_none;
        http_reply(x, s->refusal, "application/json",
                   str_from(s->refusal_text != NULL ? s->refusal_text
                                                    : ACT_STATUS("BadRequest", "not this one")));
        return false;
    }
    assert_int_equal(websocket_check(&x->headers, &e), 0);
    x->events = s->events;
    websocket_decoder_deinit(&s->decoder);
    websocket_decoder_init(&s->decoder, true);
    assert_int_equal(http_upgrade(x, headers, 3), 0);
    return true;
}

static void reply(struct pod_server *s, struct http_exchange *x)
{
    bool api = str_eq_c(x->path, "/api");
    bool apis = str_eq_c(x->path, "/apis");
    bool missing = !api && !apis && s->pod == NULL;
    if (!api && !apis)
        (void)snprintf(s->asked, sizeof s->asked, "%.*s", STR_ARG(x->path));
    x->events = &http_events_none;
    http_reply(x, missing ? 404 : 200, "application/json",
               str_from(api       ? act_world_api
                        : apis    ? act_world_apis
                        : missing ? ACT_STATUS("NotFound", "no pod")
                                  : s->pod));
}

static void serve(void *ctx, struct http_exchange *x)
{
    struct pod_server *s = ctx;
    x->user = s;
    if (!s->serve(s, x))
        reply(s, x);
}

void pod_server_reset(struct pod_server *s)
{
    s->pod = NULL;
    s->refusal = 0;
    s->refusal_text = NULL;
    s->target[0] = '\0';
    s->asked[0] = '\0';
    s->cli.ns = str_lit("default");
}

void pod_server_init(struct pod_server *s)
{
    s->env = env_uv_new();
    s->loop = env_loop_new(s->env, "server");
}

void pod_server_open(struct pod_server *s)
{
    struct http_server_options o = { .address = "tcp:127.0.0.1:0", .handler = serve, .ctx = s };
    websocket_decoder_init(&s->decoder, true);
    pod_server_reset(s);
    assert_int_equal(http_server_open(s->loop, &o, &s->server, NULL), 0);
    (void)snprintf(s->address, sizeof s->address, "tcp:127.0.0.1:%d", http_server_port(s->server));
    env_loop_start(s->loop);
    s->cli.env = s->env;
    s->cli.loop = env_loop_new(s->env, "cli");
    arena_init(&s->cli.arena);
    s->cli.servers[s->cli.servers_count++] = str_from(s->address);
}

static void on_server_closed(void *ctx)
{
    env_loop_stop(((struct pod_server *)ctx)->loop);
}

static void close_server(struct env_msg *m)
{
    struct pod_server *s = container_of(m, struct pod_server, msg);
    if (s->closing != NULL)
        s->closing(s);
    http_server_close(s->server, 0, on_server_closed, s);
}

void pod_server_close(struct pod_server *s)
{
    ask_end(&s->cli);
    env_loop_free(s->cli.loop);
    env_post(s->loop, &s->msg, close_server);
    env_loop_join(s->loop);
    env_loop_free(s->loop);
    websocket_decoder_deinit(&s->decoder);
    arena_deinit(&s->cli.arena);
    env_uv_free(s->env);
}
