/* DELETE: what is answered, preconditions, finalizers, grace, collections, namespaces. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS "/api/v1/namespaces/default/configmaps"
#define PODS "/api/v1/namespaces/default/pods"
#define RCS  "/api/v1/namespaces/default/replicationcontrollers"

static struct reply delete_it(struct harness *h, const char *target, const char *body)
{
    return harness_send(h, "DELETE", target, "Content-Type: application/json\r\n", body);
}

static struct reply make_map(struct harness *h, const char *name, const char *more)
{
    struct str body = str_printf(&h->arena, "{\"metadata\":{\"name\":\"%s\"%s}}", name, more);
    struct reply r = harness_post(h, MAPS, body.data);
    harness_expect(&r, 201);
    return r;
}

static void test_removed(void **state)
{
    struct harness *h = *state;
    struct reply made = make_map(h, "d", "");
    struct reply r = delete_it(h, MAPS "/d", "{\"propagationPolicy\":\"Background\"}");
    harness_expect(&r, 200);
    struct str want = str_printf(
        &h->arena,
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\","
        "\"details\":{\"name\":\"d\",\"kind\":\"configmaps\",\"uid\":\"%.*s\"}}\n",
        STR_ARG(harness_member(h, &made, "uid")));
    assert_true(str_eq(r.body, want));
    r = delete_it(h, MAPS "/d", NULL);
    harness_expect(&r, 404);
    r = make_map(h, "d", "");
    r = delete_it(h, MAPS "/d?dryRun=All", NULL);
    harness_expect(&r, 200);
    r = harness_get(h, MAPS "/d");
    harness_expect(&r, 200);
}

/* A retry with the same request id gets the first answer, also when the object is long gone. */
static void test_retry(void **state)
{
    struct harness *h = *state;
    static const char id[] = "Gantry-Request-Id: gone-1\r\n";
    static const char other[] = "Gantry-Request-Id: gone-2\r\n";
    const struct reply made = harness_post(h, MAPS, "{\"metadata\":{\"name\":\"twice\"}}");
    harness_expect(&made, 201);
    struct reply first = harness_send(h, "DELETE", MAPS "/twice", id, "");
    struct reply retry = harness_send(h, "DELETE", MAPS "/twice", id, "");
    struct reply stranger = harness_send(h, "DELETE", MAPS "/twice", other, "");
    harness_expect(&first, 200);
    harness_expect(&retry, 200);
    harness_same(&first, &retry);
    harness_expect(&stranger, 404);
}

static void test_preconditions(void **state)
{
    struct harness *h = *state;
    struct reply r = delete_it(h, MAPS "/d", "{\"preconditions\":{\"uid\":\"a\"}}");
    harness_expect(&r, 409);
    harness_contains(&r, "Operation cannot be fulfilled on ConfigMap \\\"d\\\": the UID in the "
                         "precondition (a) does not match the UID in record (");
    r = delete_it(h, MAPS "/d", "{\"preconditions\":{\"resourceVersion\":\"1\"}}");
    harness_expect(&r, 409);
    r = delete_it(h, MAPS "/d", "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}");
    harness_expect(&r, 400);
    harness_contains(&r, "Pod in version \\\"v1\\\" cannot be handled as a DeleteOptions: no kind");
    r = delete_it(h, MAPS "/d", "{\"propagationPolicy\":\"Odd\"}");
    harness_expect(&r, 422);
    harness_contains(&r, "DeleteOptions.meta.k8s.io \\\"\\\" is invalid: propagationPolicy: "
                         "Unsupported value: \\\"Odd\\\": supported values: \\\"Foreground\\\", "
                         "\\\"Background\\\", \\\"Orphan\\\", \\\"nil\\\"");
    r = delete_it(
        h, MAPS "/d",
        "{\"propagationPolicy\":\"Orphan\",\"orphanDependents\":true,\"dryRun\":[\"x\"]}");
    harness_expect(&r, 422);
    harness_contains(&r, "is invalid: [propagationPolicy: Invalid value: \\\"Orphan\\\": "
                         "orphanDependents and deletionPropagation cannot be both set, dryRun: "
                         "Unsupported value: [\\\"x\\\"]: supported values: \\\"All\\\"]");
    r = delete_it(h, MAPS "/d?gracePeriodSeconds=x", NULL);
    harness_expect(&r, 400);
}

