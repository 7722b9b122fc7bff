/* describe of the kinds that are mostly data. */
#include <string.h>

#include "tests/unit/cli/page_world.h"
#include "tests/unit/unit.h"

static void test_configmap(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_configmap,
                "{\"metadata\":{\"name\":\"c\",\"namespace\":\"n\"},\"data\":{\"b\":\"2\\n\",\"a"
                "\":\"1\"},\"binaryData\":{\"x\":\"AAEC\"}}",
                NULL);
    assert_non_null(strstr(page, "Data\n"
                                 "====\n"
                                 "a:\n"
                                 "----\n"
                                 "1\n"
                                 "\n"
                                 "b:\n"
                                 "----\n"
                                 "2\n"
                                 "\n"
                                 "\n"
                                 "\n"
                                 "BinaryData\n"
                                 "====\n"
                                 "x: 3 bytes\n"
                                 "\n"));
}

static void test_secret(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_secret,
                "{\"metadata\":{\"name\":\"s\"},\"type\":\"kubernetes.io/service-account-token\","
                "\"data\":{\"token\":\"YWI=\",\"z\":\"AAEC\"}}",
                NULL);
    assert_non_null(strstr(page, "Type:  kubernetes.io/service-account-token\n"
                                 "\n"
                                 "Data\n"
                                 "====\n"
                                 "token:  ab\n"
                                 "z:      3 bytes\n"));
}

static void test_account(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_serviceaccount,
                "{\"metadata\":{\"name\":\"s\"},\"imagePullSecrets\":[{\"name\":\"a\"},{\"name\":"
                "\"b\"}]}",
                NULL);
    assert_non_null(strstr(page, "Image pull secrets:  a\n"
                                 "                     b\n"
                                 "Mountable secrets:   <none>\n"
                                 "Tokens:              <none>\n"));
}

static void test_quota(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_quota,
                "{\"metadata\":{\"name\":\"q\"},\"spec\":{\"scopes\":[\"BestEffort\"]},\"status\""
                ":{\"hard\":{\"pods\":\"4\",\"cpu\":\"1000m\"},\"used\":{\"pods\":\"1\"}}}",
                NULL);
    assert_non_null(strstr(page,
                           "Scopes:     BestEffort\n"
                           " * Matches all pods that do not have resource requirements set."));
    assert_non_null(strstr(page, "Resource  Used  Hard\n"
                                 "--------  ----  ----\n"
                                 "cpu       0     1\n"
                                 "pods      1     4\n"));
}

static void test_limits(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_limits,
                "{\"metadata\":{\"name\":\"l\"},\"spec\":{\"limits\":[{\"type\":\"Container\",\"m"
                "ax\":{\"cpu\":\"2\"},\"default\":{\"memory\":\"1Gi\"}}]}}",
                NULL);
    assert_non_null(strstr(page,
                           "Container   cpu       -    2    -                -              -\n"
                           "Container   memory    -    -    -                1Gi            -\n"));
}

static void test_namespace(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_namespace,
                "{\"metadata\":{\"name\":\"n\"},\"status\":{\"phase\":\"Active\"}}", NULL);
    assert_non_null(strstr(page, "Status:       Active\n"
                                 "\n"
                                 "No resource quota.\n"
                                 "\n"
                                 "No LimitRange resource.\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configmap), cmocka_unit_test(test_secret),
        cmocka_unit_test(test_account),   cmocka_unit_test(test_quota),
        cmocka_unit_test(test_limits),    cmocka_unit_test(test_namespace)
    };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
