/* The subresources of a pod that change it: eviction, ephemeralcontainers, resize. */
#include "api/meta/key.h"
#include "controlplane/apiserver/write.h"
#include "store/store.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define PODS "/api/v1/namespaces/default/pods"

static const char smp[] = "Content-Type: application/strategic-merge-patch+json\r\n";

static void make(struct harness *h, const char *name)
{
    struct reply r = harness_post(
        h, PODS,
        str_printf(&h->arena,
                   "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"nodeName\":\"n\",\"containers\":[{"
                   "\"name\":\"c\",\"image\":\"i\",\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]"
                   "}}",
                   name)
            .data);
    harness_expect(&r, 201);
}

static int setup(void **state)
{
    int rc = harness_setup(state);
    struct harness *h = *state;
    struct reply r = harness_post(h, "/api/v1/namespaces/default/serviceaccounts",
                                  "{\"metadata\":{\"name\":\"default\"}}");
    harness_expect(&r, 201);
    return rc;
}

static void test_evict(void **state)
{
    struct harness *h = *state;
    make(h, "e");
    struct reply r = harness_post(h, PODS "/e/eviction", "{\"metadata\":{\"name\":\"other\"}}");
    harness_expect(&r, 400);
    harness_contains(&r, "name in URL does not match name in Eviction object");
    r = harness_post(h, PODS "/e/eviction",
                     "{\"metadata\":{\"name\":\"e\"},\"deleteOptions\":{\"preconditions\":{\"uid\":"
                     "\"x\"}}}");
    harness_expect(&r, 409);
    r = harness_post(h, PODS "/e/eviction?dryRun=All", "{\"metadata\":{\"name\":\"e\"}}");
    harness_expect(&r, 201);
    r = harness_get(h, PODS "/e");
    harness_lacks(&r, "deletionTimestamp");
    r = harness_post(h, PODS "/e/eviction",
                     "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":"
                     "\"e\",\"namespace\":\"default\"},\"deleteOptions\":{\"gracePeriodSeconds\":7}"
                     "}");
    harness_expect(&r, 201);
    assert_true(str_eq_c(r.body, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
                                 "\"status\":\"Success\",\"code\":201}\n"));
    r = harness_get(h, PODS "/e");
    harness_contains(&r, "\"deletionGracePeriodSeconds\":7");
    r = harness_post(
        h, PODS "/e/eviction",
        "{\"metadata\":{\"name\":\"e\"},\"deleteOptions\":{\"gracePeriodSeconds\":0}}");
    harness_expect(&r, 201);
    r = harness_get(h, PODS "/e");
    harness_expect(&r, 404);
    r = harness_post(h, PODS "/e/eviction", "{\"metadata\":{\"name\":\"e\"}}");
    harness_expect(&r, 404);
}

#define BUDGETS "/apis/policy/v1/namespaces/default/poddisruptionbudgets"

static const char merge[] = "Content-Type: application/merge-patch+json\r\n";

static void make_budget(struct harness *h, const char *name)
{
    const char *json = str_printf(&h->arena,
                                  "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"minAvailable\":1,"
                                  "\"selector\":{\"matchLabels\":{\"app\":\"b\"}}}}",
                                  name)
                           .data;
    struct reply r = harness_post(h, BUDGETS, json);
    harness_expect(&r, 201);
    harness_contains(&r, "\"generation\":1");
}

static void set_status(struct harness *h, const char *target, const char *status)
{
    struct reply r = harness_send(h, "PATCH", target, merge, status);
    harness_expect(&r, 200);
}

/* A running pod with the label that the budgets select. */
static void make_running(struct harness *h, const char *name, bool ready)
{
    make(h, name);
    const char *target = str_printf(&h->arena, PODS "/%s", name).data;
    set_status(h, target, "{\"metadata\":{\"labels\":{\"app\":\"b\"}}}");
    target = str_printf(&h->arena, PODS "/%s/status", name).data;
    set_status(h, target,
               ready ? "{\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\","
                       "\"status\":\"True\"}]}}"
                     : "{\"status\":{\"phase\":\"Running\"}}");
}

