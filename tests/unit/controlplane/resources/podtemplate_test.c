/* PodTemplates: a pod spec, of any restart policy. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'},'template':{'metadata':{'labels':{'a':'b'}},'"
          "spec':{'containers':[{'name':'c','image':'i'}]}}}",
          "" },
        { "{'metadata':{'name':'n','namespace':'d'},'template':{'spec':{'restartPolicy':'Never','"
          "containers':[{'name':'c','image':'i'}]}}}",
          "" },
        { "{'metadata':{'name':'n','namespace':'d'},'template':{'spec':{'containers':[]}}}",
          "template.spec.containers: Required value" }
    };
    (void)state;
    fixture_check_creates(KIND_POD_TEMPLATE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
