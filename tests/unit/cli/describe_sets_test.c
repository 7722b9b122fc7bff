/* describe of stateful sets, daemon sets and jobs. */
#include <string.h>

#include "tests/unit/cli/page_world.h"
#include "tests/unit/unit.h"

#define META "\"metadata\":{\"name\":\"x\",\"namespace\":\"n\",\"uid\":\"u\"}"

static void test_statefulset(void **state)
{
    const char *page = page_of(
        *state, describe_statefulset,
        "{" META ",\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"a\":\"b\"}},"
        "\"updateStrategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"partition\":0}},"
        "\"volumeClaimTemplates\":[{\"metadata\":{\"name\":\"data\"},\"spec\":{\"accessModes\":"
        "[\"ReadWriteOnce\"],\"resources\":{\"requests\":{\"storage\":\"1024Mi\"}}}}]},"
        "\"status\":{\"replicas\":2}}",
        NULL);
    assert_non_null(strstr(page, "Replicas:           3 desired | 2 total\n"
                                 "Update Strategy:    RollingUpdate\n"
                                 "  Partition:        0\n"
                                 "Pods Status:        0 Running / 0 Waiting / 0 Succeeded / 0 "
                                 "Failed\n"));
    assert_non_null(strstr(page, "Volume Claims:\n"
                                 "  Name:          data\n"
                                 "  StorageClass:  \n"
                                 "  Labels:        <none>\n"
                                 "  Annotations:   <none>\n"
                                 "  Capacity:      1Gi\n"
                                 "  Access Modes:  [ReadWriteOnce]\n"));
}

static void test_daemonset(void **state)
{
    const char *page = page_of(*state, describe_daemonset,
                               "{" META ",\"spec\":{\"selector\":{},\"template\":{\"spec\":{"
                               "\"nodeSelector\":{\"z\":\"a\"}}}},\"status\":{"
                               "\"desiredNumberScheduled\":2,\"numberAvailable\":1}}",
                               NULL);
    assert_non_null(strstr(page, "Selector:       <none>\nNode-Selector:  z=a\n"));
    assert_non_null(strstr(page, "Desired Number of Nodes Scheduled: 2\n"
                                 "Current Number of Nodes Scheduled: 0\n"
                                 "Number of Nodes Scheduled with Up-to-date Pods: 0\n"
                                 "Number of Nodes Scheduled with Available Pods: 1\n"));
}

static void test_job(void **state)
{
    const char *page =
        page_of(*state, describe_job,
                "{" META ",\"spec\":{\"parallelism\":2,\"completionMode\":\"Indexed\","
                "\"activeDeadlineSeconds\":9},\"status\":{\"active\":1,\"ready\":1,"
                "\"succeeded\":3,\"startTime\":\"2026-01-02T03:04:05Z\",\"completionTime\":"
                "\"2026-01-02T03:05:05Z\"}}",
                NULL);
    assert_non_null(strstr(page, "Parallelism:              2\n"
                                 "Completions:              <unset>\n"
                                 "Completion Mode:          Indexed\n"));
    assert_non_null(strstr(page, "Duration:                 60s\n"
                                 "Active Deadline Seconds:  9s\n"
                                 "Pods Statuses:            1 Active (1 Ready) / 3 Succeeded / 0 "
                                 "Failed\n"
                                 "Completed Indexes:        <none>\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_statefulset),
                                        cmocka_unit_test(test_daemonset),
                                        cmocka_unit_test(test_job) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
