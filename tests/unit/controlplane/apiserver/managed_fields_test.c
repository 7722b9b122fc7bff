/* managedFields over the API: every kind of write, server-side apply, its conflicts and its texts.
 */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS    "/api/v1/namespaces/default/configmaps"
#define DEPLOYS "/apis/apps/v1/namespaces/default/deployments"
#define HEAD    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "

static struct reply send(struct harness *h, const char *method, const char *target,
                         const char *type, const char *body)
{
    struct str headers = str_printf(&h->arena,
                                    "User-Agent: agent/1.0 (x)\r\nContent-Type: "
                                    "application/%s\r\n",
                                    type);
    return harness_send(h, method, target, headers.data, body);
}

static struct reply apply(struct harness *h, const char *target, const char *yaml)
{
    return send(h, "PATCH", target, "apply-patch+yaml", yaml);
}

static void test_create(void **state)
{
    struct harness *h = *state;
    struct reply r = send(h, "POST", MAPS, "json",
                          "{\"metadata\":{\"name\":\"c\",\"labels\":{\"l\":\"1\"}},\"data\":{"
                          "\"a\":\"1\"}}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"managedFields\":[{\"manager\":\"agent\",\"operation\":\"Update\","
                         "\"apiVersion\":\"v1\",\"time\":\"");
    harness_contains(&r, "\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:data\":{\".\":{},\"f:a\":"
                         "{}},\"f:metadata\":{\"f:labels\":{\".\":{},\"f:l\":{}}}}}]");
    /* What a client puts into the parameter goes before its User-Agent. */
    r = send(h, "PATCH", MAPS "/c?fieldManager=m", "merge-patch+json", "{\"data\":{\"b\":\"2\"}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"manager\":\"m\"");
    harness_contains(&r, "\"fieldsV1\":{\"f:data\":{\"f:b\":{}}}");
    r = send(h, "PATCH", MAPS "/c?fieldManager=a%0Ab", "merge-patch+json", "{}");
    harness_expect(&r, 422);
    harness_contains(&r,
                     "fieldManager: Invalid value: \\\"a\\\\nb\\\": invalid character U+000A (at "
                     "position 1)");
    r = send(h, "PATCH", MAPS "/c?fieldManager=%C3%A9%C2%A0", "merge-patch+json", "{}");
    harness_expect(&r, 422);
    harness_contains(&r, "invalid character U+00A0 (at position 2)");
}

static void test_update(void **state)
{
    struct harness *h = *state;
    struct reply before = harness_get(h, MAPS "/c");
    /* A PUT without managedFields keeps them; what it leaves out is nobody's. */
    struct reply r = send(h, "PUT", MAPS "/c?fieldManager=p", "json",
                          "{\"metadata\":{\"name\":\"c\"},\"data\":{\"a\":\"1\",\"b\":\"3\"}}");
    harness_expect(&r, 200);
    harness_contains(&r, "{\"f:data\":{\".\":{},\"f:a\":{}}}");
    harness_contains(&r, "\"manager\":\"p\"");
    harness_lacks(&r, "\"manager\":\"m\"");
    /* The same again: no write, and no time moves. */
    struct reply again = send(h, "PUT", MAPS "/c?fieldManager=q", "json",
                              "{\"metadata\":{\"name\":\"c\"},\"data\":{\"a\":\"1\",\"b\":\"3\"}}");
    harness_same(&r, &again);
    assert_false(str_eq(before.body, r.body));
    /* The stored form has them in every encoding. */
    again = harness_send(h, "GET", MAPS "/c", "Accept: application/yaml\r\n", NULL);
    harness_contains(&again, "manager: p");
    again =
        harness_send(h, "GET", MAPS "/c", "Accept: application/vnd.kubernetes.protobuf\r\n", NULL);
    harness_contains(&again, "{\"f:data\":{\"f:b\":{}}}");
}

