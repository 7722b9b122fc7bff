/* Credit, acks, requeues, touches, timeouts, large bodies, and a connection that is not read. */
#include <string.h>

#include "base/arena.h"
#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

static struct subscriber one;
static struct published published;

static int fresh(void **state)
{
    (void)state;
    memset(&one, 0, sizeof one);
    return 0;
}

static void test_credit(void **state)
{
    struct harness *h = *state;
    (void)harness_publish(h, "credit", "", 0, "m", 9, NULL);
    harness_subscribe(h, &one, "credit", "c", 2, 0);
    harness_expect_rows(&one, 2, 50);
    assert_int_equal(one.rows[0].sequence, 1);
    assert_int_equal(one.rows[0].attempt, 1);
    assert_string_equal(one.rows[0].body, "m0");
    assert_true(one.rows[0].published_at_ns > 0);
    /* An ack alone is no credit. */
    harness_ack(&one, 1);
    harness_expect_rows(&one, 2, 50);
    harness_credit(&one, 3);
    harness_expect_rows(&one, 5, 50);
    /* More than may be outstanding is cut, and does not wrap around. */
    harness_credit(&one, UINT32_MAX);
    harness_expect_rows(&one, 9, 20);
    harness_subscribe_close(&one);
}

/* Each publish wakes its consumers by itself. */
static void test_woken_by_publish(void **state)
{
    struct harness *h = *state;
    harness_subscribe(h, &one, "wake", "c", 100, 0);
    for (size_t i = 1; i <= 5; i++) {
        (void)harness_publish(h, "wake", "", 0, "m", 1, NULL);
        harness_expect_rows(&one, i, 0);
    }
    harness_subscribe_close(&one);
}

static void test_requeue_delay(void **state)
{
    struct harness *h = *state;
    (void)harness_publish(h, "requeue", "", 0, "m", 1, NULL);
    harness_subscribe(h, &one, "requeue", "c", 10, 0);
    harness_wait_rows(&one, 1);
    harness_requeue(&one, 1, 200);
    uint64_t began = env_now_ns(h->env);
    harness_expect_rows(&one, 1, 50);
    harness_wait_rows(&one, 2);
    assert_true(env_now_ns(h->env) - began > 150 * ENV_MS);
    assert_int_equal(one.rows[1].sequence, 1);
    assert_int_equal(one.rows[1].attempt, 2);
    harness_requeue(&one, 1, 0);
    harness_wait_rows(&one, 3);
    harness_subscribe_close(&one);
}

static void test_timeout_and_touch(void **state)
{
    struct harness *h = *state;
    (void)harness_publish(h, "timeout", "", 0, "m", 2, NULL);
    harness_subscribe(h, &one, "timeout", "c", 3, 300);
    harness_wait_rows(&one, 2);
    /* 1 is left to its timeout, 2 is touched beyond it. */
    for (int i = 0; i < 4; i++) {
        harness_sleep(100);
        harness_touch(&one, 2);
    }
    harness_wait_rows(&one, 3);
    assert_int_equal(one.rows[2].sequence, 1);
    assert_int_equal(one.rows[2].attempt, 2);
    harness_ack(&one, 2);
    harness_ack(&one, 1);
    harness_credit(&one, 10);
    harness_expect_rows(&one, 3, 400);
    harness_subscribe_close(&one);
}

static size_t number;

static void count_fired(void *ctx)
{
    struct bus *b = ((struct harness *)ctx)->bus;
    number += b->due_ms != 0 && b->due_ms < env_loop_now_ms(b->config.loop) + 1000;
}

/* What nobody has credit for sets no timer. */
static void test_no_spin(void **state)
{
    struct harness *h = *state;
    (void)harness_publish(h, "spin", "", 0, "m", 1, NULL);
    harness_subscribe(h, &one, "spin", "c", 1, 0);
    harness_wait_rows(&one, 1);
    harness_requeue(&one, 1, 0);
    harness_expect_rows(&one, 1, 100);
    number = 0;
    for (int i = 0; i < 20; i++)
        harness_run(h, count_fired, h);
    assert_int_equal(number, 0);
    harness_credit(&one, 1);
    harness_wait_rows(&one, 2);
    harness_subscribe_close(&one);
}

