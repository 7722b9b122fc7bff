/* Open files: reading what grows, across a rename; appends; many parts; space; locks. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
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

/* More parts than the kernel takes at once, some of them empty. */
#define PARTS (3 * IOV_MAX + 7)

static void test_many_parts_are_one_write(void **state)
{
    (void)state;
    struct env *env = env_uv_new();
    char path[] = "/tmp/env-parts-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    static const char text[] = "0123456789";
    struct str *parts = mem_alloc(PARTS * sizeof(*parts));
    size_t total = 0;
    for (size_t i = 0; i < PARTS; i++) {
        parts[i] = i % 11 == 0 ? str_of(NULL, 0) : str_of(text, i % 11);
        total += parts[i].len;
    }
    struct err e;
    struct env_file *f;
    int flags = ENV_FILE_READ | ENV_FILE_WRITE;
    assert_int_equal(env_file_open(env, path, flags, 0, &f, &e), 0);
    assert_int_equal(env_file_pwritev(f, 3, parts, PARTS, &e), 0);
    assert_int_equal(env_file_pwritev(f, 0, NULL, 0, &e), 0);
    char *data = mem_alloc(total + 4);
    size_t len;
    assert_int_equal(env_file_pread(f, 0, data, total + 4, &len, &e), 0);
    assert_int_equal(len, total + 3);
    size_t at = 3;
    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i].len > 0)
            assert_memory_equal(data + at, text, parts[i].len);
        at += parts[i].len;
    }
    env_file_close(f);
    assert_int_equal(env_file_open(env, path, ENV_FILE_READ, 0, &f, &e), 0);
    assert_true(env_file_pwritev(f, 0, parts, PARTS, &e) < 0);
    env_file_close(f);
    mem_free(data);
    mem_free(parts);
    (void)unlink(path);
    env_uv_free(env);
}

static void test_allocated_space_is_zeros(void **state)
{
    (void)state;
    struct env *env = env_uv_new();
    char path[] = "/tmp/env-space-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "what was here before", 20), 20);
    (void)close(fd);
    struct err e;
    struct env_file *f;
    struct env_stat st;
    assert_int_equal(env_file_open(env, path, ENV_FILE_READ | ENV_FILE_WRITE, 0, &f, &e), 0);
    assert_int_equal(env_file_allocate(f, 0, &e), 0);
    assert_int_equal(env_file_allocate(f, 600001, &e), 0);
    assert_int_equal(env_file_stat(f, &st, &e), 0);
    assert_int_equal(st.size, 600001);
    char *data = mem_alloc(600002);
    size_t len;
    memset(data, 1, 600002);
    assert_int_equal(env_file_pread(f, 0, data, 600002, &len, &e), 0);
    assert_int_equal(len, 600001);
    for (size_t i = 0; i < len; i++)
        if (data[i] != 0)
            fail_msg("byte %zu", i);
    mem_free(data);
    /* A limit of the process stands for a full disk; the file can still be used. */
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = { .rlim_cur = 700000, .rlim_max = old.rlim_max };
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_true(env_file_allocate(f, 4u << 20, &e) < 0);
    assert_int_equal(env_file_pwrite(f, 5, str_lit("still"), &e), 0);
    assert_int_equal(env_file_truncate(f, 10, &e), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, handler);
    env_file_close(f);
    (void)unlink(path);
    env_uv_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_following_a_growing_file),
                                        cmocka_unit_test(test_a_lock_excludes_other_processes),
                                        cmocka_unit_test(test_many_parts_are_one_write),
                                        cmocka_unit_test(test_allocated_space_is_zeros) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
