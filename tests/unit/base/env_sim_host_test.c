/* Simulated hosts: deaths at any moment, what peers see, and the same story for the same seed. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

#define RW (ENV_FILE_READ | ENV_FILE_WRITE | ENV_FILE_CREATE)

/* A loop of a host, with whatever a test hangs on it. */
struct member {
    struct env *env;
    struct env_loop *loop;
    struct env_loop *disk_loop;
    struct env_timer timer;
    struct env_msg msg;
    struct env_msg late;
    struct env_msg last;
    bool stopped;
    struct env_work work;
    struct env_connect connect;
    struct env_resolve resolve;
    struct env_listener *listener;
    struct env_stream *stream;
    struct env_file *file;
    struct buf got;
    int ticks;
    int messages;
    int works;
    int done;
    int status;
    int ends;
    int end_status;
    int closed;
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

static void on_message(struct env_msg *msg)
{
    container_of(msg, struct member, msg)->messages++;
}

static void on_tick(struct env_timer *t)
{
    struct member *m = container_of(t, struct member, timer);
    m->ticks++;
    env_timer_start(t, 1);
}

/* ---- deaths ---- */

static void on_data(void *ctx, struct str bytes)
{
    buf_append_str(&((struct member *)ctx)->got, bytes);
}

static void on_end(void *ctx, int status)
{
    struct member *m = ctx;
    m->ends++;
    m->end_status = status;
}

static void on_closed(void *ctx)
{
    struct member *m = ctx;
    m->closed++;
    m->stream = NULL;
}

static const struct env_stream_events events = { on_data, on_end, NULL, on_closed };

static void on_accept(void *ctx, struct env_stream *s)
{
    struct member *m = ctx;
    m->stream = s;
    env_stream_start(s, &events, m);
}

static void on_connected(struct env_connect *c, struct env_stream *s, int status)
{
    struct member *m = container_of(c, struct member, connect);
    m->done++;
    m->status = status;
    m->stream = s;
    if (s != NULL)
        env_stream_start(s, &events, m);
}

static void member_listen(struct member *m, const char *address)
{
    struct err e;
    assert_int_equal(env_listen(m->loop, address, false, on_accept, m, &m->listener, &e), 0);
}

static void link_up(struct env *world, struct member *from, struct member *to, const char *address)
{
    member_listen(to, address);
    env_connect(from->loop, &from->connect, address, 1000, on_connected);
    env_sim_run(world, 20);
    assert_int_equal(from->status, 0);
    assert_non_null(to->stream);
}

static void member_free(struct member *m)
{
    env_listener_close(m->listener);
    env_loop_free(m->loop);
    env_loop_free(m->disk_loop);
    buf_deinit(&m->got);
}

static void on_noted(struct env_msg *msg)
{
    struct member *m = container_of(msg, struct member, late);
    m->heard_at_ns = env_now_ns(m->env);
}

/* Says a word, flushes for long, says another, and tells a third loop. */
static void on_slow(struct env_msg *msg)
{
    struct member *m = container_of(msg, struct member, msg);
    struct err e;
    env_stream_write(m->stream, str_lit("before "));
    assert_int_equal(env_file_sync(m->file, &e), 0);
    env_stream_write(m->stream, str_lit("after"));
    env_post(m->disk_loop, &m->late, on_noted);
    m->flushed_at_ns = env_now_ns(m->env);
}

static void on_quick(struct env_timer *t)
{
    struct member *m = container_of(t, struct member, timer);
    m->ticks++;
    env_post(m->disk_loop, &m->msg, on_message);
}

static void test_what_a_slow_event_sends_leaves_when_it_did(void **state)
{
    (void)state;
    struct env *world = env_sim_new(2);
    struct member a = { 0 };
    struct member b = { 0 };
    member_new(&a, world, "a");
    member_new(&b, world, "b");
    link_up(world, &a, &b, "b:peer");
    member_open(&a);
    env_sim_disk_speed(a.env, 100000, 100000);
    struct member quick = { .env = a.env, .disk_loop = a.disk_loop };
    quick.loop = env_loop_new(a.env, "quick");
    env_loop_start(quick.loop);
    env_timer_init(quick.loop, &quick.timer, on_quick);
    env_timer_start(&quick.timer, 50);
    env_post(a.loop, &a.msg, on_slow);
    env_sim_run(world, 60);
    assert_true(a.flushed_at_ns > 0);
    assert_true(str_eq_c(buf_str(&b.got), "before "));
    assert_int_equal(quick.messages, 1); /* posted later by the program's order, heard earlier */
    assert_int_equal(a.heard_at_ns, 0);
    env_sim_run(world, 60);
    assert_true(str_eq_c(buf_str(&b.got), "before after"));
    assert_true(a.heard_at_ns >= a.flushed_at_ns);
    env_timer_deinit(&quick.timer);
    env_loop_free(quick.loop);
    env_file_close(a.file);
    member_free(&a);
    member_free(&b);
    env_sim_free(world);
}

static void test_a_crash_ends_everything_at_once(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct env *world = env_sim_new(seed);
        struct member a = { 0 };
        struct member b = { 0 };
        member_new(&a, world, "a");
        member_new(&b, world, "b");
        link_up(world, &a, &b, "b:peer");
        env_timer_init(b.loop, &b.timer, on_tick);
        env_timer_start(&b.timer, 1);
        env_stream_write(b.stream, str_lit("last words"));
        env_post(b.loop, &b.msg, on_message);
        if (seed % 2 == 0)
            env_sim_host_crash(b.env);
        else
            env_sim_host_kill(b.env);
        assert_true(list_empty(&b.msg.node)); /* it may be used again */
        env_post(b.loop, &b.msg, on_message);
        env_stream_write(b.stream, str_lit("from beyond"));
        env_stream_write(a.stream, str_lit("hello?"));
        env_sim_run(world, 100);
        assert_int_equal(b.messages + b.ticks + b.ends + b.closed, 0);
        assert_int_equal(b.got.len, 0);
        assert_int_equal(a.ends, 1);
        assert_int_equal(a.end_status, -ERR_UNAVAILABLE);
        assert_true(str_starts(str_lit("last words"), buf_str(&a.got)));
        env_stream_close(a.stream);
        env_connect(a.loop, &a.connect, "b:peer", 1000, on_connected);
        env_sim_run(world, 100);
        assert_int_equal(a.closed, 1);
        assert_int_equal(a.status, -ERR_UNAVAILABLE);
        assert_true(env_sim_faults(world)->refused > 0);
        env_loop_free(b.loop); /* nothing: it goes with the world */
        env_sim_host_restart(b.env);
        struct member again = { .env = b.env };
        again.loop = env_loop_new(b.env, "raft");
        env_loop_start(again.loop);
        link_up(world, &a, &again, "b:peer");
        env_stream_write(a.stream, str_lit("hello again"));
        env_sim_run(world, 100);
        assert_true(str_eq_c(buf_str(&again.got), "hello again"));
        member_free(&a);
        member_free(&again);
        buf_deinit(&b.got);
        env_sim_free(world);
    }
}

