/* Which words have a colour. */
#include "cli/color.h"
#include "tests/unit/unit.h"

static void test_states(void **state)
{
    (void)state;
    assert_ptr_equal(color_of_state(str_lit("Running")), color_of_state(str_lit("Active")));
    assert_string_equal(color_of_state(str_lit("Pending")), "\x1b[33m");
    assert_string_equal(color_of_state(str_lit("CrashLoopBackOff")), "\x1b[31m");
    assert_string_equal(color_of_state(str_lit("CreateContainerConfigError")), "\x1b[31m");
    assert_null(color_of_state(str_lit("Whatever")));
    assert_string_equal(color_title(), "\x1b[1m");
    assert_string_equal(color_end(), "\x1b[0m");
}

static void test_cells(void **state)
{
    static const struct {
        const char *title;
        const char *text;
        const char *color;
    } cases[] = { { "READY", "1/2", "\x1b[33m" },
                  { "READY", "2/2", NULL },
                  { "READY", "x/2", NULL },
                  { "STATUS", "Running", "\x1b[32m" },
                  { "STATUS", "Ready,SchedulingDisabled", "\x1b[33m" },
                  { "STATUS", "Init:Error", "\x1b[31m" },
                  { "STATUS", "Init:0/2", "\x1b[33m" },
                  { "TYPE", "Warning", "\x1b[33m" },
                  { "NAME", "Running", NULL } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *color = color_of_cell(str_from(cases[i].title), str_from(cases[i].text));
        if (cases[i].color == NULL)
            assert_null(color);
        else
            assert_string_equal(color, cases[i].color);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_states),
                                        cmocka_unit_test(test_cells) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
