/* Files ahead and behind: prepared, let go in order, used again, and without space. */
#include "base/arena.h"
#include "base/env_sim.h"
#include "store/wal_files.h"
#include "tests/unit/unit.h"

#define FOLDER     "/log"
#define FILE_BYTES 65536

struct fixture {
    struct env *world;
    struct env *host;
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
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    wal_files_deinit(&f->files);
    env_sim_free(f->world);
    mem_free(f);
    return 0;
}

static int prepare(struct fixture *f, uint64_t sequence)
{
    f->files.prepare = sequence;
    int rc = wal_files_run(&f->files, NULL);
    env_file_close(f->files.prepared);
    f->files.prepared = NULL;
    return rc;
}

static bool there(struct fixture *f, const char *name, uint64_t sequence)
{
    char path[WAL_PATH_BYTES];
    struct env_stat st;
    wal_path_of(path, FOLDER, name, sequence);
    if (!env_path_exists(f->host, path))
        return false;
    assert_int_equal(env_path_stat(f->host, path, &st, NULL), 0);
    assert_int_equal(st.size, FILE_BYTES);
    return true;
}

static void test_prepared(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(prepare(f, 1), 0);
    assert_int_equal(prepare(f, 2), 0);
    assert_true(there(f, "log", 1));
    assert_true(there(f, "log", 2));
    assert_false(env_path_exists(f->host, FOLDER "/fresh"));
}

static void test_let_go_and_used_again(void **state)
{
    struct fixture *f = *state;
    for (uint64_t i = 1; i <= 4; i++)
        assert_int_equal(prepare(f, i), 0);
    for (uint64_t i = 1; i <= 3; i++)
        wal_files_release(&f->files, i);
    assert_int_equal(wal_files_run(&f->files, NULL), 0);
    assert_int_equal(f->files.spares_count, WAL_SPARES_MAX);
    assert_true(there(f, "spare", 1));
    assert_true(there(f, "spare", 2));
    assert_false(there(f, "spare", 3));
    assert_false(there(f, "log", 3));
    /* With no block left on the disk: they need none. */
    env_sim_disk_full(f->host, true);
    assert_int_equal(prepare(f, 5), 0);
    assert_int_equal(prepare(f, 6), 0);
    assert_true(there(f, "log", 6));
    assert_false(there(f, "spare", 1));
    assert_int_equal(prepare(f, 7), -ERR_NO_SPACE);
    assert_false(env_path_exists(f->host, FOLDER "/fresh"));
    env_sim_disk_full(f->host, false);
    assert_int_equal(wal_files_run(&f->files, NULL), 0); /* it was left to do */
    assert_true(there(f, "log", 7));
}

/* Spares of another size than is wanted now are not used. */
static void test_other_size(void **state)
{
    struct fixture *f = *state;
    f->files.file_bytes = FILE_BYTES * 2;
    assert_int_equal(prepare(f, 1), 0);
    wal_files_release(&f->files, 1);
    assert_int_equal(wal_files_run(&f->files, NULL), 0);
    assert_int_equal(f->files.spares_count, 1);
    f->files.file_bytes = FILE_BYTES;
    assert_int_equal(prepare(f, 2), 0);
    assert_true(there(f, "log", 2));
    assert_int_equal(f->files.spares_count, 0);
    assert_false(env_path_exists(f->host, FOLDER "/spare-0000000000000001"));
}

static void test_sync_above(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(env_dir_make(f->host, "/a/b/c", 0700, NULL), 0);
    assert_int_equal(wal_sync_above(f->host, "/a/b/c", NULL), 0);
    env_sim_host_crash(f->host);
    env_sim_host_restart(f->host);
    assert_true(env_path_exists(f->host, "/a/b/c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_prepared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_let_go_and_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sync_above, set_up, tear_down)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
