/* Leases: numbers that make sense. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'l','namespace':'d'},'spec':{}}", "" },
        { "{'metadata':{'name':'l','namespace':'d'}}", "" },
        { "{'metadata':{'name':'l','namespace':'d'},'spec':{'leaseDurationSeconds':0}}",
          "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0" },
        { "{'metadata':{'name':'l','namespace':'d'},'spec':{'leaseTransitions':-1}}",
          "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0" },
        { "{'metadata':{'name':'l','namespace':'d'},'spec':{'preferredHolder':'x'}}",
          "spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined" }
    };
    (void)state;
    fixture_check_creates(KIND_LEASE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
