/* gzip (RFC 1952) of whole bodies and of streams, by zlib. Any thread, one at a time. */
#ifndef NET_GZIP_H
#define NET_GZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct buf;

/* Appends the compressed bytes, made as small as zlib can. */
void gzip_pack(struct buf *out, struct str plain);
/* The same for what is packed once and sent once: about ten times as fast, a little larger. */
void gzip_pack_fast(struct buf *out, struct str plain);
/* One body that comes in pieces, packed fast: about 270 KiB while it lives. */
struct gzip_stream;
struct gzip_stream *gzip_stream_new(void);
void gzip_stream_free(struct gzip_stream *g); /* NULL-safe */
/* Appends what has become ready; with the last piece (which may be empty) all of it. */
void gzip_stream_pack(struct gzip_stream *g, struct buf *out, struct str piece, bool last);

/* Appends the plain bytes. -ERR_PARSE when it is no gzip, -ERR_LIMIT above max bytes; out then
 * holds a part. */
int gzip_unpack(struct buf *out, struct str packed, size_t max, struct err *e);

#endif
