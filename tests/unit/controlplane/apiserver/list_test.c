/* Lists: pages at one revision, exact revisions, tables, partial metadata, selectors, encodings. */
#include <stdio.h>
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/err.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS  "/api/v1/namespaces/lists/configmaps"
#define COUNT 25

static int setup(void **state)
{
    int rc = harness_setup(state);
    struct harness *h = *state;
    struct reply r = harness_post(h, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"lists\"}}");
    harness_expect(&r, 201);
    for (int i = 0; i < COUNT; i++) {
        struct str body = str_printf(
            &h->arena, "{\"metadata\":{\"name\":\"m%02d\",\"labels\":{\"odd\":\"%d\"}}}", i, i % 2);
        r = harness_post(h, MAPS, body.data);
        harness_expect(&r, 201);
    }
    return rc;
}

static int count_items(const struct reply *r)
{
    struct str rest = r->body;
    int count = 0;
    ptrdiff_t at;
    while ((at = str_find(rest, str_lit("\"name\":\"m"))) >= 0) {
        rest = str_slice(rest, (size_t)at + 1, rest.len);
        count++;
    }
    return count;
}

static void test_whole(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, MAPS);
    harness_expect(&r, 200);
    assert_true(str_starts(r.body, str_lit("{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\","
                                           "\"metadata\":{\"resourceVersion\":\"")));
    harness_contains(&r, "\"},\"items\":[{\"metadata\":{\"name\":\"m00\"");
    assert_int_equal(count_items(&r), COUNT);
    r = harness_get(h, "/api/v1/namespaces/lists/secrets");
    harness_expect(&r, 200);
    harness_contains(&r, "\"items\":[]}\n");
    r = harness_get(h, MAPS "?labelSelector=odd%3D1");
    assert_int_equal(count_items(&r), COUNT / 2);
    r = harness_get(h, MAPS "?fieldSelector=metadata.name%3Dm07");
    assert_int_equal(count_items(&r), 1);
    r = harness_get(h, "/api/v1/configmaps?labelSelector=odd");
    assert_int_equal(count_items(&r), COUNT);
}

static void test_pages(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, MAPS "?limit=10");
    harness_expect(&r, 200);
    assert_int_equal(count_items(&r), 10);
    harness_contains(&r, "\"remainingItemCount\":15");
    struct str rv = harness_member(h, &r, "resourceVersion");
    struct str token = harness_member(h, &r, "continue");
    /* What happens in between is not on the later pages. */
    struct reply made = harness_post(h, MAPS, "{\"metadata\":{\"name\":\"m11x\"}}");
    harness_expect(&made, 201);
    struct str next = str_printf(&h->arena, MAPS "?limit=10&continue=%.*s", STR_ARG(token));
    struct reply second = harness_get(h, next.data);
    harness_expect(&second, 200);
    assert_int_equal(count_items(&second), 10);
    harness_lacks(&second, "m11x");
    harness_contains(&second, "\"remainingItemCount\":5");
    assert_true(str_eq(harness_member(h, &second, "resourceVersion"), rv));
    next = str_printf(&h->arena, MAPS "?limit=10&continue=%.*s",
                      STR_ARG(harness_member(h, &second, "continue")));
    struct reply third = harness_get(h, next.data);
    assert_int_equal(count_items(&third), 5);
    harness_lacks(&third, "\"continue\"");
    /* The same pages by number. */
    next =
        str_printf(&h->arena, MAPS "?resourceVersion=%.*s&resourceVersionMatch=Exact", STR_ARG(rv));
    struct reply exact = harness_get(h, next.data);
    assert_int_equal(count_items(&exact), COUNT);
    struct reply gone = harness_send(h, "DELETE", MAPS "/m11x", NULL, NULL);
    harness_expect(&gone, 200);
    r = harness_get(h, MAPS "?limit=5&labelSelector=odd%3D1");
    harness_lacks(&r, "remainingItemCount");
    assert_int_equal(count_items(&r), 5);
}

static void test_old_token(void **state)
{
    struct harness *h = *state;
    /* Revision 1 with a place in the middle: read as it was then. */
    struct reply r = harness_get(
        h, MAPS "?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJtMTJcdTAwMDAifQ");
    harness_expect(&r, 200);
    assert_int_equal(count_items(&r), 0);
    /* -1: goes on at the newest state. */
    r = harness_get(
        h, MAPS "?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoibTEyXHUwMDAwIn0");
    harness_expect(&r, 200);
    assert_int_equal(count_items(&r), COUNT - 13);
    r = harness_get(h, MAPS "?resourceVersion=5&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwi"
                            "c3RhcnQiOiJtMTJcdTAwMDAifQ");
    harness_expect(&r, 400);
    harness_contains(&r, "specifying resource version is not allowed when using continue");
}

