/* A channel's delivery state: answers, deadlines, order, persistence, and a random run against a
 * model. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "controlplane/bus/channel.h"

#define TIMEOUT 1000

static const char alice[] = "alice";
static const char bob[] = "bob";

static uint64_t take(struct channel *c, const void *consumer, uint64_t last, uint64_t now,
                     uint32_t *attempt)
{
    uint64_t sequence = 0;
    uint32_t ignored;
    if (!channel_take(c, consumer, last, now, TIMEOUT, &sequence, attempt ? attempt : &ignored))
        return 0;
    return sequence;
}

static void test_order_and_ack(void **state)
{
    (void)state;
    struct channel c;
    channel_init(&c, 10);
    assert_int_equal(take(&c, alice, 12, 0, NULL), 11);
    assert_int_equal(take(&c, bob, 12, 0, NULL), 12);
    assert_int_equal(take(&c, bob, 12, 0, NULL), 0);
    /* Out of order: the cursor waits for the gap. */
    assert_int_equal(channel_ack(&c, bob, 12), 0);
    assert_int_equal(c.cursor, 10);
    assert_int_equal(channel_ack(&c, bob, 11), -ERR_NOT_FOUND);
    assert_int_equal(channel_ack(&c, alice, 11), 0);
    assert_int_equal(c.cursor, 12);
    assert_int_equal(channel_ack(&c, alice, 11), -ERR_NOT_FOUND);
    assert_int_equal(channel_ack(&c, alice, 99), -ERR_NOT_FOUND);
    channel_deinit(&c);
}

static void test_timeout_requeue_touch(void **state)
{
    (void)state;
    struct channel c;
    uint32_t attempt = 0;
    channel_init(&c, 0);
    assert_int_equal(take(&c, alice, 3, 0, &attempt), 1);
    assert_int_equal(attempt, 1);
    assert_int_equal(take(&c, alice, 3, 0, NULL), 2);
    assert_int_equal(channel_touch(&c, alice, 2, 900, TIMEOUT), 0);
    assert_int_equal(channel_deadline_ms(&c), 1000);
    assert_int_equal(channel_expire(&c, 1000), 1);
    assert_int_equal(channel_ack(&c, alice, 1), -ERR_NOT_FOUND);
    assert_int_equal(take(&c, bob, 3, 1000, &attempt), 1);
    assert_int_equal(attempt, 2);
    /* A requeue with delay is not due before it. */
    assert_int_equal(channel_requeue(&c, bob, 1, 1000, 500), 0);
    assert_int_equal(take(&c, bob, 2, 1499, NULL), 0);
    assert_int_equal(take(&c, bob, 2, 1500, &attempt), 1);
    assert_int_equal(attempt, 3);
    /* Touching holds a message for CHANNEL_HOLD_MAX_MS at most. */
    assert_int_equal(channel_touch(&c, alice, 2, CHANNEL_HOLD_MAX_MS - 1, TIMEOUT), 0);
    (void)channel_expire(&c, CHANNEL_HOLD_MAX_MS);
    assert_int_equal(c.in_flight_count, 0);
    channel_deinit(&c);
}

static void test_drop_consumer(void **state)
{
    (void)state;
    struct channel c;
    channel_init(&c, 0);
    for (int i = 0; i < 4; i++)
        (void)take(&c, i % 2 == 0 ? alice : bob, 4, 0, NULL);
    channel_drop_consumer(&c, alice, 5);
    assert_int_equal(c.in_flight_count, 2);
    assert_int_equal(take(&c, bob, 4, 5, NULL), 1);
    assert_int_equal(take(&c, bob, 4, 5, NULL), 3);
    assert_int_equal(take(&c, bob, 4, 5, NULL), 0);
    channel_deinit(&c);
}

static void test_window(void **state)
{
    (void)state;
    struct channel c;
    channel_init(&c, 0);
    uint64_t taken = 0;
    while (take(&c, alice, 1000000, 0, NULL) != 0)
        taken++;
    assert_int_equal(taken, CHANNEL_WINDOW_MAX - 1);
    assert_int_equal(channel_ack(&c, alice, 1), 0);
    assert_int_equal(take(&c, alice, 1000000, 0, NULL), CHANNEL_WINDOW_MAX);
    channel_deinit(&c);
}

