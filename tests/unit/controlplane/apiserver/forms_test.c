/*
 * One object in every form that GET, LIST and WATCH have: JSON, YAML and protobuf; whole, as
 * metadata and as a Table with none, the metadata or all of it; pretty; packed.
 */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/yaml.h"
#include "base/err.h"
#include "net/gzip.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS  "/api/v1/namespaces/default/configmaps"
#define ONE   MAPS "/form"
#define META  ";g=meta.k8s.io;v=v1;as="
#define META1 ";g=meta.k8s.io;v=v1beta1;as="
#define PB    "application/vnd.kubernetes.protobuf"

static struct reply get(struct harness *h, const char *target, const char *accept)
{
    struct str header = str_printf(&h->arena, "Accept: %s\r\n", accept);
    return harness_send(h, "GET", target, header.data, NULL);
}

struct form {
    const char *target;
    const char *accept;
    int status;
    const char *contains;
    const char *lacks;
};

#define PARTIAL                                                                                    \
    "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/"                            \
    "v1\",\"metadata\":{\"name\":"
#define PARTIAL1                                                                                   \
    "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1beta1\",\"metadata\":{"

static const struct form forms[] = {
    { ONE, "application/json", 200, "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",", NULL },
    { ONE, "application/yaml", 200, "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\n", NULL },
    { ONE, "application/json" META "PartialObjectMetadata", 200, PARTIAL, "\"data\"" },
    { ONE, "application/json" META1 "PartialObjectMetadata", 200, PARTIAL1, "\"data\"" },
    { ONE, "application/yaml" META "PartialObjectMetadata", 200, "kind: PartialObjectMetadata\n",
      "\ndata:" },
    { ONE, "application/json" META "PartialObjectMetadataList", 406,
      "you requested PartialObjectMetadataList, but the requested object is not a list "
      "(*core.ConfigMap)",
      NULL },
    { ONE, "application/json" META "Table", 200, "\"object\":" PARTIAL, "\"data\":{" },
    { ONE, "application/json" META1 "Table", 200, "\"object\":" PARTIAL1, "\"data\":{" },
    { ONE "?includeObject=None", "application/json" META "Table", 200, "\"object\":null}", NULL },
    { ONE "?includeObject=Metadata", "application/json" META "Table", 200, "\"object\":" PARTIAL,
      "\"data\":{" },
    { ONE "?includeObject=Object", "application/json" META "Table", 200,
      "\"object\":{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",", NULL },
    { ONE "?includeObject=Some", "application/json" META "Table", 400,
      "Unable to convert to Table as requested: includeObject: Invalid value: \\\"Some\\\": must "
      "be 'Metadata', 'Object', 'None', or empty",
      NULL },
    { ONE "?includeObject=Some", "application/json", 200, "\"data\"", NULL },
    { ONE, "application/yaml" META "Table", 200, "kind: Table\n", NULL },
    { ONE, PB META "Table", 406, "only the following media types are accepted", NULL },
    { MAPS, "application/json", 200, "\"items\":[{\"metadata\":{\"name\":", "[{\"kind\"" },
    { MAPS, "application/yaml", 200, "kind: ConfigMapList\n", NULL },
    { MAPS, "application/json" META "PartialObjectMetadataList", 200, "\"items\":[" PARTIAL,
      "\"data\"" },
    { MAPS, "application/json" META "PartialObjectMetadataList", 200,
      "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{"
      "\"resourceVersion\":",
      NULL },
    { MAPS, "application/json" META1 "PartialObjectMetadataList", 200, "\"items\":[" PARTIAL1,
      NULL },
    { MAPS, "application/yaml" META "PartialObjectMetadataList", 200,
      "items:\n- apiVersion: meta.k8s.io/v1\n  kind: PartialObjectMetadata\n", NULL },
    { MAPS, "application/json" META "PartialObjectMetadata", 406,
      "you requested PartialObjectMetadata, but the requested object is a list "
      "(*core.ConfigMapList)",
      NULL },
    { "/apis/apps/v1/deployments", "application/json" META "PartialObjectMetadata", 406,
      "(*apps.DeploymentList)", NULL },
    { MAPS, "application/json" META "Table", 200, "\"rows\":[{\"cells\":[", NULL },
    { MAPS "?includeObject=None", "application/json" META "Table", 200, "\"object\":null}", NULL },
    { MAPS "?includeObject=Object", "application/json" META "Table", 200,
      "\"object\":{\"kind\":\"ConfigMap\"", NULL },
    { MAPS "?includeObject=x", "application/json" META "Table", 400, "Unable to convert", NULL },
    { MAPS "?watch=1", "application/yaml", 406, "code: 406\n", NULL },
    { MAPS "?watch=1", "application/yaml;q=1, text/html", 406, "application/json;stream=watch",
      NULL },
    { MAPS "?watch=1&includeObject=x", "application/json" META "Table", 400, "Unable to convert",
      NULL },
    { ONE "/nope", "application/yaml", 404, "reason: NotFound\n", NULL },
};

static void texts(void **state)
{
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const struct form *f = &forms[i];
        struct reply r = get(h, f->target, f->accept);
        print_message("%s %s\n", f->target, f->accept);
        harness_expect(&r, f->status);
        harness_contains(&r, f->contains);
        if (f->lacks != NULL)
            harness_lacks(&r, f->lacks);
    }
}

static void *open_pb(struct harness *h, struct str body, const struct schema *s, const char *kind,
                     const char *api_version)
{
    struct envelope envelope;
    struct err e = { 0 };
    void *message = NULL;
    if (envelope_open(body, &envelope, &e) != 0 ||
        schema_unpack(&h->arena, s, envelope.raw, &message, &e) != 0)
        fail_msg("%s: %s", kind, e.msg);
    assert_true(str_eq_c(envelope.kind, kind));
    assert_true(str_eq_c(envelope.api_version, api_version));
    return message;
}

static void protobuf(void **state)
{
    struct harness *h = *state;
    struct reply r = get(h, ONE, PB);
    ConfigMap *map = open_pb(h, r.body, &schema_ConfigMap, "ConfigMap", "v1");
    assert_string_equal(map->metadata->name, "form");
    assert_true(strlen(map->metadata->resource_version) > 0);
    r = get(h, ONE, PB META "PartialObjectMetadata");
    PartialObjectMetadata *partial = open_pb(h, r.body, &schema_PartialObjectMetadata,
                                             "PartialObjectMetadata", "meta.k8s.io/v1");
    assert_string_equal(partial->metadata->resource_version, map->metadata->resource_version);
    r = get(h, MAPS, PB);
    ConfigMapList *list = open_pb(h, r.body, &schema_ConfigMapList, "ConfigMapList", "v1");
    assert_int_equal(list->n_items, 1);
    assert_true(strlen(list->metadata->resource_version) > 0);
    r = get(h, MAPS, PB META "PartialObjectMetadataList");
    PartialObjectMetadataList *partials = open_pb(h, r.body, &schema_PartialObjectMetadataList,
                                                  "PartialObjectMetadataList", "meta.k8s.io/v1");
    assert_int_equal(partials->n_items, 1);
    assert_string_equal(partials->items[0]->metadata->name, "form");
}

/* v1beta1 numbers the list's fields the other way round: 1 the items, 2 the metadata. */
static void protobuf_v1beta1(void **state)
{
    struct harness *h = *state;
    struct envelope envelope;
    struct err e = { 0 };
    struct reply r = get(h, MAPS, PB META1 "PartialObjectMetadataList");
    harness_expect(&r, 200);
    assert_int_equal(envelope_open(r.body, &envelope, &e), 0);
    assert_true(str_eq_c(envelope.api_version, "meta.k8s.io/v1beta1"));
    assert_int_equal(envelope.raw.data[0], 1 << 3 | 2);
    assert_true(str_find(str_slice(envelope.raw, 0, 20), str_lit("form")) > 0);
}

struct watched {
    const char *target;
    const char *accept;
    const char *first;
    const char *second;
};

/* An object that is there, and one that comes. */
static const struct watched watched[] = {
    { MAPS "?watch=1&resourceVersion=0", "application/json",
      "{\"type\":\"ADDED\",\"object\":{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",",
      "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\"," },
    { MAPS "?watch=1&resourceVersion=0", "application/json" META "PartialObjectMetadata",
      "{\"type\":\"ADDED\",\"object\":" PARTIAL, "{\"type\":\"MODIFIED\",\"object\":" PARTIAL },
    { MAPS "?watch=1&resourceVersion=0", "application/json" META1 "PartialObjectMetadata",
      "{\"type\":\"ADDED\",\"object\":" PARTIAL1, "{\"type\":\"MODIFIED\",\"object\":" PARTIAL1 },
    { MAPS "?watch=1&resourceVersion=0", "application/json" META "Table",
      "\"columnDefinitions\":[{\"name\":\"Name\"", "\"columnDefinitions\":null,\"rows\":[{" },
    { MAPS "?watch=1&resourceVersion=0&includeObject=None", "application/json" META "Table",
      "\"object\":null}]}}", "\"object\":null}]}}" },
    { MAPS "?watch=1&resourceVersion=0&includeObject=Object", "application/json" META "Table",
      "\"object\":{\"kind\":\"ConfigMap\"", "\"object\":{\"kind\":\"ConfigMap\"" },
    { MAPS "?watch=1&resourceVersion=0&includeObject=Metadata", "application/json" META1 "Table",
      "\"object\":" PARTIAL1, "\"object\":" PARTIAL1 },
    /* The end of the initial events is told even where no object is wanted. */
    { MAPS "?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&includeObject=None&"
           "resourceVersionMatch=NotOlderThan",
      "application/json" META "Table", "\"rows\":[{\"cells\":[\"form\"",
      "\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" },
};

static void watches(void **state)
{
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++) {
        struct stream s;
        struct str header = str_printf(&h->arena, "Accept: %s\r\n", watched[i].accept);
        print_message("%s %s\n", watched[i].target, watched[i].accept);
        stream_open(h, &s, watched[i].target, header.data);
        struct str line = stream_line(h, &s);
        if (str_find(line, str_from(watched[i].first)) < 0)
            fail_msg("no %s in %.*s", watched[i].first, STR_ARG(line));
        struct str body =
            str_printf(&h->arena, "{\"metadata\":{\"name\":\"form\"},\"data\":{\"a\":\"%zu\"}}", i);
        struct reply r =
            harness_send_bytes(h, "PUT", ONE, "Content-Type: application/json\r\n", body);
        harness_expect(&r, 200);
        line = stream_line(h, &s);
        if (str_find(line, str_from(watched[i].second)) < 0)
            fail_msg("no %s in %.*s", watched[i].second, STR_ARG(line));
        stream_close(&s);
    }
}

