/* Go's quoted strings. */
#include "base/arena.h"
#include "cli/quoted.h"
#include "tests/unit/unit.h"

static void test_quoted(void **state)
{
    static const char *const cases[][2] = {
        { "\"a\"", "a" },
        { "'a'", "a" },
        { "\"\\n\\t\\\\\"", "\n\t\\" },
        { "'\\''", "'" },
        { "\"\\\"\"", "\"" },
        { "\"'\"", "'" },
        { "\"\\x41\\101\"", "AA" },
        { "\"\\u00e9\"", "\xc3\xa9" },
        { "\"\\U0001F600\"", "\xf0\x9f\x98\x80" },
        { "\"\\u20ac\"", "\xe2\x82\xac" },
        { "\"a", NULL },
        { "\"", NULL },
        { "\"\\q\"", NULL },
        { "'\\\"'", NULL },
        { "\"\\ud800\"", NULL },
        { "\"\\x4\"", NULL },
        { "\"\\400\"", NULL },
        { "\"a\"b\"", NULL },
        { "a", NULL },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str out;
        bool good = quoted_text(&a, str_from(cases[i][0]), &out);
        assert_int_equal(good, cases[i][1] != NULL);
        if (good)
            assert_true(str_eq_c(out, cases[i][1]));
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_quoted) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
