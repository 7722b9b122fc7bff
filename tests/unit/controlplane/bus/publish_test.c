/* Publishing: one answer per request in order, deduplication, limits, refusals. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "controlplane/bus/publish.h"
#include "controlplane/bus/request.h"
#include "controlplane/bus/topic.h"
#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

#define REQUESTS 600

static struct published published;
static struct subscriber one;

static int fresh(void **state)
{
    (void)state;
    memset(&one, 0, sizeof one);
    return 0;
}

static void test_ops(void **state)
{
    (void)state;
    struct arena a;
    struct store_op ops[3];
    arena_init(&a);
    struct publish_message_in messages[] = { { str_lit("x"), 7 }, { str_lit(""), 8 } };
    assert_int_equal(publish_ops(&a, ENV_MS, str_lit("t"), str_lit("p"), true, messages, 2, ops),
                     3);
    assert_int_equal(ops[1].expires_ms, PUBLISH_PRODUCER_MS + 1);
    /* Without a producer, or while some member could not read of it, nothing expires. */
    assert_int_equal(publish_ops(&a, 5, str_lit("t"), str_lit(""), true, messages, 2, ops), 3);
    assert_int_equal(ops[1].expires_ms, 0);
    assert_int_equal(publish_ops(&a, 5, str_lit("t"), str_lit("p"), false, messages, 2, ops), 3);
    assert_int_equal(ops[1].expires_ms, 0);
    assert_int_equal(ops[0].type, STORE_OP_ROW_PUT);
    assert_true(str_eq_c(ops[0].key, "topic/t"));
    for (size_t i = 0; i < 2; i++) {
        uint64_t wall_ns = 0;
        struct str body;
        assert_int_equal(ops[i + 1].type, STORE_OP_APPEND);
        assert_int_equal(ops[i + 1].producer_sequence, 7 + i);
        topic_record_read(ops[i + 1].value, &wall_ns, &body);
        assert_int_equal(wall_ns, 5);
        assert_true(str_eq(body, messages[i].body));
    }
    arena_deinit(&a);
}

/* Many requests at once, more than may wait: every one is answered, in order. */
static void test_order(void **state)
{
    struct harness *h = *state;
    static Gantry__Bus__V1__PublishRequest requests[REQUESTS];
    static ProtobufCBinaryData bodies[REQUESTS][2];
    static char texts[REQUESTS][16];
    for (size_t i = 0; i < REQUESTS; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%zu", i);
        bodies[i][0] = bodies[i][1] =
            (ProtobufCBinaryData){ .data = (uint8_t *)texts[i], .len = strlen(texts[i]) };
        requests[i] = (Gantry__Bus__V1__PublishRequest)GANTRY__BUS__V1__PUBLISH_REQUEST__INIT;
        /* Two topics in turn, so that transactions hold runs of one. */
        requests[i].topic = (char *)(uintptr_t)(i / 50 % 2 == 0 ? "cluster.a" : "cluster.b");
        requests[i].bodies = bodies[i];
        requests[i].n_bodies = 1 + i % 2;
    }
    harness_publish_all(h, &published, requests, REQUESTS);
    assert_int_equal(published.code, GRPC_OK);
    assert_int_equal(published.count, REQUESTS);
    uint64_t last[2] = { 0, 0 };
    for (size_t i = 0; i < REQUESTS; i++) {
        last[i / 50 % 2] += requests[i].n_bodies;
        assert_int_equal(published.sequences[i], last[i / 50 % 2]);
    }
    one.ack = true;
    harness_subscribe(h, &one, "cluster.a", "c", 100, 0);
    harness_wait_rows(&one, 450);
    for (size_t i = 0, row = 0; i < REQUESTS; i++) {
        for (size_t k = 0; i / 50 % 2 == 0 && k < requests[i].n_bodies; k++, row++)
            assert_string_equal(one.rows[row].body, texts[i]);
    }
    harness_subscribe_close(&one);
}

