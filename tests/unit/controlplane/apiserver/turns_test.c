/* Slices in line: what else the loop has to do comes between them. */
#include "base/arena.h"
#include "base/env_uv.h"
#include "controlplane/apiserver/turns.h"
#include "tests/unit/unit.h"

#define SLICES 10

struct world {
    struct env *env;
    struct env_loop *loop;
    struct turns turns;
    struct turn slices[SLICES];
    struct env_msg start;
    struct env_msg end;
    struct env_msg other; /* of somebody else, posted in the first slice */
    int ran;
    int ran_before_other;
};

static void on_other(struct env_msg *m)
{
    struct world *w = container_of(m, struct world, other);
    w->ran_before_other = w->ran;
}

static struct world *current;

/* The line is empty, and the loop has looked around. */
static void on_end(struct env_msg *m)
{
    struct world *w = container_of(m, struct world, end);
    if (turns_free(&w->turns))
        env_loop_stop(w->loop);
    else
        env_post(w->loop, &w->end, on_end);
}

static void run_slice(struct turn *t)
{
    struct world *w = current;
    uint64_t until = env_now_ns(w->env) + TURNS_NS;
    assert_ptr_equal(t, &w->slices[w->ran]); /* in order */
    assert_true(turns_free(&w->turns));
    if (w->ran++ == 0)
        env_post(w->loop, &w->other, on_other);
    while (env_now_ns(w->env) < until)
        ;
    if (w->ran == SLICES)
        env_post(w->loop, &w->end, on_end);
}

static void on_start(struct env_msg *m)
{
    struct world *w = container_of(m, struct world, start);
    assert_true(turns_free(&w->turns));
    turns_spend(&w->turns, TURNS_NS - 1);
    assert_true(turns_free(&w->turns));
    turns_spend(&w->turns, 1);
    assert_false(turns_free(&w->turns)); /* until the loop has looked around */
    for (int i = 0; i < SLICES; i++)
        turns_wait(&w->turns, &w->slices[i], run_slice);
    assert_false(turns_free(&w->turns));
}

static void test_others_come_between_slices(void **state)
{
    struct world w = { .env = env_uv_new() };
    (void)state; /* no shared fixture */
    current = &w;
    w.loop = env_loop_new(w.env, "turns");
    turns_init(&w.turns, w.loop);
    env_post(w.loop, &w.start, on_start);
    env_loop_run(w.loop);
    assert_int_equal(w.ran, SLICES);
    assert_int_equal(w.ran_before_other, 1);
    assert_true(turns_free(&w.turns));
    env_loop_free(w.loop);
    env_uv_free(w.env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_others_come_between_slices) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
