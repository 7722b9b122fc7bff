/* Borrowed strings: numbers, splitting, comparison, UTF-8. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "tests/unit/unit.h"

static void test_u64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
        uint64_t value;
    } rows[] = { { "0", 0, 0 },
                 { "007", 0, 7 },
                 { "18446744073709551615", 0, UINT64_MAX },
                 { "18446744073709551616", -ERR_LIMIT, 0 },
                 { "99999999999999999999999", -ERR_LIMIT, 0 },
                 { "99999999999999999999999x", -ERR_PARSE, 0 },
                 { "", -ERR_PARSE, 0 },
                 { "-1", -ERR_PARSE, 0 },
                 { "+1", -ERR_PARSE, 0 },
                 { " 1", -ERR_PARSE, 0 },
                 { "1 ", -ERR_PARSE, 0 },
                 { "0x1", -ERR_PARSE, 0 } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t v = 42;
        assert_int_equal(str_to_u64(str_from(rows[i].text), &v), rows[i].rc);
        assert_int_equal(v, rows[i].rc == 0 ? rows[i].value : 42);
    }
}

static void test_i64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
        int64_t value;
    } rows[] = { { "-0", 0, 0 },
                 { "-5", 0, -5 },
                 { "9223372036854775807", 0, INT64_MAX },
                 { "9223372036854775808", -ERR_LIMIT, 0 },
                 { "-9223372036854775808", 0, INT64_MIN },
                 { "-9223372036854775809", -ERR_LIMIT, 0 },
                 { "-", -ERR_PARSE, 0 },
                 { "--1", -ERR_PARSE, 0 } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t v = 42;
        assert_int_equal(str_to_i64(str_from(rows[i].text), &v), rows[i].rc);
        assert_true(v == (rows[i].rc == 0 ? rows[i].value : 42));
    }
}

static void test_split(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int count;
        const char *parts[4];
    } rows[] = { { "a,,b", 3, { "a", "", "b" } },
                 { "", 1, { "" } },
                 { ",", 2, { "", "" } },
                 { "abc", 1, { "abc" } },
                 { NULL, 0, { NULL } } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str rest = str_from(rows[i].text);
        struct str part;
        int n = 0;
        while (str_split(&rest, ',', &part)) {
            assert_true(n < rows[i].count);
            assert_true(str_eq_c(part, rows[i].parts[n]));
            n++;
        }
        assert_int_equal(n, rows[i].count);
    }
}

static void test_compare_and_find(void **state)
{
    (void)state;
    assert_int_equal(str_cmp(str_lit("ab"), str_lit("abc")), -1);
    assert_int_equal(str_cmp(str_lit("b"), str_lit("abc")), 1);
    assert_int_equal(str_cmp(str_from(NULL), str_lit("")), 0);
    assert_true(str_cmp(str_of("\xff", 1), str_of("a", 1)) > 0);
    assert_true(str_eq_nocase(str_lit("Content-TYPE"), str_lit("content-type")));
    assert_false(str_eq_nocase(str_lit("a"), str_lit("ab")));
    assert_true(str_starts(str_lit("abc"), str_lit("")));
    assert_false(str_starts(str_lit("a"), str_lit("ab")));
    assert_true(str_ends(str_lit("abc"), str_lit("bc")));
    assert_true(str_eq_c(str_trim(str_lit(" \t x y\t ")), "x y"));
    assert_int_equal(str_trim(str_lit("  ")).len, 0);
    assert_int_equal(str_find_char(str_lit("abcb"), 'b', 2), 3);
    assert_int_equal(str_find_char(str_lit("abc"), 'a', 9), -1);
    assert_int_equal(str_find(str_lit("aab"), str_lit("ab")), 1);
    assert_int_equal(str_find(str_lit("a"), str_lit("ab")), -1);
    assert_int_equal(str_find(str_from(NULL), str_lit("")), 0);
    assert_true(str_eq_c(str_slice(str_lit("hello"), 3, 99), "lo"));
    assert_int_equal(str_slice(str_lit("hello"), 9, 2).len, 0);
    assert_true(str_hash(str_lit("a")) != str_hash(str_lit("b")));
}

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } rows[] = { { "", true },
                 { "plain", true },
                 { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x80", true },
                 { "\xef\xbf\xbf", true },
                 { "\xf4\x8f\xbf\xbf", true },
                 { "\x80", false },
                 { "\xc0\x80", false },         /* overlong NUL */
                 { "\xc1\xbf", false },         /* overlong */
                 { "\xe0\x9f\xbf", false },     /* overlong */
                 { "\xed\xa0\x80", false },     /* surrogate */
                 { "\xf0\x8f\xbf\xbf", false }, /* overlong */
                 { "\xf4\x90\x80\x80", false }, /* beyond U+10FFFF */
                 { "\xf5\x80\x80\x80", false },
                 { "\xe2\x82", false },
                 { "\xe2\x82z", false },
                 { "a\xff", false } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(str_utf8_valid(str_from(rows[i].text)), rows[i].valid);
}

static void test_copies_end_in_nul(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    assert_string_equal(str_dup(&a, str_slice(str_lit("hello"), 1, 3)), "el");
    assert_string_equal(str_dup(&a, str_from(NULL)), "");
    struct str s = str_printf(&a, "%s-%d", "pod", 7);
    assert_int_equal(s.len, 5);
    assert_string_equal(s.data, "pod-7");
    assert_true(str_eq(str_copy(&a, s), s));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u64),   cmocka_unit_test(test_i64),
        cmocka_unit_test(test_split), cmocka_unit_test(test_compare_and_find),
        cmocka_unit_test(test_utf8),  cmocka_unit_test(test_copies_end_in_nul)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
