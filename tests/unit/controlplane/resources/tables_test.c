/* Rows that are a few plain fields. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_namespace(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'d','creationTimestamp':'2023-11-14T22:12:15Z'},'status':{'phase':'"
          "Active'}}",
          "d|Active|65s" }
    };
    (void)state;
    fixture_check_cells(KIND_NAMESPACE, cases, COUNT(cases));
}

static void test_config_map(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'m'},'data':{'a':'x'},'binaryData':{'b':''}}", "m|2|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_CONFIG_MAP, cases, COUNT(cases));
}

static void test_secret(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'m'},'type':'Opaque','data':{'a':'eA=='}}",
          "m|Opaque|1|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_SECRET, cases, COUNT(cases));
}

static void test_service_account(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'m','creationTimestamp':'2023-11-14T22:12:15Z'}}", "m|0|65s" }
    };
    (void)state;
    fixture_check_cells(KIND_SERVICE_ACCOUNT, cases, COUNT(cases));
}

static void test_lease(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'l','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'"
          "holderIdentity':'n1'}}",
          "l|n1|65s" }
    };
    (void)state;
    fixture_check_cells(KIND_LEASE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_namespace),
                                        cmocka_unit_test(test_config_map),
                                        cmocka_unit_test(test_secret),
                                        cmocka_unit_test(test_service_account),
                                        cmocka_unit_test(test_lease) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
