/* Node lifecycle: decisions as tables, and a node that dies and comes back. */
#include <string.h>

#include "api/meta/condition.h"
#include "controllers/nodelifecycle.h"
#include "controllers/objects.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/controllers/decision.h"
#include "tests/unit/unit.h"

#define NODE(ready, taints)                                                                        \
    "{\"metadata\":{\"name\":\"n\",\"creationTimestamp\":\"2001-01-01T00:00:00Z\"},\"spec\":{"     \
    "\"taints\":[" taints "]},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"" ready \
    "\"}]}}"
#define TAINT(key, effect)                                                                         \
    "{\"key\":\"node.kubernetes.io/" key "\",\"effect\":\"" effect                                 \
    "\",\"timeAdded\":\"2001-09-09T01:45:00Z\"}"
#define LEASE(time)                                                                                \
    "{\"metadata\":{\"name\":\"n\",\"namespace\":\"kube-node-lease\"},\"spec\":{\"renewTime\":"    \
    "\"" time "\"}}"
#define FRESH "2001-09-09T01:46:30.000000Z" /* ten seconds ago */
#define OLD   "2001-09-09T01:45:30.000000Z" /* seventy */

static const struct row {
    const char *node, *lease, *want;
} rows[] = {
    { NODE("True", ""), LEASE(FRESH), "again 30001\n" },
    { NODE("True", ""), LEASE(OLD), "update Node /n status\n" },
    { NODE("True", ""), NULL, "update Node /n status\n" },
    { NODE("False", ""), LEASE(FRESH), "update Node /n\nagain 30001\n" },
    { NODE("True", TAINT("unreachable", "NoExecute")), LEASE(FRESH),
      "update Node /n\nagain 30001\n" },
    { NODE("False", TAINT("not-ready", "NoSchedule") "," TAINT("not-ready", "NoExecute")),
      LEASE(FRESH), "again 30001\n" },
};

static void test_nodes(void **state)
{
    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct decision_case c;

        decision_init(&c);
        decision_add(&c, KIND_NODE, rows[i].node);
        if (rows[i].lease != NULL)
            decision_add(&c, KIND_LEASE, rows[i].lease);
        decision_check(&c, &nodelifecycle_controller, KIND_NODE, "", "n", rows[i].want);
        decision_deinit(&c);
    }
}

#define POD(tolerations)                                                                           \
    "{\"metadata\":{\"name\":\"p\",\"namespace\":\"d\"},\"spec\":{\"nodeName\":\"n\","             \
    "\"containers\":[],\"tolerations\":[" tolerations "]}}"
#define TOLERATES(seconds)                                                                         \
    "{\"key\":\"node.kubernetes.io/unreachable\",\"operator\":\"Exists\",\"effect\":"              \
    "\"NoExecute\"" seconds "}"

/* The taint is a hundred seconds old. */
static const struct eviction {
    const char *pod, *want;
} evictions[] = {
    { POD(""), "update Pod d/p status\ndelete Pod d/p\n" },
    { POD(TOLERATES("")), "" },
    { POD(TOLERATES(",\"tolerationSeconds\":300")), "again 200000\n" },
    { POD(TOLERATES(",\"tolerationSeconds\":60")), "update Pod d/p status\ndelete Pod d/p\n" },
};

static void test_evictions(void **state)
{
    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(evictions) / sizeof(evictions[0]); i++) {
        struct decision_case c;

        decision_init(&c);
        decision_add(&c, KIND_NODE, NODE("Unknown", TAINT("unreachable", "NoExecute")));
        decision_add(&c, KIND_POD, evictions[i].pod);
        decision_check(&c, &nodelifecycle_controller, KIND_POD, "d", "p", evictions[i].want);
        decision_deinit(&c);
    }
}

static bool has_taint(const Node *node, const char *key)
{
    for (size_t i = 0; i < node->spec->n_taints; i++)
        if (text_eq(node->spec->taints[i]->key, key))
            return true;
    return false;
}

static void test_dies_and_returns(void **state)
{
    struct cluster c;
    const Node *node;
    const Pod *pod;

    (void)state; /* no shared fixture */
    cluster_init(&c, 5, 2, false);
    cluster_put(
        &c, KIND_POD,
        "{\"metadata\":{\"name\":\"p\",\"namespace\":\"default\"},\"spec\":{"
        "\"nodeName\":\"node-1\",\"containers\":[{\"name\":\"c\"}],\"tolerations\":[{\"key\":"
        "\"node.kubernetes.io/unreachable\",\"operator\":\"Exists\",\"effect\":"
        "\"NoExecute\",\"tolerationSeconds\":30}]}}");
    cluster_run(&c, 5000);
    assert_true(pod_ready(fake_get(&c.api, &c.arena, KIND_POD, "default", "p")));
    c.dead_node = "node-1";
    cluster_run(&c, 45000);
    node = fake_get(&c.api, &c.arena, KIND_NODE, "", "node-1");
    assert_string_equal(
        condition_status(node->status->conditions, node->status->n_conditions, "Ready"), "Unknown");
    assert_true(has_taint(node, "node.kubernetes.io/unreachable"));
    pod = fake_get(&c.api, &c.arena, KIND_POD, "default", "p");
    assert_false(pod_ready(pod));
    assert_false(meta_deleting(pod->metadata));
    cluster_run(&c, 31000);
    pod = fake_get(&c.api, &c.arena, KIND_POD, "default", "p");
    assert_true(meta_deleting(pod->metadata));
    assert_true(
        condition_is_true(pod->status->conditions, pod->status->n_conditions, "DisruptionTarget"));
    c.dead_node = NULL;
    cluster_run(&c, 5000);
    node = fake_get(&c.api, &c.arena, KIND_NODE, "", "node-1");
    assert_false(has_taint(node, "node.kubernetes.io/unreachable"));
    assert_false(has_taint(fake_get(&c.api, &c.arena, KIND_NODE, "", "node-2"),
                           "node.kubernetes.io/unreachable"));
    cluster_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_nodes),
                                        cmocka_unit_test(test_evictions),
                                        cmocka_unit_test(test_dies_and_returns) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
