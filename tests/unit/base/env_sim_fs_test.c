/* A simulated host's paths and folders: names, their durability, and writing protocols. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

#define SEEDS 200

static void make(struct env *env, const char *path, const char *text)
{
    struct env_file *f;
    struct err e;
    int flags = ENV_FILE_WRITE | ENV_FILE_CREATE | ENV_FILE_TRUNCATE;
    assert_int_equal(env_file_open(env, path, flags, 0600, &f, &e), 0);
    assert_int_equal(env_file_pwrite(f, 0, str_from(text), &e), 0);
    assert_int_equal(env_file_sync(f, &e), 0);
    env_file_close(f);
}

/* The file's contents, or "none". */
static const char *contents(struct env *env, const char *path, char out[64])
{
    struct arena a;
    struct str bytes;
    struct err e;
    arena_init(&a);
    int rc = env_file_read(env, &a, path, 63, &bytes, &e);
    assert_true(rc == 0 || rc == -ERR_NOT_FOUND);
    (void)snprintf(out, 64, "%.*s", rc == 0 ? (int)bytes.len : 4, rc == 0 ? bytes.data : "none");
    arena_deinit(&a);
    return out;
}

static void power_cycle(struct env *host)
{
    env_sim_host_crash(host);
    env_sim_host_restart(host);
}

static void test_calls_answer_as_the_real_ones_do(void **state)
{
    (void)state;
    struct env *world = env_sim_new(1);
    struct env *env = env_sim_host_new(world, "m1");
    struct arena a;
    struct str *names;
    size_t count;
    struct env_stat st;
    struct str bytes;
    struct err e;
    char out[64];
    arena_init(&a);
    assert_int_equal(env_dir_make(env, "/data/log", 0700, &e), 0);
    assert_int_equal(env_dir_make(env, "/data/log/", 0700, &e), 0);
    make(env, "/data/log/b", "bb");
    make(env, "/data/log/a", "a");
    assert_int_equal(env_dir_make(env, "/data/log/a", 0700, &e), -ERR_ALREADY_EXISTS);
    assert_int_equal(env_dir_make(env, "/data/../x", 0700, &e), -ERR_INVALID_ARGUMENT);
    assert_int_equal(env_dir_make(env, "", 0700, &e), -ERR_INVALID_ARGUMENT);
    assert_int_equal(env_dir_list(env, &a, "/data/log", &names, &count, &e), 0);
    assert_int_equal(count, 2);
    assert_true(str_eq_c(names[0], "a") && str_eq_c(names[1], "b"));
    assert_int_equal(env_dir_list(env, &a, "/data/log/a", &names, &count, &e), -ERR_NOT_FOUND);
    assert_int_equal(env_path_stat(env, "/data/log/b", &st, &e), 0);
    assert_true(st.size == 2 && st.is_file && !st.is_dir);
    assert_int_equal(env_path_stat(env, "//data/./log/", &st, &e), 0);
    assert_true(st.is_dir);
    assert_int_equal(env_path_stat(env, "/data/log/a/x", &st, &e), -ERR_NOT_FOUND);
    assert_int_equal(env_path_rename(env, "/data/log/a", "/data/log/b", &e), 0);
    assert_string_equal(contents(env, "/data/log/b", out), "a");
    assert_int_equal(env_path_rename(env, "/data/log/a", "/data/log/c", &e), -ERR_NOT_FOUND);
    assert_int_equal(env_path_rename(env, "/data", "/data/log/x", &e), -ERR_INVALID_ARGUMENT);
    assert_int_equal(env_path_remove(env, "/data/log", &e), -ERR_CONFLICT);
    assert_int_equal(env_path_remove(env, "/", &e), -ERR_CONFLICT);
    assert_int_equal(env_path_remove(env, "/nothing", &e), -ERR_NOT_FOUND);
    assert_int_equal(env_file_write(env, "/data/whole", str_lit("whole"), 0640, &e), 0);
    assert_int_equal(env_file_read(env, &a, "/data/whole", 4, &bytes, &e), -ERR_TOO_LARGE);
    assert_int_equal(env_path_chmod(env, "/data/whole", 0400, &e), 0);
    assert_int_equal(env_path_chown(env, "/data/whole", 7, (gid_t)-1, &e), 0);
    assert_int_equal(env_path_lstat(env, "/data/whole", &st, &e), 0);
    assert_true((st.mode & 0777) == 0400 && st.uid == 7 && st.gid == 0);
    assert_int_equal(env_link_set(env, "x", "/data/link", &e), -ERR_UNIMPLEMENTED);
    assert_int_equal(env_remove_tree(env, "/data", &e), 0);
    assert_int_equal(env_remove_tree(env, "/data", &e), 0);
    assert_false(env_path_exists(env, "/data"));
    assert_false(env_path_exists(world, "/"));
    arena_deinit(&a);
    env_sim_free(world);
}

