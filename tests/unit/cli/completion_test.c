/* completion: a script for each shell. */
#include <string.h>

#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

static void test_scripts(void **state)
{
    static const char *const shells[] = { "bash", "zsh", "fish" };
    struct cli_world *w = *state;
    for (size_t i = 0; i < 3; i++) {
        const char *const words[] = { shells[i], NULL };
        assert_int_equal(cli_world_run(w, &completion_verb, words), CLI_OK);
        assert_non_null(strstr(w->out, "__complete"));
        assert_non_null(strstr(w->out, shells[i]));
    }
}

static void test_wrong(void **state)
{
    static const char *const none[] = { NULL };
    static const char *const two[] = { "bash", "zsh", NULL };
    static const char *const odd[] = { "csh", NULL };
    struct cli_world *w = *state;
    assert_int_equal(cli_world_run(w, &completion_verb, none), CLI_FAILED);
    assert_non_null(strstr(w->errors, "Shell not specified"));
    assert_int_equal(cli_world_run(w, &completion_verb, two), CLI_FAILED);
    assert_int_equal(cli_world_run(w, &completion_verb, odd), CLI_FAILED);
    assert_non_null(strstr(w->errors, "Unsupported shell type \"csh\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_scripts),
                                        cmocka_unit_test(test_wrong) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
