/* /metrics of members under load: it parses, every named family is there, and what must move does.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/metrics.h"
#include "store/replica_metrics.h"
#include "tests/unit/store/metrics_text.h"
#include "tests/unit/store/store_world.h"
#include "tests/unit/unit.h"

/* Counters and histograms that a write or a read moves, by its group. */
static const char *const moving[] = {
    "store_writes_total",
    "store_write_seconds_count",
    "store_batch_commands_count",
    "store_quorum_seconds_count",
    "store_log_flushes_total",
    "store_log_flush_seconds_count",
    "store_apply_batch_entries_count",
    "store_apply_seconds_count",
    "store_readindex_rounds_total",
    "store_readindex_round_seconds_count",
};

static const char *const gauges[] = {
    "store_propose_queue_writes",
    "store_propose_queue_bytes",
    "store_propose_oldest_seconds",
    "store_propose_inflight_entries",
    "store_forward_inflight_calls",
    "store_log_queued_requests",
    "store_log_held",
    "store_apply_queue_bytes",
    "store_apply_queue_entries",
    "store_apply_lag_entries",
    "store_readindex_waiting_readers",
    "store_read_open",
    "store_raft_leading",
    "store_raft_ready",
    "store_raft_behind",
    "store_raft_snapshot_index",
    "store_catchup_fetched_bytes",
    "store_catchup_copy_bytes",
};

/* Gauges that are above 0 once something was written and read. */
static const char *const positive[] = {
    "store_log_bytes",
    "store_log_files",
    "store_ring_bytes",
    "store_ring_events",
    "store_read_longest_seconds",
    "store_raft_leader_id",
    "store_raft_term",
    "store_raft_commit_index",
    "store_raft_applied_index",
    "store_raft_last_index",
    "store_raft_log_entries",
    "store_raft_log_bytes",
    "store_raft_leader_changes_total",
};

/* Of other parts of the store, without a group of theirs. */
static const char *const others[] = {
    "store_commit_seconds",
    "store_apply_commands_total",
    "store_used_bytes",
    "store_disk_free_bytes",
    "store_alarm",
    "store_check_total",
    "store_copies_read_bytes_total",
    "store_read_long_total",
    "store_read_refused_total",
    "store_forward_failed_total",
    "store_forward_returned_total",
    "store_readindex_rounds_failed_total",
    "store_raft_elections_total",
    "store_catchup_seconds",
};

static const char *const links[] = {
    "store_link_connected",        "store_link_queued_bytes",
    "store_link_sent_bytes_total", "store_link_received_bytes_total",
    "store_link_reconnects_total", "store_link_round_trip_seconds",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct metrics_text before;
static struct metrics_text after;

static void scrape(struct buf *text, struct metrics_text *out)
{
    buf_clear(text);
    metrics_render(text);
    metrics_parse(out, buf_str(text));
}

static void load(struct store_world *w)
{
    char key[32];

    for (int n = 0; n < 60; n++) {
        (void)snprintf(key, sizeof(key), "load/%d", n);
        assert_int_equal(store_world_put(w, n % MEMBERS_COUNT, key, "value", 0).status, 0);
        assert_int_equal(store_world_read_point(w, n % MEMBERS_COUNT, 0, 0).status, 0);
        assert_true(store_world_has(w, n % MEMBERS_COUNT, key, "value"));
    }
}

/* Gauges are set a few times a second, some of them every 5 s. */
static void wait_for_gauges(struct buf *text)
{
    bool all = false;

    for (int n = 0; n < 200 && !all; n++) {
        usleep(100000);
        scrape(text, &after);
        all = true;
        for (size_t i = 0; i < COUNT(positive); i++)
            all = all && metrics_sum(&after, positive[i], "group=\"cluster\"") > 0;
    }
    for (size_t i = 0; i < COUNT(positive); i++) {
        print_message("%s\n", positive[i]);
        assert_true(metrics_sum(&after, positive[i], "group=\"cluster\"") > 0);
    }
}

static void expect_moved(void)
{
    for (size_t i = 0; i < COUNT(moving); i++) {
        print_message("%s\n", moving[i]);
        assert_true(metrics_sum(&after, moving[i], "group=\"cluster\"") >
                    metrics_sum(&before, moving[i], "group=\"cluster\""));
        (void)metrics_sum(&after, moving[i], "group=\"bus\"");
    }
    assert_true(metrics_sum(&after, "store_writes_total", "outcome=\"ok\"") -
                    metrics_sum(&before, "store_writes_total", "outcome=\"ok\"") >=
                60);
    assert_true(metrics_sum(&after, "store_link_sent_bytes_total", "peer=\"m2\"") >
                metrics_sum(&before, "store_link_sent_bytes_total", "peer=\"m2\""));
}

static void test_metrics(void **state)
{
    struct store_world *w = *state;
    struct buf first;
    struct buf text;

    buf_init(&first);
    buf_init(&text);
    (void)store_world_wait_leader(w);
    scrape(&first, &before);
    load(w);
    wait_for_gauges(&text);
    expect_moved();
    for (size_t i = 0; i < COUNT(gauges); i++) {
        (void)metrics_sum(&after, gauges[i], "group=\"cluster\"");
        (void)metrics_sum(&after, gauges[i], "group=\"bus\"");
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        print_message("%s\n", others[i]);
        assert_true(metrics_has_family(&after, others[i]));
    }
    for (size_t i = 0; i < COUNT(links); i++)
        (void)metrics_sum(&after, links[i], "peer=\"m1\"");
    /* Nothing waits any more. */
    assert_int_equal(metrics_sum(&after, "store_read_open", ""), 0);
    buf_deinit(&first);
    buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_metrics) };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
