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
#define SOON    "2001-09-09T01:46:30.000000Z" /* ten seconds before the decision's wall clock */
#define LONG    "2001-09-08T01:46:30.000000Z" /* a day and ten seconds */
#define LATE    "2001-09-10T01:46:30.000000Z" /* a day in its future */
#define GRACE   40000
#define STARTUP 60000

/* What is decided at a first look, and when the same lease was seen so long before. */
static const struct row {
    const char *node, *lease;
    uint64_t seen_before_ms;
    const char *want;
} rows[] = {
    /* Whatever an agent's clock said, a first look is the beginning. */
    { NODE("True", ""), LEASE(SOON), 0, "again 40001\n" },
    { NODE("True", ""), LEASE(LONG), 0, "again 40001\n" },
    { NODE("True", ""), LEASE(LATE), 0, "again 40001\n" },
    { NODE("True", ""), NULL, 0, "again 60001\n" },
    { NODE("True", ""), LEASE(SOON), 10000, "again 30001\n" },
    { NODE("True", ""), LEASE(SOON), GRACE - 1, "again 2\n" },
    { NODE("True", ""), LEASE(SOON), GRACE, "update Node /n status\n" },
    { NODE("True", ""), LEASE(LATE), GRACE, "update Node /n status\n" },
    { NODE("True", ""), NULL, STARTUP - 1, "again 2\n" },
    { NODE("True", ""), NULL, STARTUP, "update Node /n status\n" },
    { NODE("False", ""), LEASE(SOON), 0, "update Node /n\nagain 40001\n" },
    { NODE("True", TAINT("unreachable", "NoExecute")), LEASE(SOON), 0,
      "update Node /n\nagain 40001\n" },
    { NODE("False", TAINT("not-ready", "NoSchedule") "," TAINT("not-ready", "NoExecute")),
      LEASE(SOON), 0, "again 40001\n" },
};

static void look(struct decision_case *c, uint64_t after_ms, const char *want)
{
    c->now_ns += after_ms * ENV_MS;
    decision_check(c, &nodelifecycle_controller, KIND_NODE, "", "n", want);
}

static void test_nodes(void **state)
{
    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        struct decision_case c;

        decision_init(&c);
        decision_add(&c, KIND_NODE, r->node);
        if (r->lease != NULL)
            decision_add(&c, KIND_LEASE, r->lease);
        if (r->seen_before_ms > 0)
            look(&c, 0, r->lease != NULL ? "again 40001\n" : "again 60001\n");
        look(&c, r->seen_before_ms, r->want);
        decision_deinit(&c);
    }
}

/* Any other renewTime is a renewal, an earlier one too: the agent's clock was set back. */
static void test_renewals(void **state)
{
    struct decision_case c;

    (void)state; /* no shared fixture */
    decision_init(&c);
    decision_add(&c, KIND_NODE, NODE("True", ""));
    look(&c, 0, "again 60001\n");
    look(&c, 20000, "again 40001\n");
    decision_add(&c, KIND_LEASE, LEASE(SOON));
    look(&c, 30000, "again 40001\n");
    decision_add(&c, KIND_LEASE, LEASE(LONG));
    look(&c, 39000, "again 40001\n");
    decision_add(&c, KIND_LEASE, LEASE(SOON));
    look(&c, 50000, "again 40001\n"); /* it came late, but it came */
    look(&c, 40000, "update Node /n status\n");
    decision_add(&c, KIND_LEASE, LEASE(LATE));
    look(&c, 1000, "again 40001\n");
    decision_deinit(&c);
}

/* A node of the same name later is another one. */
static void test_another_node_of_the_name(void **state)
{
    struct decision_case c;

    (void)state; /* no shared fixture */
    decision_init(&c);
    decision_add(&c, KIND_NODE, NODE("True", ""));
    look(&c, 0, "again 60001\n");
    decision_add(&c, KIND_NODE,
                 "{\"metadata\":{\"name\":\"n\",\"uid\":\"another\"},\"spec\":{},"
                 "\"status\":{\"conditions\":[{\"type\":\"Ready\","
                 "\"status\":\"True\"}]}}");
    look(&c, 59000, "again 60001\n");
    decision_deinit(&c);
}

#define READY_POD                                                                                  \
    "{\"metadata\":{\"name\":\"p\",\"namespace\":\"d\"},\"spec\":{\"nodeName\":\"n\","             \
    "\"containers\":[]},"                                                                          \
    "\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}" \
    "}"
#define STARTING "{\"metadata\":{\"name\":\"n\"},\"spec\":{},\"status\":{}}"

/* What a pod says of itself stays while no agent said how its node is. */
static void test_pods_of_a_node(void **state)
{
    static const struct {
        const char *node, *want;
    } nodes[] = {
        { STARTING, "update Node /n\nagain 60001\n" },
        { NODE("False", ""), "update Node /n\nupdate Pod d/p status\nagain 60001\n" },
        { NODE("Unknown", ""), "update Node /n\nupdate Pod d/p status\nagain 60001\n" },
        { NODE("True", ""), "again 60001\n" },
    };

    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        struct decision_case c;

        decision_init(&c);
        decision_add(&c, KIND_NODE, nodes[i].node);
        decision_add(&c, KIND_POD, READY_POD);
        look(&c, 0, nodes[i].want);
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

/* Agents whose clocks are ten minutes off, or a leader's is: the living stay, the dead are noticed.
 */
static void test_wrong_clocks(void **state)
{
    static const int64_t ahead_s[] = { -600, 600 };

    (void)state; /* no shared fixture */
    for (size_t i = 0; i < 2; i++) {
        struct cluster c;
        const Node *node;

        cluster_init(&c, 5, 2, false);
        c.agents_ahead_s = ahead_s[i];
        cluster_run(&c, 120000);
        c.dead_node = "node-1";
        cluster_run(&c, 45000);
        node = fake_get(&c.api, &c.arena, KIND_NODE, "", "node-2");
        assert_false(has_taint(node, "node.kubernetes.io/unreachable"));
        node = fake_get(&c.api, &c.arena, KIND_NODE, "", "node-1");
        assert_true(has_taint(node, "node.kubernetes.io/unreachable"));
        /* Another leader gives the dead node its grace and comes to the same. */
        cluster_resign(&c);
        cluster_lead(&c, 2);
        cluster_run(&c, 45000);
        assert_true(has_taint(fake_get(&c.api, &c.arena, KIND_NODE, "", "node-1"),
                              "node.kubernetes.io/unreachable"));
        assert_false(has_taint(fake_get(&c.api, &c.arena, KIND_NODE, "", "node-2"),
                               "node.kubernetes.io/unreachable"));
        cluster_deinit(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_nodes),
                                        cmocka_unit_test(test_renewals),
                                        cmocka_unit_test(test_another_node_of_the_name),
                                        cmocka_unit_test(test_pods_of_a_node),
                                        cmocka_unit_test(test_wrong_clocks),
                                        cmocka_unit_test(test_evictions),
                                        cmocka_unit_test(test_dies_and_returns) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
