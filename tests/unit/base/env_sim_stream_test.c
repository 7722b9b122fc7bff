/* Simulated connections: bytes in order, ends, back-pressure, partitions, refusals. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

#define BIG_BYTES (300u << 10)

struct side {
    struct env_stream *s;
    struct buf got;
    int ends;
    int end_status;
    int drained;
    int closed;
};

struct fixture {
    struct env *env;
    struct env_loop *client_loop;
    struct env_loop *server_loop;
    struct env_listener *listener;
    struct env_connect connect;
    struct side client;
    struct side server;
    int done;
    int status;
};

static void on_data(void *ctx, struct str bytes)
{
    buf_append_str(&((struct side *)ctx)->got, bytes);
}

static void on_end(void *ctx, int status)
{
    struct side *d = ctx;
    d->ends++;
    d->end_status = status;
}

static void on_drained(void *ctx)
{
    ((struct side *)ctx)->drained++;
}

static void on_closed(void *ctx)
{
    struct side *d = ctx;
    d->closed++;
    d->s = NULL;
}

static const struct env_stream_events events = { on_data, on_end, on_drained, on_closed };

static void on_accept(void *ctx, struct env_stream *s)
{
    struct fixture *f = ctx;
    assert_true(env_on_loop(f->server_loop));
    assert_string_equal(env_stream_peer(s), "client");
    f->server.s = s;
    env_stream_start(s, &events, &f->server);
}

static void on_connected(struct env_connect *c, struct env_stream *s, int status)
{
    struct fixture *f = container_of(c, struct fixture, connect);
    assert_true(env_on_loop(f->client_loop) || status == -ERR_CANCELED);
    f->done++;
    f->status = status;
    f->client.s = s;
    if (s != NULL)
        env_stream_start(s, &events, &f->client);
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
    buf_deinit(&f->client.got);
    buf_deinit(&f->server.got);
    mem_free(f);
    return 0;
}

static void open_pair(struct fixture *f)
{
    env_connect(f->client_loop, &f->connect, "m1:peer", 1000, on_connected);
    assert_int_equal(f->done, 0);
    env_sim_run(f->env, 100);
    assert_int_equal(f->done, 1);
    assert_int_equal(f->status, 0);
    assert_non_null(f->server.s);
}

static void write_big(struct fixture *f)
{
    uint8_t *bytes = mem_alloc(BIG_BYTES);
    for (size_t i = 0; i < BIG_BYTES; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    env_stream_write(f->client.s, str_of(bytes, BIG_BYTES));
    mem_free(bytes);
}

static void check_big(const struct buf *got)
{
    assert_int_equal(got->len, BIG_BYTES);
    for (size_t i = 0; i < BIG_BYTES; i++)
        if (got->data[i] != (uint8_t)(i * 31 >> 3))
            fail_msg("byte %zu", i);
}

static void test_bytes_arrive_in_order_and_drain(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    env_stream_pause(f->server.s);
    write_big(f);
    env_sim_run(f->env, 100);
    assert_int_equal(f->server.got.len, 0);
    assert_int_equal(f->client.drained, 0);
    assert_true(env_stream_queued(f->client.s) > ENV_STREAM_LOW_BYTES);
    env_stream_resume(f->server.s);
    env_sim_run(f->env, 100);
    check_big(&f->server.got);
    assert_int_equal(f->client.drained, 1);
    env_stream_shutdown(f->client.s);
    env_stream_write(f->server.s, str_lit("bye"));
    env_sim_run(f->env, 100);
    assert_int_equal(f->server.ends, 1);
    assert_int_equal(f->server.end_status, 0);
    assert_int_equal(f->client.got.len, 3);
}

static void test_close_delivers_what_was_sent(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    env_stream_write(f->client.s, str_lit("last words"));
    env_stream_close(f->client.s);
    assert_int_equal(f->client.closed, 0);
    env_sim_run(f->env, 100);
    assert_int_equal(f->client.closed, 1);
    assert_int_equal(f->server.got.len, 10);
    assert_int_equal(f->server.ends, 1);
    env_stream_write(f->server.s, str_lit("to nobody"));
    env_sim_run(f->env, 100);
    assert_int_equal(f->server.ends, 1); /* once */
    env_stream_close(f->server.s);
    env_sim_run(f->env, 100);
    assert_int_equal(f->server.closed, 1);
}

/* Half an end is no break; the peer's going is one, once it is known here. */
static void test_broken(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    env_stream_shutdown(f->client.s);
    env_sim_run(f->env, 100);
    assert_int_equal(f->server.ends, 1);
    assert_false(env_stream_broken(f->server.s));
    env_stream_close(f->client.s);
    assert_true(env_stream_broken(f->server.s));
    env_sim_run(f->env, 100);
    f->done = 0;
    open_pair(f);
    env_stream_close(f->client.s);
    assert_false(env_stream_broken(f->server.s)); /* it is not here yet */
    env_sim_run(f->env, 100);
    assert_true(env_stream_broken(f->server.s));
}

static void test_cut_holds_and_heal_delivers(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    env_sim_partition(f->env, "client", "m1", true);
    write_big(f);
    env_stream_write(f->server.s, str_lit("one way"));
    env_sim_run(f->env, 500);
    assert_int_equal(f->server.got.len, 0);
    assert_int_equal(f->client.got.len, 7);
    env_sim_partition(f->env, "client", "m1", false);
    env_sim_run(f->env, 500);
    check_big(&f->server.got);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_bytes_arrive_in_order_and_drain),
                                        T(test_close_delivers_what_was_sent), T(test_broken),
                                        T(test_cut_holds_and_heal_delivers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