static void test_finalizers(void **state)
{
    struct harness *h = *state;
    (void)make_map(h, "f", ",\"finalizers\":[\"a.b/c\"]");
    struct reply r = delete_it(h, MAPS "/f", NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"deletionTimestamp\":\"");
    harness_contains(&r, "\"deletionGracePeriodSeconds\":0");
    struct str rv = harness_member(h, &r, "resourceVersion");
    r = delete_it(h, MAPS "/f", NULL);
    harness_expect(&r, 200);
    assert_true(str_eq(harness_member(h, &r, "resourceVersion"), rv));
    r = harness_send(h, "PATCH", MAPS "/f", "Content-Type: application/merge-patch+json\r\n",
                     "{\"metadata\":{\"finalizers\":[\"a.b/c\",\"d.e/f\"]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "no new finalizers can be added if the object is being deleted");
    r = harness_send(h, "PATCH", MAPS "/f", "Content-Type: application/merge-patch+json\r\n",
                     "{\"metadata\":{\"finalizers\":null}}");
    harness_expect(&r, 200);
    r = harness_get(h, MAPS "/f");
    harness_expect(&r, 404);
}

static void test_policies(void **state)
{
    struct harness *h = *state;
    (void)make_map(h, "o", "");
    struct reply r = delete_it(h, MAPS "/o", "{\"propagationPolicy\":\"Orphan\"}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"finalizers\":[\"orphan\"]");
    (void)make_map(h, "g", "");
    r = delete_it(h, MAPS "/g?propagationPolicy=Foreground", NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"finalizers\":[\"foregroundDeletion\"]");
    r = delete_it(h, MAPS "/g?propagationPolicy=Background", NULL);
    harness_expect(&r, 200);
    r = harness_get(h, MAPS "/g");
    harness_expect(&r, 404);
    /* What waits for its dependents was not deleted by the old option. */
    (void)make_map(h, "w", ",\"finalizers\":[\"a.b/c\"]");
    r = delete_it(h, MAPS "/w?orphanDependents=false", NULL);
    harness_expect(&r, 202);
    harness_contains(&r, "\"finalizers\":[\"a.b/c\"]");
    /* Of old, a ReplicationController leaves its pods; events know no policy. */
    r = harness_post(h, RCS,
                     "{\"metadata\":{\"name\":\"r\"},\"spec\":{\"selector\":{\"a\":\"b\"},"
                     "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{"
                     "\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}}");
    harness_expect(&r, 201);
    r = delete_it(h, RCS "/r", NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"finalizers\":[\"orphan\"]");
    r = delete_it(h, RCS "/r?propagationPolicy=Background", NULL);
    harness_expect(&r, 200);
    r = harness_get(h, RCS "/r");
    harness_expect(&r, 404);
    r = harness_post(h, "/api/v1/namespaces/default/events",
                     "{\"metadata\":{\"name\":\"e\"},\"involvedObject\":{\"namespace\":"
                     "\"default\"}}");
    harness_expect(&r, 201);
    r = delete_it(h, "/api/v1/namespaces/default/events/e?propagationPolicy=Orphan", NULL);
    harness_expect(&r, 200);
    r = harness_get(h, "/api/v1/namespaces/default/events/e");
    harness_expect(&r, 404);
}

static void make_pod(struct harness *h, const char *name, const char *node)
{
    struct str body = str_printf(&h->arena,
                                 "{\"metadata\":{\"name\":\"%s\"},\"spec\":{%s\"containers\":"
                                 "[{\"name\":\"c\",\"image\":\"i\"}]}}",
                                 name, node);
    struct reply r = harness_post(h, PODS, body.data);
    harness_expect(&r, 201);
}

static void test_grace(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, "/api/v1/namespaces/default/serviceaccounts",
                                  "{\"metadata\":{\"name\":\"default\"}}");
    harness_expect(&r, 201);
    make_pod(h, "free", "");
    r = delete_it(h, PODS "/free", NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"kind\":\"Pod\"");
    r = harness_get(h, PODS "/free");
    harness_expect(&r, 404); /* it ran nowhere: nothing to wait for */
    make_pod(h, "bound", "\"nodeName\":\"n\",");
    r = delete_it(h, PODS "/bound", NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"deletionGracePeriodSeconds\":30");
    r = delete_it(h, PODS "/bound?gracePeriodSeconds=5", NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"deletionGracePeriodSeconds\":5");
    r = delete_it(h, PODS "/bound?gracePeriodSeconds=50", NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"deletionGracePeriodSeconds\":5");
    r = delete_it(h, PODS "/bound?gracePeriodSeconds=0", NULL);
    harness_expect(&r, 200);
    r = harness_get(h, PODS "/bound");
    harness_expect(&r, 404);
}

static void test_collection(void **state)
{
    struct harness *h = *state;
    (void)make_map(h, "c1", ",\"labels\":{\"x\":\"y\"}");
    (void)make_map(h, "c2", ",\"labels\":{\"x\":\"y\"}");
    (void)make_map(h, "c3", "");
    struct reply r = delete_it(h, MAPS "?labelSelector=x%3Dy", NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"kind\":\"ConfigMapList\"");
    harness_contains(&r, "\"name\":\"c1\"");
    harness_contains(&r, "\"name\":\"c2\"");
    harness_lacks(&r, "\"name\":\"c3\"");
    r = harness_get(h, MAPS "/c1");
    harness_expect(&r, 404);
    r = harness_get(h, MAPS "/c3");
    harness_expect(&r, 200);
    r = delete_it(h, "/api/v1/namespaces", NULL);
    harness_expect(&r, 405);
}

