/* Times and durations: text in, canonical text out, and Go's errors. */
#include <stdio.h>
#include <string.h>

#include "api/schema/scalar.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static void times(void **state)
{
    (void)state;
    static const char layout[] = "2006-01-02T15:04:05Z07:00";
    static const struct {
        const char *text;
        const char *want;    /* NULL: refused, */
        const char *unread;  /* because this is not */
        const char *element; /* this, or this is out of range when unread is NULL */
    } cases[] = { { "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", NULL, NULL },
                  { "2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z", NULL, NULL },
                  { "2020-01-01T00:30:00+01:00", "2019-12-31T23:30:00Z", NULL, NULL },
                  { "2020-01-01T00:00:00.123456789-00:30", "2020-01-01T00:30:00Z", NULL, NULL },
                  { "2020-01-01T00:00:00,5Z", "2020-01-01T00:00:00Z", NULL, NULL },
                  { "2020-01-01T7:00:00Z", "2020-01-01T07:00:00Z", NULL, NULL },
                  { "2020-01-01T00:00:00+24:00", "2019-12-31T00:00:00Z", NULL, NULL },
                  { "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", NULL, NULL },
                  { "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", NULL, NULL },
                  { "2023-02-29T00:00:00Z", NULL, NULL, "day" },
                  { "2100-02-29T00:00:00Z", NULL, NULL, "day" },
                  { "2023-04-00T00:00:00Z", NULL, NULL, "day" },
                  { "2023-13-01T00:00:00Z", NULL, NULL, "month" },
                  { "2023-00-01T00:00:00Z", NULL, NULL, "month" },
                  { "2020-01-01T24:00:00Z", NULL, NULL, "hour" },
                  { "2020-01-01T00:60:00Z", NULL, NULL, "minute" },
                  { "2020-01-01T00:00:60Z", NULL, NULL, "second" },
                  { "2020-01-01T00:00:00+25:00", NULL, NULL, "time zone offset hour" },
                  { "2020-01-01T00:00:00+00:61", NULL, NULL, "time zone offset minute" },
                  { "2020-01-01 00:00:00Z", NULL, " 00:00:00Z", "T" },
                  { "2020-1-01T00:00:00Z", NULL, "1-01T00:00:00Z", "01" },
                  { "2020-01-01T00:00:00", NULL, "", "Z07:00" },
                  { "2020-01-01T00:00:00.Z", NULL, ".Z", "Z07:00" },
                  { "2020-01-01T00:00:00z", NULL, "z", "Z07:00" },
                  { "2020-01-01T00:00:00+0100", NULL, "+0100", "Z07:00" },
                  { "20200-01-01T00:00:00Z", NULL, "0-01-01T00:00:00Z", "-" },
                  { "yesterday", NULL, "yesterday", "2006" },
                  { "", NULL, "", "2006" } };
    char want[300];
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
            continue;
        }
        if (cases[i].unread == NULL)
            (void)snprintf(want, sizeof(want), "parsing time \"%s\": %s out of range",
                           cases[i].text, cases[i].element);
        else
            (void)snprintf(want, sizeof(want),
                           "parsing time \"%s\" as \"%s\": cannot parse \"%s\" as \"%s\"",
                           cases[i].text, layout, cases[i].unread, cases[i].element);
        assert_string_equal(e.msg, want);
    }
    (void)scalar_time_parse(str_lit("2020-01-01T00:00:00Zx"), &seconds, &nanos, &e);
    assert_string_equal(e.msg, "parsing time \"2020-01-01T00:00:00Zx\": extra text: \"x\"");
    (void)scalar_micro_time(1, 2000, out);
    assert_string_equal(out, "1970-01-01T00:00:01.000002Z");
}

static void micro_times(void **state)
{
    (void)state;
    int64_t seconds;
    int32_t nanos;
    struct err e = { 0 };
    static const char *const bad[][2] = {
        { "2020-01-01T00:00:00Z", "cannot parse \"Z\" as \".000000\"" },
        { "2020-01-01T00:00:00.12345Z", "cannot parse \".12345Z\" as \".000000\"" },
        { "2020-01-01T00:00:00.1234567Z", "cannot parse \"7Z\" as \"Z07:00\"" }
    };
    assert_int_equal(
        scalar_micro_time_parse(str_lit("1970-01-01T00:00:01.000002+00:00"), &seconds, &nanos, &e),
        0);
    assert_int_equal(seconds, 1);
    assert_int_equal(nanos, 2000);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(scalar_micro_time_parse(str_from(bad[i][0]), &seconds, &nanos, &e),
                         -ERR_INVALID_ARGUMENT);
        assert_non_null(strstr(e.msg, " as \"2006-01-02T15:04:05.000000Z07:00\": "));
        assert_non_null(strstr(e.msg, bad[i][1]));
    }
}

static void durations(void **state)
{
    (void)state;
    static const char *const cases[][2] = { { "1m30s", "1m30s" },
                                            { "90s", "1m30s" },
                                            { "1.5h", "1h30m0s" },
                                            { "0", "0s" },
                                            { "100ms", "100ms" },
                                            { "1us", "1\xc2\xb5s" },
                                            { "-5ns", "-5ns" },
                                            { "1.5s", "1.5s" },
                                            { "1h", "1h0m0s" },
                                            { "1h1.5m2s", "1h1m32s" },
                                            { "2562047h47m16.854775807s",
                                              "2562047h47m16.854775807s" } };
    static const char *const bad[][2] = { { "1", "time: missing unit in duration \"1\"" },
                                          { "", "time: invalid duration \"\"" },
                                          { "-", "time: invalid duration \"-\"" },
                                          { ".s", "time: invalid duration \".s\"" },
                                          { "1x", "time: unknown unit \"x\" in duration \"1x\"" },
                                          { "1h1day",
                                            "time: unknown unit \"day\" in duration \"1h1day\"" },
                                          { "1.2.3s", "time: missing unit in duration \"1.2.3s\"" },
                                          { "3000000h", "time: invalid duration \"3000000h\"" } };
    char out[SCALAR_TEXT_BYTES];
    int64_t nanos;
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(scalar_duration_parse(str_from(cases[i][0]), &nanos, &e), 0);
        (void)scalar_duration(nanos, out);
        assert_string_equal(out, cases[i][1]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(scalar_duration_parse(str_from(bad[i][0]), &nanos, &e),
                         -ERR_INVALID_ARGUMENT);
        assert_string_equal(e.msg, bad[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(times), cmocka_unit_test(micro_times),
                                        cmocka_unit_test(durations) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
