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
          "s|IPv4|80,x|10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_ENDPOINT_SLICE, cases, COUNT(cases));
}

static void test_empty_parts(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'e'},'subsets':[{'addresses':[{'ip':'1.2.3.4'},{'ip':'5.6.7.8'}],'"
          "ports':[{'port':8001}]}]}",
          "e|1.2.3.4:8001,5.6.7.8:8001|<unknown>" },
        { "{'metadata':{'name':'e'},'subsets':[{'notReadyAddresses':[{'ip':'1.2.3.4'}],'ports':[{'"
          "port':8001}]}]}",
          "e||<unknown>" },
        { "{'metadata':{'name':'e'},'subsets':[{'addresses':[{'ip':'1.2.3.4'},{'ip':'2.2.3.4'},{'"
          "ip':'3.2.3.4'},{'ip':'4.2.3.4'}],'ports':[{'port':1},{'port':2}]}]}",
          "e|1.2.3.4:1,2.2.3.4:1,3.2.3.4:1 + 5 more...|<unknown>" },
        { "{'metadata':{'name':'e'},'subsets':[{'addresses':[{'ip':'1.2.3.4'},{'ip':'2.2.3.4'},{'"
          "ip':'3.2.3.4'},{'ip':'4.2.3.4'}]}]}",
          "e|1.2.3.4,2.2.3.4,3.2.3.4 + 1 more...|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_ENDPOINTS, cases, COUNT(cases));
}

static void test_slice_ports(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'s'},'addressType':'IPv4','ports':[{}],'endpoints':[{'addresses':[]}"
          "]}",
          "s|IPv4|*|<unset>|<unknown>" },
        { "{'metadata':{'name':'s'},'addressType':'IPv6','ports':[{'name':''}],'endpoints':[]}",
          "s|IPv6|<unset>|<unset>|<unknown>" },
        { "{'metadata':{'name':'s'},'addressType':'FQDN','ports':[{'port':1},{'name':'a','port':2},"
          "{'name':'b'},{'port':4},{'port':5}],'endpoints':[{'addresses':['a.b']}]}",
          "s|FQDN|1,2,b + 2 more...|a.b|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_ENDPOINT_SLICE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_endpoints),
                                        cmocka_unit_test(test_slices),
                                        cmocka_unit_test(test_empty_parts),
                                        cmocka_unit_test(test_slice_ports) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
