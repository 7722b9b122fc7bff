/* What controllers and scheduler announce: one JSON message on the right topic. */
#include <string.h>

#include "base/arena.h"
#include "controlplane/announce.h"
#include "controlplane/bus/topic.h"
#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

struct announcing {
    struct announce *announce;
    enum scheduling_step step;
};

static void run_queue(void *ctx)
{
    struct announcing *a = ctx;
    struct publish publish = announce_publish(a->announce);
    struct workqueue_sample sample = {
        .name = "replica\"set", .depth = 3, .oldest_ms = 12, .interval_ms = 1000
    };
    publish.queue(publish.ctx, &sample);
}

static void run_scheduling(void *ctx)
{
    struct announcing *a = ctx;
    struct publish publish = announce_publish(a->announce);
    struct scheduling_event event = { .step = a->step,
                                      .namespace = str_lit("d"),
                                      .name = str_lit("p"),
                                      .node = str_lit("n1"),
                                      .message = a->step == SCHEDULING_UNSCHEDULABLE
                                                     ? str_lit("0/1 nodes\n")
                                                     : str_of(NULL, 0),
                                      .revision = 7,
                                      .queued_ns = 5000 };
    publish.scheduling(publish.ctx, &event);
}

static void run_free(void *ctx)
{
    announce_free(ctx);
}

struct last {
    char text[600];
};

static bool keep(void *ctx, uint64_t sequence, struct str value)
{
    struct last *last = ctx;
    uint64_t wall_ns;
    struct str body;
    (void)sequence;
    topic_record_read(value, &wall_ns, &body);
    assert_true(body.len < sizeof last->text);
    memcpy(last->text, body.data, body.len);
    last->text[body.len] = '\0';
    return true;
}

/* The message with this sequence; waits for it. */
static void read_one(struct harness *h, const char *topic, uint64_t sequence, struct last *out)
{
    uint64_t first;
    uint64_t last = 0;
    struct store_read r;
    for (int i = 0; last < sequence && i < HARNESS_WAIT_MS / 5; i++) {
        harness_sleep(5);
        harness_bounds(h, topic, &first, &last);
    }
    assert_int_equal(last, sequence);
    assert_int_equal(store_read_begin(store_group(h->store, STORE_BUS), 0, &r), 0);
    (void)store_read_stream(&r, str_from(topic), sequence - 1, keep, out);
    store_read_end(&r);
}

static void test_messages(void **state)
{
    struct harness *h = *state;
    struct announcing a = { announce_new(h->bus, h->loop, "m1", "controllers"), 0 };
    struct last last;
    harness_run(h, run_queue, &a);
    read_one(h, TOPIC_QUEUE, 1, &last);
    assert_string_equal(last.text,
                        "{\"source\":\"m1/controllers\",\"queue\":\"replica\\\"set\",\"depth\":3,"
                        "\"processing\":0,\"delayed\":0,\"oldestMs\":12,\"added\":0,"
                        "\"completed\":0,\"retried\":0,\"dropped\":0,\"intervalMs\":1000}");
    static const struct {
        enum scheduling_step step;
        const char *words;
    } cases[] = { { SCHEDULING_QUEUED, "\"step\":\"queued\"" },
                  { SCHEDULING_BOUND, "\"step\":\"scheduled\",\"namespace\":\"d\",\"name\":\"p\"" },
                  { SCHEDULING_UNSCHEDULABLE, "\"message\":\"0/1 nodes\\n\"" },
                  { SCHEDULING_BIND_FAILED, "\"step\":\"bind-failed\"" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        a.step = cases[i].step;
        harness_run(h, run_scheduling, &a);
        read_one(h, TOPIC_SCHEDULING, i + 1, &last);
        if (strstr(last.text, cases[i].words) == NULL)
            fail_msg("case %zu: %s", i, last.text);
        assert_non_null(strstr(last.text, "\"revision\":7,"));
        assert_non_null(strstr(last.text, "\"queuedUs\":5,"));
    }
    harness_run(h, run_free, a.announce);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages) };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
