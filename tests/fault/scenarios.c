/* The faults of each test case, one shape each. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tests/fault/scenario.h"

static unsigned any_member(struct scenario_run *r)
{
    return (unsigned)scenario_draw(r, r->cluster.count);
}

/* Two times of three the leader, who matters most. */
static unsigned victim(struct scenario_run *r)
{
    int leader = scenario_draw(r, 3) == 0 ? -1 : scenario_leader(r);

    return leader < 0 ? any_member(r) : (unsigned)leader;
}

static uint64_t between(struct scenario_run *r, uint64_t least, uint64_t most)
{
    return least + scenario_draw(r, most - least + 1);
}

static const char *name_of(const struct scenario_run *r, unsigned i)
{
    return r->cluster.members[i].name;
}

/* ---- kill -9 ---- */

static void kill_all(struct scenario_run *r)
{
    printf("    kill -9 of all\n");
    for (unsigned i = 0; i < r->cluster.count; i++)
        cluster_kill(&r->cluster, i);
    for (unsigned i = 0; i < r->cluster.count; i++)
        cluster_start(&r->cluster, i);
}

static void kill_faults(struct scenario_run *r)
{
    uint64_t until = scenario_now_ms() + r->faults_ms;
    unsigned round = 0;

    while (scenario_now_ms() < until) {
        unsigned i = victim(r);

        if (++round % 4 == 0) {
            kill_all(r);
            if (!scenario_recover(r))
                return;
            continue;
        }
        printf("    kill -9 of %s\n", name_of(r, i));
        cluster_kill(&r->cluster, i);
        if (!scenario_sleep(r, between(r, 100, 1200)))
            return;
        cluster_start(&r->cluster, i);
        if (!scenario_sleep(r, between(r, 200, 1500)))
            return;
    }
}

/* ---- SIGSTOP ---- */

/* Longer than an election: who wakes up still believes that it leads, or reads what is old. */
static void pause_faults(struct scenario_run *r)
{
    uint64_t until = scenario_now_ms() + r->faults_ms;

    while (scenario_now_ms() < until) {
        unsigned i = victim(r);
        uint64_t ms = between(r, 300, 2500);

        printf("    %s stands still for %" PRIu64 " ms\n", name_of(r, i), ms);
        cluster_stop(&r->cluster, i);
        bool good = scenario_sleep(r, ms);
        cluster_continue(&r->cluster, i);
        if (!good || !scenario_sleep(r, between(r, 300, 1500)))
            return;
    }
}

/* ---- links ---- */

static void cut(struct scenario_run *r)
{
    unsigned i = victim(r);
    unsigned k = (i + 1 + (unsigned)scenario_draw(r, r->cluster.count - 1)) % r->cluster.count;

    switch (scenario_draw(r, 5)) {
    case 0:
        printf("    %s hears nothing from %s\n", name_of(r, i), name_of(r, k));
        cluster_drop(&r->cluster, k, i);
        break;
    case 1:
        printf("    %s and %s are cut off from each other\n", name_of(r, i), name_of(r, k));
        cluster_drop(&r->cluster, k, i);
        cluster_drop(&r->cluster, i, k);
        break;
    case 2:
        printf("    nobody hears %s\n", name_of(r, i));
        for (unsigned m = 0; m < r->cluster.count; m++)
            if (m != i)
                cluster_drop(&r->cluster, i, m);
        break;
    case 3:
        printf("    %s hears nobody\n", name_of(r, i));
        for (unsigned m = 0; m < r->cluster.count; m++)
            if (m != i)
                cluster_drop(&r->cluster, m, i);
        break;
    default:
        printf("    %s is alone\n", name_of(r, i));
        cluster_isolate(&r->cluster, i);
    }
}

