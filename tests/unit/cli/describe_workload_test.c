/* describe of deployments and replica sets. */
#include <string.h>

#include "tests/unit/cli/page_world.h"
#include "tests/unit/unit.h"

static void test_deployment(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_deployment,
                "{\"metadata\":{\"name\":\"d\",\"namespace\":\"n\",\"uid\":\"u\"},\"spec\":{\"rep"
                "licas\":2,\"selector\":{\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":[{\"k"
                "ey\":\"k\",\"operator\":\"In\",\"values\":[\"x\",\"y\"]},{\"key\":\"e\",\"operat"
                "or\":\"DoesNotExist\"}]},\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdat"
                "e\":{\"maxSurge\":\"25%\",\"maxUnavailable\":1}},\"template\":{\"metadata\":{\"l"
                "abels\":{\"a\":\"b\"}},\"spec\":{}}},\"status\":{\"replicas\":2,\"conditions\":["
                "{\"type\":\"Available\",\"status\":\"True\",\"reason\":\"Yes\"}]}}",
                "{\"items\":[{\"metadata\":{\"name\":\"d-1\",\"ownerReferences\":[{\"uid\":\"u\","
                "\"controller\":true}]},\"spec\":{\"replicas\":0,\"template\":{\"metadata\":{\"la"
                "bels\":{\"a\":\"c\"}},\"spec\":{}}}},{\"metadata\":{\"name\":\"d-2\",\"ownerRefe"
                "rences\":[{\"uid\":\"u\",\"controller\":true}]},\"spec\":{\"replicas\":2,\"templ"
                "ate\":{\"metadata\":{\"labels\":{\"a\":\"b\",\"pod-template-hash\":\"2\"}},\"spe"
                "c\":{}}},\"status\":{\"replicas\":2}}]}");
    assert_non_null(strstr(
        page,
        "Selector:               a=b,k in (x,y),!e\n"
        "Replicas:               2 desired | 0 updated | 2 total | 0 available | 0 unavailable\n"
        "StrategyType:           RollingUpdate\n"
        "MinReadySeconds:        0\n"
        "RollingUpdateStrategy:  1 max unavailable, 25% max surge\n"
        "Pod Template:\n"
        "  Labels:  a=b\n"
        "  Containers: <none>\n"));
    assert_non_null(strstr(page, "OldReplicaSets:  d-1 (0/0 replicas created)\n"
                                 "NewReplicaSet:   d-2 (2/2 replicas created)\n"));
}

static void test_replicaset(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_replicaset,
                "{\"metadata\":{\"name\":\"r\",\"namespace\":\"n\",\"uid\":\"u\"},\"spec\":{\"rep"
                "licas\":2,\"selector\":{}}}",
                "{\"items\":[{\"metadata\":{\"ownerReferences\":[{\"uid\":\"u\",\"controller\":tr"
                "ue}]},\"status\":{\"phase\":\"Pending\"}},{\"metadata\":{},\"status\":{\"phase\""
                ":\"Running\"}}]}");
    assert_non_null(strstr(page, "Selector:     <none>\n"));
    assert_non_null(strstr(page, "Replicas:     0 current / 2 desired\n"
                                 "Pods Status:  0 Running / 1 Waiting / 0 Succeeded / 0 Failed\n"));
}

static void test_controller(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_replication_controller,
                "{\"metadata\":{\"name\":\"r\",\"namespace\":\"n\"},\"spec\":{\"replicas\":1,\"se"
                "lector\":{\"a\":\"b\"}}}",
                NULL);
    assert_non_null(strstr(page, "Selector:     a=b\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_deployment),
                                        cmocka_unit_test(test_replicaset),
                                        cmocka_unit_test(test_controller) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
