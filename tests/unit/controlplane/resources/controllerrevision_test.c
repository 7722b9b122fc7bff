/* ControllerRevisions: data is there and never changes. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'},'revision':1,'data':{'a':1}}", "" },
        { "{'metadata':{'name':'n','namespace':'d'},'revision':-1,'data':{'a':1}}",
          "revision: Invalid value: -1: must be greater than or equal to 0" },
        { "{'metadata':{'name':'n','namespace':'d'},'revision':1}",
          "data: Required value: data is mandatory" }
    };
    (void)state;
    fixture_check_creates(KIND_CONTROLLER_REVISION, cases, COUNT(cases));
}

static void test_update(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'},'revision':1,'data':{'a':1}}",
          "{'metadata':{'name':'n','namespace':'d'},'revision':2,'data':{'a':1}}", "" },
        { "{'metadata':{'name':'n','namespace':'d'},'revision':1,'data':{'a':1}}",
          "{'metadata':{'name':'n','namespace':'d'},'revision':1,'data':{'a':2}}",
          "data: Invalid value: {\"a\":2}: field is immutable" }
    };
    (void)state;
    fixture_check_updates(KIND_CONTROLLER_REVISION, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_update) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
