/* Events found by an indexed term: pods of one node, coming and going. */
#include "base/arena.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define PODS "/api/v1/namespaces/default/pods"

static int setup(void **state)
{
    int rc = harness_setup(state);
    struct reply r = harness_post(*state, "/api/v1/namespaces/default/serviceaccounts",
                                  "{\"metadata\":{\"name\":\"default\"}}");
    harness_expect(&r, 201);
    return rc;
}

static void expect(struct harness *h, struct stream *s, const char *type, const char *name)
{
    struct str line = stream_line(h, s);
    struct str start = str_printf(
        &h->arena,
        "{\"type\":\"%s\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{"
        "\"name\":\"%s\"",
        type, name);
    if (!str_starts(line, start)) {
        fail_msg("not %s %s: %.*s", type, name, STR_ARG(line));
    }
}

static void make(struct harness *h, const char *name)
{
    struct str body = str_printf(&h->arena,
                                 "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"containers\":[{"
                                 "\"name\":\"c\",\"image\":\"i\"}]}}",
                                 name);
    struct reply r = harness_post(h, PODS, body.data);
    harness_expect(&r, 201);
}

static void bind(struct harness *h, const char *name, const char *node)
{
    struct str target = str_printf(&h->arena, PODS "/%s/binding", name);
    struct str body = str_printf(&h->arena, "{\"target\":{\"name\":\"%s\"}}", node);
    struct reply r = harness_post(h, target.data, body.data);
    harness_expect(&r, 201);
}

static void test_by_node(void **state)
{
    struct harness *h = *state;
    struct stream a;
    struct stream same;
    struct stream pending;
    stream_open(h, &a, "/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Da", NULL);
    stream_open(h, &same, "/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Da", NULL);
    stream_open(h, &pending, "/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3D", NULL);
    make(h, "p");
    expect(h, &pending, "ADDED", "p");
    make(h, "q");
    expect(h, &pending, "ADDED", "q");
    bind(h, "q", "b");
    expect(h, &pending, "DELETED", "q");
    bind(h, "p", "a");
    expect(h, &pending, "DELETED", "p");
    expect(h, &a, "ADDED", "p");
    expect(h, &same, "ADDED", "p");
    struct reply r = harness_send(h, "DELETE", PODS "/p?gracePeriodSeconds=0", NULL, NULL);
    harness_expect(&r, 200);
    expect(h, &a, "DELETED", "p");
    stream_close(&a);
    make(h, "r");
    bind(h, "r", "a");
    expect(h, &same, "DELETED", "p");
    expect(h, &same, "ADDED", "r");
    stream_close(&same);
    stream_close(&pending);
}

/* What is there already is found by the index, in the order of keys, more of it than one turn
 * gives. */
static void test_initial_by_node(void **state)
{
    struct harness *h = *state;
    struct stream s;
    for (int i = 0; i < 600; i++) {
        struct str body = str_printf(&h->arena,
                                     "{\"metadata\":{\"name\":\"i%03d\"},\"spec\":{\"nodeName\":"
                                     "\"%s\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
                                     i, i % 2 == 0 ? "even" : "odd");
        struct reply r = harness_post(h, PODS, body.data);
        harness_expect(&r, 201);
        arena_reset(&h->arena);
    }
    const char *const nodes[] = { "even", "odd" };
    for (int n = 0; n < 2; n++) {
        stream_open(h, &s,
                    str_printf(&h->arena, "%s?watch=true&fieldSelector=spec.nodeName%%3D%s",
                               n == 0 ? "/api/v1/pods" : PODS, nodes[n])
                        .data,
                    NULL);
        for (int i = n; i < 600; i += 2) {
            expect(h, &s, "ADDED", str_printf(&h->arena, "i%03d", i).data);
            arena_reset(&h->arena);
        }
        struct reply r = harness_send(
            h, "DELETE", str_printf(&h->arena, PODS "/i%03d?gracePeriodSeconds=0", n).data, NULL,
            NULL);
        harness_expect(&r, 200);
        expect(h, &s, "DELETED", str_printf(&h->arena, "i%03d", n).data);
        stream_close(&s);
    }
    stream_open(h, &s, "/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dnone", NULL);
    make(h, "last");
    bind(h, "last", "none");
    expect(h, &s, "ADDED", "last");
    stream_close(&s);
}

/* A client that does not read is caught up from the store and misses nothing. */
static void test_slow(void **state)
{
    struct harness *h = *state;
    struct stream s;
    struct buf body;
    buf_init(&body);
    buf_append_c(&body, "{\"data\":{\"k\":\"");
    for (int i = 0; i < 100000; i++) {
        buf_append_c(&body, "x");
    }
    size_t base = body.len;
    struct reply r = harness_post(h, "/api/v1/namespaces/default/configmaps",
                                  "{\"metadata\":{\"name\":\"big\"}}");
    harness_expect(&r, 201);
    stream_open(h, &s, "/api/v1/configmaps?watch=true&fieldSelector=metadata.name%3Dbig", NULL);
    for (int i = 0; i < 120; i++) {
        body.len = base;
        buf_printf(&body, "%d\"}}", i);
        r = harness_send_bytes(h, "PATCH", "/api/v1/namespaces/default/configmaps/big",
                               "Content-Type: application/merge-patch+json\r\n", buf_str(&body));
        harness_expect(&r, 200);
        arena_reset(&h->arena);
    }
    (void)stream_line(h, &s); /* ADDED */
    for (int i = 0; i < 120; i++) {
        struct str line = stream_line(h, &s);
        struct str want = str_printf(&h->arena, "x%d\"}", i);
        assert_true(str_starts(line, str_lit("{\"type\":\"MODIFIED\"")));
        assert_true(str_find(line, want) > 0);
        arena_reset(&h->arena);
    }
    stream_close(&s);
    buf_deinit(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_node),
        cmocka_unit_test(test_initial_by_node),
        cmocka_unit_test(test_slow),
    };
    return cmocka_run_group_tests(tests, setup, harness_teardown);
}
