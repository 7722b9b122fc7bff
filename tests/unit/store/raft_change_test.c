/* Changes of a configuration, one at a time, on a single member that leads. */
#include <raft.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "store/raft_node.h"
#include "tests/unit/unit.h"

struct world {
    struct env *env;
    struct env_loop *loop;
    struct store_group *group;
    struct raft_node *node;
    struct store_member member;
    char folder[64];
    bool closed;
};

static void on_turn(void *ctx)
{
    (void)ctx;
}

static void turn(struct world *w, int ms)
{
    for (int i = 0; i < ms; i++) {
        uv_run(env_uv_loop(w->loop), UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));
    char log[96];
    char lmdb[96];
    struct raft_view v = { 0 };
    struct err e = { 0 };

    w->env = env_uv_new();
    snprintf(w->folder, sizeof(w->folder), "/tmp/change-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(log, sizeof(log), "%s/log", w->folder);
    snprintf(lmdb, sizeof(lmdb), "%s/lmdb", w->folder);
    w->member.id = 1;
    snprintf(w->member.name, sizeof(w->member.name), "m1");
    w->loop = env_loop_new(w->env, "raft");
    struct group_config group = {
        .env = w->env, .id = STORE_CLUSTER, .folder = lmdb, .map_bytes = 64u << 20
    };
    assert_int_equal(group_open(&group, &w->group, &e), 0);
    struct raft_node_config node = { .env = w->env,
                                     .loop = w->loop,
                                     .group = w->group,
                                     .folder = log,
                                     .member_id = 1,
                                     .member_name = w->member.name,
                                     .found_members = &w->member,
                                     .found_count = 1,
                                     .on_turn = on_turn,
                                     .ctx = w };
    if (raft_node_open(&node, &w->node, &e) != 0)
        fail_msg("%s", e.msg);
    for (int i = 0; i < 3000 && !v.ready; i++) {
        turn(w, 1);
        raft_node_view(w->node, &v);
    }
    assert_true(v.ready);
    *state = w;
    return 0;
}

static void on_closed(void *ctx)
{
    ((struct world *)ctx)->closed = true;
}

static int teardown(void **state)
{
    struct world *w = *state;

    raft_node_close(w->node, on_closed, w);
    for (int i = 0; i < 3000 && !w->closed; i++)
        turn(w, 1);
    raft_node_free(w->node);
    env_loop_free(w->loop);
    group_close(w->group);
    (void)env_remove_tree(w->env, w->folder, NULL); /* only a temporary folder */
    env_uv_free(w->env);
    mem_free(w);
    return 0;
}

static void wait_free(struct world *w)
{
    for (int i = 0; i < 3000 && !raft_node_may_change(w->node); i++)
        turn(w, 1);
    assert_true(raft_node_may_change(w->node));
}

static int role_of(struct world *w, uint64_t id)
{
    struct raft_server_view servers[RAFT_SERVERS_MAX];
    size_t count = raft_node_servers(w->node, servers, RAFT_SERVERS_MAX);

    for (size_t i = 0; i < count; i++)
        if (servers[i].id == id)
            return servers[i].role;
    return -1;
}

static void test_comes_and_goes(void **state)
{
    struct world *w = *state;

    wait_free(w);
    assert_int_equal(role_of(w, 1), RAFT_VOTER);
    assert_int_equal(raft_node_add(w->node, 2, "m2"), 0);
    wait_free(w);
    assert_int_equal(role_of(w, 2), RAFT_SPARE);
    assert_int_equal(raft_node_assign(w->node, 2, RAFT_STANDBY), 0);
    wait_free(w);
    assert_int_equal(role_of(w, 2), RAFT_STANDBY);
    assert_int_equal(raft_node_remove(w->node, 2), 0);
    wait_free(w);
    assert_int_equal(role_of(w, 2), -1);
}

static void test_refused(void **state)
{
    struct world *w = *state;

    wait_free(w);
    assert_int_equal(raft_node_add(w->node, 1, "other"), -ERR_INVALID_ARGUMENT);
    assert_int_equal(raft_node_add(w->node, 3, "m1"), -ERR_INVALID_ARGUMENT);
    assert_int_equal(raft_node_remove(w->node, 9), -ERR_INVALID_ARGUMENT);
    assert_true(raft_node_may_change(w->node));
    assert_int_equal(raft_node_add(w->node, 2, "m2"), 0);
    assert_int_equal(raft_node_add(w->node, 3, "m3"), -ERR_AGAIN);
    wait_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_comes_and_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