static void test_persistence(void **state)
{
    (void)state;
    struct channel c;
    struct channel back;
    struct buf row;
    buf_init(&row);
    channel_init(&c, 0);
    for (int i = 0; i < 9; i++)
        (void)take(&c, alice, 9, 0, NULL);
    static const uint64_t acked[] = { 1, 2, 4, 5, 8 };
    for (size_t i = 0; i < sizeof acked / sizeof acked[0]; i++)
        assert_int_equal(channel_ack(&c, alice, acked[i]), 0);
    assert_true(c.dirty);
    channel_encode(&c, &row);
    assert_false(c.dirty);
    channel_init(&back, 0);
    assert_int_equal(channel_decode(&back, buf_str(&row)), 0);
    static const uint64_t left[] = { 3, 6, 7, 9, 0 };
    struct buf again;
    buf_init(&again);
    channel_encode(&back, &again);
    assert_true(str_eq(buf_str(&row), buf_str(&again)));
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        assert_int_equal(take(&back, bob, 9, 0, NULL), left[i]);
    for (size_t cut = 1; cut < row.len; cut++) {
        struct channel bad;
        channel_init(&bad, 0);
        int rc = channel_decode(&bad, str_of(row.data, cut));
        assert_true(rc == 0 || rc == -ERR_CORRUPT);
        channel_deinit(&bad);
    }
    buf_deinit(&row);
    buf_deinit(&again);
    channel_deinit(&c);
    channel_deinit(&back);
}

/* What could not be sent keeps its place and its count. */
static void test_return(void **state)
{
    (void)state;
    struct channel c;
    uint32_t attempt = 0;
    channel_init(&c, 0);
    assert_int_equal(take(&c, alice, 3, 7, NULL), 1);
    assert_int_equal(take(&c, alice, 3, 7, NULL), 2);
    channel_return(&c, alice, 1, 7);
    channel_return(&c, alice, 2, 7);
    assert_int_equal(channel_waiting_ms(&c), 7);
    for (uint64_t sequence = 1; sequence <= 3; sequence++) {
        assert_int_equal(take(&c, bob, 3, 7, &attempt), sequence);
        assert_int_equal(attempt, 1);
    }
    assert_int_equal(channel_waiting_ms(&c), 0);
    channel_deinit(&c);
}

/* Trimming passes over everything below, in whatever state, and a gap of any width at once. */
static void test_trim(void **state)
{
    (void)state;
    struct channel c;
    channel_init(&c, 0);
    for (int i = 0; i < 6; i++)
        (void)take(&c, alice, 6, 0, NULL);
    assert_int_equal(channel_ack(&c, alice, 2), 0);
    assert_int_equal(channel_ack(&c, alice, 5), 0);
    assert_int_equal(channel_requeue(&c, alice, 1, 0, 50), 0);
    channel_trim(&c, 5);
    assert_int_equal(c.cursor, 5); /* 5 was acknowledged */
    assert_int_equal(c.waiting_count, 0);
    assert_int_equal(c.in_flight_count, 1);
    assert_int_equal(channel_ack(&c, alice, 4), -ERR_NOT_FOUND);
    channel_trim(&c, 5);
    assert_int_equal(c.cursor, 5);
    channel_trim(&c, 1ull << 40);
    assert_int_equal(c.cursor, (1ull << 40) - 1);
    assert_int_equal(c.in_flight_count, 0);
    assert_int_equal(take(&c, alice, 1ull << 40, 0, NULL), 1ull << 40);
    channel_deinit(&c);
}

/* Every message is acknowledged exactly once in the end, whatever happened on the way. */
static void test_random_run(void **state)
{
    (void)state;
    enum { LAST = 3000 };
    static unsigned char acked[LAST + 1];
    struct channel c;
    channel_init(&c, 0);
    uint64_t seed = 7;
    uint64_t now = 0;
    size_t done = 0;
    memset(acked, 0, sizeof acked);
    for (int step = 0; done < LAST && step < 2000000; step++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        uint32_t r = (uint32_t)(seed >> 33);
        const void *who = r & 1 ? alice : bob;
        now += r % 7;
        (void)channel_expire(&c, now);
        uint64_t sequence = take(&c, who, LAST, now, NULL);
        if (sequence == 0)
            continue;
        switch ((r >> 8) % 8) {
        case 0:
            assert_int_equal(channel_requeue(&c, who, sequence, now, r % 50), 0);
            break;
        case 1:
            break; /* left to its deadline */
        case 2:
            channel_drop_consumer(&c, who, now);
            break;
        default:
            assert_int_equal(channel_ack(&c, who, sequence), 0);
            assert_int_equal(acked[sequence]++, 0);
            done++;
            break;
        }
    }
    assert_int_equal(done, LAST);
    assert_int_equal(c.cursor, LAST);
    channel_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_ack), cmocka_unit_test(test_timeout_requeue_touch),
        cmocka_unit_test(test_drop_consumer), cmocka_unit_test(test_window),
        cmocka_unit_test(test_persistence),   cmocka_unit_test(test_return),
        cmocka_unit_test(test_trim),          cmocka_unit_test(test_random_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
