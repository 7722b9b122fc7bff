/* PodDisruptionBudgets: amounts, selectors, policies. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OF(spec)     "{'metadata':{'name':'b','namespace':'d'},'spec':{" spec "}}"

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { OF("'minAvailable':1,'selector':{'matchLabels':{'app':'a'}}"), "" },
        { OF("'maxUnavailable':'25%','unhealthyPodEvictionPolicy':'AlwaysAllow'"), "" },
        { "{'metadata':{'name':'b','namespace':'d'}}", "" },
        { OF("'minAvailable':-1"),
          "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0" },
        { OF("'minAvailable':'101%'"),
          "spec.minAvailable: Invalid value: \"101%\": must not be greater than 100%" },
        { OF("'maxUnavailable':'some'"),
          "spec.maxUnavailable: Invalid value: \"some\": a valid percent string must be a numeric "
          "string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is "
          "'[0-9]+%')" },
        { OF("'minAvailable':1,'maxUnavailable':1"),
          "spec: Invalid value: {\"minAvailable\":1,\"maxUnavailable\":1}: minAvailable and "
          "maxUnavailable cannot be both set" },
        { OF("'selector':{'matchLabels':{'-':'a'}}"),
          "spec.selector.matchLabels: Invalid value: \"-\": name part must consist of alphanumeric "
          "characters, '-', '_' or '.', and must start and end with an alphanumeric character "
          "(e.g. "
          "'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
          "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')" },
        { OF("'unhealthyPodEvictionPolicy':'Never'"),
          "spec.unhealthyPodEvictionPolicy: Unsupported value: \"Never\": supported values: "
          "\"AlwaysAllow\", \"IfHealthyBudget\"" }
    };
    (void)state;
    fixture_check_creates(KIND_DISRUPTION_BUDGET, cases, COUNT(cases));
}

static void test_conditions(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{}}",
          "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{'"
          "conditions':[{'type':'Ok','status':'True','reason':'Why','message':'','"
          "lastTransitionTime':'2023-11-14T22:12:15Z'},{'type':'Other','status':'True','reason':'A:"
          "b_','message':'','lastTransitionTime':'2023-11-14T22:12:15Z'}]}}",
          "" },
        { "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{}}",
          "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{'"
          "conditions':[{'type':'Ok','status':'True','reason':'Why','message':'','"
          "lastTransitionTime':'2023-11-14T22:12:15Z'},{'type':'Ok','status':'True','reason':'Why',"
          "'message':'','lastTransitionTime':'2023-11-14T22:12:15Z'}]}}",
          "status.conditions[1].type: Duplicate value: \"Ok\"" },
        { "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{}}",
          "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{'"
          "conditions':[{'type':'Ok','status':'Maybe','reason':'Why','message':'','"
          "lastTransitionTime':'2023-11-14T22:12:15Z'}]}}",
          "status.conditions[0].status: Unsupported value: \"Maybe\": supported values: \"False\", "
          "\"True\", \"Unknown\"" },
        { "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{}}",
          "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{'"
          "conditions':[{'type':'Ok','status':'True','reason':'','message':'','lastTransitionTime':"
          "'2023-11-14T22:12:15Z'}]}}",
          "status.conditions[0].reason: Required value: must be set" },
        { "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{}}",
          "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{'"
          "conditions':[{'type':'Ok','status':'True','reason':'why:','message':'','"
          "lastTransitionTime':'2023-11-14T22:12:15Z'}]}}",
          "status.conditions[0].reason: Invalid value: \"why:\": a condition reason must start "
          "with alphabetic character, optionally followed by a string of alphanumeric characters "
          "or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or "
          "'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for "
          "validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')" },
        { "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{}}",
          "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{'"
          "conditions':[{'type':'Ok','status':'True','reason':'Why','message':''}]}}",
          "status.conditions[0].lastTransitionTime: Required value: must be set" },
        { "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{}}",
          "{'metadata':{'name':'b','namespace':'d'},'spec':{'minAvailable':1},'status':{'"
          "conditions':[{'type':'Ok','status':'True','reason':'Why','message':'','"
          "lastTransitionTime':'2023-11-14T22:12:15Z','observedGeneration':-1}]}}",
          "status.conditions[0].observedGeneration: Invalid value: -1: must be greater than or "
          "equal to zero" }
    };
    (void)state;
    fixture_check_statuses(KIND_DISRUPTION_BUDGET, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_conditions) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
