/* The scheduler's life: started twice, stopped early, fenced, closed at any moment. */
#include "controllers/objects.h"
#include "controllers/scheduler/scheduler.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/unit.h"

static void put_pod(struct cluster *c, const char *name)
{
    cluster_put(c, KIND_POD,
                str_dup(&c->arena, str_printf(&c->arena,
                                              "{\"metadata\":{\"name\":\"%s\",\"namespace\":"
                                              "\"default\"},\"spec\":{\"containers\":[{\"name\":"
                                              "\"c\"}]}}",
                                              name)));
}

/* cluster_deinit checks that nothing is left in flight. */
static void test_closed_at_any_moment(void **state)
{
    (void)state; /* no shared fixture */
    for (uint64_t ms = 0; ms < 120; ms += 3) {
        struct cluster c;

        cluster_init(&c, ms + 1, 1, true);
        put_pod(&c, "p");
        cluster_run(&c, ms);
        cluster_deinit(&c);
    }
}

static void test_generations(void **state)
{
    struct cluster c;
    const Pod *pod;

    (void)state; /* no shared fixture */
    cluster_init(&c, 3, 1, true);
    for (uint64_t term = 2; term < 8; term++) {
        cluster_run(&c, term * 7);
        cluster_resign(&c);
        c.api.fence = term;
        cluster_lead(&c, term);
        cluster_lead(&c, term);
    }
    put_pod(&c, "p");
    cluster_run(&c, 5000);
    pod = fake_get(&c.api, &c.arena, KIND_POD, "default", "p");
    assert_string_equal(pod_node(pod), "node-1");
    assert_int_equal(c.fenced, 0);
    cluster_deinit(&c);
}

static void test_fenced(void **state)
{
    struct cluster c;
    const Pod *pod;

    (void)state; /* no shared fixture */
    cluster_init(&c, 4, 1, true);
    cluster_run(&c, 3000);
    c.api.fence = 9;
    put_pod(&c, "p");
    cluster_run(&c, 5000);
    assert_true(c.fenced >= 1);
    pod = fake_get(&c.api, &c.arena, KIND_POD, "default", "p");
    assert_string_equal(pod_node(pod), "");
    cluster_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_closed_at_any_moment),
                                        cmocka_unit_test(test_generations),
                                        cmocka_unit_test(test_fenced) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
