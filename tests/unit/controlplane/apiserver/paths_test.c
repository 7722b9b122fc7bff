/* What is served beside resources. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

struct path_case {
    const char *target;
    const char *accept;
    int status;
    const char *text;
};

#define V2 "Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList\r\n"
#define V2PB                                                                                       \
    "Accept: application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;"                      \
    "as=APIGroupDiscoveryList\r\n"
#define V2BETA                                                                                     \
    "Accept: application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList\r\n"
#define NEWER                                                                                      \
    "Accept: application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,"                \
    "application/json\r\n"

static const struct path_case cases[] = {
    { "/", NULL, 200, "{\n  \"paths\": [\n    \"/api\",\n    \"/api/v1\",\n    \"/apis\"," },
    { "/", NULL, 200, "\"/apis/discovery.k8s.io/v1\",\n    \"/apis/events.k8s.io\"" },
    { "/version", NULL, 200, "\"gitVersion\": \"v1.35.0+gantry\"" },
    { "/version", NULL, 200, "\"major\": \"1\",\n  \"minor\": \"35\"" },
    { "/healthz", NULL, 200, "ok" },
    { "/livez?verbose", NULL, 200, "[+]ping ok\nlivez check passed\n" },
    { "/readyz/none", NULL, 404, "could not find" },
    { "/metrics", NULL, 200, "# TYPE " },
    { "/api", NULL, 200, "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]" },
    { "/api", V2, 200,
      "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"metadata\":"
      "{},\"items\":[{\"metadata\":{},\"versions\":[{\"version\":\"v1\",\"resources\":[" },
    { "/apis", V2, 200, "\"items\":[{\"metadata\":{\"name\":\"apps\"}" },
    { "/apis", V2, 200,
      "{\"subresource\":\"scale\",\"responseKind\":{\"group\":\"autoscaling\",\"version\":\"v1\","
      "\"kind\":\"Scale\"},\"verbs\":[\"get\",\"patch\",\"update\"]}" },
    { "/apis", V2BETA, 200, "apidiscovery.k8s.io/v2beta1" },
    { "/apis", NEWER, 200, "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[" },
    { "/apis/apps", NULL, 200,
      "{\"kind\":\"APIGroup\",\"apiVersion\":\"v1\",\"name\":\"apps\",\"versions\":[{"
      "\"groupVersion\":\"apps/v1\",\"version\":\"v1\"}],\"preferredVersion\":{\"groupVersion\":"
      "\"apps/v1\",\"version\":\"v1\"}}" },
    { "/apis/none", NULL, 404, "could not find" },
    { "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", NULL, 200, "\"items\":[]}" },
    { "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/a", NULL, 404, "could not find" },
    { "/apis/apiextensions.k8s.io/v1", NULL, 404, "could not find" },
    { "/apis/apps/v1", NULL, 200,
      "{\"name\":\"deployments/scale\",\"singularName\":\"\",\"namespaced\":true,\"group\":"
      "\"autoscaling\",\"version\":\"v1\",\"kind\":\"Scale\",\"verbs\":[\"get\",\"patch\","
      "\"update\"]}" },
    { "/apis/apps/v2", NULL, 404, "could not find" },
    { "/api/v1", NULL, 200,
      "{\"name\":\"pods\",\"singularName\":\"pod\",\"namespaced\":true,\"kind\":\"Pod\",\"verbs\":"
      "[\"create\",\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\",\"update\","
      "\"watch\"],\"shortNames\":[\"po\"],\"categories\":[\"all\"]}" },
    { "/api/v1", NULL, 200,
      "{\"name\":\"pods/log\",\"singularName\":\"\",\"namespaced\":true,\"kind\":\"Pod\",\"verbs\":"
      "[\"get\"]}" },
    { "/openapi/v3", NULL, 200, "{\"paths\":{\"api/v1\":{\"serverRelativeURL\":" },
    { "/openapi/v3/apis/apps/v1", NULL, 200, "\"name\":\"fieldValidation\",\"in\":\"query\"" },
    { "/openapi/v3/apis/none/v1", NULL, 404, "could not find" },
    { "/openapi/v3/api/v1?hash=0", NULL, 301, "" },
    { "/openapi/v3/api/v1",
      "Accept: application/com.github.proto-openapi.spec.v3.v1.0+protobuf\r\n", 200,
      "x-kubernetes-group-version-kind" },
    { "/openapi/v2", NULL, 200, "{\"swagger\":\"2.0\"," },
    { "/openapi/v2", "Accept: text/html\r\n", 406, "openapi.spec.v2@v1.0+protobuf" },
    { "/apis", V2PB, 200, "APIGroupDiscoveryList" },
    { "/apis/apps/v1", "Accept: application/vnd.kubernetes.protobuf\r\n", 200,
      "\x12\x0f"
      "APIResourceList" },
    { "/openapi/v2", "Accept: application/com.github.proto-openapi.spec.v2@v1.0+protobuf\r\n", 200,
      "x-kubernetes-group-version-kind" },
    { "/apis", "Accept: application/yaml\r\n", 200, "kind: APIGroupList\n" },
    { "/apis/apps/v1", "Accept: application/yaml\r\n", 200, "groupVersion: apps/v1\n" },
    { "/api?pretty=1", NULL, 200, "{\n  \"kind\": \"APIVersions\"" },
    { "/api", "Accept: text/html\r\n", 406, "only the following media types are accepted" },
    { "/api/v1", "Accept: text/html, */*;q=0.1\r\n", 200, "APIResourceList" },
    { "/apis", "Accept: application/json;g=meta.k8s.io;v=v1;as=Table\r\n", 406,
      "only the following media types are accepted" },
};