/* A page at a time, as lists are; shown is what was found, not what became of it. */
static void test_collection_pages(void **state)
{
    struct harness *h = *state;
    (void)make_map(h, "p1", ",\"labels\":{\"page\":\"1\"},\"finalizers\":[\"a.b/c\"]");
    (void)make_map(h, "p2", ",\"labels\":{\"page\":\"1\"}");
    (void)make_map(h, "p3", ",\"labels\":{\"page\":\"1\"}");
    struct reply r = delete_it(h, MAPS "?labelSelector=page&limit=2&dryRun=All", NULL);
    harness_expect(&r, 200);
    r = delete_it(h, MAPS "?labelSelector=page&limit=2", NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"name\":\"p1\"");
    harness_contains(&r, "\"name\":\"p2\"");
    harness_lacks(&r, "\"name\":\"p3\"");
    harness_lacks(&r, "deletionTimestamp");
    harness_lacks(&r, "remainingItemCount"); /* with a selector nobody counts */
    struct str token = harness_member(h, &r, "continue");
    struct str next =
        str_printf(&h->arena, MAPS "?labelSelector=page&continue=%.*s", STR_ARG(token));
    r = harness_send(h, "DELETE", next.data,
                     "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n", NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"kind\":\"Table\"");
    harness_contains(&r, "\"cells\":[\"p3\"");
    harness_lacks(&r, "\"continue\"");
    r = harness_get(h, MAPS "/p1");
    harness_expect(&r, 200);
    harness_contains(&r, "deletionTimestamp");
    r = delete_it(h, MAPS "?limit=1&dryRun=All", NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"remainingItemCount\":");
}

static void test_namespace(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"gone\"}}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"finalizers\":[\"kubernetes\"]");
    harness_contains(&r, "\"phase\":\"Active\"");
    r = delete_it(h, "/api/v1/namespaces/gone", NULL);
    harness_expect(&r, 200);
    harness_contains(&r, "\"phase\":\"Terminating\"");
    r = harness_post(h, "/api/v1/namespaces/gone/configmaps", "{\"metadata\":{\"name\":\"x\"}}");
    harness_expect(&r, 403);
    harness_contains(&r, "configmaps \\\"x\\\" is forbidden: unable to create new content in "
                         "namespace gone because it is being terminated");
    harness_contains(&r, "\"reason\":\"NamespaceTerminating\"");
    r = harness_send(h, "PUT", "/api/v1/namespaces/gone/finalize",
                     "Content-Type: application/json\r\n",
                     "{\"metadata\":{\"name\":\"gone\"},\"spec\":{\"finalizers\":[]}}");
    harness_expect(&r, 200);
    r = harness_get(h, "/api/v1/namespaces/gone");
    harness_expect(&r, 404);
    r = delete_it(h, "/api/v1/namespaces/default", NULL);
    harness_expect(&r, 403);
    harness_contains(&r, "namespaces \\\"default\\\" is forbidden: this namespace may not be "
                         "deleted");
}

/* The finalize subresource changes spec.finalizers, and what a PUT may: all but the status. */
static void test_finalize(void **state)
{
    static const char path[] = "/api/v1/namespaces/fin/finalize";
    static const char type[] = "Content-Type: application/json\r\n";
    struct harness *h = *state;
    struct reply r =
        harness_post(h, "/api/v1/namespaces",
                     "{\"metadata\":{\"name\":\"fin\"},\"spec\":{\"finalizers\":[\"bad\"]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "spec.finalizers: Invalid value: \\\"bad\\\": name is neither a standard "
                         "finalizer name nor is it fully qualified");
    r = harness_post(h, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"fin\"}}");
    harness_expect(&r, 201);
    r = harness_send(h, "PUT", path, type,
                     "{\"metadata\":{\"name\":\"fin\"},\"spec\":{\"finalizers\":[\"kubernetes\","
                     "\"bad\"]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "spec.finalizers[1]: Invalid value: \\\"bad\\\": name is neither");
    r = harness_send(h, "PUT", path, type,
                     "{\"metadata\":{\"name\":\"fin\",\"labels\":{\"a\":\"b\"}},\"spec\":{"
                     "\"finalizers\":[\"a.b/c\"]},\"status\":{\"phase\":\"Terminating\"}}");
    harness_expect(&r, 200);
    r = harness_get(h, "/api/v1/namespaces/fin");
    harness_contains(&r, "\"labels\":{\"a\":\"b\",\"kubernetes.io/metadata.name\":\"fin\"}");
    harness_contains(&r, "\"spec\":{\"finalizers\":[\"a.b/c\"]},\"status\":{\"phase\":\"Active\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_removed),    cmocka_unit_test(test_preconditions),
        cmocka_unit_test(test_finalizers), cmocka_unit_test(test_policies),
        cmocka_unit_test(test_grace),      cmocka_unit_test(test_collection),
        cmocka_unit_test(test_namespace),  cmocka_unit_test(test_finalize),
        cmocka_unit_test(test_retry),      cmocka_unit_test(test_collection_pages),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