static void partition_faults(struct scenario_run *r)
{
    uint64_t until = scenario_now_ms() + r->faults_ms;

    while (scenario_now_ms() < until) {
        cut(r);
        if (scenario_draw(r, 3) == 0)
            cut(r);
        if (!scenario_sleep(r, between(r, 500, 3500)))
            return;
        cluster_heal(&r->cluster);
        if (!scenario_sleep(r, between(r, 200, 1500)))
            return;
    }
}

/* ---- a full disk ---- */

#define FILL_BYTES 1000000

/* Weight for every disk, under other names than those of the load. It may fail: it is only weight.
 */
static void fill(struct scenario_run *r, unsigned member, unsigned megabytes)
{
    uint64_t serial = scenario_now_ms();
    struct buf b;

    buf_init(&b);
    for (unsigned i = 0; i < megabytes; i++) {
        buf_clear(&b);
        buf_printf(&b, "{\"metadata\":{\"name\":\"fill-%" PRIu64 "-%u\"},\"data\":{\"a\":\"",
                   serial, i);
        buf_reserve(&b, FILL_BYTES);
        memset(b.data + b.len, 'x', FILL_BYTES);
        b.len += FILL_BYTES;
        buf_append(&b, "\"}}", 4);
        (void)load_ask(r->load, member, "POST", "/api/v1/namespaces/kube-system/configmaps",
                       (const char *)b.data, NULL);
    }
    buf_deinit(&b);
}

/* It holds or ends; the others go on; with space again it comes back. */
static void disk_faults(struct scenario_run *r)
{
    uint64_t until = scenario_now_ms() + r->faults_ms;
    unsigned round = 0;

    while (scenario_now_ms() < until && !r->failed) {
        unsigned i = victim(r);
        unsigned other = (i + 1) % r->cluster.count;
        uint64_t before;
        uint64_t began;

        printf("    the disk of %s is full\n", name_of(r, i));
        r->cluster.members[i].may_end = true;
        cluster_disk_full(&r->cluster, i, round++ % 2 == 0 ? 4096 : 0);
        fill(r, other, 50);
        (void)scenario_sleep(r, 500); /* its own end is allowed */
        before = load_acknowledged(r->load);
        began = scenario_now_ms();
        while (load_acknowledged(r->load) == before && scenario_now_ms() < began + 10000)
            (void)scenario_sleep(r, 20);
        if (load_acknowledged(r->load) == before)
            scenario_fail(r, "no write for 10 s while one disk of %u is full", r->cluster.count);
        (void)cluster_alive(&r->cluster); /* to know whether it ended */
        printf("    %s %s; it gets space\n", name_of(r, i),
               r->cluster.members[i].pid == 0 ? "has ended" : "goes on");
        if (r->cluster.members[i].pid == 0 && !cluster_said(&r->cluster, i, "space"))
            scenario_fail(r, "it does not say why");
        cluster_disk_space(&r->cluster, i);
        r->cluster.members[i].may_end = false;
        if (!scenario_recover(r))
            return;
    }
}

/* ---- the clock ---- */

static void start_with_clock(struct scenario_run *r, unsigned i)
{
    printf("    %s starts again with it\n", name_of(r, i));
    cluster_kill(&r->cluster, i);
    cluster_start(&r->cluster, i);
    scenario_sleep(r, between(r, 500, 2000));
}

static void clock_faults(struct scenario_run *r)
{
    uint64_t until = scenario_now_ms() + r->faults_ms;
    static const int64_t jumps[] = { -1, -60, -3600, -86400, 2, 600 };
    unsigned last;

    while (scenario_now_ms() < until) {
        unsigned i = victim(r);
        int64_t jump = jumps[scenario_draw(r, sizeof jumps / sizeof jumps[0])];

        printf("    the clock of %s is set %+" PRId64 " s\n", name_of(r, i), jump);
        cluster_clock(&r->cluster, i, jump);
        if (!scenario_sleep(r, between(r, 500, 2000)))
            return;
        if (scenario_draw(r, 3) == 0)
            start_with_clock(r, i);
        if (scenario_draw(r, 2) == 0)
            cluster_clock(&r->cluster, i, 0);
    }
    /* Last, what goes wrong for longest: connections made before any certificate was valid. */
    last = victim(r);
    printf("    the clock of %s is set a day back\n", name_of(r, last));
    cluster_clock(&r->cluster, last, -86400);
    start_with_clock(r, last);
    until = scenario_now_ms() + SCENARIO_HEAL_MS;
    while (load_ask(r->load, last, "GET", "/readyz", "", NULL) != 401) {
        if (scenario_now_ms() > until)
            scenario_fail(r, "%s, a day back, does not refuse our certificate", name_of(r, last));
        if (!scenario_sleep(r, 50))
            return;
    }
}

