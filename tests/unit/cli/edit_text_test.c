/* The heading of an edit, and what of the text counts. */
#include <string.h>

#include "api/schema/json.h"
#include "base/arena.h"
#include "cli/edit_text.h"
#include "tests/unit/unit.h"

static struct arena arena;

static void test_plain(void **state)
{
    static const struct {
        const char *text;
        const char *plain;
        bool empty;
    } cases[] = { { "", "", true },
                  { "# a\n\n  \n", "\n  \n", true },
                  { "# a\nb: 1", "b: 1\n", false },
                  { "b: 1 # c\n#d\n", "b: 1 # c\n", false } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(edit_text_plain(&arena, str_from(cases[i].text)).data, cases[i].plain);
        assert_int_equal(edit_text_is_empty(str_from(cases[i].text)), cases[i].empty);
    }
}

static void test_reasons(void **state)
{
    const struct json *status;
    struct buf b;
    (void)state;
    buf_init(&b);
    edit_text_reason(&b, "It had: ", str_lit("one\ntwo"));
    assert_true(str_eq_c(buf_str(&b), "# It had: one\n# two\n#\n"));
    buf_clear(&b);
    assert_int_equal(json_parse(&arena,
                                str_lit("{\"details\":{\"causes\":[{\"field\":\"spec.x\","
                                        "\"message\":\"no\\ngood\"}]}}"),
                                &status, NULL),
                     0);
    edit_text_invalid(&b, str_lit("pods"), str_lit("a"), status);
    assert_true(str_eq_c(buf_str(&b), "# pods \"a\" was not valid:\n# * spec.x: no\n# good\n#\n"));
    buf_clear(&b);
    edit_text_invalid(&b, str_lit("pods"), str_lit("a"), NULL);
    assert_true(str_eq_c(buf_str(&b), "# pods \"a\" was not valid\n#\n"));
    buf_clear(&b);
    edit_text_heading(&b, str_lit("# why\n#\n"));
    assert_true(str_ends(buf_str(&b), str_lit("failures.\n#\n# why\n#\n")));
    assert_true(edit_text_is_empty(buf_str(&b)));
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_plain),
                                        cmocka_unit_test(test_reasons) };
    arena_init(&arena);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
