/*
 * A group's folder under a crash before each of its steps: the nth call that changes the disk and
 * all after it do nothing. Whatever it leaves, the next open finds one whole environment, with what
 * was there before or with what was to be installed, and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "store/folder.h"
#include "store/kv.h"
#include "tests/unit/unit.h"

#define NEVER 1000000

static int calls_left = NEVER;
static bool sync_fails; /* a file is written, but nobody can tell whether it will last */

static int dead(struct err *e)
{
    if (calls_left > 0) {
        calls_left--;
        return 0;
    }
    return err_set(e, ERR_IO, "the power went");
}

int __real_env_dir_make(struct env *env, const char *path, mode_t mode, struct err *e);
int __wrap_env_dir_make(struct env *env, const char *path, mode_t mode, struct err *e)
{
    int rc = dead(e);
    return rc != 0 ? rc : __real_env_dir_make(env, path, mode, e);
}

int __real_env_dir_sync(struct env *env, const char *path, struct err *e);
int __wrap_env_dir_sync(struct env *env, const char *path, struct err *e)
{
    int rc = dead(e);
    return rc != 0 ? rc : __real_env_dir_sync(env, path, e);
}

int __real_env_file_write(struct env *env, const char *path, struct str bytes, mode_t mode,
                          struct err *e);
int __wrap_env_file_write(struct env *env, const char *path, struct str bytes, mode_t mode,
                          struct err *e)
{
    int rc = dead(e);
    if (rc == 0)
        rc = __real_env_file_write(env, path, bytes, mode, e);
    if (sync_fails)
        rc = err_set(e, ERR_IO, "not synced");
    return rc;
}

int __real_env_path_remove(struct env *env, const char *path, struct err *e);
int __wrap_env_path_remove(struct env *env, const char *path, struct err *e)
{
    int rc = dead(e);
    return rc != 0 ? rc : __real_env_path_remove(env, path, e);
}

int __real_env_path_rename(struct env *env, const char *from, const char *to, struct err *e);
int __wrap_env_path_rename(struct env *env, const char *from, const char *to, struct err *e)
{
    int rc = dead(e);
    return rc != 0 ? rc : __real_env_path_rename(env, from, to, e);
}

int __real_env_remove_tree(struct env *env, const char *path, struct err *e);
int __wrap_env_remove_tree(struct env *env, const char *path, struct err *e)
{
    int rc = dead(e);
    return rc != 0 ? rc : __real_env_remove_tree(env, path, e);
}

