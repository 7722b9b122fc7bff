/* The calls on a group at their edges; what they do in the middle is store_test's. */
#include <string.h>

#include "base/arena.h"
#include "tests/unit/store/store_world.h"
#include "tests/unit/unit.h"

static void test_what_cannot_be_encoded(void **state)
{
    struct store_world *w = *state;
    char *large = mem_alloc(STORE_TXN_BYTES_MAX + 1);
    struct store_op op = { .type = STORE_OP_PUT,
                           .key = str_lit("large"),
                           .value = str_of(large, STORE_TXN_BYTES_MAX + 1) };
    struct store_txn txn = { .ops = &op, .ops_count = 1 };

    (void)store_world_wait_leader(w);
    for (int i = 0; i < MEMBERS_COUNT; i++)
        assert_int_equal(store_world_write(w, i, &txn).status, -ERR_TOO_LARGE);
    mem_free(large);
}

static void test_waiting_for_a_revision(void **state)
{
    struct store_world *w = *state;
    uint64_t revision;

    (void)store_world_wait_leader(w);
    revision = store_world_put(w, 0, "a", "1", 0).revision;
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        struct store_barrier there = store_world_read_point(w, i, revision, 0);

        assert_int_equal(there.status, 0);
        assert_true(there.revision >= revision);
        assert_true(store_world_has(w, i, "a", "1"));
        assert_int_equal(store_world_read_point(w, i, 1, 0).status, 0);
        assert_int_equal(store_world_read_point(w, i, revision + 1000, 50).status, -ERR_TIMEOUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_cannot_be_encoded),
                                        cmocka_unit_test(test_waiting_for_a_revision) };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
