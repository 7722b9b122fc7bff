/* PUT and PATCH: preconditions, no-op writes, generation, status, the three patches. */
#include "api/meta/key.h"
#include "api/meta/object.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/err.h"
#include "store/store.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS    "/api/v1/namespaces/default/configmaps"
#define PODS    "/api/v1/namespaces/default/pods"
#define DEPLOYS "/apis/apps/v1/namespaces/default/deployments"

static const char deployment[] =
    "{\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":"
    "{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":"
    "{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}}";

static struct reply put(struct harness *h, const char *target, struct str body)
{
    return harness_send_bytes(h, "PUT", target, "Content-Type: application/json\r\n", body);
}

static struct reply patch(struct harness *h, const char *target, const char *type, const char *body)
{
    struct str header = str_printf(&h->arena, "Content-Type: application/%s\r\n", type);
    return harness_send(h, "PATCH", target, header.data, body);
}

static void test_put(void **state)
{
    struct harness *h = *state;
    struct reply made = harness_post(h, MAPS,
                                     "{\"metadata\":{\"name\":\"u\"},\"data\":{\"a\":"
                                     "\"1\"}}");
    harness_expect(&made, 201);
    struct str rv = harness_member(h, &made, "resourceVersion");
    struct reply same = put(h, MAPS "/u", made.body);
    harness_expect(&same, 200);
    assert_true(str_eq(same.body, made.body)); /* nothing changed: no write */
    struct reply changed = put(
        h, MAPS "/u",
        str_printf(&h->arena,
                   "{\"metadata\":{\"name\":\"u\",\"resourceVersion\":\"%.*s\"},\"data\":{\"a\":"
                   "\"2\"}}",
                   STR_ARG(rv)));
    harness_expect(&changed, 200);
    assert_true(str_eq(harness_member(h, &changed, "uid"), harness_member(h, &made, "uid")));
    struct reply stale = put(h, MAPS "/u", made.body);
    harness_expect(&stale, 409);
    harness_contains(&stale,
                     "\"message\":\"Operation cannot be fulfilled on configmaps \\\"u\\\": the "
                     "object has been modified; please apply your changes to the latest version "
                     "and try again\",\"reason\":\"Conflict\",\"details\":{\"name\":\"u\",\"kind\":"
                     "\"configmaps\"},\"code\":409");
    struct reply free_put = put(h, MAPS "/u", str_lit("{\"metadata\":{\"name\":\"u\"}}"));
    harness_expect(&free_put, 200);
    harness_lacks(&free_put, "\"data\"");
}

static void test_put_refusals(void **state)
{
    struct harness *h = *state;
    struct reply r = put(h, MAPS "/absent", str_lit("{\"metadata\":{\"name\":\"absent\"}}"));
    harness_expect(&r, 404);
    r = put(h, MAPS "/u", str_lit("{\"metadata\":{\"name\":\"v\"}}"));
    harness_expect(&r, 400);
    harness_contains(&r, "the name of the object (v) does not match the name on the URL (u)");
    r = put(h, MAPS "/u", str_lit("{\"metadata\":{}}"));
    harness_expect(&r, 400);
    harness_contains(&r, "the name of the object (u based on URL) was undeterminable: name must be "
                         "provided");
    r = put(h, MAPS "/u", str_lit("{\"metadata\":{\"name\":\"u\",\"namespace\":\"kube-system\"}}"));
    harness_expect(&r, 400);
    harness_contains(&r,
                     "the namespace of the provided object does not match the namespace sent on "
                     "the request");
    r = put(h, MAPS "/u", str_lit("{\"metadata\":{\"name\":\"u\",\"uid\":\"x\"}}"));
    harness_expect(&r, 409);
    harness_contains(&r, "Precondition failed: UID in precondition: x, UID in object meta: ");
}

/* A retry of an applied write gets the first answer, though its resourceVersion is old by then. */
static void test_put_retry(void **state)
{
    struct harness *h = *state;
    static const char id[] = "Content-Type: application/json\r\nGantry-Request-Id: put-1\r\n";
    struct reply now = harness_get(h, MAPS "/u");
    struct str body = str_printf(
        &h->arena,
        "{\"metadata\":{\"name\":\"u\",\"resourceVersion\":\"%.*s\"},\"data\":{\"r\":\"1\"}}",
        STR_ARG(harness_member(h, &now, "resourceVersion")));
    struct reply first = harness_send_bytes(h, "PUT", MAPS "/u", id, body);
    struct reply retry = harness_send_bytes(h, "PUT", MAPS "/u", id, body);
    harness_expect(&first, 200);
    harness_expect(&retry, 200);
    harness_same(&first, &retry);
}

