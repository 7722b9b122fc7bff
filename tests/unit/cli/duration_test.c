/* Go's durations. */
#include "cli/flags.h"
#include "tests/unit/unit.h"

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
        const char *says; /* NULL: good */
    } cases[] = {
        { "0", 0, NULL },
        { "1s", 1000000000, NULL },
        { "1m30s", 90000000000, NULL },
        { "-1s", -1000000000, NULL },
        { "1.5h", 5400000000000, NULL },
        { "300ms", 300000000, NULL },
        { ".5s", 500000000, NULL },
        { "", 0, "time: invalid duration \"\"" },
        { "x", 0, "time: invalid duration \"x\"" },
        { "5", 0, "time: missing unit in duration \"5\"" },
        { "5x", 0, "time: unknown unit \"x\" in duration \"5x\"" },
        { "1s5", 0, "time: missing unit in duration \"1s5\"" },
        { "9999999999h", 0, "time: invalid duration \"9999999999h\"" },
        { "1000000000000000000000s", 0, "time: invalid duration \"1000000000000000000000s\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ns = -7;
        struct err e;
        int rc = flags_duration(str_from(cases[i].text), &ns, &e);
        assert_int_equal(rc, cases[i].says == NULL ? 0 : -ERR_PARSE);
        if (rc == 0)
            assert_int_equal(ns, cases[i].ns);
        else
            assert_string_equal(e.msg, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_durations) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
