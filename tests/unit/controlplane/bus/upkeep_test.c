/* Chores: cursors written back and tried again, topics trimmed behind every channel. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "controlplane/bus/topic.h"
#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

static struct subscriber one;
static struct subscriber two;

static int fresh(void **state)
{
    (void)state;
    memset(&one, 0, sizeof one);
    memset(&two, 0, sizeof two);
    return 0;
}

static void trim_now(void *ctx)
{
    struct bus *b = ((struct harness *)ctx)->bus;
    b->trim_timer.fire(&b->trim_timer);
}

struct trimmed {
    struct harness *h;
    const char *topic;
    uint64_t first;
};

static bool is_trimmed(void *ctx)
{
    struct trimmed *t = ctx;
    uint64_t first = 0;
    uint64_t last = 0;
    struct store_read r;
    trim_now(t->h);
    if (store_read_begin(t->h->bus->config.group, 0, &r) != 0)
        return false;
    (void)store_read_stream_bounds(&r, str_from(t->topic), &first, &last); /* none: 0, 0 */
    store_read_end(&r);
    return first == t->first;
}

static void wait_first(struct harness *h, const char *topic, uint64_t first)
{
    struct trimmed t = { h, topic, first };
    harness_until(h, is_trimmed, &t);
    harness_run(h, trim_now, h);
    harness_sleep(50);
    uint64_t now;
    uint64_t last;
    harness_bounds(h, topic, &now, &last);
    assert_int_equal(now, first);
}

static void ack_all(struct subscriber *s, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i <= to; i++)
        harness_ack(s, i);
}

/* Only what every stored channel has acknowledged goes. */
static void test_trim_behind_channels(void **state)
{
    struct harness *h = *state;
    (void)harness_publish(h, "trim", "", 0, "m", 20, NULL);
    harness_sleep(50);
    wait_first(h, "trim", 1); /* without a channel everything is kept */
    harness_subscribe(h, &one, "trim", "a", 100, 0);
    harness_subscribe(h, &two, "trim", "b", 100, 0);
    harness_wait_rows(&one, 20);
    harness_wait_rows(&two, 20);
    ack_all(&one, 1, 15);
    ack_all(&two, 1, 4);
    ack_all(&two, 6, 20);
    wait_first(h, "trim", 5);
    harness_ack(&two, 5);
    wait_first(h, "trim", 16);
    harness_subscribe_close(&one);
    harness_subscribe_close(&two);
    /* A channel that is not in use holds back what it has not seen. */
    (void)harness_publish(h, "trim", "", 0, "m", 5, NULL);
    harness_sleep(50);
    wait_first(h, "trim", 16);
}

/* An ephemeral channel trims nothing alone, and holds back what it has not seen. */
static void test_trim_and_ephemeral(void **state)
{
    struct harness *h = *state;
    (void)harness_publish(h, "eph", "", 0, "m", 10, NULL);
    one.ack = true;
    harness_subscribe(h, &one, "eph", "e#ephemeral", 100, 0);
    harness_wait_rows(&one, 10);
    harness_sleep(50);
    wait_first(h, "eph", 1);
    harness_subscribe_close(&one);
    memset(&one, 0, sizeof one);
    harness_subscribe(h, &one, "eph", "e#ephemeral", 100, 0);
    harness_wait_rows(&one, 10);
    two.ack = true;
    harness_subscribe(h, &two, "eph", "c", 100, 0);
    harness_wait_rows(&two, 10);
    ack_all(&one, 1, 3);
    harness_sleep(50);
    wait_first(h, "eph", 4);
    harness_subscribe_close(&one);
    wait_first(h, "eph", 11);
    harness_subscribe_close(&two);
}

static void fail_flush(void *ctx)
{
    struct bus *b = ((struct harness *)ctx)->bus;
    b->term += 100; /* the fence fails */
}

static void heal_flush(void *ctx)
{
    struct bus *b = ((struct harness *)ctx)->bus;
    b->term -= 100;
}

static bool cursor_is_seven(void *ctx)
{
    struct harness *h = ctx;
    struct store_read r;
    struct str row;
    if (store_read_begin(h->bus->config.group, 0, &r) != 0)
        return false;
    bool is = store_read_row(&r, str_lit("channel/flush/c"), &row) == 0 && row.len >= 1 &&
              row.data[0] == 7;
    store_read_end(&r);
    return is;
}

/* A cursor that could not be written is written later, without a further change. */
static void test_flush_is_tried_again(void **state)
{
    struct harness *h = *state;
    (void)harness_publish(h, "flush", "", 0, "m", 7, NULL);
    harness_subscribe(h, &one, "flush", "c", 100, 0);
    harness_wait_rows(&one, 7);
    harness_run(h, fail_flush, h);
    ack_all(&one, 1, 7);
    harness_sleep(4 * BUS_FLUSH_MS);
    harness_run(h, heal_flush, h);
    harness_until(h, cursor_is_seven, h);
    harness_subscribe_close(&one);
}

/* More topics than one transaction or one read takes: every one gets its turn. */
static void test_trim_of_many_topics(void **state)
{
    struct harness *h = *state;
    enum { TOPICS = 300 };
    static char names[TOPICS][3][64];
    for (size_t i = 0; i < TOPICS; i++) {
        (void)snprintf(names[i][0], 64, "n%03zu", i);
        (void)snprintf(names[i][1], 64, "topic/n%03zu", i);
        (void)snprintf(names[i][2], 64, "channel/n%03zu/c", i);
        struct store_op ops[] = {
            { .type = STORE_OP_ROW_PUT, .key = str_from(names[i][1]) },
            { .type = STORE_OP_ROW_PUT, .key = str_from(names[i][2]), .value = str_of("\2", 1) },
            { .type = STORE_OP_APPEND,
              .key = str_from(names[i][0]),
              .value = str_lit("00000000a") },
            { .type = STORE_OP_APPEND,
              .key = str_from(names[i][0]),
              .value = str_lit("00000000b") },
            { .type = STORE_OP_APPEND,
              .key = str_from(names[i][0]),
              .value = str_lit("00000000c") },
        };
        struct store_txn txn = { .ops = ops, .ops_count = 5 };
        assert_int_equal(harness_write(h, STORE_BUS, &txn).status, 0);
    }
    harness_sleep(50);
    wait_first(h, names[TOPICS - 1][0], 3);
    wait_first(h, names[0][0], 3);
    wait_first(h, names[150][0], 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_trim_behind_channels, fresh),
        cmocka_unit_test_setup(test_trim_and_ephemeral, fresh),
        cmocka_unit_test_setup(test_flush_is_tried_again, fresh),
        cmocka_unit_test_setup(test_trim_of_many_topics, fresh),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
