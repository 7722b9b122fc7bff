/* The tailer: what is a step, and that each is published once, whatever comes and goes. */
#include <stdio.h>
#include <string.h>

#include "api/meta/object.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "controlplane/bus/tailer.h"
#include "controlplane/bus/topic.h"
#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

/* A tailer that is stopped in the middle of a write never sees its end, nor frees it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:pending_new\nleak:store_submit\n";
}

/* ---- what is a step ---- */

static struct str pod(struct arena *a, const char *node, const char *phase, bool deleting)
{
    Pod p = POD__INIT;
    ObjectMeta meta = OBJECT_META__INIT;
    PodSpec spec = POD_SPEC__INIT;
    PodStatus status = POD_STATUS__INIT;
    Time now = TIME__INIT;
    now.has_seconds = 1;
    now.seconds = 1;
    meta.uid = (char *)(uintptr_t) "u-1";
    meta.deletion_timestamp = deleting ? &now : NULL;
    spec.node_name = node[0] != '\0' ? (char *)(uintptr_t)node : NULL;
    status.phase = (char *)(uintptr_t)phase;
    p.metadata = &meta;
    p.spec = &spec;
    p.status = &status;
    struct buf b;
    buf_init(&b);
    object_put_header(&b);
    size_t size = protobuf_c_message_get_packed_size(&p.base);
    buf_reserve(&b, size);
    b.len += protobuf_c_message_pack(&p.base, b.data + b.len);
    struct str out = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return out;
}