static void test_patches(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, DEPLOYS, deployment);
    harness_expect(&r, 201);
    harness_contains(&r, "\"generation\":1");
    harness_contains(&r, "\"progressDeadlineSeconds\":600");
    r = patch(h, DEPLOYS "/web", "merge-patch+json", "{\"spec\":{\"replicas\":3}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"generation\":2");
    harness_contains(&r, "\"replicas\":3");
    r = patch(h, DEPLOYS "/web", "strategic-merge-patch+json",
              "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":"
              "\"j\"}]}}}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"generation\":3");
    harness_contains(&r, "\"image\":\"j\"");
    r = patch(h, DEPLOYS "/web", "json-patch+json",
              "[{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":1}]");
    harness_expect(&r, 200);
    harness_contains(&r, "\"replicas\":1");
    struct str rv = harness_member(h, &r, "resourceVersion");
    r = patch(h, DEPLOYS "/web", "merge-patch+json", "{\"spec\":{\"replicas\":1}}");
    harness_expect(&r, 200);
    assert_true(str_eq(harness_member(h, &r, "resourceVersion"), rv));
    r = patch(h, DEPLOYS "/web", "merge-patch+json", "{\"metadata\":{\"labels\":{\"l\":\"1\"}}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"generation\":4"); /* labels are not the spec */
}

static void test_patch_refusals(void **state)
{
    struct harness *h = *state;
    struct reply r = patch(h, DEPLOYS "/web", "merge-patch+json", "{\"spec\":{\"replicas\":-1}}");
    harness_expect(&r, 422);
    harness_contains(&r, "\"message\":\"Deployment.apps \\\"web\\\" is invalid: spec.replicas: "
                         "Invalid value: -1: must be greater than or equal to 0\",\"reason\":"
                         "\"Invalid\",\"details\":{\"name\":\"web\",\"group\":\"apps\",\"kind\":"
                         "\"Deployment\",\"causes\":[{\"reason\":\"FieldValueInvalid\","
                         "\"message\":\"Invalid value: -1: must be greater than or equal to 0\","
                         "\"field\":\"spec.replicas\"}]},\"code\":422");
    r = patch(h, DEPLOYS "/web", "json", "{}");
    harness_expect(&r, 415);
    r = patch(h, DEPLOYS "/web", "merge-patch+json", "{");
    harness_expect(&r, 400);
    r = patch(h, DEPLOYS "/absent", "merge-patch+json", "{}");
    harness_expect(&r, 404);
    harness_contains(&r, "deployments.apps \\\"absent\\\" not found");
    r = patch(h, DEPLOYS "/web", "json-patch+json",
              "[{\"op\":\"test\",\"path\":\"/spec/replicas\",\"value\":77}]");
    harness_expect(&r, 422);
    harness_contains(&r, "\"message\":\"the server rejected our request due to an error in our "
                         "request\",\"reason\":\"Invalid\",\"details\":{},\"code\":422");
    r = patch(h, DEPLOYS "/web", "merge-patch+json", "{\"metadata\":{\"resourceVersion\":\"1\"}}");
    harness_expect(&r, 409);
    r = patch(h, DEPLOYS "/web", "merge-patch+json", "{\"metadata\":{\"uid\":\"x\"}}");
    harness_expect(&r, 422);
    harness_contains(&r, "metadata.uid: Invalid value: \\\"x\\\": field is immutable");
    r = patch(h, DEPLOYS "/web", "merge-patch+json",
              "{\"metadata\":{\"deletionTimestamp\":\"2023-11-14T22:13:20Z\"}}");
    harness_expect(&r, 422);
}

static void test_status(void **state)
{
    struct harness *h = *state;
    struct reply r = patch(h, DEPLOYS "/web/status", "merge-patch+json",
                           "{\"status\":{\"replicas\":4},\"spec\":{\"replicas\":9}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"status\":{\"replicas\":4");
    harness_contains(&r, "\"spec\":{\"replicas\":1");
    harness_contains(&r, "\"generation\":4");
    r = patch(h, DEPLOYS "/web", "merge-patch+json", "{\"status\":{\"replicas\":8}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"status\":{\"replicas\":4");
    r = harness_get(h, DEPLOYS "/web/status");
    harness_expect(&r, 200);
    r = patch(h, MAPS "/u?force=true", "merge-patch+json", "{}");
    harness_expect(&r, 422);
    harness_contains(&r,
                     "PatchOptions.meta.k8s.io \\\"\\\" is invalid: force: Forbidden: may not be "
                     "specified for non-apply patch");
    r = patch(h, MAPS "/u/status", "merge-patch+json", "{}");
    harness_expect(&r, 404);
}