struct world {
    struct env *env;
    char base[256];
    char folder[300];
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    calls_left = NEVER;
    w->env = env_uv_new();
    const char *base = getenv("TEST_TMPDIR");
    snprintf(w->base, sizeof w->base, "%s/folder-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(w->base));
    snprintf(w->folder, sizeof w->folder, "%s/lmdb", w->base);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    calls_left = NEVER;
    (void)env_remove_tree(w->env, w->base, NULL); /* only a temporary folder */
    env_uv_free(w->env);
    free(w);
    return 0;
}

static const char *at(struct world *w, const char *name)
{
    static char paths[4][400];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", w->folder, name);
    return path;
}

static void put_file(struct world *w, const char *name, const char *text)
{
    assert_int_equal(env_file_write(w->env, at(w, name), str_from(text), 0600, NULL), 0);
}

static void make_dir(struct world *w, const char *name)
{
    assert_int_equal(env_dir_make(w->env, at(w, name), 0700, NULL), 0);
}

/* The text of the environment that opens, "" when it is new; and nothing else lies there. */
static void open_whole(struct world *w, char text[16])
{
    char current[FOLDER_BYTES_MAX];
    char path[FOLDER_BYTES_MAX + 16];
    struct arena a;
    struct str bytes = { 0 };
    struct str *names;
    size_t count;
    struct err e = { 0 };
    if (folder_open(w->env, w->folder, current, &e) != 0)
        fail_msg("%s", e.msg);
    arena_init(&a);
    snprintf(path, sizeof path, "%s/" KV_FILE, current);
    if (env_path_exists(w->env, path))
        assert_int_equal(env_file_read(w->env, &a, path, 15, &bytes, NULL), 0);
    snprintf(text, 16, "%.*s", STR_ARG(bytes));
    assert_int_equal(env_dir_list(w->env, &a, w->folder, &names, &count, NULL), 0);
    for (size_t i = 0; i < count; i++)
        assert_true(str_eq_c(names[i], "CURRENT") || str_eq_c(names[i], FOLDER_STAGING) ||
                    str_eq_c(names[i], strrchr(current, '/') + 1) ||
                    str_starts(names[i], str_lit("CURRENT.tmp-")));
    arena_deinit(&a);
}

static void reset(struct world *w)
{
    calls_left = NEVER;
    assert_int_equal(env_remove_tree(w->env, w->folder, NULL), 0);
}

static void test_new(void **state)
{
    struct world *w = *state;
    char current[FOLDER_BYTES_MAX];
    char text[16];
    int steps = 0;
    for (int rc = -1; rc != 0; steps++) {
        reset(w);
        calls_left = steps;
        rc = folder_open(w->env, w->folder, current, NULL);
        calls_left = NEVER;
        open_whole(w, text);
        assert_string_equal(text, "");
    }
    assert_true(steps > 3);
}

/* The previous release's folder: its data is found after a crash at any step. */
static void test_adopt(void **state)
{
    struct world *w = *state;
    char current[FOLDER_BYTES_MAX];
    char text[16];
    int steps = 0;
    for (int rc = -1; rc != 0; steps++) {
        reset(w);
        make_dir(w, "");
        put_file(w, KV_FILE, "old");
        put_file(w, "lock.mdb", "lock");
        calls_left = steps;
        rc = folder_open(w->env, w->folder, current, NULL);
        calls_left = NEVER;
        open_whole(w, text);
        assert_string_equal(text, "old");
        open_whole(w, text);
        assert_string_equal(text, "old");
    }
    assert_true(steps > 7);
}

static int exchange(struct world *w)
{
    char next[FOLDER_BYTES_MAX];
    char staging[400];
    snprintf(staging, sizeof staging, "%s/" FOLDER_STAGING, w->folder);
    int rc = folder_take(w->env, w->folder, staging, next, NULL);
    struct err e = { 0 };
    return rc != 0 ? rc : folder_switch(w->env, w->folder, next, &e);
}

static void test_exchange(void **state)
{
    struct world *w = *state;
    char text[16];
    int steps = 0;
    for (int rc = -1; rc != 0; steps++) {
        reset(w);
        open_whole(w, text);
        put_file(w, "env-1/" KV_FILE, "old");
        make_dir(w, FOLDER_STAGING);
        put_file(w, FOLDER_STAGING "/" KV_FILE, "new");
        calls_left = steps;
        rc = exchange(w);
        calls_left = NEVER;
        open_whole(w, text);
        assert_string_equal(text, rc == 0 ? "new" : "old");
    }
    assert_true(steps > 6);
    /* And once more, from env-2. */
    make_dir(w, FOLDER_STAGING);
    put_file(w, FOLDER_STAGING "/" KV_FILE, "newer");
    assert_int_equal(exchange(w), 0);
    open_whole(w, text);
    assert_string_equal(text, "newer");
}

/* A rename that may not last: the answer says so, and both environments stay. */
static void test_in_doubt(void **state)
{
    struct world *w = *state;
    char text[16];
    open_whole(w, text);
    put_file(w, "env-1/" KV_FILE, "old");
    make_dir(w, FOLDER_STAGING);
    put_file(w, FOLDER_STAGING "/" KV_FILE, "new");
    sync_fails = true;
    assert_int_equal(exchange(w), -ERR_UNKNOWN_OUTCOME);
    sync_fails = false;
    assert_true(env_path_exists(w->env, at(w, "env-1/" KV_FILE)));
    assert_true(env_path_exists(w->env, at(w, "env-2/" KV_FILE)));
}

/* A refused one lies where the next goes: it is replaced, not mixed with it. */
static void test_after_refused(void **state)
{
    struct world *w = *state;
    char text[16];
    char next[FOLDER_BYTES_MAX];
    open_whole(w, text);
    put_file(w, "env-1/" KV_FILE, "old");
    for (int i = 0; i < 2; i++) {
        make_dir(w, FOLDER_STAGING);
        put_file(w, FOLDER_STAGING "/" KV_FILE, i == 0 ? "bad" : "good");
        assert_int_equal(folder_take(w->env, w->folder, at(w, FOLDER_STAGING), next, NULL), 0);
        if (i == 0)
            put_file(w, "env-2/lock.mdb", "lock");
    }
    assert_false(env_path_exists(w->env, at(w, "env-2/lock.mdb")));
    assert_int_equal(folder_switch(w->env, w->folder, next, NULL), 0);
    open_whole(w, text);
    assert_string_equal(text, "good");
}

static void test_refused(void **state)
{
    static const char *const cases[] = {
        "", "env-", "env-0\n", "env-01", "env-1x", "../etc", "env-7", "env-99999999999999999999"
    };
    struct world *w = *state;
    char current[FOLDER_BYTES_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = { 0 };
        reset(w);
        make_dir(w, "env-1");
        put_file(w, "env-1/" KV_FILE, "old");
        put_file(w, "CURRENT", cases[i]);
        assert_int_equal(folder_open(w->env, w->folder, current, &e), -ERR_CORRUPT);
        assert_non_null(strstr(e.msg, "CURRENT"));
        /* Nothing was removed by guessing. */
        assert_true(env_path_exists(w->env, at(w, "env-1/" KV_FILE)));
    }
}

static void test_note(void **state)
{
    struct world *w = *state;
    struct folder_note note = { .copy_id = 7,
                                .point = { .index = 1000,
                                           .term = 2,
                                           .revision = 3,
                                           .digest = 4,
                                           .compacted = 5,
                                           .level = 6 },
                                .bytes = 1u << 20,
                                .sha256 = { 1, 2, 3 } };
    struct folder_note read;
    make_dir(w, FOLDER_STAGING);
    assert_int_equal(folder_note_read(w->env, at(w, FOLDER_STAGING), &read), -ERR_NOT_FOUND);
    assert_int_equal(folder_note_write(w->env, at(w, FOLDER_STAGING), &note, NULL), 0);
    assert_int_equal(folder_note_read(w->env, at(w, FOLDER_STAGING), &read), 0);
    assert_int_equal(read.copy_id, 7);
    assert_int_equal(read.point.index, 1000);
    assert_int_equal(read.point.term, 2);
    assert_int_equal(read.point.revision, 3);
    assert_int_equal(read.point.digest, 4);
    assert_int_equal(read.point.compacted, 5);
    assert_int_equal(read.point.level, 6);
    assert_int_equal(read.bytes, 1u << 20);
    assert_memory_equal(read.sha256, note.sha256, sizeof note.sha256);
    /* Worth keeping while it is newer than what is here. */
    assert_int_equal(folder_sweep(w->env, w->folder, 999, NULL), 0);
    assert_true(env_path_exists(w->env, at(w, FOLDER_STAGING)));
    assert_int_equal(folder_sweep(w->env, w->folder, 1000, NULL), 0);
    assert_false(env_path_exists(w->env, at(w, FOLDER_STAGING)));
    assert_int_equal(folder_sweep(w->env, w->folder, 1000, NULL), 0);
    make_dir(w, FOLDER_STAGING);
    put_file(w, FOLDER_STAGING "/" FOLDER_NOTE, "GNTN and not enough");
    assert_int_equal(folder_note_read(w->env, at(w, FOLDER_STAGING), &read), -ERR_NOT_FOUND);
    assert_int_equal(folder_sweep(w->env, w->folder, 0, NULL), 0);
    assert_false(env_path_exists(w->env, at(w, FOLDER_STAGING)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new, setup, teardown),
        cmocka_unit_test_setup_teardown(test_adopt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exchange, setup, teardown),
        cmocka_unit_test_setup_teardown(test_in_doubt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_after_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_note, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
