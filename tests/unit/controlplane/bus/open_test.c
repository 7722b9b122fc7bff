/* Channels coming to memory and leaving it: cursors reloaded, idle ones unloaded, limits. */
#include <stdio.h>
#include <string.h>

#include "controlplane/bus/topic.h"
#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

static struct subscriber one;

static int fresh(void **state)
{
    (void)state;
    memset(&one, 0, sizeof one);
    return 0;
}

struct channels {
    struct harness *h;
    size_t count;
};

static void count_channels(void *ctx)
{
    struct channels *c = ctx;
    broker_unload_idle(c->h->bus);
    c->count = c->h->bus->channels_count;
}

static bool none_left(void *ctx)
{
    struct channels *c = ctx;
    count_channels(c);
    return c->count == 0;
}

static bool cursor_is_three(void *ctx)
{
    struct harness *h = ctx;
    struct store_read r;
    struct str row;
    if (store_read_begin(h->bus->config.group, 0, &r) != 0)
        return false;
    bool is = store_read_row(&r, str_lit("channel/kept/c"), &row) == 0 && row.len >= 1 &&
              row.data[0] == 3;
    store_read_end(&r);
    return is;
}

/* Cursor and what was acknowledged out of order survive memory, the process and its leadership. */
static void test_cursor_reloaded(void **state)
{
    struct harness *h = *state;
    (void)harness_publish(h, "kept", "", 0, "m", 6, NULL);
    harness_subscribe(h, &one, "kept", "c", 6, 0);
    harness_wait_rows(&one, 6);
    harness_ack(&one, 5);
    for (uint64_t i = 1; i <= 3; i++)
        harness_ack(&one, i);
    harness_until(h, cursor_is_three, h);
    harness_subscribe_close(&one);
    harness_restart(h);
    harness_subscribe(h, &one, "kept", "c", 6, 0);
    harness_expect_rows(&one, 2, 50);
    assert_int_equal(one.rows[0].sequence, 4);
    assert_int_equal(one.rows[1].sequence, 6);
    harness_ack(&one, 4);
    harness_ack(&one, 6);
    struct channels channels = { h, 0 };
    harness_run(h, count_channels, &channels);
    assert_int_equal(channels.count, 1);
    harness_subscribe_close(&one);
    harness_until(h, none_left, &channels);
    /* Out of memory, and back where it was. */
    harness_subscribe(h, &one, "kept", "c", 6, 0);
    harness_expect_rows(&one, 0, 50);
    harness_subscribe_close(&one);
}

/* A new channel that begins at the end stays there once it was served. */
static void test_latest_is_stored(void **state)
{
    struct harness *h = *state;
    (void)harness_publish(h, "late", "", 0, "m", 3, NULL);
    harness_subscribe_latest(h, &one, "late", "c", 0);
    harness_wait_row(h, "channel/late/c");
    harness_subscribe_close(&one);
    (void)harness_publish(h, "late", "", 0, "n", 2, NULL);
    harness_subscribe_latest(h, &one, "late", "c", 10);
    harness_expect_rows(&one, 2, 30);
    assert_int_equal(one.rows[0].sequence, 4);
    harness_subscribe_close(&one);
}

static void test_damaged_row(void **state)
{
    struct harness *h = *state;
    struct store_op op = { .type = STORE_OP_ROW_PUT,
                           .key = str_lit("channel/bad/c"),
                           .value = str_lit("\xff\xff") };
    struct store_txn txn = { .ops = &op, .ops_count = 1 };
    assert_int_equal(harness_write(h, STORE_BUS, &txn).status, 0);
    harness_wait_row(h, "channel/bad/c");
    harness_subscribe(h, &one, "bad", "c", 1, 0);
    harness_wait_end(&one, GRPC_DATA_LOSS, "channel c is damaged");
}

static void test_channels_of_a_topic(void **state)
{
    struct harness *h = *state;
    static char keys[TOPIC_CHANNELS_MAX][64];
    static struct store_op ops[TOPIC_CHANNELS_MAX];
    for (size_t i = 0; i < TOPIC_CHANNELS_MAX; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "channel/many/c%zu", i);
        ops[i] = (struct store_op){ .type = STORE_OP_ROW_PUT,
                                    .key = str_from(keys[i]),
                                    .value = str_of("\0", 1) };
    }
    struct store_txn txn = { .ops = ops, .ops_count = TOPIC_CHANNELS_MAX };
    assert_int_equal(harness_write(h, STORE_BUS, &txn).status, 0);
    harness_wait_row(h, keys[TOPIC_CHANNELS_MAX - 1]);
    harness_subscribe(h, &one, "many", "new", 1, 0);
    harness_wait_end(&one, GRPC_RESOURCE_EXHAUSTED, "topic many has 100 channels, its limit");
    (void)harness_publish(h, "many", "", 0, "m", 1, NULL);
    harness_subscribe(h, &one, "many", "c7", 1, 0);
    harness_wait_rows(&one, 1);
    harness_subscribe_close(&one);
    harness_subscribe(h, &one, "many", "x#ephemeral", 1, 0);
    harness_wait_rows(&one, 1);
    harness_subscribe_close(&one);
}

static void set_full(void *ctx)
{
    ((struct harness *)ctx)->bus->channels_count += BUS_CHANNELS_MAX;
}

static void set_unfull(void *ctx)
{
    ((struct harness *)ctx)->bus->channels_count -= BUS_CHANNELS_MAX;
}

static void test_channels_in_memory(void **state)
{
    struct harness *h = *state;
    harness_run(h, set_full, h);
    harness_subscribe(h, &one, "full", "c", 1, 0);
    harness_wait_end(&one, GRPC_RESOURCE_EXHAUSTED, "serves 1024 channels");
    harness_run(h, set_unfull, h);
    harness_subscribe(h, &one, "full", "c", 1, 0);
    harness_expect_rows(&one, 0, 20);
    assert_false(one.done);
    harness_subscribe_close(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_cursor_reloaded, fresh),
        cmocka_unit_test_setup(test_latest_is_stored, fresh),
        cmocka_unit_test_setup(test_damaged_row, fresh),
        cmocka_unit_test_setup(test_channels_of_a_topic, fresh),
        cmocka_unit_test_setup(test_channels_in_memory, fresh),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
