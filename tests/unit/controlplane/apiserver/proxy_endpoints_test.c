/* Which endpoint of a service is asked. Where nobody listens, the refusal tells its address. */
#include "tests/unit/controlplane/apiserver/proxy_backend.h"
#include "tests/unit/unit.h"

#define SERVICES "/api/v1/namespaces/default/services"
#define NOWHERE  "error trying to reach service: 10.0.1.1:"

static void make_service(struct harness *h, const char *name, const char *spec)
{
    struct str text =
        str_printf(&h->arena, "{\"metadata\":{\"name\":\"%s\"},\"spec\":{%s}}", name, spec);
    struct reply r = harness_post(h, SERVICES, text.data);
    harness_expect(&r, 201);
}

static struct reply ask(struct harness *h, const char *id)
{
    return harness_get(h, str_printf(&h->arena, SERVICES "/%s/proxy/echo", id).data);
}

static void expect_refusal(struct harness *h, const char *id, const char *text)
{
    struct reply r = ask(h, id);
    harness_expect(&r, 503);
    harness_contains(&r, text);
}

static void expect_answer(struct harness *h, const char *id)
{
    struct reply r = ask(h, id);
    harness_expect(&r, 203);
    harness_contains(&r, "GET /echo\n");
}

/* There are no slices: the pods that are selected and ready. */
static void test_pods(void **state)
{
    struct harness *h = *state;
    struct str number = str_printf(
        &h->arena, "\"selector\":{\"app\":\"web\"},\"ports\":[{\"port\":80,\"targetPort\":%d}]",
        proxy_backend_port);
    make_service(h, "number", number.data);
    make_service(h, "word",
                 "\"selector\":{\"app\":\"web\"},\"ports\":[{\"name\":\"h\",\"port\":80,"
                 "\"targetPort\":\"http\"},{\"name\":\"no\",\"port\":81,\"targetPort\":\"x\"}]");
    make_service(h, "others", "\"selector\":{\"app\":\"none\"},\"ports\":[{\"port\":80}]");
    make_service(h, "unready", "\"selector\":{\"app\":\"unready\"},\"ports\":[{\"port\":80}]");
    proxy_backend_pod(h, "unready", "10.0.1.1", false, "\"app\":\"unready\"", "");
    expect_answer(h, "number");
    expect_answer(h, "number:80");
    expect_answer(h, "http:number:80");
    expect_answer(h, "word:h");
    expect_answer(h, "word:80");
    expect_refusal(h, "word", "no endpoints available for service \\\"word\\\"");
    expect_refusal(h, "word:no", "no endpoints available for service \\\"word:no\\\"");
    expect_refusal(h, "word:82", "no service port 82 found for service \\\"word\\\"");
    expect_refusal(h, "others", "no endpoints available for service \\\"others\\\"");
    expect_refusal(h, "unready", "no endpoints available");
}

/* The Endpoints object is asked before the pods. */
static void test_endpoints(void **state)
{
    struct harness *h = *state;
    make_service(h, "old", "\"selector\":{\"app\":\"web\"},\"ports\":[{\"port\":80}]");
    struct reply r = harness_post(h, "/api/v1/namespaces/default/endpoints",
                                  "{\"metadata\":{\"name\":\"old\"},\"subsets\":[{\"addresses\":[{"
                                  "\"ip\":\"10.0.1.1\"}],\"ports\":[{\"port\":7}]}]}");
    harness_expect(&r, 201);
    expect_refusal(h, "old", NOWHERE "7: ");
}

static void make_slice(struct harness *h, const char *name, const char *service,
                       const char *endpoints)
{
    struct str text = str_printf(
        &h->arena,
        "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"kubernetes.io/service-name\":\"%s\"}},"
        "\"addressType\":\"IPv4\",\"ports\":[{\"name\":\"\",\"port\":8},{\"name\":\"b\",\"port\":9}"
        "],\"endpoints\":[%s]}",
        name, service, endpoints);
    struct reply r =
        harness_post(h, "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", text.data);
    harness_expect(&r, 201);
}

/* Slices come first, and are all there is when there is one. */
static void test_slices(void **state)
{
    struct harness *h = *state;
    make_service(h, "sliced",
                 "\"selector\":{\"app\":\"web\"},\"ports\":[{\"name\":\"b\",\"port\":80}]");
    make_service(h, "idle", "\"selector\":{\"app\":\"web\"},\"ports\":[{\"port\":80}]");
    make_slice(h, "a", "sliced",
               "{\"addresses\":[\"110.0.0.9\"],\"conditions\":{\"ready\":false}},"
               "{\"addresses\":[\"10.0.1.1\"],\"conditions\":{\"ready\":true}}");
    make_slice(h, "b", "idle", "{\"addresses\":[\"10.0.1.1\"],\"conditions\":{\"ready\":false}}");
    expect_refusal(h, "sliced:b", NOWHERE "9: ");
    expect_refusal(h, "sliced:80", NOWHERE "9: ");
    expect_refusal(h, "sliced:c", "no endpoints available");
    expect_refusal(h, "idle", "no endpoints available");
}

/* Each of them gets its share, and those of other services none. */
static void test_many(void **state)
{
    enum { SLICES = 12, TRIES = 40 };
    struct harness *h = *state;
    unsigned seen = 0;
    make_service(h, "many", "\"ports\":[{\"port\":80}]");
    for (int i = 0; i < SLICES; i++) {
        make_slice(h, str_printf(&h->arena, "many-%d", i).data, i % 3 == 0 ? "many" : "other",
                   str_printf(&h->arena, "{\"addresses\":[\"10.0.1.%d\"]}", i + 1).data);
    }
    for (int i = 0; i < TRIES; i++) {
        struct reply r = ask(h, "many");
        harness_expect(&r, 503);
        for (int k = 0; k < SLICES; k++) {
            struct str host = str_printf(&h->arena, "service: 10.0.1.%d:8: ", k + 1);
            seen |= str_find(r.body, host) >= 0 ? 1u << k : 0;
        }
    }
    assert_int_equal(seen, 1 | 1 << 3 | 1 << 6 | 1 << 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pods),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, proxy_backend_setup, proxy_backend_teardown);
}
