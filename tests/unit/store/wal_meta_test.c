/* Term and vote: set, read again, with either slot damaged, and with both. */
#include "base/arena.h"
#include "base/env_sim.h"
#include "store/wal_meta.h"
#include "tests/unit/unit.h"

#define FOLDER "/log"
#define PATH   FOLDER "/metadata"

struct fixture {
    struct env *world;
    struct env *host;
    struct wal_meta meta;
};

static int set_up(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    struct wal_slot slot = { .version = 1, .id = 42 };
    *state = f;
    f->world = env_sim_new(1);
    f->host = env_sim_host_new(f->world, "host");
    assert_int_equal(env_dir_make(f->host, FOLDER, 0700, NULL), 0);
    assert_int_equal(env_dir_sync(f->host, "/", NULL), 0);
    assert_int_equal(wal_meta_read(f->host, FOLDER, &slot, NULL), -ERR_NOT_FOUND);
    assert_int_equal(wal_meta_make(f->host, FOLDER, &slot, NULL), 0);
    assert_int_equal(wal_meta_open(&f->meta, f->host, FOLDER, &slot, NULL), 0);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    wal_meta_close(&f->meta);
    env_sim_free(f->world);
    mem_free(f);
    return 0;
}

static void expect(struct fixture *f, uint64_t term, uint64_t vote)
{
    struct wal_slot slot;
    assert_int_equal(wal_meta_read(f->host, FOLDER, &slot, NULL), 0);
    assert_int_equal(slot.term, term);
    assert_int_equal(slot.vote, vote);
    assert_int_equal(slot.id, 42);
}

static void reopen(struct fixture *f)
{
    struct wal_slot slot;
    wal_meta_close(&f->meta);
    assert_int_equal(wal_meta_read(f->host, FOLDER, &slot, NULL), 0);
    assert_int_equal(wal_meta_open(&f->meta, f->host, FOLDER, &slot, NULL), 0);
}

static void test_set(void **state)
{
    struct fixture *f = *state;
    for (uint64_t term = 1; term < 20; term++) {
        assert_int_equal(wal_meta_set(&f->meta, term, 0, NULL), 0);
        expect(f, term, 0);
        assert_int_equal(wal_meta_set(&f->meta, term, term + 7, NULL), 0);
        expect(f, term, term + 7);
        if (term % 3 == 0)
            reopen(f);
    }
}

/* A log at rest survives the loss of either slot, and mends it. */
static void test_one_slot_lost(void **state)
{
    struct fixture *f = *state;
    for (uint64_t slot = 0; slot < 2; slot++) {
        uint64_t at = slot * WAL_BLOCK_BYTES;
        assert_int_equal(wal_meta_set(&f->meta, 5 + slot, 3, NULL), 0);
        assert_true(env_sim_disk_rot(f->host, PATH, at, at + WAL_SLOT_BYTES));
        expect(f, 5 + slot, 3);
        reopen(f);
        at = (1 - slot) * WAL_BLOCK_BYTES;
        assert_true(env_sim_disk_rot(f->host, PATH, at, at + WAL_SLOT_BYTES));
        expect(f, 5 + slot, 3);
        reopen(f);
    }
}

static void test_both_slots_lost(void **state)
{
    struct fixture *f = *state;
    struct wal_slot slot;
    struct err e;
    for (uint64_t at = 0; at < 2 * WAL_BLOCK_BYTES; at += WAL_BLOCK_BYTES)
        assert_true(env_sim_disk_rot(f->host, PATH, at, at + WAL_SLOT_BYTES));
    assert_int_equal(wal_meta_read(f->host, FOLDER, &slot, &e), -ERR_CORRUPT);
}

/* A failed flush is final: no later one is believed. */
static void test_failed_flush(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(wal_meta_set(&f->meta, 2, 0, NULL), 0);
    env_sim_disk_fail(f->host, ENV_SIM_SYNC, 1);
    assert_int_equal(wal_meta_set(&f->meta, 3, 0, NULL), -ERR_IO);
    assert_int_equal(wal_meta_set(&f->meta, 3, 0, NULL), -ERR_IO);
}

static void test_failed_write(void **state)
{
    struct fixture *f = *state;
    env_sim_disk_fail(f->host, ENV_SIM_WRITE, 0);
    assert_int_equal(wal_meta_set(&f->meta, 3, 0, NULL), -ERR_IO);
    assert_int_equal(wal_meta_set(&f->meta, 4, 1, NULL), 0); /* nothing was flushed in between */
    expect(f, 4, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_slot_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_both_slots_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_flush, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_write, set_up, tear_down)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
