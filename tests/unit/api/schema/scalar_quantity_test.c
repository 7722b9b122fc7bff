/* Quantities: text in, canonical text out, upstream's errors. */
#include "api/schema/scalar.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static const char *const quantities[][2] = {
    { "0", "0" },
    { "1", "1" },
    { "1000m", "1" },
    { "0.5", "500m" },
    { "1024Ki", "1Mi" },
    { "1e3", "1e3" },
    { "1E3", "1E3" },
    { "100000", "100k" },
    { "1.5Gi", "1536Mi" },
    { "0.5Ki", "512" },
    { "-1.5", "-1500m" },
    { "+5", "+5" },
    { "1.", "1." },
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
    { "9223372036854775808000", "9223372036854775808k" },
    { "1.2345678901234", "1234567891n" },
    { "0.1Gi", "107374182400m" },
    /* as upstream's own tables have it */
    { "8Ki", "8Ki" },
    { "3Ei", "3Ei" },
    { "9Ei", "9223372036854775807" },
    { "9223372036854775807Ki", "9223372036854775807" },
    { "12E", "12E" },
    { "307200Ki", "300Mi" },
    { "1025024Mi", "1001Gi" },
    { "1000M", "1G" },
    { "0.001T", "1G" },
    { "1080000000n", "1080m" },
    { "1.08", "1080m" },
    { ".001e12", "1e9" },
    { "0.001e0", "1e-3" },
    { "1000e-12", "1e-9" },
    { "00", "0" },
    { ".001Ki", "1024m" },
    { ".000001Ki", "1024u" },
    { ".000000001Ki", "1024n" },
    { ".000000000001Ki", "2n" },
    { "-.000000000001Ki", "-2n" },
    { "3.001n", "4n" },
    { "1.1E-9", "2e-9" },
    { "0.5e-9", "1e-9" },
    { "0.00000012345", "124n" },
    { "0.00000012354", "124n" },
    { "100.035Ki", "102435840m" },
    { "0.05Gi", "53687091200m" },
    { "0.025Ti", "27487790694400m" },
    { "1e14", "100e12" },
    { "1.3E+6", "1300e3" },
    { "1.53E12", "1530e9" },
    { "100.035k", "100.035k" },
    { "0.0005k", "500m" },
    { "6.987654321G", "6.987654321G" },
    { "1.01E", "1010P" },
    { "1.G", "1.G" },
    /* what upstream's quick check takes for canonical stays */
    { "1.500", "1.500" },
    { "1.250", "1.250" },
    { "0.500", "500m" },
    { "1.000", "1" },
    { "00012", "00012" },
    { "007Mi", "007Mi" },
    { "+1Ki", "+1Ki" },
    { "+8Ki", "8Ki" },
    { "1e+3", "1e+3" },
    { "1.123k", "1.123k" },
    { "123456789.123456789", "123456789.123456789" },
    { "1234567890.123456789", "1234567890123456789n" },
    { "1.08", "1080m" },
    { "12345678901Ki", "12345678901Ki" },
    /* no digits are a zero */
    { "k", "0" },
    { "-", "0" },
    { ".", "0" },
    { "Ki", "0" },
    { "e5", "0" },
    /* beyond what upstream has a suffix for */
    { "1000E", "1000E" },
    { "123456789123456789E", "123456789123456789E" },
    { "1e400", "10e399" },
    { "1.00000000000000000000000000000000000001Ki", "1024000000001n" },
    { "0.00000000000000000000000000000000000000001", "1n" }
};

static void quantities_are_canonical(void **state)
{
    (void)state;
    static const char format[] = "quantities must match the regular expression "
                                 "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    static const char suffix[] = "unable to parse quantity's suffix";
    static const char *const bad[][2] = {
        { "", format },         { "x", format },   { "1x", format },     { "1 ", format },
        { "1Kii", suffix },     { "1m5", suffix }, { "e", suffix },      { "1..2", format },
        { "1Kib", format },     { "--1", suffix }, { "1ee", suffix },    { "1e", suffix },
        { "1K", suffix },       { "1mi", suffix }, { "1Ki1", suffix },   { "1ki", suffix },
        { "1,5", format },      { "0x1", format }, { "1e9999", suffix }, { "1e1.5", format },
        { "1\xc2\xb5", format }
    };
    char out[SCALAR_TEXT_BYTES];
    size_t len;
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof(quantities) / sizeof(quantities[0]); i++) {
        if (scalar_quantity(str_from(quantities[i][0]), out, &len, &e) != 0)
            fail_msg("%s: %s", quantities[i][0], e.msg);
        out[len] = '\0';
        assert_string_equal(out, quantities[i][1]);
        assert_int_equal(scalar_quantity(str_from(quantities[i][1]), out, &len, &e), 0);
        out[len] = '\0';
        assert_string_equal(out, quantities[i][1]); /* canonical is canonical */
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(scalar_quantity(str_from(bad[i][0]), out, &len, &e),
                         -ERR_INVALID_ARGUMENT);
        assert_string_equal(e.msg, bad[i][1]);
    }
}

static void one_text_for_an_amount(void **state)
{
    static const char *const cases[][2] = { { "1.500", "1500m" }, { "+5", "5" }, { "1E3", "1e3" },
                                            { "007Mi", "7Mi" },   { "1.", "1" }, { "8Ki", "8Ki" } };
    char out[SCALAR_TEXT_BYTES];
    size_t len;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(scalar_quantity_canonical(str_from(cases[i][0]), out, &len, NULL), 0);
        assert_true(str_eq_c(str_of(out, len), cases[i][1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(quantities_are_canonical),
                                        cmocka_unit_test(one_text_for_an_amount) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
