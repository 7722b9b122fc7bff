/* Views gathered from all members, by any of them; leadership handed about by any of them. */
#include "tests/unit/store/admin_world.h"
#include "tests/unit/unit.h"

static void test_everybody_sees_the_same(void **state)
{
    struct store_world *w = *state;
    int leader = store_world_wait_leader(w);

    for (int i = 0; i < MEMBERS_COUNT; i++) {
        struct view v = admin_world_view(w, i);
        const struct view_group *g = view_leader(&v, STORE_CLUSTER);

        assert_int_equal(v.count, MEMBERS_COUNT);
        assert_int_equal(v.members[0].id, (uint64_t)i + 1);
        for (size_t k = 0; k < v.count; k++)
            assert_true(v.members[k].answered);
        assert_non_null(g);
        assert_int_equal(g->leader_id, (uint64_t)leader + 1);
        assert_int_equal(g->servers_count, MEMBERS_COUNT);
        for (uint64_t id = 1; id <= MEMBERS_COUNT; id++)
            assert_int_equal(view_server_of(g, id)->role, VIEW_VOTER);
        assert_null(view_server_of(g, 9));
        assert_false(view_is_out(&v, 1));
    }
}

struct wanted {
    enum store_group_id group;
    uint64_t leader;
};

static bool leads(struct store_world *w, void *ctx)
{
    const struct wanted *wanted = ctx;

    for (int i = 0; i < MEMBERS_COUNT; i++) {
        struct store_status s;

        if (w->stores[i] == NULL)
            continue;
        store_status(store_group(w->stores[i], wanted->group), &s);
        if (s.leader_id != wanted->leader)
            return false;
    }
    return true;
}

static bool has_leader(struct store_world *w, void *ctx)
{
    struct view v = admin_world_view(w, 0);

    return view_leader(&v, *(enum store_group_id *)ctx) != NULL;
}

static void test_transfer(void **state)
{
    struct store_world *w = *state;

    /* Of either group, asked of the one that leads, of the one that shall, of the third. */
    for (enum store_group_id group = STORE_CLUSTER; group <= STORE_BUS; group++)
        for (int asked = 0; asked < MEMBERS_COUNT; asked++)
            for (uint64_t to = 1; to <= MEMBERS_COUNT; to++) {
                struct wanted wanted = { group, to };

                admin_world_until(w, has_leader, &group);
                assert_int_equal(admin_world_transfer(w, asked, group, to), 0);
                admin_world_until(w, leads, &wanted);
            }
}

static void test_one_is_down(void **state)
{
    struct store_world *w = *state;
    struct wanted wanted = { STORE_CLUSTER, 1 };
    enum store_group_id cluster = STORE_CLUSTER;
    struct view v;

    admin_world_until(w, has_leader, &cluster);
    assert_int_equal(admin_world_transfer(w, 0, STORE_CLUSTER, 1), 0);
    admin_world_until(w, leads, &wanted);
    store_close(w->stores[2]);
    w->stores[2] = NULL;
    /* If it held the others up, one of them may lead anew. */
    admin_world_until(w, has_leader, &cluster);
    v = admin_world_view(w, 1);
    assert_int_equal(v.count, MEMBERS_COUNT);
    assert_true(view_of(&v, 1)->answered);
    assert_false(view_of(&v, 3)->answered);
    store_world_open_member(w, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_everybody_sees_the_same),
                                        cmocka_unit_test(test_transfer),
                                        cmocka_unit_test(test_one_is_down) };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
