/* One seed in a process of its own: with a rule off, libraft may crash or never return. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/sim.h"

#define SEED_SECONDS_MAX 60

static int run_child(const struct sim_family *family, uint64_t seed, unsigned rules, bool verbose)
{
    static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    char reason[SIM_REASON_BYTES];

    /* A test framework's handlers would go on with the next test, in the child. */
    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        (void)signal(deadly[i], SIG_DFL);
    alarm(SEED_SECONDS_MAX);
    if (sim_run_seed(family, seed, rules, reason) == 0)
        return 0;
    if (verbose)
        printf("bad seed=%llu family=%s: %s\n", (unsigned long long)seed, family->name, reason);
    fflush(stdout);
    return 1;
}

int sim_run_isolated(const struct sim_family *family, uint64_t seed, unsigned rules, bool verbose)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(run_child(family, seed, rules, verbose));
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 1;
    if (WIFSIGNALED(status) && verbose)
        printf("bad seed=%llu family=%s: signal %d\n", (unsigned long long)seed, family->name,
               WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