/* As an earlier release might have stored it. */
static void put_stored(struct harness *h, struct str key, struct str value)
{
    const struct store_op op = { .type = STORE_OP_PUT, .key = key, .value = value };
    const struct store_txn txn = { .ops = &op, .ops_count = 1 };
    harness_commit(h, &txn);
}

/* The stored object with another letter. */
static void store_with(struct harness *h, struct str key, char from, char to)
{
    struct str value = harness_stored(h, key);
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == from)
            ((char *)(uintptr_t)value.data)[i] = to;
    }
    put_stored(h, key, value);
}

static void test_older_than_the_rule(void **state)
{
    struct harness *h = *state;
    struct reply r =
        harness_post(h, MAPS, "{\"metadata\":{\"name\":\"old\"},\"data\":{\"a~b\":\"1\"}}");
    harness_expect(&r, 422);
    r = harness_post(h, MAPS, "{\"metadata\":{\"name\":\"old\"},\"data\":{\"aQb\":\"1\"}}");
    harness_expect(&r, 201);
    const struct key key = { .kind = KIND_CONFIG_MAP,
                             .namespace = str_lit("default"),
                             .name = str_lit("old") };
    store_with(h, key_text(&h->arena, &key), 'Q', '~');
    /* What was wrong with it before may stay so; more may not come. */
    r = patch(h, MAPS "/old", "merge-patch+json", "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"a~b\":\"1\"");
    r = patch(h, MAPS "/old", "merge-patch+json", "{\"data\":{\"c~d\":\"1\"}}");
    harness_expect(&r, 422);
    harness_contains(&r, "c~d");
    harness_lacks(&r, "data[a~b]");
    r = patch(h, MAPS "/old", "merge-patch+json", "{\"data\":{\"a~b\":null}}");
    harness_expect(&r, 200);
}

/* The stored object through a struct. */
static struct str without_defaults(struct harness *h, struct str value)
{
    struct str payload;
    struct err e;
    struct buf b;
    void *object = NULL;
    assert_int_equal(object_payload(value, &payload, &e), 0);
    assert_int_equal(schema_unpack(&h->arena, &schema_Pod, payload, &object, &e), 0);
    PodSpec *spec = ((Pod *)object)->spec;
    spec->init_containers[0]->ports[0]->host_port = 0;
    spec->init_containers[0]->ports[0]->has_host_port = 0;
    spec->has_enable_service_links = 0;
    buf_init(&b);
    object_put_header(&b);
    schema_pack(&b, &schema_Pod, object);
    struct str made = str_copy(&h->arena, buf_str(&b));
    buf_deinit(&b);
    return made;
}

/* What a default of today fills in is no change of what was stored without it. */
static void test_older_than_the_default(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, "/api/v1/namespaces/default/serviceaccounts",
                                  "{\"metadata\":{\"name\":\"default\"}}");
    harness_expect(&r, 201);
    r = harness_post(
        h, PODS,
        "{\"metadata\":{\"name\":\"old\"},\"spec\":{\"hostNetwork\":true,\"containers\":[{\"name\":"
        "\"c\",\"image\":\"i\"}],\"initContainers\":[{\"name\":\"d\",\"image\":\"i\",\"ports\":[{"
        "\"containerPort\":7}]}]}}");
    harness_expect(&r, 201);
    const struct key key = { .kind = KIND_POD,
                             .namespace = str_lit("default"),
                             .name = str_lit("old") };
    struct str text = key_text(&h->arena, &key);
    put_stored(h, text, without_defaults(h, harness_stored(h, text)));
    r = patch(h, PODS "/old", "json-patch+json",
              "[{\"op\":\"test\",\"path\":\"/spec/enableServiceLinks\",\"value\":true}]");
    harness_expect(&r, 200);
    put_stored(h, text, without_defaults(h, harness_stored(h, text)));
    r = patch(h, PODS "/old?fieldManager=m", "merge-patch+json",
              "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"hostPort\":7");
    harness_contains(&r, "{\"f:metadata\":{\"f:labels\":{\".\":{},\"f:a\":{}}}}");
}

