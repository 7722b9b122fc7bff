/* Groups: what fits, what ends one, where they go; and which files may be let go. */
#include "base/arena.h"
#include "base/env_sim.h"
#include "store/wal_disk.h"
#include "tests/unit/unit.h"

#define FOLDER     "/log"
#define FILE_BYTES (1u << 20)

struct fixture {
    struct env *world;
    struct env *host;
    struct wal_disk disk;
    struct wal_files files;
};

static int set_up(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    *state = f;
    f->world = env_sim_new(1);
    f->host = env_sim_host_new(f->world, "host");
    assert_int_equal(env_dir_make(f->host, FOLDER, 0700, NULL), 0);
    wal_files_init(&f->files, f->host, FOLDER, FILE_BYTES);
    assert_int_equal(
        wal_disk_init(&f->disk, f->host, FOLDER, 5, &(struct wal_tail){ .group = 1 }, NULL), 0);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    wal_disk_deinit(&f->disk);
    wal_files_deinit(&f->files);
    env_sim_free(f->world);
    mem_free(f);
    return 0;
}

static void give(struct fixture *f)
{
    f->files.prepare = wal_disk_next_sequence(&f->disk);
    assert_int_equal(wal_files_run(&f->files, NULL), 0);
    wal_disk_give_next(&f->disk, f->files.prepared, FILE_BYTES);
    f->files.prepared = NULL;
}

static int add(struct fixture *f, uint64_t index, size_t len)
{
    static char bytes[FILE_BYTES];
    return wal_disk_add(
        &f->disk, WAL_ENTRY,
        &(struct wal_entry){ .index = index, .term = 1, .bytes = str_of(bytes, len) });
}

static void write_group(struct fixture *f)
{
    assert_true(wal_disk_gathered(&f->disk));
    assert_int_equal(wal_disk_write(&f->disk, NULL), 0);
    assert_int_equal(wal_disk_flush(&f->disk, NULL), 0);
    assert_false(wal_disk_gathered(&f->disk));
}

static void test_groups(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(add(f, 1, 10), -ERR_AGAIN);
    give(f);
    assert_int_equal(add(f, 1, 10), 0);
    assert_int_equal(add(f, 2, 0), 0);
    write_group(f);
    assert_int_equal(f->disk.tail.sequence, 1);
    assert_int_equal(f->disk.tail.group, 2);
    assert_int_equal(f->disk.tail.last, 2);
    assert_int_equal(f->disk.tail.at, WAL_BLOCK_BYTES + 48 + 16 + 48);
    for (uint64_t i = 0; i < WAL_GROUP_RECORDS; i++)
        assert_int_equal(add(f, 3 + i, 8), 0);
    assert_int_equal(add(f, 3 + WAL_GROUP_RECORDS, 8), -ERR_LIMIT);
    write_group(f);
    /* The rest of the file is too small: the group ends, the next one needs a file. */
    uint64_t next = f->disk.tail.last + 1;
    assert_int_equal(add(f, next, 100), 0);
    assert_int_equal(add(f, next + 1, FILE_BYTES - 60000), -ERR_LIMIT);
    write_group(f);
    assert_int_equal(add(f, next + 1, FILE_BYTES - 60000), -ERR_AGAIN);
    give(f);
    assert_int_equal(add(f, next + 1, FILE_BYTES - 60000), 0);
    write_group(f);
    assert_int_equal(f->disk.tail.sequence, 2);
    assert_int_equal(wal_disk_bytes(&f->disk), 2 * FILE_BYTES);
}

static void fill_file(struct fixture *f, uint64_t index)
{
    give(f);
    assert_int_equal(add(f, index, FILE_BYTES - 8192), 0);
    write_group(f);
}

static void test_release(void **state)
{
    struct fixture *f = *state;
    for (uint64_t i = 1; i <= 4; i++)
        fill_file(f, i);
    wal_disk_release(&f->disk, 1, &f->files);
    assert_int_equal(f->files.release_count, 0);
    wal_disk_release(&f->disk, 3, &f->files);
    assert_int_equal(f->files.release_count, 2);
    /* What is truncated needs no file; the last one stays. */
    assert_int_equal(wal_disk_add(&f->disk, WAL_TRUNCATE, &(struct wal_entry){ .index = 3 }), 0);
    write_group(f);
    wal_disk_release(&f->disk, 3, &f->files);
    assert_int_equal(f->files.release_count, 3);
    assert_int_equal(f->disk.files_count, 1);
    assert_int_equal(f->disk.tail.last, 2);
    fill_file(f, 3);
    assert_int_equal(
        wal_disk_add(&f->disk, WAL_RESET, &(struct wal_entry){ .index = 90, .term = 1 }), 0);
    assert_int_equal(add(f, 91, 1), 0);
    write_group(f);
    wal_disk_release(&f->disk, 0, &f->files);
    assert_int_equal(f->files.release_count, 1); /* the others are gone by now */
    assert_int_equal(f->disk.tail.last, 91);
}

static void test_no_space(void **state)
{
    struct fixture *f = *state;
    give(f);
    env_sim_disk_full(f->host, true); /* overwriting needs none */
    assert_int_equal(add(f, 1, 100000), 0);
    write_group(f);
    env_sim_disk_fail(f->host, ENV_SIM_SYNC, 0);
    assert_int_equal(add(f, 2, 10), 0);
    assert_int_equal(wal_disk_write(&f->disk, NULL), 0);
    assert_int_equal(wal_disk_write(&f->disk, NULL), 0); /* the same again */
    assert_int_equal(wal_disk_flush(&f->disk, NULL), -ERR_IO);
    assert_int_equal(f->disk.tail.last, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_groups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_release, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_space, set_up, tear_down)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
