/* Streams and plain rows on the map: producers, trimming, and forgetting trimmed rows in steps. */
#include "store/stream.h"
#include "tests/unit/store/sim_fixture.h"
#include "tests/unit/unit.h"

static uint64_t append(struct sim_fixture *f, const char *stream, const char *producer,
                       uint64_t sequence)
{
    struct store_op op = { .type = STORE_OP_APPEND,
                           .key = str_from(stream),
                           .value = STR("m"),
                           .producer = str_from(producer),
                           .producer_sequence = sequence };
    bool appended = false;
    uint64_t got = stream_append(f->t, &op, &f->digest, &appended);
    assert_true(appended || producer[0] != '\0');
    return got;
}

static void trim(struct sim_fixture *f, const char *stream, uint64_t upto)
{
    struct store_op op = { .type = STORE_OP_TRIM, .key = str_from(stream), .revision = upto };
    stream_trim(f->t, &op, &f->digest);
}

static void test_producers(void **state)
{
    (void)state;
    struct sim_fixture f;
    sim_init(&f);
    assert_int_equal(append(&f, "t", "p", 1), 1);
    assert_int_equal(append(&f, "t", "q", 1), 2); /* each its own count */
    assert_int_equal(append(&f, "u", "p", 1), 1); /* and in each stream */
    uint64_t digest = f.digest;
    assert_int_equal(append(&f, "t", "p", 1), 1);
    assert_true(f.digest == digest);
    assert_int_equal(append(&f, "t", "p", 5), 3);
    assert_int_equal(append(&f, "t", "p", 4), 0); /* older: not known any more */
    assert_int_equal(sim_rows(&f, KV_PRODUCER), 3);
    assert_int_equal(sim_rows(&f, KV_STREAM), 4);
    sim_deinit(&f);
}

static void test_trim(void **state)
{
    (void)state;
    struct sim_fixture f;
    struct stream_state s;
    sim_init(&f);
    for (int i = 0; i < 10; i++) {
        (void)append(&f, "t", "", 0);
        (void)append(&f, "t2", "", 0);
    }
    trim(&f, "t", 7);
    trim(&f, "t", 3); /* goes no way back */
    assert_true(stream_get(f.t, str_lit("t"), &s) && s.first == 8 && s.last == 10);
    assert_int_equal(sim_rows(&f, KV_STREAM), 20);
    assert_int_equal(stream_forget(f.t, 4), 4);
    assert_int_equal(sim_rows(&f, KV_STREAM), 16);
    assert_int_equal(stream_forget(f.t, 100), 3);
    assert_int_equal(stream_forget(f.t, 100), 0);
    trim(&f, "t", UINT64_MAX); /* all there is, no more */
    trim(&f, "nothing", 5);
    assert_true(stream_get(f.t, str_lit("t"), &s) && s.first == 11 && s.last == 10);
    assert_int_equal(stream_forget(f.t, 100), 3);
    assert_int_equal(append(&f, "t", "", 0), 11);
    assert_int_equal(stream_forget(f.t, 100), 0);
    sim_deinit(&f);
}

static void test_rows(void **state)
{
    (void)state;
    struct sim_fixture f;
    sim_init(&f);
    row_put(f.t, str_lit("a"), str_lit("1"), &f.digest);
    uint64_t one = f.digest;
    row_put(f.t, str_lit("b"), str_lit("2"), &f.digest);
    row_put(f.t, str_lit("a"), str_lit("3"), &f.digest);
    row_put(f.t, str_lit("a"), str_lit("1"), &f.digest);
    row_delete(f.t, str_lit("b"), &f.digest);
    row_delete(f.t, str_lit("b"), &f.digest);
    assert_true(f.digest == one && one != 0); /* the same state, the same digest */
    row_delete(f.t, str_lit("a"), &f.digest);
    assert_true(f.digest == 0);
    sim_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_producers),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
