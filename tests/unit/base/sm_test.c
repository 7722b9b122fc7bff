/* State machines: legal walks, and each misuse dies. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/list.h"
#include "base/sm.h"
#include "tests/unit/unit.h"

enum { S_START, S_WAIT, S_WORK, S_END };

struct op {
    struct sm sm;
    int works;
    int go; /* what S_START answers */
    struct op **freed;
};

static int run_start(struct sm *m)
{
    return container_of(m, struct op, sm)->go;
}

static int run_wait(struct sm *m)
{
    (void)m; /* nothing to submit: the test resumes */
    return SM_AWAIT(S_WORK);
}

static int run_work(struct sm *m)
{
    struct op *o = container_of(m, struct op, sm);
    o->works++;
    if (m->status == 0)
        return S_END;
    if (m->status == -2)
        return SM_DONE;
    return S_WAIT;
}

static const struct sm_state states[] = { [S_START] = { "start", TO(S_WAIT), run_start },
                                          [S_WAIT] = { "wait", TO(S_WORK), run_wait },
                                          [S_WORK] = { "work", TO(S_WAIT) | TO(S_END), run_work },
                                          [S_END] = { "end", 0, NULL } };

static void test_walk(void **state)
{
    (void)state;
    struct op o = { .go = S_WAIT };
    sm_init(&o.sm, "test", states, S_START);
    sm_run(&o.sm);
    assert_int_equal(o.sm.state, S_WAIT);
    assert_false(sm_done(&o.sm));
    sm_resume(&o.sm, -1); /* a failure: tries again */
    assert_int_equal(o.sm.state, S_WAIT);
    sm_resume(&o.sm, 0);
    assert_int_equal(o.works, 2);
    assert_true(sm_done(&o.sm));
}

static void test_done_leaves_the_machine_alone(void **state)
{
    (void)state;
    struct op o = { .go = S_WAIT };
    sm_init(&o.sm, "test", states, S_START);
    sm_run(&o.sm);
    sm_resume(&o.sm, -2);
    assert_int_equal(o.works, 1);
    assert_true(o.sm.running); /* not even this was touched after SM_DONE */
}

static void illegal_edge(void)
{
    struct op o = { .go = S_END };
    sm_init(&o.sm, "test", states, S_START);
    sm_run(&o.sm);
}

static void illegal_await(void)
{
    struct op o = { .go = SM_AWAIT(S_END) };
    sm_init(&o.sm, "test", states, S_START);
    sm_run(&o.sm);
}

static void resume_without_waiting(void)
{
    struct op o = { .go = S_WAIT };
    sm_init(&o.sm, "test", states, S_START);
    sm_resume(&o.sm, 0);
}

static void resume_after_the_end(void)
{
    struct op o = { .go = S_WAIT };
    sm_init(&o.sm, "test", states, S_START);
    sm_run(&o.sm);
    sm_resume(&o.sm, 0);
    sm_resume(&o.sm, 0);
}

static void run_twice(void)
{
    struct op o = { .go = S_WAIT };
    sm_init(&o.sm, "test", states, S_START);
    sm_run(&o.sm);
    sm_run(&o.sm);
}

static void test_misuse_dies(void **state)
{
    (void)state;
    static void (*const misuses[])(void) = { illegal_edge, illegal_await, resume_without_waiting,
                                             resume_after_the_end, run_twice };
    for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)signal(SIGABRT, SIG_DFL);
            (void)close(STDERR_FILENO);
            misuses[i]();
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("misuse %zu was accepted", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_walk),
                                        cmocka_unit_test(test_done_leaves_the_machine_alone),
                                        cmocka_unit_test(test_misuse_dies) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