static void test_reset(void **state)
{
    struct harness *h = *state;
    struct reply r = send(h, "POST", MAPS, "json", "{\"metadata\":{\"name\":\"r\"}}");
    harness_expect(&r, 201);
    harness_lacks(&r, "managedFields"); /* it owns nothing that can be owned */
    r = send(h, "POST", MAPS, "json", "{\"metadata\":{\"name\":\"s\"},\"data\":{\"a\":\"1\"}}");
    harness_contains(&r, "managedFields");
    r = send(h, "PATCH", MAPS "/s", "json-patch+json",
             "[{\"op\":\"replace\",\"path\":\"/metadata/managedFields/0/manager\",\"value\":"
             "\"new\"}]");
    harness_expect(&r, 200);
    harness_contains(&r, "\"manager\":\"new\"");
    r = send(h, "PATCH", MAPS "/s", "json-patch+json",
             "[{\"op\":\"remove\",\"path\":\"/metadata/managedFields\"}]");
    harness_contains(&r, "\"manager\":\"new\"");
    r = send(h, "PATCH", MAPS "/s", "merge-patch+json", "{\"metadata\":{\"managedFields\":[{}]}}");
    harness_expect(&r, 200);
    harness_lacks(&r, "managedFields");
    /* Not tracked any more, until somebody applies. */
    r = send(h, "PATCH", MAPS "/s", "merge-patch+json", "{\"data\":{\"b\":\"1\"}}");
    harness_lacks(&r, "managedFields");
    r = apply(h, MAPS "/s?fieldManager=x", HEAD "s}\ndata: {b: '2'}\n");
    harness_expect(&r, 409);
    harness_contains(&r, "conflict with \\\"before-first-apply\\\" using v1: .data.b");
    r = apply(h, MAPS "/s?fieldManager=x&force=true", HEAD "s}\ndata: {b: '2'}\n");
    harness_expect(&r, 200);
    r = send(h, "PATCH", MAPS "/s", "merge-patch+json", "{\"metadata\":{\"managedFields\":[]}}");
    harness_expect(&r, 200);
    harness_lacks(&r, "managedFields");
}

/* Entries that a client sends: readable ones count, in the spelling they have here. */
static void test_sent(void **state)
{
    struct harness *h = *state;
    static const char entry[] =
        "{\"metadata\":{\"managedFields\":[{\"manager\":\"%s\",\"operation\":\"%s\","
        "\"apiVersion\":\"v1\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":%s}]}}";
    static const struct {
        const char *manager;
        const char *operation;
        const char *fields;
        const char *want;
    } cases[] = {
        { "z", "Apply", "{\"f:data\":{\"f:b\":{},\"f:a\":{}}}",
          "\"fieldsV1\":{\"f:data\":{\"f:a\":{},\"f:b\":{}}}" },
        { "z", "Erase", "{\"f:data\":{\"f:q\":{}}}",
          "\"fieldsV1\":{\"f:data\":{\"f:a\":{},\"f:b\":{}}}" },
        { "z", "Apply", "{\"f:data\":1}", "\"fieldsV1\":{\"f:data\":{\"f:a\":{},\"f:b\":{}}}" },
        { "a\\u0007", "Update", "{\"f:data\":{\"f:a\":{}}}",
          "metadata.managedFields[0].manager: Invalid value: \\\"a\\\\a\\\": invalid "
          "character U+0007 (at position 1)" },
    };
    struct reply r = send(h, "POST", MAPS, "json",
                          "{\"metadata\":{\"name\":\"e\"},\"data\":{"
                          "\"a\":\"1\",\"b\":\"1\"}}");
    harness_expect(&r, 201);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str body =
            str_printf(&h->arena, entry, cases[i].manager, cases[i].operation, cases[i].fields);
        r = send(h, "PATCH", MAPS "/e", "merge-patch+json", str_dup(&h->arena, body));
        harness_contains(&r, cases[i].want);
    }
    harness_expect(&r, 422);
}

static void test_apply(void **state)
{
    struct harness *h = *state;
    struct reply r =
        apply(h, MAPS "/a?fieldManager=one&dryRun=All", HEAD "a}\ndata: {x: '1', v: '1'}\n");
    harness_expect(&r, 201);
    r = harness_get(h, MAPS "/a");
    harness_expect(&r, 404);
    r = apply(h, MAPS "/a?fieldManager=one", HEAD "a}\ndata: {x: '1', v: '1'}\n");
    harness_expect(&r, 201);
    harness_contains(&r, "\"manager\":\"one\",\"operation\":\"Apply\",\"apiVersion\":\"v1\"");
    harness_contains(&r, "\"fieldsV1\":{\"f:data\":{\"f:v\":{},\"f:x\":{}}}");
    struct reply again = apply(h, MAPS "/a?fieldManager=one", HEAD "a}\ndata: {x: '1', v: '1'}\n");
    harness_expect(&again, 200);
    harness_same(&r, &again);
    r = apply(h, MAPS "/a?fieldManager=two", HEAD "a}\ndata: {x: '2', z: '2'}\n");
    harness_expect(&r, 409);
    harness_contains(&r, "\"message\":\"Apply failed with 1 conflict: conflict with \\\"one\\\": "
                         ".data.x\",\"reason\":\"Conflict\",\"details\":{\"causes\":[{\"reason\":"
                         "\"FieldManagerConflict\",\"message\":\"conflict with \\\"one\\\"\","
                         "\"field\":\".data.x\"}]},\"code\":409");
    r = apply(h, MAPS "/a?fieldManager=two&force=true", HEAD "a}\ndata: {x: '2', z: '2'}\n");
    harness_expect(&r, 200);
    harness_contains(&r, "\"data\":{\"v\":\"1\",\"x\":\"2\",\"z\":\"2\"}");
    harness_contains(&r, "\"fieldsV1\":{\"f:data\":{\"f:v\":{}}}");
    /* The one leaves v, which goes, and x, which the other has. */
    r = apply(h, MAPS "/a?fieldManager=one", HEAD "a}\n");
    harness_expect(&r, 200);
    harness_contains(&r, "\"data\":{\"x\":\"2\",\"z\":\"2\"}");
    harness_lacks(&r, "\"manager\":\"one\"");
}

