/* A failed assertion names itself, prints the ring, and aborts; a true one does nothing. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "tests/unit/unit.h"

static void test_failure(void **state)
{
    (void)state;
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(pipe_fds[1], STDERR_FILENO);
        log_trace("last step", KVN("n", 41));
        int apples = 2;
        ASSERT(apples == 3);
        _exit(0);
    }
    (void)close(pipe_fds[1]);
    char text[4096] = "";
    size_t len = 0;
    ssize_t n;
    while ((n = read(pipe_fds[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)n;
    (void)close(pipe_fds[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "assertion failed: apples == 3"));
    assert_non_null(strstr(text, "assert_test.c"));
    assert_non_null(strstr(text, "last step n=41"));
}

static void test_success_and_slow(void **state)
{
    (void)state;
    int evaluated = 0;
    ASSERT(++evaluated == 1);
    ASSERT_SLOW(evaluated == 99); /* not compiled in here */
    assert_int_equal(evaluated, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_failure),
                                        cmocka_unit_test(test_success_and_slow) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
