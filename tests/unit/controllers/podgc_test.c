/* Pod garbage: decisions as a table, and a node that is deleted. */
#include "controllers/podgc.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/controllers/decision.h"
#include "tests/unit/unit.h"

#define GOING "\"deletionTimestamp\":\"2001-01-01T00:00:00Z\","
#define POD(name, meta, node, phase)                                                               \
    "{\"metadata\":{" meta "\"name\":\"" name                                                      \
    "\",\"namespace\":\"d\"},\"spec\":{\"nodeName\":\"" node                                       \
    "\",\"containers\":[]},\"status\":{\"phase\":\"" phase "\"}}"

static void test_rows(void **state)
{
    struct decision_case c;

    (void)state; /* no shared fixture */
    decision_init(&c);
    decision_add(&c, KIND_NODE, "{\"metadata\":{\"name\":\"n\"}}");
    decision_add(&c, KIND_POD, POD("bound", "", "n", "Running"));
    decision_add(&c, KIND_POD, POD("never", GOING, "", "Pending"));
    decision_add(&c, KIND_POD, POD("lost", "", "m", "Running"));
    decision_add(&c, KIND_POD, POD("over", "", "m", "Succeeded"));
    decision_check(&c, &podgc_controller, KIND_POD, "d", "bound", "");
    decision_check(&c, &podgc_controller, KIND_POD, "d", "never", "delete Pod d/never grace=0\n");
    decision_check(&c, &podgc_controller, KIND_POD, "d", "absent", "");
    decision_check(&c, &podgc_controller, KIND_NODE, "", "n", "");
    decision_check(&c, &podgc_controller, KIND_NODE, "", "m",
                   "confirm-absent Node /m\nupdate Pod d/lost status\ndelete Pod d/lost grace=0\n"
                   "delete Pod d/over grace=0\n");
    decision_check(&c, &podgc_controller, KIND_NODE, "", "Finished", "");
    c.flags.terminated_pods_max = 0;
    decision_check(&c, &podgc_controller, KIND_NODE, "", "Finished", "delete Pod d/over grace=0\n");
    decision_deinit(&c);
}

static void test_node_goes(void **state)
{
    struct cluster c;

    (void)state; /* no shared fixture */
    cluster_init(&c, 1, 2, false);
    cluster_put(&c, KIND_POD, POD("p", "", "node-2", "Pending"));
    cluster_run(&c, 3000);
    fake_remove(&c.api, KIND_NODE, "", "node-2");
    c.dead_node = "node-2";
    cluster_run(&c, 35000);
    assert_int_equal(fake_count(&c.api, KIND_POD), 1);
    cluster_run(&c, 10000);
    assert_int_equal(fake_count(&c.api, KIND_POD), 0);
    cluster_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows),
                                        cmocka_unit_test(test_node_goes) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
