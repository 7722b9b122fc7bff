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
                                         "/api/v1/namespaces//configmaps",
                                         "/apis/apps/v1/namespaces//deployments/",
                                         "/api/v1/configmaps/c0",
                                         "/api/v1/watch/configmaps/c0",
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

#define MAPS "/api/v1/namespaces/kube-public/configmaps"

/* An object as it was; revisions that are gone, or to come. */
static void test_revision(void **state)
{
    struct harness *h = *state;
    struct reply r =
        harness_post(h, MAPS, "{\"metadata\":{\"name\":\"m\"},\"data\":{\"a\":\"1\"}}");
    harness_expect(&r, 201);
    struct str first = harness_member(h, &r, "resourceVersion");
    struct str target = str_printf(&h->arena, MAPS "/m?gantryRevision=%.*s", STR_ARG(first));
    struct reply created = harness_get(h, str_printf(&h->arena, MAPS "/m").data);
    struct str body = str_printf(&h->arena, "{\"data\":{\"a\":\"2\"}}");
    r = harness_send(h, "PATCH", MAPS "/m", "Content-Type: application/merge-patch+json\r\n",
                     body.data);
    harness_expect(&r, 200);
    r = harness_get(h, target.data);
    harness_same(&r, &created);
    /* In every encoding. */
    r = harness_send(h, "GET", target.data, "Accept: application/yaml\r\n", NULL);
    harness_contains(&r, "data:\n  a: \"1\"\n");
    r = harness_send(h, "GET", target.data,
                     "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n", NULL);
    harness_contains(&r, "\"cells\":[\"m\",1,");
    /* When it is removed, too; but not before it was there. */
    r = harness_send(h, "DELETE", MAPS "/m", NULL, NULL);
    harness_expect(&r, 200);
    r = harness_get(h, MAPS "/m");
    harness_expect(&r, 404);
    r = harness_get(h, target.data);
    harness_same(&r, &created);
    r = harness_get(h, MAPS "/m?gantryRevision=1");
    harness_expect(&r, 404);
    harness_contains(&r, "configmaps \\\"m\\\" not found at revision 1");
    static const char *const bad[] = { "0", "x", "", "1&resourceVersion=1" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        r = harness_get(h, str_printf(&h->arena, MAPS "/m?gantryRevision=%s", bad[i]).data);
        harness_expect(&r, 400);
    }
    r = harness_get(h, MAPS "/m?gantryRevision=999999");
    harness_expect(&r, 400);
    harness_contains(&r, "revision 999999 is yet to come; the newest is ");
    harness_compact(h);
    r = harness_get(h, target.data);
    harness_expect(&r, 410);
    harness_contains(&r, "is compacted; the oldest kept is ");
    harness_contains(&r, "\"reason\":\"Expired\"");
}

/* Every call of Endpoints, failed ones too, tells that they are deprecated. */
static void test_deprecated(void **state)
{
    struct harness *h = *state;
    static const char *const targets[] = { "/api/v1/namespaces/default/endpoints",
                                           "/api/v1/namespaces/default/endpoints/none" };
    for (size_t i = 0; i < 2; i++) {
        struct reply r = harness_get(h, targets[i]);
        assert_true(str_find(r.headers, str_lit("299 - \"v1 Endpoints is deprecated in v1.33+; use "
                                                "discovery.k8s.io/v1 EndpointSlice\"")) >= 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_missing),    cmocka_unit_test(test_revision),
        cmocka_unit_test(test_deprecated),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
