/*
 * cluster --seeds N [--from S] [--family F] [--jobs J] [--verbose] [--twice]
 *
 * Seed s runs family s modulo their number, unless one is named. Each seed runs in a process of its
 * own, J at a time (default: one a processor). Prints each bad seed with its family and reason,
 * what was done and which faults happened, summed over the seeds, then one line: sim seeds=N ok=N
 * bad=N. Exit status 1 when any was bad, or too many histories could not be decided. --verbose:
 * what the members log. --twice: every seed runs again, and its trace must be the same. On a
 * terminal a line says how far it is; SIGINT and SIGTERM end it early, with the sums so far and
 * where to go on.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/cluster.h"
#include "tests/sim/totals.h"

/* Of a seed: CPU time, so that a busy or stopped machine fails none; and by the clock, for one that
 * waits for ever. */
#define SEED_CPU_SECONDS_MAX 120
#define SEED_SECONDS_MAX     3600
#define TOO_HARD_PERCENT_MAX 1 /* of the seeds: their histories were not decided */
#define JOBS_MAX             64

struct options {
    const struct cluster_family *family;
    uint64_t seeds;
    uint64_t from;
    unsigned jobs;
    bool verbose;
    bool twice;
};

/* What children leave, each in its own slot. */
struct outcome {
    pid_t pid;
    uint64_t seed;
    int run; /* 0, and 1 with --twice */
    uint64_t digest;
    struct cluster_counters counters;
    char reason[CLUSTER_REASON_BYTES];
};

struct totals {
    struct cluster_counters counters;
    uint64_t ok;
    uint64_t bad;
};

static int usage(void)
{
    fprintf(stderr, "usage: cluster --seeds N [--from S] [--family F] [--jobs J] [--verbose] "
                    "[--twice]\nfamilies:\n");
    for (size_t i = 0; i < cluster_families_count; i++)
        fprintf(stderr, "  %-10s %s\n", cluster_families[i].name, cluster_families[i].about);
    return 2;
}

static bool parse(int argc, char **argv, struct options *out)
{
    *out = (struct options){ .from = 1 };
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--verbose") == 0) {
            out->verbose = true;
            continue;
        }
        if (strcmp(argv[i], "--twice") == 0) {
            out->twice = true;
            continue;
        }
        if (value == NULL)
            return false;
        if (strcmp(argv[i], "--seeds") == 0)
            out->seeds = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--from") == 0)
            out->from = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--jobs") == 0)
            out->jobs = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--family") == 0)
            out->family = cluster_family_named(value);
        else
            return false;
        if (strcmp(argv[i], "--family") == 0 && out->family == NULL)
            return false;
        i++;
    }
    if (out->jobs == 0)
        out->jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    if (out->jobs == 0 || out->jobs > JOBS_MAX)
        out->jobs = JOBS_MAX;
    return out->seeds > 0;
}

static const struct cluster_family *family_of(const struct options *o, uint64_t seed)
{
    return o->family != NULL ? o->family : &cluster_families[seed % cluster_families_count];
}

static void start_child(const struct options *o, struct outcome *slot, uint64_t seed)
{
    pid_t pid;

    *slot = (struct outcome){ .seed = seed };
    fflush(stdout);
    pid = fork();
    if (pid != 0) {
        slot->pid = pid;
        return;
    }
    (void)setpgid(0, 0); /* the terminal's interrupt is for the parent, which waits for this one */
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)setrlimit(RLIMIT_CPU, &(struct rlimit){ SEED_CPU_SECONDS_MAX, SEED_CPU_SECONDS_MAX + 1 });
    alarm(SEED_SECONDS_MAX);
    _exit(cluster_run_seed(family_of(o, seed), seed, o->verbose, slot->reason, &slot->counters,
                           &slot->digest));
}

static void add(struct cluster_counters *to, const struct cluster_counters *from)
{
    uint64_t *sums = (uint64_t *)to;
    const uint64_t *more = (const uint64_t *)from;

    for (size_t i = 0; i < sizeof(*to) / sizeof(*sums); i++)
        sums[i] += more[i];
}

static void end_child(const struct options *o, struct outcome *slot, int status, struct totals *t)
{
    const char *family = family_of(o, slot->seed)->name;

    slot->pid = 0;
    add(&t->counters, &slot->counters);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        t->ok++;
        return;
    }
    t->bad++;
    if (WIFSIGNALED(status))
        printf("bad seed=%llu family=%s: %s\n", (unsigned long long)slot->seed, family,
               WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU
                   ? "it takes too long"
                   : strsignal(WTERMSIG(status)));
    else
        printf("bad seed=%llu family=%s: %s\n", (unsigned long long)slot->seed, family,
               slot->reason);
}