static void do_work(struct env_work *w)
{
    container_of(w, struct member, work)->works++;
}

static void on_worked(struct env_work *w)
{
    container_of(w, struct member, work)->works++;
}

static void on_resolved(struct env_resolve *r, int status)
{
    (void)status; /* the dead hear nothing */
    container_of(r, struct member, resolve)->done++;
}

static void on_last(struct env_msg *msg)
{
    struct member *m = container_of(msg, struct member, last);
    struct err e;
    assert_true(env_on_loop(m->disk_loop));
    assert_int_equal(env_file_write(m->env, "/last", str_lit("words"), 0600, &e), 0);
    m->stopped = true;
    env_loop_stop(m->disk_loop);
}

static void on_late(struct env_msg *msg)
{
    container_of(msg, struct member, late)->messages++;
}

/* Every call that there is, by an event whose host dies at its second operation. */
static void on_doomed(struct env_msg *msg)
{
    struct member *m = container_of(msg, struct member, msg);
    struct err e;
    char data[16];
    size_t len;
    uint64_t total;
    uint64_t left;
    struct arena a;
    struct str *names;
    struct env_file *lock;
    arena_init(&a);
    assert_int_equal(env_file_pwrite(m->file, 0, str_lit("first "), &e), 0);
    assert_int_equal(env_file_sync(m->file, &e), 0);
    assert_false(env_sim_host_alive(m->env));
    /* From here on nothing happens, and it does not show. */
    assert_int_equal(env_file_allocate(m->file, 9000, &e), 0);
    assert_int_equal(env_file_truncate(m->file, 0, &e), 0);
    assert_int_equal(env_file_pwrite(m->file, 0, str_lit("first "), &e), 0);
    assert_int_equal(env_file_append(m->file, str_lit("second"), &e), 0);
    assert_int_equal(env_file_sync(m->file, &e), 0);
    assert_int_equal(env_file_pread(m->file, 0, data, sizeof(data), &len, &e), 0);
    assert_true(len == 12 && memcmp(data, "first second", 12) == 0);
    assert_int_equal(env_dir_make(m->env, "/new/dir", 0700, &e), 0);
    assert_int_equal(env_file_write(m->env, "/new/dir/x", str_lit("x"), 0600, &e), 0);
    assert_int_equal(env_path_rename(m->env, "/new/dir/x", "/y", &e), 0);
    assert_int_equal(env_dir_sync(m->env, "/", &e), 0);
    assert_int_equal(env_dir_list(m->env, &a, "/", &names, &len, &e), 0);
    assert_int_equal(env_remove_tree(m->env, "/new", &e), 0);
    assert_int_equal(env_disk_space(m->env, "/", &total, &left, &e), 0);
    assert_int_equal(env_file_lock(m->env, "/lock", &lock, &e), 0);
    env_file_close(lock);
    env_file_close(m->file);
    struct env_loop *loop = env_loop_new(m->env, "late");
    env_loop_start(loop);
    env_post(loop, &m->late, on_late);
    /* The dead may wait for each other. */
    env_post(m->disk_loop, &m->last, on_last);
    env_loop_join(m->disk_loop);
    assert_true(m->stopped);
    env_loop_free(m->disk_loop);
    env_timer_start(&m->timer, 1);
    assert_true(env_timer_active(&m->timer));
    env_timer_stop(&m->timer);
    env_timer_deinit(&m->timer);
    env_timer_init(m->loop, &m->timer, on_tick);
    env_timer_start(&m->timer, 1);
    env_work(m->loop, &m->work, do_work, on_worked);
    env_resolve(m->loop, &m->resolve, "tcp:a:1", on_resolved);
    env_resolve_cancel(&m->resolve);
    env_stream_pause(m->stream);
    env_stream_resume(m->stream);
    env_stream_write(m->stream, str_lit("never sent"));
    assert_int_equal(env_stream_queued(m->stream), 0);
    env_stream_shutdown(m->stream);
    env_stream_close(m->stream);
    env_listener_close(m->listener);
    assert_int_equal(env_listen(m->loop, "b:new", false, on_accept, m, &m->listener, &e), 0);
    env_connect(m->loop, &m->connect, "a:peer", 1000, on_connected);
    env_connect_cancel(&m->connect);
    env_connect(m->loop, &m->connect, "a:peer", 1000, on_connected);
    (void)env_now_ns(m->env); /* any answer will do */
    assert_true(env_on_loop(m->loop));
    arena_deinit(&a);
}

