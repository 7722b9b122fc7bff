/* Time in the simulated world: what calls on a disk take, whom they hold up, and hosts' clocks. */
#include "base/arena.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

#define RW (ENV_FILE_READ | ENV_FILE_WRITE | ENV_FILE_CREATE)

/* Two loops of a host, with whatever a test hangs on them. */
struct member {
    struct env *env;
    struct env_loop *loop;
    struct env_loop *disk_loop;
    struct env_timer timer;
    struct env_msg msg;
    struct env_msg late;
    struct env_work work;
    struct env_file *file;
    int ticks;
    int messages;
    int works;
    int done;
    uint64_t flushed_at_ns;
    uint64_t heard_at_ns;
};

static void member_new(struct member *m, struct env *world, const char *name)
{
    m->env = env_sim_host_new(world, name);
    m->loop = env_loop_new(m->env, "raft");
    m->disk_loop = env_loop_new(m->env, "log");
    env_loop_start(m->loop);
    env_loop_start(m->disk_loop);
}

static void member_open(struct member *m)
{
    struct err e;
    assert_int_equal(env_file_open(m->env, "/file", RW, 0600, &m->file, &e), 0);
}

static void on_tick(struct env_timer *t)
{
    struct member *m = container_of(t, struct member, timer);
    m->ticks++;
    env_timer_start(t, 1);
}

static void on_flushed(struct env_msg *msg)
{
    struct member *m = container_of(msg, struct member, late);
    assert_true(env_on_loop(m->loop));
    m->heard_at_ns = env_now_ns(m->env);
}

static void on_flush(struct env_msg *msg)
{
    struct member *m = container_of(msg, struct member, msg);
    struct err e;
    uint64_t before_ns = env_now_ns(m->env);
    assert_int_equal(env_file_append(m->file, str_lit("bytes"), &e), 0);
    assert_int_equal(env_file_sync(m->file, &e), 0);
    m->flushed_at_ns = env_now_ns(m->env);
    assert_in_range(m->flushed_at_ns - before_ns, 40 * ENV_MS, 51 * ENV_MS);
    env_post(m->loop, &m->late, on_flushed);
}

static void on_after_flush(struct env_msg *msg)
{
    struct member *m = container_of(msg, struct member, late);
    assert_true(env_now_ns(m->env) >= m->flushed_at_ns);
    m->messages++;
}

static void test_a_flush_takes_its_time_on_its_loop(void **state)
{
    (void)state;
    struct env *world = env_sim_new(2);
    struct member m = { 0 };
    struct member other = { 0 };
    member_new(&m, world, "m1");
    other.env = m.env;
    member_open(&m);
    env_sim_disk_speed(m.env, 40000, 50000);
    env_timer_init(m.loop, &m.timer, on_tick);
    env_timer_start(&m.timer, 1);
    env_post(m.disk_loop, &m.msg, on_flush);
    other.flushed_at_ns = env_now_ns(m.env) + 40 * ENV_MS;
    env_post(m.disk_loop, &other.late, on_after_flush);
    env_sim_run(world, 30);
    assert_true(m.flushed_at_ns > 0); /* it is under way */
    assert_int_equal(m.heard_at_ns, 0);
    assert_int_equal(other.messages, 0);
    assert_in_range(m.ticks, 25, 30); /* the other loop goes on */
    env_sim_run(world, 30);
    assert_true(m.heard_at_ns >= m.flushed_at_ns);
    assert_true(m.heard_at_ns < m.flushed_at_ns + ENV_MS);
    assert_int_equal(other.messages, 1);
    env_sim_disk_stall(m.env, 500);
    env_sim_disk_speed(m.env, 0, 0);
    env_loop_stop(m.disk_loop);
    env_file_close(m.file);
    env_timer_deinit(&m.timer);
    env_loop_free(m.loop);
    env_loop_free(m.disk_loop);
    env_sim_free(world);
}

static void on_stalled(struct env_msg *msg)
{
    struct member *m = container_of(msg, struct member, msg);
    struct err e;
    uint64_t before_ns = env_now_ns(m->env);
    assert_int_equal(env_file_sync(m->file, &e), 0);
    assert_true(env_now_ns(m->env) - before_ns >= 500 * ENV_MS);
    before_ns = env_now_ns(m->env);
    assert_int_equal(env_file_sync(m->file, &e), 0);
    assert_true(env_now_ns(m->env) - before_ns < ENV_MS);
    m->messages++;
}

static void flush_on_pool(struct env_work *w)
{
    struct member *m = container_of(w, struct member, work);
    struct err e;
    assert_int_equal(env_file_sync(m->file, &e), 0);
}

static void on_pool_flushed(struct env_work *w)
{
    struct member *m = container_of(w, struct member, work);
    m->flushed_at_ns = env_now_ns(m->env);
    m->works = m->ticks;
}

