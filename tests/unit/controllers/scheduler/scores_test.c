/* Scores by hand: the free share and the balance, each of a hundred. */
#include "controllers/scheduler/decide.h"
#include "tests/unit/controllers/scheduler/rows.h"
#include "tests/unit/unit.h"

/* A node of 4 cpu and 8Gi. */
static const struct row {
    const char *there, *asks;
    int32_t want;
} rows[] = {
    { "", "\"cpu\":\"2\",\"memory\":\"4Gi\"", 50 + 100 },
    { "", "\"cpu\":\"4\",\"memory\":\"8Gi\"", 0 + 100 },
    { "", "\"cpu\":\"4\",\"memory\":\"0\"", 48 + 50 },
    { "\"cpu\":\"1\",\"memory\":\"2Gi\"", "\"cpu\":\"1\",\"memory\":\"2Gi\"", 50 + 100 },
};

static void test_rows(void **state)
{
    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct snapshot s;
        struct pod_row pod;

        snapshot_init(&s);
        rows_node(&s, "n", "4", "8Gi", 110, "");
        if (rows[i].there[0] != 0)
            rows_place(&s, "n", rows[i].there);
        rows_pod(&s, &pod, rows[i].asks, "");
        assert_int_equal(score_node(&pod, snapshot_node(&s, str_lit("n"))), rows[i].want);
        assert_int_equal(score_taints(&pod, snapshot_node(&s, str_lit("n"))), 0);
        pod_row_deinit(&pod);
        snapshot_deinit(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
