/* Endpoints: subsets with addresses that can be sent to. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'}}", "" },
        { "{'metadata':{'name':'n','namespace':'d'},'subsets':[{'addresses':[{'ip':'10.0.0.1'}],'"
          "ports':[{'port':80}]}]}",
          "" },
        { "{'metadata':{'name':'n','namespace':'d'},'subsets':[{'ports':[{'port':80}]}]}",
          "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`" },
        { "{'metadata':{'name':'n','namespace':'d'},'subsets':[{'addresses':[{'ip':'x','hostname':'"
          "A','nodeName':'n_'}]}]}",
          "[subsets[0].addresses[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. "
          "10.9.8.7 or 2001:db8::ffff), subsets[0].addresses[0].hostname: Invalid value: \"A\": a "
          "lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
          "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
          "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?'), "
          "subsets[0].addresses[0].nodeName: Invalid value: \"n_\": a lowercase RFC 1123 subdomain "
          "must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
          "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
          "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')]" },
        { "{'metadata':{'name':'n','namespace':'d'},'subsets':[{'notReadyAddresses':[{'ip':'10.0.0."
          "1'}],'ports':[{'port':0},{'name':'b','port':2,'protocol':'X'}]}]}",
          "[subsets[0].ports[0].name: Required value, subsets[0].ports[0].port: Invalid value: 0: "
          "must be between 1 and 65535, inclusive, subsets[0].ports[1].protocol: Unsupported "
          "value: \"X\": supported values: \"SCTP\", \"TCP\", \"UDP\"]" }
    };
    (void)state;
    fixture_check_creates(KIND_ENDPOINTS, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
