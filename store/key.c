/* Row keys. Integers are big endian, so that LMDB's bytewise order is numeric order. */
#include "store/key.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "net/digest.h"

#define TERM_DIGEST_MARK 0xff

_Static_assert(4 + 1 + STORE_TERM_BYTES_MAX + STORE_KEY_BYTES_MAX <= KV_KEY_BYTES_MAX,
               "an index row must fit LMDB's key");
_Static_assert(STORE_TERM_BYTES_MAX < TERM_DIGEST_MARK, "the mark is no length");

struct str key_shorten(struct arena *a, struct str prefix)
{
    if (prefix.len <= KEY_PREFIX_BYTES_MAX)
        return prefix;
    uint8_t digest[DIGEST_SHA256_BYTES];
    digest_sha256(prefix, digest);
    char *out = arena_alloc(a, 1 + KEY_PREFIX_HEX);
    out[0] = '~';
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < KEY_PREFIX_HEX / 2; i++) {
        out[1 + 2 * i] = digits[digest[i] >> 4];
        out[2 + 2 * i] = digits[digest[i] & 15];
    }
    return str_of(out, 1 + KEY_PREFIX_HEX);
}

struct str key_str(const struct key *k)
{
    return str_of(k->bytes, k->len);
}

static void key_add(struct key *k, const void *data, size_t len)
{
    ASSERT(len <= sizeof k->bytes - k->len);
    if (len > 0)
        memcpy(k->bytes + k->len, data, len);
    k->len += len;
}

static void key_add_be64(struct key *k, uint64_t v)
{
    uint8_t bytes[8];
    store_be64(bytes, v);
    key_add(k, bytes, sizeof bytes);
}

static void key_add_be32(struct key *k, uint32_t v)
{
    uint8_t bytes[4];
    store_be32(bytes, v);
    key_add(k, bytes, sizeof bytes);
}

void key_rev(struct key *k, uint64_t revision, uint32_t sub)
{
    k->len = 0;
    key_add_be64(k, revision);
    key_add_be32(k, sub);
}

void key_rev_parse(struct str key, uint64_t *out_revision, uint32_t *out_sub)
{
    ASSERT(key.len == KEY_REV_BYTES);
    *out_revision = load_be64(key.data);
    *out_sub = load_be32(key.data + 8);
}

void key_index(struct key *k, uint32_t index, struct str term, struct str key)
{
    uint8_t digest[DIGEST_SHA256_BYTES];
    uint8_t mark = (uint8_t)term.len;
    if (term.len > STORE_TERM_BYTES_MAX) {
        digest_sha256(term, digest);
        term = str_of(digest, sizeof digest);
        mark = TERM_DIGEST_MARK;
    }
    k->len = 0;
    key_add_be32(k, index);
    key_add(k, &mark, 1);
    key_add(k, term.data, term.len);
    key_add(k, key.data, key.len);
}

size_t key_index_term_bytes(struct str term)
{
    return 4 + 1 + (term.len > STORE_TERM_BYTES_MAX ? DIGEST_SHA256_BYTES : term.len);
}

void key_stream(struct key *k, struct str stream, uint64_t sequence)
{
    k->len = 0;
    key_add(k, stream.data, stream.len);
    key_add(k, "", 1);
    key_add_be64(k, sequence);
}

uint64_t key_stream_sequence(struct str key)
{
    ASSERT(key.len >= 9);
    return load_be64(key.data + key.len - 8);
}

void key_producer(struct key *k, struct str stream, struct str producer)
{
    k->len = 0;
    key_add(k, stream.data, stream.len);
    key_add(k, "", 1);
    key_add(k, producer.data, producer.len);
}
