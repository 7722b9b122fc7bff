/*
 * SPDY as it is, and SPDY within binary messages of a WebSocket, whose boundaries mean nothing.
 *
 * What a client sends is passed on unchanged, and so is what comes back of port-forward. Of exec
 * and attach the agent's frames are passed on one by one, data in pieces as they come (frames that
 * mean nothing to such streams are left out). A client takes a stream that ends without a Status
 * for a command that succeeded, so when the agent goes away before one was sent, or in the middle
 * of a frame, or sends what is no frame, there is a place to write it.
 */
#include "controlplane/apiserver/connect.h"
#include "net/spdy.h"
#include "net/splice.h"

struct raw {
    struct spdy_decoder client;
    struct spdy_decoder agent;
    uint32_t error_stream; /* 0: not opened yet */
    bool said;             /* something was sent on it */
    bool lost;             /* the client's frames can no longer be told apart; the agent refuses */
};

/* The stream that the client opened for errors. */
static void follow_client(struct raw *w, struct str bytes)
{
    enum spdy_event event;
    while (!w->lost && (event = spdy_decode(&w->client, &bytes)) != SPDY_EVENT_MORE) {
        w->lost = event == SPDY_EVENT_ERROR;
        if (event == SPDY_EVENT_SYN_STREAM &&
            str_eq_c(http_headers_get(&w->client.headers, "streamtype"), "error")) {
            w->error_stream = w->client.stream;
        }
    }
}

/* Whole frames into c->frame; false when the agent sent what is none. */
static bool take_frames(struct connect *c, struct str bytes)
{
    struct raw *w = c->raw;
    const struct spdy_decoder *d = &w->agent;
    enum spdy_event event;
    while ((event = spdy_decode(&w->agent, &bytes)) != SPDY_EVENT_MORE) {
        if (event == SPDY_EVENT_ERROR) {
            return false;
        }
        if (event != SPDY_EVENT_DATA) {
            spdy_write_same(&c->frame, d);
            continue;
        }
        w->said = w->said || d->stream == w->error_stream;
        spdy_write_data(&c->frame, d->stream, d->fin, d->data);
    }
    return true;
}

static void spdy_from_client(struct connect *c, struct str bytes)
{
    if (c->raw != NULL) {
        follow_client(c->raw, bytes);
    }
    if (http_request_active(&c->out)) {
        splice_to_request(c->request->x, &c->out, bytes);
    }
}

/* Before version 4 an error was its text. */
static struct str last_words(struct connect *c)
{
    struct str version = http_headers_get(&c->out.response_headers, "x-stream-protocol-version");
    return str_eq_c(version, "v4.channel.k8s.io") || str_eq_c(version, "v5.channel.k8s.io")
               ? connect_broken(c)
               : str_lit("the node's agent or its container runtime closed the stream");
}

static void spdy_agent_ended(struct connect *c, int status)
{
    const struct raw *w = c->raw;
    if (w != NULL && w->error_stream != 0 && !w->said) {
        spdy_write_data(&c->frame, w->error_stream, true, last_words(c));
        connect_to_client(c);
    } else if (status != 0) {
        c->finished = true;
        http_reset(c->request->x, status); /* so that the end does not look like one in order */
    }
}

static void spdy_from_agent(struct connect *c, struct str bytes)
{
    if (c->raw == NULL) {
        if (c->request->x != NULL) {
            splice_to_exchange(c->request->x, &c->out, bytes);
        }
        return;
    }
    bool good = take_frames(c, bytes);
    connect_to_client(c);
    if (!good && c->request->x != NULL) {
        spdy_agent_ended(c, -ERR_PROTOCOL);
        connect_finish(c);
    }
}

void connect_raw_prepare(struct connect *c)
{
    if (c->kind != CONNECT_FORWARD) {
        c->raw = arena_new(&c->request->arena, struct raw);
        spdy_decoder_init(&c->raw->client);
        spdy_decoder_init(&c->raw->agent);
    }
}

void connect_raw_release(struct connect *c)
{
    if (c->raw != NULL) {
        spdy_decoder_deinit(&c->raw->client);
        spdy_decoder_deinit(&c->raw->agent);
    }
}

const struct connect_protocol connect_spdy = {
    .from_client = spdy_from_client,
    .from_agent = spdy_from_agent,
    .agent_ended = spdy_agent_ended,
};

static void tunnel_message(struct connect *c)
{
    spdy_from_client(c, c->websocket.data);
}

static void tunnel_from_client(struct connect *c, struct str bytes)
{
    connect_websocket(c, bytes, tunnel_message);
}

static void tunnel_from_agent(struct connect *c, struct str bytes)
{
    websocket_write(&c->frame, WEBSOCKET_BINARY, true, str_lit(""), bytes, NULL);
    connect_to_client(c);
}

static void tunnel_agent_ended(struct connect *c, int status)
{
    if (status == 0) {
        connect_close(c, WEBSOCKET_NORMAL, "");
    } else {
        connect_close(c, WEBSOCKET_INTERNAL, "the node's agent went away");
    }
}

const struct connect_protocol connect_tunnel = {
    .name = "SPDY/3.1+portforward.k8s.io",
    .forward = true,
    .from_client = tunnel_from_client,
    .from_agent = tunnel_from_agent,
    .agent_ended = tunnel_agent_ended,
};
