/* The simulated world: same seed, same trace; virtual time; order; pauses. */
#include "base/arena.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

#define LOOPS 3

struct world;

struct actor {
    struct env_loop *loop;
    struct env_timer timer;
    struct env_msg msg;
    struct env_work work;
    struct world *world;
    int ticks;
    int works;
    int next_sequence;
};

struct world {
    struct env *env;
    struct actor actors[LOOPS];
    int messages;
};

static void on_hello(struct env_msg *m)
{
    struct actor *a = container_of(m, struct actor, msg);
    a->world->messages++;
}

static void do_work(struct env_work *w)
{
    (void)w; /* touches nothing */
}

static void on_worked(struct env_work *w)
{
    container_of(w, struct actor, work)->works++;
}

static void on_tick(struct env_timer *t)
{
    struct actor *a = container_of(t, struct actor, timer);
    assert_true(env_on_loop(a->loop));
    a->ticks++;
    if (a->ticks == 3)
        env_work(a->loop, &a->work, do_work, on_worked);
    if (list_empty(&a->msg.node))
        env_post(a->world->actors[env_random_u64(a->world->env) % LOOPS].loop, &a->msg, on_hello);
    env_timer_start(t, 1 + env_random_u64(a->world->env) % 20);
}

static void world_init(struct world *w, uint64_t seed)
{
    *w = (struct world){ .env = env_sim_new(seed) };
    for (int i = 0; i < LOOPS; i++) {
        struct actor *a = &w->actors[i];
        a->world = w;
        a->loop = env_loop_new(w->env, "actor");
        list_init(&a->msg.node);
        env_timer_init(a->loop, &a->timer, on_tick);
        env_timer_start(&a->timer, 1);
        env_loop_start(a->loop);
    }
}

static void world_deinit(struct world *w)
{
    for (int i = 0; i < LOOPS; i++)
        env_timer_deinit(&w->actors[i].timer);
    for (int i = 0; i < LOOPS; i++)
        env_loop_free(w->actors[i].loop);
    env_sim_free(w->env);
}

static uint64_t digest_of(uint64_t seed)
{
    struct world w;
    world_init(&w, seed);
    uint64_t start = env_now_ns(w.env);
    env_sim_run(w.env, 1000);
    assert_int_equal(env_now_ns(w.env) - start, 1000 * ENV_MS);
    assert_true(w.messages > 50);
    for (int i = 0; i < LOOPS; i++)
        assert_int_equal(w.actors[i].works, 1);
    uint64_t digest = env_sim_digest(w.env);
    world_deinit(&w);
    return digest;
}

static void test_same_seed_same_digest(void **state)
{
    (void)state;
    uint64_t digests[8];
    for (uint64_t seed = 0; seed < 8; seed++) {
        digests[seed] = digest_of(seed);
        assert_true(digest_of(seed) == digests[seed]);
        for (uint64_t other = 0; other < seed; other++)
            assert_true(digests[other] != digests[seed]);
    }
}

static void test_paused_loop_keeps_its_events(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    env_sim_pause_loop(w.actors[0].loop, true);
    env_sim_run(w.env, 100);
    assert_int_equal(w.actors[0].ticks, 0);
    assert_true(w.actors[1].ticks > 0);
    env_sim_pause_loop(w.actors[0].loop, false);
    env_sim_run(w.env, 100);
    assert_true(w.actors[0].ticks > 0);
    env_loop_stop(w.actors[0].loop);
    int ticks = w.actors[0].ticks;
    env_sim_run(w.env, 100);
    assert_int_equal(w.actors[0].ticks, ticks);
    world_deinit(&w);
}

struct numbered {
    struct env_msg msg;
    struct actor *to;
    int sequence;
};

static void on_numbered(struct env_msg *m)
{
    struct numbered *n = container_of(m, struct numbered, msg);
    assert_int_equal(n->sequence, n->to->next_sequence);
    n->to->next_sequence++;
}

static void test_messages_are_fifo_per_loop(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 5);
    struct numbered messages[LOOPS][100];
    for (int i = 0; i < 100; i++)
        for (int k = 0; k < LOOPS; k++) {
            messages[k][i] = (struct numbered){ .to = &w.actors[k], .sequence = i };
            env_post(w.actors[k].loop, &messages[k][i].msg, on_numbered);
        }
    assert_int_equal(w.actors[0].next_sequence, 0);
    env_sim_run(w.env, 10);
    for (int k = 0; k < LOOPS; k++)
        assert_int_equal(w.actors[k].next_sequence, 100);
    world_deinit(&w);
}

static void test_random_is_uniform_enough(void **state)
{
    (void)state;
    struct env *env = env_sim_new(9);
    int counts[10] = { 0 };
    for (int i = 0; i < 100000; i++)
        counts[env_sim_random(env, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], 9500, 10500);
    assert_false(env_sim_step(env)); /* no loops */
    env_sim_free(env);
}

static void test_what_is_not_simulated_says_so(void **state)
{
    (void)state;
    struct env *env = env_sim_new(1);
    struct err e;
    struct env_file *f;
    struct env_stat st;
    assert_int_equal(env_file_write(env, "/tmp/x", str_lit(""), 0600, &e), -ERR_UNIMPLEMENTED);
    assert_string_equal(e.msg, "files are not simulated");
    assert_int_equal(env_file_open(env, "/", ENV_FILE_READ, 0, &f, &e), -ERR_UNIMPLEMENTED);
    assert_int_equal(env_path_stat(env, "/", &st, &e), -ERR_UNIMPLEMENTED);
    assert_false(env_path_exists(env, "/"));
    assert_null(env_variable(env, "PATH"));
    env_sim_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_seed_same_digest),
                                        cmocka_unit_test(test_paused_loop_keeps_its_events),
                                        cmocka_unit_test(test_messages_are_fifo_per_loop),
                                        cmocka_unit_test(test_random_is_uniform_enough),
                                        cmocka_unit_test(test_what_is_not_simulated_says_so) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
