/*
 * rev row: u8 flags, varint created, varint previous revision, varint previous sub, varint version,
 * with FLAG_SKIP {varint since, varint revisions back to the skip link's version (0: none), and its
 * varint sub}, key, request id, terms (as one length-prefixed run), charges (likewise), then the
 * value to the end. Runs let a reader skip what it does not need.
 */
#include "store/mvcc.h"

#include "base/arena.h"
#include "base/assert.h"
#include "store/key.h"

#define FLAG_TOMBSTONE 1u
#define FLAG_SKIP      2u

/* cur row: le64 revision, le32 sub, u8 flags, le64 hash. */
#define CUR_BYTES 21

/* ---- hashing ---- */

static uint64_t hash_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_bytes(uint64_t h, struct str s)
{
    static const uint64_t k1 = 0x9e3779b97f4a7c15u;
    static const uint64_t k2 = 0xd6e8feb86659fd93u;
    const uint8_t *p = (const uint8_t *)s.data;
    size_t left = s.len;
    for (; left >= 16; p += 16, left -= 16)
        h = hash_mix(load_le64(p) ^ k1 ^ h, load_le64(p + 8) ^ k2);
    uint64_t tail[2] = { 0, 0 };
    for (size_t i = 0; i < left; i++)
        tail[i / 8] |= (uint64_t)p[i] << (8 * (i % 8));
    h = hash_mix(tail[0] ^ k1 ^ h, tail[1] ^ k2);
    return hash_mix(h ^ s.len, k1);
}

uint64_t row_hash(enum kv_table table, struct str key, struct str value)
{
    return hash_bytes(hash_bytes(0x517cc1b727220a95u + (uint64_t)table, key), value);
}

/* ---- rows of rev ---- */

static uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)((v >> 1) ^ (0 - (v & 1)));
}

