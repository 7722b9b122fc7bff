/* Metrics: arithmetic and the exact text. */
#include "base/buf.h"
#include "base/metrics.h"
#include "tests/unit/unit.h"

static const double bounds[] = { 0.1, 1 };
static struct metric gets = { .name = "api_requests_total",
                              .help = "Requests.",
                              .type = METRIC_COUNTER,
                              .labels = "verb=\"get\"" };
static struct metric puts_ = { .name = "api_requests_total",
                               .help = "Requests.",
                               .type = METRIC_COUNTER,
                               .labels = "verb=\"put\"" };
static struct metric depth = { .name = "queue_depth_items",
                               .help = "Depth.",
                               .type = METRIC_GAUGE };
static struct metric latency = { .name = "api_latency_seconds",
                                 .help = "Latency.",
                                 .type = METRIC_HISTOGRAM,
                                 .bounds = bounds,
                                 .bounds_count = 2 };
static struct metric age = {
    .name = "queue_age_seconds", .help = "Age.", .type = METRIC_SECONDS, .hidden = 1
};
static struct metric *const first[] = { &gets, &depth, &latency, &age, NULL };
static struct metric *const second[] = { &puts_, NULL };

static void test_render(void **state)
{
    (void)state;
    metrics_register(first);
    metrics_register(second);
    metrics_register(first); /* once is enough */
    metric_add(&gets, 2);
    metric_add(&puts_, 1);
    metric_set(&depth, 7);
    metric_add(&depth, -2);
    metric_observe(&latency, 0.05);
    metric_observe(&latency, 0.1);
    metric_observe(&latency, 0.5);
    metric_observe(&latency, 3);
    assert_int_equal(metric_value(&latency), 4);
    struct buf out;
    buf_init(&out);
    metrics_render(&out);
    buf_append_byte(&out, 0);
    assert_string_equal((const char *)out.data, "# HELP api_requests_total Requests.\n"
                                                "# TYPE api_requests_total counter\n"
                                                "api_requests_total{verb=\"get\"} 2\n"
                                                "api_requests_total{verb=\"put\"} 1\n"
                                                "# HELP queue_depth_items Depth.\n"
                                                "# TYPE queue_depth_items gauge\n"
                                                "queue_depth_items 5\n"
                                                "# HELP api_latency_seconds Latency.\n"
                                                "# TYPE api_latency_seconds histogram\n"
                                                "api_latency_seconds_bucket{le=\"0.1\"} 2\n"
                                                "api_latency_seconds_bucket{le=\"1\"} 3\n"
                                                "api_latency_seconds_bucket{le=\"+Inf\"} 4\n"
                                                "api_latency_seconds_sum 3.65\n"
                                                "api_latency_seconds_count 4\n");
    buf_clear(&out);
    metric_set(&age, 1500000);
    metric_set_total(&gets, 9);
    metric_show(&age, true);
    metrics_render(&out);
    assert_true(str_find(buf_str(&out), str_lit("api_requests_total{verb=\"get\"} 9\n")) > 0);
    assert_true(str_ends(buf_str(&out), str_lit("# HELP queue_age_seconds Age.\n"
                                                "# TYPE queue_age_seconds gauge\n"
                                                "queue_age_seconds 0.0015\n")));
    metric_show(&age, false);
    buf_clear(&out);
    metrics_render(&out);
    assert_true(str_find(buf_str(&out), str_lit("queue_age")) < 0);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_render) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
