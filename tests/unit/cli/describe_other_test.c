/* describe of kinds without a page of their own. */
#include <string.h>

#include "tests/unit/cli/page_world.h"
#include "tests/unit/unit.h"

static void test_fields(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_other,
                "{\"kind\":\"Thing\",\"apiVersion\":\"g/v1\",\"metadata\":{\"name\":\"t\",\"uid\""
                ":\"u\",\"managedFields\":[1]},\"spec\":{\"podCIDR\":\"x\",\"HTTPServer\":1,\"a_b"
                "\":null,\"list\":[1,{\"deepValue\":true}]}}",
                NULL);
    assert_non_null(strstr(page, "API Version:  g/v1\n"
                                 "Kind:         Thing\n"
                                 "Metadata:\n"
                                 "  UID:  u\n"
                                 "Spec:\n"
                                 "  HTTP Server:  1\n"
                                 "  a_b:          <nil>\n"
                                 "  List:\n"
                                 "    1\n"
                                 "    Deep Value:  true\n"
                                 "  Pod CIDR:      x\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_fields) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
