/* See the header. */
#include "tests/unit/cli/forward_server.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/list.h"
#include "tests/unit/unit.h"

#define RETRY_MS 20

static struct forward_server *server_of(struct pod_server *base)
{
    return container_of(base, struct forward_server, base);
}

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

/* The pod's last words, and the node's. */
static void end_data(struct forward_server *s, struct buf *out, uint32_t stream, struct str bytes)
{
    spdy_write_data(out, stream, true, bytes);
    if (s->late)
        spdy_write_data(out, stream, false, str_lit("behind the end"));
    spdy_write_data(out, s->error_stream, true, str_lit(""));
}

static void answer(struct forward_server *s, struct buf *out, uint32_t stream)
{
    static const char piece[16384];
    for (size_t left = s->answer_bytes; left > sizeof piece; left -= sizeof piece)
        spdy_write_data(out, stream, false, str_of(piece, sizeof piece));
    end_data(s, out, stream, str_of(piece, (s->answer_bytes - 1) % sizeof piece + 1));
}

static void on_stream(struct forward_server *s, struct buf *out)
{
    uint32_t stream = s->decoder.stream;
    struct str type = http_headers_get(&s->decoder.headers, "streamtype");
    (void)snprintf(s->port_header, sizeof s->port_header, "%.*s",
                   STR_ARG(http_headers_get(&s->decoder.headers, "port")));
    spdy_write_syn_reply(&s->encoder, out, stream, false, NULL, 0);
    if (str_eq_c(type, "error"))
        s->error_stream = stream;
    else if (s->error != NULL)
        spdy_write_data(out, s->error_stream, true, str_from(s->error));
    else if (s->answer_bytes > 0)
        answer(s, out, stream);
}

static void on_spdy(struct forward_server *s, struct str bytes)
{
    enum spdy_event event;
    struct buf out;
    buf_init(&out);
    while ((event = spdy_decode(&s->decoder, &bytes)) != SPDY_EVENT_MORE) {
        assert_int_not_equal(event, SPDY_EVENT_ERROR);
        bool echo = event == SPDY_EVENT_DATA && s->decoder.stream != s->error_stream &&
                    s->answer_bytes == 0 && !s->holds;
        if (event == SPDY_EVENT_SYN_STREAM)
            on_stream(s, &out);
        else if (echo && s->decoder.fin)
            end_data(s, &out, s->decoder.stream, s->decoder.data);
        else if (echo)
            spdy_write_data(&out, s->decoder.stream, false, s->decoder.data);
    }
    if (out.len > 0)
        send(s, &out);
    buf_deinit(&out);
}

static void on_tunnel(struct http_exchange *x, struct str bytes)
{
    struct forward_server *s = server_of(x->user);
    enum websocket_event event;
    while ((event = websocket_decode(&s->base.decoder, &bytes)) == WEBSOCKET_EVENT_DATA)
        on_spdy(s, s->base.decoder.data);
}

static void tunnel_ended(struct http_exchange *x, int status)
{
    (void)status; /* whatever it was, nothing more is to be said */
    http_end(x);
}

static void tunnel_closed(struct http_exchange *x, int status)
{
    struct forward_server *s = server_of(x->user);
    (void)status;
    if (s->tunnel == x)
        s->tunnel = NULL;
    s->tunnels_closed++;
}

static void upgrade(struct forward_server *s, struct http_exchange *x)
{
    if (!pod_server_upgrade(&s->base, x))
        return;
    s->tunnel = x;
    spdy_decoder_deinit(&s->decoder);
    spdy_decoder_init(&s->decoder);
    spdy_encoder_deinit(&s->encoder);
    spdy_encoder_init(&s->encoder);
    if (s->port != 0)
        env_timer_start(&s->timer, RETRY_MS);
}

/* ---- the connection ---- */

static void delete_pod(struct forward_server *s)
{
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "{\"type\":\"DELETED\",\"object\":%s}\n", s->base.pod);
    if (s->watch != NULL)
        http_write(s->watch, buf_str(&b));
    buf_deinit(&b);
}

static void on_delete(struct env_msg *m)
{
    delete_pod(container_of(m, struct forward_server, delete));
}

void forward_server_delete_pod(struct forward_server *s)
{
    env_post(s->base.loop, &s->delete, on_delete);
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
    env_connect(s->base.loop, &s->connect, address, 0, connected);
}

/* ---- requests ---- */

static void watch_closed(struct http_exchange *x, int status)
{
    struct forward_server *s = server_of(x->user);
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

static bool serve(struct pod_server *base, struct http_exchange *x)
{
    struct forward_server *s = server_of(base);
    if (str_ends(x->path, str_lit("/portforward")))
        upgrade(s, x);
    else if (str_find(x->target, str_lit("watch=true")) >= 0)
        watch(s, x);
    else
        return false;
    return true;
}

/* ---- its life ---- */

static void closing(struct pod_server *base)
{
    env_timer_deinit(&server_of(base)->timer);
}

void forward_server_reset(struct forward_server *s)
{
    pod_server_reset(&s->base);
    s->base.pod = FORWARD_POD("Running");
    s->event = NULL;
    s->error = NULL;
    s->port = 0;
    s->answer_bytes = 0;
    s->late = false;
    s->holds = false;
    s->watches = 0;
    s->tunnels_closed = 0;
    s->port_header[0] = '\0';
    buf_clear(&s->back);
}

int forward_server_setup(void **state)
{
    static const struct http_exchange_events events = { .body = on_tunnel,
                                                        .end = tunnel_ended,
                                                        .closed = tunnel_closed };
    struct forward_server *s = mem_alloc(sizeof *s);
    s->base.protocol = "SPDY/3.1+portforward.k8s.io";
    s->base.events = &events;
    s->base.serve = serve;
    s->base.closing = closing;
    buf_init(&s->back);
    spdy_decoder_init(&s->decoder);
    spdy_encoder_init(&s->encoder);
    pod_server_init(&s->base);
    env_timer_init(s->base.loop, &s->timer, try_connect);
    pod_server_open(&s->base);
    forward_server_reset(s);
    *state = s;
    return 0;
}

int forward_server_teardown(void **state)
{
    struct forward_server *s = *state;
    pod_server_close(&s->base);
    spdy_decoder_deinit(&s->decoder);
    spdy_encoder_deinit(&s->encoder);
    buf_deinit(&s->back);
    mem_free(s);
    return 0;
}
