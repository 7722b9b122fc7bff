/*
 * sim --seeds N [--from S] [--without RULE]... [--family F]
 *
 * Seed s runs family s modulo their number, unless one is named. Prints each bad seed with its
 * family and reason, then one line: sim seeds=N ok=N bad=N. Exit status 1 when any was bad. Each
 * seed runs in a process of its own: a seed that crashes the library is a bad seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

static int usage(void)
{
    fprintf(stderr, "usage: sim --seeds N [--from S] [--without G1..G21] [--family F]\n"
                    "families:\n");
    for (size_t i = 0; i < sim_families_count; i++)
        fprintf(stderr, "  %-10s %s\n", sim_families[i].name, sim_families[i].about);
    return 2;
}

int main(int argc, char **argv)
{
    const struct sim_family *family = NULL;
    unsigned rules = GUARD_ALL_RULES;
    uint64_t seeds = 0;
    uint64_t from = 1;
    uint64_t bad = 0;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seeds") == 0)
            seeds = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--from") == 0)
            from = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--without") == 0 && guard_rule_named(argv[i + 1]) != 0)
            rules &= ~guard_rule_named(argv[i + 1]);
        else if (strcmp(argv[i], "--family") == 0 && sim_family_named(argv[i + 1]) != NULL)
            family = sim_family_named(argv[i + 1]);
        else
            return usage();
    }
    if (seeds == 0 || argc % 2 == 0)
        return usage();
    for (uint64_t seed = from; seed < from + seeds; seed++)
        bad += (uint64_t)sim_run_isolated(
            family != NULL ? family : &sim_families[seed % sim_families_count], seed, rules, true);
    printf("sim seeds=%llu ok=%llu bad=%llu\n", (unsigned long long)seeds,
           (unsigned long long)(seeds - bad), (unsigned long long)bad);
    return bad == 0 ? 0 : 1;
}
