/* Which headers pass, and which URLs are led through the proxy. */
#include "base/arena.h"
#include "controlplane/apiserver/proxy_headers.h"
#include "tests/unit/unit.h"

static const struct proxy_path path = { STR("/api/v1/namespaces/a/pods/p/proxy"), STR("/x y/") };

static void test_urls(void **state)
{
    static const struct {
        const char *url;
        const char *out; /* behind the prefix; NULL: as it was */
    } rows[] = {
        { "/a?b=c#d", "/a?b=c#d" },
        { "http://10.0.0.1:80/a", "/a" },
        { "HTTPS://10.0.0.1:80/a/", "/a/" },
        { "//10.0.0.1:80/a", "/a" },
        { "http://localhost:8001/a", "/a" },
        { "/api/v1/namespaces/a/pods/p/proxy/a", "/a" },
        { "http://elsewhere/a", NULL },
        { "//elsewhere/a", NULL },
        { "http://10.0.0.1:80", NULL },
        { "http://10.0.0.1:80?a", NULL },
        { "a/b", NULL },
        { "", NULL },
        { "?x", NULL },
        { "mailto:/a", NULL },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str out = proxy_rewrite_url(&a, str_from(rows[i].url), &path, str_lit("10.0.0.1:80"),
                                           str_lit("localhost:8001"));
        struct str want = rows[i].out == NULL
                              ? str_from(rows[i].url)
                              : str_printf(&a, "%.*s%s", STR_ARG(path.prefix), rows[i].out);
        assert_string_equal(str_dup(&a, out), str_dup(&a, want));
    }
    arena_deinit(&a);
}

static const char *value(struct arena *a, const struct http_headers *h, const char *name)
{
    return http_headers_get(h, name).data == NULL ? NULL : str_dup(a, http_headers_get(h, name));
}

static void test_request(void **state)
{
    static struct http_header sent[] = { { STR("connection"), STR("Upgrade, X-Mine") },
                                         { STR("upgrade"), STR("websocket") },
                                         { STR("x-mine"), STR("1") },
                                         { STR("authorization"), STR("Bearer t") },
                                         { STR("gantry-fence-term"), STR("3") },
                                         { STR("impersonate-user"), STR("bob") },
                                         { STR("impersonate-extra-k"), STR("v") },
                                         { STR("te"), STR("gzip") },
                                         { STR("cookie"), STR("c=1") },
                                         { STR("content-length"), STR("3") },
                                         { STR("x-forwarded-for"), STR("1.2.3.4") },
                                         { STR("x-forwarded-uri"), STR("/no") } };
    const struct http_peer peer = { .address = "10.1.2.3:999" };
    const struct http_peer peer6 = { .address = "[fd00::1]:999" };
    struct http_exchange x = { .peer = &peer };
    struct http_headers out = { 0 };
    struct arena a;
    (void)state;
    arena_init(&a);
    x.headers = (struct http_headers){ .items = sent, .count = sizeof(sent) / sizeof(sent[0]) };
    proxy_request_headers(&a, &x, &path, false, &out);
    assert_int_equal(out.count, 4);
    assert_string_equal(value(&a, &out, "cookie"), "c=1");
    assert_string_equal(value(&a, &out, "content-length"), "3");
    assert_string_equal(value(&a, &out, "x-forwarded-for"), "1.2.3.4, 10.1.2.3");
    assert_string_equal(value(&a, &out, "x-forwarded-uri"),
                        "/api/v1/namespaces/a/pods/p/proxy/x y/");
    out = (struct http_headers){ 0 };
    x.headers.count = 2;
    x.peer = &peer6;
    proxy_request_headers(&a, &x, &path, true, &out);
    assert_string_equal(value(&a, &out, "upgrade"), "websocket");
    assert_string_equal(value(&a, &out, "x-forwarded-for"), "fd00::1");
    assert_null(value(&a, &out, "connection"));
    arena_deinit(&a);
}

static void test_response(void **state)
{
    static struct http_header sent[] = { { STR("connection"), STR("close, x-private") },
                                         { STR("x-private"), STR("1") },
                                         { STR("upgrade"), STR("h2c") },
                                         { STR("set-cookie"), STR("a=1") },
                                         { STR("set-cookie"), STR("b=2") },
                                         { STR("location"), STR("/a") } };
    const struct http_headers in = { .items = sent, .count = sizeof(sent) / sizeof(sent[0]) };
    const struct http_exchange x = { .authority = STR("me") };
    struct http_headers out = { 0 };
    struct arena a;
    (void)state;
    arena_init(&a);
    proxy_response_headers(&a, &in, &x, &path, str_lit("h:1"), false, &out);
    assert_int_equal(out.count, 3);
    assert_string_equal(str_dup(&a, out.items[1].value), "b=2");
    assert_string_equal(value(&a, &out, "location"), "/api/v1/namespaces/a/pods/p/proxy/a");
    out = (struct http_headers){ 0 };
    proxy_response_headers(&a, &in, &x, &path, str_lit("h:1"), true, &out);
    assert_string_equal(value(&a, &out, "upgrade"), "h2c");
    arena_deinit(&a);
}

static void test_page(void **state)
{
    struct http_header rows[] = { { STR("content-type"), STR("Text/HTML ; charset=utf-8") },
                                  { STR("content-encoding"), STR("gzip") } };
    struct http_headers h = { .items = rows, .count = 1 };
    (void)state;
    assert_true(proxy_is_page(&h));
    h.count = 2;
    assert_false(proxy_is_page(&h));
    rows[0].value = str_lit("text/htmlx");
    h.count = 1;
    assert_false(proxy_is_page(&h));
    h.count = 0;
    assert_false(proxy_is_page(&h));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_urls), cmocka_unit_test(test_request),
                                        cmocka_unit_test(test_response),
                                        cmocka_unit_test(test_page) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