static void test_forms(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "GET", MAPS "?limit=2",
                                  "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n", NULL);
    harness_expect(&r, 200);
    assert_true(str_starts(r.body, str_lit("{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\","
                                           "\"metadata\":{\"resourceVersion\":\"")));
    harness_contains(&r, "\"columnDefinitions\":[{\"name\":\"Name\",\"type\":\"string\",\"format\":"
                         "\"name\"");
    harness_contains(&r, "\"rows\":[{\"cells\":[\"m00\",0,\"");
    harness_contains(&r, "\"object\":{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":"
                         "\"meta.k8s.io/v1\",\"metadata\":{\"name\":\"m00\"");
    assert_true(str_find(r.headers, str_lit("content-type: application/json\r\n")) > 0);
    r = harness_send(h, "GET", MAPS "?includeObject=None&limit=2",
                     "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n", NULL);
    harness_contains(&r, "\"object\":null");
    r = harness_send(h, "GET", MAPS "?includeObject=Object&limit=2",
                     "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n", NULL);
    harness_contains(&r, "\"object\":{\"kind\":\"ConfigMap\"");
    r = harness_send(h, "GET", MAPS,
                     "Accept: application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io\r\n",
                     NULL);
    assert_true(str_starts(r.body, str_lit("{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":"
                                           "\"meta.k8s.io/v1\"")));
    r = harness_send(h, "GET", MAPS "?limit=1", "Accept: application/yaml\r\n", NULL);
    harness_contains(&r, "kind: ConfigMapList\n");
    r = harness_get(h, MAPS "?limit=1&pretty=true");
    harness_contains(&r, "{\n  \"kind\": \"ConfigMapList\",\n");
    r = harness_send(h, "GET", MAPS, "Accept: application/vnd.kubernetes.protobuf\r\n", NULL);
    harness_expect(&r, 200);
    assert_true(str_starts(r.body, str_of("k8s\0", 4)));
    assert_true(str_find(r.body, str_lit("ConfigMapList")) > 0);
}

/* Answers so large that they change hands instead of being copied, in each form. */
static void test_large(void **state)
{
    struct harness *h = *state;
    static char body[80 << 10];
    struct err e;
    struct envelope envelope;
    void *object = NULL;
    char expected[64];
    memset(body, 'v', sizeof(body) - 1);
    size_t head = (size_t)snprintf(body, sizeof(body),
                                   "{\"metadata\":{\"name\":\"large\"},"
                                   "\"data\":{\"v\":\"");
    body[head] = 'v';
    (void)snprintf(body + sizeof(body) - 5, 5, "\"}}"); /* over the last of the bytes */
    struct reply r = harness_post(h, "/api/v1/namespaces/default/configmaps", body);
    harness_expect(&r, 201);
    r = harness_get(h, "/api/v1/namespaces/default/configmaps/large");
    harness_expect(&r, 200);
    harness_contains(&r, "vvv\"}}\n");
    r = harness_get(h, "/api/v1/namespaces/default/configmaps");
    harness_expect(&r, 200);
    harness_contains(&r, "vvv\"}}]}\n");
    (void)snprintf(expected, sizeof(expected), "content-length: %zu\r\n", r.body.len);
    assert_true(str_find(r.headers, str_from(expected)) > 0);
    r = harness_send(h, "GET", "/api/v1/namespaces/default/configmaps",
                     "Accept: application/vnd.kubernetes.protobuf\r\n", NULL);
    harness_expect(&r, 200);
    (void)snprintf(expected, sizeof(expected), "content-length: %zu\r\n", r.body.len);
    assert_true(str_find(r.headers, str_from(expected)) > 0);
    assert_int_equal(envelope_open(r.body, &envelope, &e), 0);
    assert_true(str_eq_c(envelope.kind, "ConfigMapList"));
    assert_int_equal(schema_unpack(&h->arena, &schema_ConfigMapList, envelope.raw, &object, &e), 0);
    const ConfigMapList *list = object;
    assert_int_equal(list->n_items, 1);
    assert_string_equal(list->items[0]->metadata->name, "large");
    assert_true(strlen(list->items[0]->metadata->resource_version) > 0);
    assert_true(strlen(list->metadata->resource_version) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),     cmocka_unit_test(test_pages),
        cmocka_unit_test(test_old_token), cmocka_unit_test(test_forms),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, setup, harness_teardown);
}
