/* Files, folders, links: what the seam promises about each, in a folder of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "tests/unit/unit.h"

struct fixture {
    struct env *env;
    struct arena a;
    char folder[64];
};

static const char *in(struct fixture *f, const char *name)
{
    return str_printf(&f->a, "%s/%s", f->folder, name).data;
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    f->env = env_uv_new();
    arena_init(&f->a);
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/env-fs-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct err e;
    assert_int_equal(env_remove_tree(f->env, f->folder, &e), 0);
    assert_false(env_path_exists(f->env, f->folder));
    assert_int_equal(env_remove_tree(f->env, f->folder, &e), 0); /* nothing to remove is fine */
    arena_deinit(&f->a);
    env_uv_free(f->env);
    mem_free(f);
    return 0;
}

static void test_write_and_read(void **state)
{
    struct fixture *f = *state;
    struct err e;
    struct str got;
    struct env_stat st;
    assert_int_equal(env_file_write(f->env, in(f, "a"), str_lit("one"), 0640, &e), 0);
    assert_int_equal(env_file_write(f->env, in(f, "a"), str_lit("second"), 0604, &e), 0);
    assert_int_equal(env_file_read(f->env, &f->a, in(f, "a"), 6, &got, &e), 0);
    assert_true(str_eq_c(got, "second"));
    assert_int_equal(env_file_read(f->env, &f->a, in(f, "a"), 5, &got, &e), -ERR_TOO_LARGE);
    assert_int_equal(env_file_read(f->env, &f->a, in(f, "b"), 5, &got, &e), -ERR_NOT_FOUND);
    assert_non_null(strstr(e.msg, "/b: No such file"));
    assert_int_equal(env_path_stat(f->env, in(f, "a"), &st, &e), 0);
    assert_int_equal(st.mode & 07777, 0604);
    assert_int_equal(st.size, 6);
    assert_true(st.is_file);
    assert_int_equal(env_file_read(f->env, &f->a, "/proc/self/status", 65536, &got, &e), 0);
    assert_true(got.len > 100); /* files that claim no size are read whole */
    struct str *names;
    size_t count;
    assert_int_equal(env_dir_list(f->env, &f->a, f->folder, &names, &count, &e), 0);
    assert_int_equal(count, 1); /* no temporary file is left */
}

static void test_folders(void **state)
{
    struct fixture *f = *state;
    struct err e;
    struct str *names;
    size_t count;
    assert_int_equal(env_dir_make(f->env, in(f, "x/y/z"), 0755, &e), 0);
    assert_int_equal(env_dir_make(f->env, in(f, "x/y/z"), 0755, &e), 0);
    assert_int_equal(env_file_write(f->env, in(f, "x/b"), str_lit(""), 0600, &e), 0);
    assert_int_equal(env_file_write(f->env, in(f, "x/a"), str_lit(""), 0600, &e), 0);
    assert_true(env_dir_make(f->env, in(f, "x/a/c"), 0755, &e) < 0);
    assert_int_equal(env_dir_list(f->env, &f->a, in(f, "x"), &names, &count, &e), 0);
    assert_int_equal(count, 3);
    assert_true(str_eq_c(names[0], "a"));
    assert_true(str_eq_c(names[1], "b"));
    assert_true(str_eq_c(names[2], "y"));
    assert_int_equal(env_path_remove(f->env, in(f, "x"), &e), -ERR_CONFLICT);
    assert_int_equal(env_path_rename(f->env, in(f, "x/a"), in(f, "moved"), &e), 0);
    assert_int_equal(env_path_remove(f->env, in(f, "moved"), &e), 0);
    assert_int_equal(env_path_remove(f->env, in(f, "moved"), &e), -ERR_NOT_FOUND);
    assert_int_equal(env_dir_sync(f->env, f->folder, &e), 0);
    uint64_t total;
    uint64_t left;
    assert_int_equal(env_disk_space(f->env, f->folder, &total, &left, &e), 0);
    assert_true(total >= left);
    assert_int_equal(env_path_chmod(f->env, in(f, "x"), 0700, &e), 0);
    assert_int_equal(env_path_chown(f->env, in(f, "x"), (uid_t)-1, (gid_t)-1, &e), 0);
}

static void test_links_are_replaced_and_never_followed_by_removal(void **state)
{
    struct fixture *f = *state;
    struct err e;
    struct str target;
    struct env_stat st;
    assert_int_equal(env_dir_make(f->env, in(f, "v1"), 0755, &e), 0);
    assert_int_equal(env_file_write(f->env, in(f, "v1/kept"), str_lit("k"), 0600, &e), 0);
    assert_int_equal(env_dir_make(f->env, in(f, "t"), 0755, &e), 0);
    assert_int_equal(env_link_set(f->env, "../v1", in(f, "t/data"), &e), 0);
    assert_int_equal(env_link_set(f->env, "../v2", in(f, "t/data"), &e), 0);
    assert_int_equal(env_link_set(f->env, "../v1", in(f, "t/data"), &e), 0);
    assert_int_equal(env_link_read(f->env, &f->a, in(f, "t/data"), &target, &e), 0);
    assert_true(str_eq_c(target, "../v1"));
    assert_int_equal(env_path_lstat(f->env, in(f, "t/data"), &st, &e), 0);
    assert_true(st.is_link);
    assert_int_equal(env_path_stat(f->env, in(f, "t/data"), &st, &e), 0);
    assert_true(st.is_dir);
    assert_int_equal(env_remove_tree(f->env, in(f, "t"), &e), 0);
    assert_true(env_path_exists(f->env, in(f, "v1/kept")));
}

static void test_surroundings(void **state)
{
    struct fixture *f = *state;
    struct str name;
    struct err e;
    assert_int_equal(env_hostname(f->env, &f->a, &name, &e), 0);
    assert_true(name.len > 0);
    assert_non_null(env_variable(f->env, "PATH"));
    assert_null(env_variable(f->env, "NO_SUCH_VARIABLE"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void test_open_files_are_raised(void **state)
{
    struct fixture *f = *state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max / 2;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(env_files_raise(f->env), limit.rlim_max);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, limit.rlim_max);
}

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_write_and_read), T(test_folders),
                                        T(test_links_are_replaced_and_never_followed_by_removal),
                                        T(test_surroundings), T(test_open_files_are_raised) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
