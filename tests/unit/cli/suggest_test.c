/* How far words are from each other. */
#include <string.h>

#include "cli/suggest.h"
#include "tests/unit/unit.h"

static void test_distance(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        size_t distance;
    } cases[] = {
        { "", "", 0 },    { "get", "get", 0 }, { "gett", "get", 1 },      { "Get", "get", 0 },
        { "", "get", 3 }, { "gte", "get", 2 }, { "kitten", "sitting", 3 }
    };
    char longer[SUGGEST_BYTES_MAX + 2];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(suggest_distance(cases[i].a, cases[i].b), cases[i].distance);
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(suggest_distance(longer, "x"), SIZE_MAX);
}

static void test_near(void **state)
{
    (void)state;
    assert_true(suggest_near("gett", "get"));
    assert_true(suggest_near("desc", "describe"));
    assert_false(suggest_near("apply", "describe"));
    assert_false(suggest_near("describes-it", "describe"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_distance),
                                        cmocka_unit_test(test_near) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
