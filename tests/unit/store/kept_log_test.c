/*
 * Kept logs of each release, replayed to the digests recorded when they were written: a change of
 * the state machine that would make members of two releases differ fails here. A log is entries
 * {le32 length, bytes}; model_test writes one (MODEL_KEEP). Rows are only ever added.
 */
#include <stdio.h>
#include <stdlib.h>

#include "store/fsm.h"
#include "tests/unit/unit.h"

#define LOG_BYTES_MAX (1u << 20)

static const struct {
    const char *path;
    uint64_t entries;
    uint64_t revision;
    uint64_t digest;
    uint32_t level;
    uint64_t timers;
    uint64_t clock_ms;
} kept[] = { { "tests/unit/store/kept/level1.log", 60, 153, 0xbe4bd65b821d98eu, 1, 0, 0 },
             { "tests/unit/store/kept/level2.log", 120, 161, 0x4e6096b112f58db1u, 2, 5, 515 },
             { "tests/unit/store/kept/level4.log", 120, 106, 0xf908aa4b8f815353u, 4, 4, 526 } };

static void replay(struct fsm *fsm, struct kv *kv, struct reader *r)
{
    while (reader_left(r) > 0) {
        struct err e = { 0 };
        size_t commands = 0;
        struct str entry = reader_take(r, reader_le32(r));
        assert_true(reader_ok(r));
        struct kv_txn *t = kv_begin_write(kv);
        enum group_halt why =
            fsm_apply(fsm, t, fsm->point.index + 1, entry, NULL, NULL, &commands, &e);
        assert_int_equal(why, 0);
        fsm_save(fsm, t);
        kv_commit(t);
    }
}

static void test_replay(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        uint8_t *bytes = malloc(LOG_BYTES_MAX);
        FILE *f = fopen(kept[i].path, "rbe");
        assert_non_null(f);
        size_t len = fread(bytes, 1, LOG_BYTES_MAX, f);
        (void)fclose(f); /* only read from */
        struct kv_sim_disk *disk = kv_sim_disk_new();
        struct kv *kv = kv_sim_open(disk);
        struct fsm *fsm = malloc(sizeof *fsm);
        struct reader r;
        assert_int_equal(fsm_init(fsm, kv, NULL), 0);
        reader_init(&r, str_of(bytes, len));
        replay(fsm, kv, &r);
        const struct point *p = &fsm->point;
        print_message("%s: entries %llu revision %llu digest 0x%llx timers %llu clock %llu\n",
                      kept[i].path, (unsigned long long)p->index, (unsigned long long)p->revision,
                      (unsigned long long)p->digest, (unsigned long long)p->timers,
                      (unsigned long long)p->clock_ms);
        assert_int_equal(fsm->point.index, kept[i].entries);
        assert_int_equal(fsm->point.revision, kept[i].revision);
        assert_true(p->digest == kept[i].digest);
        assert_int_equal(p->level, kept[i].level);
        assert_int_equal(p->timers, kept[i].timers);
        assert_int_equal(p->clock_ms, kept[i].clock_ms);
        struct kv_txn *t = kv_begin_read(kv);
        assert_true(fsm_digest_full(t) == p->digest);
        kv_abort(t);
        fsm_deinit(fsm);
        free(fsm);
        kv_close(kv);
        kv_sim_disk_free(disk);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_replay) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
