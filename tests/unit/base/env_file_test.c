/* Open files: reading what grows, across a rename; appends; locks between processes. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/env.h"
#include "base/env_uv.h"
#include "tests/unit/unit.h"

static void test_following_a_growing_file(void **state)
{
    (void)state;
    struct env *env = env_uv_new();
    char folder[] = "/tmp/env-file-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    char moved[64];
    (void)snprintf(path, sizeof(path), "%s/log", folder);
    (void)snprintf(moved, sizeof(moved), "%s/log.1", folder);
    struct err e;
    struct env_file *w;
    struct env_file *r;
    assert_int_equal(env_file_open(env, path, ENV_FILE_READ, 0, &r, &e), -ERR_NOT_FOUND);
    int append = ENV_FILE_WRITE | ENV_FILE_CREATE | ENV_FILE_APPEND;
    assert_int_equal(env_file_open(env, path, append, 0600, &w, &e), 0);
    assert_int_equal(env_file_open(env, path, append | ENV_FILE_EXCLUSIVE, 0600, &r, &e),
                     -ERR_ALREADY_EXISTS);
    assert_int_equal(env_file_open(env, path, ENV_FILE_READ, 0, &r, &e), 0);
    char data[16];
    size_t len;
    assert_int_equal(env_file_pread(r, 0, data, sizeof(data), &len, &e), 0);
    assert_int_equal(len, 0);
    assert_int_equal(env_file_append(w, str_lit("hello"), &e), 0);
    assert_int_equal(env_file_append(w, str_lit(" world"), &e), 0);
    assert_int_equal(env_file_sync(w, &e), 0);
    assert_int_equal(env_file_pread(r, 6, data, sizeof(data), &len, &e), 0);
    assert_int_equal(len, 5);
    assert_memory_equal(data, "world", 5);
    struct env_stat before;
    struct env_stat after;
    assert_int_equal(env_file_stat(r, &before, &e), 0);
    assert_int_equal(before.size, 11);
    assert_int_equal(env_path_rename(env, path, moved, &e), 0);
    assert_int_equal(env_path_stat(env, moved, &after, &e), 0);
    assert_true(before.inode == after.inode && before.device == after.device);
    assert_int_equal(env_file_truncate(w, 2, &e), 0);
    assert_int_equal(env_file_stat(r, &after, &e), 0);
    assert_int_equal(after.size, 2);
    assert_true(env_file_append(r, str_lit("x"), &e) < 0); /* opened for reading */
    env_file_close(r);
    env_file_close(w);
    env_file_close(NULL);
    assert_int_equal(env_remove_tree(env, folder, &e), 0);
    env_uv_free(env);
}

static void test_a_lock_excludes_other_processes(void **state)
{
    (void)state;
    struct env *env = env_uv_new();
    char path[] = "/tmp/env-lock-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    struct err e;
    struct env_file *lock;
    assert_int_equal(env_file_lock(env, path, &lock, &e), 0);
    pid_t child = fork();
    if (child == 0) {
        struct env_file *theirs;
        _exit(env_file_lock(env, path, &theirs, &e) == -ERR_CONFLICT ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    env_file_close(lock);
    assert_int_equal(env_file_lock(env, path, &lock, &e), 0); /* free again */
    assert_int_equal(env_file_pwrite(lock, 3, str_lit("pid"), &e), 0);
    struct env_stat st;
    assert_int_equal(env_file_stat(lock, &st, &e), 0);
    assert_int_equal(st.size, 6);
    env_file_close(lock);
    (void)unlink(path);
    env_uv_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_following_a_growing_file),
                                        cmocka_unit_test(test_a_lock_excludes_other_processes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
