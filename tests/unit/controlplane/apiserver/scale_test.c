/* The scale view of what has replicas: read, write, patch, preconditions. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define WEB "/apis/apps/v1/namespaces/default/deployments/web"

static struct reply change(struct harness *h, const char *method, const char *type,
                           const char *body)
{
    struct str header = str_printf(&h->arena, "Content-Type: application/%s\r\n", type);
    return harness_send(h, method, WEB "/scale", header.data, body);
}

static void test_scale(void **state)
{
    struct harness *h = *state;
    struct reply made = harness_post(
        h, "/apis/apps/v1/namespaces/default/deployments",
        "{\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":"
        "{\"b\":\"2\",\"a\":\"1\"}},\"template\":{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":"
        "\"2\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}}");
    harness_expect(&made, 201);
    struct reply r = harness_get(h, WEB "/scale");
    harness_expect(&r, 200);
    struct str want = str_printf(
        &h->arena,
        "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\"metadata\":{\"name\":\"web\","
        "\"namespace\":\"default\",\"uid\":\"%.*s\",\"resourceVersion\":\"%.*s\","
        "\"creationTimestamp\":\"%.*s\"},\"spec\":{\"replicas\":2},\"status\":{\"replicas\":0,"
        "\"selector\":\"a=1,b=2\"}}\n",
        STR_ARG(harness_member(h, &made, "uid")),
        STR_ARG(harness_member(h, &made, "resourceVersion")),
        STR_ARG(harness_member(h, &made, "creationTimestamp")));
    if (!str_eq(r.body, want)) {
        fail_msg("%.*s\nnot %.*s", STR_ARG(r.body), STR_ARG(want));
    }
    r = harness_send(h, "GET", WEB "/scale",
                     "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n", "");
    harness_expect(&r, 200);
    harness_contains(&r, "{\"name\":\"Available\",\"type\":\"integer\"");
    harness_contains(&r, "{\"cells\":[\"web\",2,0,\"");
    r = change(h, "PATCH", "merge-patch+json", "{\"spec\":{\"replicas\":5}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"spec\":{\"replicas\":5}");
    r = harness_get(h, WEB);
    harness_contains(&r, "\"generation\":2");
    harness_contains(&r, "\"spec\":{\"replicas\":5,");
    r = change(h, "PUT", "json",
               "{\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"},\"spec\":{\"replicas\":"
               "0}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"spec\":{},"); /* zero is left out, as upstream does */
}

/* The selector of a ReplicationController is a plain map, here the template's labels. */
static void test_replication_controller(void **state)
{
    struct harness *h = *state;
    static const char rc[] = "/api/v1/namespaces/default/replicationcontrollers";
    struct reply r = harness_post(
        h, rc,
        "{\"metadata\":{\"name\":\"rc\"},\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"b\":"
        "\"2\",\"a\":\"1\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"labels\":{\"a\":\"1\",\"b\":\"2\"}}");
    r = harness_send(h, "PATCH", "/api/v1/namespaces/default/replicationcontrollers/rc/scale",
                     "Content-Type: application/merge-patch+json\r\n",
                     "{\"spec\":{\"replicas\":4}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"spec\":{\"replicas\":4}");
    harness_contains(&r, "\"selector\":\"a=1,b=2\"");
    r = harness_get(h, "/api/v1/namespaces/default/replicationcontrollers/rc");
    harness_contains(&r, "\"spec\":{\"replicas\":4,\"selector\":{\"a\":\"1\",\"b\":\"2\"}");
}

static void test_refusals(void **state)
{
    struct harness *h = *state;
    struct reply r = change(h, "PATCH", "merge-patch+json", "{\"spec\":{\"replicas\":-1}}");
    harness_expect(&r, 422);
    harness_contains(&r, "must be greater than or equal to 0");
    r = change(h, "PUT", "json",
               "{\"metadata\":{\"name\":\"web\",\"resourceVersion\":\"1\"},\"spec\":{\"replicas\":"
               "3}}");
    harness_expect(&r, 409);
    r = change(h, "PUT", "json", "{\"metadata\":{\"name\":\"other\"}}");
    harness_expect(&r, 400);
    r = harness_get(h, "/apis/apps/v1/namespaces/default/deployments/none/scale");
    harness_expect(&r, 404);
    r = harness_get(h, "/api/v1/namespaces/default/configmaps/x/scale");
    harness_expect(&r, 404);
    r = harness_send(h, "DELETE", WEB "/scale", NULL, NULL);
    harness_expect(&r, 405);
}

/* What the metadata of a Scale says must be true of what it scales. */
static void test_preconditions(void **state)
{
    static const struct {
        const char *method;
        const char *type;
        const char *body;
        int status;
        const char *says;
    } cases[] = {
        { "PUT", "json", "{'metadata':{'name':'web','uid':'u'},'spec':{'replicas':9}}", 409,
          "Operation cannot be fulfilled on deployments.apps \\\"web\\\": Precondition failed: UID "
          "in "
          "precondition: u, UID in object meta: " },
        { "PATCH", "merge-patch+json", "{'metadata':{'uid':'u'},'spec':{'replicas':9}}", 409,
          "Operation cannot be fulfilled on deployments/scale.apps \\\"web\\\": Precondition "
          "failed: "
          "UID in precondition: u, UID in object meta: " },
        { "PATCH", "merge-patch+json", "{'metadata':{'uid':'u'},'spec':{'replicas':9}}", 409,
          "\"group\":\"apps\",\"kind\":\"deployments/scale\"" },
        { "PUT", "json", "{'spec':{'replicas':9}}", 400,
          "the name of the object (web based on URL) was undeterminable: name must be provided" },
        { "PUT", "json", "{'metadata':{'name':'web','namespace':'x'},'spec':{'replicas':9}}", 400,
          "the namespace of the provided object does not match the namespace sent on the request" },
        { "PATCH", "merge-patch+json", "{'metadata':{'namespace':'x'},'spec':{'replicas':9}}", 400,
          "the namespace of the object (x) does not match the namespace on the request (default)" },
        { "PATCH", "merge-patch+json", "{'metadata':{'labels':{'-':'v'}},'spec':{'replicas':9}}",
          422,
          "Scale.autoscaling \\\"web\\\" is invalid: metadata.labels: Invalid value: \\\"-\\\"" },
        { "PATCH", "merge-patch+json", "{'metadata':{'namespace':null},'spec':{'replicas':9}}", 422,
          "metadata.namespace: Required value" },
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *body = str_dup(&h->arena, str_from(cases[i].body));
        for (char *c = body; *c != '\0'; c++) {
            *c = (char)(*c == '\'' ? '"' : *c);
        }
        struct reply r = change(h, cases[i].method, cases[i].type, body);
        harness_expect(&r, cases[i].status);
        harness_contains(&r, cases[i].says);
    }
    struct reply r = harness_get(h, WEB);
    harness_lacks(&r, "\"replicas\":9");
}

/* Clients' apply of a Scale leaves the name to the URL. */
static void test_nameless_apply(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "PATCH", WEB "/scale?fieldManager=m&force=true",
                                  "Content-Type: application/apply-patch+yaml\r\n",
                                  "{\"apiVersion\":\"autoscaling/v1\",\"kind\":\"Scale\","
                                  "\"spec\":{\"replicas\":8}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"spec\":{\"replicas\":8}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scale),          cmocka_unit_test(test_replication_controller),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_preconditions),
        cmocka_unit_test(test_nameless_apply),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
