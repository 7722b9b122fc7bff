/* A member that was away until the others' log had let go of what it lacks gets a copy of the
 * state, and then follows the log again. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "tests/unit/store/store_world.h"
#include "tests/unit/unit.h"

#define RETAIN_BYTES (64u << 10)
#define VALUE_BYTES  2048
#define WRITES       200 /* several times what is kept */

static void open_member(struct store_world *w, int i)
{
    struct store_config c = members_config(&w->m, w->env, i);
    struct err e = { 0 };

    c.log_retain_bytes = RETAIN_BYTES;
    c.log_retain_entries = 64;
    if (store_open(&c, &w->stores[i], &e) != 0)
        fail_msg("%s", e.msg);
}

static int setup(void **state)
{
    struct store_world *w = mem_alloc(sizeof(*w));

    w->env = env_uv_new();
    members_init(&w->m, w->env);
    w->loop = env_loop_new(w->env, "client");
    env_loop_start(w->loop);
    for (int i = 0; i < MEMBERS_COUNT; i++)
        open_member(w, i);
    *state = w;
    return 0;
}

static void fill(struct store_world *w, int i, int from, int count)
{
    char value[VALUE_BYTES];
    char key[32];

    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (int n = from; n < from + count; n++) {
        snprintf(key, sizeof(key), "k/%05d", n);
        assert_int_equal(store_world_put(w, i, key, value, 0).status, 0);
    }
}

static bool equal(struct store_world *w, int i, int j)
{
    for (int n = 0; n < 2000; n++) {
        struct store_status a = store_world_status(w, i);
        struct store_status b = store_world_status(w, j);

        if (a.applied_index == b.applied_index && a.digest == b.digest && a.ready && b.ready)
            return true;
        usleep(10000);
    }
    return false;
}

static void test_away_too_long(void **state)
{
    struct store_world *w = *state;
    int leader = store_world_wait_leader(w);
    int away = (leader + 1) % MEMBERS_COUNT;

    fill(w, leader, 0, 3);
    assert_int_equal(store_world_read_point(w, away, 0, 0).status, 0);
    store_close(w->stores[away]);
    w->stores[away] = NULL;
    leader = store_world_wait_leader(w);
    fill(w, leader, 3, WRITES);
    open_member(w, away);
    assert_true(equal(w, away, leader));
    assert_true(store_world_has(w, away, "k/00000", NULL));
    assert_true(store_world_has(w, away, "k/00150", NULL));
    /* It goes on with the log, and a restart finds all of it in place. */
    fill(w, leader, 3 + WRITES, 3);
    assert_true(equal(w, away, leader));
    store_close(w->stores[away]);
    open_member(w, away);
    leader = store_world_wait_leader(w);
    assert_true(equal(w, away, leader));
    assert_int_equal(store_world_put(w, away, "last", "1", 0).status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_away_too_long, setup,
                                                                        store_world_teardown) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