static void test_the_pool_does_not_stop_its_loop(void **state)
{
    (void)state;
    struct env *world = env_sim_new(2);
    struct member m = { 0 };
    member_new(&m, world, "m1");
    member_open(&m);
    env_sim_disk_speed(m.env, 100000, 100000);
    env_timer_init(m.loop, &m.timer, on_tick);
    env_timer_start(&m.timer, 1);
    uint64_t before_ns = env_now_ns(m.env);
    env_work(m.loop, &m.work, flush_on_pool, on_pool_flushed);
    env_sim_run(world, 150);
    assert_true(m.flushed_at_ns - before_ns >= 100 * ENV_MS);
    assert_true(m.works > 90); /* ticks, meanwhile */
    env_timer_deinit(&m.timer);
    env_file_close(m.file);
    env_loop_free(m.loop);
    env_loop_free(m.disk_loop);
    env_sim_free(world);
}

static void on_last_tick(struct env_timer *t)
{
    env_loop_stop(t->loop);
}

static void stop_self(struct env_msg *msg)
{
    struct member *m = container_of(msg, struct member, late);
    m->messages++;
    env_loop_stop(m->disk_loop);
}

static void on_join(struct env_msg *msg)
{
    struct member *m = container_of(msg, struct member, msg);
    uint64_t before_ns = env_now_ns(m->env);
    env_loop_start(m->disk_loop);
    env_post(m->disk_loop, &m->late, stop_self);
    env_loop_join(m->disk_loop);
    assert_true(env_on_loop(m->loop));
    assert_true(env_now_ns(m->env) - before_ns >= 500 * ENV_MS);
    assert_int_equal(m->messages, 1);
    m->done++;
}

/* A loop may wait for another one to end: what that one still does is part of the waiting. */
static void test_join_runs_what_is_left(void **state)
{
    (void)state;
    struct env *world = env_sim_new(2);
    struct member m = { .env = env_sim_host_new(world, "m1") };
    m.loop = env_loop_new(m.env, "raft");
    m.disk_loop = env_loop_new(m.env, "log");
    env_loop_start(m.loop);
    member_open(&m);
    env_sim_disk_stall(m.env, 500);
    struct member waiter = m;
    env_post(m.disk_loop, &m.msg, on_stalled);
    env_post(m.loop, &waiter.msg, on_join);
    env_sim_run(world, 100);
    assert_true(m.messages == 1 && waiter.done == 1);
    assert_int_equal(env_sim_faults(world)->stalls, 1);
    env_file_close(m.file);
    env_loop_free(m.loop);
    env_loop_free(m.disk_loop);
    /* Nobody's event: the clock of the world moves on. */
    m.disk_loop = env_loop_new(m.env, "log");
    env_loop_start(m.disk_loop);
    env_timer_init(m.disk_loop, &m.timer, on_last_tick);
    env_timer_start(&m.timer, 70);
    uint64_t before_ns = env_now_ns(world);
    env_loop_join(m.disk_loop);
    assert_true(env_now_ns(world) - before_ns >= 70 * ENV_MS);
    env_timer_deinit(&m.timer);
    env_loop_free(m.disk_loop);
    env_sim_free(world);
}

static void test_clocks(void **state)
{
    (void)state;
    struct env *world = env_sim_new(2);
    struct member m = { 0 };
    member_new(&m, world, "m1");
    uint64_t start_ns = env_now_ns(world);
    uint64_t wall_ns = env_wall_ns(m.env);
    assert_int_equal(wall_ns, env_wall_ns(world));
    env_sim_host_wall_jump(m.env, -3600000);
    assert_int_equal(env_wall_ns(m.env), wall_ns - 3600 * ENV_S);
    assert_int_equal(env_now_ns(m.env), env_now_ns(world));
    env_sim_host_clock_rate(m.env, 100000); /* a tenth fast */
    env_timer_init(m.loop, &m.timer, on_tick);
    env_timer_start(&m.timer, 1100);
    env_sim_run(world, 999);
    assert_int_equal(m.ticks, 0);
    env_sim_run(world, 2);
    assert_true(m.ticks > 0);
    uint64_t passed_ns = env_now_ns(world) - start_ns;
    assert_int_equal(env_now_ns(m.env) - start_ns, passed_ns + passed_ns / 10);
    env_sim_host_clock_rate(m.env, 0);
    uint64_t lead_ns = env_now_ns(m.env) - env_now_ns(world);
    env_sim_run(world, 100);
    assert_int_equal(env_now_ns(m.env) - env_now_ns(world), lead_ns);
    env_timer_deinit(&m.timer);
    env_loop_free(m.loop);
    env_loop_free(m.disk_loop);
    env_sim_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_flush_takes_its_time_on_its_loop),
                                        cmocka_unit_test(test_the_pool_does_not_stop_its_loop),
                                        cmocka_unit_test(test_join_runs_what_is_left),
                                        cmocka_unit_test(test_clocks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
