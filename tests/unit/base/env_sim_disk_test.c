/* Whole simulated disks across deaths: a kill loses nothing, and what it left may still be lost. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

#define SEEDS 200

static void make(struct env *env, const char *path, const char *text, bool sync)
{
    struct env_file *f;
    struct err e;
    int flags = ENV_FILE_WRITE | ENV_FILE_CREATE;
    assert_int_equal(env_file_open(env, path, flags, 0600, &f, &e), 0);
    assert_int_equal(env_file_append(f, str_from(text), &e), 0);
    if (sync)
        assert_int_equal(env_file_sync(f, &e), 0);
    env_file_close(f);
}

static bool holds(struct env *env, const char *path, const char *text)
{
    struct arena a;
    struct str bytes;
    struct err e;
    arena_init(&a);
    bool same = env_file_read(env, &a, path, 100, &bytes, &e) == 0 && str_eq_c(bytes, text);
    arena_deinit(&a);
    return same;
}

static void test_a_kill_loses_nothing_yet(void **state)
{
    (void)state;
    int lost_bytes = 0;
    int lost_names = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct env *world = env_sim_new(seed);
        struct env *env = env_sim_host_new(world, "m1");
        struct err e;
        make(env, "/old", "synced", true);
        assert_int_equal(env_dir_sync(env, "/", &e), 0);
        make(env, "/old", " and not", false);
        make(env, "/new", "synced", true);
        for (int i = 0; i < 2; i++) {
            env_sim_host_kill(env);
            assert_false(env_sim_host_alive(env));
            env_sim_host_restart(env);
            assert_true(holds(env, "/old", "synced and not"));
            assert_true(holds(env, "/new", "synced"));
        }
        assert_int_equal(env_sim_faults(world)->kills, 2);
        env_sim_host_crash(env);
        env_sim_host_restart(env);
        lost_bytes += holds(env, "/old", "synced");
        assert_true(holds(env, "/old", "synced") || holds(env, "/old", "synced and not"));
        lost_names += !env_path_exists(env, "/new");
        assert_true(holds(env, "/new", "synced") || !env_path_exists(env, "/new"));
        env_sim_free(world);
    }
    assert_true(lost_bytes > 0 && lost_bytes < SEEDS);
    assert_true(lost_names > 0 && lost_names < SEEDS);
}

/* A folder whose name was lost takes everything below along; one kept is empty without a sync of
 * its own. */
static void test_folders(void **state)
{
    (void)state;
    int seen[3] = { 0 };
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct env *world = env_sim_new(seed);
        struct env *env = env_sim_host_new(world, "m1");
        struct err e;
        assert_int_equal(env_dir_make(env, "/a/b", 0700, &e), 0);
        make(env, "/a/b/file", "x", true);
        if (seed % 2 == 0)
            assert_int_equal(env_dir_sync(env, "/a/b", &e), 0);
        env_sim_host_crash(env);
        env_sim_host_restart(env);
        if (!env_path_exists(env, "/a"))
            seen[0]++;
        else if (!env_path_exists(env, "/a/b"))
            seen[1]++;
        else
            seen[2] += env_path_exists(env, "/a/b/file");
        if (seed % 2 == 0 && env_path_exists(env, "/a/b"))
            assert_true(holds(env, "/a/b/file", "x"));
        env_sim_free(world);
    }
    assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
}

