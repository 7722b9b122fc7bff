/* The member's own publisher: batches, topics in turn, its bounded queue. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

static struct subscriber one;
static struct subscriber two;

struct publishing {
    struct harness *h;
    struct bus_publisher *publisher;
    size_t count;
};

/* In bursts, as the controllers' loop does: what comes while one is in flight waits. */
static void run_publish(void *ctx)
{
    struct publishing *p = ctx;
    for (size_t i = 0; i < p->count; i++) {
        char body[32];
        int len = snprintf(body, sizeof body, "%zu", i);
        bus_publish(p->publisher, i % 7 == 0 ? str_lit("odd") : str_lit("even"),
                    str_of(body, (size_t)len));
    }
}

static void run_free(void *ctx)
{
    bus_publisher_free(ctx);
}

static void test_all_arrive_in_order(void **state)
{
    struct harness *h = *state;
    struct publishing p = { h, bus_publisher_new(h->bus, h->loop, str_lit("member/part/1")), 700 };
    one.ack = two.ack = true;
    harness_subscribe(h, &one, "odd", "c", 1000, 0);
    harness_subscribe(h, &two, "even", "c", 1000, 0);
    harness_run(h, run_publish, &p);
    harness_expect_rows(&one, 100, 30);
    harness_expect_rows(&two, 600, 30);
    for (size_t i = 0; i < 100; i++) {
        char body[32];
        (void)snprintf(body, sizeof body, "%zu", i * 7);
        assert_string_equal(one.rows[i].body, body);
        assert_int_equal(one.rows[i].sequence, i + 1);
    }
    harness_subscribe_close(&one);
    harness_subscribe_close(&two);
    harness_run(h, run_free, p.publisher);
}

/* Beyond its queue new messages are dropped; the first ones stay. */
static void test_queue_is_bounded(void **state)
{
    struct harness *h = *state;
    struct publishing p = { h, bus_publisher_new(h->bus, h->loop, str_lit("member/part/2")),
                            BUS_PUBLISHER_QUEUE_MAX + 500 };
    harness_run(h, run_publish, &p);
    uint64_t first;
    uint64_t odd = 0;
    uint64_t even = 0;
    for (int i = 0; odd + even < 700 + BUS_PUBLISHER_QUEUE_MAX && i < 2000; i++) {
        harness_sleep(10);
        harness_bounds(h, "odd", &first, &odd);
        harness_bounds(h, "even", &first, &even);
    }
    harness_sleep(50);
    harness_bounds(h, "odd", &first, &odd);
    harness_bounds(h, "even", &first, &even);
    assert_int_equal(odd + even, 700 + BUS_PUBLISHER_QUEUE_MAX);
    harness_run(h, run_free, p.publisher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_arrive_in_order),
        cmocka_unit_test(test_queue_is_bounded),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