static void pretty(void **state)
{
    struct harness *h = *state;
    static const struct {
        const char *target;
        const char *headers;
        bool pretty;
    } cases[] = {
        { ONE, "User-Agent: curl/8.0\r\n", true },
        { ONE, "User-Agent: Wget/1.2\r\n", true },
        { ONE, "User-Agent: Mozilla/5.0 (X11)\r\n", true },
        { ONE, "User-Agent: kubectl/v1.35\r\n", false },
        { ONE "?pretty=0", "User-Agent: curl/8.0\r\n", false },
        { ONE "?pretty=maybe", "User-Agent: curl/8.0\r\n", false },
        { ONE "?pretty=", "User-Agent: curl/8.0\r\n", true },
        { ONE "?pretty=T", NULL, true },
        { ONE "?pretty=true", NULL, true },
        { ONE, "Accept: application/json;pretty=1\r\n", true },
        { MAPS "?pretty=1", NULL, true },
        { MAPS "/absent?pretty=1", NULL, true },
        { MAPS "/absent", "User-Agent: curl/8.0\r\n", true },
        { MAPS "/absent", NULL, false },
        { ONE, "Accept: image/png\r\n", true },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reply r = harness_send(h, "GET", cases[i].target, cases[i].headers, NULL);
        print_message("%s %s\n", cases[i].target, cases[i].headers);
        assert_int_equal(str_starts(r.body, str_lit("{\n  \"kind\": \"")), cases[i].pretty);
        assert_int_equal(r.body.data[r.body.len - 1] == '\n', !cases[i].pretty);
    }
}

