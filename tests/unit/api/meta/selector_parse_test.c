/* Grammar corners: what is a keyword where, empty places in lists, bounds. */
#include "api/meta/selector.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_structure(void **state)
{
    static const struct {
        const char *text;
        enum selector_operator operator;
        size_t values;
    } cases[] = { { "a", SELECTOR_EXISTS, 0 },
                  { "!a", SELECTOR_NOT_EXISTS, 0 },
                  { "!a=b", SELECTOR_NOT_EXISTS, 0 },
                  { "a=", SELECTOR_EQUALS, 1 },
                  { "a==b", SELECTOR_EQUALS, 1 },
                  { "a!=b", SELECTOR_NOT_EQUALS, 1 },
                  { "a=in", SELECTOR_EQUALS, 1 },
                  { "in in (in,notin)", SELECTOR_IN, 2 },
                  { "a\tnotin\n( b ,, c )", SELECTOR_NOT_IN, 3 },
                  { "a in (b,b)", SELECTOR_IN, 1 },
                  { "a in (,)", SELECTOR_IN, 1 },
                  { "a > 1", SELECTOR_GREATER, 1 } };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct selector s;
        struct err e = { 0 };
        int rc = selector_parse(&a, str_from(cases[i].text), &s, &e);
        if (str_eq_c(str_from(cases[i].text), "!a=b")) {
            assert_int_equal(rc, -ERR_INVALID_ARGUMENT);
            continue;
        }
        if (rc != 0)
            fail_msg("%s: %s", cases[i].text, e.msg);
        assert_int_equal(s.count, 1);
        assert_int_equal(s.requirements[0].operator, cases[i].operator);
        assert_int_equal(s.requirements[0].values_count, cases[i].values);
    }
    arena_deinit(&a);
}

static void test_bounds(void **state)
{
    struct arena a;
    struct selector s;
    struct err e = { 0 };
    (void)state;
    arena_init(&a);
    char *text = arena_alloc(&a, SELECTOR_BYTES_MAX + 1);
    for (size_t i = 0; i <= SELECTOR_BYTES_MAX; i++)
        text[i] = i % 2 == 0 ? 'a' : ',';
    assert_int_equal(selector_parse(&a, str_of(text, SELECTOR_BYTES_MAX + 1), &s, &e), -ERR_LIMIT);
    assert_int_equal(selector_parse(&a, str_of(text, 2 * SELECTOR_REQUIREMENTS_MAX - 1), &s, &e),
                     0);
    assert_int_equal(s.count, SELECTOR_REQUIREMENTS_MAX);
    assert_int_equal(selector_parse(&a, str_of(text, 2 * SELECTOR_REQUIREMENTS_MAX + 1), &s, &e),
                     -ERR_LIMIT);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_structure),
                                        cmocka_unit_test(test_bounds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
