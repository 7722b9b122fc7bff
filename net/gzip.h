/* gzip (RFC 1952) of whole bodies, by zlib. Any thread. */
#ifndef NET_GZIP_H
#define NET_GZIP_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct buf;

/* Appends the compressed bytes, made as small as zlib can. */
void gzip_pack(struct buf *out, struct str plain);
/* The same for what is packed once and sent once: about ten times as fast, a little larger. */
void gzip_pack_fast(struct buf *out, struct str plain);
/* Appends the plain bytes. -ERR_PARSE when it is no gzip, -ERR_LIMIT above max bytes; out then
 * holds a part. */
int gzip_unpack(struct buf *out, struct str packed, size_t max, struct err *e);

#endif
