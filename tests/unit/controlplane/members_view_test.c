/* What GET shows of rows and views. */
#include <string.h>

#include "tests/unit/controlplane/members_world.h"
#include "tests/unit/unit.h"

static struct view sample(void)
{
    struct view v = { .count = 2 };
    v.members[0].id = 1;
    v.members[0].answered = true;
    v.members[1].id = 2;
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++) {
        struct view_group *g = &v.members[0].groups[id];
        g->leads = id == STORE_CLUSTER;
        g->last_index = 100;
        g->servers_count = 3;
        g->servers[0] = (struct view_server){ 1, VIEW_VOTER, 100, true };
        g->servers[1] = (struct view_server){ 2, VIEW_STANDBY, 40, true };
        g->servers[2] = (struct view_server){ 3, VIEW_SPARE, 0, false };
    }
    return v;
}

static void test_roles_and_lags(void **state)
{
    struct view v = sample();
    (void)state;
    assert_int_equal(members_role(&v, STORE_CLUSTER, 2), VIEW_STANDBY);
    assert_int_equal(members_role(&v, STORE_CLUSTER, 9), VIEW_NONE);
    /* No leader: what somebody's log says. But how far the others are only a leader knows. */
    assert_int_equal(members_role(&v, STORE_BUS, 2), VIEW_STANDBY);
    assert_int_equal(members_lag(&v, STORE_CLUSTER, 2), 60);
    assert_int_equal(members_lag(&v, STORE_CLUSTER, 1), 0);
    assert_true(members_lag(&v, STORE_CLUSTER, 3) == UINT64_MAX);
    assert_true(members_lag(&v, STORE_BUS, 2) == UINT64_MAX);
    assert_true(members_answers(&v, 1));
    assert_false(members_answers(&v, 2));
    assert_false(members_answers(&v, 9));
    v.members[0].answered = false;
    assert_int_equal(members_role(&v, STORE_BUS, 2), VIEW_NONE);
}

static void test_list(void **state)
{
    struct members_world *w = *state;
    const struct json *rows;
    const struct json *cluster;
    members_world_first_row(w);
    assert_int_equal(members_world_call(w, "GET", "/gantry/v1/members", NULL), 200);
    assert_true(str_eq_c(members_world_text(w, "cluster"), "c0ffee"));
    cluster = json_get_c(json_get_c(w->answer, "groups"), "cluster");
    assert_true(str_eq_c(json_str(json_get_c(cluster, "leader")), "solo"));
    rows = json_get_c(w->answer, "members");
    assert_int_equal(rows->count, 1);
    assert_true(str_eq_c(json_str(json_get_c(rows->u.items, "want")), "voter"));
    assert_true(str_eq_c(json_str(json_get_c(rows->u.items, "raftAddress")), "tcp:10.0.0.1:2381"));
    assert_true(json_get_c(rows->u.items, "answers")->u.boolean);
    cluster = json_get_c(json_get_c(rows->u.items, "groups"), "cluster");
    assert_true(str_eq_c(json_str(json_get_c(cluster, "role")), "voter"));
    assert_true(json_get_c(cluster, "leader")->u.boolean);
    assert_int_equal(json_get_c(cluster, "lag")->u.integer, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roles_and_lags),
        cmocka_unit_test_setup_teardown(test_list, members_world_setup, members_world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
