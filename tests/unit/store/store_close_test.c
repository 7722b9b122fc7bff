/* A leader that closes while writes others sent it are under way frees them; ASan sees (about one
 * run in ten without it). */
#include "tests/unit/store/store_world.h"
#include "tests/unit/unit.h"

#define WRITES 256

struct writes {
    struct env_msg msg;
    struct store_group *group;
    struct store_write all[WRITES];
    int left;
    atomic_bool sent;
    atomic_bool done;
};

static void on_written(struct store_write *w)
{
    struct writes *ws = w->priv;

    if (--ws->left == 0)
        atomic_store(&ws->done, true);
}

static void send_all(struct env_msg *m)
{
    struct writes *ws = container_of(m, struct writes, msg);
    struct store_op op = { .type = STORE_OP_PUT, .key = str_lit("k"), .value = str_lit("v") };
    struct store_txn txn = { .ops = &op, .ops_count = 1 };

    for (int i = 0; i < WRITES; i++) {
        ws->all[i].done = on_written;
        ws->all[i].priv = ws;
        store_submit(ws->group, &ws->all[i], &txn);
    }
    atomic_store(&ws->sent, true);
}

/* Two of three go at once: what was forwarded is answered by nobody. */
static void test_forwarded_writes_end_with_the_leader(void **state)
{
    struct store_world *w = *state;
    int leader = store_world_wait_leader(w);
    int follower = (leader + 1) % MEMBERS_COUNT;
    struct writes ws = { .group = store_group(w->stores[follower], STORE_CLUSTER), .left = WRITES };

    for (int i = 0; i < WRITES; i++)
        ws.all[i].loop = w->loop;
    store_close(w->stores[3 - leader - follower]);
    w->stores[3 - leader - follower] = NULL;
    env_post(w->loop, &ws.msg, send_all);
    store_world_wait(&ws.sent);
    store_stop(w->stores[follower]);
    store_stop(w->stores[leader]);
    store_world_wait(&ws.done); /* each is answered, whatever the answer */
    store_close(w->stores[follower]);
    store_close(w->stores[leader]);
    w->stores[leader] = w->stores[follower] = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        test_forwarded_writes_end_with_the_leader) };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
