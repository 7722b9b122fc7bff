/*
 * Transactions and entries as bytes. One table says which fields each kind of guard and operation
 * carries; encoding, decoding and checking are walks over it.
 *
 * Encoding checks by decoding what it wrote: a transaction that could not be decoded by every
 * member is refused before it is proposed.
 */
#include "store/txn.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

enum {
    HAS_VALUE = 1,
    HAS_REVISION = 2,
    HAS_AMOUNT = 4,
    HAS_TERMS = 8,
    HAS_CHARGES = 16,
    HAS_PRODUCER = 32,
    NAMES_STREAM = 64, /* key holds no NUL: it is followed by one in rows */
    HAS_EXPIRES = 128,
    EXPIRES_SET = 256 /* a time of 0 has another encoding */
};

/* What expires has a type of its own in bytes, so that what does not is what level 1 wrote. */
#define WIRE_PUT_EXPIRING    15
#define WIRE_APPEND_EXPIRING 16

struct shape {
    unsigned fields;
    size_t key_bytes_min;
    size_t key_bytes_max;
    uint32_t level; /* of the cluster, before it may be proposed */
};

/* A key_bytes_max of 0 with no fields: no such type. */
static const struct shape guard_shapes[] = {
    [STORE_GUARD_MOD] = { HAS_REVISION, 1, STORE_KEY_BYTES_MAX, 1 },
    [STORE_GUARD_EXISTS] = { 0, 1, STORE_KEY_BYTES_MAX, 1 },
    [STORE_GUARD_EMPTY] = { 0, 1, STORE_KEY_BYTES_MAX, 1 },
    [STORE_GUARD_COUNTER] = { HAS_AMOUNT, 1, TXN_COUNTER_BYTES_MAX, 1 },
    [STORE_GUARD_ROW_EXISTS] = { 0, 1, STORE_KEY_BYTES_MAX, 1 },
    [STORE_GUARD_ROW_ABSENT] = { 0, 1, STORE_KEY_BYTES_MAX, 1 }
};

static const struct shape op_shapes[] = {
    [STORE_OP_PUT] = { HAS_VALUE | HAS_TERMS | HAS_CHARGES, 1, STORE_KEY_BYTES_MAX, 1 },
    [STORE_OP_DELETE] = { 0, 1, STORE_KEY_BYTES_MAX, 1 },
    [STORE_OP_SET_LIMIT] = { HAS_AMOUNT, 1, TXN_COUNTER_BYTES_MAX, 1 },
    [STORE_OP_REWRAP] = { HAS_VALUE | HAS_REVISION, 1, STORE_KEY_BYTES_MAX, 1 },
    [STORE_OP_COMPACT] = { HAS_REVISION, 0, STORE_KEY_BYTES_MAX, 1 },
    [STORE_OP_CHECK] = { HAS_REVISION | HAS_AMOUNT, 0, 0, 1 },
    [STORE_OP_FEATURE_LEVEL] = { HAS_AMOUNT, 0, 0, 1 },
    [STORE_OP_APPEND] = { HAS_VALUE | HAS_PRODUCER | NAMES_STREAM, 1, STORE_KEY_BYTES_MAX, 1 },
    [STORE_OP_ROW_PUT] = { HAS_VALUE, 1, STORE_KEY_BYTES_MAX, 1 },
    [STORE_OP_ROW_DELETE] = { 0, 1, STORE_KEY_BYTES_MAX, 1 },
    [STORE_OP_TRIM] = { HAS_REVISION | NAMES_STREAM, 1, STORE_KEY_BYTES_MAX, 1 },
    [STORE_OP_ALARM] = { HAS_REVISION | HAS_AMOUNT, 0, 0, 2 },
    [STORE_OP_TIMER] = { HAS_REVISION | HAS_EXPIRES, 1, STORE_KEY_BYTES_MAX, 2 },
    [STORE_OP_TICK] = { HAS_EXPIRES | EXPIRES_SET, 0, 0, 2 },
    [WIRE_PUT_EXPIRING] = { HAS_VALUE | HAS_TERMS | HAS_CHARGES | HAS_EXPIRES | EXPIRES_SET, 1,
                            STORE_KEY_BYTES_MAX, 2 },
    [WIRE_APPEND_EXPIRING] = { HAS_VALUE | HAS_PRODUCER | NAMES_STREAM | HAS_EXPIRES | EXPIRES_SET,
                               1, STORE_KEY_BYTES_MAX, 2 }
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct shape *shape_of(const struct shape *shapes, size_t count, unsigned type)
{
    if (type == 0 || type >= count)
        return NULL;
    return &shapes[type];
}

static uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)((v >> 1) ^ (0 - (v & 1)));
}

