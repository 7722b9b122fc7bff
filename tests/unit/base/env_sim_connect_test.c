/* Simulated attempts: refused, cut, canceled, accepted by one of several listeners; names. */
#include <string.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

struct fixture {
    struct env *env;
    struct env_loop *client_loop;
    struct env_loop *server_loop;
    struct env_listener *listener;
    struct env_connect connect;
    struct env_resolve resolve;
    int accepted;
    int done;
    int status;
};

static void on_accept(void *ctx, struct env_stream *s)
{
    struct fixture *f = ctx;
    assert_true(env_on_loop(f->server_loop));
    f->accepted++;
    env_stream_close(s);
}

static void on_connected(struct env_connect *c, struct env_stream *s, int status)
{
    struct fixture *f = container_of(c, struct fixture, connect);
    f->done++;
    f->status = status;
    if (s != NULL)
        env_stream_close(s);
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    struct err e;
    f->env = env_sim_new(11);
    f->client_loop = env_loop_new(f->env, "client");
    f->server_loop = env_loop_new(f->env, "server");
    env_loop_start(f->client_loop);
    env_loop_start(f->server_loop);
    assert_int_equal(env_listen(f->server_loop, "m1:peer", false, on_accept, f, &f->listener, &e),
                     0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    env_loop_free(f->client_loop);
    env_loop_free(f->server_loop);
    env_sim_free(f->env);
    mem_free(f);
    return 0;
}

static void test_attempts_that_fail(void **state)
{
    struct fixture *f = *state;
    env_connect(f->client_loop, &f->connect, "m2:peer", 1000, on_connected);
    env_sim_run(f->env, 100);
    assert_int_equal(f->status, -ERR_UNAVAILABLE);
    env_sim_partition(f->env, "server", "client", true);
    env_connect(f->client_loop, &f->connect, "m1:peer", 1000, on_connected);
    env_sim_run(f->env, 900);
    assert_int_equal(f->done, 1);
    env_sim_run(f->env, 200);
    assert_int_equal(f->done, 2);
    assert_int_equal(f->status, -ERR_TIMEOUT);
    env_connect(f->client_loop, &f->connect, "m1:peer", 1000, on_connected);
    env_connect_cancel(&f->connect);
    assert_int_equal(f->done, 2);
    env_sim_run(f->env, 100);
    assert_int_equal(f->status, -ERR_CANCELED);
    struct env_listener *l;
    struct err e;
    assert_int_equal(env_listen(f->server_loop, "m1:peer", false, on_accept, f, &l, &e),
                     -ERR_ALREADY_EXISTS);
    env_connect(f->client_loop, &f->connect, "m1:peer", 1000, on_connected); /* freed pending */
}

static void test_accept_and_paused_listener(void **state)
{
    struct fixture *f = *state;
    env_connect(f->client_loop, &f->connect, "m1:peer", 1000, on_connected);
    env_sim_run(f->env, 100);
    assert_int_equal(f->accepted, 1);
    assert_int_equal(f->status, 0);
    env_sim_pause_loop(f->server_loop, true);
    env_connect(f->client_loop, &f->connect, "m1:peer", 1000, on_connected);
    env_sim_run(f->env, 1100);
    assert_int_equal(f->status, -ERR_TIMEOUT);
    env_sim_pause_loop(f->server_loop, false);
    env_sim_run(f->env, 100);
    assert_int_equal(f->accepted, 1);
    env_listener_close(f->listener);
    env_connect(f->client_loop, &f->connect, "m1:peer", 1000, on_connected);
    env_sim_run(f->env, 100);
    assert_int_equal(f->status, -ERR_UNAVAILABLE);
}

static void test_ports(void **state)
{
    struct fixture *f = *state;
    struct env_listener *l;
    struct err e;
    assert_int_equal(env_listener_port(f->listener), 0);
    assert_int_equal(env_listen(f->server_loop, "tcp:10.0.0.1:6443", false, on_accept, f, &l, &e),
                     0);
    assert_int_equal(env_listener_port(l), 6443);
}

static void on_resolved(struct env_resolve *r, int status)
{
    struct fixture *f = container_of(r, struct fixture, resolve);
    assert_true(env_on_loop(f->client_loop));
    f->done++;
    f->status = status;
}

static void test_names_are_addresses(void **state)
{
    struct fixture *f = *state;
    char too_long[ENV_ADDRESS_BYTES + 1];
    memset(too_long, 'x', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    env_resolve(f->client_loop, &f->resolve, "tcp:m1:2381", on_resolved);
    assert_int_equal(f->done, 0);
    env_sim_run(f->env, 100);
    assert_true(f->done == 1 && f->status == 0 && f->resolve.count == 1);
    assert_string_equal(f->resolve.addresses[0], "tcp:m1:2381");
    env_resolve_cancel(&f->resolve); /* harmless */
    env_resolve(f->client_loop, &f->resolve, too_long, on_resolved);
    env_sim_run(f->env, 100);
    assert_true(f->done == 2 && f->status == -ERR_INVALID_ARGUMENT && f->resolve.count == 0);
    env_resolve(f->client_loop, &f->resolve, "tcp:m1:2381", on_resolved);
    env_resolve_cancel(&f->resolve);
    assert_int_equal(f->done, 2);
    env_sim_run(f->env, 100);
    assert_true(f->done == 3 && f->status == -ERR_CANCELED && f->resolve.count == 0);
    env_resolve(f->client_loop, &f->resolve, "tcp:m1:2381", on_resolved); /* freed pending */
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_attempts_that_fail),
                                        T(test_accept_and_paused_listener), T(test_ports),
                                        T(test_names_are_addresses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
