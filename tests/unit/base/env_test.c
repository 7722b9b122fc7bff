/* The seam's own rules, the same in every world: what is harmless on nothing, and defaults. */
#include "base/env.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

static void test_nothing_is_harmless(void **state)
{
    (void)state;
    struct env_timer t = { 0 };
    struct env_connect c = { 0 };
    env_loop_free(NULL);
    env_listener_close(NULL);
    env_timer_stop(&t);
    env_timer_deinit(&t);
    assert_false(env_timer_active(&t));
    env_connect_cancel(&c);
}

static void on_fire(struct env_timer *t)
{
    env_timer_deinit(t); /* from inside its own fire */
}

static void test_timer_is_deinitialized_while_firing(void **state)
{
    (void)state;
    struct env *env = env_sim_new(1);
    struct env_loop *loop = env_loop_new(env, "loop");
    struct env_timer t;
    env_timer_init(loop, &t, on_fire);
    env_timer_start(&t, 5);
    env_timer_start(&t, 7); /* restarts */
    env_loop_start(loop);
    env_sim_run(env, 6);
    assert_true(env_timer_active(&t));
    env_sim_run(env, 2);
    assert_false(env_timer_active(&t));
    assert_null(t.impl);
    assert_ptr_equal(env_of(loop), env);
    assert_int_equal(env_loop_now_ms(loop), env_now_ns(env) / ENV_MS);
    env_loop_free(loop);
    env_sim_free(env);
}

static void on_done(struct env_connect *c, struct env_stream *s, int status)
{
    (void)c;
    assert_null(s);
    assert_int_equal(status, -ERR_TIMEOUT);
}

static void test_connect_has_a_default_deadline(void **state)
{
    (void)state;
    struct env *env = env_sim_new(1);
    struct env_loop *loop = env_loop_new(env, "loop");
    struct env_connect c;
    env_loop_start(loop);
    env_sim_set_latency(env, 60000000, 60000000); /* no answer in time */
    env_connect(loop, &c, "nobody", 0, on_done);
    env_sim_run(env, ENV_CONNECT_TIMEOUT_MS - 1);
    assert_non_null(c.impl);
    env_sim_run(env, 2);
    assert_null(c.impl);
    env_loop_free(loop);
    env_sim_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_nothing_is_harmless),
                                        cmocka_unit_test(test_timer_is_deinitialized_while_firing),
                                        cmocka_unit_test(test_connect_has_a_default_deadline) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
