/*
 * Frames of SPDY/3.1. Eight bytes of head, then a payload: a control frame's is gathered whole, a
 * data frame's is given out in slices of the input.
 */
#include "net/spdy.h"

#include "base/assert.h"
#include "base/err.h"

#define CONTROL     0x8000
#define VERSION     3
#define STREAM_MASK 0x7fffffffu
#define LENGTH_MASK 0xffffffu

enum {
    TYPE_SYN_STREAM = 1,
    TYPE_SYN_REPLY = 2,
    TYPE_RST_STREAM = 3,
    TYPE_PING = 6,
    TYPE_GOAWAY = 7,
    TYPE_HEADERS = 8
};

void spdy_decoder_init(struct spdy_decoder *d)
{
    *d = (struct spdy_decoder){ 0 };
    arena_init(&d->arena);
    buf_init(&d->control);
    buf_init(&d->block);
}

void spdy_decoder_deinit(struct spdy_decoder *d)
{
    spdy_zlib_free(d->zlib, true);
    d->zlib = NULL;
    arena_deinit(&d->arena);
    buf_deinit(&d->control);
    buf_deinit(&d->block);
}

static enum spdy_event fail(struct spdy_decoder *d, const char *reason)
{
    d->failed = true;
    d->reason = reason;
    return SPDY_EVENT_ERROR;
}

static bool is_control(const struct spdy_decoder *d)
{
    return (d->head[0] & 0x80) != 0;
}

static unsigned control_type(const struct spdy_decoder *d)
{
    return (unsigned)d->head[2] << 8 | d->head[3];
}

static bool has_headers(unsigned type)
{
    return type == TYPE_SYN_STREAM || type == TYPE_SYN_REPLY || type == TYPE_HEADERS;
}

static bool is_known(unsigned type)
{
    return has_headers(type) || type == TYPE_RST_STREAM || type == TYPE_PING || type == TYPE_GOAWAY;
}

/* The head is complete: false when the frame is refused. */
static bool take_head(struct spdy_decoder *d)
{
    d->left = load_be32(d->head + 4) & LENGTH_MASK;
    d->in_frame = true;
    d->skipping = false;
    d->fin = false;
    if (!is_control(d)) {
        d->stream = load_be32(d->head) & STREAM_MASK;
        return d->stream != 0 || ((void)fail(d, "data on stream 0"), false);
    }
    if ((load_be32(d->head) >> 16) != (CONTROL | VERSION))
        return (void)fail(d, "not version 3"), false;
    d->skipping = !is_known(control_type(d));
    if (!d->skipping && d->left > SPDY_CONTROL_BYTES_MAX)
        return (void)fail(d, "control frame too long"), false;
    buf_clear(&d->control);
    return true;
}

static enum spdy_event headers_event(struct spdy_decoder *d, unsigned type)
{
    struct str payload = buf_str(&d->control);
    size_t fixed = type == TYPE_SYN_STREAM ? 10 : 4;
    arena_reset(&d->arena);
    d->headers = (struct http_headers){ 0 };
    if (payload.len < fixed)
        return fail(d, "control frame too short");
    d->stream = load_be32(payload.data) & STREAM_MASK;
    d->fin = (d->head[4] & SPDY_FLAG_FIN) != 0;
    int rc = spdy_inflate(&d->zlib, str_slice(payload, fixed, payload.len), &d->block);
    if (rc != 0)
        return fail(d, rc == -ERR_LIMIT ? "headers too long" : "headers do not unpack");
    if (spdy_headers_read(&d->arena, buf_str(&d->block), &d->headers) != 0)
        return fail(d, "headers do not parse");
    if (d->stream == 0)
        return fail(d, "a header block for stream 0");
    return type == TYPE_SYN_STREAM  ? SPDY_EVENT_SYN_STREAM
           : type == TYPE_SYN_REPLY ? SPDY_EVENT_SYN_REPLY
                                    : SPDY_EVENT_HEADERS;
}

/* A control frame's payload is complete. */
static enum spdy_event control_event(struct spdy_decoder *d)
{
    unsigned type = control_type(d);
    struct str payload = buf_str(&d->control);
    if (has_headers(type))
        return headers_event(d, type);
    if (payload.len != (type == TYPE_PING ? 4u : 8u))
        return fail(d, "control frame of a wrong length");
    d->stream = load_be32(payload.data) & STREAM_MASK;
    d->value = load_be32(payload.data + payload.len - 4);
    return type == TYPE_PING     ? SPDY_EVENT_PING
           : type == TYPE_GOAWAY ? SPDY_EVENT_GOAWAY
                                 : SPDY_EVENT_RST_STREAM;
}

static void end_frame(struct spdy_decoder *d)
{
    d->in_frame = false;
    d->head_len = 0;
}

