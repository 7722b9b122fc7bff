/* Binding a pod to a node, once. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define PODS "/api/v1/namespaces/default/pods"

static int setup(void **state)
{
    int rc = harness_setup(state);
    struct harness *h = *state;
    struct reply r = harness_post(h, "/api/v1/namespaces/default/serviceaccounts",
                                  "{\"metadata\":{\"name\":\"default\"}}");
    harness_expect(&r, 201);
    r = harness_post(h, PODS,
                     "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":\"c\","
                     "\"image\":\"i\"}]}}");
    harness_expect(&r, 201);
    return rc;
}

static const char binding[] =
    "{\"metadata\":{\"name\":\"p\",\"annotations\":{\"k\":\"v\"}},\"target\":{\"kind\":\"Node\","
    "\"name\":\"n1\"}}";

static void test_bind(void **state)
{
    struct harness *h = *state;
    static const char id[] = "Content-Type: application/json\r\nGantry-Request-Id: bind-1\r\n";
    struct reply r = harness_send(h, "POST", PODS "/p/binding", id, binding);
    harness_expect(&r, 201);
    assert_true(str_eq_c(r.body, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
                                 "\"status\":\"Success\",\"code\":201}\n"));
    r = harness_get(h, PODS "/p");
    harness_contains(&r, "\"nodeName\":\"n1\"");
    harness_contains(&r, "\"annotations\":{\"k\":\"v\"}");
    harness_contains(&r, "\"type\":\"PodScheduled\",\"status\":\"True\"");
    r = harness_send(h, "POST", PODS "/p/binding", id, binding);
    harness_expect(&r, 201); /* a retry */
    r = harness_post(h, PODS "/p/binding", binding);
    harness_expect(&r, 409);
    harness_contains(&r, "Operation cannot be fulfilled on pods \\\"p\\\": pod p is already "
                         "assigned to node \\\"n1\\\"");
    r = harness_get(h, "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1");
    harness_contains(&r, "\"name\":\"p\"");
    r = harness_get(h, "/api/v1/pods?fieldSelector=spec.nodeName%3D");
    harness_lacks(&r, "\"name\":\"p\"");
}

static void test_refusals(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, PODS "/none/binding", binding);
    harness_expect(&r, 400); /* the names differ */
    r = harness_post(h, PODS "/none/binding", "{\"target\":{\"name\":\"n\"}}");
    harness_expect(&r, 404);
    r = harness_post(h, PODS "/p/binding", "{\"metadata\":{\"name\":\"p\"},\"target\":{}}");
    harness_expect(&r, 422);
    r = harness_post(h, PODS "/p/binding", "{\"target\":{\"kind\":\"Pod\",\"name\":\"n\"}}");
    harness_expect(&r, 422);
    r = harness_post(h, "/api/v1/namespaces/default/bindings",
                     "{\"metadata\":{\"name\":\"none\"},\"target\":{\"name\":\"n\"}}");
    harness_expect(&r, 404);
    r = harness_get(h, "/api/v1/namespaces/default/bindings");
    harness_expect(&r, 405);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bind),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, setup, harness_teardown);
}
