/* The editor: which one, what it gets, and what is left when it fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/editor.h"
#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

static int edit(struct cli_world *w, const char *editor, const char **path, struct str *saved,
                struct err *e)
{
    assert_int_equal(setenv("KUBE_EDITOR", editor, 1), 0);
    return editor_run(&w->cli, str_lit("before\n"), ".yaml", path, saved, e);
}

static void test_saved(void **state)
{
    static const char *const editors[] = { "sed -i s/before/after/",
                                           "sed -i 's/before/after/'" /* wants a shell */ };
    struct cli_world *w = *state;
    for (size_t i = 0; i < 2; i++) {
        const char *path;
        struct str saved;
        struct err e;
        assert_int_equal(edit(w, editors[i], &path, &saved, &e), 0);
        assert_true(str_eq_c(saved, "after\n"));
        assert_true(str_ends(str_from(path), str_lit(".yaml")));
        assert_int_equal(unlink(path), 0);
    }
}

static void test_failed(void **state)
{
    struct cli_world *w = *state;
    const char *path = NULL;
    struct str saved;
    struct err e;
    assert_int_equal(edit(w, "false", &path, &saved, &e), -ERR_IO);
    assert_string_equal(e.msg, "there was a problem with the editor \"false\"");
    assert_int_equal(edit(w, "/no/such/editor", &path, &saved, &e), -ERR_IO);
    assert_string_equal(e.msg, "unable to launch the editor \"/no/such/editor\"");
    assert_null(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_saved),
                                        cmocka_unit_test(test_failed) };
    if (getenv("TEST_TMPDIR") != NULL)
        (void)setenv("TMPDIR", getenv("TEST_TMPDIR"), 1);
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