static void test_the_rest_of_an_event_is_harmless(void **state)
{
    (void)state;
    struct env *world = env_sim_new(6);
    struct member a = { 0 };
    struct member b = { 0 };
    member_new(&a, world, "a");
    member_new(&b, world, "b");
    link_up(world, &a, &b, "b:peer");
    member_listen(&a, "a:peer");
    member_open(&b);
    env_timer_init(b.loop, &b.timer, on_tick);
    env_sim_host_crash_after(b.env, 1);
    env_post(b.loop, &b.msg, on_doomed);
    env_sim_run(world, 3000);
    assert_false(env_sim_host_alive(b.env));
    assert_int_equal(b.ticks + b.works + b.done + b.messages + b.closed + b.ends, 0);
    assert_int_equal(a.ends, 1);
    assert_int_equal(a.got.len, 0);
    assert_int_equal(env_sim_faults(world)->crashes, 1);
    uint64_t operations = env_sim_host_operations(b.env);
    env_sim_host_crash(b.env); /* once is enough */
    env_sim_host_restart(b.env);
    assert_int_equal(env_sim_host_operations(b.env), operations);
    assert_int_equal(env_sim_faults(world)->crashes, 1);
    assert_false(env_path_exists(b.env, "/y"));
    assert_false(env_path_exists(b.env, "/lock"));
    assert_false(env_path_exists(b.env, "/last"));
    assert_false(env_path_exists(b.env, "/new"));
    struct member again = { .env = b.env };
    again.loop = env_loop_new(b.env, "raft");
    env_loop_start(again.loop);
    member_listen(&again, "b:new"); /* the dead one's is not in the way */
    member_free(&again);
    member_free(&a);
    buf_deinit(&b.got);
    env_sim_free(world);
}

