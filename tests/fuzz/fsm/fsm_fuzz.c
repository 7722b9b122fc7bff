/*
 * The state machine is total: whatever decodes as a transaction applies without a crash, and the
 * running digest stays the sum of the rows, and every timer has what it is of. The input
 * is frames {u8 length, bytes}; a length of 0 ends an entry and takes a step of compaction.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "store/fsm.h"
#include "store/mvcc.h"
#include "store/txn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Larger inputs only repeat what smaller ones do. */
#define INPUT_BYTES_MAX 4096

struct target {
    struct kv_sim_disk *disk;
    struct kv *kv;
    struct fsm fsm;
    struct buf entry;
    uint32_t count;
};

static void check_timers(struct target *x, struct kv_txn *t)
{
    struct kv_cursor c;
    uint64_t count = 0;
    kv_cursor_open(t, KV_EXPIRY, &c);
    for (bool more = kv_seek(&c, str_of("", 0)); more; more = kv_next(&c)) {
        struct newest n;
        struct str row;
        struct str key = str_slice(c.key, 1, c.key.len);
        if (c.key.data[0] == TIMER_VERSION)
            ASSERT(mvcc_newest(t, key, &n) && !n.tombstone);
        else
            ASSERT(kv_get(t, KV_PRODUCER, key, &row));
        count++;
    }
    kv_cursor_close(&c);
    ASSERT(x->fsm.point.timers == count);
    struct timer first = { 0 };
    ASSERT(timers_first(t, &first) == (count > 0));
    ASSERT(x->fsm.point.next_deadline_ms == first.deadline_ms);
    ASSERT(x->fsm.point.alarm == alarm_reasons(&x->fsm.alarm));
}

static void apply_entry(struct target *x)
{
    size_t commands = 0;
    struct err e;
    entry_end(&x->entry, x->count);
    struct kv_txn *t = kv_begin_write(x->kv);
    enum group_halt why = fsm_apply(&x->fsm, t, x->fsm.point.index + 1, buf_str(&x->entry), NULL,
                                    NULL, &commands, &e);
    ASSERT(why == 0 || why == GROUP_HALT_UPGRADE || why == GROUP_HALT_DIVERGED);
    ASSERT(fsm_digest_full(t) == x->fsm.point.digest);
    check_timers(x, t);
    (void)compact_step(&x->fsm.compact, t, COMPACT_STEP_ROWS); /* one step is enough here */
    ASSERT(fsm_digest_full(t) == x->fsm.point.digest);
    fsm_save(&x->fsm, t);
    kv_commit(t);
    buf_clear(&x->entry);
    entry_begin(&x->entry, STORE_FEATURE_LEVEL, 1);
    x->count = 0;
}

static void take_frames(struct target *x, struct reader *r)
{
    struct arena arena;
    arena_init(&arena);
    while (reader_left(r) > 0) {
        struct store_txn txn;
        struct str frame = reader_take(r, reader_u8(r));
        if (!reader_ok(r))
            break;
        if (frame.len == 0) {
            apply_entry(x);
        } else if (txn_decode(frame, &arena, &txn, NULL) == 0) {
            entry_add(&x->entry, frame);
            x->count++;
        }
        arena_reset(&arena);
    }
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct target x;
    struct reader r;
    if (len > INPUT_BYTES_MAX)
        return 0;
    x.disk = kv_sim_disk_new();
    x.kv = kv_sim_open(x.disk);
    int rc = fsm_init(&x.fsm, x.kv, NULL);
    ASSERT(rc == 0);
    buf_init(&x.entry);
    entry_begin(&x.entry, STORE_FEATURE_LEVEL, 1);
    x.count = 0;
    reader_init(&r, str_of(data, len));
    take_frames(&x, &r);
    apply_entry(&x);
    buf_deinit(&x.entry);
    fsm_deinit(&x.fsm);
    kv_close(x.kv);
    kv_sim_disk_free(x.disk);
    return 0;
}
