/* An event has entries of both its versions, each with the names of its own. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define CORE "/api/v1/namespaces/default/events"
#define VIEW "/apis/events.k8s.io/v1/namespaces/default/events"

static const char merge[] = "Content-Type: application/merge-patch+json\r\n";

static void test_both(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(
        h, VIEW "?fieldManager=a",
        "{\"metadata\":{\"name\":\"e\"},\"eventTime\":\"2023-11-14T22:13:20.000000Z\","
        "\"reportingController\":\"x/y\",\"reportingInstance\":\"i\",\"action\":\"a\",\"reason\":"
        "\"r\",\"type\":\"Normal\",\"note\":\"hello\",\"regarding\":{\"namespace\":\"default\"}}");
    harness_expect(&r, 201);
    harness_contains(
        &r, "{\"manager\":\"a\",\"operation\":\"Update\",\"apiVersion\":\"events.k8s.io/v1\"");
    harness_contains(&r, "\"f:note\":{}");
    harness_contains(&r, "\"f:regarding\":{}");
    harness_contains(&r, "\"f:reportingController\":{}");
    harness_lacks(&r, "f:involvedObject");
    /* By the other version: the field goes from one entry to a new one. */
    r = harness_send(h, "PATCH", CORE "/e?fieldManager=b", merge, "{\"message\":\"other\"}");
    harness_expect(&r, 200);
    harness_contains(&r, "{\"manager\":\"b\",\"operation\":\"Update\",\"apiVersion\":\"v1\"");
    harness_contains(&r, "\"fieldsV1\":{\"f:message\":{}}");
    harness_contains(&r, "\"f:regarding\":{}");
    harness_lacks(&r, "f:note");
    /* And back. */
    r = harness_send(h, "PATCH", VIEW "/e?fieldManager=c", merge,
                     "{\"metadata\":{\"labels\":{\"k\":\"v\"}}}");
    harness_expect(&r, 200);
    harness_contains(
        &r, "{\"manager\":\"c\",\"operation\":\"Update\",\"apiVersion\":\"events.k8s.io/v1\"");
    harness_contains(&r, "\"fieldsV1\":{\"f:message\":{}}");
}

static const char apply[] = "Content-Type: application/apply-patch+yaml\r\n";

#define AS_CORE(rest)                                                                              \
    "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"e\"}," rest "}"
#define AS_VIEW(rest)                                                                              \
    "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"e\"}," rest  \
    "}"

/* An apply finds the fields of either version's owners, and each entry keeps its version. */
static void test_apply(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "PATCH", CORE "/e?fieldManager=d", apply,
                                  AS_CORE("\"type\":\"Warning\",\"reportingComponent\":\"z/z\""));
    harness_expect(&r, 409);
    /* In the names of the entry's version. */
    harness_contains(&r, "\"Apply failed with 2 conflicts: conflicts with \\\"a\\\" using "
                         "events.k8s.io/v1:\\n- .reportingController\\n- .type\"");
    harness_contains(&r, "\"message\":\"conflict with \\\"a\\\" using events.k8s.io/v1\",\"field\":"
                         "\".reportingController\"");
    r = harness_send(h, "PATCH", CORE "/e?fieldManager=d&force=true", apply,
                     AS_CORE("\"reason\":\"new\""));
    harness_expect(&r, 200);
    harness_contains(&r, "\"f:regarding\":{}");
    harness_lacks(&r, "f:involvedObject");
    harness_contains(&r, "{\"manager\":\"d\",\"operation\":\"Apply\",\"apiVersion\":\"v1\"");
    harness_contains(&r, "\"fieldsV1\":{\"f:reason\":{}}");
}

/* An apply as the view: what a manager applied as the other version before goes, its entry becomes
 * one of this version, and the others' stay what they are. */
static void test_apply_view(void **state)
{
    struct harness *h = *state;
    struct reply r =
        harness_send(h, "PATCH", VIEW "/e?fieldManager=d", apply, AS_VIEW("\"note\":\"mine\""));
    harness_expect(&r, 409);
    harness_contains(&r, "\"Apply failed with 1 conflict: conflict with \\\"b\\\" using v1: "
                         ".message\"");
    /* What this group does not let anybody change is not for an apply either. */
    r = harness_send(h, "PATCH", VIEW "/e?fieldManager=d&force=true", apply,
                     AS_VIEW("\"note\":\"mine\",\"reason\":\"new\""));
    harness_expect(&r, 422);
    harness_contains(&r, "message: Invalid value: \\\"mine\\\": field is immutable");
    r = harness_send(h, "PATCH", VIEW "/e?fieldManager=d", apply,
                     AS_VIEW("\"note\":\"other\",\"reason\":\"new\",\"series\":{\"count\":2,"
                             "\"lastObservedTime\":\"2023-11-14T22:13:21.000000Z\"}"));
    harness_expect(&r, 200);
    harness_contains(&r, "\"apiVersion\":\"events.k8s.io/v1\"");
    harness_contains(
        &r, "{\"manager\":\"d\",\"operation\":\"Apply\",\"apiVersion\":\"events.k8s.io/v1\"");
    harness_contains(&r, "\"fieldsV1\":{\"f:note\":{},\"f:reason\":{},\"f:series\":{");
    harness_contains(&r, "{\"manager\":\"b\",\"operation\":\"Update\",\"apiVersion\":\"v1\"");
    harness_contains(&r, "\"fieldsV1\":{\"f:message\":{}}");
    /* Back as v1, without the series: it goes, as its only owner says no more of it. */
    r = harness_send(h, "PATCH", CORE "/e?fieldManager=d", apply,
                     AS_CORE("\"message\":\"other\",\"reason\":\"new\""));
    harness_expect(&r, 200);
    harness_lacks(&r, "lastObservedTime");
    harness_contains(&r, "\"fieldsV1\":{\"f:message\":{},\"f:reason\":{}}");
    /* The same again is no change. */
    struct str revision = harness_member(h, &r, "resourceVersion");
    r = harness_send(h, "PATCH", CORE "/e?fieldManager=d", apply,
                     AS_CORE("\"message\":\"other\",\"reason\":\"new\""));
    harness_expect(&r, 200);
    assert_true(str_eq(revision, harness_member(h, &r, "resourceVersion")));
}

static void test_apply_creates(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(
        h, "PATCH", VIEW "/made?fieldManager=d", apply,
        "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"made\"},"
        "\"eventTime\":\"2023-11-14T22:13:20.000000Z\",\"reportingController\":\"x/y\","
        "\"reportingInstance\":\"i\",\"action\":\"a\",\"reason\":\"r\",\"type\":\"Normal\","
        "\"note\":\"hello\",\"regarding\":{\"namespace\":\"default\"}}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"apiVersion\":\"events.k8s.io/v1\",\"time\"");
    harness_contains(&r, "\"f:note\":{}");
    r = harness_get(h, CORE "/made");
    harness_contains(&r, "\"message\":\"hello\"");
    harness_contains(&r, "\"f:note\":{}");
    /* Typed in its own names. */
    r = harness_send(
        h, "PATCH", VIEW "/made?fieldManager=d", apply,
        "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{\"name\":"
        "\"made\"},\"message\":\"x\"}");
    harness_expect(&r, 500);
    harness_contains(&r, ".message: field not declared in schema");
    r = harness_send(h, "PATCH", VIEW "/made?fieldManager=d", apply,
                     "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"made\"}}");
    harness_expect(&r, 400);
    harness_contains(&r, "invalid object type: /v1, Kind=Event");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_apply_view),
        cmocka_unit_test(test_apply_creates),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
