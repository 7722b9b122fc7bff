/* EndpointSlices: bounds, ports, and the address type that never changes. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'},'addressType':'IPv4','endpoints':[{'addresses':"
          "['10.0.0.1']}],'ports':[{'port':80},{'name':'b'}]}",
          "" },
        { "{'metadata':{'name':'n','namespace':'d'},'endpoints':[{'addresses':[]}],'ports':[]}",
          "[addressType: Required value, endpoints[0].addresses: Required value: must contain at "
          "least 1 address]" },
        { "{'metadata':{'name':'n','namespace':'d'},'addressType':'IP','endpoints':[]}",
          "addressType: Unsupported value: \"IP\": supported values: \"FQDN\", \"IPv4\", "
          "\"IPv6\"" },
        { "{'metadata':{'name':'n','namespace':'d'},'addressType':'IPv4','endpoints':[],'ports':[{'"
          "port':1},{'port':2}]}",
          "ports[1].name: Duplicate value: \"\"" },
        { "{'metadata':{'name':'n','namespace':'d'},'addressType':'IPv4','endpoints':[],'ports':[{'"
          "protocol':''}]}",
          "ports[0].protocol: Required value" },
        { "{'metadata':{'name':'n','namespace':'d'},'addressType':'IPv4','endpoints':[{'addresses':"
          "['10.0.0.1'],'hints':{'forZones':[{'name':'1'},{'name':'2'},{'name':'3'},{'name':'4'},{'"
          "name':'5'},{'name':'6'},{'name':'7'},{'name':'8'},{'name':'9'}]}}]}",
          "endpoints[0].hints.forZones: Too many: 9: must have at most 8 items" }
    };
    (void)state;
    fixture_check_creates(KIND_ENDPOINT_SLICE, cases, COUNT(cases));
}

static void test_update(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'},'addressType':'IPv4','endpoints':[]}",
          "{'metadata':{'name':'n','namespace':'d'},'addressType':'IPv6','endpoints':[]}",
          "addressType: Invalid value: \"IPv6\": field is immutable" }
    };
    (void)state;
    fixture_check_updates(KIND_ENDPOINT_SLICE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_update) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
