/* See the header. */
#include "cli/socket.h"

#include "base/arena.h"
#include "base/env.h"
#include "cli/ask.h"

#define CONNECT_MS 3000
#define KEY_BYTES  16
#define MASK_BYTES 4

/* ---- towards the server ---- */

static void send_frame(struct socket *s, enum websocket_op op, struct str prefix,
                       struct str payload)
{
    uint8_t mask[MASK_BYTES];
    struct buf frame;
    if (!s->open || !http_request_active(&s->request))
        return;
    env_random(s->cli->env, mask, sizeof mask);
    buf_init(&frame);
    websocket_write(&frame, op, true, prefix, payload, mask);
    http_request_write(&s->request, buf_str(&frame));
    buf_deinit(&frame);
}

void socket_write(struct socket *s, struct str prefix, struct str bytes)
{
    send_frame(s, WEBSOCKET_BINARY, prefix, bytes);
}

size_t socket_queued(const struct socket *s)
{
    return http_request_active(&s->request) ? http_request_queued(&s->request) : 0;
}

void socket_pause(struct socket *s, bool paused)
{
    if (!http_request_active(&s->request))
        return;
    if (paused)
        http_request_pause(&s->request);
    else
        http_request_resume(&s->request);
}

/* ---- from the server ---- */

/* The close is answered, and that ends our side. */
static void on_close(struct socket *s, uint16_t code)
{
    s->code = code;
    s->closed = true;
    send_frame(s, WEBSOCKET_CLOSE, str_lit(""), str_lit("\x03\xe8"));
    if (http_request_active(&s->request))
        http_request_end(&s->request);
}

static void on_frames(struct socket *s, struct str bytes)
{
    while (!s->closed) {
        switch (websocket_decode(&s->decoder, &bytes)) {
        case WEBSOCKET_EVENT_DATA:
            s->data(s, s->decoder.data, s->decoder.first);
            break;
        case WEBSOCKET_EVENT_CONTROL:
            if (s->decoder.op == WEBSOCKET_PING)
                send_frame(s, WEBSOCKET_PONG, str_lit(""), s->decoder.data);
            else if (s->decoder.op == WEBSOCKET_CLOSE)
                on_close(s, s->decoder.code);
            break;
        case WEBSOCKET_EVENT_ERROR:
            s->closed = true;
            s->lost = true;
            http_request_cancel(&s->request);
            return;
        case WEBSOCKET_EVENT_MORE:
        default:
            return;
        }
    }
}

static void on_body(struct http_request *r, struct str bytes)
{
    struct socket *s = r->user;
    if (r->upgraded)
        on_frames(s, bytes);
    else
        buf_append_str(&s->refusal, str_slice(bytes, 0, SOCKET_REFUSAL_BYTES_MAX - s->refusal.len));
}

static void on_response(struct http_request *r)
{
    struct socket *s = r->user;
    s->http_status = r->status;
    s->open = r->upgraded;
    if (s->open)
        s->opened(s);
    else
        http_request_end(r);
}

static void on_drained(struct http_request *r)
{
    struct socket *s = r->user;
    if (s->drained != NULL)
        s->drained(s);
}

/* ---- the connection ---- */

static void try_server(struct socket *s);

static void on_client_closed(void *ctx)
{
    struct socket *s = ctx;
    http_request_deinit(&s->request);
    websocket_decoder_deinit(&s->decoder);
    if (s->again && s->turn + 1 < s->cli->servers_count) {
        s->turn++;
        try_server(s);
        return;
    }
    s->done(s, s->status);
}

static void on_done(struct http_request *r, int status)
{
    struct socket *s = r->user;
    s->status = s->closed && !s->lost ? 0 : status;
    /* A command must not run twice: only where nobody has seen the request. */
    s->again = status == -ERR_UNAVAILABLE && r->refused && r->status == 0;
    s->lost = s->lost || (s->open && !s->closed);
    http_client_close(s->client, on_client_closed, s);
}

static void try_server(struct socket *s)
{
    static const struct http_request_events events = {
        .response = on_response, .body = on_body, .drained = on_drained, .done = on_done
    };
    uint8_t key[KEY_BYTES];
    size_t server = ask_server(s->cli, s->turn);
    struct http_client_options options = { .address = s->cli->servers[server].data,
                                           .authority = ask_host(s->cli, server),
                                           .server_name = s->cli->server_name,
                                           .tls = s->cli->tls,
                                           .protocol = HTTP_PROTOCOL_HTTP1,
                                           .connect_timeout_ms = CONNECT_MS };
    env_random(s->cli->env, key, sizeof key);
    const struct http_header headers[] = {
        { str_lit("upgrade"), str_lit("websocket") },
        { str_lit("sec-websocket-version"), str_lit("13") },
        { str_lit("sec-websocket-key"), str_base64(&s->cli->arena, str_of(key, sizeof key)) },
        { str_lit("sec-websocket-protocol"), str_from(s->protocol) }
    };
    websocket_decoder_init(&s->decoder, /* server */ false);
    s->request = (struct http_request){ .method = "GET",
                                        .target = str_from(s->target),
                                        .headers = headers,
                                        .header_count = sizeof headers / sizeof headers[0],
                                        .streaming = true,
                                        .events = &events,
                                        .user = s };
    s->client = http_client_new(s->loop, &options);
    http_client_send(s->client, &s->request);
}

void socket_open(struct socket *s)
{
    buf_init(&s->refusal);
    try_server(s);
}

void socket_cancel(struct socket *s)
{
    if (http_request_active(&s->request))
        http_request_cancel(&s->request);
}

void socket_deinit(struct socket *s)
{
    buf_deinit(&s->refusal);
}
