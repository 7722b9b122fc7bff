/* No wake-up is lost between loops that fall asleep all the time, and order holds. */
#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "tests/unit/unit.h"

#define ROUNDS 20000
#define CHAIN  50

/* A message that goes to and fro: each loop has nothing else to do and sleeps in between. */
struct ball {
    struct env_msg msg;
    struct env_loop *loops[2];
    int bounces;
};

static void on_ball(struct env_msg *m)
{
    struct ball *b = container_of(m, struct ball, msg);
    assert_true(env_on_loop(b->loops[b->bounces % 2]));
    if (++b->bounces == ROUNDS) {
        env_loop_stop(b->loops[0]);
        env_loop_stop(b->loops[1]);
        return;
    }
    env_post(b->loops[b->bounces % 2], &b->msg, on_ball);
}

static void test_no_lost_wake_up(void **state)
{
    (void)state;
    struct env *env = env_uv_new();
    struct ball ball = { .loops = { env_loop_new(env, "a"), env_loop_new(env, "b") } };
    env_loop_start(ball.loops[0]);
    env_loop_start(ball.loops[1]);
    env_post(ball.loops[0], &ball.msg, on_ball);
    for (int i = 0; i < 2; i++)
        env_loop_join(ball.loops[i]);
    assert_int_equal(ball.bounces, ROUNDS);
    for (int i = 0; i < 2; i++)
        env_loop_free(ball.loops[i]);
    env_uv_free(env);
}

/* Messages that post the next one themselves, beside a timer: it is not starved for ever. */
struct chain {
    struct env_msg msg;
    struct env_loop *loop;
    struct env_timer timer;
    bool inside;
    bool fired;
    int runs;
};

static void on_link(struct env_msg *m)
{
    struct chain *c = container_of(m, struct chain, msg);
    assert_false(c->inside);
    c->runs++;
    if (c->fired && c->runs >= CHAIN) {
        env_timer_deinit(&c->timer);
        env_loop_stop(c->loop);
        return;
    }
    c->inside = true;
    env_post(c->loop, &c->msg, on_link);
    c->inside = false;
}

static void on_fire(struct env_timer *t)
{
    container_of(t, struct chain, timer)->fired = true;
}

static void test_own_messages(void **state)
{
    (void)state;
    struct env *env = env_uv_new();
    struct chain c = { .loop = env_loop_new(env, "chain") };
    env_timer_init(c.loop, &c.timer, on_fire);
    env_timer_start(&c.timer, 5);
    env_post(c.loop, &c.msg, on_link); /* before the loop runs */
    env_loop_run(c.loop);
    assert_true(c.fired);
    assert_true(c.runs >= CHAIN);
    env_loop_free(c.loop);
    env_uv_free(env);
}

/* Stopping a loop that sleeps, or has not begun to. */
static void test_stop(void **state)
{
    (void)state;
    struct env *env = env_uv_new();
    for (int i = 0; i < 200; i++) {
        struct env_loop *loop = env_loop_new(env, "stop");
        env_loop_start(loop);
        env_loop_stop(loop);
        env_loop_join(loop);
        env_loop_free(loop);
    }
    env_uv_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_lost_wake_up),
                                        cmocka_unit_test(test_own_messages),
                                        cmocka_unit_test(test_stop) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
