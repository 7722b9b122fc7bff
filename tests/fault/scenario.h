/*
 * One test case: a cluster under load, faults drawn from a seed, then everything is healed and
 * what clients were told is compared with what is there.
 */
#ifndef TESTS_FAULT_SCENARIO_H
#define TESTS_FAULT_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/fault/cluster.h"
#include "tests/fault/load.h"

/* After all is healed, members are ready and writes are acknowledged within this time. */
#define SCENARIO_HEAL_MS 20000

struct scenario_run {
    struct cluster cluster;
    struct load *load;
    uint64_t rng;
    uint64_t faults_ms; /* how long faults go on */
    bool lying_disks;
    bool failed;
};

struct scenario {
    const char *name;
    const char *summary;
    unsigned members;
    bool power; /* disks lose power: members run with an image of theirs */
    void (*faults)(struct scenario_run *r);
};

extern const struct scenario scenarios[];
extern const unsigned scenarios_count;

/* For faults. */
uint64_t scenario_now_ms(void);
uint64_t scenario_draw(struct scenario_run *r, uint64_t below);
/* The load goes on. False: a member ended by itself; the run has failed. */
bool scenario_sleep(struct scenario_run *r, uint64_t ms);
/* -1: nobody says who leads. */
int scenario_leader(struct scenario_run *r);
/* Heals, and waits until all are ready and writes go on: between rounds of faults. */
bool scenario_recover(struct scenario_run *r);
void scenario_fail(struct scenario_run *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct scenario_options {
    const char *programs; /* folder of gantryd and fault_shim.so */
    const char *logs;     /* folder for members' logs; NULL: nowhere */
    uint64_t seed;
    uint64_t faults_ms;
    unsigned members;   /* 0: the scenario's own */
    bool stale_reads;   /* broken on purpose: reads are served from anywhere */
    bool lying_disks;   /* broken on purpose: flushes do nothing */
    bool must_be_found; /* then the run is good when a violation is found */
};

/* True: good. Prints what it sees. */
bool scenario_run(const struct scenario *s, const struct scenario_options *o);

#endif