/* NULL: no such type. */
static const struct shape *op_shape(const struct store_op *op, unsigned *out_type)
{
    unsigned type = op->type;
    if (type >= WIRE_PUT_EXPIRING)
        return NULL;
    if (type == STORE_OP_PUT && op->expires_ms > 0)
        type = WIRE_PUT_EXPIRING;
    if (type == STORE_OP_APPEND && op->expires_ms > 0)
        type = WIRE_APPEND_EXPIRING;
    *out_type = type;
    return shape_of(op_shapes, COUNT_OF(op_shapes), type);
}

uint32_t txn_level(const struct store_txn *txn)
{
    uint32_t level = STORE_FEATURE_LEVEL_FIRST;
    for (size_t i = 0; i < txn->ops_count; i++) {
        unsigned type;
        const struct shape *s = op_shape(&txn->ops[i], &type);
        if (s != NULL && s->level > level)
            level = s->level;
    }
    return level;
}

bool txn_raises_above(const struct store_txn *txn, uint32_t level)
{
    for (size_t i = 0; i < txn->ops_count; i++)
        if (txn->ops[i].type == STORE_OP_FEATURE_LEVEL && txn->ops[i].amount > (int64_t)level)
            return true;
    return false;
}

/* ---- encoding ---- */

static void encode_op(const struct store_op *op, unsigned fields, struct buf *b)
{
    buf_put_bytes(b, op->key);
    if (fields & HAS_REVISION)
        buf_put_varint(b, op->revision);
    if (fields & HAS_AMOUNT)
        buf_put_varint(b, zigzag(op->amount));
    if (fields & HAS_VALUE)
        buf_put_bytes(b, op->value);
    if (fields & HAS_TERMS) {
        buf_put_varint(b, op->terms_count);
        for (size_t i = 0; i < op->terms_count; i++) {
            buf_put_varint(b, op->terms[i].index);
            buf_put_bytes(b, op->terms[i].bytes);
        }
    }
    if (fields & HAS_CHARGES) {
        buf_put_varint(b, op->charges_count);
        for (size_t i = 0; i < op->charges_count; i++) {
            buf_put_bytes(b, op->charges[i].counter);
            buf_put_varint(b, zigzag(op->charges[i].amount));
        }
    }
    if (fields & HAS_PRODUCER) {
        buf_put_bytes(b, op->producer);
        if (op->producer.len > 0)
            buf_put_varint(b, op->producer_sequence);
    }
    if (fields & HAS_EXPIRES)
        buf_put_varint(b, op->expires_ms);
}