/* A file recycled under another name while its old name's removal was not durable. */
static void test_many_deaths_and_names(void **state)
{
    (void)state;
    struct env *world = env_sim_new(4);
    struct env *env = env_sim_host_new(world, "m1");
    struct err e;
    char from[32];
    char to[32];
    for (int i = 0; i < 400; i++) {
        (void)snprintf(from, sizeof(from), "/log-%d", (int)env_sim_random(world, 8));
        (void)snprintf(to, sizeof(to), "/log-%d", (int)env_sim_random(world, 8));
        switch (env_sim_random(world, 8)) {
        case 0:
            env_sim_host_crash(env);
            env_sim_host_restart(env);
            break;
        case 1:
            env_sim_host_kill(env);
            env_sim_host_restart(env);
            break;
        case 2:
            assert_int_equal(env_dir_sync(env, "/", &e), 0);
            break;
        case 3:
            (void)env_path_remove(env, from, &e); /* it may not be there */
            break;
        case 4:
            (void)env_path_rename(env, from, to, &e); /* as above */
            break;
        default:
            make(env, from, "bytes", env_sim_random(world, 2) == 0);
        }
    }
    uint64_t total;
    uint64_t left;
    assert_int_equal(env_remove_tree(env, "/log-0", &e), 0);
    for (int i = 1; i < 8; i++) {
        (void)snprintf(from, sizeof(from), "/log-%d", i);
        assert_int_equal(env_remove_tree(env, from, &e), 0);
    }
    assert_int_equal(env_dir_sync(env, "/", &e), 0);
    assert_int_equal(env_disk_space(env, "/", &total, &left, &e), 0);
    assert_true(left == total);
    env_sim_free(world);
}

/* ---- a log of fixed records in allocated space: what was acknowledged is there ---- */

#define RECORD  700u
#define RECORDS 12u

static void record(uint8_t out[RECORD], unsigned number)
{
    memset(out, (int)(number + 1), RECORD);
}

/* Writes records until the host dies; how many it acknowledged. */
static unsigned write_log(struct env *env, bool sync)
{
    struct env_file *f;
    struct err e;
    uint8_t bytes[RECORD];
    int flags = ENV_FILE_WRITE | ENV_FILE_CREATE;
    unsigned acked = 0;
    assert_int_equal(env_file_open(env, "/log", flags, 0600, &f, &e), 0);
    assert_int_equal(env_file_allocate(f, (uint64_t)RECORD * RECORDS, &e), 0);
    assert_int_equal(env_dir_sync(env, "/", &e), 0);
    for (unsigned i = 0; i < RECORDS; i++) {
        struct str halves[2];
        record(bytes, i);
        halves[0] = str_of(bytes, RECORD / 2);
        halves[1] = str_of(bytes + RECORD / 2, RECORD / 2);
        assert_int_equal(env_file_pwritev(f, (uint64_t)RECORD * i, halves, 2, &e), 0);
        if (sync)
            assert_int_equal(env_file_sync(f, &e), 0);
        acked += env_sim_host_alive(env); /* the dead tell nobody */
    }
    env_file_close(f);
    return acked;
}

static unsigned count_whole(struct env *env)
{
    struct env_file *f;
    struct err e;
    uint8_t want[RECORD];
    uint8_t got[RECORD];
    size_t len;
    unsigned count = 0;
    if (env_file_open(env, "/log", ENV_FILE_READ, 0, &f, &e) != 0)
        return 0;
    for (; count < RECORDS; count++) {
        record(want, count);
        assert_int_equal(env_file_pread(f, (uint64_t)RECORD * count, got, RECORD, &len, &e), 0);
        if (len != RECORD || memcmp(want, got, RECORD) != 0)
            break;
    }
    env_file_close(f);
    return count;
}

static void test_what_a_log_acknowledged_is_there(void **state)
{
    (void)state;
    int broken_promises = 0;
    int more_than_promised = 0;
    for (uint64_t seed = 0; seed < 4 * SEEDS; seed++) {
        struct env *world = env_sim_new(seed);
        struct env *env = env_sim_host_new(world, "m1");
        bool sync = seed % 4 != 0;
        env_sim_host_crash_after(env, seed / 4 % (2 * RECORDS + 4));
        unsigned acked = write_log(env, sync);
        env_sim_host_crash(env);
        env_sim_host_restart(env);
        unsigned whole = count_whole(env);
        if (sync)
            assert_true(whole >= acked);
        broken_promises += whole < acked;
        more_than_promised += whole > acked;
        env_sim_free(world);
    }
    assert_true(broken_promises > 0); /* without a sync: the test can tell */
    assert_true(more_than_promised > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_kill_loses_nothing_yet),
                                        cmocka_unit_test(test_folders),
                                        cmocka_unit_test(test_many_deaths_and_names),
                                        cmocka_unit_test(test_what_a_log_acknowledged_is_there) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
