/* See the header. */
#include "tests/unit/cli/forward_server.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "base/list.h"
#include "cli/ask.h"
#include "net/server.h"
#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

#define RETRY_MS 20

/* ---- the tunnel ---- */

static void send(struct forward_server *s, const struct buf *frames)
{
    struct buf b;
    buf_init(&b);
    websocket_write(&b, WEBSOCKET_BINARY, true, str_lit(""), buf_str(frames), NULL);
    if (s->tunnel != NULL)
        http_write(s->tunnel, buf_str(&b));
    buf_deinit(&b);
}

static void on_stream(struct forward_server *s, struct buf *out)
{
    struct str type = http_headers_get(&s->decoder.headers, "streamtype");
    (void)snprintf(s->port_header, sizeof s->port_header, "%.*s",
                   STR_ARG(http_headers_get(&s->decoder.headers, "port")));
    spdy_write_syn_reply(&s->encoder, out, s->decoder.stream, false, NULL, 0);
    if (str_eq_c(type, "error"))
        s->error_stream = s->decoder.stream;
    else if (s->error != NULL)
        spdy_write_data(out, s->error_stream, true, str_from(s->error));
}

static void on_spdy(struct forward_server *s, struct str bytes)
{
    enum spdy_event event;
    struct buf out;
    buf_init(&out);
    while ((event = spdy_decode(&s->decoder, &bytes)) != SPDY_EVENT_MORE) {
        assert_int_not_equal(event, SPDY_EVENT_ERROR);
        bool data = event == SPDY_EVENT_DATA && s->decoder.stream != s->error_stream;
        if (event == SPDY_EVENT_SYN_STREAM)
            on_stream(s, &out);
        else if (data)
            spdy_write_data(&out, s->decoder.stream, s->decoder.fin, s->decoder.data);
        if (data && s->decoder.fin)
            spdy_write_data(&out, s->error_stream, true, str_lit(""));
    }
    if (out.len > 0)
        send(s, &out);
    buf_deinit(&out);
}

static void on_tunnel(struct http_exchange *x, struct str bytes)
{
    struct forward_server *s = x->user;
    enum websocket_event event;
    while ((event = websocket_decode(&s->frames, &bytes)) == WEBSOCKET_EVENT_DATA)
        on_spdy(s, s->frames.data);
}

static void tunnel_closed(struct http_exchange *x, int status)
{
    struct forward_server *s = x->user;
    (void)status;
    if (s->tunnel == x)
        s->tunnel = NULL;
}

static void upgrade(struct forward_server *s, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .body = on_tunnel,
                                                        .closed = tunnel_closed };
    struct str key = http_headers_get(&x->headers, "sec-websocket-key");
    const struct http_header headers[] = {
        { str_lit("upgrade"), str_lit("websocket") },
        { str_lit("sec-websocket-accept"), websocket_accept(&x->arena, key) },
        { str_lit("sec-websocket-protocol"), str_lit("SPDY/3.1+portforward.k8s.io") }
    };
    if (s->refusal != 0) {
        x->events = &http_events_none;
        http_reply(x, s->refusal, "application/json", str_lit(ACT_STATUS("Forbidden", "not you")));
        return;
    }
    x->events = &events;
    s->tunnel = x;
    websocket_decoder_deinit(&s->frames);
    websocket_decoder_init(&s->frames, true);
    spdy_decoder_deinit(&s->decoder);
    spdy_decoder_init(&s->decoder);
    spdy_encoder_deinit(&s->encoder);
    spdy_encoder_init(&s->encoder);
    assert_int_equal(http_upgrade(x, headers, 3), 0);
    if (s->port != 0)
        env_timer_start(&s->timer, RETRY_MS);
}

/* ---- the connection ---- */

static void delete_pod(struct forward_server *s)
{
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "{\"type\":\"DELETED\",\"object\":%s}\n", s->pod);
    if (s->watch != NULL)
        http_write(s->watch, buf_str(&b));
    buf_deinit(&b);
}

static void stream_data(void *ctx, struct str bytes)
{
    buf_append_str(&((struct forward_server *)ctx)->back, bytes);
}

static void stream_end(void *ctx, int status)
{
    struct forward_server *s = ctx;
    (void)status;
    delete_pod(s);
    env_stream_close(s->stream);
}

static void stream_closed(void *ctx)
{
    ((struct forward_server *)ctx)->stream = NULL;
}