static void test_synced_names_survive_and_others_may_not(void **state)
{
    (void)state;
    int outcomes[4] = { 0 };
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct env *world = env_sim_new(seed);
        struct env *env = env_sim_host_new(world, "m1");
        struct err e;
        char out[64];
        assert_int_equal(env_dir_make(env, "/d", 0700, &e), 0);
        assert_int_equal(env_dir_sync(env, "/", &e), 0);
        make(env, "/d/synced", "s");
        make(env, "/d/gone", "g");
        assert_int_equal(env_dir_sync(env, "/d", &e), 0);
        make(env, "/d/first", "1");
        make(env, "/d/second", "2");
        assert_int_equal(env_path_remove(env, "/d/gone", &e), 0);
        power_cycle(env);
        assert_string_equal(contents(env, "/d/synced", out), "s");
        /* A prefix of what was done: never the second without the first. */
        int kept = env_path_exists(env, "/d/first") + env_path_exists(env, "/d/second") +
                   !env_path_exists(env, "/d/gone");
        assert_true(kept < 1 || strcmp(contents(env, "/d/first", out), "1") == 0);
        assert_true(kept < 2 || strcmp(contents(env, "/d/second", out), "2") == 0);
        assert_true(env_sim_faults(world)->lost_names == (uint64_t)(3 - kept));
        outcomes[kept]++;
        env_sim_free(world);
    }
    for (int i = 0; i < 4; i++)
        assert_true(outcomes[i] > SEEDS / 16);
}

static void test_a_rename_between_folders_is_whole(void **state)
{
    (void)state;
    int outcomes[2] = { 0 };
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct env *world = env_sim_new(seed);
        struct env *env = env_sim_host_new(world, "m1");
        struct err e;
        char out[64];
        assert_int_equal(env_dir_make(env, "/a", 0700, &e), 0);
        assert_int_equal(env_dir_make(env, "/b", 0700, &e), 0);
        make(env, "/a/file", "new");
        make(env, "/b/file", "old");
        assert_int_equal(env_dir_sync(env, "/", &e), 0);
        assert_int_equal(env_dir_sync(env, "/a", &e), 0);
        assert_int_equal(env_dir_sync(env, "/b", &e), 0);
        assert_int_equal(env_path_rename(env, "/a/file", "/b/file", &e), 0);
        if (seed % 4 == 0)
            assert_int_equal(env_dir_sync(env, "/a", &e), 0); /* takes the other half along */
        power_cycle(env);
        bool moved = !env_path_exists(env, "/a/file");
        assert_string_equal(contents(env, "/b/file", out), moved ? "new" : "old");
        assert_true(moved || seed % 4 != 0);
        outcomes[moved]++;
        env_sim_free(world);
    }
    assert_true(outcomes[0] > 0 && outcomes[1] > SEEDS / 4);
}

/* ---- protocols, with a power loss at every operation ---- */

static void replace_by_hand(struct env *env)
{
    struct env_file *f;
    struct err e;
    int flags = ENV_FILE_WRITE | ENV_FILE_CREATE | ENV_FILE_TRUNCATE;
    assert_int_equal(env_file_open(env, "/d/tmp", flags, 0600, &f, &e), 0);
    assert_int_equal(env_file_pwrite(f, 0, str_lit("new "), &e), 0);
    assert_int_equal(env_file_append(f, str_lit("contents"), &e), 0);
    assert_int_equal(env_file_sync(f, &e), 0);
    env_file_close(f);
    assert_int_equal(env_path_rename(env, "/d/tmp", "/d/file", &e), 0);
    assert_int_equal(env_dir_sync(env, "/d", &e), 0);
}

static void replace_whole(struct env *env)
{
    struct err e;
    assert_int_equal(env_file_write(env, "/d/file", str_lit("new contents"), 0600, &e), 0);
}

static void replace_in_place(struct env *env)
{
    make(env, "/d/file", "new contents");
}

/* How many of SEEDS runs ended with neither the old nor the new contents. */
static int run_protocol(void (*replace)(struct env *env), uint64_t operations)
{
    int broken = 0;
    int seen[2] = { 0 };
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct env *world = env_sim_new(seed);
        struct env *env = env_sim_host_new(world, "m1");
        struct err e;
        char out[64];
        assert_int_equal(env_dir_make(env, "/d", 0700, &e), 0);
        assert_int_equal(env_dir_sync(env, "/", &e), 0);
        assert_int_equal(env_file_write(env, "/d/file", str_lit("old"), 0600, &e), 0);
        uint64_t before = env_sim_host_operations(env);
        uint64_t after = seed % (operations + 1);
        env_sim_host_crash_after(env, after);
        replace(env);
        assert_true(env_sim_host_alive(env) == (after == operations));
        assert_true(env_sim_host_operations(env) - before ==
                    (after == operations ? operations : after + 1));
        env_sim_host_crash(env);
        env_sim_host_restart(env);
        bool is_new = strcmp(contents(env, "/d/file", out), "new contents") == 0;
        broken += !is_new && strcmp(out, "old") != 0;
        seen[is_new]++;
        assert_true(is_new || after < operations);
        env_sim_free(world);
    }
    assert_true(seen[0] > 0 && seen[1] > 0);
    return broken;
}

static void test_protocols_leave_old_or_new(void **state)
{
    (void)state;
    assert_int_equal(run_protocol(replace_by_hand, 6), 0);
    assert_int_equal(run_protocol(replace_whole, 5), 0);
    assert_true(run_protocol(replace_in_place, 3) > 0); /* the test can tell */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_calls_answer_as_the_real_ones_do),
                                        cmocka_unit_test(
                                            test_synced_names_survive_and_others_may_not),
                                        cmocka_unit_test(test_a_rename_between_folders_is_whole),
                                        cmocka_unit_test(test_protocols_leave_old_or_new) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
