/* Resources, probes and hooks. */
#include <string.h>

#include "base/buf.h"
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct create_case refused[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "livenessProbe':{'httpGet':{'port':80,'httpHeaders':[{'name':'a b','value':'x'}]}}}]}}",
      "spec.containers[0].livenessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid "
      "HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex "
      "used for validation is '[-A-Za-z0-9]+')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "livenessProbe':{'tcpSocket':{'port':80},'terminationGracePeriodSeconds':0}}]}}",
      "spec.containers[0].livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must "
      "be greater than 0" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "readinessProbe':{'tcpSocket':{'port':80},'terminationGracePeriodSeconds':1}}]}}",
      "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must "
      "not be set for readinessProbes" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "livenessProbe':{'tcpSocket':{'port':0},'exec':{'command':['a']}}}]}}",
      "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 "
      "handler type" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "lifecycle':{'preStop':{'sleep':{'seconds':31}}}}]}}",
      "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and "
      "less than terminationGracePeriodSeconds (30)" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "lifecycle':{'preStop':{'sleep':{'seconds':0}}}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "resources':{'requests':{'requests.example.com/a':'1'},'limits':{'requests.example.com/"
      "a':'1'}}}]}}",
      "[spec.containers[0].resources.limits[requests.example.com/a]: Invalid value: "
      "\"requests.example.com/a\": doesn't follow extended resource name standard, "
      "spec.containers[0].resources.requests[requests.example.com/a]: Invalid value: "
      "\"requests.example.com/a\": doesn't follow extended resource name standard]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "resources':{'limits':{'example.com/a':'1.5'},'requests':{'example.com/a':'1.5'}}}]}}",
      "[spec.containers[0].resources.limits[example.com/a]: Invalid value: \"1500m\": must be "
      "an integer, spec.containers[0].resources.requests[example.com/a]: Invalid value: "
      "\"1500m\": must be an integer]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "resources':{'limits':{'kubernetes.io/a':'1.5'},'requests':{'kubernetes.io/a':'1'}}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "resources':{'limits':{'hugepages-2Mi':'2Mi'},'requests':{'hugepages-2Mi':'2Mi'}}}]}}",
      "spec.containers[0].resources: Forbidden: HugePages require cpu or memory" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "resources':{'limits':{'hugepages-2Mi':'3Mi','cpu':'1'},'requests':{'hugepages-2Mi':'3Mi'"
      "}}}]}}",
      "[spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not "
      "positive integer multiple of hugepages-2Mi, "
      "spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is "
      "not positive integer multiple of hugepages-2Mi]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "resources':{'claims':[{'name':'x'}]}}]}}",
      "spec.containers[0].resources.claims[0]: Not found: \"x\": must be one of the names in "
      "pod.spec.resourceClaims which is empty" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "resources':{'claims':[{'name':''}]}}]}}",
      "spec.containers[0].resources.claims[0]: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "resources':{'claims':[{'name':'x'},{'name':'x'},{'name':'z'}]}}],'resourceClaims':[{'"
      "name':'x','resourceClaimName':'r'},{'name':'y','resourceClaimTemplateName':'t'}]}}",
      "[spec.containers[0].resources.claims[1]: Duplicate value: \"x\", "
      "spec.containers[0].resources.claims[2]: Not found: \"z\": must be one of the names in "
      "pod.spec.resourceClaims: x, y]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "resizePolicy':[{'resourceName':'cpu','restartPolicy':'NotRequired'},{'resourceName':'"
      "cpu','restartPolicy':'NotRequired'}]}]}}",
      "spec.containers[0].resizePolicy[1]: Duplicate value: \"cpu\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "resizePolicy':[{'resourceName':'odd','restartPolicy':'Odd'}]}]}}",
      "[spec.containers[0].resizePolicy: Unsupported value: \"odd\": supported values: "
      "\"cpu\", \"memory\", spec.containers[0].resizePolicy: Unsupported value: \"Odd\": "
      "supported values: \"NotRequired\", \"RestartContainer\"]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "resizePolicy':[{'resourceName':'memory','restartPolicy':'RestartContainer'}]}],'"
      "restartPolicy':'Never'}}",
      "spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be "
      "'NotRequired' when `restartPolicy` is 'Never'" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'overhead':{'odd':'1'}}}",
      "[spec.overhead.limits[odd]: Invalid value: \"odd\": must be a standard resource type or "
      "fully qualified, spec.overhead.limits[odd]: Invalid value: \"odd\": must be a standard "
      "resource for containers]" },
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

static void test_refused(void **state)
{
    (void)state;
    fixture_check_creates(KIND_POD, refused, COUNT(refused));
}

/* A pod that is wrong in thousands of ways takes as much memory as one that is wrong in a hundred.
 */
static void test_many_claims(void **state)
{
    struct fixture f;
    struct buf b;
    (void)state;
    fixture_init(&f);
    buf_init(&b);
    buf_append_c(&b, "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c',"
                     "'image':'i','resources':{'claims':[");
    for (int i = 0; i < 300; i++)
        buf_printf(&b, "%s{'name':'x%d'}", i > 0 ? "," : "", i);
    buf_append_c(&b, "]}}],'resourceClaims':[");
    for (int i = 0; i < 3000; i++)
        buf_printf(&b, "%s{'name':'y%d','resourceClaimName':'r'}", i > 0 ? "," : "", i);
    buf_append_c(&b, "]}}");
    buf_append_byte(&b, '\0');
    const char *errors = fixture_create_errors(&f, KIND_POD, (const char *)b.data);
    assert_non_null(strstr(errors, "must be one of the names in pod.spec.resourceClaims: y0, y1"));
    assert_true(f.arena.used < (16u << 20));
    buf_deinit(&b);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_many_claims) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