static struct reply evict(struct harness *h, const char *name)
{
    const char *target = str_printf(&h->arena, PODS "/%s/eviction", name).data;
    const char *json = str_printf(&h->arena, "{\"metadata\":{\"name\":\"%s\"}}", name).data;
    return harness_post(h, target, json);
}

static void test_budget(void **state)
{
    struct harness *h = *state;
    make_budget(h, "b");
    make(h, "pending");
    struct reply r = evict(h, "pending"); /* in nobody's count */
    harness_expect(&r, 201);
    make_running(h, "b1", true);
    make_running(h, "b2", true);
    r = evict(h, "b1");
    harness_expect(&r, 429);
    harness_contains(&r, "\"message\":\"Cannot evict pod as it would violate the pod's disruption "
                         "budget.\",\"reason\":\"TooManyRequests\"");
    harness_contains(&r, "\"reason\":\"DisruptionBudget\",\"message\":\"The disruption budget b is "
                         "still being processed by the server.\"");
    harness_contains(&r, "\"retryAfterSeconds\":10");
    set_status(h, BUDGETS "/b/status",
               "{\"status\":{\"observedGeneration\":1,\"disruptionsAllowed\":1,"
               "\"currentHealthy\":2,\"desiredHealthy\":1,\"expectedPods\":2}}");
    r = harness_post(h, PODS "/b1/eviction?dryRun=All", "{\"metadata\":{\"name\":\"b1\"}}");
    harness_expect(&r, 201);
    r = harness_get(h, BUDGETS "/b");
    harness_contains(&r, "\"disruptionsAllowed\":1");
    r = evict(h, "b1");
    harness_expect(&r, 201);
    r = harness_get(h, PODS "/b1");
    harness_contains(&r, "deletionTimestamp");
    r = harness_get(h, BUDGETS "/b");
    harness_contains(&r, "\"disruptionsAllowed\":0");
    harness_contains(&r, "\"reason\":\"InsufficientPods\"");
    r = evict(h, "b2");
    harness_expect(&r, 429);
    harness_contains(&r, "The disruption budget b needs 1 healthy pods and has 2 currently");
    r = evict(h, "b1"); /* on its way already */
    harness_expect(&r, 201);
}

/* After test_budget: nothing more is allowed by b, and it has as many healthy pods as it wants. */
static void test_budget_and_the_unhealthy(void **state)
{
    struct harness *h = *state;
    make_running(h, "u1", false);
    struct reply r = evict(h, "u1");
    harness_expect(&r, 201);
    set_status(h, BUDGETS "/b/status", "{\"status\":{\"currentHealthy\":0}}");
    make_running(h, "u2", false);
    r = evict(h, "u2");
    harness_expect(&r, 429);
    set_status(h, BUDGETS "/b", "{\"spec\":{\"unhealthyPodEvictionPolicy\":\"AlwaysAllow\"}}");
    r = evict(h, "u2");
    harness_expect(&r, 201);
    set_status(h, BUDGETS "/b/status",
               "{\"status\":{\"observedGeneration\":2,\"conditions\":[{\"type\":"
               "\"DisruptionAllowed\",\"status\":\"False\",\"reason\":\"SyncFailed\",\"message\":"
               "\"why\",\"lastTransitionTime\":\"2024-01-01T00:00:00Z\"}]}}");
    r = evict(h, "b2");
    harness_expect(&r, 429);
    harness_contains(&r, "The disruption budget b does not allow evicting pods currently because "
                         "it failed sync: why");
    make_budget(h, "c");
    r = evict(h, "b2");
    harness_expect(&r, 500);
    harness_contains(&r, "This pod has more than one PodDisruptionBudget, which the eviction "
                         "subresource does not support.");
}

