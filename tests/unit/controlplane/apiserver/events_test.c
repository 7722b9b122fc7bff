/* Events of both groups are the same rows: written by either, read, selected and watched by both.
 */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define CORE "/api/v1/namespaces/default/events"
#define VIEW "/apis/events.k8s.io/v1/namespaces/default/events"

static const char merge[] = "Content-Type: application/merge-patch+json\r\n";

static void test_both_ways(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(
        h, VIEW,
        "{\"metadata\":{\"name\":\"new\"},\"eventTime\":\"2023-11-14T22:13:20.000000Z\","
        "\"reportingController\":\"x/y\",\"reportingInstance\":\"i\",\"action\":\"a\",\"reason\":"
        "\"r\",\"type\":\"Normal\",\"note\":\"hello\",\"regarding\":{\"namespace\":\"default\","
        "\"name\":\"p\",\"uid\":\"u1\"}}");
    harness_expect(&r, 201);
    assert_true(str_starts(
        r.body, str_lit("{\"kind\":\"Event\",\"apiVersion\":\"events.k8s.io/v1\",\"metadata\":")));
    harness_contains(&r, "\"note\":\"hello\"");
    r = harness_get(h, CORE "/new");
    harness_expect(&r, 200);
    harness_contains(&r, "\"apiVersion\":\"v1\"");
    harness_contains(&r, "\"involvedObject\":{\"namespace\":\"default\",\"name\":\"p\",\"uid\":"
                         "\"u1\"},\"reason\":\"r\",\"message\":\"hello\",\"source\":{}");
    r = harness_post(h, CORE,
                     "{\"metadata\":{\"name\":\"old\"},\"involvedObject\":{\"namespace\":"
                     "\"default\"},\"message\":\"m\",\"source\":{\"host\":\"h\"},\"count\":4}");
    harness_expect(&r, 201);
    r = harness_get(h, VIEW "/old");
    harness_expect(&r, 200);
    harness_contains(&r, "\"regarding\":{\"namespace\":\"default\"},\"note\":\"m\","
                         "\"deprecatedSource\":{\"host\":\"h\"},\"deprecatedFirstTimestamp\":null,"
                         "\"deprecatedLastTimestamp\":null,\"deprecatedCount\":4}");
    r = harness_get(h, VIEW);
    harness_expect(&r, 200);
    harness_contains(&r, "{\"kind\":\"EventList\",\"apiVersion\":\"events.k8s.io/v1\"");
    harness_contains(&r, "\"note\":\"hello\"");
    harness_contains(&r, "\"note\":\"m\"");
    r = harness_get(h, VIEW "?fieldSelector=regarding.uid%3Du1");
    harness_contains(&r, "\"name\":\"new\"");
    harness_lacks(&r, "\"name\":\"old\"");
    r = harness_get(h, VIEW "?fieldSelector=involvedObject.uid%3Du1");
    harness_expect(&r, 400);
    r = harness_send(h, "GET", VIEW, "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n",
                     NULL);
    harness_contains(&r, "\"name\":\"Last Seen\"");
    harness_contains(&r, "\"Normal\",\"r\",");
}

static void test_writes(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "PATCH", VIEW "/new", merge, "{\"note\":\"other\"}");
    harness_expect(&r, 422);
    harness_contains(&r, "Event.events.k8s.io \\\"new\\\" is invalid: message: Invalid value: "
                         "\\\"other\\\": field is immutable");
    r = harness_send(h, "PATCH", VIEW "/new", merge,
                     "{\"series\":{\"count\":2,\"lastObservedTime\":"
                     "\"2023-11-14T22:13:21.000000Z\"}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"series\":{\"count\":2,");
    /* The core group does not mind. */
    r = harness_send(h, "PATCH", CORE "/new", merge, "{\"message\":\"other\"}");
    harness_expect(&r, 200);
    r = harness_send(h, "PUT", VIEW "/new", "Content-Type: application/json\r\n",
                     "{\"metadata\":{\"name\":\"new\"},\"eventTime\":null}");
    harness_expect(&r, 422);
    r = harness_post(h, VIEW, "{\"metadata\":{\"name\":\"bare\"}}");
    harness_expect(&r, 422);
    harness_contains(&r, "eventTime: Required value");
    r = harness_get(h, VIEW "/bare");
    harness_expect(&r, 404);
    harness_contains(&r, "events.events.k8s.io \\\"bare\\\" not found");
}

static void test_watches(void **state)
{
    struct harness *h = *state;
    struct stream view;
    struct stream core;
    struct reply now = harness_get(h, CORE);
    struct str rv = harness_member(h, &now, "resourceVersion");
    stream_open(h, &view,
                str_printf(&h->arena, VIEW "?watch=1&resourceVersion=%.*s", STR_ARG(rv)).data,
                NULL);
    stream_open(h, &core,
                str_printf(&h->arena, CORE "?watch=1&resourceVersion=%.*s", STR_ARG(rv)).data,
                NULL);
    for (int i = 0; i < 3; i++) { /* the later ones come when both are live */
        struct str body = str_printf(&h->arena, "{\"message\":\"turn %d\"}", i);
        struct reply r = harness_send(h, "PATCH", CORE "/old", merge, body.data);
        harness_expect(&r, 200);
        struct str line = stream_line(h, &view);
        assert_true(str_find(line, str_lit("\"apiVersion\":\"events.k8s.io/v1\"")) > 0);
        assert_true(str_find(line, str_printf(&h->arena, "\"note\":\"turn %d\"", i)) > 0);
        line = stream_line(h, &core);
        assert_true(str_find(line, str_lit("\"apiVersion\":\"v1\"")) > 0);
        assert_true(str_find(line, str_printf(&h->arena, "\"message\":\"turn %d\"", i)) > 0);
    }
    stream_close(&view);
    stream_close(&core);
}

static void test_removed(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "DELETE", VIEW "/new", NULL, NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"group\":\"events.k8s.io\",\"kind\":\"events\"");
    r = harness_get(h, CORE "/new");
    harness_expect(&r, 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_writes),
        cmocka_unit_test(test_watches),
        cmocka_unit_test(test_removed),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
