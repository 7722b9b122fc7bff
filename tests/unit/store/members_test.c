/* The rows: written by the first leader, corrected for who moved, dropped for who is gone. */
#include <stdio.h>
#include <string.h>

#include "store/members.h"
#include "tests/unit/store/admin_world.h"
#include "tests/unit/unit.h"

static bool rows_are_written(struct store_world *w, void *ctx)
{
    (void)ctx;
    for (int i = 0; i < MEMBERS_COUNT; i++)
        if (w->stores[i] != NULL && admin_world_roster(w, i).next_revision == 0)
            return false;
    return true;
}

static void test_first_rows(void **state)
{
    struct store_world *w = *state;

    (void)store_world_wait_leader(w);
    admin_world_until(w, rows_are_written, NULL);
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        struct roster r = admin_world_roster(w, i);

        assert_int_equal(r.count, MEMBERS_COUNT);
        assert_int_equal(r.next_id, MEMBERS_COUNT + 1);
        for (size_t k = 0; k < r.count; k++) {
            assert_int_equal(r.rows[k].want, ROSTER_VOTER);
            assert_memory_equal(&r.rows[k].member, &w->m.table[k], sizeof(w->m.table[k]));
        }
    }
}

static bool has_moved(struct store_world *w, void *ctx)
{
    struct roster_row row = admin_world_row(w, 0, 3);

    (void)ctx;
    return strcmp(row.member.raft_address, w->m.table[2].raft_address) == 0 &&
           strcmp(row.member.peer_address, w->m.table[2].peer_address) == 0;
}

static bool is_ready(struct store_world *w, void *ctx)
{
    return store_world_status(w, *(int *)ctx).ready;
}

/* The same ports of another address: nobody can tell it there who leads, before it was heard. */
static void test_moved(void **state)
{
    struct store_world *w = *state;
    int moved = 2;

    (void)store_world_wait_leader(w);
    admin_world_until(w, rows_are_written, NULL);
    store_close(w->stores[2]);
    w->stores[2] = NULL;
    members_move(&w->m, 2);
    (void)store_world_wait_leader(w);
    store_world_open_member(w, 2);
    admin_world_until(w, has_moved, NULL);
    admin_world_until(w, is_ready, &moved);
    assert_int_equal(store_world_put(w, 2, "moved", "1", 0).status, 0);
}

static atomic_int removals;

static void on_removed(void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&removals, 1);
}

static bool is_dropped(struct store_world *w, void *ctx)
{
    (void)ctx;
    return admin_world_row(w, 0, 2).member.id == 0;
}

static bool was_told(struct store_world *w, void *ctx)
{
    (void)w;
    (void)ctx;
    return atomic_load(&removals) > 0;
}

/* Member 2 is removed while it is down; its row goes once nobody has it, and it learns that. */
static void test_removed(void **state)
{
    struct store_world *w = *state;
    struct store_config c;
    struct view v;
    struct err e = { 0 };

    (void)store_world_wait_leader(w);
    admin_world_until(w, rows_are_written, NULL);
    store_close(w->stores[1]);
    w->stores[1] = NULL;
    (void)store_world_wait_leader(w);
    admin_world_wish(w, 0, 2, ROSTER_GONE);
    admin_world_until(w, is_dropped, NULL);
    v = admin_world_view(w, 0);
    assert_int_equal(v.count, 2);
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        assert_null(view_server_of(&view_of(&v, 1)->groups[id], 2));
    assert_int_equal(admin_world_roster(w, 0).next_id, MEMBERS_COUNT + 1);
    c = members_config(&w->m, w->env, 1);
    c.removed = on_removed;
    assert_int_equal(store_open(&c, &w->stores[1], &e), 0);
    admin_world_until(w, was_told, NULL);
    store_close(w->stores[1]);
    w->stores[1] = NULL;
}

static bool is_alone(struct store_world *w, void *ctx)
{
    struct view v = admin_world_view(w, 0);

    (void)ctx;
    return v.count == 1 && view_is_out(&v, 3);
}

/* Member 3 runs and may lead: it goes nevertheless, from both groups. */
static void test_removed_alive(void **state)
{
    struct store_world *w = *state;

    (void)store_world_wait_leader(w);
    admin_world_wish(w, 0, 3, ROSTER_GONE);
    admin_world_until(w, is_alone, NULL);
    assert_int_equal(store_world_put(w, 0, "alone", "1", 0).status, 0);
    assert_int_equal(admin_world_roster(w, 0).count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_first_rows),
                                        cmocka_unit_test(test_moved),
                                        cmocka_unit_test(test_removed),
                                        cmocka_unit_test(test_removed_alive) };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
