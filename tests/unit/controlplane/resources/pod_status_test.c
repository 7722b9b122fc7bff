/* What the status of a pod may become. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_status(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort'}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'phase':'Running'}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort'}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'Guaranteed'}}",
          "status.qosClass: Invalid value: \"Guaranteed\": field is immutable" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'Guaranteed'}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort'}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort','conditions':[{'type':'Ready','status':'True'},{'"
          "type':'PodScheduled','status':'True'},{'type':'Initialized','status':'True'},{'type':'a."
          "b/Odd','status':'True'}]}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort'}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort','conditions':[{'type':'bad "
          "type','status':'True'}]}}",
          "status.conditions[0].Type: Invalid value: \"bad type\": name part must consist of "
          "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
          "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
          "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort'}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort','conditions':[{'type':'Ready','status':'True','"
          "observedGeneration':-1}]}}",
          "status.conditions[0].observedGeneration: Invalid value: -1: must be a non-negative "
          "integer" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort'}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort','observedGeneration':-1}}",
          "status.observedGeneration: Invalid value: -1: must be a non-negative integer" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort'}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort','nominatedNodeName':'n.m'}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort'}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "},'status':{'qosClass':'BestEffort','nominatedNodeName':'N m'}}",
          "status.nominatedNodeName: Invalid value: \"N m\": a lowercase RFC 1123 subdomain must "
          "consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
          "an alphanumeric character (e.g. 'example.com', regex used for validation is "
          "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')" }
    };
    (void)state;
    fixture_check_statuses(KIND_POD, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_status) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
