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

bool stream_seen(struct kv_txn *t, const struct store_op *op, uint64_t *out_sequence)
{
    struct key k;
    struct str row;
    *out_sequence = 0;
    if (op->producer.len == 0)
        return false;
    key_producer(&k, op->key, op->producer);
    if (!kv_get(t, KV_PRODUCER, key_str(&k), &row))
        return false;
    ASSERT(row.len == PRODUCER_BYTES);
    uint64_t seen = load_le64(row.data);
    if (op->producer_sequence == seen)
        *out_sequence = load_le64(row.data + 8);
    return op->producer_sequence <= seen;
}

uint64_t stream_append(struct kv_txn *t, const struct store_op *op, uint64_t *digest,
                       bool *out_appended)
{
    struct key k;
    struct stream_state s;
    uint64_t sequence;
    *out_appended = false;
    if (stream_seen(t, op, &sequence))
        return sequence;
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

void stream_producer_expires(struct kv_txn *t, const struct store_op *op, struct timers *timers,
                             uint64_t *digest)
{
    struct key k;
    if (op->producer.len == 0 || (op->expires_ms == 0 && timers->count == 0))
        return;
    key_producer(&k, op->key, op->producer);
    uint64_t deadline_ms = timers_of(t, TIMER_PRODUCER, key_str(&k));
    if (deadline_ms != 0 && op->expires_ms >= deadline_ms &&
        op->expires_ms - deadline_ms < STREAM_PRODUCER_STEP_MS)
        return;
    timers_set(timers, t, TIMER_PRODUCER, key_str(&k), 0, op->expires_ms, digest);
}

void stream_forget_producer(struct kv_txn *t, struct str key, uint64_t *digest)
{
    struct str row;
    bool found = kv_get(t, KV_PRODUCER, key, &row);
    ASSERT(found);
    *digest -= row_hash(KV_PRODUCER, key, row);
    (void)kv_delete(t, KV_PRODUCER, key); /* just seen there */
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
