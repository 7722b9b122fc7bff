/*
 * Asked → 101 → messages → a close frame from either side, after which nothing is written. When the
 * client is gone its exchange says so to the operation, which then writes no more.
 */
#include "controlplane/apiserver/socket.h"

#include "controlplane/apiserver/request.h"
#include "net/websocket.h"

/* What a socket keeps between its messages: one long event is not held as long as a watch lives. */
#define FRAME_KEPT_BYTES (16u << 10)

struct socket {
    struct request *request;
    struct str protocol; /* empty: none is named in the answer */
    enum socket_content content;
    bool base64;
    bool ended;
    struct websocket_decoder in;
    struct buf frame; /* what is being written at the moment */
};

static const char protocol_base64[] = "base64.binary.k8s.io";
static const char protocol_binary[] = "binary.k8s.io";

static int forbid(struct request *r, struct str message)
{
    (void)status_bad_request(&r->status, message);
    r->status.code = 403;
    r->status.reason = str_lit("Forbidden");
    return -ERR_FORBIDDEN;
}

/* The first of those the client names that we speak: of a watch, the first. */
static int pick_protocol(struct socket *s)
{
    struct request *r = s->request;
    struct str offered = http_headers_get(&r->x->headers, "sec-websocket-protocol");
    struct str rest = offered;
    struct str name;
    while (rest.len > 0 && str_split(&rest, ',', &name)) {
        name = str_trim(name);
        s->base64 = s->content == SOCKET_LOG && str_eq_c(name, protocol_base64);
        if (s->content != SOCKET_LOG || s->base64 || str_eq_c(name, protocol_binary)) {
            s->protocol = name;
            return 0;
        }
    }
    if (offered.len == 0) {
        return 0;
    }
    return forbid(r,
                  str_printf(&r->arena,
                             "requested protocol(s) are not supported: [%.*s]; supports [ %s %s]",
                             STR_ARG(offered), protocol_binary, protocol_base64));
}

int socket_check_origin(struct request *r)
{
    return websocket_same_origin(&r->x->headers, r->x->authority)
               ? 0
               : forbid(r, str_lit("the Origin of a WebSocket must be this server's own"));
}

int socket_new(struct request *r, enum socket_content content, struct socket **out)
{
    const struct http_headers *h = &r->x->headers;
    struct err e;
    *out = NULL;
    if (r->x->version != 11 || !http_headers_has_token(h, "connection", "upgrade") ||
        !http_headers_has_token(h, "upgrade", "websocket")) {
        return 0;
    }
    if (r->x->has_body) {
        return status_bad_request(&r->status, str_lit("an upgrade has no body"));
    }
    if (websocket_check(h, &e) != 0) {
        return status_bad_request(&r->status, str_copy(&r->arena, str_from(e.msg)));
    }
    int rc = socket_check_origin(r);
    if (rc != 0) {
        return rc;
    }
    struct socket *s = arena_new(&r->arena, struct socket);
    s->request = r;
    s->content = content;
    websocket_decoder_init(&s->in, true);
    buf_init(&s->frame);
    *out = s;
    return pick_protocol(s);
}

static void send_frame(struct socket *s)
{
    http_write(s->request->x, buf_str(&s->frame));
    if (s->frame.capacity > FRAME_KEPT_BYTES) {
        buf_deinit(&s->frame);
        buf_init(&s->frame);
    }
    buf_clear(&s->frame);
}

int socket_open(struct socket *s)
{
    struct request *r = s->request;
    struct http_headers h = { 0 };
    struct str key = http_headers_get(&r->x->headers, "sec-websocket-key");
    http_headers_add(&r->arena, &h, str_lit("upgrade"), str_lit("websocket"));
    http_headers_add(&r->arena, &h, str_lit("sec-websocket-accept"),
                     websocket_accept(&r->arena, key));
    if (s->protocol.len > 0) {
        http_headers_add(&r->arena, &h, str_lit("sec-websocket-protocol"), s->protocol);
    }
    int rc = request_upgrade(r, h.items, h.count);
    if (rc == 0 && s->content == SOCKET_LOG) {
        socket_write(s, str_lit(""));
    }
    return rc;
}

void socket_write(struct socket *s, struct str bytes)
{
    bool text = s->base64 || s->content == SOCKET_TEXT_EVENTS;
    struct arena a;
    if (s->ended || s->request->x == NULL) {
        return;
    }
    arena_init(&a);
    websocket_write(&s->frame, text ? WEBSOCKET_TEXT : WEBSOCKET_BINARY, true, str_lit(""),
                    s->base64 ? str_base64(&a, bytes) : bytes, NULL);
    arena_deinit(&a);
    send_frame(s);
}

void socket_end(struct socket *s, uint16_t code)
{
    if (s->ended || s->request->x == NULL) {
        return;
    }
    s->ended = true;
    websocket_write_close(&s->frame, code, str_lit(""));
    send_frame(s);
    http_end(s->request->x);
}

/* A client that takes no answers gets none: of pings only the latest need one (RFC 6455 5.5.3). */
static void answer_ping(struct socket *s)
{
    if (http_queued(s->request->x) <= HTTP_QUEUE_HIGH_BYTES) {
        websocket_write(&s->frame, WEBSOCKET_PONG, true, s->in.data, str_lit(""), NULL);
        send_frame(s);
    }
}

bool socket_received(struct socket *s, struct str bytes)
{
    struct websocket_decoder *d = &s->in;
    enum websocket_event event;
    while (!s->ended && (event = websocket_decode(d, &bytes)) != WEBSOCKET_EVENT_MORE) {
        if (event == WEBSOCKET_EVENT_ERROR) {
            socket_end(s, d->code);
        } else if (event == WEBSOCKET_EVENT_CONTROL && d->op == WEBSOCKET_CLOSE) {
            socket_end(s, WEBSOCKET_NORMAL);
        } else if (event == WEBSOCKET_EVENT_CONTROL && d->op == WEBSOCKET_PING) {
            answer_ping(s);
        }
    }
    return !s->ended;
}

void socket_release(struct socket *s)
{
    if (s != NULL) {
        websocket_decoder_deinit(&s->in);
        buf_deinit(&s->frame);
    }
}
