/* Calls and watches as targets; server URLs as addresses. */
#include "api/client/http_target.h"
#include "base/arena.h"
#include "base/buf.h"
#include "tests/unit/unit.h"

static void test_calls(void **state)
{
    static const struct {
        enum kind kind;
        const char *namespace, *name, *subresource, *query, *want;
    } rows[] = {
        { KIND_POD, "d", "p", "", "", "/api/v1/namespaces/d/pods/p" },
        { KIND_POD, "", "", "", "limit=1", "/api/v1/pods?limit=1" },
        { KIND_DEPLOYMENT, "d", "w", "status", "",
          "/apis/apps/v1/namespaces/d/deployments/w/status" },
        { KIND_NODE, "", "n", "", "", "/api/v1/nodes/n" },
        { KIND_NAMESPACE, "", "d", "finalize", "", "/api/v1/namespaces/d/finalize" },
        { KIND_LEASE, "a", "x/../y", "", "",
          "/apis/coordination.k8s.io/v1/namespaces/a/leases/x%2F..%2Fy" },
    };

    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct client_call call = { .kind = rows[i].kind,
                                    .namespace = str_from(rows[i].namespace),
                                    .name = str_from(rows[i].name),
                                    .subresource = str_from(rows[i].subresource),
                                    .query = str_from(rows[i].query) };
        struct buf b;

        buf_init(&b);
        http_target_call(&b, &call);
        assert_true(str_eq_c(buf_str(&b), rows[i].want));
        buf_deinit(&b);
    }
    assert_string_equal(http_method(CLIENT_DELETE_COLLECTION), "DELETE");
    assert_string_equal(http_method(CLIENT_UPDATE), "PUT");
}

static void test_watch(void **state)
{
    struct client_watch w = { .kind = KIND_POD,
                              .field_selector = str_lit("spec.nodeName=n 1"),
                              .revision = 7,
                              .bookmarks = true,
                              .timeout_s = 30 };
    struct buf b;

    (void)state; /* no shared fixture */
    buf_init(&b);
    http_target_watch(&b, &w);
    assert_true(str_eq_c(buf_str(&b),
                         "/api/v1/pods?watch=true&resourceVersion=7&allowWatchBookmarks=true&"
                         "timeoutSeconds=30&fieldSelector=spec.nodeName%3Dn%201"));
    buf_deinit(&b);
}

static void test_endpoints(void **state)
{
    static const struct {
        const char *url, *address;
        bool secure;
    } rows[] = { { "https://127.0.0.1:6443", "tcp:127.0.0.1:6443", true },
                 { "https://127.0.0.1/", "tcp:127.0.0.1:443", true },
                 { "http://[::1]:80", "tcp:[::1]:80", false },
                 { "https://[::1]", "tcp:[::1]:443", true },
                 { "127.0.0.1:6443", NULL, false },
                 { "https://", NULL, false },
                 { "https://a:1/path", NULL, false } };
    struct arena a;

    (void)state; /* no shared fixture */
    arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_endpoint ep;
        struct err e = { 0 };
        int rc = http_endpoint_parse(&a, str_from(rows[i].url), &ep, &e);

        assert_int_equal(rc == 0, rows[i].address != NULL);
        if (rc == 0) {
            assert_string_equal(ep.address, rows[i].address);
            assert_int_equal(ep.secure, rows[i].secure);
        }
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_calls), cmocka_unit_test(test_watch),
                                        cmocka_unit_test(test_endpoints) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
