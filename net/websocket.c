/*
 * The decoder: a frame's head is gathered byte by byte (2 to 14 bytes), then its payload is given
 * out in pieces. Control frames may stand between the frames of a message; their payload is
 * gathered before it is given.
 */
#include "net/websocket.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"

#define FIN      0x80
#define RESERVED 0x70
#define MASKED   0x80

/* RFC 6455 section 1.3. */
static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

void websocket_decoder_init(struct websocket_decoder *d, bool server)
{
    *d = (struct websocket_decoder){ .server = server };
    buf_init(&d->piece);
}

void websocket_decoder_deinit(struct websocket_decoder *d)
{
    buf_deinit(&d->piece);
}

static enum websocket_event fail(struct websocket_decoder *d, uint16_t code)
{
    d->failed = true;
    d->code = code;
    return WEBSOCKET_EVENT_ERROR;
}

static bool is_control(uint8_t op)
{
    return (op & 8) != 0;
}

/* How long the head is, as far as its first two bytes tell. */
static uint32_t head_wanted(const struct websocket_decoder *d)
{
    if (d->head_len < 2)
        return 2;
    uint32_t len = d->head[1] & 0x7f;
    uint32_t wide = len == 126 ? 2 : len == 127 ? 8 : 0;
    return 2 + wide + ((d->head[1] & MASKED) != 0 ? 4 : 0);
}

static uint64_t head_length(const struct websocket_decoder *d)
{
    uint64_t len = d->head[1] & 0x7f;
    if (len == 126)
        return (uint64_t)d->head[2] << 8 | d->head[3];
    return len == 127 ? load_be64(d->head + 2) : len;
}

/* The head is complete: 0, or the close code. */
static uint16_t take_head(struct websocket_decoder *d)
{
    bool masked = (d->head[1] & MASKED) != 0;
    uint64_t len = head_length(d);
    bool padded = ((d->head[1] & 0x7f) == 126 && len < 126) ||
                  ((d->head[1] & 0x7f) == 127 && len <= UINT16_MAX);
    d->frame_op = d->head[0] & 0x0f;
    d->fin = (d->head[0] & FIN) != 0;
    if ((d->head[0] & RESERVED) != 0 || masked != d->server || padded)
        return WEBSOCKET_PROTOCOL;
    if (is_control(d->frame_op)) {
        if (d->frame_op > WEBSOCKET_PONG || !d->fin || len > WEBSOCKET_CONTROL_BYTES_MAX)
            return WEBSOCKET_PROTOCOL;
    } else {
        if (d->frame_op > WEBSOCKET_BINARY ||
            d->in_message != (d->frame_op == WEBSOCKET_CONTINUATION))
            return WEBSOCKET_PROTOCOL;
        if (len > WEBSOCKET_FRAME_BYTES_MAX)
            return WEBSOCKET_TOO_BIG;
        if (!d->in_message) {
            d->message_op = (enum websocket_op)d->frame_op;
            d->in_message = true;
            d->begun = false;
        }
    }
    if (masked)
        memcpy(d->mask, d->head + d->head_len - 4, 4);
    d->mask_at = 0;
    d->left = len;
    d->in_payload = true;
    buf_clear(&d->piece);
    return 0;
}

static void unmask(struct websocket_decoder *d, struct str bytes)
{
    size_t at = d->piece.len;
    buf_append_str(&d->piece, bytes);
    if (!d->server)
        return;
    for (; at < d->piece.len; at++)
        d->piece.data[at] ^= d->mask[d->mask_at++ & 3];
}

static enum websocket_event control_frame(struct websocket_decoder *d)
{
    d->in_payload = false;
    d->head_len = 0;
    d->op = (enum websocket_op)d->frame_op;
    d->data = buf_str(&d->piece);
    if (d->op != WEBSOCKET_CLOSE)
        return WEBSOCKET_EVENT_CONTROL;
    d->code = WEBSOCKET_NO_CODE;
    if (d->data.len == 1)
        return fail(d, WEBSOCKET_PROTOCOL);
    if (d->data.len >= 2) {
        d->code = (uint16_t)(d->piece.data[0] << 8 | d->piece.data[1]);
        d->data = str_slice(d->data, 2, d->data.len);
    }
    return WEBSOCKET_EVENT_CONTROL;
}

static enum websocket_event data_piece(struct websocket_decoder *d)
{
    bool frame_over = d->left == 0;
    d->op = d->message_op;
    d->data = buf_str(&d->piece);
    d->first = !d->begun;
    d->last = frame_over && d->fin;
    d->begun = true;
    if (frame_over) {
        d->in_payload = false;
        d->head_len = 0;
        d->in_message = !d->fin;
    }
    return WEBSOCKET_EVENT_DATA;
}

