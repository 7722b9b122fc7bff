/* Both ordered maps against each other: random operations and aborts give the same rows. */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "store/kv.h"
#include "tests/unit/unit.h"

struct maps {
    struct env *env;
    char folder[256];
    struct kv_sim_disk *disk;
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
    m->disk = kv_sim_disk_new();
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    struct maps *m = *state;
    (void)env_remove_tree(m->env, m->folder, NULL); /* only a temporary folder */
    kv_sim_disk_free(m->disk);
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

static void assert_same(struct kv_txn *a, struct kv_txn *b, enum kv_table table, bool backwards)
{
    struct kv_cursor ca;
    struct kv_cursor cb;
    kv_cursor_open(a, table, &ca);
    kv_cursor_open(b, table, &cb);
    bool more_a = backwards ? kv_last(&ca) : kv_seek(&ca, str_of("", 0));
    bool more_b = backwards ? kv_last(&cb) : kv_seek(&cb, str_of("", 0));
    while (more_a && more_b) {
        assert_true(str_eq(ca.key, cb.key));
        assert_true(str_eq(ca.value, cb.value));
        more_a = backwards ? kv_prev(&ca) : kv_next(&ca);
        more_b = backwards ? kv_prev(&cb) : kv_next(&cb);
    }
    assert_int_equal(more_a, more_b);
    kv_cursor_close(&ca);
    kv_cursor_close(&cb);
}

static struct str random_key(struct maps *m, char bytes[8])
{
    size_t len = 1 + below(m, 3);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)('a' + below(m, 5));
    return str_of(bytes, len);
}

static void change(struct maps *m, struct kv_txn *a, struct kv_txn *b)
{
    char key_bytes[8];
    char value_bytes[32];
    struct str key = random_key(m, key_bytes);
    if (below(m, 3) == 0) {
        assert_int_equal(kv_delete(a, KV_CUR, key), kv_delete(b, KV_CUR, key));
        return;
    }
    snprintf(value_bytes, sizeof value_bytes, "%llu", (unsigned long long)below(m, 1000000));
    kv_put(a, KV_CUR, key, str_from(value_bytes));
    kv_put(b, KV_CUR, key, str_from(value_bytes));
}

static void test_same(void **state)
{
    struct maps *m = *state;
    struct kv *lmdb = open_lmdb(m);
    struct kv *sim = kv_sim_open(m->disk);
    for (int round = 0; round < 100; round++) {
        struct kv_txn *a = kv_begin_write(lmdb);
        struct kv_txn *b = kv_begin_write(sim);
        for (int i = 0; i < 40; i++)
            change(m, a, b);
        if (below(m, 3) == 0) {
            kv_abort(a);
            kv_abort(b);
        } else {
            kv_commit(a);
            kv_commit(b);
        }
        a = kv_begin_read(lmdb);
        b = kv_begin_read(sim);
        assert_same(a, b, KV_CUR, round % 2 == 0);
        char bytes[8];
        struct str key = random_key(m, bytes);
        struct kv_cursor ca;
        struct kv_cursor cb;
        kv_cursor_open(a, KV_CUR, &ca);
        kv_cursor_open(b, KV_CUR, &cb);
        bool found = kv_seek(&ca, key);
        assert_int_equal(found, kv_seek(&cb, key));
        assert_true(!found || str_eq(ca.key, cb.key));
        kv_cursor_close(&ca);
        kv_cursor_close(&cb);
        kv_abort(a);
        kv_abort(b);
    }
    kv_close(lmdb);
    kv_close(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
