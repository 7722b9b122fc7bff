/* The subresources of a pod that change it: eviction, ephemeralcontainers, resize. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define PODS "/api/v1/namespaces/default/pods"

static const char smp[] = "Content-Type: application/strategic-merge-patch+json\r\n";

static void make(struct harness *h, const char *name)
{
    struct reply r = harness_post(
        h, PODS,
        str_printf(&h->arena,
                   "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"nodeName\":\"n\",\"containers\":[{"
                   "\"name\":\"c\",\"image\":\"i\",\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]"
                   "}}",
                   name)
            .data);
    harness_expect(&r, 201);
}

static int setup(void **state)
{
    int rc = harness_setup(state);
    struct harness *h = *state;
    struct reply r = harness_post(h, "/api/v1/namespaces/default/serviceaccounts",
                                  "{\"metadata\":{\"name\":\"default\"}}");
    harness_expect(&r, 201);
    return rc;
}

static void test_evict(void **state)
{
    struct harness *h = *state;
    make(h, "e");
    struct reply r = harness_post(h, PODS "/e/eviction", "{\"metadata\":{\"name\":\"other\"}}");
    harness_expect(&r, 400);
    harness_contains(&r, "name in URL does not match name in Eviction object");
    r = harness_post(h, PODS "/e/eviction",
                     "{\"metadata\":{\"name\":\"e\"},\"deleteOptions\":{\"preconditions\":{\"uid\":"
                     "\"x\"}}}");
    harness_expect(&r, 409);
    r = harness_post(h, PODS "/e/eviction?dryRun=All", "{\"metadata\":{\"name\":\"e\"}}");
    harness_expect(&r, 201);
    r = harness_get(h, PODS "/e");
    harness_lacks(&r, "deletionTimestamp");
    r = harness_post(h, PODS "/e/eviction",
                     "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":"
                     "\"e\",\"namespace\":\"default\"},\"deleteOptions\":{\"gracePeriodSeconds\":7}"
                     "}");
    harness_expect(&r, 201);
    assert_true(str_eq_c(r.body, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
                                 "\"status\":\"Success\",\"code\":201}\n"));
    r = harness_get(h, PODS "/e");
    harness_contains(&r, "\"deletionGracePeriodSeconds\":7");
    r = harness_post(
        h, PODS "/e/eviction",
        "{\"metadata\":{\"name\":\"e\"},\"deleteOptions\":{\"gracePeriodSeconds\":0}}");
    harness_expect(&r, 201);
    r = harness_get(h, PODS "/e");
    harness_expect(&r, 404);
    r = harness_post(h, PODS "/e/eviction", "{\"metadata\":{\"name\":\"e\"}}");
    harness_expect(&r, 404);
}

static void test_ephemeral(void **state)
{
    struct harness *h = *state;
    make(h, "d");
    struct reply r = harness_send(
        h, "PATCH", PODS "/d/ephemeralcontainers", smp,
        "{\"metadata\":{\"labels\":{\"not\":\"taken\"}},\"spec\":{\"ephemeralContainers\":[{"
        "\"name\":\"dbg\",\"image\":\"busybox\",\"targetContainerName\":\"c\",\"stdin\":true}]}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"ephemeralContainers\":[{\"name\":\"dbg\",\"image\":\"busybox\"");
    harness_contains(&r, "\"imagePullPolicy\":\"Always\"");
    harness_contains(&r, "\"generation\":2");
    harness_lacks(&r, "\"taken\"");
    /* The pod is a pod like others afterwards. */
    r = harness_send(h, "PATCH", PODS "/d", smp, "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}");
    harness_expect(&r, 200);
    r = harness_send(h, "PATCH", PODS "/d", smp,
                     "{\"spec\":{\"ephemeralContainers\":[{\"name\":\"x\",\"image\":\"y\"}]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "pod updates may not change fields other than");
    r = harness_send(
        h, "PATCH", PODS "/d/ephemeralcontainers", smp,
        "{\"spec\":{\"ephemeralContainers\":[{\"name\":\"c\",\"image\":\"\",\"ports\":[{"
        "\"containerPort\":1}],\"targetContainerName\":\"nope\"}]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "spec.ephemeralContainers[0].image: Required value");
    harness_contains(&r, "spec.ephemeralContainers[0].name: Duplicate value: \\\"c\\\"");
    harness_contains(&r,
                     "spec.ephemeralContainers[0].targetContainerName: Not found: \\\"nope\\\"");
    harness_contains(&r, "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an "
                         "Ephemeral Container");
    r = harness_send(h, "PATCH", PODS "/d/ephemeralcontainers",
                     "Content-Type: "
                     "application/merge-patch+json\r\n",
                     "{\"spec\":{\"ephemeralContainers\":[]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "existing ephemeral containers \\\"dbg\\\" may not be removed");
    r = harness_get(h, PODS "/d/ephemeralcontainers");
    harness_expect(&r, 200);
    harness_contains(&r, "\"kind\":\"Pod\"");
    r = harness_post(h, PODS,
                     "{\"metadata\":{\"name\":\"no\"},\"spec\":{\"containers\":[{\"name\":\"c\","
                     "\"image\":\"i\"}],\"ephemeralContainers\":[{\"name\":\"d\",\"image\":\"j\"}]"
                     "}}");
    harness_expect(&r, 422);
    harness_contains(&r, "spec.ephemeralContainers: Forbidden: cannot be set on create");
}

static void test_resize(void **state)
{
    struct harness *h = *state;
    make(h, "r");
    struct reply r = harness_send(
        h, "PATCH", PODS "/r/resize", smp,
        "{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"not taken\",\"resources\":{"
        "\"requests\":{\"cpu\":\"2\"}}}]}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"resources\":{\"requests\":{\"cpu\":\"2\"}}");
    harness_contains(&r, "\"image\":\"i\"");
    harness_contains(&r, "\"generation\":2");
    r = harness_send(h, "PATCH", PODS "/r/resize", smp,
                     "{\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{"
                     "\"cpu\":\"-1\"}}}]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "must be greater than or equal to 0");
    r = harness_send(h, "PATCH", PODS "/r/resize", smp,
                     "{\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{"
                     "\"cpu\":null}}}]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "Pod QOS Class may not change as a result of resizing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evict),
        cmocka_unit_test(test_ephemeral),
        cmocka_unit_test(test_resize),
    };
    return cmocka_run_group_tests(tests, setup, harness_teardown);
}
