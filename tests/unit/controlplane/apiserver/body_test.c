/* Bodies and patches that are wrong in some way, against upstream's messages and warnings. */
#include <string.h>

#include "api/schema/json.h"
#include "base/err.h"
#include "controlplane/apiserver/body.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS         "/api/v1/namespaces/default/configmaps"
#define PODS         "/api/v1/namespaces/default/pods"
#define DEPLOYS      "/apis/apps/v1/namespaces/default/deployments"
#define JSON         "application/json"
#define YAML         "application/yaml"
#define PB           "application/vnd.kubernetes.protobuf"

#define WARNINGS_MAX 64

struct refusal {
    const char *method;
    const char *target;
    const char *type;
    struct str body;
    int status;
    const char *message;
};

/* The message of a Status, unescaped. */
static struct str message_of(struct harness *h, const struct reply *r)
{
    const struct json *j = NULL;
    struct err e = { 0 };
    if (json_parse(&h->arena, r->body, &j, &e) != 0)
        fail_msg("%.*s: %s", STR_ARG(r->body), e.msg);
    return json_str(json_get_c(j, "message"));
}

static struct reply send_body(struct harness *h, const char *method, const char *target,
                              const char *type, struct str body)
{
    struct str header = str_printf(&h->arena, "Content-Type: %s\r\n", type);
    return harness_send_bytes(h, method, target, header.data, body);
}

#define UNRECOGNIZED "the object provided is unrecognized (must be of type ConfigMap): "
#define NO_KIND      UNRECOGNIZED "couldn't get version/kind; json parse error: "
#define IN_MAP       "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: "