static void test_rot(void **state)
{
    (void)state;
    struct env *world = env_sim_new(6);
    struct env *env = env_sim_host_new(world, "a");
    struct env_file *f;
    struct err e;
    uint8_t bytes[100];
    uint8_t got[100];
    size_t len;
    memset(bytes, 'x', sizeof(bytes));
    assert_false(env_sim_disk_rot(env, NULL, 0, 100));
    assert_int_equal(env_file_open(env, "/file", RW, 0600, &f, &e), 0);
    assert_int_equal(env_file_pwrite(f, 0, str_of(bytes, sizeof(bytes)), &e), 0);
    assert_int_equal(env_file_sync(f, &e), 0);
    assert_int_equal(env_dir_sync(env, "/", &e), 0);
    assert_false(env_sim_disk_rot(env, "/nothing", 0, 100));
    assert_false(env_sim_disk_rot(env, "/file", 100, 200));
    assert_true(env_sim_disk_rot(env, "/file", 10, 20));
    assert_true(env_sim_disk_rot(env, NULL, 90, UINT64_MAX));
    for (int i = 0; i < 2; i++) { /* in memory, and on the disk */
        assert_int_equal(env_file_pread(f, 0, got, sizeof(got), &len, &e), 0);
        int flipped[2] = { 0 };
        for (size_t at = 0; at < sizeof(got); at++)
            if (got[at] != 'x') {
                assert_int_equal(__builtin_popcount(got[at] ^ 'x'), 1);
                assert_true((at >= 10 && at < 20) || at >= 90);
                flipped[at >= 90]++;
            }
        assert_true(flipped[0] == 1 && flipped[1] == 1);
        env_file_close(f);
        env_sim_host_crash(env);
        env_sim_host_restart(env);
        assert_int_equal(env_file_open(env, "/file", RW, 0600, &f, &e), 0);
    }
    env_file_close(f);
    assert_int_equal(env_sim_faults(world)->rot, 2);
    env_sim_free(world);
}

/* ---- determinism ---- */

static void on_chatter(struct env_timer *t)
{
    struct member *m = container_of(t, struct member, timer);
    struct err e;
    char noise[64]; /* not the seed's: no choice may depend on it */
    (void)snprintf(noise, sizeof(noise), "%048llx", (unsigned long long)(uintptr_t)&noise * 31);
    m->ticks++;
    (void)env_file_append(m->file, str_of(noise, 48), &e); /* some of them are to fail */
    if (m->ticks % 3 == 0)
        (void)env_file_sync(m->file, &e); /* as above */
    if (m->stream != NULL)
        env_stream_write(m->stream, str_of(noise, 48));
    env_timer_start(t, 1 + env_random_u64(m->env) % 5);
}

static void chatter_start(struct member *m)
{
    member_open(m);
    env_timer_init(m->loop, &m->timer, on_chatter);
    env_timer_start(&m->timer, 1);
}

static uint64_t run_story(uint64_t seed, uint64_t *out_size)
{
    struct env *world = env_sim_new(seed);
    struct member a = { 0 };
    struct member b = { 0 };
    struct err e;
    member_new(&a, world, "a");
    member_new(&b, world, "b");
    link_up(world, &a, &b, "b:peer");
    chatter_start(&a);
    chatter_start(&b);
    assert_int_equal(env_dir_sync(b.env, "/", &e), 0);
    env_sim_disk_speed(b.env, 500, 4000);
    env_sim_disk_fail(a.env, ENV_SIM_SYNC, 5);
    env_sim_host_crash_after(b.env, 60);
    env_sim_run(world, 1000);
    assert_false(env_sim_host_alive(b.env));
    env_file_close(b.file);
    env_sim_host_restart(b.env);
    struct member again = { .env = b.env };
    struct env_stat st;
    again.loop = env_loop_new(b.env, "raft");
    env_loop_start(again.loop);
    env_connect(again.loop, &again.connect, "a:none", 1000, on_connected);
    chatter_start(&again);
    env_sim_run(world, 200);
    assert_int_equal(env_file_stat(again.file, &st, &e), 0);
    *out_size = st.size;
    uint64_t digest = env_sim_digest(world);
    env_timer_deinit(&a.timer);
    env_timer_deinit(&again.timer);
    env_file_close(a.file);
    env_file_close(again.file);
    member_free(&a);
    member_free(&again);
    buf_deinit(&b.got);
    env_sim_free(world);
    return digest;
}

static void test_same_seed_same_story(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        uint64_t size[3];
        uint64_t digest = run_story(seed, &size[0]);
        assert_true(digest == run_story(seed, &size[1]));
        assert_true(digest != run_story(seed + 1000, &size[2]));
        assert_int_equal(size[0], size[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_slow_event_sends_leaves_when_it_did),
        cmocka_unit_test(test_a_crash_ends_everything_at_once),
        cmocka_unit_test(test_the_rest_of_an_event_is_harmless), cmocka_unit_test(test_rot),
        cmocka_unit_test(test_same_seed_same_story)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
