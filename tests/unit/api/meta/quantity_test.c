/* Upstream's known cases: canonical forms, round-ups, caps, refusals. */

#include "api/meta/quantity.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

static const struct {
    const char *text;
    const char *canonical;
} canonical_cases[] = { { "0", "0" },
                        { "0Ki", "0" },
                        { "00.000", "0" },
                        { "1", "1" },
                        { "+1", "1" },
                        { "-1", "-1" },
                        { "0.5", "500m" },
                        { ".5", "500m" },
                        { "1.", "1" },
                        { "1000m", "1" },
                        { "1500m", "1500m" },
                        { "100m", "100m" },
                        { "1000", "1k" },
                        { "1024", "1024" },
                        { "1100", "1100" },
                        { "1024Ki", "1Mi" },
                        { "1000Ki", "1000Ki" },
                        { "512Ki", "512Ki" },
                        { "0.5Ki", "512" },
                        { "0.5Mi", "512Ki" },
                        { "1.5Gi", "1536Mi" },
                        { "1Ei", "1Ei" },
                        { "1024Ei", "9223372036854775807" },
                        { "9Ei", "9223372036854775807" },
                        { "12E", "12E" },
                        { "1e3", "1e3" },
                        { "1E3", "1e3" },
                        { "1e0", "1" },
                        { "12e3", "12e3" },
                        { "1.2e4", "12e3" },
                        { "1e-3", "1e-3" },
                        { "100e-3", "100e-3" },
                        { "1e2", "100" },
                        { "1n", "1n" },
                        { "0.1n", "1n" },
                        { "1.1n", "2n" },
                        { "-0.1n", "-1n" },
                        { "1e-10", "1e-9" },
                        { "1u", "1u" },
                        { "1000u", "1m" },
                        { "123456789", "123456789" },
                        { "1000000", "1M" },
                        { "3M", "3M" },
                        { "1.1M", "1100k" },
                        { "0.3Ki", "307200m" },
                        { "0.0005Ki", "512m" },
                        { "9223372036854775807", "9223372036854775807" },
                        { "9223372036854775808", "9223372036854775807" },
                        { "100000000000000000000", "9223372036854775807" },
                        { "1000E", "1000E" },
                        { "-6308136093.1234568E", "-9223372036854775807" } };

static void test_canonical(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(canonical_cases) / sizeof(canonical_cases[0]); i++) {
        struct str out;
        struct err e = { 0 };
        if (quantity_canonical(&a, str_from(canonical_cases[i].text), &out, &e) != 0)
            fail_msg("%s: %s", canonical_cases[i].text, e.msg);
        if (!str_eq_c(out, canonical_cases[i].canonical))
            fail_msg("%s: %.*s, not %s", canonical_cases[i].text, STR_ARG(out),
                     canonical_cases[i].canonical);
        struct str again;
        assert_int_equal(quantity_canonical(&a, out, &again, &e), 0);
        assert_true(str_eq(out, again));
    }
    arena_deinit(&a);
}

static void test_refused(void **state)
{
    static const char *const cases[] = { "",    "1.1.M", "1+1.0M", "0.1mi",   "0.1am", "aoeu",
                                         ".5i", "1i",    "-3.01i", "-3.01e-", " 1",    "1 ",
                                         "-",   ".",     "1K",     "1 Ki",    "1e",    "1ee3",
                                         "Ki",  "0x10",  "1_000" };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct quantity q;
        struct err e = { 0 };
        if (quantity_parse(str_from(cases[i]), &q, &e) != -ERR_INVALID_ARGUMENT)
            fail_msg("\"%s\" was accepted", cases[i]);
        assert_string_not_equal(e.msg, "");
    }
}

static struct quantity parsed(const char *text)
{
    struct quantity q;
    assert_int_equal(quantity_parse(str_from(text), &q, NULL), 0);
    return q;
}

static void test_arithmetic(void **state)
{
    char text[QUANTITY_TEXT_MAX];
    (void)state;
    struct quantity sum = parsed("0");
    struct quantity gib = parsed("1Gi");
    struct quantity half = parsed("512Mi");
    assert_int_equal(quantity_add(&sum, &gib), 0);
    assert_int_equal(quantity_add(&sum, &half), 0);
    (void)quantity_format(&sum, text);
    assert_string_equal(text, "1536Mi");
    assert_int_equal(quantity_sub(&sum, &gib), 0);
    (void)quantity_format(&sum, text);
    assert_string_equal(text, "512Mi");
    assert_int_equal(quantity_cmp(&sum, &half), 0);
    assert_true(quantity_cmp(&sum, &gib) < 0);

    struct quantity cpu = parsed("100m");
    assert_int_equal(quantity_value(&cpu), 1);
    assert_int_equal(quantity_milli(&cpu), 100);
    struct quantity tiny = parsed("1n");
    assert_int_equal(quantity_milli(&tiny), 1);
    struct quantity negative = parsed("-1500m");
    assert_int_equal(quantity_value(&negative), -2);
    struct quantity made = quantity_of_milli(2500, QUANTITY_DECIMAL);
    (void)quantity_format(&made, text);
    assert_string_equal(text, "2500m");
    made = quantity_of_value(2048, QUANTITY_BINARY);
    (void)quantity_format(&made, text);
    assert_string_equal(text, "2Ki");
}

static void test_overflow(void **state)
{
    (void)state;
    struct quantity big = { .nanos = ((__int128)1 << 126) + (((__int128)1 << 126) - 1) };
    struct quantity one = parsed("1");
    assert_int_equal(quantity_add(&big, &one), -ERR_LIMIT);
    assert_int_equal(quantity_value(&big), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_canonical),
                                        cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_arithmetic),
                                        cmocka_unit_test(test_overflow) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
