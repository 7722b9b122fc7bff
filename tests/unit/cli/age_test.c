/* Ages and dates. */
#include "cli/age.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

static void test_ages(void **state)
{
    struct cli *c = &((struct cli_world *)*state)->cli;
    assert_true(str_eq_c(age_since(c, str_lit("")), "<unknown>"));
    assert_true(str_eq_c(age_since(c, str_lit("x")), "<unknown>"));
    assert_true(age_since(c, str_lit("2001-02-03T04:05:06Z")).data[2] == 'y');
    assert_true(str_eq_c(
        age_between(c, str_lit("2001-02-03T04:05:06Z"), str_lit("2001-02-03T04:08:16Z")), "3m10s"));
    assert_true(str_eq_c(age_between(c, str_lit("x"), str_lit("2001-02-03T04:08:16Z")), ""));
}

static void test_date(void **state)
{
    struct cli *c = &((struct cli_world *)*state)->cli;
    assert_true(
        str_starts(age_date(c, str_lit("2001-02-15T12:05:06Z")), str_lit("Thu, 15 Feb 2001")));
    assert_true(str_eq_c(age_date(c, str_lit("soon")), "soon"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_ages), cmocka_unit_test(test_date) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