static void test_describe(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    struct str none = str_of(NULL, 0);
    struct str pending = pod(&a, "", "Pending", false);
    struct str bound = pod(&a, "n1", "Pending", false);
    struct str running = pod(&a, "n1", "Running", false);
    struct str going = pod(&a, "n1", "Running", true);
    const struct {
        const char *key;
        struct str old;
        struct str now;
        const char *step; /* NULL: none */
        const char *words;
    } cases[] = {
        { "pods/d/p", none, pending, "created", "\"phase\":\"Pending\"" },
        { "pods/d/p", pending, bound, "bound", "\"node\":\"n1\"" },
        { "pods/d/p", bound, running, "phase", "\"phase\":\"Running\"" },
        { "pods/d/p", running, running, NULL, NULL },
        { "pods/d/p", running, going, "deleting", "\"uid\":\"u-1\"" },
        { "pods/d/p", going, none, "deleted", "\"node\":\"n1\"" },
        { "configmaps/d/p", none, pending, NULL, NULL },
        { "nonsense", none, pending, NULL, NULL },
        { "pods/d/p", str_lit("\x07"), str_lit("\x09junk"), NULL, NULL },
        { "pods/d/p", none, str_lit("\x00\x01\xff\xff"), "created", "\"phase\":\"\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf b;
        buf_init(&b);
        struct store_event event = { .revision = 9,
                                     .key = str_from(cases[i].key),
                                     .value = cases[i].now,
                                     .old_value = cases[i].old,
                                     .old_revision = cases[i].old.len > 0 ? 4 : 0,
                                     .deleted = cases[i].now.len == 0 };
        bool is = tailer_describe(&event, &b);
        if (is != (cases[i].step != NULL))
            fail_msg("case %zu: %.*s", i, STR_ARG(buf_str(&b)));
        if (is) {
            struct str begin = str_printf(
                &a, "{\"step\":\"%s\",\"source\":\"history\",\"namespace\":\"d\",\"name\":\"p\",",
                cases[i].step);
            assert_true(str_starts(buf_str(&b), begin));
            assert_true(str_ends(buf_str(&b), str_lit(",\"revision\":9}")));
            assert_true(str_find(buf_str(&b), str_from(cases[i].words)) >= 0);
        }
        buf_deinit(&b);
    }
    arena_deinit(&a);
}

/* ---- over a store ---- */

struct tailing {
    struct harness *h;
    struct env_loop *loop;
    struct tailer *tailer;
};

static void open_tailer(struct tailing *t)
{
    t->loop = env_loop_new(t->h->env, "tailer");
    t->tailer = tailer_new(t->loop, store_group(t->h->store, STORE_CLUSTER),
                           store_group(t->h->store, STORE_BUS));
    env_loop_start(t->loop);
}

/* In the middle of whatever it does: the store must still be there when its writes end, so the
 * loop is freed with the store, by the caller. */
static void stop_tailer(struct tailing *t)
{
    env_loop_stop(t->loop);
    env_loop_join(t->loop);
}

static void free_tailer(struct tailing *t)
{
    tailer_free(t->tailer);
    env_loop_free(t->loop);
}

static uint64_t put_pods(struct harness *h, const char *prefix, size_t count)
{
    struct arena a;
    arena_init(&a);
    struct store_op ops[100];
    assert_true(count <= 100);
    for (size_t i = 0; i < count; i++)
        ops[i] = (struct store_op){ .type = STORE_OP_PUT,
                                    .key = str_printf(&a, "pods/d/%s-%zu", prefix, i),
                                    .value = pod(&a, "", "Pending", false) };
    struct store_txn txn = { .ops = ops, .ops_count = count };
    struct store_result result = harness_write(h, STORE_CLUSTER, &txn);
    assert_int_equal(result.status, 0);
    arena_deinit(&a);
    return result.revision;
}

struct expected {
    struct harness *h;
    uint64_t last;
};

static bool has_published(void *ctx)
{
    struct expected *e = ctx;
    uint64_t first = 0;
    uint64_t last = 0;
    struct store_read r;
    if (store_read_begin(e->h->bus->config.group, 0, &r) != 0)
        return false;
    (void)store_read_stream_bounds(&r, str_lit(TOPIC_SCHEDULING), &first, &last);
    store_read_end(&r);
    return last >= e->last;
}

static void wait_steps(struct harness *h, uint64_t count)
{
    struct expected e = { h, count };
    harness_until(h, has_published, &e);
    harness_sleep(50);
    uint64_t first;
    uint64_t last;
    harness_bounds(h, TOPIC_SCHEDULING, &first, &last);
    assert_int_equal(last, count);
}

struct steps {
    struct arena *arena;
    struct str bodies[2000];
    size_t count;
};

static bool collect(void *ctx, uint64_t sequence, struct str value)
{
    struct steps *s = ctx;
    uint64_t wall_ns;
    struct str body;
    topic_record_read(value, &wall_ns, &body);
    assert_int_equal(sequence, s->count + 1);
    s->bodies[s->count++] = str_copy(s->arena, body);
    return s->count < 2000;
}

static void read_steps(struct harness *h, struct steps *s)
{
    for (size_t had = SIZE_MAX; had != s->count;) {
        struct store_read r;
        had = s->count;
        assert_int_equal(store_read_begin(store_group(h->store, STORE_BUS), 0, &r), 0);
        (void)store_read_stream(&r, str_lit(TOPIC_SCHEDULING), s->count, collect, s);
        store_read_end(&r);
    }
}

/* Every pod of every revision once and in order, over restarts of tailer and store in the middle,
 * and with many pods in one revision. */
static void test_no_gap_no_duplicate(void **state)
{
    struct harness *h = *state;
    struct tailing t = { .h = h };
    uint64_t expected = 0;
    open_tailer(&t);
    for (size_t round = 0; round < 4; round++) {
        char prefix[16];
        for (size_t i = 0; i < 20; i++) {
            (void)snprintf(prefix, sizeof prefix, "r%zu-%zu", round, i);
            expected += i == 10 ? 90 : 1;
            (void)put_pods(h, prefix, i == 10 ? 90 : 1);
        }
        if (round == 1)
            wait_steps(h, expected);
        stop_tailer(&t);
        struct tailing old = t;
        if (round == 2) {
            /* The process ends with it. */
            harness_restart(h);
            free_tailer(&old);
            open_tailer(&t);
            continue;
        }
        open_tailer(&t);
        wait_steps(h, expected);
        stop_tailer(&t);
        harness_restart(h);
        free_tailer(&old);
        free_tailer(&t);
        open_tailer(&t);
    }
    wait_steps(h, expected);
    struct arena a;
    arena_init(&a);
    static struct steps steps;
    steps = (struct steps){ .arena = &a };
    read_steps(h, &steps);
    assert_int_equal(steps.count, expected);
    size_t at = 0;
    for (size_t round = 0; round < 4; round++)
        for (size_t i = 0; i < 20; i++)
            for (size_t k = 0; k < (i == 10 ? 90u : 1u); k++) {
                struct str name = str_printf(&a, "\"name\":\"r%zu-%zu-%zu\"", round, i, k);
                assert_true(str_find(steps.bodies[at++], name) >= 0);
            }
    arena_deinit(&a);
    stop_tailer(&t);
    harness_restart(h);
    free_tailer(&t);
}

static uint64_t bus_index(struct harness *h)
{
    struct store_status status;
    store_status(store_group(h->store, STORE_BUS), &status);
    return status.applied_index;
}

/* Steps that come one after another share transactions: one every 10 ms at most, but for one of
 * the store's own. */
static void test_gathers(void **state)
{
    struct harness *h = *state;
    uint64_t first;
    uint64_t before;
    struct tailing t = { .h = h };
    open_tailer(&t);
    harness_bounds(h, TOPIC_SCHEDULING, &first, &before);
    wait_steps(h, before);
    uint64_t index = bus_index(h);
    uint64_t began_ns = env_now_ns(h->env);
    char prefix[16];
    for (size_t i = 0; i < 200; i++) {
        (void)snprintf(prefix, sizeof prefix, "g%zu", i);
        (void)put_pods(h, prefix, 1);
    }
    struct expected e = { h, before + 200 };
    harness_until(h, has_published, &e);
    uint64_t took_ms = (env_now_ns(h->env) - began_ns) / ENV_MS;
    uint64_t transactions = bus_index(h) - index;
    print_message("200 steps in %llu ms: %llu transactions\n", (unsigned long long)took_ms,
                  (unsigned long long)transactions);
    assert_true(transactions <= took_ms / 10 + 5);
    stop_tailer(&t);
    harness_restart(h);
    free_tailer(&t);
}

static bool is_compacted(void *ctx)
{
    struct expected *e = ctx;
    return store_compacted(store_group(e->h->store, STORE_CLUSTER)) >= e->last;
}

/* History that is gone is said to be gone, once. */
static void test_gap(void **state)
{
    struct harness *h = *state;
    uint64_t first;
    uint64_t before;
    harness_bounds(h, TOPIC_SCHEDULING, &first, &before);
    (void)put_pods(h, "lost", 1);
    uint64_t lost = put_pods(h, "lost2", 1);
    struct store_op compact = { .type = STORE_OP_COMPACT, .revision = lost };
    struct store_txn txn = { .ops = &compact, .ops_count = 1 };
    assert_int_equal(harness_write(h, STORE_CLUSTER, &txn).status, 0);
    harness_until(h, is_compacted, &(struct expected){ h, lost }); /* answered before it is seen */
    (void)put_pods(h, "after", 1);
    struct tailing t = { .h = h };
    open_tailer(&t);
    wait_steps(h, before + 2);
    struct arena a;
    arena_init(&a);
    static struct steps steps;
    steps = (struct steps){ .arena = &a };
    read_steps(h, &steps);
    assert_true(str_find(steps.bodies[before], str_lit("{\"step\":\"gap\"")) == 0);
    struct str until = str_printf(&a, "\"until\":%llu}", (unsigned long long)lost);
    assert_true(str_find(steps.bodies[before], until) >= 0);
    assert_true(str_find(steps.bodies[before + 1], str_lit("after-0")) >= 0);
    arena_deinit(&a);
    stop_tailer(&t);
    harness_restart(h);
    free_tailer(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_no_gap_no_duplicate),
        cmocka_unit_test(test_gathers),
        cmocka_unit_test(test_gap),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
