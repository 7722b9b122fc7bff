/* Addresses: of a family, and none of the special ranges. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_special(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'},'addressType':'IPv4','endpoints':[{'addresses':"
          "['0.0.0.0','127.3.2.1','169.254.0.9','224.0.0.5']}]}",
          "[endpoints[0].addresses[0]: Invalid value: \"0.0.0.0\": may not be unspecified (0.0.0.0 "
          "or ::), endpoints[0].addresses[1]: Invalid value: \"127.3.2.1\": may not be in the "
          "loopback range (127.0.0.0/8, ::1/128), endpoints[0].addresses[2]: Invalid value: "
          "\"169.254.0.9\": may not be in the link-local range (169.254.0.0/16, fe80::/10), "
          "endpoints[0].addresses[3]: Invalid value: \"224.0.0.5\": may not be in the link-local "
          "multicast range (224.0.0.0/24, ff02::/10)]" },
        { "{'metadata':{'name':'n','namespace':'d'},'addressType':'IPv6','endpoints':[{'addresses':"
          "['::','::1','fe80::1','ff02::1','2001:db8::1','10.0.0.1']}]}",
          "[endpoints[0].addresses[0]: Invalid value: \"::\": may not be unspecified (0.0.0.0 or "
          "::), endpoints[0].addresses[1]: Invalid value: \"::1\": may not be in the loopback "
          "range (127.0.0.0/8, ::1/128), endpoints[0].addresses[2]: Invalid value: \"fe80::1\": "
          "may not be in the link-local range (169.254.0.0/16, fe80::/10), "
          "endpoints[0].addresses[3]: Invalid value: \"ff02::1\": may not be in the link-local "
          "multicast range (224.0.0.0/24, ff02::/10), endpoints[0].addresses[5]: Invalid value: "
          "\"10.0.0.1\": must be a valid IPv6 address]" },
        { "{'metadata':{'name':'n','namespace':'d'},'addressType':'IPv4','endpoints':[{'addresses':"
          "['2001:db8::1','225.0.0.1']}]}",
          "endpoints[0].addresses[0]: Invalid value: \"2001:db8::1\": must be a valid IPv4 "
          "address" }
    };
    (void)state;
    fixture_check_creates(KIND_ENDPOINT_SLICE, cases, COUNT(cases));
}

static void test_domain(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'},'addressType':'FQDN','endpoints':[{'addresses':"
          "['a.example','b.example.','local','']}]}",
          "[endpoints[0].addresses[2]: Invalid value: \"local\": should be a domain with at least "
          "two segments separated by dots, endpoints[0].addresses[3]: Required value]" }
    };
    (void)state;
    fixture_check_creates(KIND_ENDPOINT_SLICE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_special),
                                        cmocka_unit_test(test_domain) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
