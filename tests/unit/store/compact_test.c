/* Forgetting: which rows go, in steps, restartable, and with a short window for a prefix. */
#include <stdio.h>

#include "tests/unit/store/sim_fixture.h"
#include "tests/unit/unit.h"

static void put(struct sim_fixture *f, const char *key)
{
    sim_put(f, (struct store_op){ .type = STORE_OP_PUT, .key = str_from(key), .value = STR("v") });
}

static void walk(struct sim_fixture *f)
{
    for (int steps = 0; compact_pending(&f->compact); steps++) {
        assert_true(steps < 100);
        compact_step(&f->compact, f->t, STORE_TXN_OPS_MAX + 1);
    }
}

static void test_rows(void **state)
{
    (void)state;
    struct sim_fixture f;
    sim_init(&f);
    for (int i = 0; i < 5; i++)
        put(&f, "a");                 /* 1..5 */
    put(&f, "b");                     /* 6 */
    assert_true(sim_delete(&f, "b")); /* 7 */
    put(&f, "c");                     /* 8 */
    walk(&f);
    assert_int_equal(sim_rows(&f, KV_REV), 8);
    compact_set(&f.compact, f.t, str_of("", 0), 3);
    walk(&f);
    assert_int_equal(sim_rows(&f, KV_REV), 6);      /* 1 and 2 went; 3 is readable at 3 */
    compact_set(&f.compact, f.t, str_of("", 0), 2); /* marks only rise */
    assert_int_equal(compact_of_key(&f.compact, str_lit("a")), 3);
    compact_set(&f.compact, f.t, str_of("", 0), 7);
    assert_int_equal(sim_rows(&f, KV_CUR), 3);
    walk(&f);
    assert_int_equal(sim_rows(&f, KV_REV), 2); /* a at 5, c at 8; b and its tombstone went */
    assert_int_equal(sim_rows(&f, KV_CUR), 2);
    sim_deinit(&f);
}

/* A tombstone behind the mark counts as absent even while its rows are still there. */
static void test_logical(void **state)
{
    (void)state;
    struct sim_fixture f;
    struct newest n;
    struct version v;
    sim_init(&f);
    put(&f, "a");
    assert_true(sim_delete(&f, "a"));
    assert_true(change_newest(f.t, &f.compact, str_lit("a"), &n) && n.tombstone);
    compact_set(&f.compact, f.t, str_of("", 0), 2);
    assert_false(change_newest(f.t, &f.compact, str_lit("a"), &n));
    put(&f, "a");
    assert_true(mvcc_newest(f.t, str_lit("a"), &n) && mvcc_get(f.t, n.place, &v));
    assert_int_equal(v.v.previous, 0); /* as on a member that had walked already */
    walk(&f);
    assert_int_equal(sim_rows(&f, KV_REV), 1); /* nothing is left behind */
    assert_true(mvcc_newest(f.t, str_lit("a"), &n) && n.place.revision == 3);
    sim_deinit(&f);
}

static void test_short_window(void **state)
{
    (void)state;
    struct sim_fixture f;
    sim_init(&f);
    for (int i = 0; i < 4; i++) {
        put(&f, "leases/a");
        put(&f, "pods/a");
    }
    compact_set(&f.compact, f.t, str_lit("leases/"), 8);
    assert_int_equal(compact_of_key(&f.compact, str_lit("leases/a")), 8);
    assert_int_equal(compact_of_key(&f.compact, str_lit("pods/a")), 0);
    assert_int_equal(compact_of_prefix(&f.compact, str_lit("leases/x")), 8);
    assert_int_equal(compact_of_prefix(&f.compact, str_lit("lea")), 8); /* holds such keys */
    assert_int_equal(compact_of_prefix(&f.compact, str_lit("pods/")), 0);
    walk(&f);
    assert_int_equal(sim_rows(&f, KV_REV), 5);
    compact_set(&f.compact, f.t, str_of("", 0), 8);
    walk(&f);
    assert_int_equal(sim_rows(&f, KV_REV), 2);
    sim_deinit(&f);
}

static void test_restart(void **state)
{
    (void)state;
    struct sim_fixture f;
    sim_init(&f);
    for (int i = 0; i < 1000; i++)
        put(&f, "a");
    compact_set(&f.compact, f.t, str_of("", 0), 1000);
    compact_step(&f.compact, f.t, 300);
    size_t left = sim_rows(&f, KV_REV);
    assert_true(left > 600 && left < 800); /* a bounded step */
    compact_load(&f.compact, f.t);         /* as after a restart */
    assert_true(f.compact.marks[0].done >= 298);
    walk(&f);
    assert_int_equal(sim_rows(&f, KV_REV), 1);
    sim_deinit(&f);
}

static void test_marks_bounded(void **state)
{
    (void)state;
    struct sim_fixture f;
    sim_init(&f);
    for (int i = 0; i < 2 * COMPACT_MARKS_MAX; i++) {
        char prefix[16];
        snprintf(prefix, sizeof prefix, "p%d/", i);
        compact_set(&f.compact, f.t, str_from(prefix), 5);
        assert_int_equal(compact_of_key(&f.compact, str_from(prefix)),
                         i < STORE_SHORT_PREFIXES_MAX ? 5 : 0);
    }
    sim_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),          cmocka_unit_test(test_logical),
        cmocka_unit_test(test_short_window),  cmocka_unit_test(test_restart),
        cmocka_unit_test(test_marks_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
