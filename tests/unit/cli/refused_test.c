/* Answers that refuse, as kubectl tells them. */
#include "cli/ask.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

static void test_refused(void **state)
{
    static const struct {
        int status;
        const char *body;
        const char *says;
    } cases[] = {
        { 404,
          "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"pods \\\"x\\\" not found\"}",
          "Error from server (NotFound): pods \"x\" not found" },
        { 401, "{\"kind\":\"Status\",\"reason\":\"Unauthorized\",\"message\":\"who\"}",
          "error: You must be logged in to the server (who)" },
        { 500, "{\"kind\":\"Status\",\"message\":\"odd\"}", "Error from server: odd" },
        { 422,
          "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"all\",\"details\":{\"kind\":"
          "\"Pod\",\"name\":\"p\",\"causes\":[{\"field\":\"a\",\"message\":\"one\"}]}}",
          "The Pod \"p\" is invalid: a: one" },
        { 422,
          "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"details\":{\"kind\":\"Pod\",\"name\":"
          "\"p\",\"causes\":[{\"field\":\"a\",\"message\":\"one\"},{\"field\":\"a\",\"message\":"
          "\"one\"},{\"field\":\"b\",\"message\":\"two\"}]}}",
          "The Pod \"p\" is invalid: \n* a: one\n* b: two" },
        { 422, "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"all\"}",
          "The request is invalid: all" },
        { 502, "bad gateway\nmore", "Error from server: bad gateway" },
        { 502, "", "Error from server: it answered with status 502" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct ask_answer answer = { .status = cases[i].status,
                                           .body = str_from(cases[i].body) };
        assert_false(ask_good(&answer));
        assert_true(str_eq_c(ask_refused(&w->cli, &answer), cases[i].says));
    }
    const struct ask_answer first = { .status = 404, .body = str_from(cases[0].body) };
    assert_true(ask_reason(&w->cli, &first, "NotFound"));
    assert_false(ask_reason(&w->cli, &first, "Invalid"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