static void test_paths(void **state)
{
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reply r = harness_send(h, "GET", cases[i].target, cases[i].accept, NULL);
        print_message("%s\n", cases[i].target);
        harness_expect(&r, cases[i].status);
        harness_contains(&r, cases[i].text);
    }
}

/* The value of the answer's ETag, quotes included. */
static struct str tag_of(const struct reply *r)
{
    ptrdiff_t at = str_find(r->headers, str_lit("etag: \""));
    assert_true(at > 0);
    struct str tag = str_slice(r->headers, (size_t)at + 6, r->headers.len);
    return str_slice(tag, 0, (size_t)str_find_char(tag, '\r', 0));
}

static void expect_header(const struct reply *r, const char *line)
{
    if (str_find(r->headers, str_from(line)) < 0) {
        fail_msg("no %s in %.*s", line, STR_ARG(r->headers));
    }
}

static void expect_unchanged(struct harness *h, const char *target, const char *accept,
                             const struct reply *first)
{
    struct str match =
        str_printf(&h->arena, "%sIf-None-Match: %.*s\r\n", accept, STR_ARG(tag_of(first)));
    struct reply r = harness_send(h, "GET", target, match.data, NULL);
    harness_expect(&r, 304);
    assert_int_equal(r.body.len, 0);
}

static void test_headers(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "GET", "/apis", V2, NULL);
    expect_header(&r, "content-type: application/json;g=apidiscovery.k8s.io;v=v2;"
                      "as=APIGroupDiscoveryList\r\n");
    expect_unchanged(h, "/apis", V2, &r);
    struct reply binary = harness_send(h, "GET", "/apis", V2PB, NULL);
    expect_header(&binary, "content-type: application/vnd.kubernetes.protobuf;"
                           "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList\r\n");
    expect_unchanged(h, "/apis", V2PB, &binary);
    assert_false(str_eq(tag_of(&r), tag_of(&binary)));
}

/* A document is for ever under its hash; without it, it is asked about again. */
static void test_openapi_headers(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, "/openapi/v3/apis/apps/v1");
    expect_header(&r, "cache-control: public\r\n");
    expect_unchanged(h, "/openapi/v3/apis/apps/v1", "", &r);
    struct str tag = tag_of(&r);
    struct str hash = str_slice(tag, 1, tag.len - 1);
    struct str target = str_printf(&h->arena, "/openapi/v3/apis/apps/v1?hash=%.*s", STR_ARG(hash));
    struct reply hashed = harness_get(h, target.data);
    harness_expect(&hashed, 200);
    expect_header(&hashed, "cache-control: public, immutable, max-age=31536000\r\n");
    r = harness_get(h, "/openapi/v3/apis/apps/v1?hash=0");
    expect_header(&r, str_printf(&h->arena, "location: %.*s\r\n", STR_ARG(target)).data);
    r = harness_send(h, "GET", "/openapi/v2", "Accept-Encoding: gzip\r\n", NULL);
    harness_expect(&r, 200);
    expect_header(&r, "content-encoding: gzip\r\n");
    assert_memory_equal(r.body.data, "\x1f\x8b", 2);
    expect_unchanged(h, "/openapi/v2", "", &r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_openapi_headers),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
