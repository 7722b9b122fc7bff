/* __complete: what may stand in the place of the last word. */
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define TABLE                                                                                      \
    "{\"rows\":[{\"object\":{\"metadata\":{\"name\":\"one\"}}},{\"object\":{\"metadata\":{"        \
    "\"name\":\"other\"}}},{\"object\":{\"metadata\":{\"name\":\"third\"}}}]}"

static const struct verb *const verbs[] = { &get_verb, &explain_verb, &completion_verb,
                                            &complete_verb };
static const struct verb_table table = { .verbs = verbs, .count = 4 };

static void test_candidates(void **state)
{
    static const struct {
        const char *words[7];
        const char *out;
    } cases[] = {
        { { "" }, "get\nexplain\ncompletion\n" },
        { { "ex" }, "explain\n" },
        { { "nothing", "" }, "" },
        { { "get", "con" }, "configmaps\n" },
        { { "get", "a,con" }, "a,configmaps\n" },
        { { "get", "cm", "o" }, "one\nother\n" },
        { { "get", "cm", "-o", "yaml", "th" }, "third\n" },
        { { "get", "cm/o" }, "cm/one\ncm/other\n" },
        { { "get", "-n", "x", "cm/t" }, "cm/third\n" },
        { { "get", "cm/one", "con" }, "configmaps/\n" },
        { { "get", "--show-l" }, "--show-labels\n" },
        { { "get", "--sort" }, "--sort-by=\n" },
        { { "get", "--he" }, "--help\n" },
        { { "get", "-o", "ya" }, "yaml\n" },
        { { "get", "--output=ya" }, "--output=yaml\n" },
        { { "--color", "al" }, "always\n" },
        { { "get", "--kubeconfig", "" }, ":files\n" },
        { { "get", "--", "" }, "" },
        { { "explain", "con" }, "configmaps\n" },
        { { "completion", "z" }, "zsh\n" },
    };
    struct cli_world *w = *state;
    w->cli.verbs = &table;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cli_world_answer(w, TABLE, TABLE);
        assert_int_equal(cli_world_run(w, &complete_verb, cases[i].words), CLI_OK);
        assert_string_equal(w->out, cases[i].out);
        assert_string_equal(w->errors, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_candidates) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
