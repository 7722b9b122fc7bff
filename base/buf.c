/* Growable buffers, the bounded reader, and shared slices. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

#define BUF_FIRST_BYTES  64u
#define VARINT_BYTES_MAX 10

void buf_init(struct buf *b)
{
    *b = (struct buf){ 0 };
}

void buf_deinit(struct buf *b)
{
    mem_free(b->data);
    *b = (struct buf){ 0 };
}

void buf_clear(struct buf *b)
{
    b->len = 0;
}

void buf_reserve(struct buf *b, size_t extra)
{
    ASSERT(extra <= SIZE_MAX / 4 - b->len);
    if (b->capacity - b->len >= extra)
        return;
    size_t capacity = b->capacity == 0 ? BUF_FIRST_BYTES : b->capacity;
    while (capacity - b->len < extra)
        capacity *= 2;
    b->data = mem_realloc(b->data, capacity);
    b->capacity = capacity;
}

void buf_append(struct buf *b, const void *data, size_t len)
{
    if (len == 0)
        return;
    buf_reserve(b, len);
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

void buf_append_str(struct buf *b, struct str s)
{
    buf_append(b, s.data, s.len);
}

void buf_append_c(struct buf *b, const char *c_string)
{
    buf_append(b, c_string, strlen(c_string));
}

void buf_append_byte(struct buf *b, uint8_t byte)
{
    if (b->len == b->capacity)
        buf_reserve(b, 1);
    b->data[b->len++] = byte;
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    size_t room = b->capacity - b->len;
    int n = vsnprintf(room > 0 ? (char *)b->data + b->len : NULL, room, format, args);
    va_end(args);
    ASSERT(n >= 0);
    if ((size_t)n >= room) {
        buf_reserve(b, (size_t)n + 1); /* vsnprintf needs room for its NUL */
        (void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, format, again); /* as n */
    }
    va_end(again);
    b->len += (size_t)n;
}

void buf_consume(struct buf *b, size_t n)
{
    ASSERT(n <= b->len);
    if (n == 0)
        return;
    b->len -= n;
    if (b->len > 0)
        memmove(b->data, b->data + n, b->len);
}

struct str buf_str(const struct buf *b)
{
    return str_of(b->data, b->len);
}

uint8_t *buf_take(struct buf *b, size_t *out_len)
{
    buf_reserve(b, 1); /* never NULL, also when empty */
    uint8_t *data = b->data;
    *out_len = b->len;
    *b = (struct buf){ 0 };
    return data;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "loads and stores assume little endian");

void buf_put_be64(struct buf *b, uint64_t v)
{
    uint8_t bytes[8];
    store_be64(bytes, v);
    buf_append(b, bytes, sizeof(bytes));
}

void buf_put_be32(struct buf *b, uint32_t v)
{
    uint8_t bytes[4];
    store_be32(bytes, v);
    buf_append(b, bytes, sizeof(bytes));
}

void buf_put_le64(struct buf *b, uint64_t v)
{
    uint8_t bytes[8];
    store_le64(bytes, v);
    buf_append(b, bytes, sizeof(bytes));
}

void buf_put_le32(struct buf *b, uint32_t v)
{
    uint8_t bytes[4];
    store_le32(bytes, v);
    buf_append(b, bytes, sizeof(bytes));
}

void buf_put_varint(struct buf *b, uint64_t v)
{
    uint8_t bytes[VARINT_BYTES_MAX];
    size_t n = 0;
    while (v >= 0x80) {
        bytes[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    bytes[n++] = (uint8_t)v;
    buf_append(b, bytes, n);
}

void buf_put_bytes(struct buf *b, struct str s)
{
    buf_put_varint(b, s.len);
    buf_append_str(b, s);
}

void reader_init(struct reader *r, struct str bytes)
{
    *r = (struct reader){ .data = (const uint8_t *)bytes.data, .len = bytes.len };
}

int reader_ok(const struct reader *r)
{
    return !r->failed;
}

size_t reader_left(const struct reader *r)
{
    return r->failed ? 0 : r->len - r->at;
}

/* The next n bytes, or NULL: the reader has failed then, for good. */
static const uint8_t *reader_next(struct reader *r, size_t n)
{
    if (r->failed || r->len - r->at < n) {
        r->failed = 1;
        return NULL;
    }
    const uint8_t *p = r->data + r->at;
    r->at += n;
    return p;
}

uint8_t reader_u8(struct reader *r)
{
    const uint8_t *p = reader_next(r, 1);
    return p != NULL ? *p : 0;
}

uint32_t reader_le32(struct reader *r)
{
    const uint8_t *p = reader_next(r, 4);
    return p != NULL ? load_le32(p) : 0;
}

uint64_t reader_le64(struct reader *r)
{
    const uint8_t *p = reader_next(r, 8);
    return p != NULL ? load_le64(p) : 0;
}

uint32_t reader_be32(struct reader *r)
{
    const uint8_t *p = reader_next(r, 4);
    return p != NULL ? load_be32(p) : 0;
}

uint64_t reader_be64(struct reader *r)
{
    const uint8_t *p = reader_next(r, 8);
    return p != NULL ? load_be64(p) : 0;
}

uint64_t reader_varint(struct reader *r)
{
    uint64_t v = 0;
    if (!r->failed && r->at < r->len && r->data[r->at] < 0x80)
        return r->data[r->at++]; /* most are small */
    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        const uint8_t *p = reader_next(r, 1);
        if (p == NULL)
            return 0;
        if (i == VARINT_BYTES_MAX - 1 && *p > 1)
            break; /* more than 64 bits */
        v |= (uint64_t)(*p & 0x7F) << (7 * i);
        if ((*p & 0x80) == 0)
            return v;
    }
    r->failed = 1;
    return 0;
}

struct str reader_take(struct reader *r, size_t n)
{
    if (n == 0 && !r->failed)
        return str_of("", 0);
    const uint8_t *p = reader_next(r, n);
    return p != NULL ? str_of(p, n) : (struct str){ NULL, 0 };
}

struct str reader_bytes(struct reader *r)
{
    uint64_t n = reader_varint(r);
    if (n > SIZE_MAX)
        r->failed = 1;
    return reader_take(r, (size_t)n);
}

struct shared {
    _Atomic uint32_t refs;
    size_t len;
    uint8_t *adopted; /* NULL: the bytes follow */
    char data[];
};

struct shared *shared_new(const void *data, size_t len)
{
    struct shared *s = mem_alloc_with(sizeof(*s), len);
    atomic_init(&s->refs, 1);
    s->len = len;
    if (len > 0)
        memcpy(s->data, data, len);
    return s;
}

struct shared *shared_from_buf(struct buf *b)
{
    struct shared *s = shared_new(b->data, b->len);
    buf_clear(b);
    return s;
}

struct shared *shared_adopt(struct buf *b)
{
    struct shared *s = mem_alloc(sizeof(*s));
    atomic_init(&s->refs, 1);
    s->adopted = buf_take(b, &s->len);
    return s;
}

struct shared *shared_ref(struct shared *s)
{
    uint32_t before = atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    ASSERT(before > 0);
    return s;
}

void shared_unref(struct shared *s)
{
    if (s == NULL)
        return;
    uint32_t before = atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before == 1) {
        mem_free(s->adopted);
        mem_free(s);
    }
}

uint32_t shared_refs(const struct shared *s)
{
    return atomic_load_explicit(&s->refs, memory_order_relaxed);
}

struct str shared_str(const struct shared *s)
{
    return str_of(s->adopted != NULL ? (const char *)s->adopted : s->data, s->len);
}
