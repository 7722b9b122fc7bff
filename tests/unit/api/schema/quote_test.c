/* Quoted text as Go's messages have it. */
#include "api/schema/quote.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(texts), cmocka_unit_test(bytes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
