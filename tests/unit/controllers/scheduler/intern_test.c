/* Strings as numbers. */
#include <stdio.h>

#include "controllers/scheduler/intern.h"
#include "tests/unit/unit.h"

static void test_ids(void **state)
{
    struct intern in;
    char text[16];

    (void)state; /* no shared fixture */
    intern_init(&in);
    assert_int_equal(intern_id(&in, str_of(NULL, 0)), 0);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 1; i < 1000; i++) {
            (void)snprintf(text, sizeof(text), "name-%u", i);
            assert_int_equal(intern_id(&in, str_from(text)), i);
            assert_true(str_eq_c(intern_text(&in, i), text));
        }
    intern_deinit(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_ids) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
