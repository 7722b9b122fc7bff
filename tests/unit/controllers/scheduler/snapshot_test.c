/* Rows of nodes: what a change tells, sums under churn, rows that come and go. */
#include "api/meta/kinds.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "controllers/scheduler/snapshot.h"
#include "tests/unit/controllers/fake_api.h"
#include "tests/unit/controllers/scheduler/rows.h"
#include "tests/unit/unit.h"

static uint32_t set(struct snapshot *s, const char *json)
{
    struct arena a;
    uint32_t change;

    arena_init(&a);
    change = snapshot_set_node(s, fake_object(&a, KIND_NODE, json));
    arena_deinit(&a);
    return change;
}

static void test_changes(void **state)
{
    static const struct {
        const char *json;
        uint32_t want;
    } rows[] = {
        { "{\"metadata\":{\"name\":\"n\"}}", NODE_ADDED },
        { "{\"metadata\":{\"name\":\"n\"}}", 0 },
        { "{\"metadata\":{\"name\":\"n\",\"labels\":{\"a\":\"b\"}}}", NODE_LABELS },
        { "{\"metadata\":{\"name\":\"n\",\"labels\":{\"a\":\"b\"}},\"status\":{\"allocatable\":{"
          "\"cpu\":\"1\"}}}",
          NODE_RESOURCES },
        { "{\"metadata\":{\"name\":\"n\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"unschedulable\":"
          "true,"
          "\"taints\":[{\"key\":\"k\",\"effect\":\"NoSchedule\"}]}}",
          NODE_TAINTS },
        { "{\"metadata\":{\"name\":\"n\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"taints\":[{\"key\":"
          "\"k\",\"effect\":\"NoSchedule\"}]}}",
          NODE_SCHEDULABLE },
    };
    struct snapshot s;

    (void)state; /* no shared fixture */
    snapshot_init(&s);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(set(&s, rows[i].json), rows[i].want);
    snapshot_deinit(&s);
}

/* Pods added and removed at random leave no trace. */
static void test_churn(void **state)
{
    static const char *const names[] = { "a", "b", "unknown" };
    struct env *env = env_sim_new(9);
    struct snapshot s;
    struct pod_row pod;
    int on[3] = { 0 };

    (void)state; /* no shared fixture */
    snapshot_init(&s);
    rows_node(&s, "a", "4", "8Gi", 110, "");
    rows_node(&s, "b", "4", "8Gi", 110, "");
    rows_pod(&s, &pod, "\"cpu\":\"250m\",\"memory\":\"1Gi\",\"x.io/y\":\"2\"", "");
    for (int i = 0; i < 2000; i++) {
        size_t n = env_sim_random(env, 3);

        if (on[n] > 0 && env_sim_random(env, 2) == 0) {
            snapshot_remove_pod(&s, str_from(names[n]), &pod);
            on[n]--;
        } else {
            snapshot_add_pod(&s, str_from(names[n]), &pod);
            on[n]++;
        }
    }
    for (int n = 0; n < 3; n++) {
        const struct node_row *row = snapshot_node(&s, str_from(names[n]));

        if (on[n] > 0)
            assert_int_equal(row->requested[RESOURCE_CPU], 250 * on[n]);
        for (; on[n] > 0; on[n]--)
            snapshot_remove_pod(&s, str_from(names[n]), &pod);
    }
    assert_null(snapshot_node(&s, str_lit("unknown")));
    assert_int_equal(snapshot_node(&s, str_lit("a"))->requested[RESOURCE_MEMORY], 0);
    snapshot_add_pod(&s, str_lit("a"), &pod);
    snapshot_remove_node(&s, str_lit("a"));
    assert_int_equal(s.present, 1);
    assert_non_null(snapshot_node(&s, str_lit("a"))); /* while it holds a pod */
    snapshot_remove_pod(&s, str_lit("a"), &pod);
    assert_null(snapshot_node(&s, str_lit("a")));
    pod_row_deinit(&pod);
    snapshot_deinit(&s);
    env_sim_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_changes),
                                        cmocka_unit_test(test_churn) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
