/*
 * Every rule of the guard earns its place: with it off, its family fails, and with all of them on
 * it does not. The library's holes show only under schedules shaped for them, so this also proves
 * that the schedules still hit.
 */
#include <stdio.h>

#include "tests/sim/sim.h"
#include "tests/unit/unit.h"

#define SEEDS 300

static const struct {
    const char *rule;
    const char *family;
    unsigned bad_min;  /* of SEEDS, with the rule off */
    unsigned harm_min; /* of those that look for harm alone; 0: no family here shows it */
} cases[] = {
    { "G1", "overack", 10, 0 },   { "G2", "figure8", 10, 0 },  { "G3", "latency", 10, 0 },
    { "G4", "staleack", 10, 0 },  { "G5", "diskfail", 10, 0 }, { "G6", "install", 10, 0 },
    { "G7", "slowdisk", 10, 0 },  { "G9", "stall", 10, 0 },    { "G10", "edges", 10, 10 },
    { "G11", "window", 10, 0 },   { "G12", "compact", 10, 0 }, { "G13", "news", 10, 10 },
    { "G14", "overtake", 10, 0 }, { "G15", "onevote", 10, 0 }, { "G16", "rollback", 10, 0 },
    { "G17", "promoted", 10, 0 }, { "G18", "sole", 10, 0 },    { "G19", "letgo", 10, 0 },
    { "G20", "unsent", 10, 0 },   { "G21", "again", 10, 0 }
};

/* Of all seeds, or of every second pair of them (families.c). */
static unsigned count_bad(const struct sim_family *family, unsigned rules, unsigned enough,
                          bool harm)
{
    unsigned bad = 0;

    for (uint64_t seed = 1; seed <= SEEDS && bad < enough; seed++)
        if (!harm || (seed & SIM_HARM_SEED) != 0)
            bad += (unsigned)sim_run_isolated(family, seed, rules, rules == GUARD_ALL_RULES, NULL);
    return bad;
}

static void test_rule_is_needed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct sim_family *family = sim_family_named(cases[i].family);
        unsigned without = GUARD_ALL_RULES & ~guard_rule_named(cases[i].rule);
        unsigned bad;

        assert_non_null(family);
        assert_int_not_equal(without, GUARD_ALL_RULES);
        bad = count_bad(family, without, cases[i].bad_min, false);
        printf("%s off, family %s: %u bad or more\n", cases[i].rule, family->name, bad);
        assert_true(bad >= cases[i].bad_min);
        if (cases[i].harm_min != 0)
            assert_true(count_bad(family, without, cases[i].harm_min, true) >= cases[i].harm_min);
    }
}

static void test_all_rules_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(
            count_bad(sim_family_named(cases[i].family), GUARD_ALL_RULES, SEEDS, false), 0);
}

/* Same seed, same run: a failing seed can be looked at again. */
static void test_same_seed_same_run(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        uint64_t digests[2];

        for (int i = 0; i < 2; i++) {
            struct sim *s = sim_new(seed, 3, GUARD_ALL_RULES);

            sim_family_named("crash")->run(s);
            digests[i] = s->rng ^ s->order ^ s->writes_count;
            sim_free(s);
        }
        assert_true(digests[0] == digests[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rule_is_needed),
                                        cmocka_unit_test(test_all_rules_hold),
                                        cmocka_unit_test(test_same_seed_same_run) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