static const struct refusal refusals[] = {
    { "POST", MAPS, JSON, STR(""), 400, NO_KIND "unexpected end of JSON input (<empty>)" },
    { "POST", MAPS, JSON, STR("{"), 400, NO_KIND "unexpected end of JSON input ({)" },
    { "POST", MAPS, JSON, STR("{\"metadata\":{\"name\":\"abcdefghijklmn\"}} x"), 400,
      NO_KIND
      "invalid character 'x' after top-level value ({\"metadata\":{\"name\":\"abcdefghi ...)" },
    { "POST", MAPS, JSON, STR("nope"), 400,
      NO_KIND "invalid character 'o' in literal null (expecting 'u') (6e6f7065)" },
    { "POST", MAPS, JSON, STR("{\"a\":'b'}"), 400,
      NO_KIND "invalid character '\\'' looking for beginning of value ({\"a\":'b'})" },
    { "POST", MAPS, JSON, STR("{\"a\":\"\0\"}"), 400,
      NO_KIND "invalid character '\\x00' in string literal (7b2261223a2200227d)" },
    { "POST", MAPS, JSON, STR("[]"), 400,
      NO_KIND "json: cannot unmarshal array into Go value of type struct { APIVersion string "
              "\"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
              "\"json:\\\"kind,omitempty\\\"\" } (5b5d)" },
    { "POST", MAPS, JSON, STR("{\"kind\":5}"), 400,
      NO_KIND "json: cannot unmarshal number into Go struct field .kind of type string "
              "({\"kind\":5})" },
    { "POST", MAPS, JSON, STR("{\"apiVersion\":\"a/b/c\"}"), 400,
      UNRECOGNIZED "unexpected GroupVersion string: a/b/c ({\"apiVersion\":\"a/b/c\"})" },
    { "POST", MAPS, JSON, STR("{\"kind\":\"Foo\"}"), 400,
      "Foo in version \"v1\" cannot be handled as a ConfigMap: no kind \"Foo\" is registered for "
      "version \"v1\" in scheme \"pkg/api/legacyscheme/scheme.go:30\"" },
    { "POST", MAPS, JSON, STR("{\"kind\":\"Secret\"}"), 400,
      "Secret in version \"v1\" cannot be handled as a ConfigMap: converting (v1.Secret) to "
      "(core.ConfigMap): unknown conversion" },
    { "POST", DEPLOYS, JSON, STR("{\"kind\":\"Deployment\",\"apiVersion\":\"extensions/v1beta1\"}"),
      400,
      "Deployment in version \"v1beta1\" cannot be handled as a Deployment: no kind "
      "\"Deployment\" is registered for version \"extensions/v1beta1\" in scheme "
      "\"pkg/api/legacyscheme/scheme.go:30\"" },
    { "POST", MAPS, YAML, STR("a: b: c\n"), 400,
      UNRECOGNIZED "yaml: mapping values are not allowed in this context "
                   "(613a20623a20630a)" },
    { "POST", MAPS, PB, STR("x"), 400,
      UNRECOGNIZED "provided data does not appear to be a protobuf message, expected prefix "
                   "[107 56 115 0] (78)" },
    { "POST", MAPS, "text/plain", STR("x"), 415,
      "the body of the request was in an unknown format - accepted media types include: "
      "application/json, application/yaml, application/vnd.kubernetes.protobuf" },
    { "POST", MAPS "?fieldValidation=Strict", JSON,
      STR("{\"metadata\":{\"name\":\"a\",\"name\":\"b\",\"x\":1},\"y\":{\"z\":1,\"z\":2},\"y\":3,"
          "\"data\":{\"k\":\"1\",\"j\":\"1\",\"k\":\"2\",\"j\":\"3\"},\"qu\\\"ote\":1}"),
      400,
      IN_MAP "strict decoding error: duplicate field \"metadata.name\", unknown field "
             "\"metadata.x\", unknown field \"y\", duplicate field \"data.k\", duplicate field "
             "\"data.j\", unknown field \"qu\\\"ote\"" },
    { "POST", MAPS "?fieldValidation=Strict", YAML,
      STR("metadata:\n  name: a\n  name: b\nzz: 1\nb: 2\nb: 3\ndata:\n  k: a\n  k: b\n"), 400,
      IN_MAP "strict decoding error: yaml: unmarshal errors:\n  line 3: key \"name\" already set "
             "in map\n  line 6: key \"b\" already set in map\n  line 9: key \"k\" already set in "
             "map, unknown field \"b\", unknown field \"zz\"" },
    { "POST", MAPS "?fieldValidation=Bogus", JSON, STR("{}"), 422,
      "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"Bogus\": "
      "supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"" },
    { "POST", PODS, JSON, STR("{\"metadata\":{\"name\":\"p\",\"creationTimestamp\":\"today\"}}"),
      400,
      "Pod in version \"v1\" cannot be handled as a Pod: parsing time \"today\" as "
      "\"2006-01-02T15:04:05Z07:00\": cannot parse \"today\" as \"2006\"" },
    { "POST", PODS, YAML,
      STR("spec:\n  containers:\n  - resources:\n      limits:\n        cpu: 1x\n"), 400,
      "Pod in version \"v1\" cannot be handled as a Pod: quantities must match the regular "
      "expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'" },
    { "POST", "/api/v1/namespaces/default/secrets", JSON, STR("{\"data\":{\"k\":\"YWJj*A==\"}}"),
      400,
      "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at input byte "
      "4" },
    { "POST", "/api/v1/namespaces/default/services", JSON,
      STR("{\"spec\":{\"ports\":[{\"targetPort\":1.5}]}}"), 400,
      "Service in version \"v1\" cannot be handled as a Service: json: cannot unmarshal number "
      "1.5 into Go struct field ServicePort.spec.ports.targetPort of type int32" },
    { "POST", PODS, JSON,
      STR("{\"metadata\":{\"labels\":7,\"creationTimestamp\":\"x\"},\"spec\":3}"), 400,
      "Pod in version \"v1\" cannot be handled as a Pod: parsing time \"x\" as "
      "\"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\"" },
    { "POST", PODS, JSON, STR("{\"metadata\":{\"labels\":7,\"name\":8},\"spec\":3}"), 400,
      "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal number into Go "
      "struct field ObjectMeta.metadata.labels of type map[string]string" },
    { "POST", PODS, JSON, STR("{\"spec\":{\"containers\":[{\"startupProbe\":{\"exec\":3}}]}}"), 400,
      "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal number into Go "
      "struct field Probe.spec.containers.startupProbe.ProbeHandler.exec of type v1.ExecAction" },
    { "PATCH", MAPS "/kept", "application/merge-patch+json", STR("{"), 400,
      "error decoding patch: unexpected end of JSON input" },
    { "PATCH", MAPS "/kept", "application/strategic-merge-patch+json", STR("{\"a\":}"), 400,
      "invalid character '}' looking for beginning of value" },
    { "PATCH", MAPS "/kept", "application/merge-patch+json", STR("[]"), 400,
      "error decoding patch: json: cannot unmarshal array into Go value of type "
      "map[string]interface {}" },
    { "PATCH", MAPS "/kept", "application/strategic-merge-patch+json", STR("3"), 400,
      "json: cannot unmarshal number into Go value of type map[string]interface {}" },
    { "PATCH", MAPS "/kept", "application/json-patch+json", STR("{}"), 400,
      "error decoding patch: json: cannot unmarshal object into Go value of type "
      "[]handlers.jsonPatchOp" },
    { "PATCH", MAPS "/kept", "application/json-patch+json", STR("[7]"), 400,
      "error decoding patch: json: cannot unmarshal number into Go value of type "
      "handlers.jsonPatchOp" },
    { "PATCH", MAPS "/kept", "application/json-patch+json",
      STR("[{\"op\":\"test\",\"path\":[\"data\"]}]"), 400,
      "error decoding patch: json: cannot unmarshal array into Go struct field jsonPatchOp.path of "
      "type string" },
    { "PATCH", MAPS "/kept?fieldValidation=Strict", "application/strategic-merge-patch+json",
      STR("{\"data\":{\"b\":\"2\",\"b\":\"3\",\"a\":null},\"l\":[1.5,true,\"x\"],\"o\":{}}"), 422,
      " \"\" is invalid: patch: Invalid value: \"map[data:map[a:<nil> b:3] l:[1.5 true x] "
      "o:map[]]\": strict decoding error: duplicate field \"data.b\", unknown field \"l\", "
      "unknown field \"o\"" },
    { "PATCH", MAPS "/kept", "application/strategic-merge-patch+json", STR("{\"data\":{\"b\":2}}"),
      422,
      " \"\" is invalid: patch: Invalid value: \"map[data:map[b:2]]\": cannot convert "
      "int64 to string" },
};

static void refused(void **state)
{
    struct harness *h = *state;
    struct reply made = harness_post(h, MAPS, "{\"metadata\":{\"name\":\"kept\"}}");
    harness_expect(&made, 201);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *c = &refusals[i];
        struct reply r = send_body(h, c->method, c->target, c->type, c->body);
        struct str message = message_of(h, &r);
        if (r.status != c->status || !str_eq_c(message, c->message))
            fail_msg("%s %.*s:\n got %d %.*s\nwant %d %s", c->target, STR_ARG(c->body), r.status,
                     STR_ARG(message), c->status, c->message);
    }
}

