/*
 * sim --seeds N [--from S] [--without RULE]... [--family F]
 *
 * Seed s runs family s modulo their number, unless one is named. Prints each bad seed with its
 * family and reason, what was done and which faults happened, summed over the seeds, then one line:
 * sim seeds=N ok=N bad=N. Exit status 1 when any was bad. Each seed runs in a process of its own: a
 * seed that crashes the library is a bad seed. SIGINT and SIGTERM end it early, with the sums so
 * far and where to go on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"
#include "tests/sim/totals.h"

struct options {
    const struct sim_family *family;
    unsigned rules;
    uint64_t seeds;
    uint64_t from;
};

static int usage(void)
{
    fprintf(stderr, "usage: sim --seeds N [--from S] [--without G1..G21] [--family F]\n"
                    "families:\n");
    for (size_t i = 0; i < sim_families_count; i++)
        fprintf(stderr, "  %-10s %s\n", sim_families[i].name, sim_families[i].about);
    return 2;
}

static bool parse(int argc, char **argv, struct options *out)
{
    *out = (struct options){ .rules = GUARD_ALL_RULES, .from = 1 };
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seeds") == 0)
            out->seeds = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--from") == 0)
            out->from = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--without") == 0 && guard_rule_named(argv[i + 1]) != 0)
            out->rules &= ~guard_rule_named(argv[i + 1]);
        else if (strcmp(argv[i], "--family") == 0 && sim_family_named(argv[i + 1]) != NULL)
            out->family = sim_family_named(argv[i + 1]);
        else
            return false;
    }
    return out->seeds > 0 && argc % 2 != 0;
}

static void print_totals(const struct sim_counters *c)
{
    const struct totals_row rows[] = { { "virtual seconds", c->virtual_ms / 1000 },
                                       { "events", c->events },
                                       { "leaders", c->leaders },
                                       { "writes", c->writes },
                                       { "unknown outcomes", c->unknown },
                                       { "entries stored", c->stored },
                                       { "messages", c->messages },
                                       { "lost", c->lost },
                                       { "twice", c->doubled },
                                       { "refused", c->refused },
                                       { "cuts", c->cuts },
                                       { "crashes", c->crashes },
                                       { "restarts", c->restarts },
                                       { "torn writes", c->torn },
                                       { "failed writes", c->failed },
                                       { "full disks", c->full },
                                       { "loops stalled", c->stalls },
                                       { "snapshots installed", c->installs },
                                       { "changes of members", c->changes } };

    totals_print(rows, sizeof(rows) / sizeof(rows[0]));
}

int main(int argc, char **argv)
{
    struct sim_counters totals = { 0 };
    struct options o;
    uint64_t bad = 0;
    uint64_t seed;

    if (!parse(argc, argv, &o))
        return usage();
    totals_catch_signals();
    for (seed = o.from; seed < o.from + o.seeds && !totals_ended(); seed++)
        bad += (uint64_t)sim_run_isolated(
            o.family != NULL ? o.family : &sim_families[seed % sim_families_count], seed, o.rules,
            true, &totals);
    print_totals(&totals);
    totals_print_end(o.from, seed, o.seeds, bad);
    return bad == 0 ? 0 : 1;
}
