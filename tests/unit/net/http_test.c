/* Headers, grammar and percent-decoding. */
#include "base/arena.h"
#include "base/err.h"
#include "net/http.h"
#include "tests/unit/unit.h"

static void test_headers(void **state)
{
    struct arena a;
    struct http_headers h = { 0 };
    (void)state;
    arena_init(&a);
    assert_null(http_headers_get(&h, "a").data);
    for (int i = 0; i < 50; i++)
        http_headers_add(&a, &h, str_printf(&a, "n%d", i), str_lit("v"));
    http_headers_add(&a, &h, str_lit("connection"), str_lit("Upgrade, close"));
    http_headers_add(&a, &h, str_lit("connection"), str_lit(" X "));
    http_headers_add(&a, &h, str_lit("empty"), (struct str){ 0 });
    assert_int_equal(h.count, 53);
    assert_true(str_eq_c(http_headers_get(&h, "n49"), "v"));
    assert_non_null(http_headers_get(&h, "empty").data);
    assert_true(http_headers_has_token(&h, "connection", "upgrade"));
    assert_true(http_headers_has_token(&h, "connection", "x"));
    assert_false(http_headers_has_token(&h, "connection", "clos"));
    arena_deinit(&a);
}

static void test_grammar(void **state)
{
    (void)state;
    assert_true(http_is_token(str_lit("X-a_1")));
    assert_false(http_is_token(str_lit("")));
    assert_false(http_is_token(str_lit("a b")));
    assert_false(http_is_token(str_lit("a:")));
    assert_true(http_is_field_value(str_lit("a\tb \xc3\xa4")));
    assert_false(http_is_field_value(str_lit("a\r\nb")));
    assert_false(http_is_field_value(str_lit("a\0b")));
    assert_string_equal(http_reason(404), "Not Found");
    assert_string_equal(http_reason(299), "");
}

static void test_queries(void **state)
{
    struct arena a;
    struct str path;
    struct str query;
    struct str out;
    (void)state;
    arena_init(&a);
    http_split_target(str_lit("/a%2Fb?x=1&y=a+b%21&z&bad=%4"), &path, &query);
    assert_true(str_eq_c(path, "/a%2Fb"));
    assert_true(str_eq_c(http_query_get(&a, query, "x"), "1"));
    assert_true(str_eq_c(http_query_get(&a, query, "y"), "a b!"));
    assert_non_null(http_query_get(&a, query, "z").data);
    assert_null(http_query_get(&a, query, "bad").data);
    assert_null(http_query_get(&a, query, "w").data);
    http_split_target(str_lit("/a"), &path, &query);
    assert_null(query.data);
    assert_int_equal(http_percent_decode(&a, str_lit("a+%41"), false, &out), 0);
    assert_true(str_eq_c(out, "a+A"));
    assert_int_equal(http_percent_decode(&a, str_lit("%"), false, &out), -ERR_PARSE);
    assert_int_equal(http_percent_decode(&a, str_lit("%4g"), false, &out), -ERR_PARSE);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
