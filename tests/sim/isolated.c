/* One seed, and in a process of its own: with a rule off, libraft may crash or never return. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "tests/sim/sim.h"

#define SEED_SECONDS_MAX 60

static void count(const struct sim *s, struct sim_counters *out)
{
    *out = s->counters;
    out->virtual_ms = s->now;
    out->changes = s->changes_count;
    for (unsigned id = 0; id < s->writes_count; id++) {
        out->writes += s->writes[id].state == SIM_WRITE_ACKED;
        out->unknown += s->writes[id].state != SIM_WRITE_ACKED;
    }
}

int sim_run_seed(const struct sim_family *family, uint64_t seed, unsigned rules,
                 char reason[SIM_REASON_BYTES], struct sim_counters *out)
{
    unsigned members = family->members != 0 ? family->members : (seed & 1) != 0 ? 5 : 3;
    struct sim *s = sim_new(seed, members, rules);
    int bad;

    family->run(s);
    if (!sim_bad(s))
        sim_finish(s);
    bad = sim_bad(s) ? 1 : 0;
    memcpy(reason, s->reason, SIM_REASON_BYTES);
    count(s, out);
    sim_free(s);
    return bad;
}

static int run_child(const struct sim_family *family, uint64_t seed, unsigned rules, bool verbose,
                     struct sim_counters *counters)
{
    static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGINT };
    char reason[SIM_REASON_BYTES];

    /* A test framework's handlers would go on with the next test, in the child; and the terminal's
     * interrupt is for the parent, which waits for this one. */
    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        (void)signal(deadly[i], SIG_DFL);
    (void)setpgid(0, 0);
    alarm(SEED_SECONDS_MAX);
    if (sim_run_seed(family, seed, rules, reason, counters) == 0)
        return 0;
    if (verbose)
        printf("bad seed=%llu family=%s: %s\n", (unsigned long long)seed, family->name, reason);
    fflush(stdout);
    return 1;
}

/* What the child of the moment leaves. */
static struct sim_counters *shared(void)
{
    static struct sim_counters *counters;

    if (counters == NULL)
        counters = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                        -1, 0);
    ASSERT(counters != MAP_FAILED);
    return counters;
}

static void add(struct sim_counters *to, const struct sim_counters *from)
{
    uint64_t *sums = (uint64_t *)to;
    const uint64_t *more = (const uint64_t *)from;

    for (size_t i = 0; to != NULL && i < sizeof(*to) / sizeof(*sums); i++)
        sums[i] += more[i];
}

int sim_run_isolated(const struct sim_family *family, uint64_t seed, unsigned rules, bool verbose,
                     struct sim_counters *totals)
{
    struct sim_counters *counters = shared();
    int status = 0;
    pid_t pid;

    *counters = (struct sim_counters){ 0 };
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(run_child(family, seed, rules, verbose, counters));
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 1;
    add(totals, counters);
    if (WIFSIGNALED(status) && verbose)
        printf("bad seed=%llu family=%s: signal %d\n", (unsigned long long)seed, family->name,
               WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
