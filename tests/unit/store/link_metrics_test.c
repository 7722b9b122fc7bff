/* Rows of links: shown by name, hidden when the member is gone, never more than there are. */
#include <stdio.h>

#include "base/buf.h"
#include "base/metrics.h"
#include "store/link_metrics.h"
#include "tests/unit/unit.h"

static bool shows(const char *text)
{
    struct buf out;
    bool found;

    buf_init(&out);
    metrics_render(&out);
    found = str_find(buf_str(&out), str_from(text)) >= 0;
    buf_deinit(&out);
    return found;
}

static void test_rows(void **state)
{
    struct links_stats stats = { .connected = true, .sent_bytes = 7, .reconnects = 1 };
    struct link_metrics *m2;

    (void)state;
    assert_null(link_metrics_of("m2")); /* not before they are there */
    link_metrics_register();
    assert_false(shows("store_link"));
    m2 = link_metrics_of("m2");
    assert_non_null(m2);
    link_metrics_set(m2, &stats);
    assert_true(shows("store_link_connected{peer=\"m2\"} 1\n"));
    assert_true(shows("store_link_sent_bytes_total{peer=\"m2\"} 7\n"));
    assert_true(shows("store_link_reconnects_total{peer=\"m2\"} 1\n"));
    link_metrics_round_trip("m2", 1500000);
    link_metrics_round_trip("m3", 1500000); /* has no rows */
    assert_true(shows("store_link_round_trip_seconds{peer=\"m2\"} 0.0015"));
    assert_false(shows("m3"));
    link_metrics_hide(m2);
    assert_false(shows("store_link"));
    assert_ptr_equal(link_metrics_of("m2"), m2); /* the member is back */
    assert_true(shows("peer=\"m2\""));
    assert_null(link_metrics_of("m\"2")); /* cannot be in a label */
    link_metrics_set(NULL, &stats);
    link_metrics_hide(NULL);
}

static void test_bound(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < LINK_METRICS_MAX + 2; i++) {
        (void)snprintf(name, sizeof(name), "n%d", i);
        assert_int_equal(link_metrics_of(name) != NULL, i < LINK_METRICS_MAX - 1); /* and m2 */
    }
    assert_non_null(link_metrics_of("n0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_bound) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
