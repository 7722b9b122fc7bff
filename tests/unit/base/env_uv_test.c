/* The real world's loops: messages from many threads, timers, work, signals, tear-down. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "tests/unit/unit.h"

#define POSTERS          4
#define POSTS_PER_THREAD 2000

struct fixture {
    struct env *env;
    struct env_loop *loop;
};

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    f->env = env_uv_new();
    f->loop = env_loop_new(f->env, "test");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    env_loop_free(f->loop);
    env_uv_free(f->env);
    mem_free(f);
    return 0;
}

/* ---- messages ---- */

struct poster {
    struct env_loop *loop;
    pthread_t thread;
    int next; /* expected sequence, on the loop */
    int *left;
};

struct post {
    struct env_msg msg;
    struct poster *from;
    int sequence;
};

static void on_post(struct env_msg *m)
{
    struct post *p = container_of(m, struct post, msg);
    assert_true(env_on_loop(p->from->loop));
    assert_int_equal(p->sequence, p->from->next);
    p->from->next++;
    if (--*p->from->left == 0)
        env_loop_stop(p->from->loop);
    mem_free(p);
}

static void *post_many(void *arg)
{
    struct poster *from = arg;
    for (int i = 0; i < POSTS_PER_THREAD; i++) {
        struct post *p = mem_alloc(sizeof(*p));
        p->from = from;
        p->sequence = i;
        env_post(from->loop, &p->msg, on_post);
    }
    return NULL;
}

static void test_posts_from_threads_are_fifo(void **state)
{
    struct fixture *f = *state;
    struct poster posters[POSTERS];
    int left = POSTERS * POSTS_PER_THREAD;
    env_loop_start(f->loop);
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){ .loop = f->loop, .left = &left };
        pthread_create(&posters[i].thread, NULL, post_many, &posters[i]);
    }
    for (int i = 0; i < POSTERS; i++)
        pthread_join(posters[i].thread, NULL);
    env_loop_join(f->loop);
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(posters[i].next, POSTS_PER_THREAD);
    assert_int_equal(left, 0);
    assert_false(env_on_loop(f->loop));
}

struct again {
    struct env_msg msg;
    struct env_loop *loop;
    int runs;
    bool inside;
};

static void on_again(struct env_msg *m)
{
    struct again *a = container_of(m, struct again, msg);
    assert_false(a->inside);
    a->inside = true;
    if (++a->runs < 5)
        env_post(a->loop, &a->msg, on_again);
    else
        env_loop_stop(a->loop);
    a->inside = false;
}

static void test_message_is_posted_again_from_its_run(void **state)
{
    struct fixture *f = *state;
    struct again a = { .loop = f->loop };
    env_post(f->loop, &a.msg, on_again);
    assert_int_equal(a.runs, 0);
    env_loop_run(f->loop);
    assert_int_equal(a.runs, 5);
}

/* ---- timers ---- */

struct timed {
    struct env_timer timer;
    int *order;
    int *count;
    int id;
};

static void on_fire(struct env_timer *t)
{
    struct timed *d = container_of(t, struct timed, timer);
    assert_false(env_timer_active(t));
    d->order[(*d->count)++] = d->id;
    if (d->id == 9)
        env_loop_stop(t->loop);
}

static void test_timers_fire_in_order_once(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint64_t delay_ms;
        int id;
        bool stop;
    } rows[] = {
        { 20, 3, false }, { 0, 1, false }, { 10, 2, false }, { 5, 7, true }, { 30, 9, false }
    };
    enum { N = sizeof(rows) / sizeof(rows[0]) };
    struct timed timers[N];
    int order[N];
    int count = 0;
    for (int i = 0; i < N; i++) {
        timers[i] = (struct timed){ .order = order, .count = &count, .id = rows[i].id };
        env_timer_init(f->loop, &timers[i].timer, on_fire);
        env_timer_start(&timers[i].timer, rows[i].delay_ms);
        assert_true(env_timer_active(&timers[i].timer));
        if (rows[i].stop)
            env_timer_stop(&timers[i].timer);
    }
    assert_int_equal(count, 0);
    uint64_t before = env_now_ns(f->env);
    env_loop_run(f->loop);
    assert_true(env_now_ns(f->env) - before >= 29 * ENV_MS);
    for (int i = 0; i < N; i++)
        env_timer_deinit(&timers[i].timer);
    assert_int_equal(count, 4);
    for (int i = 0; i < 3; i++)
        assert_int_equal(order[i], i + 1);
}