static int encode_unchecked(const struct store_txn *txn, struct buf *b, struct err *e)
{
    buf_put_varint(b, txn->fence_term);
    buf_put_bytes(b, txn->request_id);
    buf_put_varint(b, txn->guards_count);
    for (size_t i = 0; i < txn->guards_count; i++) {
        const struct store_guard *g = &txn->guards[i];
        const struct shape *s = shape_of(guard_shapes, COUNT_OF(guard_shapes), g->type);
        if (s == NULL)
            return err_set(e, ERR_INVALID_ARGUMENT, "guard %zu: no such type", i);
        buf_append_byte(b, (uint8_t)g->type);
        buf_put_bytes(b, g->key);
        if (s->fields & HAS_REVISION)
            buf_put_varint(b, g->revision);
        if (s->fields & HAS_AMOUNT)
            buf_put_varint(b, zigzag(g->amount));
    }
    buf_put_varint(b, txn->ops_count);
    for (size_t i = 0; i < txn->ops_count; i++) {
        const struct store_op *op = &txn->ops[i];
        unsigned type;
        const struct shape *s = op_shape(op, &type);
        if (s == NULL)
            return err_set(e, ERR_INVALID_ARGUMENT, "operation %zu: no such type", i);
        /* Before copying: a caller's mistake must not grow the buffer without bound. */
        if (op->value.len > STORE_TXN_BYTES_MAX)
            return err_set(e, ERR_TOO_LARGE, "a value of %zu bytes is over %u", op->value.len,
                           STORE_TXN_BYTES_MAX);
        buf_append_byte(b, (uint8_t)type);
        encode_op(op, s->fields, b);
    }
    return 0;
}

int txn_encode(const struct store_txn *txn, struct buf *b, struct err *e)
{
    size_t start = b->len;
    if (txn->ops_count > STORE_TXN_OPS_MAX || txn->guards_count > TXN_GUARDS_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "over %u operations or %u guards",
                       STORE_TXN_OPS_MAX, TXN_GUARDS_MAX);
    int rc = encode_unchecked(txn, b, e);
    if (rc == 0 && b->len - start > STORE_TXN_BYTES_MAX)
        rc = err_set(e, ERR_TOO_LARGE, "a transaction of %zu bytes is over %u", b->len - start,
                     STORE_TXN_BYTES_MAX);
    if (rc == 0) {
        struct arena arena;
        arena_init(&arena);
        struct store_txn decoded;
        struct err why = { 0 };
        if (txn_decode(str_of(b->data + start, b->len - start), &arena, &decoded, &why) != 0)
            rc = err_set(e, ERR_INVALID_ARGUMENT, "%s", why.msg);
        arena_deinit(&arena);
    }
    if (rc != 0)
        b->len = start;
    return rc;
}

/* ---- decoding ---- */