/* Keys that begin with "a-", all with value, or removed. */
static void write_budgets(struct harness *h, size_t count, struct str value)
{
    struct store_op ops[STORE_TXN_OPS_MAX];
    for (size_t done = 0; done < count;) {
        size_t n = 0;
        for (; n < STORE_TXN_OPS_MAX && done < count; n++, done++) {
            const struct key key = { .kind = KIND_DISRUPTION_BUDGET,
                                     .namespace = str_lit("default"),
                                     .name = str_printf(&h->arena, "a-%zu", done) };
            ops[n] = (struct store_op){ .type = value.len > 0 ? STORE_OP_PUT : STORE_OP_DELETE,
                                        .key = key_text(&h->arena, &key),
                                        .value = value };
        }
        const struct store_txn txn = { .ops = ops, .ops_count = n };
        harness_commit(h, &txn);
    }
}

/* More than one read of the store may walk, present and gone: the last one is found. */
static void test_many_budgets(void **state)
{
    enum { MANY = 2 * STORE_READ_ROWS_MAX + 100 };
    struct harness *h = *state;
    const struct key key = { .kind = KIND_DISRUPTION_BUDGET,
                             .namespace = str_lit("default"),
                             .name = str_lit("a") };
    struct reply r = harness_post(h, BUDGETS,
                                  "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"selector\":{"
                                  "\"matchLabels\":{\"app\":\"other\"}}}}");
    harness_expect(&r, 201);
    write_budgets(h, MANY, harness_stored(h, key_text(&h->arena, &key)));
    make_running(h, "many", true);
    make_budget(h, "m");
    for (int gone = 0; gone < 2; gone++) {
        r = evict(h, "many");
        harness_expect(&r, 429);
        harness_contains(&r, "The disruption budget m is still being processed by the server.");
        if (!gone)
            write_budgets(h, MANY, str_lit(""));
    }
    r = harness_send(h, "DELETE", BUDGETS "/m", NULL, NULL);
    harness_expect(&r, 200);
    r = evict(h, "many");
    harness_expect(&r, 201);
}

static void test_older_version(void **state)
{
    struct harness *h = *state;
    make(h, "old");
    struct reply r = harness_post(h, PODS "/old/eviction",
                                  "{\"apiVersion\":\"policy/v1beta1\",\"kind\":\"Eviction\","
                                  "\"metadata\":{\"name\":\"old\"}}");
    harness_expect(&r, 201);
    r = harness_post(h, PODS "/old/eviction",
                     "{\"apiVersion\":\"policy/v2\",\"kind\":\"Eviction\",\"metadata\":{\"name\":"
                     "\"old\"}}");
    harness_expect(&r, 400);
}

