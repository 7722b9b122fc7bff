/* Field selectors: matching, escapes, refusals. */

#include "api/meta/selector.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

static struct str field_of(void *ctx, struct str field)
{
    (void)ctx;
    if (str_eq_c(field, "metadata.name"))
        return str_lit("web");
    if (str_eq_c(field, "odd"))
        return str_lit("a,b=c\\");
    return (struct str){ 0 };
}

static void test_matches(void **state)
{
    static const struct {
        const char *text;
        bool matches;
    } cases[] = { { "", true },
                  { "metadata.name=web", true },
                  { "metadata.name==web", true },
                  { "metadata.name!=web", false },
                  { "metadata.name!=x,status.phase!=Failed", true },
                  { "metadata.name=web,status.phase=Running", false },
                  { "status.phase=", true },
                  { "odd=a\\,b\\=c\\\\", true },
                  { ",metadata.name=web,", true } };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct field_selector s;
        struct err e = { 0 };
        if (field_selector_parse(&a, str_from(cases[i].text), &s, &e) != 0)
            fail_msg("%s: %s", cases[i].text, e.msg);
        if (field_selector_matches(&s, field_of, NULL) != cases[i].matches)
            fail_msg("%s", cases[i].text);
    }
    struct field_selector s;
    struct str value;
    assert_int_equal(field_selector_parse(&a, str_lit("a!=b,c=d"), &s, NULL), 0);
    assert_true(field_selector_exact(&s, "c", &value));
    assert_true(str_eq_c(value, "d"));
    assert_false(field_selector_exact(&s, "a", &value));
    arena_deinit(&a);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = { { "abc", "invalid selector: 'abc'; can't understand 'abc'" },
                  { "a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'" },
                  { "a=\\x", "invalid field selector: invalid escape sequence: \\x" },
                  { "a=b\\", "invalid field selector: invalid escape sequence: \\" },
                  { "a=b=c", "invalid field selector: unescaped character in value: 61" } };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct field_selector s;
        struct err e = { 0 };
        assert_int_equal(field_selector_parse(&a, str_from(cases[i].text), &s, &e),
                         -ERR_INVALID_ARGUMENT);
        assert_string_equal(e.msg, cases[i].message);
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_matches),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
