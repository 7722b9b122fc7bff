/* Creating objects: what the server adds, and what it refuses, in upstream's words. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS "/api/v1/namespaces/default/configmaps"

static void test_created(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, MAPS,
                                  "{\"metadata\":{\"name\":\"one\",\"uid\":\"mine\"},\"data\":"
                                  "{\"k\":\"<v>\"}}");
    harness_expect(&r, 201);
    harness_contains(&r, "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":"
                         "\"one\",\"namespace\":\"default\",\"uid\":\"");
    harness_contains(&r, "\"data\":{\"k\":\"\\u003cv\\u003e\"}}\n");
    harness_lacks(&r, "\"mine\"");
    harness_lacks(&r, "generation");
    assert_int_equal(harness_member(h, &r, "uid").len, 36);
    assert_int_equal(harness_member(h, &r, "creationTimestamp").len, 20);
    struct reply again = harness_get(h, MAPS "/one");
    harness_expect(&again, 200);
    assert_true(str_eq(again.body, r.body));
}

struct refusal {
    const char *target;
    const char *body;
    int status;
    const char *text;
};

static const struct refusal refusals[] = {
    { MAPS, "{\"metadata\":{\"name\":\"one\"}}", 409,
      "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
      "\"message\":\"configmaps \\\"one\\\" already exists\",\"reason\":\"AlreadyExists\","
      "\"details\":{\"name\":\"one\",\"kind\":\"configmaps\"},\"code\":409}\n" },
    { "/api/v1/namespaces/none/configmaps", "{\"metadata\":{\"name\":\"x\"}}", 404,
      "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
      "\"message\":\"namespaces \\\"none\\\" not found\",\"reason\":\"NotFound\",\"details\":"
      "{\"name\":\"none\",\"kind\":\"namespaces\"},\"code\":404}\n" },
    { MAPS, "{\"metadata\":{\"name\":\"x\",\"namespace\":\"kube-system\"}}", 400,
      "the namespace of the provided object does not match the namespace sent on the request" },
    { MAPS, "{\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"5\"}}", 500,
      "\"message\":\"resourceVersion should not be set on objects to be created\",\"code\":500" },
    { MAPS, "{\"apiVersion\":\"apps/v1\",\"metadata\":{\"name\":\"x\"}}", 400,
      "no kind \\\"ConfigMap\\\" is registered for version \\\"apps/v1\\\" in scheme" },
    { MAPS, "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"x\"}}", 400,
      "Pod in version \\\"v1\\\" cannot be handled as a ConfigMap" },
    { MAPS, "{\"metadata\":{\"name\":\"X_\"}}", 422,
      "ConfigMap \\\"X_\\\" is invalid: metadata.name: Invalid value: \\\"X_\\\"" },
    { MAPS, "{\"metadata\":{\"name\":\"x\"},\"data\":5}", 400,
      "cannot be handled as a ConfigMap: json: cannot unmarshal" },
    { MAPS, "{}", 422, "Required value: name or generateName is required" },
    { "/apis/apps/v1/namespaces/default/deployments", "{}", 422,
      "name or generateName is required" },
    { MAPS, "{", 400, "couldn't get version/kind; json parse error" },
    { MAPS, "", 400, "couldn't get version/kind; json parse error" },
    { MAPS "?fieldValidation=Strict", "{\"metadata\":{\"name\":\"x\"},\"nope\":1}", 400,
      "ConfigMap in version \\\"v1\\\" cannot be handled as a ConfigMap: strict decoding error: "
      "unknown field \\\"nope\\\"" },
    { MAPS "?fieldValidation=Odd", "{\"metadata\":{\"name\":\"x\"}}", 422,
      "fieldValidation: Unsupported value: \\\"Odd\\\"" },
    { MAPS "?dryRun=Some", "{\"metadata\":{\"name\":\"x\"}}", 422,
      "CreateOptions.meta.k8s.io \\\"\\\" is invalid: dryRun: Unsupported value" },
    { "/api/v1/configmaps", "{\"metadata\":{\"name\":\"x\"}}", 405, "MethodNotAllowed" },
    { "/api/v1/namespaces/default/nopes", "{}", 404,
      "the server could not find the requested resource" },
};

static void test_refused(void **state)
{
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *c = &refusals[i];
        print_message("%s\n", c->body);
        struct reply r = harness_post(h, c->target, c->body);
        harness_expect(&r, c->status);
        harness_contains(&r, c->text);
    }
}

static void test_warning(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, MAPS, "{\"metadata\":{\"name\":\"warned\"},\"nope\":1}");
    harness_expect(&r, 201);
    assert_true(str_find(r.headers, str_lit("warning: 299 - \"unknown field \\\"nope\\\"\"")) > 0);
}

static void test_generate_name(void **state)
{
    struct harness *h = *state;
    static const char body[] = "{\"metadata\":{\"generateName\":\"gen-\"}}";
    static const char id[] = "Content-Type: application/json\r\nGantry-Request-Id: try-1\r\n";
    struct reply a = harness_post(h, MAPS, body);
    struct reply b = harness_post(h, MAPS, body);
    harness_expect(&a, 201);
    harness_expect(&b, 201);
    assert_false(str_eq(harness_member(h, &a, "name"), harness_member(h, &b, "name")));
    assert_int_equal(harness_member(h, &a, "name").len, 9);
    struct reply first = harness_send(h, "POST", MAPS, id, body);
    struct reply retry = harness_send(h, "POST", MAPS, id, body);
    harness_expect(&first, 201);
    harness_expect(&retry, 201);
    harness_same(&first, &retry);
}

/* Names that a generated name once had are told from others, and a PUT creates where it may. */
static void test_collision(void **state)
{
    struct harness *h = *state;
    static const char leases[] = "/apis/coordination.k8s.io/v1/namespaces/default/leases/up";
    static const char json[] = "Content-Type: application/json\r\n";
    struct reply r =
        harness_post(h, MAPS, "{\"metadata\":{\"generateName\":\"gen-\",\"name\":\"gen-1\"}}");
    harness_expect(&r, 201);
    r = harness_post(h, MAPS, "{\"metadata\":{\"generateName\":\"gen-\",\"name\":\"gen-1\"}}");
    harness_expect(&r, 409);
    harness_contains(&r, "configmaps \\\"gen-1\\\" already exists, the server was not able to "
                         "generate a unique name for the object");
    harness_contains(&r, "\"retryAfterSeconds\":1");
    r = harness_send(h, "PUT", leases, json, "{\"metadata\":{\"name\":\"up\",\"uid\":\"x\"}}");
    harness_expect(&r, 409);
    harness_contains(&r, "Operation cannot be fulfilled on leases.coordination.k8s.io \\\"up\\\": "
                         "Precondition failed: UID in precondition: x, UID in object meta: ");
    r = harness_send(h, "PUT", leases, json,
                     "{\"metadata\":{\"name\":\"up\",\"resourceVersion\":\"7\"}}");
    harness_expect(&r, 201);
    r = harness_send(h, "PUT", leases, json, "{\"metadata\":{\"name\":\"up\"}}");
    harness_expect(&r, 422);
    harness_contains(&r, "leases.coordination.k8s.io \\\"up\\\" is invalid: "
                         "metadata.resourceVersion: Invalid value: 0: must be specified for an "
                         "update");
    /* A cluster's object has no namespace, whatever it says. */
    r = harness_post(h, "/api/v1/namespaces",
                     "{\"metadata\":{\"name\":\"flat\",\"namespace\":\"odd\"}}");
    harness_expect(&r, 201);
    harness_lacks(&r, "\"namespace\":");
    r = harness_send(h, "PUT", "/api/v1/namespaces/flat", json,
                     "{\"metadata\":{\"name\":\"flat\",\"namespace\":\"odd\"}}");
    harness_expect(&r, 200);
}

