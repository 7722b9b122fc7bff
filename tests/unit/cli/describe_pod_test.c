/* describe of pods. */
#include <string.h>

#include "tests/unit/cli/page_world.h"
#include "tests/unit/unit.h"

static void test_pod(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_pod,
                "{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\",\"labels\":{\"b\":\"2\",\"a\":"
                "\"1\"},\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":\"r\",\"controller"
                "\":true}]},\"spec\":{\"priority\":0,\"serviceAccountName\":\"sa\",\"nodeName\":"
                "\"n1\",\"nodeSelector\":{\"z\":\"a\"},\"tolerations\":[{\"key\":\"k\",\"operator"
                "\":\"Exists\",\"effect\":\"NoSchedule\"}],\"containers\":[{\"name\":\"c\",\"imag"
                "e\":\"i\"}]},\"status\":{\"phase\":\"Running\",\"hostIP\":\"10.0.0.1\",\"podIP\""
                ":\"10.1.0.1\",\"podIPs\":[{\"ip\":\"10.1.0.1\"}],\"qosClass\":\"BestEffort\",\"c"
                "onditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
                NULL);
    assert_non_null(strstr(page, "Name:             p\n"
                                 "Namespace:        n\n"
                                 "Priority:         0\n"
                                 "Service Account:  sa\n"
                                 "Node:             n1/10.0.0.1\n"
                                 "Labels:           a=1\n"
                                 "                  b=2\n"
                                 "Annotations:      <none>\n"
                                 "Status:           Running\n"
                                 "IP:               10.1.0.1\n"
                                 "IPs:\n"
                                 "  IP:           10.1.0.1\n"
                                 "Controlled By:  ReplicaSet/r\n"
                                 "Containers:\n"
                                 "  c:\n"));
    assert_non_null(strstr(page, "Conditions:\n"
                                 "  Type           Status\n"
                                 "  Ready          True \n"));
    assert_non_null(strstr(page, "QoS Class:       BestEffort\n"
                                 "Node-Selectors:  z=a\n"
                                 "Tolerations:     k:NoSchedule op=Exists\n"));
}

static void test_ending(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_pod,
                "{\"metadata\":{\"name\":\"p\",\"deletionTimestamp\":\"x\",\"deletionGracePeriodS"
                "econds\":30},\"spec\":{\"readinessGates\":[{\"conditionType\":\"g\"}]},\"status"
                "\":{\"phase\":\"Running\",\"reason\":\"why\",\"message\":\"because\"}}",
                NULL);
    assert_non_null(strstr(page, "Node:                      <none>\n"));
    assert_non_null(strstr(page, "Status:                    Terminating (lasts <unknown>)\n"
                                 "Termination Grace Period:  30s\n"
                                 "Reason:                    why\n"
                                 "Message:                   because\n"));
    assert_non_null(strstr(page, "Readiness Gates:\n"
                                 "  Type           Status\n"
                                 "  g              <none> \n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pod), cmocka_unit_test(test_ending) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
