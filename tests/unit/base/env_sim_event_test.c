/* The simulated world's events run in order of time, and of submission where times are equal. */
#include "base/arena.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

#define TIMERS 500

struct fixture {
    struct env *env;
    struct env_loop *loop;
    uint64_t last_due_ms;
    size_t last_index;
    int fired;
};

struct numbered {
    struct env_timer timer;
    struct fixture *f;
    uint64_t due_ms;
    size_t index;
};

static void on_timer(struct env_timer *t)
{
    struct numbered *n = container_of(t, struct numbered, timer);
    struct fixture *f = n->f;
    assert_true(n->due_ms >= f->last_due_ms);
    assert_true(n->due_ms > f->last_due_ms || n->index > f->last_index);
    assert_true(env_loop_now_ms(f->loop) >= n->due_ms);
    f->last_due_ms = n->due_ms;
    f->last_index = n->index;
    f->fired++;
}

static void test_order(void **state)
{
    (void)state;
    struct fixture f = { .env = env_sim_new(3) };
    struct numbered *timers = mem_alloc(TIMERS * sizeof(*timers));
    f.loop = env_loop_new(f.env, "loop");
    env_loop_start(f.loop);
    uint64_t start_ms = env_loop_now_ms(f.loop);
    for (size_t i = 0; i < TIMERS; i++) {
        uint64_t delay_ms = env_sim_random(f.env, 100);
        timers[i] = (struct numbered){ .f = &f, .due_ms = start_ms + delay_ms, .index = i };
        env_timer_init(f.loop, &timers[i].timer, on_timer);
        env_timer_start(&timers[i].timer, delay_ms);
    }
    int stopped = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        if (env_sim_random(f.env, 3) != 0)
            continue;
        env_timer_stop(&timers[i].timer);
        assert_false(env_timer_active(&timers[i].timer));
        stopped++;
    }
    while (env_sim_step(f.env))
        ;
    assert_int_equal(f.fired, TIMERS - stopped);
    for (size_t i = 0; i < TIMERS; i++)
        env_timer_deinit(&timers[i].timer);
    env_loop_free(f.loop);
    env_sim_free(f.env);
    mem_free(timers);
}

static void test_random_bytes_come_from_the_seed(void **state)
{
    (void)state;
    uint8_t bytes[3][13];
    for (int i = 0; i < 3; i++) {
        struct env *env = env_sim_new(i < 2 ? 7 : 8);
        env_random(env, bytes[i], sizeof(bytes[i]));
        env_sim_free(env);
    }
    assert_memory_equal(bytes[0], bytes[1], sizeof(bytes[0]));
    assert_memory_not_equal(bytes[0], bytes[2], sizeof(bytes[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_order),
                                        cmocka_unit_test(test_random_bytes_come_from_the_seed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