static void test_options(void **state)
{
    struct harness *h = *state;
    struct reply r =
        harness_post(h, MAPS "?fieldManager=a%07b&dryRun=x&dryRun=All&fieldValidation=y",
                     "{\"metadata\":{\"name\":\"never\"}}");
    harness_expect(&r, 422);
    harness_contains(
        &r, "CreateOptions.meta.k8s.io \\\"\\\" is invalid: [fieldManager: Invalid value: "
            "\\\"a\\\\ab\\\": invalid character U+0007 (at position 1), dryRun: Unsupported "
            "value: [\\\"x\\\",\\\"All\\\"]: supported values: \\\"All\\\", "
            "fieldValidation: Unsupported value: \\\"y\\\": supported values: \\\"\\\", "
            "\\\"Ignore\\\", \\\"Strict\\\", \\\"Warn\\\"]");
}

/* The same request id under a plain name gets the first answer; another id gets the conflict. */
static void test_request_id(void **state)
{
    struct harness *h = *state;
    static const char body[] = "{\"metadata\":{\"name\":\"idem\"}}";
    static const char id[] = "Content-Type: application/json\r\nGantry-Request-Id: idem-1\r\n";
    static const char other[] = "Content-Type: application/json\r\nGantry-Request-Id: idem-2\r\n";
    struct reply first = harness_send(h, "POST", MAPS, id, body);
    struct reply retry = harness_send(h, "POST", MAPS, id, body);
    struct reply stranger = harness_send(h, "POST", MAPS, other, body);
    harness_expect(&first, 201);
    harness_expect(&retry, 201);
    harness_same(&first, &retry);
    harness_expect(&stranger, 409);
}

static void test_dry_run(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, MAPS "?dryRun=All", "{\"metadata\":{\"name\":\"dry\"}}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"name\":\"dry\"");
    struct reply missing = harness_get(h, MAPS "/dry");
    harness_expect(&missing, 404);
    harness_contains(&missing, "\"message\":\"configmaps \\\"dry\\\" not found\",\"reason\":"
                               "\"NotFound\",\"details\":{\"name\":\"dry\",\"kind\":"
                               "\"configmaps\"},\"code\":404");
}

static void test_yaml(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "POST", MAPS, "Content-Type: application/yaml\r\n",
                                  "metadata:\n  name: from-yaml\ndata:\n  on: \"yes\"\n");
    harness_expect(&r, 201);
    harness_contains(&r, "\"name\":\"from-yaml\"");
    struct reply text =
        harness_send(h, "GET", MAPS "/from-yaml", "Accept: application/yaml\r\n", NULL);
    harness_expect(&text, 200);
    harness_contains(&text, "kind: ConfigMap\n");
}

static void test_too_large(void **state)
{
    struct harness *h = *state;
    size_t len = 3145728 + 1;
    char *body = mem_alloc(len);
    for (size_t i = 0; i < len; i++) {
        body[i] = ' ';
    }
    struct reply r = harness_send_bytes(h, "POST", MAPS, NULL, str_of(body, len));
    mem_free(body);
    harness_expect(&r, 413);
    harness_contains(&r, "Request entity too large: limit is 3145728");
}

static void test_unsupported(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "POST", MAPS, "Content-Type: text/plain\r\n", "x");
    harness_expect(&r, 415);
    r = harness_send(h, "GET", MAPS, "Accept: text/html\r\n", NULL);
    harness_expect(&r, 406);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_created),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_warning),     cmocka_unit_test(test_generate_name),
        cmocka_unit_test(test_request_id),  cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_yaml),        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_unsupported), cmocka_unit_test(test_collision),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