static struct str take(struct spdy_decoder *d, struct str *in)
{
    size_t len = in->len < d->left ? in->len : d->left;
    struct str bytes = str_slice(*in, 0, len);
    *in = str_slice(*in, len, in->len);
    d->left -= (uint32_t)len;
    if (d->left == 0)
        end_frame(d);
    return bytes;
}

static enum spdy_event data_event(struct spdy_decoder *d, struct str *in)
{
    if (in->len == 0 && d->left > 0)
        return SPDY_EVENT_MORE;
    d->data = take(d, in);
    d->fin = !d->in_frame && (d->head[4] & SPDY_FLAG_FIN) != 0;
    return SPDY_EVENT_DATA;
}

enum spdy_event spdy_decode(struct spdy_decoder *d, struct str *in)
{
    if (d->failed)
        return SPDY_EVENT_ERROR;
    for (;;) {
        while (!d->in_frame) {
            if (in->len == 0)
                return SPDY_EVENT_MORE;
            d->head[d->head_len++] = (uint8_t)in->data[0];
            *in = str_slice(*in, 1, in->len);
            if (d->head_len == sizeof(d->head) && !take_head(d))
                return SPDY_EVENT_ERROR;
        }
        if (!is_control(d))
            return data_event(d, in);
        struct str bytes = take(d, in);
        if (!d->skipping)
            buf_append_str(&d->control, bytes);
        if (d->in_frame)
            return SPDY_EVENT_MORE;
        if (!d->skipping)
            return control_event(d);
    }
}

/* ---- writing ---- */

void spdy_encoder_init(struct spdy_encoder *e)
{
    e->zlib = NULL;
    buf_init(&e->block);
}

void spdy_encoder_deinit(struct spdy_encoder *e)
{
    spdy_zlib_free(e->zlib, false);
    e->zlib = NULL;
    buf_deinit(&e->block);
}

static void write_control(struct buf *out, unsigned type, bool fin, size_t len)
{
    ASSERT(len <= LENGTH_MASK);
    buf_put_be32(out, (uint32_t)(CONTROL | VERSION) << 16 | type);
    buf_put_be32(out, (fin ? (uint32_t)SPDY_FLAG_FIN << 24 : 0) | (uint32_t)len);
}

/* A frame with headers: the fixed part is the stream and, in SYN_STREAM, six bytes of zeros (no
 * associated stream, no priority, no slot). */
static void write_headers(struct spdy_encoder *e, struct buf *out, unsigned type, uint32_t stream,
                          bool fin, const struct http_header *headers, size_t count)
{
    static const uint8_t zeros[6] = { 0 };
    struct buf packed;
    size_t rest = type == TYPE_SYN_STREAM ? sizeof(zeros) : 0;
    buf_init(&packed);
    buf_clear(&e->block);
    spdy_headers_write(&e->block, headers, count);
    spdy_deflate(&e->zlib, buf_str(&e->block), &packed);
    write_control(out, type, fin, 4 + rest + packed.len);
    buf_put_be32(out, stream);
    buf_append(out, zeros, rest);
    buf_append_str(out, buf_str(&packed));
    buf_deinit(&packed);
}

void spdy_write_syn_stream(struct spdy_encoder *e, struct buf *out, uint32_t stream, bool fin,
                           const struct http_header *headers, size_t count)
{
    write_headers(e, out, TYPE_SYN_STREAM, stream, fin, headers, count);
}

void spdy_write_syn_reply(struct spdy_encoder *e, struct buf *out, uint32_t stream, bool fin,
                          const struct http_header *headers, size_t count)
{
    write_headers(e, out, TYPE_SYN_REPLY, stream, fin, headers, count);
}

void spdy_write_data(struct buf *out, uint32_t stream, bool fin, struct str bytes)
{
    ASSERT(bytes.len <= SPDY_DATA_BYTES_MAX);
    buf_put_be32(out, stream & STREAM_MASK);
    buf_put_be32(out, (fin ? (uint32_t)SPDY_FLAG_FIN << 24 : 0) | (uint32_t)bytes.len);
    buf_append_str(out, bytes);
}

void spdy_write_rst_stream(struct buf *out, uint32_t stream, uint32_t status)
{
    write_control(out, TYPE_RST_STREAM, false, 8);
    buf_put_be32(out, stream);
    buf_put_be32(out, status);
}

void spdy_write_ping(struct buf *out, uint32_t id)
{
    write_control(out, TYPE_PING, false, 4);
    buf_put_be32(out, id);
}

void spdy_write_goaway(struct buf *out, uint32_t last_stream, uint32_t status)
{
    write_control(out, TYPE_GOAWAY, false, 8);
    buf_put_be32(out, last_stream);
    buf_put_be32(out, status);
}

void spdy_write_same(struct buf *out, const struct spdy_decoder *d)
{
    ASSERT(is_control(d) && !d->in_frame);
    buf_append(out, d->head, sizeof(d->head));
    buf_append_str(out, buf_str(&d->control));
}
