/* Quoted text as Go's messages have it. */
#include "api/schema/json.h"
#include "api/schema/quote.h"
#include "base/arena.h"
#include "base/buf.h"
#include "tests/unit/unit.h"

static void texts(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *want;
    } cases[] = {
        { STR("spec.foo"), "\"spec.foo\"" },
        { STR(""), "\"\"" },
        { STR("a\"b\\c'd"), "\"a\\\"b\\\\c'd\"" },
        { STR("\a\b\f\n\r\t\v\x01\x7f"), "\"\\a\\b\\f\\n\\r\\t\\v\\x01\\x7f\"" },
        { STR("a\0b"), "\"a\\x00b\"" },
        { STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\x89"), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\x89\"" },
        { STR("\xc2\x85\xc2\xa0\xe2\x80\xa8\xef\xbb\xbf"), "\"\\u0085\\u00a0\\u2028\\ufeff\"" },
        { STR("\xf3\xa0\x81\x81"), "\"\\U000e0041\"" },
        { STR("\xef\xbf\xbd"), "\"\xef\xbf\xbd\"" },
        { STR("x\xff\xc3"), "\"x\\xff\\xc3\"" }
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b;
        buf_init(&b);
        quote_write(&b, cases[i].text);
        buf_append_byte(&b, 0);
        assert_string_equal((char *)b.data, cases[i].want);
        buf_deinit(&b);
    }
}

static void bytes(void **state)
{
    (void)state;
    static const struct {
        unsigned char byte;
        const char *want;
    } cases[] = { { 'x', "'x'" },        { '\'', "'\\''" },      { '"', "'\"'" },
                  { '\n', "'\\n'" },     { '\0', "'\\x00'" },    { '\\', "'\\\\'" },
                  { 0x85, "'\\u0085'" }, { 0xc3, "'\xc3\x83'" }, { 0xff, "'\xc3\xbf'" } };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b;
        buf_init(&b);
        quote_write_byte(&b, cases[i].byte);
        buf_append_byte(&b, 0);
        assert_string_equal((char *)b.data, cases[i].want);
        buf_deinit(&b);
    }
}

static void values(void **state)
{
    static const struct {
        const char *json;
        const char *want;
    } cases[] = { { "{\"b\":[1,null,\"x y\",1.5],\"a\":{},\"b\":[],\"c\":true}",
                    "map[a:map[] b:[] c:true]" },
                  { "[{\"k\":null},\"\"]", "[map[k:<nil>] ]" } };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        struct buf b;
        const struct json *j = NULL;
        arena_init(&a);
        buf_init(&b);
        assert_int_equal(json_parse(&a, str_from(cases[i].json), &j, NULL), 0);
        quote_write_value(&b, j);
        assert_true(str_eq_c(buf_str(&b), cases[i].want));
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(texts), cmocka_unit_test(bytes),
                                        cmocka_unit_test(values) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
