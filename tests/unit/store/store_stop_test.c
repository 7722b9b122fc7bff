/* A member is closed by a caller that cannot wait, and what it acknowledged is there when it starts
 * again: on a simulated host. */
#include <stdio.h>

#include "base/env_sim.h"
#include "store/kv.h"
#include "store/store.h"
#include "tests/unit/unit.h"

#define WAIT_MS 5000

struct world {
    struct env *env;
    struct env *host;
    struct env_loop *client;
    struct store_simulation simulation;
    struct kv_engine *engine;
    struct store *store;
    struct store_write write;
    bool written;
};

static void open_member(struct world *w, enum store_start start)
{
    struct store_config c = { .env = w->host,
                              .folder = "/data",
                              .member_id = 1,
                              .members = { { .id = 1,
                                             .name = "m1",
                                             .raft_address = "tcp:m1:2380",
                                             .peer_address = "tcp:m1:2381" } },
                              .members_count = 1,
                              .start = start,
                              .peer_listen_fd = -1,
                              .raft_listen_fd = -1,
                              .simulation = &w->simulation };
    struct err e = { 0 };

    if (store_open(&c, &w->store, &e) != 0)
        fail_msg("%s", e.msg);
}

static void close_member(struct world *w)
{
    assert_false(store_stopped(w->store));
    store_stop(w->store);
    for (int i = 0; i < WAIT_MS && !store_stopped(w->store); i++)
        env_sim_run(w->env, 1);
    assert_true(store_stopped(w->store));
    store_close(w->store);
}

static void on_written(struct store_write *w)
{
    ((struct world *)w->priv)->written = true;
}

static void write_one(struct world *w)
{
    struct store_op op = { .type = STORE_OP_PUT, .key = str_lit("k"), .value = str_lit("v") };
    struct store_txn txn = { .ops = &op, .ops_count = 1 };

    w->written = false;
    w->write = (struct store_write){ .loop = w->client, .done = on_written, .priv = w };
    store_submit(store_group(w->store, STORE_CLUSTER), &w->write, &txn);
    for (int i = 0; i < WAIT_MS && !w->written; i++)
        env_sim_run(w->env, 1);
    assert_true(w->written);
    assert_int_equal(w->write.result.status, 0);
}

static void test_stop_and_start(void **state)
{
    struct world w = { .env = env_sim_new(7) };
    struct store_version v;
    struct store_read r;

    (void)state;
    w.host = env_sim_host_new(w.env, "m1");
    w.engine = kv_sim_engine_new(w.host);
    w.simulation = (struct store_simulation){ .engine = w.engine, .log_file_bytes = 256u << 10 };
    w.client = env_loop_new(w.host, "client");
    env_loop_start(w.client);
    open_member(&w, STORE_START_FOUND);
    write_one(&w);
    close_member(&w);
    open_member(&w, STORE_START_AGAIN);
    assert_int_equal(store_read_begin(store_group(w.store, STORE_CLUSTER), 0, &r), 0);
    assert_int_equal(store_read_get(&r, str_lit("k"), &v), 0);
    assert_true(str_eq_c(v.value, "v"));
    store_read_end(&r);
    write_one(&w); /* it leads again */
    close_member(&w);
    env_loop_free(w.client);
    kv_sim_engine_free(w.engine);
    env_sim_free(w.env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_stop_and_start) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
