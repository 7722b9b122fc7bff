/* See the header. No cursor is open while rows change. */
#include "store/timers.h"

#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "store/mvcc.h"
#include "store/txn.h"

#define ROW_BYTES      8
#define DEADLINE_BYTES 8
#define PREFIX_BYTES   (DEADLINE_BYTES + 1)
/* A producer's row: stream, NUL, producer. */
#define TIMED_KEY_BYTES_MAX (STORE_KEY_BYTES_MAX + 1 + TXN_PRODUCER_BYTES_MAX)

_Static_assert(PREFIX_BYTES + TIMED_KEY_BYTES_MAX <= KV_KEY_BYTES_MAX,
               "a timer's row must fit LMDB's key");

static void key_timer(struct key *k, uint64_t deadline_ms, enum timer_kind kind, struct str key)
{
    ASSERT(key.len <= TIMED_KEY_BYTES_MAX);
    store_be64(k->bytes, deadline_ms);
    k->bytes[DEADLINE_BYTES] = (uint8_t)kind;
    memcpy(k->bytes + PREFIX_BYTES, key.data, key.len);
    k->len = PREFIX_BYTES + key.len;
}

/* The row's key in KV_EXPIRY is what follows the deadline. */
static struct str expiry_of(const struct key *timer)
{
    return str_of(timer->bytes + DEADLINE_BYTES, timer->len - DEADLINE_BYTES);
}

static uint64_t find_deadline(struct kv_txn *t, struct str expiry)
{
    struct str row;
    if (!kv_get(t, KV_EXPIRY, expiry, &row))
        return 0;
    ASSERT(row.len == ROW_BYTES);
    return load_le64(row.data);
}

uint64_t timers_of(struct kv_txn *t, enum timer_kind kind, struct str key)
{
    struct key k;
    key_timer(&k, 0, kind, key);
    return find_deadline(t, expiry_of(&k));
}

/* timer: its key, whatever deadline. */
static void remove_timer(struct timers *timers, struct kv_txn *t, struct key *timer,
                         uint64_t *digest)
{
    struct str row;
    uint64_t deadline_ms = find_deadline(t, expiry_of(timer));
    if (deadline_ms == 0)
        return;
    store_be64(timer->bytes, deadline_ms);
    bool found = kv_get(t, KV_TIMER, key_str(timer), &row);
    ASSERT(found);
    *digest -= row_hash(KV_TIMER, key_str(timer), row);
    (void)kv_delete(t, KV_TIMER, key_str(timer));    /* just seen there */
    (void)kv_delete(t, KV_EXPIRY, expiry_of(timer)); /* likewise */
    ASSERT(timers->count > 0);
    timers->count--;
    timers->changed = true;
}

void timers_set(struct timers *timers, struct kv_txn *t, enum timer_kind kind, struct str key,
                uint64_t revision, uint64_t deadline_ms, uint64_t *digest)
{
    struct key k;
    uint8_t row[ROW_BYTES];
    if (timers->count == 0 && deadline_ms == 0)
        return; /* nearly every put */
    key_timer(&k, 0, kind, key);
    if (timers->count > 0)
        remove_timer(timers, t, &k, digest);
    if (deadline_ms == 0)
        return;
    store_be64(k.bytes, deadline_ms);
    store_le64(row, revision);
    *digest += row_hash(KV_TIMER, key_str(&k), str_of(row, sizeof row));
    kv_put(t, KV_TIMER, key_str(&k), str_of(row, sizeof row));
    store_le64(row, deadline_ms);
    kv_put(t, KV_EXPIRY, expiry_of(&k), str_of(row, sizeof row));
    timers->count++;
    timers->changed = true;
}

bool timers_first(struct kv_txn *t, struct timer *out)
{
    struct kv_cursor cursor;
    kv_cursor_open(t, KV_TIMER, &cursor);
    bool found = kv_seek(&cursor, str_of("", 0));
    if (found) {
        ASSERT(cursor.key.len > PREFIX_BYTES && cursor.value.len == ROW_BYTES);
        out->deadline_ms = load_be64(cursor.key.data);
        out->kind =
            cursor.key.data[DEADLINE_BYTES] == TIMER_VERSION ? TIMER_VERSION : TIMER_PRODUCER;
        out->key.len = cursor.key.len - PREFIX_BYTES;
        memcpy(out->key.bytes, cursor.key.data + PREFIX_BYTES, out->key.len);
        out->revision = load_le64(cursor.value.data);
    }
    kv_cursor_close(&cursor);
    return found;
}

uint64_t store_read_expires(struct store_read *r, struct str key)
{
    if (key.len == 0 || key.len > STORE_KEY_BYTES_MAX)
        return 0;
    return timers_of(r->txn, TIMER_VERSION, key);
}
