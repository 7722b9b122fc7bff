/* Times and ages, at their edges. */

#include <stdio.h>

#include "api/meta/time.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        int32_t nanos;
    } cases[] = { { "1970-01-01T00:00:00Z", 0, 0 },
                  { "2024-02-29T12:34:56Z", 1709210096, 0 },
                  { "2024-02-29T12:34:56.25Z", 1709210096, 250000000 },
                  { "2024-02-29T12:34:56+02:00", 1709202896, 0 },
                  { "2024-02-29T12:34:56-02:30", 1709219096, 0 },
                  { "0001-01-01T00:00:00Z", -62135596800, 0 },
                  { "1969-12-31T23:59:59Z", -1, 0 },
                  { "9999-12-31T23:59:59Z", 253402300799, 0 } };
    static const char *const bad[] = { "",
                                       "2024-02-29",
                                       "2023-02-29T00:00:00Z",
                                       "2024-13-01T00:00:00Z",
                                       "2024-01-01T24:00:00Z",
                                       "2024-01-01T00:00:60Z",
                                       "2024-01-01T00:00:00",
                                       "2024-01-01T00:00:00.Z",
                                       "2024-01-01 00:00:00Z",
                                       "2024-01-01T00:00:00Zx",
                                       "2024-01-01T00:00:00+25:00" };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t seconds;
        int32_t nanos;
        if (time_parse(str_from(cases[i].text), &seconds, &nanos, NULL) != 0)
            fail_msg("%s was refused", cases[i].text);
        assert_int_equal(seconds, cases[i].seconds);
        assert_int_equal(nanos, cases[i].nanos);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t seconds;
        int32_t nanos;
        if (time_parse(str_from(bad[i]), &seconds, &nanos, NULL) != -ERR_INVALID_ARGUMENT)
            fail_msg("%s was accepted", bad[i]);
    }
}

/* As Go's time.Parse says it. */
static void test_what_is_wrong(void **state)
{
#define RFC3339 " as \"2006-01-02T15:04:05Z07:00\": cannot parse "
#define MICRO   " as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse "
    static const struct {
        const char *text;
        const char *message;
        bool micro;
    } cases[] = {
        { "", RFC3339 "\"\" as \"2006\"", false },
        { "zz", RFC3339 "\"zz\" as \"2006\"", false },
        { "2024", RFC3339 "\"\" as \"-\"", false },
        { "2024-1-01T00:00:00Z", RFC3339 "\"1-01T00:00:00Z\" as \"01\"", false },
        { "2024-01-01 00:00:00Z", RFC3339 "\" 00:00:00Z\" as \"T\"", false },
        { "2024-01-01T00:00:00", RFC3339 "\"\" as \"Z07:00\"", false },
        { "2024-01-01T00:00:00.Z", RFC3339 "\".Z\" as \"Z07:00\"", false },
        { "2024-01-01T00:00:00+0100", RFC3339 "\"+0100\" as \"Z07:00\"", false },
        { "2024-13-01T00:00:00Z", ": month out of range", false },
        { "2024-02-30T00:00:00Z", ": day out of range", false },
        { "2024-01-01T24:00:00Z", ": hour out of range", false },
        { "2024-01-01T00:00:60Z", ": second out of range", false },
        { "2024-01-01T00:00:00Zx", ": extra text: \"x\"", false },
        { "2024-01-01T00:00:00+01:00x", ": extra text: \"x\"", false },
        { "2024-01-01T00:00:00Z", MICRO "\"Z\" as \".000000\"", true },
        { "2024-01-01T00:00:00.123Z", MICRO "\".123Z\" as \".000000\"", true },
        { "x", MICRO "\"x\" as \"2006\"", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err e = { 0 };
        char expected[240];
        int64_t seconds;
        int32_t nanos;
        int rc = (cases[i].micro ? time_parse_micro : time_parse)(str_from(cases[i].text), &seconds,
                                                                  &nanos, &e);
        assert_int_equal(rc, -ERR_INVALID_ARGUMENT);
        (void)snprintf(expected, sizeof(expected), "parsing time \"%s\"%s", cases[i].text,
                       cases[i].message);
        assert_string_equal(e.msg, expected);
    }
}

static void test_format(void **state)
{
    char text[TIME_TEXT_MAX];
    (void)state;
    /* Every day of eight centuries survives a round trip. */
    for (int64_t day = -200 * 365; day < 600 * 365; day++) {
        int64_t seconds = day * 86400 + 12345;
        int64_t back;
        int32_t nanos;
        size_t len = time_format(seconds, text);
        assert_int_equal(time_parse(str_of(text, len), &back, &nanos, NULL), 0);
        assert_int_equal(back, seconds);
    }
    (void)time_format(1709210096, text);
    assert_string_equal(text, "2024-02-29T12:34:56Z");
    (void)time_format_micro(1709210096, 1234567, text);
    assert_string_equal(text, "2024-02-29T12:34:56.001234Z");
    (void)time_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
}

static void test_micro(void **state)
{
    int64_t seconds;
    int32_t nanos;
    (void)state;
    assert_int_equal(
        time_parse_micro(str_lit("2024-02-29T12:34:56.000001Z"), &seconds, &nanos, NULL), 0);
    assert_int_equal(nanos, 1000);
    assert_int_equal(time_parse_micro(str_lit("2024-02-29T12:34:56Z"), &seconds, &nanos, NULL),
                     -ERR_INVALID_ARGUMENT);
    assert_int_equal(time_parse_micro(str_lit("2024-02-29T12:34:56.001Z"), &seconds, &nanos, NULL),
                     -ERR_INVALID_ARGUMENT);
}

static void test_human_duration(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = { { -2, "<invalid>" },
                  { -1, "0s" },
                  { 0, "0s" },
                  { 1, "1s" },
                  { 119, "119s" },
                  { 120, "2m" },
                  { 123, "2m3s" },
                  { 599, "9m59s" },
                  { 600, "10m" },
                  { 3 * 3600 - 1, "179m" },
                  { 3 * 3600, "3h" },
                  { 3 * 3600 + 60, "3h1m" },
                  { 8 * 3600 - 1, "7h59m" },
                  { 8 * 3600, "8h" },
                  { 48 * 3600 - 1, "47h" },
                  { 48 * 3600, "2d" },
                  { 49 * 3600, "2d1h" },
                  { 8 * 86400 - 1, "7d23h" },
                  { 8 * 86400, "8d" },
                  { 2 * 365 * 86400 - 1, "729d" },
                  { 2 * 365 * 86400, "2y" },
                  { (2 * 365 + 1) * 86400, "2y1d" },
                  { 8 * 365 * 86400 - 1, "7y364d" },
                  { 8 * 365 * 86400, "8y" } };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str text = time_human_duration(&a, cases[i].seconds);
        if (!str_eq_c(text, cases[i].text))
            fail_msg("%lld: %.*s, not %s", (long long)cases[i].seconds, STR_ARG(text),
                     cases[i].text);
    }
    assert_true(str_eq_c(time_age(&a, 0, 5000000000), "<unknown>"));
    assert_true(str_eq_c(time_age(&a, 2, 5000000000), "3s"));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_parse),
                                        cmocka_unit_test(test_what_is_wrong),
                                        cmocka_unit_test(test_format), cmocka_unit_test(test_micro),
                                        cmocka_unit_test(test_human_duration) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
