/* What lies between simulated hosts: latencies, cuts that hold or end connections, resets. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

struct end {
    struct env *env;
    struct env_loop *loop;
    struct env_stream *stream;
    struct buf got;
    int ends;
    int end_status;
    uint64_t heard_at_ns;
};

struct fixture {
    struct env *world;
    struct end a;
    struct end b;
    struct env_listener *listener;
    struct env_connect connect;
    int done;
    int status;
};

static void on_data(void *ctx, struct str bytes)
{
    struct end *end = ctx;
    buf_append_str(&end->got, bytes);
    end->heard_at_ns = env_now_ns(end->env);
}

static void on_end(void *ctx, int status)
{
    struct end *end = ctx;
    end->ends++;
    end->end_status = status;
}

static void on_closed(void *ctx)
{
    ((struct end *)ctx)->stream = NULL;
}

static const struct env_stream_events events = { on_data, on_end, NULL, on_closed };

static void on_accept(void *ctx, struct env_stream *s)
{
    struct fixture *f = ctx;
    f->b.stream = s;
    env_stream_start(s, &events, &f->b);
}

static void on_connected(struct env_connect *c, struct env_stream *s, int status)
{
    struct fixture *f = container_of(c, struct fixture, connect);
    f->done++;
    f->status = status;
    f->a.stream = s;
    if (s != NULL)
        env_stream_start(s, &events, &f->a);
}

static void end_new(struct end *end, struct env *world, const char *name)
{
    end->env = env_sim_host_new(world, name);
    end->loop = env_loop_new(end->env, "loop");
    env_loop_start(end->loop);
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    struct err e;
    f->world = env_sim_new(11);
    end_new(&f->a, f->world, "m1");
    end_new(&f->b, f->world, "m11"); /* of which m1 is a prefix */
    assert_int_equal(env_listen(f->b.loop, "tcp:m11:1", false, on_accept, f, &f->listener, &e), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    env_loop_free(f->a.loop);
    env_loop_free(f->b.loop);
    env_sim_free(f->world);
    buf_deinit(&f->a.got);
    buf_deinit(&f->b.got);
    mem_free(f);
    return 0;
}

static void open_pair(struct fixture *f)
{
    env_connect(f->a.loop, &f->connect, "tcp:m11:1", 1000, on_connected);
    env_sim_run(f->world, 500);
    assert_int_equal(f->status, 0);
    assert_non_null(f->b.stream);
}

static void test_latency_of_a_link_one_way(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    env_sim_link_latency(f->world, "m1", "m11", 1, 2);
    env_sim_link_latency(f->world, "m1", "m11", 30000, 40000);
    for (int i = 0; i < 50; i++) {
        uint64_t sent_ns = env_now_ns(f->world);
        env_stream_write(f->a.stream, str_lit("x"));
        env_stream_write(f->b.stream, str_lit("y"));
        env_sim_run(f->world, 60);
        assert_in_range(f->b.heard_at_ns - sent_ns, 30 * ENV_MS, 41 * ENV_MS);
        assert_in_range(f->a.heard_at_ns - sent_ns, ENV_MS / 10, 3 * ENV_MS);
    }
    /* Whatever is drawn for each, bytes stay in order. */
    for (char c = 'a'; c <= 'z'; c++)
        env_stream_write(f->a.stream, str_of(&c, 1));
    env_sim_run(f->world, 60);
    assert_true(str_ends(buf_str(&f->b.got), str_lit("xabcdefghijklmnopqrstuvwxyz")));
}

static void test_a_cut_holds_one_way(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    env_sim_partition(f->world, "m1", "m1", true); /* no prefix: a host's name is whole */
    env_sim_partition(f->world, "m1", "m11", true);
    env_stream_write(f->a.stream, str_lit("held"));
    env_stream_write(f->b.stream, str_lit("free"));
    env_sim_run(f->world, 60000);
    assert_int_equal(f->b.got.len, 0);
    assert_true(str_eq_c(buf_str(&f->a.got), "free"));
    env_sim_partition(f->world, "m1", "m11", false);
    env_sim_run(f->world, 100);
    assert_true(str_eq_c(buf_str(&f->b.got), "held"));
    assert_int_equal(f->a.ends + f->b.ends, 0);
    assert_int_equal(env_sim_faults(f->world)->cuts, 1);
}

static void test_a_long_cut_ends_the_connection(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    env_sim_set_reset_ms(f->world, 5000);
    env_sim_partition(f->world, "m1", "m11", true);
    env_sim_run(f->world, 4000);
    env_sim_partition(f->world, "m1", "m11", false); /* in time */
    env_sim_run(f->world, 4000);
    assert_int_equal(f->a.ends + f->b.ends, 0);
    env_sim_partition(f->world, "m1", "m11", true);
    env_stream_write(f->a.stream, str_lit("lost"));
    env_sim_run(f->world, 4900);
    assert_int_equal(f->a.ends + f->b.ends, 0);
    env_sim_run(f->world, 200);
    assert_true(f->a.ends == 1 && f->a.end_status == -ERR_UNAVAILABLE);
    assert_true(f->b.ends == 1 && f->b.end_status == -ERR_UNAVAILABLE);
    env_sim_partition(f->world, "m1", "m11", false);
    env_stream_write(f->b.stream, str_lit("to nobody"));
    env_sim_run(f->world, 1000);
    assert_int_equal(f->a.got.len + f->b.got.len, 0);
    assert_int_equal(env_sim_faults(f->world)->resets, 1);
    env_stream_close(f->a.stream);
    env_stream_close(f->b.stream);
    env_sim_run(f->world, 100);
    open_pair(f);
}

static void test_attempts_across_a_cut_wait(void **state)
{
    struct fixture *f = *state;
    env_sim_partition(f->world, "m11", "m1", true); /* the answer's way is enough */
    env_connect(f->a.loop, &f->connect, "tcp:m11:1", 1000, on_connected);
    env_sim_run(f->world, 900);
    assert_int_equal(f->done, 0);
    env_sim_run(f->world, 200);
    assert_int_equal(f->status, -ERR_TIMEOUT);
}

static void test_reset_on_demand(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    env_sim_partition(f->world, "m11", "m1", true);
    env_stream_write(f->b.stream, str_lit("held, then lost"));
    env_sim_run(f->world, 100);
    env_sim_host_reset(f->world, "m11", "m2"); /* others */
    env_sim_host_reset(f->world, "m11", "m1"); /* a reset passes a cut */
    env_sim_host_reset(f->world, "m1", "m11"); /* once is enough */
    env_stream_write(f->a.stream, str_lit("too late"));
    env_stream_shutdown(f->b.stream);
    env_sim_run(f->world, 100);
    assert_true(f->a.ends == 1 && f->a.end_status == -ERR_UNAVAILABLE);
    assert_true(f->b.ends == 1 && f->b.end_status == -ERR_UNAVAILABLE);
    assert_int_equal(f->a.got.len + f->b.got.len, 0);
    assert_int_equal(env_sim_faults(f->world)->resets, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_latency_of_a_link_one_way),
                                        T(test_a_cut_holds_one_way),
                                        T(test_a_long_cut_ends_the_connection),
                                        T(test_attempts_across_a_cut_wait),
                                        T(test_reset_on_demand) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
