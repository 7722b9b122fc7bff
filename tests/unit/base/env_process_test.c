/* Child processes: exit codes, signals, output, environment, and starts that fail. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "tests/unit/unit.h"

struct fixture {
    struct env *env;
    struct env_loop *loop;
    struct env_process process;
    int exits;
    int exit_code;
    int signal;
};

static void on_exited(struct env_process *p, int exit_code, int signal)
{
    struct fixture *f = container_of(p, struct fixture, process);
    f->exits++;
    f->exit_code = exit_code;
    f->signal = signal;
    env_loop_stop(f->loop);
}

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

static void start(struct fixture *f, const char *script, const struct env_spawn *more)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    struct env_spawn spawn = more != NULL ? *more : (struct env_spawn){ 0 };
    spawn.argv = argv;
    struct err e;
    if (env_process_start(f->loop, &f->process, &spawn, on_exited, &e) != 0)
        fail_msg("%s", e.msg);
    assert_true(f->process.pid > 0);
}

static void test_exit_code(void **state)
{
    struct fixture *f = *state;
    start(f, "exit 7", NULL);
    env_loop_run(f->loop);
    assert_int_equal(f->exits, 1);
    assert_int_equal(f->exit_code, 7);
    assert_int_equal(f->signal, 0);
    assert_int_equal(env_process_kill(&f->process, SIGKILL), -ERR_NOT_FOUND);
}

static void test_signal(void **state)
{
    struct fixture *f = *state;
    const struct env_spawn detached = { .detach = true };
    start(f, "exec sleep 60", &detached);
    assert_int_equal(env_process_kill(&f->process, SIGKILL), 0);
    env_loop_run(f->loop);
    assert_int_equal(f->exit_code, 0);
    assert_int_equal(f->signal, SIGKILL);
}

static void test_output_and_environment(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/env-process-XXXXXX";
    (void)close(mkstemp(path));
    const char *const environment[] = { "GREETING=hello", "PATH=/usr/bin:/bin", NULL };
    const struct env_spawn spawn = { .env = environment, .output_path = path };
    start(f, "echo $GREETING; echo err >&2; cat; echo \"${HOME:-none}\"", &spawn);
    env_loop_run(f->loop);
    struct arena a;
    struct str got;
    struct err e;
    arena_init(&a);
    assert_int_equal(env_file_read(f->env, &a, path, 1000, &got, &e), 0);
    assert_true(str_eq_c(got, "hello\nerr\nnone\n"));
    arena_deinit(&a);
    (void)unlink(path);
}

static void test_starts_that_fail(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = { "/no/such/program", NULL };
    const struct env_spawn missing = { .argv = argv };
    const struct env_spawn unwritable = { .argv = argv, .output_path = "/no/such/folder/x" };
    struct err e;
    assert_int_equal(env_process_start(f->loop, &f->process, &missing, on_exited, &e),
                     -ERR_NOT_FOUND);
    assert_non_null(strstr(e.msg, "/no/such/program"));
    assert_int_equal(env_process_start(f->loop, &f->process, &unwritable, on_exited, &e),
                     -ERR_NOT_FOUND);
}

static void test_forgotten_process_reports_nothing(void **state)
{
    struct fixture *f = *state;
    start(f, "exit 0", NULL);
    env_process_forget(&f->process);
    env_process_forget(&f->process); /* harmless */
    assert_int_equal(f->exits, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_exit_code), T(test_signal),
                                        T(test_output_and_environment), T(test_starts_that_fail),
                                        T(test_forgotten_process_reports_nothing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
