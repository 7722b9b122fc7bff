/*
 * cluster_faults [--programs FOLDER] [--logs FOLDER] [--seed N] [--seconds N] [--members N]
 *                [--stale-reads] [--lying-disks] [--must-be-found] [SCENARIO]...
 *
 * Runs each scenario (all, when none is named) in a process of its own: a run that ends badly takes
 * its namespaces and members with it. --seconds: how long faults go on in each.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fault/scenario.h"

#define SECONDS_DEFAULT 10
#define NAMES_MAX       16

static const char usage[] =
    "usage: cluster_faults [--programs FOLDER] [--logs FOLDER] [--seed N] [--seconds N] "
    "[--members 3..5]\n                      [--stale-reads] [--lying-disks] [--must-be-found] "
    "[SCENARIO]...\n";

struct arguments {
    struct scenario_options options;
    const char *names[NAMES_MAX];
    size_t names_count;
};

static bool parse_switch(struct arguments *a, const char *word)
{
    if (strcmp(word, "--stale-reads") == 0)
        a->options.stale_reads = true;
    else if (strcmp(word, "--lying-disks") == 0)
        a->options.lying_disks = true;
    else if (strcmp(word, "--must-be-found") == 0)
        a->options.must_be_found = true;
    else
        return false;
    return true;
}

static bool parse_value(struct arguments *a, const char *flag, const char *value)
{
    if (strcmp(flag, "--programs") == 0)
        a->options.programs = value;
    else if (strcmp(flag, "--logs") == 0)
        a->options.logs = value;
    else if (strcmp(flag, "--seed") == 0)
        a->options.seed = strtoull(value, NULL, 10);
    else if (strcmp(flag, "--seconds") == 0)
        a->options.faults_ms = strtoull(value, NULL, 10) * 1000;
    else if (strcmp(flag, "--members") == 0)
        a->options.members = (unsigned)strtoul(value, NULL, 10);
    else
        return false;
    return true;
}

static bool parse(struct arguments *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            if (a->names_count == NAMES_MAX)
                return false;
            a->names[a->names_count++] = argv[i];
        } else if (!parse_switch(a, argv[i])) {
            if (i + 1 == argc || !parse_value(a, argv[i], argv[i + 1]))
                return false;
            i++;
        }
    }
    return a->options.members <= CLUSTER_MEMBERS_MAX;
}

static bool run_one(const struct scenario *s, const struct scenario_options *o)
{
    uint64_t began = scenario_now_ms();
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setvbuf(stdout, NULL, _IOLBF, 0);
        exit(scenario_run(s, o) ? 0 : 1);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return false;
    printf("  %s %s, %.1f s\n", WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "PASS" : "FAIL",
           s->name, (double)(scenario_now_ms() - began) / 1000);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool chosen(const struct arguments *a, const char *name)
{
    for (size_t i = 0; i < a->names_count; i++)
        if (strcmp(a->names[i], name) == 0)
            return true;
    return a->names_count == 0;
}

int main(int argc, char **argv)
{
    struct arguments a = { .options = { .programs = ".dev/bin",
                                        .seed = scenario_now_ms(),
                                        .faults_ms = SECONDS_DEFAULT * 1000 } };
    const char *cannot = cluster_cannot();
    unsigned ran = 0;
    unsigned failed = 0;

    if (!parse(&a, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    if (cannot != NULL) {
        printf("SKIP: faults of a whole cluster: %s\n", cannot);
        return 0;
    }
    for (unsigned i = 0; i < scenarios_count; i++) {
        if (!chosen(&a, scenarios[i].name))
            continue;
        ran++;
        failed += !run_one(&scenarios[i], &a.options);
    }
    if (ran == 0) {
        fputs(usage, stderr);
        for (unsigned i = 0; i < scenarios_count; i++)
            fprintf(stderr, "  %-10s %s\n", scenarios[i].name, scenarios[i].summary);
        return 2;
    }
    return failed == 0 ? 0 : 1;
}
