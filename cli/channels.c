/* See the header. */
#include "cli/channels.h"

#include "base/arena.h"
#include "base/env.h"
#include "cli/ask.h"

#define CONNECT_MS  3000
#define PROTOCOL    "v5.channel.k8s.io"
#define KEY_BYTES   16
#define MASK_BYTES  4
#define NOTHING_YET (-1)

/* ---- towards the server ---- */

static void send_frame(struct channels *c, enum websocket_op op, struct str prefix,
                       struct str payload)
{
    uint8_t mask[MASK_BYTES];
    struct buf frame;
    if (!c->open || !http_request_active(&c->request))
        return;
    env_random(c->cli->env, mask, sizeof mask);
    buf_init(&frame);
    websocket_write(&frame, op, true, prefix, payload, mask);
    http_request_write(&c->request, buf_str(&frame));
    buf_deinit(&frame);
}

void channels_write(struct channels *c, enum channel channel, struct str bytes)
{
    uint8_t number = (uint8_t)channel;
    send_frame(c, WEBSOCKET_BINARY, str_of(&number, 1), bytes);
}

void channels_end(struct channels *c, enum channel channel)
{
    uint8_t number = (uint8_t)channel;
    channels_write(c, CHANNEL_CLOSE, str_of(&number, 1));
}

size_t channels_queued(const struct channels *c)
{
    return http_request_active(&c->request) ? http_request_queued(&c->request) : 0;
}

/* ---- from the server ---- */

static void keep_text(struct channels *c, struct str bytes)
{
    size_t room = CHANNELS_STATUS_BYTES_MAX - c->text.len;
    buf_append_str(&c->text, str_slice(bytes, 0, room));
}

static void on_message(struct channels *c)
{
    struct str bytes = c->decoder.data;
    if (c->decoder.first)
        c->channel = NOTHING_YET;
    if (c->channel == NOTHING_YET && bytes.len > 0) {
        c->channel = (uint8_t)bytes.data[0];
        bytes = str_slice(bytes, 1, bytes.len);
    }
    if (c->channel == CHANNEL_STATUS)
        keep_text(c, bytes);
    else if (bytes.len > 0 && (c->channel == CHANNEL_STDOUT || c->channel == CHANNEL_STDERR))
        c->data(c, (enum channel)c->channel, bytes);
}

/* The close is answered, and that ends our side. */
static void on_close(struct channels *c, uint16_t code)
{
    c->code = code;
    c->closed = true;
    send_frame(c, WEBSOCKET_CLOSE, str_lit(""), str_lit("\x03\xe8"));
    if (http_request_active(&c->request))
        http_request_end(&c->request);
}

static void on_frames(struct channels *c, struct str bytes)
{
    while (!c->closed) {
        switch (websocket_decode(&c->decoder, &bytes)) {
        case WEBSOCKET_EVENT_DATA:
            on_message(c);
            break;
        case WEBSOCKET_EVENT_CONTROL:
            if (c->decoder.op == WEBSOCKET_PING)
                send_frame(c, WEBSOCKET_PONG, str_lit(""), c->decoder.data);
            else if (c->decoder.op == WEBSOCKET_CLOSE)
                on_close(c, c->decoder.code);
            break;
        case WEBSOCKET_EVENT_ERROR:
            c->closed = true;
            c->lost = true;
            http_request_cancel(&c->request);
            return;
        case WEBSOCKET_EVENT_MORE:
        default:
            return;
        }
    }
}

static void on_body(struct http_request *r, struct str bytes)
{
    struct channels *c = r->user;
    if (r->upgraded)
        on_frames(c, bytes);
    else
        keep_text(c, bytes);
}

static void on_response(struct http_request *r)
{
    struct channels *c = r->user;
    c->http_status = r->status;
    c->open = r->upgraded;
    if (c->open)
        c->opened(c);
    else
        http_request_end(r);
}

static void on_drained(struct http_request *r)
{
    struct channels *c = r->user;
    if (c->drained != NULL)
        c->drained(c);
}

/* ---- the connection ---- */

static void try_server(struct channels *c);

static void on_client_closed(void *ctx)
{
    struct channels *c = ctx;
    http_request_deinit(&c->request);
    websocket_decoder_deinit(&c->decoder);
    if (c->status == -ERR_UNAVAILABLE && c->http_status == 0 &&
        c->server + 1 < c->cli->servers_count) {
        c->server++;
        try_server(c);
        return;
    }
    c->done(c, c->status);
}

static void on_done(struct http_request *r, int status)
{
    struct channels *c = r->user;
    c->status = c->closed && !c->lost ? 0 : status;
    c->lost = c->lost || (c->open && !c->closed);
    http_client_close(c->client, on_client_closed, c);
}

static void try_server(struct channels *c)
{
    static const struct http_request_events events = {
        .response = on_response, .body = on_body, .drained = on_drained, .done = on_done
    };
    uint8_t key[KEY_BYTES];
    struct http_client_options options = { .address = c->cli->servers[c->server].data,
                                           .authority = ask_host(c->cli, c->server),
                                           .server_name = c->cli->server_name,
                                           .tls = c->cli->tls,
                                           .protocol = HTTP_PROTOCOL_HTTP1,
                                           .connect_timeout_ms = CONNECT_MS };
    env_random(c->cli->env, key, sizeof key);
    const struct http_header headers[] = {
        { str_lit("upgrade"), str_lit("websocket") },
        { str_lit("sec-websocket-version"), str_lit("13") },
        { str_lit("sec-websocket-key"), str_base64(&c->cli->arena, str_of(key, sizeof key)) },
        { str_lit("sec-websocket-protocol"), str_lit(PROTOCOL) }
    };
    websocket_decoder_init(&c->decoder, /* server */ false);
    c->channel = NOTHING_YET;
    c->request = (struct http_request){ .method = "GET",
                                        .target = str_from(c->target),
                                        .headers = headers,
                                        .header_count = sizeof headers / sizeof headers[0],
                                        .streaming = true,
                                        .events = &events,
                                        .user = c };
    c->client = http_client_new(c->loop, &options);
    http_client_send(c->client, &c->request);
}

void channels_open(struct channels *c)
{
    buf_init(&c->text);
    try_server(c);
}

void channels_cancel(struct channels *c)
{
    if (http_request_active(&c->request))
        http_request_cancel(&c->request);
}

void channels_deinit(struct channels *c)
{
    buf_deinit(&c->text);
}
