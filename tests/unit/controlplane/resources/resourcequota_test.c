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
          "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value "
          "when `operator` is 'In' or 'NotIn' for scope selector" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'scopeSelector':{'matchExpressions':[{'"
          "scopeName':'PriorityClass','operator':'In','values':['a']}]}}}",
          "" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'scopeSelector':{'matchExpressions':[{'"
          "scopeName':'PriorityClass','operator':'Exists','values':['a']}]}}}",
          "spec.scopeSelector.matchExpressions.values: Invalid value: [\"a\"]: must be no value "
          "when `operator` is 'Exist' or 'DoesNotExist' for scope selector" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'scopeSelector':{'matchExpressions':[{'"
          "scopeName':'x','operator':'Odd'}]}}}",
          "[spec.scopeSelector.matchExpressions.scopeName: Invalid value: \"x\": unsupported "
          "scope, spec.scopeSelector.matchExpressions.operator: Invalid value: \"Odd\": not a "
          "valid selector operator]" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'scopeSelector':{'matchExpressions':[{'"
          "scopeName':'BestEffort','operator':'In','values':['a']}]}}}",
          "spec.scopeSelector.matchExpressions.operator: Invalid value: \"In\": must be 'Exist' "
          "when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
          "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
          "ResourceQuotaScopeCrossNamespacePodAffinity" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'scopeSelector':{'matchExpressions':[{'"
          "scopeName':'Terminating','operator':'Exists'},{'scopeName':'NotTerminating','operator':'"
          "Exists'}]}}}",
          "spec.scopeSelector.matchExpressions: Invalid value: null: conflicting scopes" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'hard':{'requests.storage':'1'},'"
          "scopeSelector':{'matchExpressions':[{'scopeName':'PriorityClass','operator':'Exists'}]}}"
          "}",
          "spec.scopeSelector.matchExpressions: Invalid value: "
          "{\"matchExpressions\":[{\"scopeName\":\"PriorityClass\",\"operator\":\"Exists\"}]}: "
          "unsupported scope applied to resource" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'hard':{'pods':'1','requests.cpu':'1'},"
          "'scopes':['BestEffort']}}",
          "spec.scopes: Invalid value: [\"BestEffort\"]: unsupported scope applied to resource" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'hard':{'pods':'1','count/"
          "jobs.batch':'1'},'scopes':['BestEffort']}}",
          "" }
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