static void publish_large(struct harness *h, const char *topic, size_t bytes, size_t count)
{
    uint8_t *body = mem_alloc(bytes);
    memset(body, 'x', bytes);
    ProtobufCBinaryData data = { .data = body, .len = bytes };
    Gantry__Bus__V1__PublishRequest request = GANTRY__BUS__V1__PUBLISH_REQUEST__INIT;
    request.topic = (char *)(uintptr_t)topic;
    request.bodies = &data;
    request.n_bodies = 1;
    for (size_t i = 0; i < count; i++) {
        harness_publish_all(h, &published, &request, 1);
        assert_int_equal(published.code, GRPC_OK);
    }
    mem_free(body);
}

/* A response holds about 1 MiB; what did not fit is still its first attempt. */
static void test_large_bodies(void **state)
{
    struct harness *h = *state;
    publish_large(h, "large", 400000, 8);
    harness_subscribe(h, &one, "large", "c", 100, 0);
    harness_expect_rows(&one, 8, 50);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(one.rows[i].sequence, i + 1);
        assert_int_equal(one.rows[i].attempt, 1);
        assert_int_equal(one.rows[i].len, 400000);
    }
    harness_subscribe_close(&one);
}

static void pause_reading(void *ctx)
{
    (void)ctx;
    grpc_call_pause(&one.call);
}

static void resume_reading(void *ctx)
{
    (void)ctx;
    grpc_call_resume(&one.call);
}

static void queued_bytes(void *ctx)
{
    struct bus *b = ((struct harness *)ctx)->bus;
    struct topic *t = map_get(&b->topics, str_lit("slow"));
    number = 0;
    if (t == NULL || list_empty(&t->channels))
        return;
    struct bus_channel *c = container_of(t->channels.next, struct bus_channel, node);
    if (!list_empty(&c->consumers))
        number = container_of(c->consumers.next, struct consumer, node)->queued;
}

static bool is_full(void *ctx)
{
    queued_bytes(ctx);
    return number >= BUS_CONSUMER_BYTES_MAX;
}

/* A consumer that does not read gets so many bytes and no more, whatever its credit. */
static void test_slow_consumer(void **state)
{
    struct harness *h = *state;
    publish_large(h, "slow", 1000000, 12);
    harness_subscribe_raw(h, &one);
    harness_run(h, pause_reading, NULL);
    Gantry__Bus__V1__SubscribeStart start = GANTRY__BUS__V1__SUBSCRIBE_START__INIT;
    start.topic = (char *)(uintptr_t) "slow";
    start.channel = (char *)(uintptr_t) "c";
    start.credit = 2500;
    Gantry__Bus__V1__SubscribeRequest request = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__INIT;
    request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_START;
    request.start = &start;
    harness_send(&one, &request);
    harness_until(h, is_full, h);
    harness_sleep(100);
    harness_run(h, queued_bytes, h);
    assert_in_range(number, BUS_CONSUMER_BYTES_MAX, BUS_CONSUMER_BYTES_MAX + (2u << 20));
    assert_int_equal(one.count, 0);
    harness_run(h, resume_reading, NULL);
    harness_expect_rows(&one, 12, 50);
    harness_subscribe_close(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_credit, fresh),
        cmocka_unit_test_setup(test_woken_by_publish, fresh),
        cmocka_unit_test_setup(test_requeue_delay, fresh),
        cmocka_unit_test_setup(test_timeout_and_touch, fresh),
        cmocka_unit_test_setup(test_no_spin, fresh),
        cmocka_unit_test_setup(test_large_bodies, fresh),
        cmocka_unit_test_setup(test_slow_consumer, fresh),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
