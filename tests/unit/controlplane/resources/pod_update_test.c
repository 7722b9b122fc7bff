/* What an update of a pod may change. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct update_case cases[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'j','"
      "imagePullPolicy':'Never'}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "command':['x']}]}}",
      "spec: Forbidden: pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'nodeName':'n'}}",
      "spec: Forbidden: pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'},"
      "{'name':'e','image':'i'}]}}",
      "spec.containers: Forbidden: pod updates may not add or remove containers" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'activeDeadlineSeconds':5}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'activeDeadlineSeconds':5}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'activeDeadlineSeconds':6}}",
      "spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous "
      "value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'activeDeadlineSeconds':5}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive "
      "integer to nil value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'tolerations':[{'key':'k','operator':'Exists','effect':'NoExecute'}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'tolerations':[{'key':'k','operator':'Exists','effect':'NoExecute'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "spec.tolerations: Forbidden: existing toleration can not be modified except its "
      "tolerationSeconds" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}]}}",
      "spec.schedulingGates[0]: Forbidden: only deletion is allowed, but found new scheduling "
      "gate 'g'" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'terminationGracePeriodSeconds':-1}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'terminationGracePeriodSeconds':1}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'terminationGracePeriodSeconds':5}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'terminationGracePeriodSeconds':1}}",
      "spec: Forbidden: pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)" }
};

static void test_update(void **state)
{
    (void)state;
    fixture_check_updates(KIND_POD, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_update) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
