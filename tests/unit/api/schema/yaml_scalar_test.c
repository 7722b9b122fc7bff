/* YAML 1.1's table. */
#include "api/schema/yaml_scalar.h"
#include "base/arena.h"
#include "base/buf.h"
#include "tests/unit/unit.h"

static const struct {
    const char *text;
    const char *json;
    bool quoted; /* when printed as a string */
} cases[] = { { "", "null", true },
              { "~", "null", true },
              { "Null", "null", true },
              { "nULL", "\"nULL\"", false },
              { "y", "true", true },
              { "No", "false", true },
              { "oFF", "\"oFF\"", false },
              { "0x1F", "31", true },
              { "0b101", "5", true },
              { "0o17", "15", true },
              { "017", "15", true },
              { "09", "9", true },
              { "1_000", "1000", true },
              { "-5", "-5", true },
              { "+5", "5", true },
              { "1.5", "1.5", true },
              { "1e3", "1000", true },
              { ".5", "0.5", true },
              { ".", "\".\"", false },
              { "-", "\"-\"", false },
              { "1e", "\"1e\"", false },
              { "1.2.3", "\"1.2.3\"", false },
              { ".inf", "\".inf\"", true },
              { "<<", "\"<<\"", true },
              { "18446744073709551615", "18446744073709551615", true },
              { "18446744073709551616", "18446744073709551616", true },
              { "+18446744073709551616", "18446744073709552000", true },
              { "1.0", "1", true },
              { "1e21", "1e21", true },
              { "1_0.5e1", "105", true },
              { "-0.25", "-0.25", true },
              { "1.10", "1.10", true },
              { "2001-01-01", "\"2001-01-01\"", true },
              { "2001-01-01T01:01:01Z", "\"2001-01-01T01:01:01Z\"", true },
              { "2001-01", "\"2001-01\"", false },
              { "12:30", "\"12:30\"", true },
              { "12:99", "\"12:99\"", false },
              { "10.0.0.1", "\"10.0.0.1\"", false },
              { "plain text", "\"plain text\"", false } };

static void table(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b;
        buf_init(&b);
        struct json j = yaml_resolve(&a, str_from(cases[i].text));
        json_write(&b, &j, false);
        buf_append_byte(&b, 0);
        assert_string_equal((char *)b.data, cases[i].json);
        if (yaml_needs_quotes(str_from(cases[i].text)) != cases[i].quoted)
            fail_msg("%s: quoted is not %d", cases[i].text, cases[i].quoted);
        buf_deinit(&b);
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(table) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
