/* GET of one object, in every encoding. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define NS "/api/v1/namespaces/kube-public"

static void test_get(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, NS);
    harness_expect(&r, 200);
    assert_true(str_starts(r.body, str_lit("{\"kind\":\"Namespace\",\"apiVersion\":\"v1\","
                                           "\"metadata\":{\"name\":\"kube-public\"")));
    harness_contains(&r, "\"labels\":{\"kubernetes.io/metadata.name\":\"kube-public\"}");
    assert_true(str_find(r.headers, str_lit("cache-control: no-cache, private\r\n")) > 0);
    assert_true(str_find(r.headers, str_lit("audit-id: ")) > 0);
    struct str zero = str_printf(&h->arena, NS "?resourceVersion=0");
    struct reply local = harness_get(h, zero.data);
    assert_true(str_eq(local.body, r.body));
    r = harness_get(h, NS "?resourceVersion=nope");
    harness_expect(&r, 400);
    r = harness_get(h, NS "?resourceVersion=999999");
    harness_expect(&r, 504);
}

static void test_encodings(void **state)
{
    struct harness *h = *state;
    struct reply r =
        harness_send(h, "GET", NS, "Accept: application/vnd.kubernetes.protobuf\r\n", NULL);
    harness_expect(&r, 200);
    assert_true(str_starts(r.body, str_of("k8s\0", 4)));
    assert_true(
        str_find(r.headers, str_lit("content-type: application/vnd.kubernetes.protobuf\r\n")) > 0);
    r = harness_send(h, "GET", NS, "Accept: application/yaml\r\n", NULL);
    harness_contains(&r, "apiVersion: v1\nkind: Namespace\n");
    r = harness_send(h, "GET", NS, "User-Agent: curl/8\r\n", NULL);
    harness_contains(&r, "{\n  \"kind\": \"Namespace\",\n");
    r = harness_send(h, "GET", NS,
                     "Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io\r\n",
                     NULL);
    assert_true(str_starts(r.body, str_lit("{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":"
                                           "\"meta.k8s.io/v1\",\"metadata\":{")));
    harness_lacks(&r, "spec");
    r = harness_send(h, "GET", NS, "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n",
                     NULL);
    harness_contains(&r, "\"rows\":[{\"cells\":[\"kube-public\",\"Active\",");
}

static void test_missing(void **state)
{
    struct harness *h = *state;
    static const char *const paths[] = { "/api/v1/nope",
                                         "/api/v2/pods",
                                         "/apis/none/v1/pods",
                                         "/api/v1/namespaces/default/namespaces/x",
                                         "/api/v1/namespaces/default/pods/p/nope",
                                         "/nope" };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct reply r = harness_get(h, paths[i]);
        print_message("%s\n", paths[i]);
        harness_expect(&r, 404);
        harness_contains(&r, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
                             "\"status\":\"Failure\",\"message\":\"the server could not find the "
                             "requested resource\",\"reason\":\"NotFound\",\"details\":{},"
                             "\"code\":404}\n");
    }
    struct reply r = harness_get(h, "/api/v1/namespaces/none");
    harness_expect(&r, 404);
    r = harness_send(h, "PUT", "/version", NULL, "x");
    harness_expect(&r, 405);
    r = harness_send(h, "BREW", "/api/v1/namespaces", NULL, NULL);
    harness_expect(&r, 405);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_missing),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
