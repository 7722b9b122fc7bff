/* The life of a request: identity, limits, request ids, fencing, one connection for many. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS "/api/v1/namespaces/default/configmaps"

static const char long_id[] =
    "Gantry-Request-Id: 01234567890123456789012345678901234567890123456789012345678901234\r\n";

static void test_headers(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "GET", MAPS, long_id, NULL);
    harness_expect(&r, 400);
    harness_contains(&r, "Gantry-Request-Id: must be at most 64 bytes");
    r = harness_send(h, "GET", MAPS, "Gantry-Fence-Term: x\r\n", NULL);
    harness_expect(&r, 400);
    r = harness_send(h, "POST", MAPS, "Gantry-Fence-Term: 99999\r\n",
                     "{\"metadata\":{\"name\":\"fenced\"}}");
    harness_expect(&r, 503);
    harness_contains(&r, "\"reason\":\"Fenced\"");
    r = harness_get(h, MAPS "/fenced");
    harness_expect(&r, 404);
    r = harness_send(h, "GET", MAPS, "Gantry-Request-Id: abc\r\n", NULL);
    assert_true(str_find(r.headers, str_lit("audit-id: abc\r\n")) > 0);
}

static void test_errors_in_protobuf(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "GET", MAPS "/none",
                                  "Accept: application/vnd.kubernetes.protobuf\r\n", NULL);
    harness_expect(&r, 404);
    assert_true(str_starts(r.body, str_of("k8s\0", 4)));
    assert_true(str_find(r.body, str_lit("configmaps \"none\" not found")) > 0);
}

static void test_malformed(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, "/api/v1/%zz");
    harness_expect(&r, 400);
    r = harness_get(h, "/api/v1/pods?a=%f");
    harness_expect(&r, 400);
    static const char junk[] = "k8s\0\x0a\xff\xff\xff";
    r = harness_send_bytes(h, "POST", MAPS, "Content-Type: application/vnd.kubernetes.protobuf\r\n",
                           str_of(junk, sizeof(junk)));
    harness_expect(&r, 400);
    struct buf deep;
    buf_init(&deep);
    for (int i = 0; i < 100000; i++) {
        buf_append_c(&deep, "{\"a\":");
    }
    r = harness_send_bytes(h, "POST", MAPS, NULL, buf_str(&deep));
    buf_deinit(&deep);
    harness_expect(&r, 400);
}

static void test_metrics(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, "/metrics");
    harness_expect(&r, 200);
    harness_contains(&r, "apiserver_answers_total{code=\"4xx\"}");
    harness_contains(&r, "apiserver_request_duration_seconds_count{verb=\"create\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_errors_in_protobuf),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_metrics),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
