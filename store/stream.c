/* state row: le64 first, le64 last, le64 hash. producer row: le64 producer's, le64 stream's. */
#include "store/stream.h"

#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "store/key.h"
#include "store/mvcc.h"

#define STATE_BYTES    24
#define PRODUCER_BYTES 16

static void state_decode(struct str row, struct stream_state *out)
{
    ASSERT(row.len == STATE_BYTES);
    out->first = load_le64(row.data);
    out->last = load_le64(row.data + 8);
    out->hash = load_le64(row.data + 16);
}

bool stream_get(struct kv_txn *t, struct str stream, struct stream_state *out)
{
    struct str row;
    if (!kv_get(t, KV_STATE, stream, &row)) {
        *out = (struct stream_state){ .first = 1 };
        return false;
    }
    state_decode(row, out);
    return true;
}

/* Replaces a row that counts in the digest. */
static void put_counted(struct kv_txn *t, enum kv_table table, struct str key, struct str value,
                        uint64_t *digest)
{
    struct str old;
    if (kv_get(t, table, key, &old))
        *digest -= row_hash(table, key, old);
    *digest += row_hash(table, key, value);
    kv_put(t, table, key, value);
}

static void state_put(struct kv_txn *t, struct str stream, const struct stream_state *s,
                      uint64_t *digest)
{
    uint8_t row[STATE_BYTES];
    store_le64(row, s->first);
    store_le64(row + 8, s->last);
    store_le64(row + 16, s->hash);
    put_counted(t, KV_STATE, stream, str_of(row, sizeof row), digest);
}

uint64_t stream_append(struct kv_txn *t, const struct store_op *op, uint64_t *digest,
                       bool *out_appended)
{
    struct key k;
    *out_appended = false;
    if (op->producer.len > 0) {
        struct str row;
        key_producer(&k, op->key, op->producer);
        if (kv_get(t, KV_PRODUCER, key_str(&k), &row)) {
            ASSERT(row.len == PRODUCER_BYTES);
            uint64_t seen = load_le64(row.data);
            if (op->producer_sequence == seen)
                return load_le64(row.data + 8);
            if (op->producer_sequence < seen)
                return 0;
        }
    }
    struct stream_state s;
    (void)stream_get(t, op->key, &s); /* a new stream's state when absent */
    s.last++;
    key_stream(&k, op->key, s.last);
    s.hash += row_hash(KV_STREAM, key_str(&k), op->value);
    kv_put(t, KV_STREAM, key_str(&k), op->value);
    state_put(t, op->key, &s, digest);
    if (op->producer.len > 0) {
        uint8_t row[PRODUCER_BYTES];
        store_le64(row, op->producer_sequence);
        store_le64(row + 8, s.last);
        key_producer(&k, op->key, op->producer);
        put_counted(t, KV_PRODUCER, key_str(&k), str_of(row, sizeof row), digest);
    }
    *out_appended = true;
    return s.last;
}

void stream_trim(struct kv_txn *t, const struct store_op *op, uint64_t *digest)
{
    struct stream_state s;
    if (!stream_get(t, op->key, &s))
        return;
    uint64_t upto = op->revision < s.last ? op->revision : s.last;
    if (upto < s.first)
        return;
    s.first = upto + 1;
    state_put(t, op->key, &s, digest);
}

void row_put(struct kv_txn *t, struct str key, struct str value, uint64_t *digest)
{
    put_counted(t, KV_ROW, key, value, digest);
}

void row_delete(struct kv_txn *t, struct str key, uint64_t *digest)
{
    struct str old;
    if (!kv_get(t, KV_ROW, key, &old))
        return;
    *digest -= row_hash(KV_ROW, key, old);
    (void)kv_delete(t, KV_ROW, key); /* just seen there */
}

/* Removes rows of one stream; name is a copy. */
static size_t forget_stream(struct kv_txn *t, struct str name, uint64_t first, size_t rows)
{
    size_t removed = 0;
    struct key from;
    key_stream(&from, name, 0);
    while (removed < rows) {
        struct kv_cursor cursor;
        struct key at = { .len = 0 };
        kv_cursor_open(t, KV_STREAM, &cursor);
        if (kv_seek(&cursor, key_str(&from)) && cursor.key.len == from.len &&
            memcmp(cursor.key.data, from.bytes, from.len - 8) == 0 &&
            key_stream_sequence(cursor.key) < first) {
            memcpy(at.bytes, cursor.key.data, cursor.key.len);
            at.len = cursor.key.len;
        }
        kv_cursor_close(&cursor);
        if (at.len == 0)
            break;
        (void)kv_delete(t, KV_STREAM, key_str(&at)); /* just seen there */
        removed++;
    }
    return removed;
}

size_t stream_forget(struct kv_txn *t, size_t rows)
{
    size_t removed = 0;
    struct key name = { .len = 0 };
    for (;;) {
        /* The cursor's table does not change in the loop, but its slices may: copy the name. */
        struct kv_cursor cursor;
        struct stream_state s = { 0 };
        kv_cursor_open(t, KV_STATE, &cursor);
        bool found = kv_seek(&cursor, key_str(&name));
        if (found && name.len > 0 && str_eq(cursor.key, key_str(&name)))
            found = kv_next(&cursor);
        if (found) {
            state_decode(cursor.value, &s);
            memcpy(name.bytes, cursor.key.data, cursor.key.len);
            name.len = cursor.key.len;
        }
        kv_cursor_close(&cursor);
        if (!found || removed == rows)
            return removed;
        removed += forget_stream(t, key_str(&name), s.first, rows - removed);
    }
}
