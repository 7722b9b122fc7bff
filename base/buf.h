/*
 * Growable byte buffers and shared immutable slices.
 *
 * struct buf owns its bytes and grows by doubling; it is the writer's side of every encoder.
 * struct shared is a reference-counted immutable byte block: an encoded watch event given to a
 * thousand watchers, a chunk of the watch ring. Its count is atomic: it may cross threads.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

struct buf {
    uint8_t *data;
    size_t len;
    size_t capacity;
};

void buf_init(struct buf *b);
void buf_deinit(struct buf *b);
void buf_clear(struct buf *b); /* len = 0, memory kept */
void buf_reserve(struct buf *b, size_t extra);
void buf_append(struct buf *b, const void *data, size_t len);
void buf_append_str(struct buf *b, struct str s);
void buf_append_c(struct buf *b, const char *c_string);
void buf_append_byte(struct buf *b, uint8_t byte);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first n bytes (moves the rest): for a reader that consumed them. */
void buf_consume(struct buf *b, size_t n);
struct str buf_str(const struct buf *b);
/* Gives the bytes away: the caller owns the result (mem_free), the buf is empty again. */
uint8_t *buf_take(struct buf *b, size_t *out_len);

/* Fixed-width and varint integers. be: big endian (keys that sort), le: little endian (records). */
void buf_put_be64(struct buf *b, uint64_t v);
void buf_put_be32(struct buf *b, uint32_t v);
void buf_put_le64(struct buf *b, uint64_t v);
void buf_put_le32(struct buf *b, uint32_t v);
void buf_put_varint(struct buf *b, uint64_t v);  /* protobuf's base-128 */
void buf_put_bytes(struct buf *b, struct str s); /* varint length, then bytes */

static inline uint64_t load_be64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return __builtin_bswap64(v);
}

static inline uint32_t load_be32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return __builtin_bswap32(v);
}

static inline uint64_t load_le64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint32_t load_le32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline void store_be64(void *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof(v));
}

static inline void store_be32(void *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof(v));
}

static inline void store_le64(void *p, uint64_t v)
{
    memcpy(p, &v, sizeof(v));
}

static inline void store_le32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof(v));
}

/* Bounded reader over borrowed bytes. After an overrun it stays failed and yields zeros: check
 * once at the end with reader_ok(). */
struct reader {
    const uint8_t *data;
    size_t len;
    size_t at;
    int failed;
};

void reader_init(struct reader *r, struct str bytes);
int reader_ok(const struct reader *r); /* 1 when nothing overran */
size_t reader_left(const struct reader *r);
uint8_t reader_u8(struct reader *r);
uint32_t reader_le32(struct reader *r);
uint64_t reader_le64(struct reader *r);
uint32_t reader_be32(struct reader *r);
uint64_t reader_be64(struct reader *r);
uint64_t reader_varint(struct reader *r);
struct str reader_bytes(struct reader *r); /* varint length, then bytes */
struct str reader_take(struct reader *r, size_t n);

struct shared; /* opaque: count, length, bytes */

struct shared *shared_new(const void *data, size_t len); /* copies; count 1 */
struct shared *shared_from_buf(struct buf *b);           /* copies once, clears b; count 1 */
/* Takes the bytes, room to grow and all, and leaves b empty; count 1. For what is large and soon
 * gone. */
struct shared *shared_adopt(struct buf *b);
struct shared *shared_ref(struct shared *s);
void shared_unref(struct shared *s); /* NULL-safe */
struct str shared_str(const struct shared *s);
uint32_t shared_refs(const struct shared *s); /* a moment's count: for accounts of memory */

#endif
