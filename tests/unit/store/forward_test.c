/* Writes and read points through members that do not lead. */
#include <stdio.h>

#include "tests/unit/store/store_world.h"
#include "tests/unit/unit.h"

/* Written through any member, and after a read point visible on any other. */
static void test_writes_and_reads_on_every_member(void **state)
{
    struct store_world *w = *state;

    (void)store_world_wait_leader(w);
    for (int round = 0; round < 5; round++)
        for (int i = 0; i < MEMBERS_COUNT; i++) {
            char value[32];
            struct store_result result;

            snprintf(value, sizeof(value), "%d-%d", round, i);
            result = store_world_put(w, i, "key", value, 0);
            assert_int_equal(result.status, 0);
            assert_true(result.revision > 0);
            for (int j = 0; j < MEMBERS_COUNT; j++) {
                struct store_barrier b = store_world_read_point(w, j, 0, 0);

                assert_int_equal(b.status, 0);
                assert_true(b.revision >= result.revision);
                assert_true(store_world_has(w, j, "key", value));
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_writes_and_reads_on_every_member) };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