/* ---- loss of power ---- */

static void power_off(struct scenario_run *r, unsigned count)
{
    unsigned first = victim(r);

    printf("    power is lost by %u of %u\n", count, r->cluster.count);
    for (unsigned n = 0; n < count; n++)
        cluster_kill(&r->cluster, (first + n) % r->cluster.count);
    for (unsigned n = 0; n < count; n++)
        cluster_lose_power(
            &r->cluster, (first + n) % r->cluster.count,
            r->lying_disks || scenario_draw(r, 3) == 0 ? IMAGE_LOSE_ALL : IMAGE_LOSE_SOME, &r->rng);
}

static void power_faults(struct scenario_run *r)
{
    uint64_t until = scenario_now_ms() + r->faults_ms;
    unsigned round = 0;

    while (scenario_now_ms() < until) {
        unsigned n = r->cluster.count;
        unsigned counts[] = { 1, n / 2 + 1, n };

        /* Disks that lie: all at once, or those that did not lose would teach the others. */
        power_off(r, r->lying_disks ? n : counts[round++ % 3]);
        if (!scenario_sleep(r, between(r, 0, 800)) || !scenario_recover(r) ||
            !scenario_sleep(r, between(r, 300, 1500)))
            return;
    }
}

/* ---- everything ---- */

static void one_fault(struct scenario_run *r)
{
    unsigned i = victim(r);

    switch (scenario_draw(r, 5)) {
    case 0:
        printf("    kill -9 of %s\n", name_of(r, i));
        cluster_kill(&r->cluster, i);
        break;
    case 1:
        printf("    %s stands still\n", name_of(r, i));
        cluster_stop(&r->cluster, i);
        break;
    case 2:
    case 3:
        cut(r);
        break;
    default:
        power_off(r, 1);
    }
}

/* Two faults at a time, and whoever is down comes back while the other lasts. */
static void mixed_faults(struct scenario_run *r)
{
    uint64_t until = scenario_now_ms() + r->faults_ms;

    while (scenario_now_ms() < until) {
        one_fault(r);
        if (!scenario_sleep(r, between(r, 100, 1000)))
            return;
        one_fault(r);
        if (!scenario_sleep(r, between(r, 300, 2500)))
            return;
        for (unsigned i = 0; i < r->cluster.count; i++) {
            cluster_continue(&r->cluster, i);
            if (r->cluster.members[i].pid == 0)
                cluster_start(&r->cluster, i);
        }
        if (!scenario_sleep(r, between(r, 100, 1500)))
            return;
        cluster_heal(&r->cluster);
        if (!scenario_sleep(r, between(r, 300, 1500)))
            return;
    }
}

const struct scenario scenarios[] = {
    { "kill", "members killed, one and all", 3, false, kill_faults },
    { "pause", "members that stand still and go on", 3, false, pause_faults },
    { "partition", "links cut, one way and both", 3, false, partition_faults },
    { "disk", "a full disk", 3, false, disk_faults },
    { "clock", "clocks set back and forth", 3, false, clock_faults },
    { "power", "power lost by one, a majority, all", 3, true, power_faults },
    { "mixed", "five members, two faults at a time", 5, true, mixed_faults },
};
const unsigned scenarios_count = sizeof scenarios / sizeof scenarios[0];
