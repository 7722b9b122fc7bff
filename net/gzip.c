/* One call of deflate, inflate by pieces. zlib fails to begin only for lack of memory: that aborts,
 * as everywhere. */
#include "net/gzip.h"

#include <zlib.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"

/* The largest window, and zlib's way to ask for the gzip frame. */
#define WINDOW_BITS (15 + 16)
#define MEMORY      8
#define PIECE_BYTES (64u << 10)

static void pack(struct buf *out, struct str plain, int level)
{
    z_stream z = { .next_in = (Bytef *)plain.data, .avail_in = (uInt)plain.len };
    int rc = deflateInit2(&z, level, Z_DEFLATED, WINDOW_BITS, MEMORY, Z_DEFAULT_STRATEGY);
    ASSERT(rc == Z_OK);
    ASSERT(plain.len == (uInt)plain.len);
    uLong room = deflateBound(&z, (uLong)plain.len);
    buf_reserve(out, room);
    z.next_out = out->data + out->len;
    z.avail_out = (uInt)room;
    rc = deflate(&z, Z_FINISH);
    ASSERT(rc == Z_STREAM_END);
    out->len += z.total_out;
    (void)deflateEnd(&z); /* nothing is left in it */
}

void gzip_pack(struct buf *out, struct str plain)
{
    pack(out, plain, Z_BEST_COMPRESSION);
}

void gzip_pack_fast(struct buf *out, struct str plain)
{
    pack(out, plain, Z_BEST_SPEED);
}

struct gzip_stream {
    z_stream z;
};

struct gzip_stream *gzip_stream_new(void)
{
    struct gzip_stream *g = mem_alloc(sizeof(*g));
    int rc = deflateInit2(&g->z, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS, MEMORY, Z_DEFAULT_STRATEGY);
    ASSERT(rc == Z_OK);
    return g;
}

void gzip_stream_free(struct gzip_stream *g)
{
    if (g == NULL)
        return;
    (void)deflateEnd(&g->z); /* what is left in it was not wanted */
    mem_free(g);
}

void gzip_stream_pack(struct gzip_stream *g, struct buf *out, struct str piece, bool last)
{
    z_stream *z = &g->z;
    ASSERT(piece.len == (uInt)piece.len);
    z->next_in = (Bytef *)piece.data;
    z->avail_in = (uInt)piece.len;
    for (int rc = Z_OK; z->avail_in > 0 || (last && rc != Z_STREAM_END);) {
        buf_reserve(out, PIECE_BYTES);
        z->next_out = out->data + out->len;
        z->avail_out = PIECE_BYTES;
        rc = deflate(z, last ? Z_FINISH : Z_NO_FLUSH);
        ASSERT(rc == Z_OK || rc == Z_STREAM_END);
        out->len += PIECE_BYTES - z->avail_out;
    }
}

static int unpack(z_stream *z, struct buf *out, size_t max, struct err *e)
{
    size_t start = out->len;
    for (int rc = Z_OK; rc != Z_STREAM_END;) {
        buf_reserve(out, PIECE_BYTES);
        z->next_out = out->data + out->len;
        z->avail_out = PIECE_BYTES;
        rc = inflate(z, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END)
            return err_set(e, ERR_PARSE, "gzip: %s", z->msg == NULL ? "it is cut" : z->msg);
        out->len += PIECE_BYTES - z->avail_out;
        if (out->len - start > max)
            return err_set(e, ERR_LIMIT, "gzip: more than %zu bytes", max);
    }
    return 0;
}

int gzip_unpack(struct buf *out, struct str packed, size_t max, struct err *e)
{
    z_stream z = { .next_in = (Bytef *)packed.data, .avail_in = (uInt)packed.len };
    int rc = inflateInit2(&z, WINDOW_BITS);
    ASSERT(rc == Z_OK);
    rc = unpack(&z, out, max, e);
    (void)inflateEnd(&z); /* nothing is left in it */
    return rc;
}
