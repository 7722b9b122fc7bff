/* LimitRanges: bounds that agree with each other. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'limits':[{'type':'Container','max':{'"
          "cpu':'2'},'min':{'cpu':'1'},'default':{'cpu':'2'},'defaultRequest':{'cpu':'1'},'"
          "maxLimitRequestRatio':{'cpu':'2'}}]}}",
          "" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'limits':[{'type':'Pod','max':{'cpu':'"
          "1'},'min':{'cpu':'2'}}]}}",
          "spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value "
          "1" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'limits':[{'type':'Pod','default':{'"
          "cpu':'1'},'defaultRequest':{'cpu':'1'}}]}}",
          "[spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod', "
          "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod']" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'limits':[{'type':'Container','min':{'"
          "cpu':'2'},'defaultRequest':{'cpu':'1'},'default':{'cpu':'4'},'max':{'cpu':'3'}}]}}",
          "[spec.limits[0].defaultRequest[cpu]: Invalid value: \"1\": min value 2 is greater than "
          "default request value 1, spec.limits[0].default[cpu]: Invalid value: \"3\": default "
          "value 4 is greater than max value 3]" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'limits':[{'type':'Container','"
          "maxLimitRequestRatio':{'cpu':'500m'}}]}}",
          "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"500m\": ratio 500m is less "
          "than 1" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'limits':[{'type':'Pod','min':{'cpu':'"
          "1'},'max':{'cpu':'2'},'maxLimitRequestRatio':{'cpu':'3'}}]}}",
          "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"3\": ratio 3 is greater than "
          "max/min = 2.000000" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'limits':[{'type':'Container','default'"
          ":{'a.b/c':'2'},'defaultRequest':{'a.b/c':'1'}}]}}",
          "spec.limits[0].defaultRequest[a.b/c]: Invalid value: \"1\": default value 2 must equal "
          "to defaultRequest value 1 in a.b/c" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'limits':[{'type':'"
          "PersistentVolumeClaim'}]}}",
          "spec.limits[0].limits: Required value: either minimum or maximum storage value is "
          "required, but neither was provided" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'limits':[{'type':'Box'},{'type':'Pod'}"
          ",{'type':'Pod'}]}}",
          "[spec.limits[0].type: Invalid value: \"Box\": must be a standard limit type or fully "
          "qualified, spec.limits[2].type: Duplicate value: \"Pod\"]" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'limits':[{'type':'Container','max':{'"
          "pods':'1'}}]}}",
          "[spec.limits[0].max[pods]: Invalid value: \"pods\": must be a standard resource for "
          "containers, spec.limits[0].default[pods]: Invalid value: \"pods\": must be a standard "
          "resource for containers, spec.limits[0].defaultRequest[pods]: Invalid value: \"pods\": "
          "must be a standard resource for containers]" }
    };
    (void)state;
    fixture_check_creates(KIND_LIMIT_RANGE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
