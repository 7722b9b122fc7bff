/* Where a pod's node is: with the binding, and with the pod. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define PODS "/api/v1/namespaces/default/pods"
#define ZONE "topology.kubernetes.io/zone"

static int setup(void **state)
{
    int rc = harness_setup(state);
    struct harness *h = *state;
    struct reply r = harness_post(h, "/api/v1/namespaces/default/serviceaccounts",
                                  "{\"metadata\":{\"name\":\"default\"}}");
    harness_expect(&r, 201);
    r = harness_post(h, "/api/v1/nodes",
                     "{\"metadata\":{\"name\":\"n1\",\"labels\":{\"" ZONE "\":\"z1\","
                     "\"topology.kubernetes.io/region\":\"r1\",\"other\":\"x\"}}}");
    harness_expect(&r, 201);
    return rc;
}

static struct reply pod(struct harness *h, const char *name, const char *labels, const char *spec)
{
    struct str body = str_printf(&h->arena,
                                 "{\"metadata\":{\"name\":\"%s\",\"labels\":{%s}},\"spec\":{%s"
                                 "\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
                                 name, labels, spec);
    return harness_post(h, PODS, body.data);
}

static void test_binding(void **state)
{
    struct harness *h = *state;
    struct reply r = pod(h, "p", "\"" ZONE "\":\"mine\",\"a\":\"b\"", "");
    harness_expect(&r, 201);
    harness_contains(&r, "\"" ZONE "\":\"mine\"");
    r = harness_post(h, PODS "/p/binding",
                     "{\"metadata\":{\"name\":\"p\",\"labels\":{\"l\":\"m\"}},\"target\":{"
                     "\"name\":\"n1\"}}");
    harness_expect(&r, 201);
    r = harness_get(h, PODS "/p");
    harness_contains(&r, "\"labels\":{\"a\":\"b\",\"l\":\"m\",\"topology.kubernetes.io/region\":"
                         "\"r1\",\"" ZONE "\":\"z1\"}");
    /* A node that nobody knows says nothing. */
    r = pod(h, "q", "", "");
    harness_expect(&r, 201);
    r = harness_post(h, PODS "/q/binding",
                     "{\"metadata\":{\"name\":\"q\"},\"target\":{\"name\":\"none\"}}");
    harness_expect(&r, 201);
    r = harness_get(h, PODS "/q");
    harness_lacks(&r, "topology.kubernetes.io");
}

static void test_pod(void **state)
{
    struct harness *h = *state;
    struct reply r = pod(h, "placed", "\"" ZONE "\":\"mine\"", "\"nodeName\":\"n1\",");
    harness_expect(&r, 201);
    harness_contains(&r,
                     "\"labels\":{\"topology.kubernetes.io/region\":\"r1\",\"" ZONE "\":\"mine\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binding),
        cmocka_unit_test(test_pod),
    };
    return cmocka_run_group_tests(tests, setup, harness_teardown);
}