static void test_ephemeral(void **state)
{
    struct harness *h = *state;
    make(h, "d");
    struct reply r = harness_send(
        h, "PATCH", PODS "/d/ephemeralcontainers", smp,
        "{\"metadata\":{\"labels\":{\"not\":\"taken\"}},\"spec\":{\"ephemeralContainers\":[{"
        "\"name\":\"dbg\",\"image\":\"busybox\",\"targetContainerName\":\"c\",\"stdin\":true}]}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"ephemeralContainers\":[{\"name\":\"dbg\",\"image\":\"busybox\"");
    harness_contains(&r, "\"imagePullPolicy\":\"Always\"");
    harness_contains(&r, "\"generation\":2");
    harness_lacks(&r, "\"taken\"");
    /* The pod is a pod like others afterwards. */
    r = harness_send(h, "PATCH", PODS "/d", smp, "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}");
    harness_expect(&r, 200);
    r = harness_send(h, "PATCH", PODS "/d", smp,
                     "{\"spec\":{\"ephemeralContainers\":[{\"name\":\"x\",\"image\":\"y\"}]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "pod updates may not change fields other than");
    r = harness_send(
        h, "PATCH", PODS "/d/ephemeralcontainers", smp,
        "{\"spec\":{\"ephemeralContainers\":[{\"name\":\"c\",\"image\":\"\",\"ports\":[{"
        "\"containerPort\":1}],\"targetContainerName\":\"nope\"}]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "spec.ephemeralContainers[0].image: Required value");
    harness_contains(&r, "spec.ephemeralContainers[0].name: Duplicate value: \\\"c\\\"");
    harness_contains(&r,
                     "spec.ephemeralContainers[0].targetContainerName: Not found: \\\"nope\\\"");
    harness_contains(&r, "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an "
                         "Ephemeral Container");
    r = harness_send(h, "PATCH", PODS "/d/ephemeralcontainers",
                     "Content-Type: "
                     "application/merge-patch+json\r\n",
                     "{\"spec\":{\"ephemeralContainers\":[]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "existing ephemeral containers \\\"dbg\\\" may not be removed");
    r = harness_get(h, PODS "/d/ephemeralcontainers");
    harness_expect(&r, 200);
    harness_contains(&r, "\"kind\":\"Pod\"");
    r = harness_post(h, PODS,
                     "{\"metadata\":{\"name\":\"no\"},\"spec\":{\"containers\":[{\"name\":\"c\","
                     "\"image\":\"i\"}],\"ephemeralContainers\":[{\"name\":\"d\",\"image\":\"j\"}]"
                     "}}");
    harness_expect(&r, 422);
    harness_contains(&r, "spec.ephemeralContainers: Forbidden: cannot be set on create");
}

static void test_resize(void **state)
{
    struct harness *h = *state;
    make(h, "r");
    struct reply r = harness_send(
        h, "PATCH", PODS "/r/resize", smp,
        "{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"not taken\",\"resources\":{"
        "\"requests\":{\"cpu\":\"2\"}}}]}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"resources\":{\"requests\":{\"cpu\":\"2\"}}");
    harness_contains(&r, "\"image\":\"i\"");
    harness_contains(&r, "\"generation\":2");
    r = harness_send(h, "PATCH", PODS "/r/resize", smp,
                     "{\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{"
                     "\"cpu\":\"-1\"}}}]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "must be greater than or equal to 0");
    r = harness_send(h, "PATCH", PODS "/r/resize", smp,
                     "{\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{"
                     "\"cpu\":null}}}]}}");
    harness_expect(&r, 422);
    harness_contains(&r, "Pod QOS Class may not change as a result of resizing");
}

/* What an eviction was decided about is what it is bound to, not what is there a moment later. */
static void test_bound_to_what_was_seen(void **state)
{
    const struct store_guard seen[] = {
        { .type = STORE_GUARD_MOD, .key = str_lit("pod"), .revision = 7 },
        { .type = STORE_GUARD_EXISTS, .key = str_lit("namespace") },
    };
    struct request r = { .txn = { .guards = seen, .guards_count = 2 } };
    (void)state;
    arena_init(&r.arena);
    write_while(&r, str_lit("pod"), 5);
    write_while(&r, str_lit("namespace"), 3);
    assert_int_equal(r.txn.guards_count, 3);
    assert_int_equal(r.txn.guards[0].revision, 5);
    assert_int_equal(r.txn.guards[1].type, STORE_GUARD_EXISTS);
    assert_int_equal(r.txn.guards[2].type, STORE_GUARD_MOD);
    assert_true(str_eq_c(r.txn.guards[2].key, "namespace"));
    assert_int_equal(r.txn.guards[2].revision, 3);
    arena_deinit(&r.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evict),         cmocka_unit_test(test_many_budgets),
        cmocka_unit_test(test_budget),        cmocka_unit_test(test_budget_and_the_unhealthy),
        cmocka_unit_test(test_older_version), cmocka_unit_test(test_ephemeral),
        cmocka_unit_test(test_resize),        cmocka_unit_test(test_bound_to_what_was_seen),
    };
    return cmocka_run_group_tests(tests, setup, harness_teardown);
}
