/* Leadership across three members: fences, edges, a leader that goes and comes back. */
#include <stdatomic.h>
#include <unistd.h>

#include "tests/unit/store/store_world.h"
#include "tests/unit/unit.h"

static void test_fence(void **state)
{
    struct store_world *w = *state;
    int leader = store_world_wait_leader(w);
    uint64_t term = store_world_status(w, leader).term;

    assert_int_equal(store_world_put(w, leader, "f", "1", term).status, 0);
    assert_int_equal(store_world_put(w, (leader + 1) % MEMBERS_COUNT, "f", "2", term).status, 0);
    assert_int_equal(store_world_put(w, leader, "f", "3", term + 1).status, -ERR_FENCED);
}

struct listener {
    struct store_leadership leadership;
    _Atomic uint64_t leading; /* term, 0: not */
    _Atomic int edges;
};

static void on_changed(struct store_leadership *l, bool leading, uint64_t term)
{
    struct listener *me = (struct listener *)l;

    atomic_store(&me->leading, leading ? term : 0);
    atomic_fetch_add(&me->edges, 1);
}

/* The leader goes: another is told that it leads, writes go on, and the first comes back equal. */
static void test_leader_restarts(void **state)
{
    struct store_world *w = *state;
    static struct listener listeners[MEMBERS_COUNT]; /* live as long as the stores */
    int old = store_world_wait_leader(w);
    int new;
    uint64_t term = store_world_status(w, old).term;
    bool equal = false;

    for (int i = 0; i < MEMBERS_COUNT; i++) {
        listeners[i].leadership.loop = w->loop;
        listeners[i].leadership.changed = on_changed;
        store_on_leadership(store_group(w->stores[i], STORE_CLUSTER), &listeners[i].leadership);
    }
    for (int n = 0; n < 500 && atomic_load(&listeners[old].leading) == 0; n++)
        usleep(10000);
    assert_int_equal(atomic_load(&listeners[old].leading), term);
    assert_int_equal(store_world_put(w, old, "before", "1", 0).status, 0);
    store_close(w->stores[old]);
    w->stores[old] = NULL;
    new = store_world_wait_leader(w);
    for (int n = 0; n < 500 && atomic_load(&listeners[new].leading) == 0; n++)
        usleep(10000);
    assert_true(atomic_load(&listeners[new].leading) > term);
    assert_int_equal(atomic_load(&listeners[old].leading), 0);
    assert_int_equal(store_world_put(w, new, "between", "1", 0).status, 0);
    store_world_open_member(w, old);
    assert_int_equal(store_world_read_point(w, old, 0, 0).status, 0);
    assert_true(store_world_has(w, old, "before", "1") && store_world_has(w, old, "between", "1"));
    for (int n = 0; n < 500 && !equal; n++) {
        struct store_status a = store_world_status(w, old);
        struct store_status b = store_world_status(w, new);

        equal = a.applied_index == b.applied_index && a.digest == b.digest && a.digest != 0;
        usleep(10000);
    }
    assert_true(equal);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_fence),
                                        cmocka_unit_test(test_leader_restarts) };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