static enum websocket_event take_payload(struct websocket_decoder *d, struct str *in)
{
    bool control = is_control(d->frame_op);
    if (!control)
        buf_clear(&d->piece);
    size_t take = in->len < d->left ? in->len : (size_t)d->left;
    take = take < WEBSOCKET_PIECE_BYTES ? take : WEBSOCKET_PIECE_BYTES;
    unmask(d, str_slice(*in, 0, take));
    *in = str_slice(*in, take, in->len);
    d->left -= take;
    if (control)
        return d->left == 0 ? control_frame(d) : WEBSOCKET_EVENT_MORE;
    return take > 0 || d->left == 0 ? data_piece(d) : WEBSOCKET_EVENT_MORE;
}

enum websocket_event websocket_decode(struct websocket_decoder *d, struct str *in)
{
    if (d->failed)
        return WEBSOCKET_EVENT_ERROR;
    while (!d->in_payload) {
        if (in->len == 0)
            return WEBSOCKET_EVENT_MORE;
        d->head[d->head_len++] = (uint8_t)in->data[0];
        *in = str_slice(*in, 1, in->len);
        if (d->head_len < 2 || d->head_len < head_wanted(d))
            continue;
        uint16_t code = take_head(d);
        if (code != 0)
            return fail(d, code);
    }
    return take_payload(d, in);
}

/* ---- writing ---- */

void websocket_write(struct buf *out, enum websocket_op op, bool fin, struct str prefix,
                     struct str payload, const uint8_t *mask)
{
    size_t len = prefix.len + payload.len;
    uint8_t masked = mask != NULL ? MASKED : 0;
    ASSERT(len <= WEBSOCKET_FRAME_BYTES_MAX);
    buf_append_byte(out, (uint8_t)((fin ? FIN : 0) | (unsigned)op));
    if (len < 126) {
        buf_append_byte(out, (uint8_t)(masked | len));
    } else if (len <= UINT16_MAX) {
        buf_append_byte(out, masked | 126);
        buf_append_byte(out, (uint8_t)(len >> 8));
        buf_append_byte(out, (uint8_t)len);
    } else {
        buf_append_byte(out, masked | 127);
        buf_put_be64(out, len);
    }
    if (mask != NULL)
        buf_append(out, mask, 4);
    size_t at = out->len;
    buf_append_str(out, prefix);
    buf_append_str(out, payload);
    for (size_t i = 0; mask != NULL && i < len; i++)
        out->data[at + i] ^= mask[i & 3];
}

void websocket_write_close(struct buf *out, uint16_t code, struct str reason)
{
    const uint8_t bytes[2] = { (uint8_t)(code >> 8), (uint8_t)code };
    websocket_write(out, WEBSOCKET_CLOSE, true, str_of(bytes, 2),
                    str_slice(reason, 0, WEBSOCKET_CONTROL_BYTES_MAX - 2), NULL);
}

/* ---- the handshake ---- */

int websocket_check(const struct http_headers *h, struct err *e)
{
    struct arena a;
    struct str key = { 0 };
    if (!http_headers_has_token(h, "connection", "upgrade") ||
        !http_headers_has_token(h, "upgrade", "websocket"))
        return err_set(e, ERR_INVALID_ARGUMENT, "not a websocket upgrade");
    if (!str_eq_c(http_headers_get(h, "sec-websocket-version"), "13"))
        return err_set(e, ERR_INVALID_ARGUMENT, "Sec-WebSocket-Version must be 13");
    arena_init(&a);
    int rc = str_base64_decode(&a, http_headers_get(h, "sec-websocket-key"), &key);
    size_t len = key.len;
    arena_deinit(&a);
    if (rc != 0 || len != 16)
        return err_set(e, ERR_INVALID_ARGUMENT, "Sec-WebSocket-Key must be 16 bytes in base64");
    return 0;
}

/* Of this very machine, with or without a port. */
static bool is_local(struct str authority)
{
    static const char *const hosts[] = { "localhost", "127.0.0.1", "[::1]" };
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct str host = str_from(hosts[i]);
        if (str_starts(authority, host) &&
            (authority.len == host.len || authority.data[host.len] == ':'))
            return true;
    }
    return false;
}

/* "https://host:port"; "null" is a page that is nobody's. Both leave a scheme's own port out. */
bool websocket_same_origin(const struct http_headers *h, struct str authority)
{
    size_t count = 0;
    bool same = true;
    for (size_t i = 0; i < h->count; i++) {
        if (!str_eq_c(h->items[i].name, "origin"))
            continue;
        struct str origin = h->items[i].value;
        ptrdiff_t at = str_find(origin, str_lit("://"));
        count++;
        struct str from = str_slice(origin, at > 0 ? (size_t)at + 3 : 0, origin.len);
        same = same && at > 0 && (str_eq_nocase(from, authority) || is_local(from));
    }
    return count == 0 || (count == 1 && same);
}

struct str websocket_accept(struct arena *a, struct str key)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct str text = str_printf(a, "%.*s%s", STR_ARG(key), guid);
    int ok = EVP_Digest(text.data, text.len, digest, &len, EVP_sha1(), NULL);
    ASSERT(ok == 1);
    return str_base64(a, str_of(digest, len));
}
