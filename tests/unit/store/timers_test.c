/* Timers as rows: one per key, the earliest first, counted and digested. */
#include "store/mvcc.h"
#include "store/timers.h"
#include "tests/unit/store/sim_fixture.h"
#include "tests/unit/unit.h"

struct world {
    struct sim_fixture f;
    struct timers timers;
};

static void set(struct world *w, const char *key, uint64_t revision, uint64_t deadline_ms)
{
    timers_set(&w->timers, w->f.t, TIMER_VERSION, str_from(key), revision, deadline_ms,
               &w->f.digest);
}

static uint64_t table_digest(struct world *w)
{
    struct kv_cursor c;
    uint64_t digest = 0;
    kv_cursor_open(w->f.t, KV_TIMER, &c);
    for (bool more = kv_seek(&c, str_of("", 0)); more; more = kv_next(&c))
        digest += row_hash(KV_TIMER, c.key, c.value);
    kv_cursor_close(&c);
    return digest;
}

static void assert_first(struct world *w, uint64_t deadline_ms, const char *key, uint64_t revision)
{
    struct timer first;
    assert_true(timers_first(w->f.t, &first));
    assert_int_equal(first.deadline_ms, deadline_ms);
    assert_int_equal(first.kind, TIMER_VERSION);
    assert_true(str_eq_c(key_str(&first.key), key));
    assert_int_equal(first.revision, revision);
}

static void test_order(void **state)
{
    (void)state;
    struct world w = { 0 };
    sim_init(&w.f);
    struct timer none;
    assert_false(timers_first(w.f.t, &none));
    set(&w, "a", 1, 300);
    set(&w, "b", 2, 256); /* big endian: 256 < 300 */
    set(&w, "c", 3, UINT64_MAX);
    set(&w, "ab", 4, 256);
    assert_true(w.timers.changed);
    assert_int_equal(w.timers.count, 4);
    assert_first(&w, 256, "ab", 4);
    set(&w, "ab", 5, 301); /* replaced, not added */
    assert_int_equal(w.timers.count, 4);
    assert_int_equal(sim_rows(&w.f, KV_TIMER), 4);
    assert_int_equal(timers_of(w.f.t, TIMER_VERSION, str_lit("ab")), 301);
    assert_first(&w, 256, "b", 2);
    /* The same bytes of another kind are another timer, the earlier the later kind. */
    timers_set(&w.timers, w.f.t, TIMER_PRODUCER, str_lit("b"), 0, 256, &w.f.digest);
    assert_first(&w, 256, "b", 2);
    set(&w, "b", 0, 0);
    assert_int_equal(timers_of(w.f.t, TIMER_PRODUCER, str_lit("b")), 256);
    timers_set(&w.timers, w.f.t, TIMER_PRODUCER, str_lit("b"), 0, 0, &w.f.digest);
    assert_int_equal(timers_of(w.f.t, TIMER_VERSION, str_lit("b")), 0);
    assert_first(&w, 300, "a", 1);
    assert_true(w.f.digest == table_digest(&w));
    set(&w, "a", 0, 0);
    set(&w, "ab", 0, 0);
    set(&w, "c", 0, 0);
    assert_int_equal(w.timers.count, 0);
    assert_int_equal(sim_rows(&w.f, KV_TIMER) + sim_rows(&w.f, KV_EXPIRY), 0);
    assert_true(w.f.digest == 0);
    w.timers.changed = false;
    set(&w, "nobody", 0, 0);
    assert_false(w.timers.changed);
    sim_deinit(&w.f);
}

/* A version's timer comes with its put and goes with whatever follows. */
static void test_of_versions(void **state)
{
    (void)state;
    struct world w = { 0 };
    sim_init(&w.f);
    w.f.changer.timers = &w.timers;
    struct store_op put = {
        .type = STORE_OP_PUT, .key = STR("k"), .value = STR("v"), .expires_ms = 50
    };
    sim_put(&w.f, put);
    assert_first(&w, 50, "k", 1);
    put.expires_ms = 40;
    sim_put(&w.f, put);
    assert_first(&w, 40, "k", 2);
    put.expires_ms = 0;
    sim_put(&w.f, put);
    assert_int_equal(w.timers.count, 0);
    put.expires_ms = 60;
    sim_put(&w.f, put);
    assert_true(sim_delete(&w.f, "k"));
    assert_int_equal(w.timers.count, 0);
    struct timer none;
    assert_false(timers_first(w.f.t, &none));
    w.f.changer.timers = NULL; /* below feature level 2 nobody looks */
    put.expires_ms = 0;
    sim_put(&w.f, put);
    assert_int_equal(sim_rows(&w.f, KV_EXPIRY), 0);
    sim_deinit(&w.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_order),
                                        cmocka_unit_test(test_of_versions) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
