/*
 * The log under power losses and kills, at any moment and inside any write, again and again on one
 * disk: nothing completed is lost, nothing that was truncated comes back, what was in flight is
 * there as a prefix or not at all, term and vote never go back.
 */
#include <stdio.h>

#include "base/assert.h"
#include "tests/unit/store/wal_sim.h"
#include "tests/unit/unit.h"

#define FILE_BYTES 65536
#define SEEDS      60
#define LIVES      40
#define LIFE_MS    400

struct totals {
    uint64_t torn_sectors;
    uint64_t lost_writes;
    uint64_t lost_names;
    uint64_t kills;
    uint64_t completed;
    uint64_t dropped;
    uint64_t survived;
    uint64_t torn;
};

/* How this life ends; true: in order. */
static bool plan(struct wal_sim *s)
{
    uint64_t what = env_sim_random(s->world, 10);
    env_sim_host_crash_after(s->host, UINT64_MAX);
    if (what < 5)
        env_sim_host_crash_after(s->host, env_sim_random(s->world, what < 2 ? 12 : 300));
    return what == 9;
}

static void live(struct wal_sim *s, struct totals *t)
{
    struct err e = { 0 };
    if (!env_sim_host_alive(s->host))
        env_sim_host_restart(s->host);
    bool in_order = plan(s);
    int rc = wal_sim_open(s, &e);
    if (!env_sim_host_alive(s->host)) {
        if (rc == 0)
            wal_sim_close(s);
        return; /* died opening: what it saw means nothing */
    }
    if (rc != 0)
        fprintf(stderr, "wal_open: %s\n", e.msg);
    ASSERT(rc == 0);
    model_check(&s->model, &s->state);
    t->torn += s->state.torn > 0;
    /* Some lives do nothing but read: what they saw must be on disk all the same. */
    if (env_sim_random(s->world, 4) != 0) {
        wal_sim_start(s);
        wal_sim_run(s, env_sim_random(s->world, LIFE_MS));
    }
    if (!in_order && env_sim_host_alive(s->host)) {
        if (env_sim_random(s->world, 2) == 0)
            env_sim_host_kill(s->host);
        else
            env_sim_host_crash(s->host);
    }
    wal_sim_close(s);
    assert_int_equal(s->failed, 0);
}

static void run_seed(uint64_t seed, struct totals *t)
{
    struct wal_sim s;
    static const size_t bytes_max[] = { 16, 600, 3000 };
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    wal_sim_init(&s, seed, FILE_BYTES);
    s.model.bytes_max = bytes_max[seed % 3]; /* of one size: what was dropped fits where it lay */
    for (int life = 0; life < LIVES; life++)
        live(&s, t);
    const struct env_sim_faults *faults = env_sim_faults(s.world);
    t->torn_sectors += faults->torn_sectors;
    t->lost_writes += faults->lost_writes;
    t->lost_names += faults->lost_names;
    t->kills += faults->kills;
    t->completed += s.model.completed;
    t->dropped += s.model.dropped;
    t->survived += s.model.survived;
    wal_sim_deinit(&s);
}

static void test_crashes(void **state)
{
    struct totals t = { 0 };
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run_seed(seed, &t);
    }
    fprintf(stderr,
            "torn sectors %llu, lost writes %llu, lost names %llu, kills %llu; requests completed "
            "%llu; steps in flight dropped %llu, kept %llu; torn tails %llu\n",
            (unsigned long long)t.torn_sectors, (unsigned long long)t.lost_writes,
            (unsigned long long)t.lost_names, (unsigned long long)t.kills,
            (unsigned long long)t.completed, (unsigned long long)t.dropped,
            (unsigned long long)t.survived, (unsigned long long)t.torn);
    /* The disk was as bad as it can be, or the test has shown nothing. */
    assert_true(t.torn_sectors > 100);
    assert_true(t.lost_writes > 100);
    assert_true(t.lost_names > 10);
    assert_true(t.kills > 10);
    assert_true(t.completed > 10000);
    assert_true(t.dropped > 100);
    assert_true(t.survived > 100);
    assert_true(t.torn > 50);
}

/* A flush fails, and the process starts again: what it reads then is in memory, and no later flush
 * would write it. The power goes soon after. */
static void live_failing(struct wal_sim *s, bool fails, unsigned *out_failures)
{
    struct err e = { 0 };
    int rc;
    if (!env_sim_host_alive(s->host))
        env_sim_host_restart(s->host);
    rc = wal_sim_open(s, &e);
    if (rc != 0)
        fprintf(stderr, "wal_open: %s\n", e.msg);
    ASSERT(rc == 0);
    model_check(&s->model, &s->state);
    if (fails)
        env_sim_disk_fail(s->host, ENV_SIM_SYNC, env_sim_random(s->world, 30));
    wal_sim_start(s);
    wal_sim_run(s, fails ? LIFE_MS : env_sim_random(s->world, 20));
    env_sim_disk_fail(s->host, ENV_SIM_SYNC, UINT64_MAX);
    if (fails)
        env_sim_host_kill(s->host);
    else
        env_sim_host_crash(s->host);
    wal_sim_close(s);
    *out_failures += s->failed > 0;
    s->failed = 0;
}

static void test_failed_flushes(void **state)
{
    unsigned failures = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct wal_sim s;
        wal_sim_init(&s, seed, FILE_BYTES);
        s.model.bytes_max = 600;
        s.model.fails = true;
        for (int life = 0; life < LIVES; life++)
            live_failing(&s, life % 2 == 0, &failures);
        wal_sim_deinit(&s);
    }
    assert_true(failures > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_crashes),
                                        cmocka_unit_test(test_failed_flushes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
