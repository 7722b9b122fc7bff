/*
 * WebSocket (RFC 6455) without I/O: a decoder of frames and a writer, both roles.
 *
 * Payloads are never gathered: a message is given out in pieces of at most
 * WEBSOCKET_PIECE_BYTES, unmasked, as its bytes arrive, so a long message costs no memory. Control
 * frames (at most 125 bytes) are gathered whole. No extensions: a reserved bit is an error.
 */
#ifndef NET_WEBSOCKET_H
#define NET_WEBSOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/http.h"

struct err;

#define WEBSOCKET_CONTROL_BYTES_MAX 125u
#define WEBSOCKET_PIECE_BYTES       (16u << 10)
/* A longer frame ends the connection with WEBSOCKET_TOO_BIG. */
#define WEBSOCKET_FRAME_BYTES_MAX (64u << 20)

enum websocket_op {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10
};

/* Close codes. */
#define WEBSOCKET_NORMAL     1000
#define WEBSOCKET_GOING_AWAY 1001
#define WEBSOCKET_PROTOCOL   1002
#define WEBSOCKET_NO_CODE    1005 /* never sent: the close frame had none */
#define WEBSOCKET_TOO_BIG    1009
#define WEBSOCKET_INTERNAL   1011

enum websocket_event {
    WEBSOCKET_EVENT_MORE,    /* all input was taken */
    WEBSOCKET_EVENT_DATA,    /* d->data: a piece of a message; may be empty */
    WEBSOCKET_EVENT_CONTROL, /* d->op and d->data: a ping, a pong or a close (d->code) */
    WEBSOCKET_EVENT_ERROR    /* d->code is what to close with; nothing more is taken */
};

struct websocket_decoder {
    /* Of the event; data lives until the next call. */
    struct str data;
    enum websocket_op op; /* of a message: TEXT or BINARY */
    bool first;           /* the message begins with this piece */
    bool last;            /* and ends with it */
    uint16_t code;

    /* Its own. */
    bool server; /* frames must be masked; else must not */
    bool failed;
    bool in_payload;
    bool in_message;
    bool begun; /* a piece of the message was given */
    bool fin;
    uint8_t frame_op;
    enum websocket_op message_op;
    uint8_t head[14];
    uint32_t head_len;
    uint64_t left;
    uint8_t mask[4];
    uint32_t mask_at;
    struct buf piece;
};

/* server: the peer is a client. */
void websocket_decoder_init(struct websocket_decoder *d, bool server);
void websocket_decoder_deinit(struct websocket_decoder *d);
/* Takes what it can from the front of *in. */
enum websocket_event websocket_decode(struct websocket_decoder *d, struct str *in);

/* Appends one frame with the payload prefix + payload. mask: four random bytes (a client's), or
 * NULL. */
void websocket_write(struct buf *out, enum websocket_op op, bool fin, struct str prefix,
                     struct str payload, const uint8_t *mask);
/* A server's close frame; reason is cut to what fits. */
void websocket_write_close(struct buf *out, uint16_t code, struct str reason);

/* ---- the handshake ---- */

/* Does the request ask for a WebSocket of version 13 with a proper key? -ERR_INVALID_ARGUMENT with
 * the reason. */
int websocket_check(const struct http_headers *h, struct err *e);
/* A browser sends its user's certificate with a WebSocket of any page, and says of which: false
 * when that is not one of this authority's own, or of the browser's machine (`kubectl proxy`; and
 * Go's clients say http://localhost). Who says nothing is no browser. */
bool websocket_same_origin(const struct http_headers *h, struct str authority);
/* Sec-WebSocket-Accept of a key. */
struct str websocket_accept(struct arena *a, struct str key);

#endif
