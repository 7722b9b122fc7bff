/* Changes: index rows follow terms, counters follow charges, the digest follows everything. */
#include "store/change.h"
#include "store/key.h"
#include "tests/unit/store/sim_fixture.h"
#include "tests/unit/unit.h"

static void put(struct sim_fixture *f, const struct store_term *terms, size_t count, int64_t charge)
{
    struct store_charge charges[] = { { STR("c"), charge } };
    sim_put(f, (struct store_op){ .type = STORE_OP_PUT,
                                  .key = STR("k"),
                                  .value = STR("v"),
                                  .terms = terms,
                                  .terms_count = count,
                                  .charges = charges,
                                  .charges_count = charge != 0 ? 1 : 0 });
}

static int64_t counted(struct sim_fixture *f)
{
    struct counter c;
    counter_get(f->t, str_lit("c"), &c);
    return c.value;
}

static bool indexed(struct sim_fixture *f, uint32_t index, const char *term)
{
    struct key k;
    struct str value;
    key_index(&k, index, str_from(term), str_lit("k"));
    return kv_get(f->t, KV_INDEX, key_str(&k), &value);
}

static void test_terms(void **state)
{
    (void)state;
    struct sim_fixture f;
    static const struct store_term one[] = { { 1, STR("a") }, { 2, STR("b") }, { 1, STR("a") } };
    static const struct store_term two[] = { { 2, STR("b") }, { 1, STR("c") } };
    sim_init(&f);
    put(&f, one, 3, 0); /* a term given twice has one row */
    assert_true(indexed(&f, 1, "a") && indexed(&f, 2, "b"));
    put(&f, two, 2, 0);
    assert_true(!indexed(&f, 1, "a") && indexed(&f, 2, "b") && indexed(&f, 1, "c"));
    assert_int_equal(sim_rows(&f, KV_INDEX), 2);
    assert_true(sim_delete(&f, "k"));
    assert_int_equal(sim_rows(&f, KV_INDEX), 0);
    assert_false(sim_delete(&f, "k"));
    sim_deinit(&f);
}

static void test_charges(void **state)
{
    (void)state;
    struct sim_fixture f;
    sim_init(&f);
    put(&f, NULL, 0, 5);
    assert_int_equal(counted(&f), 5);
    put(&f, NULL, 0, -2);
    assert_int_equal(counted(&f), -2);
    put(&f, NULL, 0, INT64_MIN); /* sums wrap and come back */
    put(&f, NULL, 0, 7);
    assert_int_equal(counted(&f), 7);
    (void)sim_delete(&f, "k");
    assert_int_equal(counted(&f), 0);
    assert_int_equal(sim_rows(&f, KV_COUNTER), 0); /* zero without a limit is no row */
    assert_true(f.digest == 0);
    sim_deinit(&f);
}

static void test_digest(void **state)
{
    (void)state;
    struct sim_fixture f;
    sim_init(&f);
    put(&f, NULL, 0, 5);
    uint64_t before = f.digest;
    struct store_op rewrap = { .key = STR("k"), .revision = 1, .value = STR("w") };
    change_rewrap(&f.changer, &rewrap);
    assert_true(f.digest != before);
    rewrap.value = str_lit("v");
    change_rewrap(&f.changer, &rewrap);
    assert_true(f.digest == before);
    sim_deinit(&f);
}

/* One key twice in one transaction: the later wins, the earlier is history. */
static void test_twice(void **state)
{
    (void)state;
    struct sim_fixture f;
    struct newest n;
    struct version v;
    struct store_op op = { .type = STORE_OP_PUT, .key = STR("k"), .value = STR("1") };
    sim_init(&f);
    sim_put(&f, op);
    op.value = str_lit("2");
    (void)change_put(&f.changer, &op);
    assert_true(mvcc_newest(f.t, str_lit("k"), &n));
    assert_true(n.place.revision == 1 && n.place.sub == 1);
    assert_true(mvcc_at(f.t, &n, 1, &v) && str_eq_c(v.v.value, "2"));
    assert_true(v.previous.revision == 1 && v.previous.sub == 0 && v.v.version == 2);
    assert_true(mvcc_get(f.t, v.previous, &v) && str_eq_c(v.v.value, "1"));
    sim_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_charges),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
