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

/* An apply finds the fields of either version's owners. */
static void test_apply(void **state)
{
    static const char apply[] = "Content-Type: application/apply-patch+yaml\r\n";
    struct harness *h = *state;
    struct reply r =
        harness_send(h, "PATCH", CORE "/e?fieldManager=d", apply,
                     "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"e\"},"
                     "\"reason\":\"new\"}");
    harness_expect(&r, 409);
    harness_contains(&r, "conflict with \\\"a\\\"");
    r = harness_send(h, "PATCH", CORE "/e?fieldManager=d&force=true", apply,
                     "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"e\"},"
                     "\"reason\":\"new\"}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"f:involvedObject\":{}");
    harness_contains(&r, "{\"manager\":\"d\",\"operation\":\"Apply\",\"apiVersion\":\"v1\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both),
        cmocka_unit_test(test_apply),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
