/* What a named operating system rules out. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct create_case refused[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'os':{'name':'linux'}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'os':{'name':'windows'}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'os':{'name':'odd'}}}",
      "spec.os: Unsupported value: \"odd\": supported values: \"linux\", \"windows\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'os':{'name':''}}}",
      "spec.os.name: Required value: cannot be empty" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'os':{'name':'linux'},'securityContext':{'windowsOptions':{}}}}",
      "spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a "
      "linux pod" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'windowsOptions':{}}}],'os':{'name':'linux'}}}",
      "spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be "
      "set for a linux pod" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'os':{'name':'windows'},'hostPID':true}}",
      "spec.hostPID: Forbidden: cannot be set for a windows pod" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'os':{'name':'windows'},'securityContext':{'fsGroup':1,'sysctls':[{'name':'a','value':'"
      "b'}]}}}",
      "[spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod, "
      "spec.securityContext.sysctls: Forbidden: cannot be set for a windows pod]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'privileged':false,'runAsUser':1}}],'os':{'name':'windows'}}}",
      "[spec.containers[0].securityContext.privileged: Forbidden: cannot be set for a windows "
      "pod, spec.containers[0].securityContext.runAsUser: Forbidden: cannot be set for a "
      "windows pod]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'os':{'name':'windows'},'initContainers':[{'name':'d','image':'i','securityContext':{'"
      "capabilities':{}}}]}}",
      "spec.initContainers[0].securityContext.capabilities: Forbidden: cannot be set for a "
      "windows pod" }
};

static void test_refused(void **state)
{
    (void)state;
    fixture_check_creates(KIND_POD, refused, COUNT(refused));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
