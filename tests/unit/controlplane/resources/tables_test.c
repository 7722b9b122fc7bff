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

static void test_ages_and_counts(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n','creationTimestamp':'2023-11-14T22:13:21Z'},'status':{'phase':'"
          "odd'}}",
          "n|odd|0s" },
        { "{'metadata':{'name':'n','creationTimestamp':'2023-11-14T22:13:23Z'}}", "n||<invalid>" },
        { "{'metadata':{'name':'n'}}", "n||<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_NAMESPACE, cases, COUNT(cases));
}

static void test_no_secrets(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'m'},'type':'kubernetes.io/service-account-token'}",
          "m|kubernetes.io/service-account-token|0|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_SECRET, cases, COUNT(cases));
}

static void test_two_secrets(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'m'},'secrets':[{'name':'a'},{'name':'b'}]}", "m|2|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_SERVICE_ACCOUNT, cases, COUNT(cases));
}

static void test_lease_without_holder(void **state)
{
    static const struct create_case cases[] = { { "{'metadata':{'name':'l'},'spec':{}}",
                                                  "l||<unknown>" } };
    (void)state;
    fixture_check_cells(KIND_LEASE, cases, COUNT(cases));
}

static void test_empty_maps(void **state)
{
    static const struct create_case cases[] = { { "{'metadata':{'name':'m'}}", "m|0|<unknown>" } };
    (void)state;
    fixture_check_cells(KIND_CONFIG_MAP, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_namespace),
                                        cmocka_unit_test(test_config_map),
                                        cmocka_unit_test(test_secret),
                                        cmocka_unit_test(test_service_account),
                                        cmocka_unit_test(test_lease),
                                        cmocka_unit_test(test_ages_and_counts),
                                        cmocka_unit_test(test_no_secrets),
                                        cmocka_unit_test(test_two_secrets),
                                        cmocka_unit_test(test_lease_without_holder),
                                        cmocka_unit_test(test_empty_maps) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
