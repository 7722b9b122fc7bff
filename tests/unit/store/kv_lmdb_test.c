/*
 * LMDB under the store: a writer killed with SIGKILL over and over leaves a map that opens, whose
 * applied index never runs ahead of its data; copies; usage; what a full disk, a full map and a
 * damaged file say.
 */
#include <lmdb.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "store/kv.h"
#include "tests/unit/unit.h"

struct maps {
    struct env *env;
    char folder[256];
    uint64_t seed;
};

static int setup(void **state)
{
    struct maps *m = calloc(1, sizeof *m);
    m->env = env_uv_new();
    m->seed = 1;
    const char *base = getenv("TEST_TMPDIR");
    snprintf(m->folder, sizeof m->folder, "%s/kv-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(m->folder));
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    struct maps *m = *state;
    (void)env_remove_tree(m->env, m->folder, NULL); /* only a temporary folder */
    env_uv_free(m->env);
    free(m);
    return 0;
}

static uint64_t below(struct maps *m, uint64_t n)
{
    m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
    return (m->seed >> 33) % n;
}

static struct kv *open_lmdb(struct maps *m)
{
    struct kv *kv;
    struct err e = { 0 };
    if (kv_lmdb_open(m->folder, 1u << 30, &kv, &e) != 0)
        fail_msg("%s", e.msg);
    return kv;
}

static uint64_t number_of(struct kv *kv, const char *key)
{
    struct str value;
    struct kv_txn *t = kv_begin_read(kv);
    uint64_t n = kv_get(t, KV_META, str_from(key), &value) ? load_le64(value.data) : 0;
    kv_abort(t);
    return n;
}

static void put_number(struct kv_txn *t, const char *key, uint64_t n)
{
    uint8_t bytes[8];
    store_le64(bytes, n);
    kv_put(t, KV_META, str_from(key), str_of(bytes, sizeof bytes));
}

/* Commits as the applier does, until killed: entry i is a row, and the applied index beside it. */
static void write_forever(struct maps *m)
{
    struct kv *kv = open_lmdb(m);
    for (uint64_t i = number_of(kv, "applied") + 1;; i++) {
        struct kv_txn *t = kv_begin_write(kv);
        uint8_t key[8];
        char value[3000];
        store_be64(key, i);
        memset(value, (int)i & 0xff, sizeof value);
        kv_append(t, KV_REV, str_of(key, sizeof key), str_of(value, 1 + (size_t)i * 37 % 2999));
        put_number(t, "applied", i);
        kv_commit(t);
    }
}

static uint64_t check_after_kill(struct maps *m)
{
    struct kv *kv = open_lmdb(m);
    uint64_t applied = number_of(kv, "applied");
    struct kv_txn *t = kv_begin_read(kv);
    struct kv_cursor c;
    uint64_t rows = 0;
    kv_cursor_open(t, KV_REV, &c);
    for (bool more = kv_seek(&c, str_of("", 0)); more; more = kv_next(&c)) {
        rows++;
        assert_int_equal(load_be64(c.key.data), rows);
        assert_int_equal(c.value.len, 1 + rows * 37 % 2999);
        assert_int_equal((uint8_t)c.value.data[c.value.len - 1], rows & 0xff);
    }
    kv_cursor_close(&c);
    kv_abort(t);
    kv_close(kv);
    assert_int_equal(rows, applied);
    return applied;
}

static void test_kill(void **state)
{
    struct maps *m = *state;
    uint64_t applied = 0;
    for (int round = 0; round < 25; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            write_forever(m);
        nanosleep(&(struct timespec){ .tv_nsec = (long)(2 + below(m, 25)) * 1000000 }, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        uint64_t now = check_after_kill(m);
        assert_true(now >= applied);
        applied = now;
    }
    assert_true(applied > 25);
}

static void test_copy(void **state)
{
    struct maps *m = *state;
    struct kv *kv = open_lmdb(m);
    struct kv_txn *t = kv_begin_write(kv);
    put_number(t, "n", 42);
    kv_commit(t);
    char path[300];
    char folder[300];
    char placed[320];
    struct err e = { 0 };
    struct kv *copy;
    snprintf(path, sizeof path, "%s/a.mdb", m->folder);
    snprintf(folder, sizeof folder, "%s/copy", m->folder);
    snprintf(placed, sizeof placed, "%s/" KV_FILE, folder);
    assert_int_equal(kv_lmdb.copy(&kv_lmdb, kv, path, NULL), 0);
    /* What is written later is not in it. */
    t = kv_begin_write(kv);
    put_number(t, "n", 43);
    kv_commit(t);
    assert_int_equal(kv_lmdb.open_copy(&kv_lmdb, path, &copy, NULL), 0);
    assert_int_equal(number_of(copy, "n"), 42);
    kv_close(copy);
    /* A file that is there is never written over, nor opened when it is none. */
    assert_int_equal(kv_lmdb.copy(&kv_lmdb, kv, path, &e), -ERR_ALREADY_EXISTS);
    assert_int_equal(kv_lmdb.open_copy(&kv_lmdb, placed, &copy, &e), -ERR_IO);
    assert_non_null(strstr(e.msg, placed));
    assert_int_equal(env_dir_make(m->env, folder, 0700, NULL), 0);
    assert_int_equal(env_path_rename(m->env, path, placed, NULL), 0);
    assert_int_equal(kv_lmdb.open(&kv_lmdb, folder, 1u << 30, &copy, NULL), 0);
    assert_int_equal(number_of(copy, "n"), 42);
    kv_close(copy);
    kv_close(kv);
}

/* Made by a release that had fewer tables: what it lacks is empty. */
static void test_copy_of_fewer_tables(void **state)
{
    struct maps *m = *state;
    char path[300];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    struct kv *copy;
    struct kv_cursor c;
    struct str value;
    snprintf(path, sizeof path, "%s/old.mdb", m->folder);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
    assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", MDB_CREATE, &dbi), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    assert_int_equal(kv_lmdb.open_copy(&kv_lmdb, path, &copy, NULL), 0);
    struct kv_txn *t = kv_begin_read(copy);
    assert_false(kv_get(t, KV_ROW, str_lit("k"), &value));
    kv_cursor_open(t, KV_ROW, &c);
    assert_false(kv_seek(&c, str_lit("")));
    assert_false(kv_last(&c));
    kv_cursor_close(&c);
    kv_abort(t);
    kv_close(copy);
}

static uint64_t in_use(struct kv *kv)
{
    uint64_t used;
    uint64_t map;
    kv_lmdb_usage(kv, &used, &map);
    assert_int_equal(map, 1u << 30);
    assert_true(kv_lmdb_free_bytes(kv) < used);
    return used - kv_lmdb_free_bytes(kv);
}

/* What rows take is free again when they are deleted, though the file does not shrink. */
static void test_usage(void **state)
{
    struct maps *m = *state;
    struct kv *kv = open_lmdb(m);
    static char value[100000];
    uint64_t before = in_use(kv);
    struct kv_txn *t = kv_begin_write(kv);
    for (uint64_t i = 0; i < 50; i++)
        kv_put(t, KV_ROW, str_of(&i, sizeof i), str_of(value, sizeof value));
    kv_commit(t);
    assert_true(in_use(kv) >= before + 50 * sizeof value);
    t = kv_begin_write(kv);
    for (uint64_t i = 0; i < 50; i++)
        assert_true(kv_delete(t, KV_ROW, str_of(&i, sizeof i)));
    kv_commit(t);
    assert_true(in_use(kv) < before + sizeof value);
    kv_close(kv);
}

/* In a child whose end is an abort: fills until LMDB cannot go on. */
static void fill(const char *folder, uint64_t map_bytes)
{
    struct kv *kv;
    static char value[100000];
    if (kv_lmdb_open(folder, map_bytes, &kv, NULL) != 0)
        _exit(2);
    for (uint64_t i = 0; i < 1000; i++) {
        struct kv_txn *t = kv_begin_write(kv);
        kv_put(t, KV_ROW, str_of(&i, sizeof i), str_of(value, sizeof value));
        kv_commit(t);
    }
    _exit(3);
}

/* A disk of 3 MiB, for this process alone. */
static bool mount_small(const char *folder)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", folder, "tmpfs", 0, "size=3m") == 0;
}

/* What the child said before it died; false: it could not mount. */
static bool last_words(struct maps *m, bool small_disk, char *out, size_t len)
{
    int ends[2];
    int status;
    size_t got = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], 2);
        (void)close(ends[0]);
        if (small_disk && !mount_small(m->folder))
            _exit(4);
        fill(m->folder, small_disk ? 1u << 30 : 1u << 20);
    }
    (void)close(ends[1]);
    for (ssize_t n; got < len - 1 && (n = read(ends[0], out + got, len - 1 - got)) > 0;)
        got += (size_t)n;
    out[got] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
        return false;
    assert_true(WIFSIGNALED(status));
    return true;
}

static void test_full(void **state)
{
    struct maps *m = *state;
    static char words[20000];
    assert_true(last_words(m, false, words, sizeof words));
    assert_non_null(strstr(words, "the state has outgrown its map"));
    if (!last_words(m, true, words, sizeof words))
        skip(); /* mounting is not allowed here */
    assert_non_null(strstr(words, "no space left where the state is kept"));
    assert_non_null(strstr(words, m->folder));
    assert_non_null(strstr(words, "free_bytes"));
}

static void test_damaged(void **state)
{
    struct maps *m = *state;
    char path[300];
    struct kv *kv;
    struct err e = { 0 };
    snprintf(path, sizeof path, "%s/data.mdb", m->folder);
    static char junk[9000];
    memset(junk, 'j', sizeof junk);
    assert_int_equal(env_file_write(m->env, path, str_of(junk, sizeof junk), 0600, NULL), 0);
    assert_int_equal(kv_lmdb_open(m->folder, 1u << 30, &kv, &e), -ERR_CORRUPT);
    assert_non_null(strstr(e.msg, m->folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copy_of_fewer_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(test_usage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
