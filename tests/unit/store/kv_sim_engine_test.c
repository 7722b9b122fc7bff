/*
 * The simulation's environments as files: a copy becomes an environment, whose rows a crash does
 * not take back; what is no copy is refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "store/kv.h"
#include "tests/unit/unit.h"

struct world {
    struct env *env;
    struct kv_engine *engine;
    char folder[256];
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->env = env_uv_new();
    w->engine = kv_sim_engine_new(w->env);
    const char *base = getenv("TEST_TMPDIR");
    snprintf(w->folder, sizeof w->folder, "%s/sim-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(w->folder));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    kv_sim_engine_free(w->engine);
    (void)env_remove_tree(w->env, w->folder, NULL); /* only a temporary folder */
    env_uv_free(w->env);
    free(w);
    return 0;
}

static const char *at(struct world *w, const char *name)
{
    static char paths[4][320];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", w->folder, name);
    return path;
}

static struct kv *open_env(struct world *w, const char *name)
{
    struct kv *kv;
    assert_int_equal(w->engine->open(w->engine, at(w, name), 0, &kv, NULL), 0);
    assert_true(kv_sim_is(kv));
    return kv;
}

static void put(struct kv *kv, enum kv_table table, const char *key, const char *value)
{
    struct kv_txn *t = kv_begin_write(kv);
    kv_put(t, table, str_from(key), str_from(value));
    kv_commit(t);
}

static bool has(struct kv *kv, enum kv_table table, const char *key, const char *value)
{
    struct str found;
    struct kv_txn *t = kv_begin_read(kv);
    bool same = kv_get(t, table, str_from(key), &found) && str_eq_c(found, value);
    kv_abort(t);
    return same;
}

static void test_copy(void **state)
{
    struct world *w = *state;
    struct kv *kv = open_env(w, "a");
    struct kv *copy;
    struct err e;
    put(kv, KV_CUR, "k", "1");
    put(kv, KV_PRODUCER, "last", "");
    assert_int_equal(w->engine->copy(w->engine, kv, at(w, "copy"), NULL), 0);
    assert_int_equal(w->engine->copy(w->engine, kv, at(w, "copy"), &e), -ERR_ALREADY_EXISTS);
    put(kv, KV_CUR, "k", "2");
    assert_int_equal(w->engine->open_copy(w->engine, at(w, "copy"), &copy, NULL), 0);
    assert_true(has(copy, KV_CUR, "k", "1"));
    kv_close(copy);

    assert_int_equal(env_dir_make(w->env, at(w, "b"), 0700, NULL), 0);
    assert_int_equal(env_path_rename(w->env, at(w, "copy"), at(w, "b/" KV_FILE), NULL), 0);
    copy = open_env(w, "b");
    kv_sim_engine_crash(w->engine, true); /* takes k = 2 back, and nothing that came as a file */
    kv_close(copy);
    kv_close(kv);
    kv = open_env(w, "a");
    copy = open_env(w, "b");
    assert_true(has(kv, KV_CUR, "k", "1"));
    assert_true(has(copy, KV_CUR, "k", "1"));
    assert_true(has(copy, KV_PRODUCER, "last", ""));
    put(copy, KV_CUR, "k", "3");
    kv_close(copy);
    copy = open_env(w, "b"); /* the same disk again */
    assert_true(has(copy, KV_CUR, "k", "3"));
    assert_true(has(kv, KV_CUR, "k", "1"));
    kv_close(copy);
    kv_close(kv);
}

/* A copy whose bytes did not last is not the environment that was loaded from it. */
static void test_lost_bytes(void **state)
{
    struct world *w = *state;
    struct kv *kv = open_env(w, "a");
    struct env_file *f;
    struct err e;
    put(kv, KV_CUR, "k", "1");
    assert_int_equal(env_dir_make(w->env, at(w, "b"), 0700, NULL), 0);
    assert_int_equal(w->engine->copy(w->engine, kv, at(w, "b/" KV_FILE), NULL), 0);
    kv_close(kv);
    kv_close(open_env(w, "b"));
    assert_int_equal(env_file_open(w->env, at(w, "b/" KV_FILE), ENV_FILE_WRITE, 0, &f, NULL), 0);
    assert_int_equal(env_file_truncate(f, 12, NULL), 0);
    env_file_close(f);
    assert_int_equal(w->engine->open(w->engine, at(w, "b"), 0, &kv, &e), -ERR_CORRUPT);
}

static void test_refused(void **state)
{
    static const struct {
        struct str bytes;
        const char *says;
    } cases[] = {
        { STR(""), "no rows" },
        { STR("KVSIMROW"), "no rows" },
        { STR("KVSIMROW\x01k\x05v"), "no rows" },
        { STR("KVSIMROW\0\0\0\0\0\0\0\0\0more"), "no rows" },
        { STR("KVSIMNEW\x63\0\0\0\0\0\0"), "no rows" },
    };
    struct world *w = *state;
    assert_int_equal(env_dir_make(w->env, at(w, "x"), 0700, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kv *kv;
        struct err e = { 0 };
        const char *path = at(w, "x/" KV_FILE);
        assert_int_equal(env_file_write(w->env, path, cases[i].bytes, 0600, NULL), 0);
        assert_int_equal(w->engine->open(w->engine, at(w, "x"), 0, &kv, &e), -ERR_CORRUPT);
        assert_non_null(strstr(e.msg, cases[i].says));
        assert_int_equal(w->engine->open_copy(w->engine, path, &kv, &e), -ERR_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
