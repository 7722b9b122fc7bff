/* describe of containers. */
#include <string.h>

#include "tests/unit/cli/page_world.h"
#include "tests/unit/unit.h"

static void test_state(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_pod,
                "{\"metadata\":{\"name\":\"me\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"imag"
                "e\":\"i\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"},{\"containerPor"
                "t\":81,\"protocol\":\"UDP\"}],\"command\":[\"sh\",\"-c\"],\"args\":[\"a\\nb\"],"
                "\"resources\":{\"limits\":{\"cpu\":\"0.5\"},\"requests\":{\"memory\":\"1Gi\"}},"
                "\"livenessProbe\":{\"httpGet\":{\"path\":\"x\",\"port\":\"http\",\"scheme\":\"HT"
                "TP\"},\"timeoutSeconds\":1},\"readinessProbe\":{\"exec\":{\"command\":[\"cat\","
                "\"f\"]}},\"startupProbe\":{\"tcpSocket\":{\"port\":5}},\"envFrom\":[{\"prefix\":"
                "\"P\",\"configMapRef\":{\"name\":\"m\"}}],\"env\":[{\"name\":\"A\",\"value\":\"1"
                "\\n2\"},{\"name\":\"N\",\"valueFrom\":{\"fieldRef\":{\"apiVersion\":\"v1\",\"fie"
                "ldPath\":\"metadata.name\"}}},{\"name\":\"L\",\"valueFrom\":{\"resourceFieldRef"
                "\":{\"resource\":\"limits.cpu\"}}},{\"name\":\"M\",\"valueFrom\":{\"resourceFiel"
                "dRef\":{\"resource\":\"limits.memory\"}}},{\"name\":\"S\",\"valueFrom\":{\"secre"
                "tKeyRef\":{\"name\":\"s\",\"key\":\"k\"}}}],\"volumeMounts\":[{\"name\":\"z\",\""
                "mountPath\":\"/z\"},{\"name\":\"a\",\"mountPath\":\"/a\",\"readOnly\":true,\"sub"
                "Path\":\"s\"}]}]},\"status\":{\"containerStatuses\":[{\"name\":\"c\",\"container"
                "ID\":\"id\",\"imageID\":\"iid\",\"ready\":true,\"restartCount\":2,\"state\":{\"w"
                "aiting\":{\"reason\":\"Slow\"}},\"lastState\":{\"terminated\":{\"exitCode\":3,\""
                "signal\":9,\"reason\":\"Error\"}}}]}}",
                NULL);
    assert_non_null(strstr(page, "    Container ID:  id\n"
                                 "    Image:         i\n"
                                 "    Image ID:      iid\n"
                                 "    Ports:         80/TCP, 81/UDP\n"
                                 "    Host Ports:    0/TCP, 0/UDP\n"
                                 "    Command:\n"
                                 "      sh\n"
                                 "      -c\n"
                                 "    Args:\n"
                                 "      a\n"
                                 "      b\n"
                                 "    State:          Waiting\n"
                                 "      Reason:       Slow\n"
                                 "    Last State:     Terminated\n"
                                 "      Reason:       Error\n"
                                 "      Exit Code:    3\n"
                                 "      Signal:       9\n"));
    assert_non_null(strstr(
        page, "    Ready:          True\n"
              "    Restart Count:  2\n"
              "    Limits:\n"
              "      cpu:  500m\n"
              "    Requests:\n"
              "      memory:   1Gi\n"
              "    Liveness:   http-get http://:http/x delay=0s timeout=1s period=0s #success=0 "
              "#failure=0\n"
              "    Readiness:  exec [cat f] delay=0s timeout=0s period=0s #success=0 #failure=0\n"
              "    Startup:    tcp-socket :5 delay=0s"));
    assert_non_null(strstr(page, "      m  ConfigMap with prefix 'P'  Optional: false\n"));
    assert_non_null(strstr(page,
                           "      A:  1\n"
                           "          2\n"
                           "      N:  me (v1:metadata.name)\n"
                           "      L:  1 (limits.cpu)\n"
                           "      M:  node allocatable (limits.memory)\n"
                           "      S:  <set to the key 'k' in secret 's'>  Optional: false\n"));
    assert_non_null(strstr(page, "    Mounts:\n"
                                 "      /a from a (ro,path=\"s\")\n"
                                 "      /z from z (rw)\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_state) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
