/* Resources, probes and hooks. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_refused(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "resources':{'limits':{'cpu':'1'},'requests':{'cpu':'500m'}}}]}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "resources':{'limits':{'cpu':'1'},'requests':{'cpu':'2'}}}]}}",
          "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal "
          "to cpu limit of 1" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "resources':{'limits':{'cpu':'-1'}}}]}}",
          "[spec.containers[0].resources.limits[cpu]: Invalid value: \"-1\": must be greater than "
          "or equal to 0, spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must "
          "be greater than or equal to 0]" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "resources':{'requests':{'odd':'1'}}}]}}",
          "[spec.containers[0].resources.requests[odd]: Invalid value: \"odd\": must be a standard "
          "resource type or fully qualified, spec.containers[0].resources.requests[odd]: Invalid "
          "value: \"odd\": must be a standard resource for containers]" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "resources':{'requests':{'example.com/gpu':'1'}}}]}}",
          "spec.containers[0].resources.limits: Required value: Limit must be set for non "
          "overcommitable resources" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "resources':{'limits':{'example.com/gpu':'500m'}}}]}}",
          "[spec.containers[0].resources.limits[example.com/gpu]: Invalid value: \"500m\": must be "
          "an integer, spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "
          "\"500m\": must be an integer]" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "livenessProbe':{}}]}}",
          "spec.containers[0].livenessProbe: Required value: must specify a handler type" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "livenessProbe':{'httpGet':{'port':80}}}]}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "livenessProbe':{'httpGet':{'port':'web'},'exec':{'command':['x']}}}]}}",
          "spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 "
          "handler type" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "livenessProbe':{'tcpSocket':{'port':80},'successThreshold':2}}]}}",
          "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "readinessProbe':{'tcpSocket':{'port':0}}}]}}",
          "spec.containers[0].readinessProbe.tcpSocket.port: Invalid value: 0: must be between 1 "
          "and 65535, inclusive" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "readinessProbe':{'exec':{'command':['x']},'periodSeconds':-1}}]}}",
          "spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater "
          "than or equal to 0" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
          "lifecycle':{'preStop':{'exec':{}}}}]}}",
          "spec.containers[0].lifecycle.preStop.exec.command: Required value" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'initContainers':[{'name':'n','image':'i','livenessProbe':{'exec':{'command':['x']}}}]}"
          "}",
          "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers "
          "without restartPolicy=Always" }
    };
    (void)state;
    fixture_check_creates(KIND_POD, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