static void packed(void **state)
{
    struct harness *h = *state;
    struct buf body;
    struct buf plain;
    struct err e = { 0 };
    buf_init(&body);
    buf_init(&plain);
    buf_append_c(&body, "{\"metadata\":{\"name\":\"large\"},\"data\":{\"a\":\"");
    for (int i = 0; i < 140000; i++)
        buf_append_byte(&body, (uint8_t)('a' + i % 26));
    buf_append_c(&body, "\"}}");
    struct reply r =
        harness_send_bytes(h, "POST", MAPS, "Content-Type: application/json\r\n", buf_str(&body));
    harness_expect(&r, 201);
    static const char *const targets[] = { MAPS "/large", MAPS, MAPS "/large?pretty=1" };
    static const char *const accepts[] = { "application/json", PB, "application/yaml" };
    for (size_t i = 0; i < 9; i++) {
        const char *accept = accepts[i / 3];
        struct reply whole = get(h, targets[i % 3], accept);
        struct str header =
            str_printf(&h->arena, "Accept: %s\r\nAccept-Encoding: br, gzip\r\n", accept);
        struct reply small = harness_send(h, "GET", targets[i % 3], header.data, NULL);
        harness_expect(&small, 200);
        assert_true(str_find(small.headers, str_lit("content-encoding: gzip")) > 0);
        assert_true(str_find(small.headers, str_lit("vary: Accept-Encoding")) > 0);
        assert_true(str_find(whole.headers, str_lit("content-encoding")) < 0);
        buf_clear(&plain);
        assert_int_equal(gzip_unpack(&plain, small.body, 1 << 22, &e), 0);
        assert_true(str_eq(buf_str(&plain), whole.body));
        assert_true(small.body.len < whole.body.len / 10);
    }
    /* Small answers, and who asks with a q, get them as they are. */
    r = harness_send(h, "GET", ONE, "Accept-Encoding: gzip\r\n", NULL);
    assert_true(str_find(r.headers, str_lit("content-encoding")) < 0);
    r = harness_send(h, "GET", MAPS, "Accept-Encoding: gzip;q=0\r\n", NULL);
    assert_true(str_find(r.headers, str_lit("content-encoding")) < 0);
    buf_deinit(&body);
    buf_deinit(&plain);
}

static int setup(void **state)
{
    int rc = harness_setup(state);
    struct harness *h = *state;
    struct reply r =
        harness_post(h, MAPS, "{\"metadata\":{\"name\":\"form\"},\"data\":{\"a\":\"b\"}}");
    harness_expect(&r, 201);
    return rc;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),   cmocka_unit_test(protobuf), cmocka_unit_test(protobuf_v1beta1),
        cmocka_unit_test(watches), cmocka_unit_test(pretty),   cmocka_unit_test(packed)
    };
    return cmocka_run_group_tests(tests, setup, harness_teardown);
}
