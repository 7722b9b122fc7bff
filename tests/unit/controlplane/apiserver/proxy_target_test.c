/* Names in paths against the servers they lead to, and upstream's words for those that lead
 * nowhere. */
#include "controlplane/apiserver/proxy_target.h"
#include "tests/unit/controlplane/apiserver/proxy_backend.h"
#include "tests/unit/unit.h"

static void test_split(void **state)
{
    static const struct {
        const char *id;
        const char *parts[3]; /* scheme, name, port; NULL: refused */
    } rows[] = {
        { "a", { "", "a", "" } },
        { "a:1", { "", "a", "1" } },
        { "http:a:1", { "http", "a", "1" } },
        { "https:a:", { "https", "a", "" } },
        { ":a:b", { "", "a", "b" } },
        { "a:", { "", "a", "" } },
        { "", { NULL } },
        { ":1", { NULL } },
        { "ftp:a:1", { NULL } },
        { "http:a:1:2", { NULL } },
        { "http::1", { NULL } },
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str parts[3];
        bool good = proxy_target_split(str_from(rows[i].id), &parts[0], &parts[1], &parts[2]);
        assert_int_equal(good, rows[i].parts[0] != NULL);
        for (size_t k = 0; good && k < 3; k++) {
            assert_string_equal(str_dup(&h->arena, parts[k]), rows[i].parts[k]);
        }
    }
}

static void test_addresses(void **state)
{
    static const char *const good[] = { "10.0.0.1",  "192.168.1.1", "9.1.1.1",
                                        "240.0.0.1", "fd00::1",     "::ffff:10.0.0.1" };
    static const char *const bad[] = {
        "127.0.0.1", "127.9.9.9", "169.254.0.1",     "224.0.0.1",
        "239.1.1.1", "0.0.0.0",   "255.255.255.255", "::1",
        "::",        "fe80::1",   "ff02::1",         "::ffff:127.0.0.1",
        "",          "10.0.0",    "example.org"
    };
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!proxy_target_address(good[i])) {
            fail_msg("%s", good[i]);
        }
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (proxy_target_address(bad[i])) {
            fail_msg("%s", bad[i]);
        }
    }
    assert_false(proxy_target_address(NULL));
}

static void test_refusals(void **state)
{
    static const struct {
        const char *target;
        int code;
        const char *text;
    } rows[] = {
        { "/api/v1/nodes/none/proxy/", 404, "nodes \\\"none\\\" not found" },
        { "/api/v1/nodes/ftp:n:1/proxy/", 400, "invalid node request \\\"ftp:n:1\\\"" },
        { "/api/v1/nodes/n:word/proxy/", 503, "lookup tcp/word: unknown port" },
        { PROXY_PODS "/none/proxy/", 404, "pods \\\"none\\\" not found" },
        { PROXY_PODS "/a:b:c:d/proxy/", 400, "invalid pod request \\\"a:b:c:d\\\"" },
        { PROXY_PODS "/web:word/proxy/", 503, "lookup tcp/word: unknown port" },
        { PROXY_PODS "/web:65536/proxy/", 503, "lookup tcp/65536: unknown port" },
        { PROXY_PODS "/inside/proxy/", 400, "address not allowed" },
        { PROXY_PODS "/pending/proxy/", 400, "address not allowed" },
        { "/api/v1/namespaces/default/services/none/proxy/", 404,
          "services \\\"none\\\" not found" },
        { "/api/v1/namespaces/default/services/x:y:z/proxy/", 400,
          "invalid service request \\\"x:y:z\\\"" },
        { "/api/v1/namespaces/default/configmaps/c/proxy/", 404, "could not find the requested" },
        { "/api/v1/pods/web/proxy/", 404, "could not find the requested" },
    };
    struct harness *h = *state;
    proxy_backend_pod(h, "inside", "127.0.0.2", true, "", "");
    struct reply made =
        harness_post(h, PROXY_PODS,
                     "{\"metadata\":{\"name\":\"pending\"},\"spec\":{\"containers\":"
                     "[{\"name\":\"c\",\"image\":\"i\"}]}}");
    harness_expect(&made, 201);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reply r = harness_get(h, rows[i].target);
        harness_expect(&r, rows[i].code);
        harness_contains(&r, rows[i].text);
    }
}

/* The agent is shown our certificate, others are not; over TLS any certificate of theirs will do.
 */
static void test_servers(void **state)
{
    struct harness *h = *state;
    const struct {
        struct str target;
        const char *text;
    } rows[] = {
        { str_lit("/api/v1/nodes/n/proxy/echo"), "verified: 1" },
        { str_printf(&h->arena, "/api/v1/nodes/n:%d/proxy/echo", proxy_backend_tls_port),
          "verified: 1" },
        { str_printf(&h->arena, "/api/v1/nodes/http:n:%d/proxy/echo", proxy_backend_port),
          "verified: 0" },
        { str_lit(PROXY_PODS "/web/proxy/echo"), "verified: 0" },
        { str_printf(&h->arena, PROXY_PODS "/web:%d/proxy/echo", proxy_backend_port),
          "verified: 0" },
        { str_printf(&h->arena, PROXY_PODS "/https:web:%d/proxy/echo", proxy_backend_tls_port),
          "verified: 0" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reply r = harness_get(h, rows[i].target.data);
        harness_expect(&r, 203);
        harness_contains(&r, rows[i].text);
        harness_contains(&r, "GET /echo\n");
    }
    /* Plain HTTP to a TLS port and the other way round. */
    struct reply r = harness_get(
        h, str_printf(&h->arena, PROXY_PODS "/https:web:%d/proxy/echo", proxy_backend_port).data);
    harness_expect(&r, 503);
    r = harness_get(
        h, str_printf(&h->arena, PROXY_PODS "/web:%d/proxy/echo", proxy_backend_tls_port).data);
    harness_expect(&r, 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_servers),
    };
    return cmocka_run_group_tests(tests, proxy_backend_setup, proxy_backend_teardown);
}
