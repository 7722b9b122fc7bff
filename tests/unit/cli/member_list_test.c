/* The table of members, and where one is on its way. */
#include <string.h>

#include "cli/member.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define GROUP(role, leader, rest) "{\"role\":\"" role "\",\"leader\":" leader rest "}"

static void test_table(void **state)
{
    static const char *const list[] = { "list", NULL };
    struct cli_world *w = *state;
    w->answers[0].status = 200;
    w->answers[0].body =
        "{\"members\":["
        "{\"name\":\"m1\",\"id\":1,\"want\":\"voter\",\"raftAddress\":\"tcp:10.0.0.1:2381\","
        "\"answers\":true,\"groups\":{\"cluster\":" GROUP(
            "voter", "true",
            ",\"lag\":0") ","
                          "\"bus\":" GROUP(
                              "voter", "false",
                              ",\"lag\":3") "}},"
                                            "{\"name\":\"m4\",\"id\":9,\"want\":\"standby\","
                                            "\"raftAddress\":\"tcp:10.0.0.4:2381\","
                                            "\"answers\":false,\"groups\":{\"cluster\":" GROUP(
                                                "standby", "false",
                                                "") ","
                                                    "\"bus\":" GROUP("none", "false", "") "}}]}";
    assert_int_equal(cli_world_run(w, &member_verb, list), CLI_OK);
    assert_string_equal(w->out, "NAME         ID   WANT     ROLE(c/b)        LEADER            LAG "
                                "ADDRESS                  "
                                "    HEARD\n"
                                "m1           1    voter    voter/voter      cluster             3 "
                                "10.0.0.1:2381            "
                                "    yes\n"
                                "m4           9    standby  standby/none     -                   - "
                                "10.0.0.4:2381            "
                                "    no\n");
}

static void test_progress(void **state)
{
    static const struct {
        const char *row;
        const char *text;
    } cases[] = {
        { "{\"answers\":true,\"groups\":{\"cluster\":{\"fetchedBytes\":3145728,"
          "\"fetchBytes\":10485760}}}",
          "copying cluster: 3 of 10 MiB" },
        { "{\"answers\":true,\"groups\":{\"cluster\":{\"lag\":2},\"bus\":{\"lag\":40}}}",
          "lacks 40 entries" },
        { "{\"answers\":true,\"groups\":{\"cluster\":{\"lag\":2}}}",
          "no leader knows how far it is" },
        { "{\"answers\":false}", "does not answer" },
        { "{}", "does not answer" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct json *row;
        char text[64];
        assert_int_equal(json_parse(&w->cli.arena, str_from(cases[i].row), &row, NULL), 0);
        member_progress(row, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_table, cli_world_setup, cli_world_teardown),
        cmocka_unit_test_setup_teardown(test_progress, cli_world_setup, cli_world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