static void test_timer_memory_may_be_reused_after_deinit(void **state)
{
    struct fixture *f = *state;
    struct timed *d = mem_alloc(sizeof(*d));
    env_timer_init(f->loop, &d->timer, on_fire);
    env_timer_start(&d->timer, 0);
    env_timer_deinit(&d->timer);
    env_timer_deinit(&d->timer); /* harmless */
    assert_false(env_timer_active(&d->timer));
    memset(d, 0xA5, sizeof(*d));
    mem_free(d);
}

/* ---- work ---- */

struct job {
    struct env_work work;
    pthread_t ran_on;
    int done;
};

static void do_job(struct env_work *w)
{
    container_of(w, struct job, work)->ran_on = pthread_self();
}

static void job_done(struct env_work *w)
{
    struct job *j = container_of(w, struct job, work);
    assert_true(env_on_loop(w->loop));
    assert_false(pthread_equal(j->ran_on, pthread_self()));
    if (++j->done < 3)
        env_work(w->loop, w, do_job, job_done);
    else
        env_loop_stop(w->loop);
}

static void test_work_runs_on_the_pool(void **state)
{
    struct fixture *f = *state;
    struct job j = { .done = 0 };
    env_work(f->loop, &j.work, do_job, job_done);
    assert_int_equal(j.done, 0);
    env_loop_run(f->loop);
    assert_int_equal(j.done, 3);
}

static void on_late_done(struct env_work *w)
{
    container_of(w, struct job, work)->done++;
}

static void test_free_completes_pending_work(void **state)
{
    struct fixture *f = *state;
    struct env_loop *other = env_loop_new(f->env, "other");
    struct job j = { .done = 0 };
    env_work(other, &j.work, do_job, on_late_done);
    env_loop_free(other);
    assert_int_equal(j.done, 1);
}

/* ---- the rest ---- */

static void on_term(void *ctx, int signal)
{
    struct fixture *f = ctx;
    assert_int_equal(signal, SIGTERM);
    env_loop_stop(f->loop);
}

static void on_raise(struct env_msg *m)
{
    (void)m; /* carries nothing */
    assert_int_equal(raise(SIGTERM), 0);
}

static void test_terminate_signal_reaches_the_loop(void **state)
{
    struct fixture *f = *state;
    struct env_msg m;
    env_on_terminate(f->loop, on_term, f);
    env_post(f->loop, &m, on_raise);
    env_loop_run(f->loop);
}

static void on_name(struct env_msg *m)
{
    struct again *a = container_of(m, struct again, msg);
    char name[16] = "";
    pthread_getname_np(pthread_self(), name, sizeof(name));
    a->runs = strcmp(name, "test") == 0;
    env_loop_stop(a->loop);
}

static void test_thread_has_the_loops_name(void **state)
{
    struct fixture *f = *state;
    struct again a = { .loop = f->loop };
    env_loop_start(f->loop);
    env_post(f->loop, &a.msg, on_name);
    env_loop_join(f->loop);
    assert_int_equal(a.runs, 1);
}

static void test_clock_and_randomness(void **state)
{
    struct fixture *f = *state;
    uint64_t a = env_now_ns(f->env);
    assert_true(env_now_ns(f->env) >= a);
    assert_true(env_wall_ns(f->env) > 1700000000ull * ENV_S);
    assert_true(env_random_u64(f->env) != env_random_u64(f->env));
    assert_true(env_cpus(f->env) >= 1);
    assert_non_null(env_uv_loop(f->loop));
    assert_ptr_equal(env_of(f->loop), f->env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_posts_from_threads_are_fifo, setup, teardown),
        cmocka_unit_test_setup_teardown(test_message_is_posted_again_from_its_run, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timers_fire_in_order_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timer_memory_may_be_reused_after_deinit, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_work_runs_on_the_pool, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_completes_pending_work, setup, teardown),
        cmocka_unit_test_setup_teardown(test_terminate_signal_reaches_the_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_thread_has_the_loops_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clock_and_randomness, setup, teardown)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