static void wait_child(const struct options *o, struct outcome *slots, struct totals *t)
{
    int status;
    pid_t pid = wait(&status);

    for (unsigned i = 0; i < o->jobs; i++)
        if (slots[i].pid != 0 && slots[i].pid == pid)
            end_child(o, &slots[i], status, t);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%llu of %llu seeds, %llu bad ", (unsigned long long)(t->ok + t->bad),
                (unsigned long long)o->seeds, (unsigned long long)t->bad);
}

static struct outcome *free_slot(const struct options *o, struct outcome *slots)
{
    for (unsigned i = 0; i < o->jobs; i++)
        if (slots[i].pid == 0)
            return &slots[i];
    return NULL;
}

static bool any_runs(const struct options *o, const struct outcome *slots)
{
    for (unsigned i = 0; i < o->jobs; i++)
        if (slots[i].pid != 0)
            return true;
    return false;
}

/* One seed in two processes, one after the other: equal traces? */
static void run_twice(const struct options *o, struct outcome *slots, uint64_t seed,
                      struct totals *t)
{
    uint64_t digests[2];

    for (int run = 0; run < 2; run++) {
        int status = 0;

        start_child(o, slots, seed);
        (void)waitpid(slots->pid, &status, 0);
        digests[run] = slots->digest;
        if (run == 1 && digests[0] != digests[1]) {
            printf("seed=%llu: its traces differ\n", (unsigned long long)seed);
            status = 1 << 8;
        }
        if (run == 1)
            end_child(o, slots, status, t);
    }
}

static void print_totals(const struct totals *t)
{
    const struct cluster_counters *c = &t->counters;
    const struct totals_row rows[] = { { "virtual seconds", c->virtual_ms / 1000 },
                                       { "events", c->events },
                                       { "leaders", c->leaders },
                                       { "writes", c->writes_ok },
                                       { "conflicts", c->writes_conflict },
                                       { "unknown outcomes", c->writes_unknown },
                                       { "replayed", c->writes_replayed },
                                       { "reads", c->reads_ok },
                                       { "reads failed", c->reads_failed },
                                       { "appends", c->appends },
                                       { "watch events", c->watch_events },
                                       { "watches expired", c->watch_expired },
                                       { "lists", c->lists },
                                       { "lists expired", c->lists_expired },
                                       { "reads expired", c->reads_expired },
                                       { "histories undecided", c->too_hard },
                                       { "starts", c->starts },
                                       { "starts refused", c->refused },
                                       { "stops", c->stops },
                                       { "gave up", c->gave_up },
                                       { "copies installed", c->installs },
                                       { "states diverged", c->diverged },
                                       { "quarantined", c->quarantined },
                                       { "members added", c->added },
                                       { "members removed", c->removed },
                                       { "machines lost", c->wipes },
                                       { "cuts", c->partitions },
                                       { "clock changes", c->jumps },
                                       { "loops stalled", c->pauses },
                                       { "power losses", c->faults.crashes },
                                       { "kills", c->faults.kills },
                                       { "torn sectors", c->faults.torn_sectors },
                                       { "lost writes", c->faults.lost_writes },
                                       { "lost names", c->faults.lost_names },
                                       { "I/O errors", c->faults.io_errors },
                                       { "no space", c->faults.full },
                                       { "waits for room", c->held },
                                       { "of the state's", c->starved },
                                       { "rot", c->faults.rot },
                                       { "stalls", c->faults.stalls },
                                       { "connections held", c->faults.cuts },
                                       { "connections reset", c->faults.resets },
                                       { "connections refused", c->faults.refused } };

    totals_print(rows, sizeof(rows) / sizeof(rows[0]));
}

/* Histories that the checker could not decide prove nothing: more than a few are bad. */
static bool too_many_undecided(const struct totals *t)
{
    uint64_t seeds = t->ok + t->bad;
    uint64_t undecided = t->counters.too_hard;

    if (undecided <= 1 || undecided * 100 <= seeds * TOO_HARD_PERCENT_MAX)
        return false;
    printf("bad: %llu of %llu histories are undecided\n", (unsigned long long)undecided,
           (unsigned long long)seeds);
    return true;
}

int main(int argc, char **argv)
{
    struct options o;
    struct totals t = { 0 };
    struct outcome *slots;
    bool undecided;
    uint64_t seed;

    if (!parse(argc, argv, &o))
        return usage();
    totals_catch_signals();
    slots = mmap(NULL, JOBS_MAX * sizeof(*slots), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (slots == MAP_FAILED)
        return 1;
    for (seed = o.from; seed < o.from + o.seeds && !totals_ended(); seed++) {
        if (o.twice) {
            run_twice(&o, slots, seed, &t);
            continue;
        }
        if (free_slot(&o, slots) == NULL)
            wait_child(&o, slots, &t);
        start_child(&o, free_slot(&o, slots), seed);
    }
    while (any_runs(&o, slots))
        wait_child(&o, slots, &t);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r");
    print_totals(&t);
    undecided = too_many_undecided(&t);
    totals_print_end(o.from, seed, o.seeds, t.bad);
    return t.bad == 0 && !undecided ? 0 : 1;
}
