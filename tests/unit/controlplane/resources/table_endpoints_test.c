/* Rows of Endpoints and EndpointSlices. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_endpoints(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'e'}}", "e|<none>|<unknown>" },
        { "{'metadata':{'name':'e'},'subsets':[{'addresses':[{'ip':'10.0.0.1'},{'ip':'2001:db8::1'}"
          "],'ports':[{'port':80},{'port':81}]}]}",
          "e|10.0.0.1:80,[2001:db8::1]:80,10.0.0.1:81 + 1 more...|<unknown>" },
        { "{'metadata':{'name':'e'},'subsets':[{'addresses':[{'ip':'10.0.0.1'}]}]}",
          "e|10.0.0.1|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_ENDPOINTS, cases, COUNT(cases));
}

static void test_slices(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'s'},'addressType':'IPv4','endpoints':[]}",
          "s|IPv4|<unset>|<unset>|<unknown>" },
        { "{'metadata':{'name':'s'},'addressType':'IPv4','ports':[{'port':80},{'name':'x'}],'"
          "endpoints':[{'addresses':['10.0.0.1','10.0.0.2']},{'addresses':['10.0.0.3','10.0.0.4']}]"
          "}",
          "s|IPv4|80,*|10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_ENDPOINT_SLICE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_endpoints),
                                        cmocka_unit_test(test_slices) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
