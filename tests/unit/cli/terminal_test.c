/* Reading what loops do not know, and putting a terminal back. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/env_uv.h"
#include "base/err.h"
#include "cli/terminal.h"
#include "tests/unit/unit.h"

/* A child that a signal should end lives no longer. */
#define ALIVE_S 10

struct typed {
    struct env *env;
    struct terminal_input t;
    struct buf got;
    int ends;
    int resizes;
};

static void on_bytes(struct terminal_input *t, struct str bytes)
{
    buf_append_str(&((struct typed *)t->user)->got, bytes);
}

static void on_end(struct terminal_input *t)
{
    struct typed *r = t->user;
    r->ends++;
    (void)raise(SIGWINCH);
}

static void on_resized(struct terminal_input *t)
{
    struct typed *r = t->user;
    r->resizes++;
    terminal_input_stop(t);
    terminal_input_stop(t); /* a second time: nothing */
}

static void on_stopped(struct terminal_input *t)
{
    env_loop_stop(t->loop);
}

static void read_from(struct typed *r, int fd)
{
    *r = (struct typed){ .env = env_uv_new() };
    r->t.loop = env_loop_new(r->env, "reader");
    r->t.fd = fd;
    r->t.bytes = on_bytes;
    r->t.end = on_end;
    r->t.resized = on_resized;
    r->t.stopped = on_stopped;
    r->t.user = r;
    buf_init(&r->got);
}

static void run(struct typed *r)
{
    env_loop_run(r->t.loop);
    env_loop_free(r->t.loop);
    env_uv_free(r->env);
}

static void test_input(void **state)
{
    struct typed r;
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    read_from(&r, ends[0]);
    assert_int_equal(write(ends[1], "hello", 5), 5);
    close(ends[1]);
    assert_int_equal(terminal_input_start(&r.t, NULL), 0);
    run(&r);
    assert_true(str_eq_c(buf_str(&r.got), "hello"));
    assert_int_equal(r.ends, 1);
    assert_int_equal(r.resizes, 1);
    close(ends[0]);
    buf_deinit(&r.got);
}

/* Nothing ever comes, and nothing is read while paused: it stops all the same. */
static void test_stop(void **state)
{
    struct typed r;
    int ends[2];
    (void)state;
    for (int paused = 0; paused < 2; paused++) {
        assert_int_equal(pipe(ends), 0);
        read_from(&r, paused != 0 ? ends[0] : -1);
        r.t.paused = paused != 0;
        assert_int_equal(write(ends[1], "x", 1), 1);
        assert_int_equal(terminal_input_start(&r.t, NULL), 0);
        terminal_input_stop(&r.t);
        run(&r);
        assert_int_equal(r.got.len, 0);
        assert_int_equal(r.ends, 0);
        close(ends[0]);
        close(ends[1]);
        buf_deinit(&r.got);
    }
}

static int open_terminal(int *out_leader)
{
    *out_leader = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(*out_leader >= 0);
    assert_int_equal(grantpt(*out_leader), 0);
    assert_int_equal(unlockpt(*out_leader), 0);
    int follower = open(ptsname(*out_leader), O_RDWR | O_NOCTTY);
    assert_true(follower >= 0);
    return follower;
}

static bool is_raw(int fd)
{
    struct termios t;
    assert_int_equal(tcgetattr(fd, &t), 0);
    return (t.c_lflag & ICANON) == 0;
}

static void test_raw(void **state)
{
    int leader;
    int fd = open_terminal(&leader);
    uint16_t columns;
    uint16_t rows;
    struct winsize size = { .ws_col = 120, .ws_row = 40 };
    (void)state;
    assert_true(terminal_is(fd));
    assert_false(terminal_size(fd, &columns, &rows));
    assert_int_equal(ioctl(leader, TIOCSWINSZ, &size), 0);
    assert_true(terminal_size(fd, &columns, &rows));
    assert_int_equal(columns, 120);
    assert_int_equal(rows, 40);
    assert_false(is_raw(fd));
    assert_int_equal(terminal_raw(fd, NULL), 0);
    assert_true(is_raw(fd));
    assert_true(terminal_is_raw());
    terminal_restore();
    assert_false(is_raw(fd));
    assert_false(terminal_is_raw());
    terminal_restore();
    close(fd);
    close(leader);
    int null = open("/dev/null", O_RDONLY);
    assert_false(terminal_is(null));
    assert_int_equal(terminal_raw(null, NULL), -ERR_IO);
    close(null);
}

/* Whatever ends the process. */
static void test_deadly_signals(void **state)
{
    static const int deadly[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV };
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* its runtime puts signals off, those that a handler raises for good */
#endif
    int leader;
    int fd = open_terminal(&leader);
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            if (terminal_raw(fd, NULL) != 0 || !is_raw(fd))
                _exit(1);
            (void)alarm(ALIVE_S); /* a signal of its own, if the one raised does not end it */
            (void)raise(deadly[i]);
            (void)pause();
            _exit(2);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), deadly[i]);
        assert_false(is_raw(fd));
    }
    close(fd);
    close(leader);
}

static void test_write(void **state)
{
    int ends[2];
    char bytes[8] = { 0 };
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_true(terminal_write(ends[1], str_lit("abc")));
    assert_int_equal(read(ends[0], bytes, sizeof bytes), 3);
    close(ends[0]);
    (void)signal(SIGPIPE, SIG_IGN);
    assert_false(terminal_write(ends[1], str_lit("abc")));
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_input), cmocka_unit_test(test_stop),
                                        cmocka_unit_test(test_raw),
                                        cmocka_unit_test(test_deadly_signals),
                                        cmocka_unit_test(test_write) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
