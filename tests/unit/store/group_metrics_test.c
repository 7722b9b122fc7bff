/* The table of a group's metrics: whole, well named, said what to do, and counted by outcome. */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "store/group_metrics.h"
#include "tests/unit/unit.h"

static void test_rows(void **state)
{
    (void)state;
    for (enum store_group_id g = STORE_CLUSTER; g <= STORE_BUS; g++)
        for (int id = 0; id < GROUP_METRICS; id++) {
            const struct metric *m = group_metric(g, (enum group_metric_id)id);
            struct str name = str_from(m->name);
            bool counts = m->type == METRIC_COUNTER;

            assert_non_null(m->name);
            assert_true(str_starts(name, str_lit("store_")));
            assert_int_equal(counts, str_ends(name, str_lit("_total")));
            assert_true(m->type != METRIC_SECONDS || str_ends(name, str_lit("_seconds")));
            assert_true(m->type != METRIC_HISTOGRAM || m->bounds_count > 3);
            for (int b = 1; b < m->bounds_count; b++)
                assert_true(m->bounds[b] > m->bounds[b - 1]);
            assert_true(strlen(m->help) > 0);
            assert_null(strpbrk(m->help, "\n\\"));
            assert_true(str_starts(str_from(m->labels), g == STORE_BUS
                                                            ? str_lit("group=\"bus\"")
                                                            : str_lit("group=\"cluster\"")));
        }
}

static void test_outcomes(void **state)
{
    static const struct {
        int status;
        enum group_metric_id id;
    } cases[] = { { 0, GROUP_WRITES_OK },
                  { -ERR_CONFLICT, GROUP_WRITES_CONFLICT },
                  { -ERR_UNKNOWN_OUTCOME, GROUP_WRITES_UNKNOWN },
                  { -ERR_TOO_MANY_REQUESTS, GROUP_WRITES_TOO_MANY },
                  { -ERR_INVALID_ARGUMENT, GROUP_WRITES_OTHER } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        group_count_write(STORE_BUS, cases[i].status, 1000000);
        assert_int_equal(metric_value(group_metric(STORE_BUS, cases[i].id)), 1);
        assert_int_equal(metric_value(group_metric(STORE_CLUSTER, cases[i].id)), 0);
        assert_int_equal(metric_value(group_metric(STORE_BUS, GROUP_WRITE_SECONDS)), i + 1);
    }
}

static int setup(void **state)
{
    (void)state;
    group_metrics_register();
    group_metrics_register(); /* once is enough */
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows),
                                        cmocka_unit_test(test_outcomes) };

    return cmocka_run_group_tests(tests, setup, NULL);
}