static size_t varint_bytes(uint64_t v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

static void encode_terms(struct buf *b, const struct store_op *op)
{
    size_t bytes = 0;
    for (size_t i = 0; op != NULL && i < op->terms_count; i++)
        bytes += varint_bytes(op->terms[i].index) + varint_bytes(op->terms[i].bytes.len) +
                 op->terms[i].bytes.len;
    buf_put_varint(b, bytes);
    for (size_t i = 0; op != NULL && i < op->terms_count; i++) {
        buf_put_varint(b, op->terms[i].index);
        buf_put_bytes(b, op->terms[i].bytes);
    }
}

static void encode_charges(struct buf *b, const struct store_op *op)
{
    size_t bytes = 0;
    for (size_t i = 0; op != NULL && i < op->charges_count; i++) {
        const struct store_charge *c = &op->charges[i];
        bytes += varint_bytes(c->counter.len) + c->counter.len + varint_bytes(zigzag(c->amount));
    }
    buf_put_varint(b, bytes);
    for (size_t i = 0; op != NULL && i < op->charges_count; i++) {
        buf_put_bytes(b, op->charges[i].counter);
        buf_put_varint(b, zigzag(op->charges[i].amount));
    }
}

void version_skip(struct version *version, const struct version *old, struct place place)
{
    bool far = old->since >= MVCC_SKIP;
    version->skip = far ? place : old->skip;
    version->since = far ? 1 : old->since + 1;
}

static void encode_skip(struct buf *b, const struct version *version)
{
    const struct place *skip = &version->skip;
    buf_put_varint(b, version->since);
    buf_put_varint(b, skip->revision > 0 ? version->v.revision - skip->revision : 0);
    buf_put_varint(b, skip->sub);
}

static void decode_skip(struct reader *r, struct version *out)
{
    out->since = (uint32_t)reader_varint(r);
    uint64_t back = reader_varint(r);
    out->skip.revision = back > 0 ? out->v.revision - back : 0;
    out->skip.sub = (uint32_t)reader_varint(r);
}

void version_encode(struct buf *b, const struct version *version, const struct store_op *op)
{
    bool skips = version->since > 0;
    buf_append_byte(b, (version->v.tombstone ? FLAG_TOMBSTONE : 0) | (skips ? FLAG_SKIP : 0));
    buf_put_varint(b, version->v.created);
    buf_put_varint(b, version->previous.revision);
    buf_put_varint(b, version->previous.sub);
    buf_put_varint(b, version->v.version);
    if (skips)
        encode_skip(b, version);
    buf_put_bytes(b, version->v.key);
    buf_put_bytes(b, version->v.request_id);
    encode_terms(b, op);
    encode_charges(b, op);
    buf_append_str(b, version->v.value);
}

void version_decode(struct str rev_key, struct str row, struct version *out)
{
    struct version version = { 0 };
    struct reader r;
    key_rev_parse(rev_key, &version.v.revision, &version.sub);
    reader_init(&r, row);
    uint8_t flags = reader_u8(&r);
    version.v.tombstone = (flags & FLAG_TOMBSTONE) != 0;
    version.v.created = reader_varint(&r);
    version.previous.revision = reader_varint(&r);
    version.previous.sub = (uint32_t)reader_varint(&r);
    version.v.previous = version.previous.revision;
    version.v.version = reader_varint(&r);
    if ((flags & FLAG_SKIP) != 0)
        decode_skip(&r, &version);
    version.v.key = reader_bytes(&r);
    version.v.request_id = reader_bytes(&r);
    version.terms = reader_bytes(&r);
    version.charges = reader_bytes(&r);
    version.v.value = reader_take(&r, reader_left(&r));
    ASSERT(reader_ok(&r));
    *out = version;
}

void version_rewrap(struct buf *b, struct str row, struct str value)
{
    struct reader r;
    reader_init(&r, row);
    bool skips = (reader_u8(&r) & FLAG_SKIP) != 0;
    for (int i = 0; i < (skips ? 7 : 4); i++)
        (void)reader_varint(&r); /* created, previous, sub, version; since, back, sub */
    for (int i = 0; i < 4; i++)
        (void)reader_bytes(&r); /* key, request id, terms, charges */
    ASSERT(reader_ok(&r));
    buf_append(b, row.data, r.at);
    buf_append_str(b, value);
}

bool version_term(struct str *terms, struct store_term *out)
{
    if (terms->len == 0)
        return false;
    struct reader r;
    reader_init(&r, *terms);
    out->index = (uint32_t)reader_varint(&r);
    out->bytes = reader_bytes(&r);
    ASSERT(reader_ok(&r));
    *terms = str_slice(*terms, r.at, terms->len);
    return true;
}

bool version_charge(struct str *charges, struct store_charge *out)
{
    if (charges->len == 0)
        return false;
    struct reader r;
    reader_init(&r, *charges);
    out->counter = reader_bytes(&r);
    out->amount = unzigzag(reader_varint(&r));
    ASSERT(reader_ok(&r));
    *charges = str_slice(*charges, r.at, charges->len);
    return true;
}

size_t version_terms(const struct version *version, struct arena *a,
                     const struct store_term **out_terms)
{
    struct store_term term;
    size_t count = 0;
    for (struct str left = version->terms; version_term(&left, &term);)
        count++;
    struct store_term *terms = count > 0 ? arena_array(a, count, sizeof *terms) : NULL;
    size_t i = 0;
    for (struct str left = version->terms; i < count && version_term(&left, &terms[i]);)
        i++;
    *out_terms = terms;
    return count;
}

/* ---- rows of cur, and reading ---- */

void newest_decode(struct str row, struct newest *out)
{
    ASSERT(row.len == CUR_BYTES);
    const uint8_t *p = (const uint8_t *)row.data;
    out->place.revision = load_le64(p);
    out->place.sub = load_le32(p + 8);
    out->tombstone = (p[12] & FLAG_TOMBSTONE) != 0;
    out->hash = load_le64(p + 13);
}

bool mvcc_newest(struct kv_txn *t, struct str key, struct newest *out)
{
    struct str row;
    if (!kv_get(t, KV_CUR, key, &row))
        return false;
    newest_decode(row, out);
    return true;
}

void mvcc_set_newest(struct kv_txn *t, struct str key, const struct newest *n)
{
    uint8_t row[CUR_BYTES];
    store_le64(row, n->place.revision);
    store_le32(row + 8, n->place.sub);
    row[12] = n->tombstone ? FLAG_TOMBSTONE : 0;
    store_le64(row + 13, n->hash);
    kv_put(t, KV_CUR, key, str_of(row, sizeof row));
}

bool mvcc_get(struct kv_txn *t, struct place place, struct version *out)
{
    if (place.revision == 0)
        return false;
    struct key k;
    struct str row;
    key_rev(&k, place.revision, place.sub);
    if (!kv_get(t, KV_REV, key_str(&k), &row))
        return false;
    version_decode(key_str(&k), row, out);
    return true;
}

bool mvcc_at_counted(struct kv_txn *t, const struct newest *n, uint64_t revision,
                     struct version *out, size_t *steps)
{
    for (struct place at = n->place; mvcc_get(t, at, out);) {
        ++*steps;
        if (at.revision <= revision)
            return true;
        /* All versions between have revisions above the skip link's, or are of its transaction; a
         * link to the very transaction of the row reads as none. */
        at = out->skip.revision >= revision && out->skip.revision > 0 ? out->skip : out->previous;
    }
    return false;
}

bool mvcc_at(struct kv_txn *t, const struct newest *n, uint64_t revision, struct version *out)
{
    size_t steps = 0;
    return mvcc_at_counted(t, n, revision, out, &steps);
}
