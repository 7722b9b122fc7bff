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
        assert_true(steps < 1000);
        compact_step(&f->compact, f->t, 3);
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

static void restart(struct sim_fixture *f, size_t batch_rows)
{
    compact_deinit(&f->compact);
    compact_load(&f->compact, f->t);
    f->compact.batch_rows = batch_rows;
}

static void test_restart(void **state)
{
    (void)state;
    struct sim_fixture f;
    sim_init(&f);
    restart(&f, 1000);
    for (int i = 0; i < 2000; i++)
        put(&f, "a");
    compact_set(&f.compact, f.t, str_of("", 0), 2000);
    assert_int_equal(compact_backlog(&f.compact), 2000);
    assert_int_equal(compact_step(&f.compact, f.t, 600), 600); /* a bounded step */
    assert_int_equal(sim_rows(&f, KV_REV), 2000);              /* that only walked */
    assert_int_equal(compact_step(&f.compact, f.t, 600), 600);
    assert_int_equal(sim_rows(&f, KV_REV), 1800);
    restart(&f, 1000); /* this batch once more */
    assert_int_equal(compact_backlog(&f.compact), 2000);
    assert_int_equal(compact_step(&f.compact, f.t, 2000), 2000);
    restart(&f, 1000); /* but not the whole ones */
    assert_int_equal(f.compact.marks[0].done, 1199);
    walk(&f);
    assert_int_equal(sim_rows(&f, KV_REV), 1);
    assert_int_equal(compact_backlog(&f.compact), 0);
    assert_null(f.compact.dead); /* nothing is kept while nothing is done */
    sim_deinit(&f);
}

/* Whatever is restarted when, nothing stays that the marks made unreadable. */
static void test_restarts(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 300; seed++) {
        struct sim_fixture f;
        uint32_t random = seed * 2654435761u;
        size_t live = 0;
        bool has[6] = { false };
        sim_init(&f);
        restart(&f, 1 + seed % 20);
        for (int i = 0; i < 120; i++) {
            random = random * 1664525u + 1013904223u;
            const char *const keys[6] = { "a", "b", "c", "l/a", "l/b", "l/c" };
            size_t k = (random >> 8) % 6;
            if (has[k] && (random >> 16) % 3 == 0)
                has[k] = !sim_delete(&f, keys[k]);
            else {
                put(&f, keys[k]);
                has[k] = true;
            }
            if ((random >> 20) % 16 == 0)
                compact_set(&f.compact, f.t,
                            (random >> 24) % 2 == 0 ? str_of("", 0) : str_lit("l/"),
                            f.changer.at.revision);
            (void)compact_step(&f.compact, f.t, (random >> 10) % 4); /* it may have nothing to do */
            if ((random >> 12) % 8 == 0)
                restart(&f, 1 + seed % 20);
        }
        compact_set(&f.compact, f.t, str_of("", 0), f.changer.at.revision);
        walk(&f);
        for (size_t k = 0; k < 6; k++)
            live += has[k] ? 1 : 0;
        assert_int_equal(sim_rows(&f, KV_CUR), live);
        assert_int_equal(sim_rows(&f, KV_REV), live);
        sim_deinit(&f);
    }
}

/* Steps smaller than a revision get through it. */
static void test_small_steps(void **state)
{
    (void)state;
    struct sim_fixture f;
    sim_init(&f);
    for (int round = 0; round < 2; round++) {
        f.changer.at = (struct place){ f.changer.at.revision + 1, 0 };
        for (int i = 0; i < 40; i++) {
            char key[16];
            snprintf(key, sizeof key, "k%d", i);
            (void)change_put(&f.changer,
                             &(struct store_op){ .type = STORE_OP_PUT, .key = str_from(key) });
        }
    }
    assert_int_equal(sim_rows(&f, KV_REV), 80);
    compact_set(&f.compact, f.t, str_of("", 0), 2);
    size_t steps = 0;
    for (; compact_pending(&f.compact); steps++)
        assert_true(compact_step(&f.compact, f.t, 7) <= 7);
    assert_true(steps >= 120 / 7 && steps < 25); /* 80 walked, 40 removed */
    assert_int_equal(sim_rows(&f, KV_REV), 40);
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
        cmocka_unit_test(test_rows),         cmocka_unit_test(test_logical),
        cmocka_unit_test(test_short_window), cmocka_unit_test(test_restart),
        cmocka_unit_test(test_small_steps),  cmocka_unit_test(test_marks_bounded),
        cmocka_unit_test(test_restarts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
