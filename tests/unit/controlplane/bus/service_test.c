/* Subscribe's requests: malformed ones, wrong order, floods. */
#include <string.h>

#include "base/arena.h"
#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

static struct subscriber one;

static int fresh(void **state)
{
    (void)state;
    memset(&one, 0, sizeof one);
    return 0;
}

static void test_malformed(void **state)
{
    struct harness *h = *state;
    static const struct {
        struct str bytes;
        enum grpc_code code;
        const char *words;
    } cases[] = {
        { STR("\x0a\xff"), GRPC_INVALID_ARGUMENT, "not a gantry.bus.v1.SubscribeRequest" },
        { STR(""), GRPC_INVALID_ARGUMENT, "send start first" },
        { STR("\x12\x02\x08\x01"), GRPC_INVALID_ARGUMENT, "send start first" },
        { STR("\x0a\x00"), GRPC_INVALID_ARGUMENT, "topic and channel must be" },
        { STR("\x0a\x06\x0a\x01t\x12\x01/"), GRPC_INVALID_ARGUMENT, "topic and channel must be" },
        { STR("\x0a\x09\x0a\x01t\x12\x01"
              "c\x18\xc5\x13"),
          GRPC_INVALID_ARGUMENT, "credit is at most 2500" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(&one, 0, sizeof one);
        harness_subscribe_raw(h, &one);
        harness_send_bytes(&one, cases[i].bytes);
        harness_wait_end(&one, cases[i].code, cases[i].words);
    }
}

static void test_start_twice(void **state)
{
    struct harness *h = *state;
    harness_subscribe(h, &one, "twice", "c", 1, 0);
    harness_send_bytes(&one, str_lit("\x0a\x06\x0a\x01t\x12\x01"
                                     "c"));
    harness_wait_end(&one, GRPC_INVALID_ARGUMENT, "start was sent already");
    memset(&one, 0, sizeof one);
    harness_subscribe(h, &one, "twice", "c", 1, 0);
    harness_send_bytes(&one, str_lit(""));
    harness_wait_end(&one, GRPC_INVALID_ARGUMENT, "an empty request");
}

static void send_ack_of(struct subscriber *s, size_t count)
{
    uint64_t *sequences = mem_alloc(count * sizeof *sequences);
    for (size_t i = 0; i < count; i++)
        sequences[i] = i + 1;
    Gantry__Bus__V1__SubscribeAck ack = GANTRY__BUS__V1__SUBSCRIBE_ACK__INIT;
    ack.sequences = sequences;
    ack.n_sequences = count;
    Gantry__Bus__V1__SubscribeRequest request = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__INIT;
    request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_ACK;
    request.ack = &ack;
    harness_send(s, &request);
    mem_free(sequences);
}

static void test_huge_acks(void **state)
{
    struct harness *h = *state;
    (void)harness_publish(h, "acks", "", 0, "m", 100, NULL);
    harness_subscribe(h, &one, "acks", "c", 100, 0);
    harness_wait_rows(&one, 100);
    send_ack_of(&one, 4096);
    harness_expect_rows(&one, 100, 20);
    send_ack_of(&one, 4097);
    harness_wait_end(&one, GRPC_INVALID_ARGUMENT, "at most 4096 sequences");
    memset(&one, 0, sizeof one);
    harness_subscribe(h, &one, "acks", "c", 100, 0);
    harness_expect_rows(&one, 0, 50);
    send_ack_of(&one, 60000);
    harness_wait_end(&one, GRPC_RESOURCE_EXHAUSTED, "larger than the limit");
}

struct flood {
    struct harness *h;
    size_t count;
};

static void run_flood(void *ctx)
{
    struct flood *f = ctx;
    for (size_t i = 0; i < f->count; i++)
        grpc_call_send(&one.call, str_lit("\x12\x02\x08\x01"));
}

/* More requests than may be under way: the stream is paused and goes on. */
static void test_flood(void **state)
{
    struct harness *h = *state;
    struct flood f = { h, 5 * BUS_REQUESTS_MAX };
    harness_subscribe(h, &one, "flood", "c", 0, 0);
    harness_run(h, run_flood, &f);
    (void)harness_publish(h, "flood", "", 0, "m", 200, NULL);
    harness_expect_rows(&one, 200, 20);
    harness_subscribe_close(&one);
}

static void run_end(void *ctx)
{
    (void)ctx;
    grpc_call_end(&one.call);
}

static void test_half_close(void **state)
{
    struct harness *h = *state;
    harness_subscribe(h, &one, "half", "c", 1, 0);
    harness_expect_rows(&one, 0, 20);
    harness_run(h, run_end, NULL);
    harness_wait_end(&one, GRPC_OK, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_malformed, fresh),
        cmocka_unit_test_setup(test_start_twice, fresh),
        cmocka_unit_test_setup(test_huge_acks, fresh),
        cmocka_unit_test_setup(test_flood, fresh),
        cmocka_unit_test_setup(test_half_close, fresh),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
