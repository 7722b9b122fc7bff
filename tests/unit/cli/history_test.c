/* gantry history: pages put together, and two revisions compared. */
#include <string.h>

#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define PATH "/api/v1/namespaces/default/configmaps/a"

static void test_pages(void **state)
{
    static const char *const list[] = { "cm", "a", NULL };
    static const char *const json[] = { "cm/a", "-o", "json", NULL };
    struct cli_world *w = *state;
    cli_world_answer(
        w,
        "{\"oldest\":\"3\",\"versions\":[{\"revision\":\"9\",\"change\":\"deleted\",\"bytes\":0}],"
        "\"next\":\"5\"}",
        "{\"oldest\":\"4\",\"versions\":[{\"revision\":\"5\",\"change\":\"created\",\"time\":"
        "\"2026-01-02T03:04:05Z\",\"bytes\":77}]}");
    assert_int_equal(cli_world_run(w, &history_verb, list), CLI_OK);
    assert_int_equal(w->asks, 4);
    assert_string_equal(w->asked[2], "GET /gantry/v1/history" PATH "?limit=1000 ");
    assert_string_equal(w->asked[3], "GET /gantry/v1/history" PATH "?limit=1000&from=5 ");
    assert_string_equal(w->out, "REVISION     CHANGE    TIME                   BYTES\n"
                                "9            deleted   -                      0\n"
                                "5            created   2026-01-02T03:04:05Z   77\n");
    assert_string_equal(w->errors, "the oldest revision kept is 4\n");
    cli_world_answer(w, "{\"versions\":[]}\n", NULL);
    assert_int_equal(cli_world_run(w, &history_verb, json), CLI_OK);
    assert_string_equal(w->out, "{\"versions\":[]}\n");
    assert_string_equal(w->errors, "");
}

static void test_diff(void **state)
{
    static const char *const diff[] = { "cm", "a", "--diff", "3", "5", NULL };
    struct cli_world *w = *state;
    cli_world_answer(w, "a: 1\nb: 1\n", "a: 1\nb: 2\n");
    assert_int_equal(cli_world_run(w, &history_verb, diff), CLI_OK);
    assert_string_equal(w->asked[2], "GET " PATH "?gantryRevision=3 ");
    assert_string_equal(w->asked[3], "GET " PATH "?gantryRevision=5 ");
    assert_string_equal(w->out, "--- a at 3\n+++ a at 5\n@@ -1,2 +1,2 @@\n a: 1\n-b: 1\n+b: 2\n");
    w->answers[3].status = 410;
    w->answers[3].body = "{\"message\":\"revision 5 is compacted; the oldest kept is 8\"}";
    assert_int_equal(cli_world_run(w, &history_verb, diff), CLI_FAILED);
    assert_string_equal(w->errors, "gantry: revision 5 is compacted; the oldest kept is 8\n");
}

static void test_wrong(void **state)
{
    static const char *const cases[][6] = {
        { NULL },
        { "cm", NULL },
        { "cm", "a", "b", NULL },
        { "cm", "a", "-o", "yaml", NULL },
        { "cm", "a", "--diff", "1", NULL },
        { "cm", "a", "--diff", "1", "x", NULL },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cli_world_answer(w, "", "");
        assert_int_equal(cli_world_run(w, &history_verb, cases[i]), CLI_USAGE);
        assert_int_equal(w->asks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pages), cmocka_unit_test(test_diff),
                                        cmocka_unit_test(test_wrong) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
