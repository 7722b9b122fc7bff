/* Flags in both forms. */
#include "cli/verb.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

static void test_flags(void **state)
{
    static const struct {
        const char *words[3];
        int count;
        const char *value; /* NULL: not it, or without a value */
        int at;
    } cases[] = {
        { { "--name", "x" }, 2, "x", 1 },     { { "--name=x" }, 1, "x", 0 },
        { { "--name=" }, 1, "", 0 },          { { "--named", "x" }, 2, NULL, 0 },
        { { "--nam", "x" }, 2, NULL, 0 },     { { "--name" }, 1, NULL, 0 },
        { { "--name", "--x" }, 2, "--x", 1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int at = 0;
        const char *value =
            cli_flag(cases[i].count, (char **)(uintptr_t)cases[i].words, &at, "--name");
        if (cases[i].value == NULL)
            assert_null(value);
        else
            assert_string_equal(value, cases[i].value);
        assert_int_equal(at, cases[i].at);
    }
}

static int fail_run(struct cli *c, int argc, char **argv)
{
    (void)c;
    (void)argv;
    return argc > 0 ? cli_fail("no %s", "luck")
                    : cli_usage(&(struct verb){ .help = "x [-y]" }, "why");
}

static void test_endings(void **state)
{
    static const struct verb v = { .name = "x", .help = "x [-y]", .run = fail_run };
    static const char *const none[] = { NULL };
    static const char *const one[] = { "1", NULL };
    struct cli_world *w = *state;
    assert_int_equal(cli_world_run(w, &v, none), CLI_USAGE);
    assert_string_equal(w->errors, "gantry: why\nusage: gantry x [-y]\n");
    assert_int_equal(cli_world_run(w, &v, one), CLI_FAILED);
    assert_string_equal(w->errors, "gantry: no luck\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),
        cmocka_unit_test_setup_teardown(test_endings, cli_world_setup, cli_world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
