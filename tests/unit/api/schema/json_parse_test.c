/* RFC 8259 and nothing else; bounds. */
#include <string.h>

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static const struct {
    const char *text;
    const char *want; /* printed again; NULL: refused */
    const char *error;
} cases[] = { { " { \"a\" : [ 1 , -0 , 2.50 , 1e+2 ] } ", "{\"a\":[1,-0,2.50,1e+2]}", NULL },
              { "\"\\u0041\\n\\/\\ud83c\\udf89\"", "\"A\\n/\xf0\x9f\x8e\x89\"", NULL },
              { "\"\\ud800x\"", "\"\xef\xbf\xbdx\"", NULL },
              { "\"a\xff\"", "\"a\xef\xbf\xbd\"", NULL },
              { "9223372036854775808", "9223372036854775808", NULL },
              { "null", "null", NULL },
              { "", NULL, "unexpected end of JSON input" },
              { "{", NULL, "unexpected end of JSON input" },
              { "{a:1}", NULL, "invalid character 'a' looking for beginning of object key string" },
              { "[1,]", NULL, "invalid character ']' looking for beginning of value" },
              { "{\"a\" 1}", NULL, "invalid character '1' after object key" },
              { "{\"a\":1 \"b\":2}", NULL, "invalid character '\"' after object key:value pair" },
              { "[1 2]", NULL, "invalid character '2' after array element" },
              { "01", NULL, "invalid character '1' after top-level value" },
              { "1.", NULL, "unexpected end" },
              { "-", NULL, "unexpected end" },
              { "1e", NULL, "unexpected end" },
              { ".5", NULL, "looking for beginning of value" },
              { "nul", NULL, "unexpected end" },
              { "tru1", NULL, "invalid character '1' in literal" },
              { "\"\\x\"", NULL, "in string escape code" },
              { "\"\\u12g4\"", NULL, "in \\u hexadecimal" },
              { "\"a\nb\"", NULL, "in string literal" },
              { "'a'", NULL, "invalid character '\\'' looking for beginning of value" },
              { "1e999", NULL, "out of range" },
              { "{} {}", NULL, "after top-level value" } };

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        struct buf b;
        struct err e = { 0 };
        const struct json *j;
        arena_init(&a);
        buf_init(&b);
        int rc = json_parse(&a, str_from(cases[i].text), &j, &e);
        assert_int_equal(json_check(str_from(cases[i].text), NULL) == 0, rc == 0);
        if (cases[i].want == NULL) {
            if (rc != -ERR_PARSE || strstr(e.msg, cases[i].error) == NULL)
                fail_msg("%s: rc %d, %s", cases[i].text, rc, e.msg);
        } else {
            if (rc != 0)
                fail_msg("%s: %s", cases[i].text, e.msg);
            json_write(&b, j, false);
            buf_append_byte(&b, 0);
            assert_string_equal((char *)b.data, cases[i].want);
        }
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

static int nested(size_t depth)
{
    struct arena a;
    struct buf b;
    const struct json *j;
    arena_init(&a);
    buf_init(&b);
    for (size_t i = 0; i < depth; i++)
        buf_append_byte(&b, '[');
    for (size_t i = 0; i < depth; i++)
        buf_append_byte(&b, ']');
    int rc = json_parse(&a, buf_str(&b), &j, NULL);
    assert_int_equal(json_check(buf_str(&b), NULL), rc);
    buf_deinit(&b);
    arena_deinit(&a);
    return rc;
}

static void depth_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(nested(JSON_DEPTH_MAX), 0);
    assert_int_equal(nested(JSON_DEPTH_MAX + 2), -ERR_LIMIT);
    assert_int_equal(nested(1000000), -ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(table),
                                        cmocka_unit_test(depth_is_bounded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
