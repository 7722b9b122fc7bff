/* C strings that may be NULL. */
#include "api/meta/text.h"
#include "tests/unit/unit.h"

static void test_null_is_empty(void **state)
{
    (void)state;
    assert_string_equal(text_of(NULL), "");
    assert_string_equal(text_of("a"), "a");
    assert_true(text_empty(NULL));
    assert_true(text_empty(""));
    assert_false(text_empty("a"));
    assert_true(text_eq(NULL, ""));
    assert_true(text_eq("a", "a"));
    assert_false(text_eq("a", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_null_is_empty) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