/* Finalizers of a namespace have names. */
static void test_finalize(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"fin\"}}");
    harness_expect(&r, 201);
    r = put(h, "/api/v1/namespaces/fin/finalize",
            str_lit("{\"metadata\":{\"name\":\"fin\"},\"spec\":{\"finalizers\":[\"kubernetes\","
                    "\"odd\"]}}"));
    harness_expect(&r, 422);
    harness_contains(&r,
                     "spec.finalizers[1]: Invalid value: \\\"odd\\\": name is neither a standard "
                     "finalizer name nor is it fully qualified");
    r = put(h, "/api/v1/namespaces/fin/finalize",
            str_lit("{\"metadata\":{\"name\":\"fin\"},\"spec\":{\"finalizers\":[\"kubernetes\",\"a."
                    "b/c\"]}}"));
    harness_expect(&r, 200);
    harness_contains(&r, "a.b/c");
}

/* What came with the finalizers is held to the rules too, but for what was wrong before. */
static void test_older_finalizers(void **state)
{
    struct harness *h = *state;
    const char *target = "/api/v1/namespaces/fin-old/finalize";
    struct reply r = harness_post(h, "/api/v1/namespaces",
                                  "{\"metadata\":{\"name\":\"fin-old\"},\"spec\":{"
                                  "\"finalizers\":[\"o/Qdd\"]}}");
    harness_expect(&r, 201);
    const struct key key = { .kind = KIND_NAMESPACE, .name = str_lit("fin-old") };
    store_with(h, key_text(&h->arena, &key), 'Q', '~');
    r = put(h, target,
            str_lit("{\"metadata\":{\"name\":\"fin-old\",\"labels\":{\"-\":\"v\"},\"finalizers\":"
                    "[\"odd\"],\"ownerReferences\":[{\"kind\":\"a\"}]},\"spec\":{\"finalizers\":"
                    "[\"o/~dd\"]}}"));
    harness_expect(&r, 422);
    harness_contains(&r, "metadata.labels: Invalid value: \\\"-\\\"");
    harness_contains(&r, "metadata.finalizers[0]: Invalid value: \\\"odd\\\"");
    harness_contains(&r, "metadata.ownerReferences.uid: Invalid value");
    harness_lacks(&r, "~dd");
    r = put(h, target,
            str_lit("{\"metadata\":{\"name\":\"fin-old\"},\"spec\":{\"finalizers\":[\"o/~dd\"]}}"));
    harness_expect(&r, 200);
    harness_contains(&r, "o/~dd");
}

/* What was wrong with a status before may stay so. */
static void test_older_status(void **state)
{
    struct harness *h = *state;
    const char *target = PODS "/status-old/status";
    struct reply r =
        harness_post(h, PODS,
                     "{\"metadata\":{\"name\":\"status-old\"},\"spec\":{\"containers\":[{"
                     "\"name\":\"c\",\"image\":\"i\"}]}}");
    harness_expect(&r, 201);
    r = patch(h, target, "strategic-merge-patch+json",
              "{\"status\":{\"conditions\":[{\"type\":\"a~b\",\"status\":\"True\"}]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "status.conditions[0].Type: Invalid value");
    r = patch(h, target, "strategic-merge-patch+json",
              "{\"status\":{\"conditions\":[{\"type\":\"aQb\",\"status\":\"True\"}]}}");
    harness_expect(&r, 200);
    const struct key key = { .kind = KIND_POD,
                             .namespace = str_lit("default"),
                             .name = str_lit("status-old") };
    store_with(h, key_text(&h->arena, &key), 'Q', '~');
    r = patch(h, target, "strategic-merge-patch+json", "{\"status\":{\"phase\":\"Running\"}}");
    harness_expect(&r, 200);
    harness_contains(&r, "a~b");
    r = patch(h, target, "strategic-merge-patch+json",
              "{\"status\":{\"qosClass\":\"Guaranteed\"}}");
    harness_expect(&r, 422);
    harness_lacks(&r, "a~b");
    r = patch(h, target, "strategic-merge-patch+json",
              "{\"metadata\":{\"annotations\":{\"-\":\"v\"}}}");
    harness_expect(&r, 422);
    harness_contains(&r, "metadata.annotations: Invalid value: \\\"-\\\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_put_refusals),
        cmocka_unit_test(test_put_retry),
        cmocka_unit_test(test_patches),
        cmocka_unit_test(test_patch_refusals),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_older_than_the_rule),
        cmocka_unit_test(test_older_than_the_default),
        cmocka_unit_test(test_older_status),
        cmocka_unit_test(test_finalize),
        cmocka_unit_test(test_older_finalizers),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