static void connected(struct env_connect *c, struct env_stream *stream, int status)
{
    static const struct env_stream_events events = { .data = stream_data,
                                                     .end = stream_end,
                                                     .closed = stream_closed };
    struct forward_server *s = container_of(c, struct forward_server, connect);
    if (status != 0) {
        env_timer_start(&s->timer, RETRY_MS);
        return;
    }
    s->stream = stream;
    env_stream_start(stream, &events, s);
    env_stream_write(stream, str_lit("hello"));
    env_stream_shutdown(stream);
}

static void try_connect(struct env_timer *t)
{
    struct forward_server *s = container_of(t, struct forward_server, timer);
    char address[32];
    (void)snprintf(address, sizeof address, "tcp:127.0.0.1:%u", (unsigned)s->port);
    env_connect(s->loop, &s->connect, address, 0, connected);
}

/* ---- requests ---- */

static void watch_closed(struct http_exchange *x, int status)
{
    struct forward_server *s = x->user;
    (void)status;
    if (s->watch == x)
        s->watch = NULL;
}

static void watch(struct forward_server *s, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .closed = watch_closed };
    static const struct http_header headers[] = { { str_lit("content-type"),
                                                    str_lit("application/json") } };
    s->watches++;
    s->watch = x;
    x->events = &events;
    http_respond(x, 200, headers, 1);
    if (s->event != NULL)
        http_write(x, str_from(s->event));
}

static void serve(void *ctx, struct http_exchange *x)
{
    struct forward_server *s = ctx;
    x->user = s;
    if (str_ends(x->path, str_lit("/portforward"))) {
        upgrade(s, x);
    } else if (str_find(x->target, str_lit("watch=true")) >= 0) {
        watch(s, x);
    } else {
        bool api = str_eq_c(x->path, "/api");
        bool apis = str_eq_c(x->path, "/apis");
        bool missing = !api && !apis && s->pod == NULL;
        x->events = &http_events_none;
        http_reply(x, missing ? 404 : 200, "application/json",
                   str_from(api       ? act_world_api
                            : apis    ? act_world_apis
                            : missing ? ACT_STATUS("NotFound", "no pod")
                                      : s->pod));
    }
}

/* ---- its life ---- */

void forward_server_reset(struct forward_server *s)
{
    s->pod = FORWARD_POD("Running");
    s->event = NULL;
    s->refusal = 0;
    s->error = NULL;
    s->port = 0;
    s->watches = 0;
    s->port_header[0] = '\0';
    buf_clear(&s->back);
}

int forward_server_setup(void **state)
{
    struct forward_server *s = mem_alloc(sizeof *s);
    struct http_server_options o = { .address = "tcp:127.0.0.1:0", .handler = serve, .ctx = s };
    s->env = env_uv_new();
    s->loop = env_loop_new(s->env, "server");
    buf_init(&s->back);
    websocket_decoder_init(&s->frames, true);
    spdy_decoder_init(&s->decoder);
    spdy_encoder_init(&s->encoder);
    env_timer_init(s->loop, &s->timer, try_connect);
    forward_server_reset(s);
    assert_int_equal(http_server_open(s->loop, &o, &s->server, NULL), 0);
    (void)snprintf(s->address, sizeof s->address, "tcp:127.0.0.1:%d", http_server_port(s->server));
    env_loop_start(s->loop);
    s->cli.env = s->env;
    s->cli.loop = env_loop_new(s->env, "cli");
    s->cli.ns = str_lit("default");
    arena_init(&s->cli.arena);
    s->cli.servers[s->cli.servers_count++] = str_from(s->address);
    *state = s;
    return 0;
}

static void on_server_closed(void *ctx)
{
    env_loop_stop(((struct forward_server *)ctx)->loop);
}

static void close_server(struct env_msg *m)
{
    struct forward_server *s = container_of(m, struct forward_server, msg);
    env_timer_deinit(&s->timer);
    http_server_close(s->server, 0, on_server_closed, s);
}

int forward_server_teardown(void **state)
{
    struct forward_server *s = *state;
    ask_end(&s->cli);
    env_loop_free(s->cli.loop);
    env_post(s->loop, &s->msg, close_server);
    env_loop_join(s->loop);
    env_loop_free(s->loop);
    websocket_decoder_deinit(&s->frames);
    spdy_decoder_deinit(&s->decoder);
    spdy_encoder_deinit(&s->encoder);
    buf_deinit(&s->back);
    arena_deinit(&s->cli.arena);
    env_uv_free(s->env);
    mem_free(s);
    return 0;
}
