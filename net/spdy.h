/*
 * SPDY/3.1 framing without I/O, as far as Kubernetes' streams use it: SYN_STREAM, SYN_REPLY,
 * HEADERS, RST_STREAM, PING, GOAWAY and data; SETTINGS, WINDOW_UPDATE and unknown control frames
 * are skipped. There is no flow control of its own: neither do its peers have one.
 *
 * Header blocks are one zlib stream per direction, primed with SPDY/3's dictionary, so every header
 * block of a connection must pass through the same decoder (or encoder), in order.
 */
#ifndef NET_SPDY_H
#define NET_SPDY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/http.h"

/* Of a control frame as received; a longer one is an error. */
#define SPDY_CONTROL_BYTES_MAX (64u << 10)
/* Of a header block unpacked: what a small frame may swell to. */
#define SPDY_HEADER_BYTES_MAX (64u << 10)
#define SPDY_HEADER_COUNT_MAX 128u
/* Of one data frame that we write. */
#define SPDY_DATA_BYTES_MAX ((1u << 24) - 1)

#define SPDY_FLAG_FIN       1
/* RST_STREAM codes. */
#define SPDY_CANCEL 5

enum spdy_event {
    SPDY_EVENT_MORE, /* all input was taken */
    SPDY_EVENT_SYN_STREAM,
    SPDY_EVENT_SYN_REPLY,
    SPDY_EVENT_HEADERS,
    SPDY_EVENT_RST_STREAM, /* d->value: the status */
    SPDY_EVENT_PING,       /* d->value: the id */
    SPDY_EVENT_GOAWAY,     /* d->value: the status */
    SPDY_EVENT_DATA,       /* d->data: a piece of a frame, borrowed from the input */
    SPDY_EVENT_ERROR       /* d->reason; nothing more is taken */
};

struct spdy_zlib;

struct spdy_decoder {
    /* Of the event, until the next call. */
    uint32_t stream;
    uint32_t value;
    bool fin; /* the peer's side of the stream ends here */
    struct str data;
    struct http_headers headers;
    const char *reason;

    /* Its own. */
    struct arena arena;
    struct spdy_zlib *zlib; /* made by the first header block */
    uint8_t head[8];
    uint32_t head_len;
    uint32_t left; /* of the frame's payload */
    bool in_frame;
    bool skipping;
    bool failed;
    struct buf control;
    struct buf block;
};

void spdy_decoder_init(struct spdy_decoder *d);
void spdy_decoder_deinit(struct spdy_decoder *d);
/* Takes what it can from the front of *in. */
enum spdy_event spdy_decode(struct spdy_decoder *d, struct str *in);

struct spdy_encoder {
    struct spdy_zlib *zlib;
    struct buf block;
};

void spdy_encoder_init(struct spdy_encoder *e);
void spdy_encoder_deinit(struct spdy_encoder *e);
/* Each appends one frame. stream: ours are odd for a client. Names in lower case. */
void spdy_write_syn_stream(struct spdy_encoder *e, struct buf *out, uint32_t stream, bool fin,
                           const struct http_header *headers, size_t count);
void spdy_write_syn_reply(struct spdy_encoder *e, struct buf *out, uint32_t stream, bool fin,
                          const struct http_header *headers, size_t count);
void spdy_write_data(struct buf *out, uint32_t stream, bool fin, struct str bytes);
void spdy_write_rst_stream(struct buf *out, uint32_t stream, uint32_t status);
void spdy_write_ping(struct buf *out, uint32_t id);
void spdy_write_goaway(struct buf *out, uint32_t last_stream, uint32_t status);
/* The control frame of the event that the decoder gave last, as it came. */
void spdy_write_same(struct buf *out, const struct spdy_decoder *d);

/* ---- header blocks (spdy_headers.c) ---- */

void spdy_zlib_free(struct spdy_zlib *z, bool inflating);
/* Unpacks into block (cleared first): 0, -ERR_LIMIT over SPDY_HEADER_BYTES_MAX, -ERR_PARSE. */
int spdy_inflate(struct spdy_zlib **z, struct str bytes, struct buf *block);
void spdy_deflate(struct spdy_zlib **z, struct str bytes, struct buf *out);
/* Between names and values and the unpacked form; results point into block. -ERR_PARSE. */
int spdy_headers_read(struct arena *a, struct str block, struct http_headers *out);
void spdy_headers_write(struct buf *block, const struct http_header *headers, size_t count);

#endif