static size_t varint_bytes(uint64_t v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

/* A varint in its shortest form only: one transaction has one encoding. */
static uint64_t get_varint(struct reader *r)
{
    size_t before = r->at;
    uint64_t v = reader_varint(r);
    if (!r->failed && r->at - before != varint_bytes(v))
        r->failed = 1;
    return v;
}

static struct str get_bytes(struct reader *r, size_t min, size_t max)
{
    uint64_t n = get_varint(r);
    if (n < min || n > max)
        r->failed = 1;
    if (r->failed)
        return (struct str){ NULL, 0 };
    return reader_take(r, (size_t)n);
}

static size_t get_count(struct reader *r, size_t max)
{
    uint64_t n = get_varint(r);
    /* Each item takes at least one byte: no large array for a short input. */
    if (n > max || n > reader_left(r))
        r->failed = 1;
    return r->failed ? 0 : (size_t)n;
}

static struct str get_key(struct reader *r, const struct shape *s)
{
    struct str key = get_bytes(r, s->key_bytes_min, s->key_bytes_max);
    if (!r->failed && (s->fields & NAMES_STREAM) && memchr(key.data, 0, key.len) != NULL)
        r->failed = 1;
    return key;
}

static void decode_terms(struct reader *r, struct arena *a, struct store_op *op)
{
    size_t count = get_count(r, TXN_TERMS_MAX);
    struct store_term *terms = count > 0 ? arena_array(a, count, sizeof *terms) : NULL;
    for (size_t i = 0; i < count; i++) {
        uint64_t index = get_varint(r);
        if (index > UINT32_MAX)
            r->failed = 1;
        terms[i].index = (uint32_t)index;
        terms[i].bytes = get_bytes(r, 0, STORE_TERM_WHOLE_BYTES_MAX);
    }
    op->terms = terms;
    op->terms_count = count;
}

static void decode_charges(struct reader *r, struct arena *a, struct store_op *op)
{
    size_t count = get_count(r, TXN_CHARGES_MAX);
    struct store_charge *charges = count > 0 ? arena_array(a, count, sizeof *charges) : NULL;
    for (size_t i = 0; i < count; i++) {
        charges[i].counter = get_bytes(r, 1, TXN_COUNTER_BYTES_MAX);
        charges[i].amount = unzigzag(get_varint(r));
    }
    op->charges = charges;
    op->charges_count = count;
}

static void decode_op(struct reader *r, struct arena *a, struct store_op *op)
{
    unsigned type = reader_u8(r);
    const struct shape *s = shape_of(op_shapes, COUNT_OF(op_shapes), type);
    if (s == NULL) {
        r->failed = 1;
        return;
    }
    op->type = (enum store_op_type)type;
    if (type == WIRE_PUT_EXPIRING)
        op->type = STORE_OP_PUT;
    if (type == WIRE_APPEND_EXPIRING)
        op->type = STORE_OP_APPEND;
    op->key = get_key(r, s);
    if (s->fields & HAS_REVISION)
        op->revision = get_varint(r);
    if (s->fields & HAS_AMOUNT)
        op->amount = unzigzag(get_varint(r));
    if (s->fields & HAS_VALUE)
        op->value = get_bytes(r, 0, STORE_TXN_BYTES_MAX);
    if (s->fields & HAS_TERMS)
        decode_terms(r, a, op);
    if (s->fields & HAS_CHARGES)
        decode_charges(r, a, op);
    if (s->fields & HAS_PRODUCER) {
        op->producer = get_bytes(r, 0, TXN_PRODUCER_BYTES_MAX);
        if (op->producer.len > 0)
            op->producer_sequence = get_varint(r);
    }
    if (s->fields & HAS_EXPIRES)
        op->expires_ms = get_varint(r);
    if ((s->fields & EXPIRES_SET) && op->expires_ms == 0)
        r->failed = 1;
}

static void decode_guard(struct reader *r, struct store_guard *g)
{
    unsigned type = reader_u8(r);
    const struct shape *s = shape_of(guard_shapes, COUNT_OF(guard_shapes), type);
    if (s == NULL) {
        r->failed = 1;
        return;
    }
    g->type = (enum store_guard_type)type;
    g->key = get_key(r, s);
    if (s->fields & HAS_REVISION)
        g->revision = get_varint(r);
    if (s->fields & HAS_AMOUNT)
        g->amount = unzigzag(get_varint(r));
}

int txn_decode(struct str bytes, struct arena *a, struct store_txn *out, struct err *e)
{
    struct store_txn txn = { 0 };
    struct reader r;
    if (bytes.len > STORE_TXN_BYTES_MAX)
        return err_set(e, ERR_CORRUPT, "a transaction of %zu bytes is over the limit", bytes.len);
    reader_init(&r, bytes);
    txn.fence_term = get_varint(&r);
    txn.request_id = get_bytes(&r, 0, TXN_REQUEST_ID_BYTES_MAX);

    txn.guards_count = get_count(&r, TXN_GUARDS_MAX);
    struct store_guard *guards =
        txn.guards_count > 0 ? arena_array(a, txn.guards_count, sizeof *guards) : NULL;
    for (size_t i = 0; i < txn.guards_count && !r.failed; i++)
        decode_guard(&r, &guards[i]);
    if (r.failed)
        return err_set(e, ERR_CORRUPT, "a guard does not decode at byte %zu", r.at);

    txn.ops_count = get_count(&r, STORE_TXN_OPS_MAX);
    struct store_op *ops = txn.ops_count > 0 ? arena_array(a, txn.ops_count, sizeof *ops) : NULL;
    for (size_t i = 0; i < txn.ops_count && !r.failed; i++)
        decode_op(&r, a, &ops[i]);
    if (r.failed)
        return err_set(e, ERR_CORRUPT, "an operation does not decode at byte %zu", r.at);
    if (reader_left(&r) != 0)
        return err_set(e, ERR_CORRUPT, "%zu bytes follow a transaction", reader_left(&r));
    txn.guards = guards;
    txn.ops = ops;
    *out = txn;
    return 0;
}

/* ---- entries ---- */

#define ENTRY_HEADER_BYTES (1 + 4 + 8 + 4)
#define ENTRY_COUNT_OFFSET (1 + 4 + 8)
#define ENTRY_ALIGN        8

size_t entry_bytes(size_t count, size_t txns_bytes)
{
    return ENTRY_HEADER_BYTES + count * sizeof(uint32_t) + txns_bytes + ENTRY_ALIGN;
}

void entry_begin(struct buf *b, uint32_t level, uint64_t term)
{
    ASSERT(b->len == 0);
    buf_append_byte(b, ENTRY_FORMAT);
    buf_put_le32(b, level);
    buf_put_le64(b, term);
    buf_put_le32(b, 0); /* patched by entry_end */
}

void entry_add(struct buf *b, struct str txn)
{
    ASSERT(txn.len <= STORE_TXN_BYTES_MAX);
    buf_put_le32(b, (uint32_t)txn.len);
    buf_append_str(b, txn);
}

void entry_end(struct buf *b, uint32_t count)
{
    ASSERT(count <= ENTRY_TXNS_MAX);
    store_le32(b->data + ENTRY_COUNT_OFFSET, count);
    while (b->len % ENTRY_ALIGN != 0)
        buf_append_byte(b, 0);
    ASSERT(b->len <= ENTRY_BYTES_MAX);
}

int entry_decode(struct str bytes, struct entry *out, struct err *e)
{
    struct reader r;
    reader_init(&r, bytes);
    struct entry entry = { .format = reader_u8(&r) };
    if (!reader_ok(&r))
        return err_set(e, ERR_CORRUPT, "an empty entry");
    if (entry.format != ENTRY_FORMAT)
        return err_set(e, ERR_UNIMPLEMENTED, "entry format %u: upgrade this member", entry.format);
    entry.level = reader_le32(&r);
    entry.term = reader_le64(&r);
    entry.count = reader_le32(&r);
    if (!reader_ok(&r) || bytes.len > ENTRY_BYTES_MAX || entry.count > ENTRY_TXNS_MAX)
        return err_set(e, ERR_CORRUPT, "an entry's header does not decode");
    size_t start = r.at;
    for (uint32_t i = 0; i < entry.count; i++) {
        uint32_t len = reader_le32(&r);
        (void)reader_take(&r, len); /* checked by reader_ok */
        if (!reader_ok(&r) || len > STORE_TXN_BYTES_MAX)
            return err_set(e, ERR_CORRUPT, "frame %u of %u does not fit", i, entry.count);
    }
    entry.txns = str_of(bytes.data + start, r.at - start);
    if (reader_left(&r) >= ENTRY_ALIGN || bytes.len % ENTRY_ALIGN != 0)
        return err_set(e, ERR_CORRUPT, "an entry of %zu bytes is padded wrongly", bytes.len);
    while (reader_left(&r) > 0)
        if (reader_u8(&r) != 0)
            return err_set(e, ERR_CORRUPT, "an entry's padding is not zero");
    *out = entry;
    return 0;
}

bool entry_next(struct entry *entry, struct str *out_txn)
{
    if (entry->txns.len == 0)
        return false;
    size_t len = load_le32(entry->txns.data);
    *out_txn = str_slice(entry->txns, 4, 4 + len);
    entry->txns = str_slice(entry->txns, 4 + len, entry->txns.len);
    return true;
}
