/* Templates that are none, in kubectl's words; relaxed paths. */
#include "base/arena.h"
#include "base/buf.h"
#include "cli/jsonpath.h"
#include "tests/unit/unit.h"

static void test_refused(void **state)
{
    static const struct {
        const char *template;
        const char *says;
    } cases[] = {
        { "{", "unclosed action" },
        { "{.a", "unclosed action" },
        { "{.items[0", "unterminated array" },
        { "{.items[]}", NULL },
        { "{.items[x]}", "invalid array index x" },
        { "{.items[1:2:3:4]}", "invalid array index 1:2:3:4" },
        { "{.items[99999999999999999999]}", "array index 99999999999999999999 is not a number" },
        { "{.items[?(@.a]}", "unterminated filter" },
        { "{.items[?(@.a)}", "unclosed array expect ]" },
        { "{\"a}", "unterminated quoted string" },
        { "{\"\\q\"}", "unquote string \"\\q\" error invalid syntax" },
        { "{....}", "invalid multiple recursive descent" },
        { "{#}", "unrecognized character in action: U+0023 '#'" },
        { "{+}", "cannot parse number +" },
        { "{1.2.3}", "cannot parse number 1.2.3" },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct jsonpath *path;
        struct err e = { 0 };
        int rc = jsonpath_parse(&a, str_from(cases[i].template), &path, &e);
        assert_int_equal(rc, cases[i].says == NULL ? 0 : -ERR_PARSE);
        if (rc != 0)
            assert_string_equal(e.msg, cases[i].says);
    }
    arena_deinit(&a);
}

static void test_bounds(void **state)
{
    const struct jsonpath *path;
    struct arena a;
    struct buf text;
    struct err e;
    (void)state;
    arena_init(&a);
    buf_init(&text);
    buf_append_c(&text, "{.a");
    for (int i = 0; i < 2 * JSONPATH_DEPTH_MAX; i++)
        buf_append_c(&text, "[?(@.a");
    for (int i = 0; i < 2 * JSONPATH_DEPTH_MAX; i++)
        buf_append_c(&text, ")]");
    buf_append_c(&text, "}");
    assert_int_not_equal(jsonpath_parse(&a, buf_str(&text), &path, &e), 0);
    buf_clear(&text);
    for (size_t i = 0; i <= JSONPATH_BYTES_MAX; i++)
        buf_append_byte(&text, 'x');
    assert_int_equal(jsonpath_parse(&a, buf_str(&text), &path, &e), -ERR_LIMIT);
    buf_deinit(&text);
    arena_deinit(&a);
}

static void test_relaxed(void **state)
{
    static const struct {
        const char *text;
        const char *path; /* NULL: refused */
    } cases[] = {
        { "a.b", "{.a.b}" }, { ".a.b", "{.a.b}" }, { "{a.b}", "{.a.b}" }, { "{.a.b}", "{.a.b}" },
        { "", "" },          { "{{a}}", NULL },    { "{a", NULL },        { "a[0].b", "{.a[0].b}" }
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str out;
        struct err e;
        int rc = jsonpath_relaxed(&a, str_from(cases[i].text), &out, &e);
        assert_int_equal(rc == 0, cases[i].path != NULL);
        if (rc == 0)
            assert_true(str_eq_c(out, cases[i].path));
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_bounds),
                                        cmocka_unit_test(test_relaxed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
