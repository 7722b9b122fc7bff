/* A member that nobody expects says where it is until it is heard; see also members_test. */
#include <string.h>

#include "store/announce.h"
#include "tests/unit/store/admin_world.h"
#include "tests/unit/unit.h"

static bool rows_are_written(struct store_world *w, void *ctx)
{
    (void)ctx;
    return admin_world_roster(w, 1).next_revision != 0;
}

static bool all_moved(struct store_world *w, void *ctx)
{
    (void)ctx;
    for (int i = 0; i < MEMBERS_COUNT; i++)
        for (uint64_t id = 1; id <= MEMBERS_COUNT; id++) {
            struct roster_row row = admin_world_row(w, i, id);

            if (strcmp(row.member.raft_address, w->m.table[id - 1].raft_address) != 0)
                return false;
        }
    return true;
}

/* One after the other, so that each has only the addresses of those that stayed; the leader too. */
static void test_all_move_one_by_one(void **state)
{
    struct store_world *w = *state;

    (void)store_world_wait_leader(w);
    admin_world_until(w, rows_are_written, NULL);
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        store_close(w->stores[i]);
        w->stores[i] = NULL;
        members_move(&w->m, i);
        (void)store_world_wait_leader(w);
        store_world_open_member(w, i);
        admin_world_until(w, all_moved, NULL);
    }
    for (int i = 0; i < MEMBERS_COUNT; i++)
        assert_int_equal(store_world_put(w, i, "moved", "1", 0).status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_move_one_by_one) };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
