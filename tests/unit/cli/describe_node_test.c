/* describe of nodes. */
#include <string.h>

#include "tests/unit/cli/page_world.h"
#include "tests/unit/unit.h"

static void test_node(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_node,
                "{\"metadata\":{\"name\":\"n\",\"labels\":{\"node-role.kubernetes.io/worker\":\""
                "\"}},\"spec\":{\"unschedulable\":true,\"podCIDR\":\"10.0.0.0/24\",\"podCIDRs\":["
                "\"10.0.0.0/24\"],\"taints\":[{\"key\":\"b\",\"effect\":\"NoSchedule\",\"value\":"
                "\"v\"},{\"key\":\"a\",\"effect\":\"NoExecute\"}]},\"status\":{\"capacity\":{\"cp"
                "u\":\"4\",\"memory\":\"8Gi\"},\"addresses\":[{\"type\":\"InternalIP\",\"address"
                "\":\"10.0.0.1\"}],\"nodeInfo\":{\"osImage\":\"Linux\"},\"conditions\":[{\"type\""
                ":\"Ready\",\"status\":\"True\",\"reason\":\"R\",\"message\":\"M\"}]}}",
                "{\"items\":[{\"metadata\":{\"namespace\":\"x\",\"name\":\"p\"},\"spec\":{\"holde"
                "rIdentity\":\"h\",\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"1\",\""
                "memory\":\"2Gi\"}}}],\"initContainers\":[{\"resources\":{\"requests\":{\"cpu\":"
                "\"2\"}}}]}}]}");
    assert_non_null(strstr(page, "Roles:              worker\n"));
    assert_non_null(strstr(page, "Taints:             a:NoExecute\n"
                                 "                    b=v:NoSchedule\n"
                                 "Unschedulable:      true\n"
                                 "Lease:\n"
                                 "  HolderIdentity:  h\n"
                                 "  AcquireTime:     <unset>\n"));
    assert_non_null(strstr(page, "Mon, 01 Jan 0001 00:00:00 +0000"));
    assert_non_null(strstr(page, "Addresses:\n"
                                 "  InternalIP:  10.0.0.1\n"
                                 "Capacity:\n"
                                 "  cpu:     4\n"
                                 "  memory:  8Gi\n"));
    assert_non_null(strstr(page, "PodCIDRs:                     10.0.0.0/24\n"
                                 "Non-terminated Pods:          (1 in total)\n"));
    assert_non_null(strstr(page, "2 (50%)       0 (0%)      2Gi (25%)"));
    assert_non_null(strstr(page, "  cpu                2 (50%)    0 (0%)\n"
                                 "  memory             2Gi (25%)  0 (0%)\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_node) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
