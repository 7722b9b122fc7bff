/* describe of services. */
#include <string.h>

#include "tests/unit/cli/page_world.h"
#include "tests/unit/unit.h"

static void test_service(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_service,
                "{\"metadata\":{\"name\":\"s\",\"namespace\":\"n\"},\"spec\":{\"type\":\"NodePort"
                "\",\"clusterIP\":\"10.0.0.1\",\"clusterIPs\":[\"10.0.0.1\"],\"sessionAffinity\":"
                "\"None\",\"ports\":[{\"name\":\"h\",\"port\":80,\"protocol\":\"TCP\",\"targetPor"
                "t\":\"web\",\"nodePort\":30000},{\"port\":1,\"protocol\":\"UDP\"}]}}",
                "{\"items\":[{\"ports\":[{\"name\":\"h\",\"port\":8080}],\"endpoints\":[{\"addres"
                "ses\":[\"10.1.0.1\"]},{\"addresses\":[\"10.1.0.2\"],\"conditions\":{\"ready\":fa"
                "lse}},{\"addresses\":[\"fd00::1\"]},{\"addresses\":[\"10.1.0.4\"]},{\"addresses"
                "\":[\"10.1.0.5\"]}]}]}");
    assert_non_null(
        strstr(page, "Selector:          <none>\n"
                     "Type:              NodePort\n"
                     "IP Families:       <none>\n"
                     "IP:                10.0.0.1\n"
                     "IPs:               10.0.0.1\n"
                     "Port:              h  80/TCP\n"
                     "TargetPort:        web/TCP\n"
                     "NodePort:          h  30000/TCP\n"
                     "Endpoints:         10.1.0.1:8080,[fd00::1]:8080,10.1.0.4:8080 + 1 more...\n"
                     "Port:              <unset>  1/UDP\n"));
    assert_non_null(strstr(page, "Session Affinity:  None\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_service) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