static void test_refusals(void **state)
{
    struct harness *h = *state;
    struct reply r = apply(h, MAPS "/n", HEAD "none}\n");
    harness_expect(&r, 422);
    harness_contains(&r, "PatchOptions.meta.k8s.io \\\"\\\" is invalid: fieldManager: Required "
                         "value: is required for apply patch");
    r = apply(h, MAPS "/none?fieldManager=x", HEAD "m}\n");
    harness_expect(&r, 400);
    harness_contains(&r, "the name of the object (m) does not match the name on the URL (none)");
    r = apply(h, MAPS "/none?fieldManager=x", HEAD "none, managedFields: []}\n");
    harness_expect(&r, 400);
    harness_contains(&r, "metadata.managedFields must be nil");
    r = apply(h, MAPS "/none?fieldManager=x", "kind: ConfigMap\n");
    harness_expect(&r, 400);
    harness_contains(&r, "invalid object type");
    harness_contains(&r, "invalid object type: /, Kind=ConfigMap");
    r = apply(h, MAPS "/flow?fieldManager=x",
              "{apiVersion: v1, kind: ConfigMap, metadata: {name: "
              "flow}, data: {a: b}}\n");
    harness_expect(&r, 201);
    r = apply(h, MAPS "/none?fieldManager=x", "- 1\n");
    harness_expect(&r, 400);
    r = apply(h, MAPS "/none?fieldManager=x", HEAD "none, uid: u}\n");
    harness_expect(&r, 409);
    harness_contains(&r, "uid mismatch: the provided object specified uid u, and no existing "
                         "object was found");
    r = apply(h, MAPS "/past?fieldManager=x", HEAD "past, resourceVersion: '7'}\n");
    harness_expect(&r, 201);
    r = apply(h, MAPS "/past?fieldManager=x", HEAD "past, resourceVersion: '7'}\n");
    harness_expect(&r, 409);
    r = apply(h, MAPS "/none?fieldManager=x", HEAD "none}\ndatas: {}\n");
    harness_expect(&r, 500);
    harness_contains(&r,
                     "failed to create typed patch object (/none; /v1, Kind=ConfigMap): .datas: "
                     "field not declared in schema");
    r = apply(h, DEPLOYS "/none/status?fieldManager=x",
              "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: none}\n");
    harness_expect(&r, 404);
}

static const char deployment[] =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n"
    "  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n"
    "    spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}\n";

static void test_subresources(void **state)
{
    struct harness *h = *state;
    struct reply r = apply(h, DEPLOYS "/web?fieldManager=one", deployment);
    harness_expect(&r, 201);
    harness_contains(&r, "\"k:{\\\"containerPort\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},"
                         "\"f:containerPort\":{}}");
    r = send(h, "PATCH", DEPLOYS "/web/scale?fieldManager=s", "merge-patch+json",
             "{\"spec\":{\"replicas\":3}}");
    harness_expect(&r, 200);
    r = apply(h, DEPLOYS "/web?fieldManager=one", deployment);
    harness_expect(&r, 409);
    harness_contains(&r, "conflict with \\\"s\\\" with subresource \\\"scale\\\" using apps/v1: "
                         ".spec.replicas");
    static const char scale[] = "apiVersion: autoscaling/v1\nkind: Scale\nmetadata: {name: web}\n"
                                "spec: {replicas: 4}\n";
    r = apply(h, DEPLOYS "/web/scale?fieldManager=t", scale);
    harness_expect(&r, 409);
    r = apply(h, DEPLOYS "/web/scale?fieldManager=t&force=true", scale);
    harness_expect(&r, 200);
    harness_contains(&r, "\"replicas\":4");
    static const char status[] = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
                                 "spec: {replicas: 9}\nstatus: {replicas: 7}\n";
    r = apply(h, DEPLOYS "/web/status?fieldManager=u", status);
    harness_expect(&r, 200);
    harness_contains(&r, "\"status\":{\"replicas\":7");
    harness_contains(&r, "\"spec\":{\"replicas\":4");
    harness_contains(&r, "\"fieldsV1\":{\"f:status\":{\"f:replicas\":{}}},\"subresource\":"
                         "\"status\"");
    harness_contains(&r, "\"fieldsV1\":{\"f:spec\":{\"f:replicas\":{}}},\"subresource\":"
                         "\"scale\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),       cmocka_unit_test(test_update),
        cmocka_unit_test(test_reset),        cmocka_unit_test(test_sent),
        cmocka_unit_test(test_apply),        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_subresources),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
