/*
 * Housekeeping over several members fed by one log: levels that rise when everybody can, clusters
 * of two releases, expiry by a clock that jumps, alarms, and digests that differ.
 */
#include <stdio.h>
#include <stdlib.h>

#include "store/group_state.h"
#include "store/housekeeping.h"
#include "store/txn.h"
#include "tests/unit/store/house_world.h"
#include "tests/unit/unit.h"

static const uint32_t all_new[HOUSE_MEMBERS] = { 2, 2, 2 };

static struct house_world *world_new(const uint32_t level_max[HOUSE_MEMBERS])
{
    struct house_world *w = malloc(sizeof *w);
    house_world_init(w, level_max);
    return w;
}

static void world_free(struct house_world *w)
{
    house_world_deinit(w);
    free(w);
}

/* A world whose level has risen. */
static struct house_world *world_ready(void)
{
    struct house_world *w = world_new(all_new);
    house_world_run(w, 3000);
    assert_int_equal(house_world_point(w, 0).level, 2);
    return w;
}

static void assert_same(struct house_world *w)
{
    for (size_t i = 1; i < HOUSE_MEMBERS; i++) {
        struct point a = house_world_point(w, 0);
        struct point b = house_world_point(w, i);
        assert_int_equal(w->members[i].halted, 0);
        assert_int_equal(a.index, b.index);
        assert_int_equal(a.revision, b.revision);
        assert_int_equal(a.level, b.level);
        assert_true(a.digest == b.digest);
        assert_int_equal(a.timers, b.timers);
        assert_int_equal(a.alarm, b.alarm);
    }
}

/* ---- decisions ---- */