/* A merge patch shows the object that it made, whole. */
static void refused_merge_patch(void **state)
{
    struct harness *h = *state;
    struct reply r = send_body(h, "PATCH", MAPS "/kept?fieldValidation=Strict",
                               "application/merge-patch+json", str_lit("{\"x\":\"<\"}"));
    harness_expect(&r, 422);
    struct str message = message_of(h, &r);
    assert_true(str_starts(message, str_lit(" \"\" is invalid: patch: Invalid value: "
                                            "\"{\\\"kind\\\":\\\"ConfigMap\\\",")));
    assert_true(str_find(message, str_lit("\\\"x\\\":\\\"\\\\u003c\\\"}\": strict decoding error: "
                                          "unknown field \"x\"")) > 0);
    harness_contains(&r, "\"reason\":\"Invalid\",\"details\":{\"causes\":[{\"reason\":"
                         "\"FieldValueInvalid\",\"message\":\"Invalid value: ");
    harness_contains(&r, "\"field\":\"patch\"}]},\"code\":422");
}

static size_t warnings_of(struct harness *h, const struct reply *r, struct str *out)
{
    struct str rest = r->headers;
    struct str line;
    size_t count = 0;
    (void)h;
    while (rest.data != NULL && str_split(&rest, '\n', &line)) {
        line = str_slice(line, 0, line.len - (line.len > 0 && line.data[line.len - 1] == '\r'));
        if (str_starts(line, str_lit("warning: ")) && count < WARNINGS_MAX)
            out[count++] = str_slice(line, 9, line.len);
    }
    return count;
}

struct warned {
    const char *method;
    const char *target;
    const char *type;
    struct str body;
    const char *warnings[6];
};

static const struct warned warned[] = {
    { "POST",
      MAPS "?dryRun=All",
      JSON,
      STR("{\"metadata\":{\"name\":\"w\",\"a b\":1},\"a\\\"b\\\\\":1,\"a\\\"b\\\\\":1,\"kind\":"
          "\"ConfigMap\",\"kind\":\"ConfigMap\"}"),
      { "299 - \"unknown field \\\"metadata.a b\\\"\"",
        "299 - \"unknown field \\\"a\\\\\\\"b\\\\\\\\\\\"\"",
        "299 - \"duplicate field \\\"kind\\\"\"" } },
    { "POST",
      MAPS "?dryRun=All&fieldValidation=Warn",
      YAML,
      STR("metadata:\n  name: w\ndata:\n  k: a\n  k: b\nx: 1\n"),
      { "299 - \"line 5: key \\\"k\\\" already set in map\"",
        "299 - \"unknown field \\\"x\\\"\"" } },
    { "POST",
      MAPS "?dryRun=All&fieldValidation=Ignore",
      JSON,
      STR("{\"metadata\":{\"name\":\"w\"},\"x\":1,\"x\":2}"),
      { NULL } },
    { "PATCH",
      MAPS "/kept?dryRun=All",
      "application/merge-patch+json",
      STR("{\"data\":{\"b\":\"1\",\"b\":\"2\"},\"x\":1}"),
      { "299 - \"duplicate field \\\"data.b\\\"\"", "299 - \"unknown field \\\"x\\\"\"" } },
    { "PATCH",
      MAPS "/kept?dryRun=All&fieldManager=m",
      "application/apply-patch+yaml",
      STR("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\ndata:\n  k: a\n  k: b\ndata: "
          "{}\n"),
      { "299 - \"line 6: key \\\"k\\\" already set in map\"",
        "299 - \"line 7: key \\\"data\\\" already set in map\"" } },
    { "PATCH",
      MAPS "/kept?dryRun=All",
      "application/json-patch+json",
      STR("[{\"op\":\"add\",\"path\":\"/x\",\"value\":1,\"path\":\"/y\",\"q\":1}]"),
      { "299 - \"json patch duplicate field \\\"[0].path\\\"\"",
        "299 - \"json patch unknown field \\\"[0].q\\\"\"", "299 - \"unknown field \\\"y\\\"\"" } },
};

