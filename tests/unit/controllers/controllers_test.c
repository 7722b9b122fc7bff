/* The controllers' life: closed, restarted and fenced at any moment, with nothing left in flight.
 */
#include "controllers/controllers.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/unit.h"

static void put_work(struct cluster *c)
{
    cluster_put(
        c, KIND_DEPLOYMENT,
        "{\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"},\"spec\":{\"replicas\":9,"
        "\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{\"metadata\":{\"labels\":"
        "{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}}");
}

/* cluster_deinit checks that nothing is left. */
static void test_closed_at_any_moment(void **state)
{
    (void)state; /* no shared fixture */
    for (uint64_t ms = 0; ms < 400; ms += 7) {
        struct cluster c;

        cluster_init(&c, ms + 1, 1, false);
        c.api.lose_every = (unsigned)(ms % 3);
        put_work(&c);
        cluster_run(&c, ms);
        cluster_deinit(&c);
    }
}

/* Terms come faster than generations end; each writes under its own term only. */
static void test_generations(void **state)
{
    (void)state; /* no shared fixture */
    for (uint64_t seed = 1; seed < 8; seed++) {
        struct cluster c;

        cluster_init(&c, seed, 1, false);
        put_work(&c);
        for (uint64_t term = 2; term < 12; term++) {
            cluster_run(&c, seed * 13 + term);
            c.api.fence = term;
            cluster_lead(&c, term);
        }
        cluster_run(&c, 30000);
        assert_int_equal(fake_count(&c.api, KIND_POD), 9);
        assert_int_equal(c.pods_max, 9);
        cluster_deinit(&c);
    }
}

static void test_fenced_at_any_moment(void **state)
{
    (void)state; /* no shared fixture */
    for (uint64_t ms = 1; ms < 400; ms += 7) {
        struct cluster c;

        cluster_init(&c, ms, 1, false);
        put_work(&c);
        cluster_run(&c, ms);
        c.api.fence = 2;
        cluster_run(&c, 20000);
        assert_true(c.fenced <= 1);
        cluster_deinit(&c);
    }
}

static void test_flags(void **state)
{
    struct controllers_flags f;

    (void)state; /* no shared fixture */
    controllers_flags_default(&f);
    assert_int_equal(f.node_grace_ms, 40000);
    assert_int_equal(f.root_ca_pem.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_closed_at_any_moment),
                                        cmocka_unit_test(test_generations),
                                        cmocka_unit_test(test_fenced_at_any_moment),
                                        cmocka_unit_test(test_flags) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