static void test_alarm_decision(void **state)
{
    (void)state;
    const uint64_t gib = 1ull << 30;
    enum { Q = STORE_ALARM_QUOTA, D = STORE_ALARM_DISK };
    const struct {
        uint32_t now;
        uint32_t wanted;
        struct usage u;
    } cases[] = {
        { 0, 0, { .used_bytes = 799, .quota_bytes = 1000 } },
        { 0, Q, { .used_bytes = 800, .quota_bytes = 1000 } },
        { Q, Q, { .used_bytes = 700, .quota_bytes = 1000 } },
        { Q, 0, { .used_bytes = 699, .quota_bytes = 1000 } },
        { 0, 0, { .disk_bytes = 100 * gib, .disk_free_bytes = gib / 2 } },
        { 0, D, { .disk_bytes = 100 * gib, .disk_free_bytes = gib / 2 - 1 } },
        { D, D, { .disk_bytes = 100 * gib, .disk_free_bytes = gib / 4 * 3 - 1 } },
        { D, 0, { .disk_bytes = 100 * gib, .disk_free_bytes = gib / 4 * 3 } },
        { 0, 0, { .disk_bytes = 1000, .disk_free_bytes = 50 } }, /* a small disk: 5 % */
        { 0, D, { .disk_bytes = 1000, .disk_free_bytes = 49 } },
        { 0,
          Q | D,
          { .used_bytes = 9, .quota_bytes = 10, .disk_bytes = 1000, .disk_free_bytes = 0 } },
        /* What is not measured stays. */
        { 0, 0, { 0 } },
        { Q | D, Q | D, { 0 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(housekeeping_alarm(&cases[i].u, cases[i].now), cases[i].wanted);
}

static void test_verdict(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        struct housekeeping_digest d[5];
        enum housekeeping_verdict verdict;
        uint64_t agreed;
    } cases[] = {
        { 3, { { true, 7 }, { true, 7 }, { true, 7 } }, HOUSE_AGREED, 7 },
        { 3, { { true, 1 }, { true, 7 }, { true, 7 } }, HOUSE_AGREED, 7 },
        { 3, { { true, 7 }, { true, 7 }, { false, 0 } }, HOUSE_AGREED, 7 },
        { 3, { { true, 7 }, { false, 7 }, { false, 7 } }, HOUSE_FEW, 0 },
        { 3, { { true, 7 }, { true, 8 }, { false, 7 } }, HOUSE_SPLIT, 0 },
        { 3, { { true, 7 }, { true, 8 }, { true, 9 } }, HOUSE_SPLIT, 0 },
        { 2, { { true, 7 }, { true, 8 } }, HOUSE_SPLIT, 0 },
        { 2, { { true, 7 }, { true, 7 } }, HOUSE_AGREED, 7 },
        { 4, { { true, 7 }, { true, 7 }, { true, 8 }, { true, 8 } }, HOUSE_SPLIT, 0 },
        { 5, { { true, 8 }, { true, 7 }, { true, 9 }, { true, 7 }, { true, 7 } }, HOUSE_AGREED, 7 },
        { 5, { { false, 0 }, { true, 7 }, { false, 0 }, { true, 7 } }, HOUSE_FEW, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t agreed = 0;
        assert_int_equal(housekeeping_verdict(cases[i].d, cases[i].count, &agreed),
                         cases[i].verdict);
        assert_int_equal(agreed, cases[i].agreed);
    }
}

/* ---- levels ---- */

static void test_level_rises(void **state)
{
    (void)state;
    struct house_world *w = world_new(all_new);
    w->members[2].silent = true; /* it may be of any release */
    house_world_run(w, 60000);
    assert_int_equal(house_world_point(w, 0).level, 1);
    w->members[2].silent = false;
    house_world_run(w, 10000);
    assert_int_equal(house_world_point(w, 0).level, 2);
    house_world_run(w, 60000);
    assert_int_equal(w->proposed[STORE_OP_FEATURE_LEVEL], 1);
    assert_same(w);
    world_free(w);
}

/* Traffic of every kind that the level allows, and what it does not. */
static void traffic(struct house_world *w, int rounds, int expected_expiring)
{
    for (int i = 0; i < rounds; i++) {
        char key[32];
        snprintf(key, sizeof key, "k%d", i % 20);
        assert_int_equal(house_world_put(w, key, 0).status, 0);
        if (i % 3 == 0)
            assert_int_equal(house_world_write(w, (struct store_op){ .type = STORE_OP_DELETE,
                                                                     .key = str_from(key) })
                                 .status,
                             0);
        uint64_t soon = house_world_wall_ms(w, w->leader) + 1000;
        assert_int_equal(house_world_put(w, "expiring", soon).status, expected_expiring);
        house_world_run(w, 5000);
    }
}

/* A member of the release before: nothing it cannot read is ever proposed, whoever leads. */
static void test_mixed_releases(void **state)
{
    (void)state;
    static const uint32_t mixed[HOUSE_MEMBERS] = { 2, 2, 1 };
    struct house_world *w = world_new(mixed);
    traffic(w, 40, -ERR_UNIMPLEMENTED);
    w->leader = 1;
    w->members[1].group->usage.used_bytes = w->members[1].group->usage.quota_bytes; /* full */
    traffic(w, 40, -ERR_UNIMPLEMENTED);
    w->members[1].group->usage.used_bytes = 1;
    w->leader = 2; /* the old one leads: its own housekeeping goes on */
    traffic(w, 20, -ERR_UNIMPLEMENTED);
    assert_same(w);
    assert_int_equal(house_world_point(w, 0).level, 1);
    assert_int_equal(w->proposed[STORE_OP_FEATURE_LEVEL], 0);
    assert_int_equal(w->proposed[STORE_OP_ALARM] + w->proposed[STORE_OP_TICK], 0);
    /* Two new members agree on their digests: they are compared all the same. */
    assert_true(w->proposed[STORE_OP_CHECK] > 0);
    w->leader = 0;
    house_world_run(w, 1000);
    house_world_restart(w, 2, 2); /* upgraded: the log it holds is still its own */
    house_world_run(w, 10000);
    assert_int_equal(house_world_point(w, 0).level, 2);
    assert_int_equal(w->proposed[STORE_OP_FEATURE_LEVEL], 1);
    traffic(w, 10, 0);
    house_world_run(w, 5000);
    assert_false(house_world_has(w, 2, "expiring"));
    assert_same(w);
    world_free(w);
}

/* What a build must do that meets a level it does not know: stop, before anything is applied. */
static void test_old_member_stops(void **state)
{
    (void)state;
    struct house_world *w = world_ready();
    house_world_put(w, "a", 0);
    struct kv_sim_disk *disk = kv_sim_disk_new();
    struct kv *kv = kv_sim_open(disk);
    struct fsm *old = malloc(sizeof *old);
    enum group_halt why = 0;
    assert_int_equal(fsm_init_level(old, kv, 1, NULL), 0);
    for (uint64_t i = 1; i <= w->index && why == 0; i++) {
        struct kv_txn *t = kv_begin_write(kv);
        size_t commands;
        why = fsm_apply(old, t, i, buf_str(&w->log[i]), NULL, NULL, &commands, NULL);
        kv_commit(t);
    }
    assert_int_equal(why, GROUP_HALT_UPGRADE);
    assert_int_equal(old->point.level, 1);
    fsm_deinit(old);
    free(old);
    kv_close(kv);
    kv_sim_disk_free(disk);
    /* Nor does it open what is at a higher level. */
    struct fsm *again = malloc(sizeof *again);
    assert_int_equal(fsm_init_level(again, w->members[0].kv, 1, NULL), -ERR_UNIMPLEMENTED);
    free(again);
    world_free(w);
}

/* ---- expiry ---- */

static void test_ticks(void **state)
{
    (void)state;
    struct house_world *w = world_ready();
    uint64_t now = house_world_wall_ms(w, 0);
    house_world_run(w, 600000);
    assert_int_equal(w->proposed[STORE_OP_TICK], 0); /* nothing is due: nothing is proposed */
    now = house_world_wall_ms(w, 0);
    assert_int_equal(house_world_put(w, "a", now + 60000).status, 0);
    assert_int_equal(house_world_put(w, "b", now + 120000).status, 0);
    house_world_run(w, 50000);
    assert_int_equal(w->proposed[STORE_OP_TICK], 0);
    assert_int_equal(house_world_point(w, 2).timers, 2);
    uint64_t revision = house_world_point(w, 0).revision;
    house_world_run(w, 15000);
    assert_int_equal(w->proposed[STORE_OP_TICK], 1);
    assert_false(house_world_has(w, 1, "a"));
    assert_true(house_world_has(w, 1, "b"));
    assert_int_equal(house_world_point(w, 0).revision, revision + 1);
    /* A put without takes the timer away; a timer alone gives one back. */
    assert_int_equal(house_world_put(w, "b", 0).status, 0);
    house_world_run(w, 120000);
    assert_true(house_world_has(w, 0, "b"));
    struct store_op timer = { .type = STORE_OP_TIMER,
                              .key = STR("b"),
                              .revision = 1, /* another version's */
                              .expires_ms = 1 };
    assert_int_equal(house_world_write(w, timer).status, 0);
    assert_int_equal(house_world_point(w, 0).timers, 0);
    timer.revision = revision + 2;
    assert_int_equal(house_world_write(w, timer).status, 0);
    house_world_run(w, 1000);
    assert_false(house_world_has(w, 0, "b"));
    assert_int_equal(w->proposed[STORE_OP_TICK], 2);
    assert_same(w);
    world_free(w);
}

static void test_many_due(void **state)
{
    (void)state;
    struct house_world *w = world_ready();
    uint64_t deadline = house_world_wall_ms(w, 0) + 3600000;
    for (int i = 0; i < 600; i++) {
        char key[32];
        snprintf(key, sizeof key, "tokens/%d", i);
        assert_int_equal(house_world_put(w, key, deadline).status, 0);
    }
    assert_int_equal(house_world_point(w, 0).timers, 600);
    uint64_t revision = house_world_point(w, 0).revision;
    w->members[0].skew_ms = 3600000;
    house_world_run(w, 5000);
    assert_int_equal(house_world_point(w, 0).timers, 0);
    /* At most STORE_TXN_OPS_MAX an entry and a revision. */
    assert_int_equal(w->proposed[STORE_OP_TICK], 3);
    assert_int_equal(house_world_point(w, 0).revision, revision + 3);
    assert_same(w);
    world_free(w);
}

static void test_clocks_jump(void **state)
{
    (void)state;
    struct house_world *w = world_ready();
    uint64_t now = house_world_wall_ms(w, 0);
    house_world_put(w, "soon", now + 10000);
    house_world_put(w, "later", now + 3600000);
    w->members[0].skew_ms = -60000; /* back: it waits */
    house_world_run(w, 30000);
    assert_true(house_world_has(w, 0, "soon"));
    w->leader = 1; /* another clock, another leader */
    house_world_run(w, 1000);
    assert_false(house_world_has(w, 0, "soon"));
    uint64_t clock_ms = house_world_point(w, 0).clock_ms;
    assert_true(clock_ms >= now + 10000);
    w->leader = 0; /* the slow one again: the state's clock stays where it is */
    house_world_put(w, "soon", now + 20000);
    house_world_run(w, 5000);
    assert_true(house_world_has(w, 0, "soon"));
    assert_int_equal(house_world_point(w, 0).clock_ms, clock_ms);
    w->members[0].skew_ms = 1800000; /* half an hour ahead: what is due by then, and no more */
    house_world_run(w, 1000);
    assert_false(house_world_has(w, 0, "soon"));
    assert_true(house_world_has(w, 0, "later"));
    w->members[0].skew_ms = 0; /* set right: what is set from now on holds again */
    clock_ms = house_world_point(w, 0).clock_ms;
    now = house_world_wall_ms(w, 0);
    house_world_put(w, "due", now + 1000);
    house_world_put(w, "minute", now + 60000);
    house_world_run(w, 20000);
    assert_false(house_world_has(w, 0, "due"));
    assert_true(house_world_has(w, 0, "minute"));
    assert_int_equal(house_world_point(w, 0).clock_ms, clock_ms);
    house_world_run(w, 60000);
    assert_false(house_world_has(w, 0, "minute"));
    assert_same(w);
    world_free(w);
}

/* ---- alarms ---- */

static void set_used(struct house_world *w, size_t i, uint64_t percent)
{
    struct usage_sampler *u = &w->members[i].group->usage;
    atomic_store(&u->used_bytes, u->quota_bytes / 100 * percent);
}

static void test_alarm(void **state)
{
    (void)state;
    struct house_world *w = world_ready();
    assert_int_equal(house_world_put(w, "a", 0).status, 0);
    set_used(w, 1, 85); /* a follower */
    house_world_run(w, 10000);
    assert_int_equal(house_world_point(w, 2).alarm, STORE_ALARM_QUOTA);
    struct alarm_member alarms[ALARM_MEMBERS_MAX];
    assert_int_equal(group_alarms(w->members[0].group, alarms), 1);
    assert_int_equal(alarms[0].member, 2);
    assert_int_equal(house_world_put(w, "b", 0).status, -ERR_NO_SPACE);
    assert_int_equal(house_world_put(w, "a", 0).status, 0); /* as large as before */
    struct store_op delete = { .type = STORE_OP_DELETE, .key = STR("a") };
    assert_int_equal(house_world_write(w, delete).status, 0);
    set_used(w, 1, 75); /* hysteresis */
    house_world_run(w, 30000);
    assert_int_equal(house_world_put(w, "b", 0).status, -ERR_NO_SPACE);
    w->members[1].silent = true; /* unknown: as it was */
    set_used(w, 1, 10);
    house_world_run(w, 120000);
    assert_int_equal(house_world_put(w, "b", 0).status, -ERR_NO_SPACE);
    w->members[1].silent = false;
    house_world_run(w, 20000);
    assert_int_equal(house_world_point(w, 0).alarm, 0);
    assert_int_equal(house_world_put(w, "b", 0).status, 0);
    assert_int_equal(w->proposed[STORE_OP_ALARM], 2);
    assert_same(w);
    world_free(w);
}

/* Whoever left, or does not vote, stops nobody. */
static void test_alarm_of_others(void **state)
{
    (void)state;
    struct house_world *w = world_ready();
    set_used(w, 2, 95);
    house_world_run(w, 10000);
    assert_int_equal(house_world_point(w, 0).alarm, STORE_ALARM_QUOTA);
    w->configuration_count = 2;
    house_world_run(w, 20000);
    assert_int_equal(house_world_point(w, 0).alarm, 0);
    w->configuration_count = 3;
    w->configuration[2].voter = false;
    house_world_run(w, 20000);
    assert_int_equal(house_world_point(w, 0).alarm, 0);
    assert_int_equal(w->proposed[STORE_OP_ALARM], 2);
    assert_same(w);
    world_free(w);
}

/* ---- digests ---- */

static void test_check(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool corrupt[HOUSE_MEMBERS];
        bool halts[HOUSE_MEMBERS];
    } cases[] = {
        { "nobody", { false, false, false }, { false, false, false } },
        { "a follower", { false, false, true }, { false, false, true } },
        { "the leader", { true, false, false }, { true, false, false } },
        { "two, differently: no majority", { true, true, false }, { false, false, false } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct house_world *w = world_ready();
        house_world_put(w, "a", 0);
        for (size_t m = 0; m < HOUSE_MEMBERS; m++)
            if (cases[i].corrupt[m])
                house_world_corrupt(w, m);
        house_world_put(w, "b", 0);
        house_world_run(w, 2ull * HOUSE_CHECK_MS);
        for (size_t m = 0; m < HOUSE_MEMBERS; m++) {
            enum group_halt expected = cases[i].halts[m] ? GROUP_HALT_DIVERGED : 0;
            if (w->members[m].halted != expected)
                fail_msg("%s: member %zu: halt %d", cases[i].name, m + 1, w->members[m].halted);
            if (!cases[i].halts[m])
                continue;
            struct fsm_mismatch differ;
            group_mismatch(w->members[m].group, &differ);
            assert_true(differ.index > 0 && differ.digest == differ.agreed + m + 1);
        }
        world_free(w);
    }
}

/* One that is slow to answer is waited for; one that never does leaves a majority of two. */
static void test_check_waits(void **state)
{
    (void)state;
    struct house_world *w = world_ready();
    w->members[2].silent = true;
    house_world_run(w, HOUSE_CHECK_MS);
    assert_int_equal(w->proposed[STORE_OP_CHECK], 0);
    house_world_run(w, HOUSE_CHECK_ASK_MS * (HOUSE_CHECK_TRIES_MAX + 3));
    assert_int_equal(w->proposed[STORE_OP_CHECK], 1);
    w->members[1].silent = true; /* alone: no witness, no verdict */
    house_world_run(w, 3ull * HOUSE_CHECK_MS);
    assert_int_equal(w->proposed[STORE_OP_CHECK], 1);
    w->configuration_count = 1; /* nobody compares with itself */
    house_world_run(w, 3ull * HOUSE_CHECK_MS);
    assert_int_equal(w->proposed[STORE_OP_CHECK], 1);
    assert_same(w);
    world_free(w);
}

/* A restarted member has forgotten the digests of before, not its own state's. */
static void test_check_after_restart(void **state)
{
    (void)state;
    struct house_world *w = world_ready();
    house_world_put(w, "a", 0);
    house_world_restart(w, 1, 2);
    uint64_t digest = 0;
    struct point p = house_world_point(w, 1);
    assert_true(group_digest(w->members[1].group, p.index, &digest));
    assert_true(digest == p.digest);
    assert_false(group_digest(w->members[1].group, p.index - 1, &digest));
    house_world_corrupt(w, 1);
    house_world_run(w, 2ull * HOUSE_CHECK_MS);
    house_world_put(w, "b", 0);
    house_world_run(w, 2ull * HOUSE_CHECK_MS);
    assert_int_equal(w->members[1].halted, GROUP_HALT_DIVERGED);
    assert_int_equal(w->members[0].halted, 0);
    world_free(w);
}

/* A simulation has no minute to wait for a comparison. */
static void test_pace(void **state)
{
    (void)state;
    const struct store_simulation quick = { .compact_ms = 500, .check_ms = 2000 };
    const struct store_simulation usual = { 0 };
    struct house_world *w = world_ready();
    for (size_t m = 0; m < HOUSE_MEMBERS; m++) {
        housekeeping_pace(&w->members[m].house, &quick);
        housekeeping_pace(&w->members[m].house, &usual);
        housekeeping_pace(&w->members[m].house, NULL);
        assert_int_equal(w->members[m].house.compact_every_ms, 500);
    }
    house_world_run(w, HOUSE_CHECK_MS + HOUSE_DECIDE_MS); /* what was set before */
    unsigned checks = w->proposed[STORE_OP_CHECK];
    house_world_run(w, 10000);
    assert_in_range(w->proposed[STORE_OP_CHECK], checks + 3, checks + 5);
    world_free(w);
}

/* History that is kept only for seconds is also forgotten within seconds. */
static void test_short_history(void **state)
{
    (void)state;
    struct house_world *w = world_ready();
    house_world_put(w, "a", 0);
    house_world_put(w, "b", 0);
    house_world_run(w, 2ull * HOUSE_COMPACT_MS);
    assert_int_equal(w->proposed[STORE_OP_COMPACT], 0);
    for (size_t m = 0; m < HOUSE_MEMBERS; m++) {
        w->members[m].retain_ms = 4000;
        house_world_restart(w, m, 2);
    }
    house_world_run(w, HOUSE_COMPACT_MS);
    assert_in_range(w->proposed[STORE_OP_COMPACT], 1, 2);
    assert_true(store_compacted(w->members[0].group) > 0);
    world_free(w);
}

/* Space is given back on every member, by one handover, the leader last; and then it is quiet. */
static void test_defragment(void **state)
{
    (void)state;
    struct house_world *w = world_ready();
    w->wasteful = true;
    for (size_t i = 0; i < HOUSE_MEMBERS; i++)
        w->members[i].wasteful = true;
    size_t leader = w->leader;
    house_world_run(w, HOUSE_DEFRAGMENT_MS + 1000);
    for (size_t i = 0; i < HOUSE_MEMBERS; i++)
        assert_int_equal(w->members[i].defragmented, i == leader ? 0 : 1);
    assert_int_equal(w->handovers, 0);
    house_world_run(w, 2 * HOUSE_DEFRAGMENT_MS);
    for (size_t i = 0; i < HOUSE_MEMBERS; i++)
        assert_int_equal(w->members[i].defragmented, 1);
    assert_int_equal(w->handovers, 1);
    for (size_t i = 0; i < HOUSE_MEMBERS; i++)
        w->members[i].wasteful = true; /* again: not within the hour */
    house_world_run(w, 5 * HOUSE_DEFRAGMENT_MS);
    for (size_t i = 0; i < HOUSE_MEMBERS; i++)
        assert_int_equal(w->members[i].defragmented, 1);
    assert_int_equal(w->handovers, 1);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alarm_decision),
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_level_rises),
        cmocka_unit_test(test_mixed_releases),
        cmocka_unit_test(test_old_member_stops),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_many_due),
        cmocka_unit_test(test_clocks_jump),
        cmocka_unit_test(test_alarm),
        cmocka_unit_test(test_alarm_of_others),
        cmocka_unit_test(test_defragment),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_check_waits),
        cmocka_unit_test(test_check_after_restart),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_short_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