static void warnings_are_told(void **state)
{
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(warned) / sizeof(warned[0]); i++) {
        const struct warned *c = &warned[i];
        struct str got[WARNINGS_MAX];
        struct reply r = send_body(h, c->method, c->target, c->type, c->body);
        harness_expect(&r, c->method[1] == 'O' ? 201 : 200);
        size_t count = warnings_of(h, &r, got);
        for (size_t k = 0; k < 6 && c->warnings[k] != NULL; k++) {
            if (k >= count || !str_eq_c(got[k], c->warnings[k]))
                fail_msg("%s: want %s in %.*s", c->target, c->warnings[k], STR_ARG(r.headers));
        }
        assert_true(count == 6 || c->warnings[count] == NULL);
    }
}

/* Beyond 4096 code points in all, each is cut to 256 and they end there. */
static void warnings_are_bounded(void **state)
{
    struct harness *h = *state;
    struct str got[WARNINGS_MAX];
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "{\"metadata\":{\"name\":\"w\"}");
    for (int i = 0; i < 30; i++) {
        buf_printf(&b, ",\"f%02d", i);
        for (int k = 0; k < 300; k++)
            buf_append_c(&b, "\xc3\xa9");
        buf_append_c(&b, "\":1");
    }
    buf_append_c(&b, "}");
    struct reply r = send_body(h, "POST", MAPS "?dryRun=All", JSON, buf_str(&b));
    harness_expect(&r, 201);
    assert_int_equal(warnings_of(h, &r, got), 16);
    /* 15 of the 256 are 'unknown field "', in bytes one more for the escape. */
    assert_int_equal(got[0].len, strlen("299 - \"") + 15 + 1 + 3 + 2 * (256 - 18) + 1);
    buf_deinit(&b);
}

/* A null body is an empty object to Go, and null members are unset. */
static void nulls(void **state)
{
    struct harness *h = *state;
    struct reply r = send_body(h, "POST", MAPS, JSON, str_lit("null"));
    harness_expect(&r, 422);
    harness_contains(&r, "name or generateName is required");
    r = send_body(h, "POST", MAPS, YAML, str_lit(""));
    harness_expect(&r, 422);
    r = send_body(
        h, "POST", MAPS "?dryRun=All", JSON,
        str_lit("{\"kind\":null,\"apiVersion\":null,\"metadata\":{\"name\":\"n\",\"labels\":"
                "null,\"creationTimestamp\":null},\"data\":null}"));
    harness_expect(&r, 201);
}

/* Numbers that YAML writes in its own way are the numbers they are. */
static void yaml_numbers(void **state)
{
    struct harness *h = *state;
    struct reply r = send_body(
        h, "POST", "/api/v1/namespaces/default/podtemplates?dryRun=All&fieldValidation=Strict",
        YAML,
        str_lit("metadata:\n  name: yy\ntemplate:\n  metadata:\n    labels: {a: b}\n  spec:\n"
                "    terminationGracePeriodSeconds: 3e1\n    priority: 0x0\n    containers:\n"
                "    - name: c\n      image: i\n      ports: [{containerPort: 8_0.0}]\n"
                "      resources:\n        limits: {cpu: 0.5, memory: 1e9}\n"
                "        requests: {cpu: .25, memory: 1024}\n"));
    harness_expect(&r, 201);
    harness_contains(&r, "\"terminationGracePeriodSeconds\":30");
    harness_contains(&r, "\"containerPort\":80");
    harness_contains(&r, "\"limits\":{\"cpu\":\"500m\",\"memory\":\"1G\"}");
    harness_contains(&r, "\"requests\":{\"cpu\":\"250m\",\"memory\":\"1024\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),
        cmocka_unit_test(refused_merge_patch),
        cmocka_unit_test(warnings_are_told),
        cmocka_unit_test(warnings_are_bounded),
        cmocka_unit_test(nulls),
        cmocka_unit_test(yaml_numbers),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