static void test_dedup(void **state)
{
    struct harness *h = *state;
    static const struct {
        const char *producer;
        uint64_t sequence;
        size_t count;
        uint64_t got;
    } cases[] = {
        { "p", 1, 2, 2 }, { "p", 1, 2, 2 },                   /* a retry: as the first time */
        { "p", 1, 1, 0 },                                     /* an older one: not known any more */
        { "p", 2, 3, 4 },                                     /* overlaps: only what is new */
        { "q", 1, 1, 5 },                                     /* each its own */
        { "", 0, 1, 6 },  { "", 0, 1, 7 },  { "p", 9, 1, 8 }, /* sequences may skip */
        { "p", 9, 1, 8 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(harness_publish(h, "dedup", cases[i].producer, cases[i].sequence, "m",
                                         cases[i].count, NULL),
                         cases[i].got);
    uint64_t first;
    uint64_t last;
    harness_bounds(h, "dedup", &first, &last);
    for (int i = 0; last < 8 && i < 100; i++) {
        harness_sleep(10);
        harness_bounds(h, "dedup", &first, &last);
    }
    assert_int_equal(last, 8);
}

/* A stream sent again as a whole, after one that got half way. */
static void test_retried_stream(void **state)
{
    struct harness *h = *state;
    static Gantry__Bus__V1__PublishRequest requests[20];
    ProtobufCBinaryData body = { .data = (uint8_t *)(uintptr_t) "x", .len = 1 };
    for (size_t i = 0; i < 20; i++) {
        requests[i] = (Gantry__Bus__V1__PublishRequest)GANTRY__BUS__V1__PUBLISH_REQUEST__INIT;
        requests[i].topic = (char *)(uintptr_t) "again";
        requests[i].producer = (char *)(uintptr_t) "p";
        requests[i].sequence = i + 1;
        requests[i].bodies = &body;
        requests[i].n_bodies = 1;
    }
    harness_publish_all(h, &published, requests, 12);
    harness_publish_all(h, &published, requests, 20);
    assert_int_equal(published.code, GRPC_OK);
    assert_int_equal(published.count, 20);
    for (size_t i = 0; i < 20; i++)
        assert_true(published.sequences[i] == (i < 12 ? 0 : i + 1) ||
                    (i == 11 && published.sequences[i] == 12));
}

static void test_depth(void **state)
{
    struct harness *h = *state;
    enum grpc_code code;
    for (uint64_t i = 0; i < HARNESS_DEPTH / 100; i++)
        assert_int_equal(harness_publish(h, "deep", "", 0, "m", 100, NULL), (i + 1) * 100);
    for (int i = 0; i < 100; i++) {
        harness_sleep(10); /* until the last one is visible */
        uint64_t first;
        uint64_t last;
        harness_bounds(h, "deep", &first, &last);
        if (last == HARNESS_DEPTH)
            break;
    }
    (void)harness_publish(h, "deep", "", 0, "m", 1, &code);
    assert_int_equal(code, GRPC_RESOURCE_EXHAUSTED);
    /* The system's topics drop their oldest instead. */
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(harness_publish(h, "cluster.deep", "", 0, "m", 100, NULL), (i + 1) * 100);
}

static void test_refusals(void **state)
{
    struct harness *h = *state;
    static const struct {
        const char *topic;
        const char *producer;
        uint64_t sequence;
        size_t bodies;
        size_t bytes;
        const char *words;
    } cases[] = {
        { "", "", 0, 1, 1, "topic must be" },
        { "a/b", "", 0, 1, 1, "topic must be" },
        { "t", "", 0, 0, 1, "1 to 200 bodies" },
        { "t", "", 0, 201, 1, "1 to 200 bodies" },
        { "t", "", 0, 1, (1u << 20) + 1, "a body is at most 1048576 bytes" },
        { "t", "", 0, 2, 700000, "bodies of a request are at most 1310720 bytes" },
        { "t", "p", 0, 1, 1, "begin at 1" },
        { "t", "p", UINT64_MAX, 1, 1, "begin at 1" },
        { "t", "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp", 1, 1, 1,
          "producer's name" },
    };
    static uint8_t bytes[(1u << 20) + 1];
    static ProtobufCBinaryData bodies[201];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Gantry__Bus__V1__PublishRequest requests[2] = { GANTRY__BUS__V1__PUBLISH_REQUEST__INIT,
                                                        GANTRY__BUS__V1__PUBLISH_REQUEST__INIT };
        for (size_t k = 0; k < 201; k++)
            bodies[k] = (ProtobufCBinaryData){ .data = bytes, .len = cases[i].bytes };
        requests[0].topic = (char *)(uintptr_t)cases[i].topic;
        requests[0].producer = (char *)(uintptr_t)cases[i].producer;
        requests[0].sequence = cases[i].sequence;
        requests[0].bodies = bodies;
        requests[0].n_bodies = cases[i].bodies;
        requests[1] = requests[0];
        harness_publish_all(h, &published, requests, 2);
        assert_int_equal(published.code, GRPC_INVALID_ARGUMENT);
        assert_int_equal(published.count, 0);
        if (strstr(published.message, cases[i].words) == NULL)
            fail_msg("case %zu: %s", i, published.message);
    }
    uint64_t first;
    uint64_t last;
    harness_bounds(h, "t", &first, &last);
    assert_int_equal(last, 0);
}

/* As large as may be: the transaction takes it. */
static void test_largest(void **state)
{
    struct harness *h = *state;
    static uint8_t bytes[REQUEST_BODIES_BYTES_MAX / TOPIC_BODIES_MAX];
    static ProtobufCBinaryData bodies[TOPIC_BODIES_MAX];
    for (size_t i = 0; i < TOPIC_BODIES_MAX; i++)
        bodies[i] = (ProtobufCBinaryData){ .data = bytes, .len = sizeof bytes };
    Gantry__Bus__V1__PublishRequest request = GANTRY__BUS__V1__PUBLISH_REQUEST__INIT;
    request.topic = (char *)(uintptr_t) "cluster.large";
    request.producer = (char *)(uintptr_t) "cluster.large-producer";
    request.sequence = 1;
    request.bodies = bodies;
    request.n_bodies = TOPIC_BODIES_MAX;
    harness_publish_all(h, &published, &request, 1);
    assert_int_equal(published.code, GRPC_OK);
    assert_int_equal(published.sequences[0], TOPIC_BODIES_MAX);
}

static void test_topics(void **state)
{
    struct harness *h = *state;
    static char keys[TOPIC_COUNT_MAX][64];
    static struct store_op ops[150];
    for (size_t i = 0; i < TOPIC_COUNT_MAX; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "topic/made-%zu", i);
        ops[i % 150] = (struct store_op){ .type = STORE_OP_ROW_PUT, .key = str_from(keys[i]) };
        struct store_txn txn = { .ops = ops, .ops_count = 150 };
        if (i % 150 == 149)
            assert_int_equal(harness_write(h, STORE_BUS, &txn).status, 0);
    }
    harness_wait_row(h, keys[TOPIC_COUNT_MAX - 1]);
    enum grpc_code code;
    (void)harness_publish(h, "brand-new", "", 0, "m", 1, &code);
    assert_int_equal(code, GRPC_RESOURCE_EXHAUSTED);
    (void)harness_publish(h, "made-5", "", 0, "m", 1, &code);
    assert_int_equal(code, GRPC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops),     cmocka_unit_test_setup(test_order, fresh),
        cmocka_unit_test(test_dedup),   cmocka_unit_test(test_retried_stream),
        cmocka_unit_test(test_depth),   cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_largest), cmocka_unit_test(test_topics),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
