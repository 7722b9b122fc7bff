/* The work queue against a model, and its timing. */
#include <stdio.h>
#include <string.h>

#include "api/client/workqueue.h"
#include "base/arena.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

#define KEYS  6
#define STEPS 20000

struct world {
    struct env *env;
    struct env_loop *loop;
    struct workqueue *queue;
    int ready;
};

static void on_ready(void *ctx)
{
    ((struct world *)ctx)->ready++;
}

static void world_init(struct world *w, uint64_t seed)
{
    struct workqueue_config config = { .name = "test", .ready = on_ready, .ctx = w };

    *w = (struct world){ .env = env_sim_new(seed) };
    w->loop = env_loop_new(w->env, "loop");
    env_loop_start(w->loop);
    config.loop = w->loop;
    w->queue = workqueue_new(&config);
}

static void world_deinit(struct world *w)
{
    workqueue_free(w->queue);
    env_sim_run(w->env, 1000);
    env_loop_free(w->loop);
    env_sim_free(w->env);
}

/* The three sets, as plainly as can be. */
struct model {
    int order[KEYS]; /* the queue */
    int count;
    bool dirty[KEYS];
    bool processing[KEYS];
};

static void model_add(struct model *m, int key)
{
    if (m->dirty[key])
        return;
    m->dirty[key] = true;
    if (!m->processing[key])
        m->order[m->count++] = key;
}

static int model_get(struct model *m)
{
    int key;

    if (m->count == 0)
        return -1;
    key = m->order[0];
    memmove(m->order, m->order + 1, (size_t)--m->count * sizeof(m->order[0]));
    m->dirty[key] = false;
    m->processing[key] = true;
    return key;
}

static void model_done(struct model *m, int key)
{
    m->processing[key] = false;
    if (m->dirty[key])
        m->order[m->count++] = key;
}

static const char *const keys[KEYS] = { "a", "b", "c", "d/e", "f", "g" };

static void step(struct world *w, struct model *m)
{
    int key = (int)env_sim_random(w->env, KEYS);
    struct str got;
    int want;

    switch (env_sim_random(w->env, 3)) {
    case 0:
        workqueue_add(w->queue, str_from(keys[key]));
        model_add(m, key);
        break;
    case 1:
        want = model_get(m);
        assert_int_equal(workqueue_get(w->queue, &got), want >= 0);
        if (want >= 0)
            assert_true(str_eq_c(got, keys[want]));
        break;
    default:
        if (!m->processing[key])
            break;
        workqueue_done(w->queue, str_from(keys[key]));
        model_done(m, key);
    }
}

static void test_model(void **state)
{
    (void)state; /* no shared fixture */
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world w;
        struct model m = { 0 };
        struct workqueue_sample s;

        world_init(&w, seed);
        for (int i = 0; i < STEPS; i++)
            step(&w, &m);
        workqueue_sample(w.queue, &s);
        assert_int_equal(s.depth, m.count);
        world_deinit(&w);
    }
}

static void test_delays(void **state)
{
    struct world w;
    struct str key;

    (void)state; /* no shared fixture */
    world_init(&w, 1);
    workqueue_add_after(w.queue, str_lit("late"), 500);
    workqueue_add_after(w.queue, str_lit("soon"), 100);
    workqueue_add_after(w.queue, str_lit("late"), 900); /* the earlier time stays */
    env_sim_run(w.env, 99);
    assert_false(workqueue_get(w.queue, &key));
    env_sim_run(w.env, 2);
    assert_true(workqueue_get(w.queue, &key));
    assert_true(str_eq_c(key, "soon"));
    assert_int_equal(w.ready, 1);
    workqueue_done(w.queue, str_lit("soon"));
    env_sim_run(w.env, 400);
    assert_true(workqueue_get(w.queue, &key));
    workqueue_done(w.queue, str_lit("late"));
    env_sim_run(w.env, 1000);
    assert_false(workqueue_get(w.queue, &key));
    world_deinit(&w);
}

static void test_backoff(void **state)
{
    static const uint64_t want[] = { 5, 10, 20, 40, 80 };
    struct world w;
    struct str key;

    (void)state; /* no shared fixture */
    world_init(&w, 1);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        workqueue_add_limited(w.queue, str_lit("k"));
        assert_int_equal(workqueue_failures(w.queue, str_lit("k")), i + 1);
        env_sim_run(w.env, want[i] - 1);
        assert_false(workqueue_get(w.queue, &key));
        env_sim_run(w.env, 2);
        assert_true(workqueue_get(w.queue, &key));
        workqueue_done(w.queue, str_lit("k"));
    }
    workqueue_forget(w.queue, str_lit("k"));
    assert_int_equal(workqueue_failures(w.queue, str_lit("k")), 0);
    world_deinit(&w);
}

static void test_samples(void **state)
{
    struct world w;
    struct workqueue_sample s;
    struct str key;

    (void)state; /* no shared fixture */
    world_init(&w, 1);
    workqueue_add(w.queue, str_lit("a"));
    workqueue_add(w.queue, str_lit("a"));
    workqueue_add(w.queue, str_lit("b"));
    env_sim_run(w.env, 50);
    workqueue_add_after(w.queue, str_lit("c"), 100000);
    env_sim_run(w.env, 50);
    assert_true(workqueue_get(w.queue, &key));
    workqueue_sample(w.queue, &s);
    assert_string_equal(s.name, "test");
    assert_int_equal(s.depth, 1);
    assert_int_equal(s.processing, 1);
    assert_int_equal(s.delayed, 1);
    assert_int_equal(s.added, 2);
    assert_true(s.oldest_ms >= 50);
    workqueue_done(w.queue, key);
    workqueue_sample(w.queue, &s);
    assert_int_equal(s.added, 0);
    assert_int_equal(s.completed, 1);
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_model), cmocka_unit_test(test_delays),
                                        cmocka_unit_test(test_backoff),
                                        cmocka_unit_test(test_samples) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
