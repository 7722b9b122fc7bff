/* Decisions as tables: which node, or why none. */
#include <string.h>

#include "base/map.h"
#include "controllers/scheduler/decide.h"
#include "tests/unit/controllers/scheduler/rows.h"
#include "tests/unit/unit.h"

#define TAINTED "\"spec\":{\"taints\":[{\"key\":\"k\",\"value\":\"v\",\"effect\":\"NoSchedule\"}]},"
#define AFFINITY(expression)                                                                       \
    "\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{"         \
    "\"nodeSelectorTerms\":[{\"matchExpressions\":[" expression "]}]}}},"

struct row {
    const char *requests;
    const char *spec;
    const char *want; /* a node's name, or the refusal */
};

/* big: 8 cpu, 16Gi. small: 1 cpu, 1Gi. tainted: as big. cordoned: as big, unschedulable. full:
 * holds as many pods as it may. */
static const struct row rows[] = {
    { "\"cpu\":\"1\"", "", "big" },
    { "\"cpu\":\"6\"", "", "big" },
    { "\"cpu\":\"100m\"", "\"nodeSelector\":{\"name\":\"small\"},", "small" },
    { "\"cpu\":\"9\"", "",
      "0/5 nodes are available: 1 Too many pods, 1 node(s) had untolerated taint {k: v}, 1 node(s) "
      "were unschedulable, 3 Insufficient cpu." },
    { "\"cpu\":\"2\",\"memory\":\"2Gi\"", "\"nodeSelector\":{\"name\":\"small\"},",
      "0/5 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had "
      "untolerated taint {k: v}, 1 node(s) were unschedulable, 2 node(s) didn't match Pod's node "
      "affinity/selector." },
    { "\"cpu\":\"1\"",
      "\"nodeSelector\":{\"name\":\"tainted\"},\"tolerations\":[{\"key\":\"k\",\"operator\":"
      "\"Exists\"}],",
      "tainted" },
    { "\"cpu\":\"1\"",
      "\"nodeSelector\":{\"name\":\"cordoned\"},\"tolerations\":[{\"operator\":\"Exists\"}],",
      "cordoned" },
    { "\"cpu\":\"1\"", AFFINITY("{\"key\":\"size\",\"operator\":\"Gt\",\"values\":[\"2\"]}"),
      "big" },
    { "\"cpu\":\"100m\"", AFFINITY("{\"key\":\"size\",\"operator\":\"Lt\",\"values\":[\"2\"]}"),
      "small" },
    { "\"cpu\":\"100m\"",
      AFFINITY("{\"key\":\"name\",\"operator\":\"NotIn\",\"values\":[\"big\"]}"), "small" },
    { "\"cpu\":\"100m\"", AFFINITY("{\"key\":\"none\",\"operator\":\"DoesNotExist\"}"), "big" },
    { "\"example.com/gpu\":\"1\"", "",
      "0/5 nodes are available: 1 Too many pods, 1 node(s) had untolerated taint {k: v}, 1 node(s) "
      "were unschedulable, 3 Insufficient example.com/gpu." },
};

static void fill(struct snapshot *s)
{
    snapshot_init(s);
    rows_node(s, "big", "8", "16Gi", 110, "");
    rows_node(s, "small", "1", "1Gi", 110, "");
    rows_node(s, "tainted", "8", "16Gi", 110, TAINTED);
    rows_node(s, "cordoned", "8", "16Gi", 110, "\"spec\":{\"unschedulable\":true},");
    rows_node(s, "full", "8", "16Gi", 1, "");
    rows_place(s, "full", "\"cpu\":\"100m\"");
}

static void test_table(void **state)
{
    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct snapshot s;
        struct pod_row pod;
        struct decision d;
        struct arena a;
        struct str got;

        arena_init(&a);
        fill(&s);
        rows_pod(&s, &pod, rows[i].requests, rows[i].spec);
        decide(&s, &pod, 1, &d);
        got = d.node != NULL ? intern_text(&s.names, d.node->name) : decision_text(&a, &s, &d);
        if (!str_eq_c(got, rows[i].want))
            fail_msg("row %zu: got \"%.*s\", want \"%s\"", i, STR_ARG(got), rows[i].want);
        assert_int_equal(d.looked, 5);
        pod_row_deinit(&pod);
        snapshot_deinit(&s);
        arena_deinit(&a);
    }
}

static void test_no_nodes(void **state)
{
    struct snapshot s;
    struct pod_row pod;
    struct decision d;
    struct arena a;

    (void)state; /* no shared fixture */
    arena_init(&a);
    snapshot_init(&s);
    rows_pod(&s, &pod, "", "");
    decide(&s, &pod, 1, &d);
    assert_null(d.node);
    assert_true(str_eq_c(decision_text(&a, &s, &d), "no nodes available to schedule pods"));
    pod_row_deinit(&pod);
    snapshot_deinit(&s);
    arena_deinit(&a);
}

/* Equal nodes share the pods, and the same seed shares them the same way. */
static void test_ties(void **state)
{
    int counts[4] = { 0 };

    (void)state; /* no shared fixture */
    for (int round = 0; round < 2; round++) {
        struct snapshot s;
        struct pod_row pod;

        snapshot_init(&s);
        for (int i = 0; i < 4; i++)
            rows_node(&s, (const char *[]){ "a", "b", "c", "d" }[i], "4", "8Gi", 110, "");
        rows_pod(&s, &pod, "\"cpu\":\"1\"", "");
        for (uint64_t seed = 0; seed < 400; seed++) {
            struct decision d;

            decide(&s, &pod, seed, &d);
            assert_int_equal(d.fit, 4);
            counts[intern_text(&s.names, d.node->name).data[0] - 'a'] += round == 0 ? 1 : -1;
            assert_true(round == 1 || counts[0] < 200);
        }
        for (int i = 0; i < 4 && round == 0; i++)
            assert_true(counts[i] > 50);
        pod_row_deinit(&pod);
        snapshot_deinit(&s);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(counts[i], 0);
}

static void test_prefers_free_and_untainted(void **state)
{
    struct snapshot s;
    struct pod_row pod;
    struct decision d;

    (void)state; /* no shared fixture */
    snapshot_init(&s);
    rows_node(&s, "busy", "4", "8Gi", 110, "");
    rows_node(&s, "free", "4", "8Gi", 110, "");
    rows_place(&s, "busy", "\"cpu\":\"1\",\"memory\":\"2Gi\"");
    rows_pod(&s, &pod, "\"cpu\":\"1\",\"memory\":\"2Gi\"", "");
    decide(&s, &pod, 7, &d);
    assert_true(str_eq_c(intern_text(&s.names, d.node->name), "free"));
    rows_node(&s, "free", "4", "8Gi", 110,
              "\"spec\":{\"taints\":[{\"key\":\"k\",\"effect\":\"PreferNoSchedule\"}]},");
    decide(&s, &pod, 7, &d);
    assert_true(str_eq_c(intern_text(&s.names, d.node->name), "busy"));
    pod_row_deinit(&pod);
    snapshot_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_table),
                                        cmocka_unit_test(test_no_nodes),
                                        cmocka_unit_test(test_ties),
                                        cmocka_unit_test(test_prefers_free_and_untainted) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
