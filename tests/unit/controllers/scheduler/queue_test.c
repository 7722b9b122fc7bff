/* The scheduling queue: order, back-off, and which event wakes whom. */
#include <string.h>

#include "controllers/scheduler/queue.h"
#include "tests/unit/unit.h"

static void test_order(void **state)
{
    struct queue q;
    struct queue_entry e[4];
    static const int32_t priorities[] = { 0, 5, 0, 5 };
    static const int want[] = { 1, 3, 0, 2 };

    (void)state; /* no shared fixture */
    memset(e, 0, sizeof(e));
    queue_init(&q);
    for (int i = 0; i < 4; i++)
        queue_add(&q, &e[i], priorities[i], 100);
    for (int i = 0; i < 4; i++) {
        assert_ptr_equal(queue_pop(&q, 100), &e[want[i]]);
        queue_settled(&e[want[i]]);
    }
    assert_null(queue_pop(&q, 100));
    queue_deinit(&q);
}

static void test_backoff(void **state)
{
    static const uint64_t want[] = { 1000, 2000, 4000, 8000, 10000, 10000 };
    struct queue q;
    struct queue_entry e = { 0 };
    uint64_t now = 5000;

    (void)state; /* no shared fixture */
    queue_init(&q);
    queue_add(&q, &e, 0, now);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_ptr_equal(queue_pop(&q, now), &e);
        queue_failed(&q, &e, now);
        assert_null(queue_pop(&q, now));
        assert_int_equal(queue_tick(&q, now), now + want[i]);
        (void)queue_tick(&q, now + want[i] - 1);
        assert_null(queue_pop(&q, now));
        now += want[i];
        assert_int_equal(queue_tick(&q, now), UINT64_MAX);
    }
    queue_deinit(&q);
}

static void test_events(void **state)
{
    struct queue q;
    struct queue_entry cpu = { 0 }, label = { 0 };

    (void)state; /* no shared fixture */
    queue_init(&q);
    queue_add(&q, &cpu, 0, 0);
    queue_add(&q, &label, 0, 0);
    assert_ptr_equal(queue_pop(&q, 0), &cpu);
    queue_unschedulable(&q, &cpu, 1u << 3, 0);
    assert_ptr_equal(queue_pop(&q, 0), &label);
    /* An event during the attempt counts: it may not have seen it. */
    queue_event(&q, 1u << 5, 0);
    queue_unschedulable(&q, &label, 1u << 5, 0);
    assert_int_equal(label.place, QUEUE_BACKOFF);
    assert_int_equal(cpu.place, QUEUE_UNSCHEDULABLE);
    queue_event(&q, 1u << 5, 2000);
    assert_int_equal(cpu.place, QUEUE_UNSCHEDULABLE);
    queue_event(&q, 1u << 3, 2000);
    assert_int_equal(cpu.place, QUEUE_ACTIVE);
    queue_remove(&q, &cpu);
    queue_remove(&q, &label);
    assert_null(queue_pop(&q, 100000));
    queue_deinit(&q);
}

static void test_flush(void **state)
{
    struct queue q;
    struct queue_entry e = { 0 };

    (void)state; /* no shared fixture */
    queue_init(&q);
    queue_add(&q, &e, 0, 7);
    assert_ptr_equal(queue_pop(&q, 7), &e);
    queue_unschedulable(&q, &e, 1, 7);
    assert_int_equal(queue_tick(&q, 8), 7 + QUEUE_FLUSH_MS);
    assert_int_equal(queue_tick(&q, 7 + QUEUE_FLUSH_MS), UINT64_MAX);
    assert_ptr_equal(queue_pop(&q, 7 + QUEUE_FLUSH_MS), &e);
    queue_deinit(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_order),
                                        cmocka_unit_test(test_backoff),
                                        cmocka_unit_test(test_events),
                                        cmocka_unit_test(test_flush) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
