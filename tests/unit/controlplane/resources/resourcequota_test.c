/* ResourceQuotas: names, amounts and scopes. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'hard':{'pods':'4','requests.cpu':'1','"
          "count/jobs.batch':'3'},'scopes':['NotTerminating']}}",
          "" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'hard':{'pods':'1500m'}}}",
          "spec.hard[pods]: Invalid value: \"1500m\": must be an integer" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'hard':{'cpu':'-1'}}}",
          "spec.hard[cpu]: Invalid value: \"-1\": must be greater than or equal to 0" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'hard':{'foo':'1'}}}",
          "[spec.hard[foo]: Invalid value: \"foo\": must be a standard resource type or fully "
          "qualified, spec.hard[foo]: Invalid value: \"foo\": must be a standard resource for "
          "quota]" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'scopes':['BestEffort','NotBestEffort']"
          "}}",
          "spec.scopes: Invalid value: [\"BestEffort\",\"NotBestEffort\"]: conflicting scopes" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'scopes':['x']}}",
          "spec.scopes: Invalid value: [\"x\"]: unsupported scope" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'scopeSelector':{'matchExpressions':[{'"
          "scopeName':'PriorityClass','operator':'In'}]}}}",
          "spec.scopeSelector.matchExpressions[0].values: Required value: must be at least one "
          "value when `operator` is 'In' or 'NotIn' for scope selector" }
    };
    (void)state;
    fixture_check_creates(KIND_RESOURCE_QUOTA, cases, COUNT(cases));
}

static void test_update(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'hard':{'pods':'1'}}}",
          "{'metadata':{'name':'n','namespace':'d'},'spec':{'hard':{'pods':'2'}}}", "" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'scopes':['BestEffort']}}",
          "{'metadata':{'name':'n','namespace':'d'},'spec':{'scopes':['Terminating']}}",
          "spec.scopes: Invalid value: [\"Terminating\"]: field is immutable" }
    };
    (void)state;
    fixture_check_updates(KIND_RESOURCE_QUOTA, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_update) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
