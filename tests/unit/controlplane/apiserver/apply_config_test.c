/* What an apply brings that cannot be applied, against upstream's messages. */
#include "api/schema/json.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS  "/api/v1/namespaces/default/configmaps"
#define YAML  "error decoding YAML: "
#define MAP_X "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"

static struct reply send(struct harness *h, const char *target, const char *type, const char *body)
{
    struct str headers = str_printf(&h->arena, "Content-Type: application/%s\r\n", type);
    return harness_send(h, "PATCH", target, headers.data, body);
}

static struct str message_of(struct harness *h, const struct reply *r)
{
    const struct json *j = NULL;
    if (json_parse(&h->arena, r->body, &j, NULL) != 0)
        fail_msg("%.*s", STR_ARG(r->body));
    return json_str(json_get_c(j, "message"));
}

static void refused(void **state)
{
    static const struct {
        const char *query;
        const char *body;
        int status;
        const char *message;
    } cases[] = {
        { "?fieldManager=m", "{]", 400,
          YAML "error converting YAML to JSON: yaml: did not find expected node content" },
        { "?fieldManager=m", "[]", 400,
          YAML "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go "
               "value of type map[string]interface {}" },
        { "?fieldManager=m", "x", 400,
          YAML
          "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go "
          "value of type map[string]interface {}" },
        { "?fieldManager=m", "", 400, "invalid object type: /, Kind=" },
        { "?fieldManager=m", "null", 400, "invalid object type: /, Kind=" },
        { "?fieldManager=m", "kind: ConfigMap", 400, "invalid object type: /, Kind=ConfigMap" },
        { "?fieldManager=m", "apiVersion: v1\nkind: Secret", 400,
          "invalid object type: /v1, Kind=Secret" },
        { "?fieldManager=m", MAP_X "  \n", 201, "" },
        { "?fieldManager=m",
          "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"managedFields\":[]}}", 400,
          "metadata.managedFields must be nil" },
        { "?fieldManager=m&fieldValidation=Strict", MAP_X "data: {a: b}\ndata:\n  c: d\n  c: e\n",
          400,
          "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  "
          "line 7: key \"c\" already set in map\n  line 6: key \"data\" already set in map" },
        { "?fieldManager=m&fieldValidation=Strict",
          "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"kind\":\"ConfigMap\"}", 400,
          "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  "
          "line 1: key \"kind\" already set in map" },
        { "?fieldManager=m&fieldValidation=Ignore", MAP_X "data: {}\ndata: {}\n", 200, "" },
        { "?fieldManager=m",
          "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: other}", 400,
          "the namespace of the provided object does not match the namespace sent on the request" },
        { "?fieldManager=m", MAP_X "data: []\nimmutable: 1\n", 500,
          "failed to create typed patch object (/x; /v1, Kind=ConfigMap): errors:\n"
          "  .data: expected map, got &{[]}\n  .immutable: expected boolean, got &{1}" },
        { "?fieldManager=m", MAP_X "binaryData: {a: '#'}\n", 500,
          "failed to convert new object (/x; /v1, Kind=ConfigMap) to proper version: unable to "
          "convert unstructured object to /v1, Kind=ConfigMap: error decoding from "
          "json: illegal base64 data at input byte 0" },
        { "", MAP_X, 422,
          "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for "
          "apply patch" },
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str target = str_printf(&h->arena, MAPS "/x%s", cases[i].query);
        struct reply r = send(h, target.data, "apply-patch+yaml", cases[i].body);
        harness_expect(&r, cases[i].status);
        if (!str_eq_c(message_of(h, &r), cases[i].message))
            fail_msg("%s:\n got %.*s\nwant %s", cases[i].body, STR_ARG(message_of(h, &r)),
                     cases[i].message);
    }
}

/* Whole numbers are integers, whatever their form. */
static void whole_numbers(void **state)
{
    struct harness *h = *state;
    const char *deployment = "/apis/apps/v1/namespaces/default/deployments/web?fieldManager=m";
    struct reply r = send(h, deployment, "apply-patch+yaml",
                          "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
                          "  replicas: 2.0\n  selector: {matchLabels: {a: b}}\n  template:\n"
                          "    metadata: {labels: {a: b}}\n"
                          "    spec: {containers: [{name: c, image: i}]}\n");
    harness_expect(&r, 201);
    harness_contains(&r, "\"replicas\":2,");
    r = send(h, deployment, "strategic-merge-patch+json", "{\"spec\":{\"replicas\":3.0}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"replicas\":3,");
    r = send(h, deployment, "strategic-merge-patch+json", "{\"spec\":{\"replicas\":3.5}}");
    harness_expect(&r, 422);
    harness_contains(&r, "map[spec:map[replicas:3.5]]\\\": cannot convert float64 to int32");
    r = send(
        h, deployment, "apply-patch+yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3.5}\n");
    harness_expect(&r, 409);
    r = send(
        h, "/apis/apps/v1/namespaces/default/deployments/web?fieldManager=m&force=true",
        "apply-patch+yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3.5}\n");
    harness_expect(&r, 500);
    harness_contains(&r, "Kind=Deployment: cannot convert float64 to int32");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refused, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(whole_numbers, harness_setup, harness_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
