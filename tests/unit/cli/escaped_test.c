/* What would act on a terminal, shown instead. */
#include "base/arena.h"
#include "base/buf.h"
#include "cli/escaped.h"
#include "tests/unit/unit.h"

static void test_escaped(void **state)
{
    static const char *const cases[][2] = {
        { "", "" },
        { "plain\n\tlines\n", "plain\n\tlines\n" },
        { "\x1b[31mred", "^[[31mred" },
        { "over\rwritten", "over\\rwritten" },
        { "a\x07\x08\x7f", "a\\x07\\x08\\x7f" },
        { "\xc2\x9b"
          "2J",
          "\\u009b2J" },
        { "\xc2\xa0\xc3\xa9\xe2\x82\xac\xc2", "\xc2\xa0\xc3\xa9\xe2\x82\xac\xc2" },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf b;
        buf_init(&b);
        escaped_write(&b, str_from(cases[i][0]));
        assert_string_equal(str_dup(&a, buf_str(&b)), cases[i][1]);
        buf_deinit(&b);
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_escaped) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
