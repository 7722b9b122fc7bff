/* Go's encoding/json: escapes, floats, compaction, indentation. */
#include "api/schema/json.h"
#include "base/buf.h"
#include "tests/unit/unit.h"

static void assert_buf(struct buf *b, const char *want)
{
    buf_append_byte(b, 0);
    assert_string_equal((char *)b->data, want);
    buf_clear(b);
}

static void strings(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b);
    json_write_string(&b, str_lit("<a&b>\"\\\n\r\t\b\f\x01\x7f"), true);
    assert_buf(&b, "\"\\u003ca\\u0026b\\u003e\\\"\\\\\\n\\r\\t\\b\\f\\u0001\x7f\"");
    json_write_string(&b, str_lit("<\xe2\x80\xa8\xe2\x80\xa9\xc3\xa9\xff"), false);
    assert_buf(&b, "\"<\\u2028\\u2029\xc3\xa9\\ufffd\"");
    buf_deinit(&b);
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *want;
    } cases[] = { { 0, "0" },
                  { 1, "1" },
                  { -1.5, "-1.5" },
                  { 0.1, "0.1" },
                  { 100, "100" },
                  { 1e20, "100000000000000000000" },
                  { 18446744073709551616.0, "18446744073709552000" },
                  { -1e17, "-100000000000000000" },
                  { 1e21, "1e+21" },
                  { 1e-6, "0.000001" },
                  { 1e-7, "1e-7" },
                  { 1.5e-10, "1.5e-10" },
                  { 123456789.125, "123456789.125" },
                  { 1.0 / 3, "0.3333333333333333" } };
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_write_double(&b, cases[i].value);
        assert_buf(&b, cases[i].want);
    }
    json_write_int(&b, INT64_MIN);
    assert_buf(&b, "-9223372036854775808");
    json_write_int(&b, 0);
    assert_buf(&b, "0");
    buf_deinit(&b);
}

static void layout(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b);
    json_compact(&b, str_lit(" { \"a b\" : [ 1 , \"x\\\" <\" ] } "), true);
    assert_buf(&b, "{\"a b\":[1,\"x\\\" \\u003c\"]}");
    json_compact(&b, str_lit("[\"a\\\\\",\t\" \xe2\x80\xa8\"\n,\"\\\"\" , true]"), true);
    assert_buf(&b, "[\"a\\\\\",\" \\u2028\",\"\\\"\",true]");
    json_compact(&b, str_lit("\"cut \\"), true);
    assert_buf(&b, "\"cut \\");
    json_indent(&b, str_lit("{\"a\":[1,{\"b\":{},\"c\":[]}],\"d\":\"{,}\"}"));
    assert_buf(&b, "{\n  \"a\": [\n    1,\n    {\n      \"b\": {},\n      \"c\": []\n    }\n  ],\n"
                   "  \"d\": \"{,}\"\n}");
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(strings), cmocka_unit_test(numbers),
                                        cmocka_unit_test(layout) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
