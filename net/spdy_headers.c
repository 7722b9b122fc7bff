/*
 * Header blocks: a count, then length-prefixed names and values, through zlib. Every block ends
 * with a flush, and the window and dictionary live as long as the connection.
 */
#include <string.h>
#include <zlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "net/spdy.h"

#define DICTIONARY_BYTES 1423

/* The dictionary begins with these words, each behind its length in four bytes, */
static const char *const words[] = {
    "options",
    "head",
    "post",
    "put",
    "delete",
    "trace",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-base",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "method",
    "get",
    "status",
    "200 OK",
    "version",
    "HTTP/1.1",
    "url",
    "public",
    "set-cookie",
    "keep-alive",
    "origin",
};

/* and ends with this text. */
static const char text[] =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 "
    "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,public"
    "privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

struct spdy_zlib {
    z_stream z;
    uint8_t dictionary[DICTIONARY_BYTES];
};

static struct spdy_zlib *zlib_new(void)
{
    struct spdy_zlib *s = mem_alloc(sizeof(*s));
    size_t at = 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i]);
        store_be32(s->dictionary + at, (uint32_t)len);
        memcpy(s->dictionary + at + 4, words[i], len);
        at += 4 + len;
    }
    ASSERT(at + sizeof(text) - 1 == DICTIONARY_BYTES);
    memcpy(s->dictionary + at, text, sizeof(text) - 1);
    return s;
}

void spdy_zlib_free(struct spdy_zlib *z, bool inflating)
{
    if (z == NULL)
        return;
    (void)(inflating ? inflateEnd(&z->z) : deflateEnd(&z->z)); /* nothing is left to be told */
    mem_free(z);
}

/* One call of inflate, and the dictionary where zlib asks for it: Z_OK or what is wrong. */
static int inflate_step(struct spdy_zlib *s)
{
    int rc = inflate(&s->z, Z_SYNC_FLUSH);
    if (rc == Z_NEED_DICT) {
        rc = inflateSetDictionary(&s->z, s->dictionary, DICTIONARY_BYTES);
        rc = rc == Z_OK ? inflate(&s->z, Z_SYNC_FLUSH) : rc;
    }
    return rc;
}

int spdy_inflate(struct spdy_zlib **z, struct str bytes, struct buf *block)
{
    buf_clear(block);
    if (*z == NULL) {
        *z = zlib_new();
        int made = inflateInit(&(*z)->z);
        ASSERT(made == Z_OK);
    }
    struct spdy_zlib *s = *z;
    s->z.next_in = (uint8_t *)(uintptr_t)bytes.data; /* zlib only reads it */
    s->z.avail_in = (uInt)bytes.len;
    for (;;) {
        uint8_t piece[4096];
        s->z.next_out = piece;
        s->z.avail_out = sizeof(piece);
        int rc = inflate_step(s);
        if (rc != Z_OK && rc != Z_BUF_ERROR)
            return -ERR_PARSE;
        size_t got = sizeof(piece) - s->z.avail_out;
        if (block->len + got > SPDY_HEADER_BYTES_MAX)
            return -ERR_LIMIT;
        buf_append(block, piece, got);
        if (s->z.avail_out > 0)
            return s->z.avail_in == 0 ? 0 : -ERR_PARSE;
    }
}

void spdy_deflate(struct spdy_zlib **z, struct str bytes, struct buf *out)
{
    if (*z == NULL) {
        *z = zlib_new();
        int made = deflateInit(&(*z)->z, Z_BEST_SPEED);
        ASSERT(made == Z_OK);
        made = deflateSetDictionary(&(*z)->z, (*z)->dictionary, DICTIONARY_BYTES);
        ASSERT(made == Z_OK);
    }
    struct spdy_zlib *s = *z;
    s->z.next_in = (uint8_t *)(uintptr_t)bytes.data; /* zlib only reads it */
    s->z.avail_in = (uInt)bytes.len;
    do {
        uint8_t piece[1024];
        s->z.next_out = piece;
        s->z.avail_out = sizeof(piece);
        int rc = deflate(&s->z, Z_SYNC_FLUSH);
        ASSERT(rc == Z_OK || rc == Z_BUF_ERROR);
        buf_append(out, piece, sizeof(piece) - s->z.avail_out);
    } while (s->z.avail_out == 0);
}

static struct str read_text(struct reader *r)
{
    uint32_t len = reader_be32(r);
    return reader_take(r, len);
}

int spdy_headers_read(struct arena *a, struct str block, struct http_headers *out)
{
    struct reader r;
    reader_init(&r, block);
    uint32_t count = reader_be32(&r);
    if (count > SPDY_HEADER_COUNT_MAX)
        return -ERR_PARSE;
    for (uint32_t i = 0; i < count; i++) {
        struct str name = read_text(&r);
        struct str value = read_text(&r);
        if (!reader_ok(&r) || name.len == 0)
            return -ERR_PARSE;
        http_headers_add(a, out, name, value);
    }
    return reader_ok(&r) && reader_left(&r) == 0 ? 0 : -ERR_PARSE;
}

void spdy_headers_write(struct buf *block, const struct http_header *headers, size_t count)
{
    buf_put_be32(block, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        buf_put_be32(block, (uint32_t)headers[i].name.len);
        buf_append_str(block, headers[i].name);
        buf_put_be32(block, (uint32_t)headers[i].value.len);
        buf_append_str(block, headers[i].value);
    }
}
