/* See the header. */
#include "cli/tunnel.h"

#include <stdio.h>

#include "base/assert.h"

/* The streams' numbers: a client's are odd. */
#define ERROR_STREAM 1u
#define DATA_STREAM  3u

static struct tunnel *tunnel_of(struct socket *s)
{
    return container_of(s, struct tunnel, socket);
}

/* ---- towards the pod ---- */

static void send(struct tunnel *t, struct buf *b)
{
    socket_write(&t->socket, str_lit(""), buf_str(b));
    buf_deinit(b);
}

static void open_stream(struct tunnel *t, struct buf *b, uint32_t stream, const char *type)
{
    char port[8];
    (void)snprintf(port, sizeof port, "%u", (unsigned)t->port);
    const struct http_header headers[] = { { str_lit("streamtype"), str_from(type) },
                                           { str_lit("port"), str_from(port) },
                                           { str_lit("requestid"), str_lit("0") } };
    spdy_write_syn_stream(&t->encoder, b, stream, /* fin */ false, headers, 3);
}

/* The streams, once there is a port and a connection. We say nothing on the one for errors. */
static void send_streams(struct tunnel *t)
{
    struct buf b;
    if (!t->open || t->port == 0 || t->sent)
        return;
    t->sent = true;
    buf_init(&b);
    open_stream(t, &b, ERROR_STREAM, "error");
    spdy_write_data(&b, ERROR_STREAM, /* fin */ true, str_lit(""));
    open_stream(t, &b, DATA_STREAM, "data");
    send(t, &b);
}

void tunnel_start(struct tunnel *t, uint16_t port)
{
    ASSERT(t->port == 0);
    t->port = port;
    send_streams(t);
}

void tunnel_write(struct tunnel *t, struct str bytes)
{
    struct buf b;
    buf_init(&b);
    spdy_write_data(&b, DATA_STREAM, /* fin */ false, bytes);
    send(t, &b);
}

void tunnel_end(struct tunnel *t)
{
    struct buf b;
    if (t->shut)
        return;
    t->shut = true;
    buf_init(&b);
    spdy_write_data(&b, DATA_STREAM, /* fin */ true, str_lit(""));
    send(t, &b);
}

size_t tunnel_queued(const struct tunnel *t)
{
    return socket_queued(&t->socket);
}

/* ---- from the pod ---- */

static void end_data(struct tunnel *t)
{
    if (t->ended)
        return;
    t->ended = true;
    t->end(t);
}

static void on_frame(struct tunnel *t, enum spdy_event event)
{
    const struct spdy_decoder *d = &t->decoder;
    struct buf b;
    buf_init(&b);
    if (event == SPDY_EVENT_PING && (d->value & 1) == 0) { /* ours are odd, and never sent */
        spdy_write_ping(&b, d->value);
        send(t, &b);
        return;
    }
    bool data = event == SPDY_EVENT_DATA;
    bool fin = d->fin && (data || event == SPDY_EVENT_SYN_REPLY || event == SPDY_EVENT_HEADERS);
    bool over = fin || event == SPDY_EVENT_RST_STREAM;
    if (data && d->stream == ERROR_STREAM)
        buf_append_str(&t->error, str_slice(d->data, 0, TUNNEL_ERROR_BYTES_MAX - t->error.len));
    else if (data && d->stream == DATA_STREAM && d->data.len > 0 && !t->ended)
        t->data(t, d->data);
    if (over && d->stream == DATA_STREAM)
        end_data(t);
    else if (over && d->stream == ERROR_STREAM)
        t->over = true;
}

static void on_data(struct socket *s, struct str bytes, bool first)
{
    struct tunnel *t = tunnel_of(s);
    enum spdy_event event;
    (void)first; /* messages' bounds mean nothing here */
    while ((event = spdy_decode(&t->decoder, &bytes)) != SPDY_EVENT_MORE) {
        if (event == SPDY_EVENT_ERROR) {
            tunnel_cancel(t);
            return;
        }
        on_frame(t, event);
    }
    /* With nothing more to come, or something wrong, there is nothing to stay for. */
    if (t->over && (t->ended || t->error.len > 0))
        tunnel_cancel(t);
}

/* ---- the connection ---- */

static void on_opened(struct socket *s)
{
    struct tunnel *t = tunnel_of(s);
    t->open = true;
    t->opened(t);
    send_streams(t);
}

static void on_drained(struct socket *s)
{
    struct tunnel *t = tunnel_of(s);
    t->drained(t);
}

static void on_done(struct socket *s, int status)
{
    struct tunnel *t = tunnel_of(s);
    (void)status; /* the socket keeps it */
    t->done(t);
}

void tunnel_open(struct tunnel *t)
{
    buf_init(&t->error);
    spdy_encoder_init(&t->encoder);
    spdy_decoder_init(&t->decoder);
    t->socket = (struct socket){ .cli = t->cli,
                                 .loop = t->loop,
                                 .target = t->target,
                                 .protocol = "SPDY/3.1+portforward.k8s.io",
                                 .opened = on_opened,
                                 .data = on_data,
                                 .drained = on_drained,
                                 .done = on_done };
    socket_open(&t->socket);
}

void tunnel_pause(struct tunnel *t, bool paused)
{
    socket_pause(&t->socket, paused);
}

void tunnel_cancel(struct tunnel *t)
{
    socket_cancel(&t->socket);
}

void tunnel_deinit(struct tunnel *t)
{
    socket_deinit(&t->socket);
    spdy_encoder_deinit(&t->encoder);
    spdy_decoder_deinit(&t->decoder);
    buf_deinit(&t->error);
}
