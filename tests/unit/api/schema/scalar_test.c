/* Quantities, times, durations: text in, canonical text out. */
#include <string.h>

#include "api/schema/scalar.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static const char *const quantities[][2] = { { "0", "0" },
                                             { "1", "1" },
                                             { "1000m", "1" },
                                             { "0.5", "500m" },
                                             { "1024Ki", "1Mi" },
                                             { "1e3", "1e3" },
                                             { "1E3", "1e3" },
                                             { "100000", "100k" },
                                             { "1.5Gi", "1536Mi" },
                                             { "0.5Ki", "512" },
                                             { "-1.5", "-1500m" },
                                             { "+5", "5" },
                                             { "1.", "1" },
                                             { ".5", "500m" },
                                             { "0.0000000001", "1n" },
                                             { "1023Ki", "1023Ki" },
                                             { "1024", "1024" },
                                             { "1e-3", "1e-3" },
                                             { "12e6", "12e6" },
                                             { "100E", "100E" },
                                             { "0Ki", "0" },
                                             { "999n", "999n" },
                                             { "1000u", "1m" },
                                             { "9223372036854775808000", "9223372036854775807" },
                                             { "1.2345678901234", "1234567891n" },
                                             { "0.1Gi", "107374182400m" } };

static void quantities_are_canonical(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "x", "1x", "1 ", "1..2", ".", "1Kib", "1ee", "--1", "1e"
    };
    char out[SCALAR_TEXT_BYTES];
    size_t len;
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof(quantities) / sizeof(quantities[0]); i++) {
        if (scalar_quantity(str_from(quantities[i][0]), out, &len, &e) != 0)
            fail_msg("%s: %s", quantities[i][0], e.msg);
        out[len] = '\0';
        assert_string_equal(out, quantities[i][1]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(scalar_quantity(str_from(bad[i]), out, &len, &e), -ERR_INVALID_ARGUMENT);
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *want; /* NULL: refused */
    } cases[] = { { "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z" },
                  { "2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z" },
                  { "2020-01-01T00:30:00+01:00", "2019-12-31T23:30:00Z" },
                  { "2020-01-01T00:00:00.123456789-00:30", "2020-01-01T00:30:00Z" },
                  { "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z" },
                  { "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z" },
                  { "2023-02-29T00:00:00Z", NULL },
                  { "2020-01-01 00:00:00Z", NULL },
                  { "2020-01-01T24:00:00Z", NULL },
                  { "2020-01-01T00:00:00", NULL },
                  { "2020-01-01T00:00:00Zx", NULL },
                  { "", NULL } };
    char out[SCALAR_TEXT_BYTES];
    int64_t seconds;
    int32_t nanos;
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int rc = scalar_time_parse(str_from(cases[i].text), &seconds, &nanos, &e);
        assert_int_equal(rc, cases[i].want == NULL ? -ERR_INVALID_ARGUMENT : 0);
        if (rc == 0) {
            (void)scalar_time(seconds, out);
            assert_string_equal(out, cases[i].want);
        }
    }
    (void)scalar_micro_time(1, 2000, out);
    assert_string_equal(out, "1970-01-01T00:00:01.000002Z");
    (void)scalar_time_parse(str_lit("x"), &seconds, &nanos, &e);
    assert_string_equal(e.msg, "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse "
                               "\"x\" as \"2006\"");
}

static void durations(void **state)
{
    (void)state;
    static const char *const cases[][2] = { { "1m30s", "1m30s" },  { "90s", "1m30s" },
                                            { "1.5h", "1h30m0s" }, { "0", "0s" },
                                            { "100ms", "100ms" },  { "1us", "1\xc2\xb5s" },
                                            { "-5ns", "-5ns" },    { "1.5s", "1.5s" },
                                            { "1h", "1h0m0s" } };
    char out[SCALAR_TEXT_BYTES];
    int64_t nanos;
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(scalar_duration_parse(str_from(cases[i][0]), &nanos, &e), 0);
        (void)scalar_duration(nanos, out);
        assert_string_equal(out, cases[i][1]);
    }
    assert_int_equal(scalar_duration_parse(str_lit("1"), &nanos, &e), -ERR_INVALID_ARGUMENT);
    assert_int_equal(scalar_duration_parse(str_lit(""), &nanos, &e), -ERR_INVALID_ARGUMENT);
    assert_int_equal(scalar_duration_parse(str_lit("1x"), &nanos, &e), -ERR_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(quantities_are_canonical),
                                        cmocka_unit_test(times), cmocka_unit_test(durations) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
