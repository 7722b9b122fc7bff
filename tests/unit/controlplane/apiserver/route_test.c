/* Targets and methods against what they ask for. */
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/apiserver/route.h"
#include "net/http.h"
#include "tests/unit/unit.h"

struct route_case {
    const char *method;
    const char *target;
    bool resource;
    enum verb verb;
    const char *group;
    const char *version;
    const char *ns;
    const char *plural;
    const char *name;
    const char *sub;
    const char *tail;
};

static const struct route_case cases[] = {
    { "GET", "/", false, VERB_NONE, "", "", "", "", "", "", "" },
    { "GET", "/api", false, VERB_NONE, "", "", "", "", "", "", "" },
    { "GET", "/api/v1", false, VERB_NONE, "", "", "", "", "", "", "" },
    { "GET", "/apis/apps/v1", false, VERB_NONE, "", "", "", "", "", "", "" },
    { "GET", "/healthz", false, VERB_NONE, "", "", "", "", "", "", "" },
    { "GET", "/api/v1/nodes", true, VERB_LIST, "", "v1", "", "nodes", "", "", "" },
    { "GET", "/api/v1/nodes/", true, VERB_LIST, "", "v1", "", "nodes", "", "", "" },
    { "GET", "/api/v1/pods?watch=true", true, VERB_WATCH, "", "v1", "", "pods", "", "", "" },
    { "GET", "/api/v1/pods?watch=1", true, VERB_WATCH, "", "v1", "", "pods", "", "", "" },
    { "GET", "/api/v1/pods?watch=false", true, VERB_LIST, "", "v1", "", "pods", "", "", "" },
    { "GET", "/api/v1/pods?watch", true, VERB_WATCH, "", "v1", "", "pods", "", "", "" },
    { "GET", "/api/v1/pods?watch=FALSE", true, VERB_LIST, "", "v1", "", "pods", "", "", "" },
    { "GET", "/api/v1/namespaces/a/pods/p?watch=1", true, VERB_GET, "", "v1", "a", "pods", "p", "",
      "" },
    { "GET", "/api/v1/watch/namespaces/a/pods/p", true, VERB_WATCH, "", "v1", "a", "pods", "p", "",
      "" },
    { "GET", "/api/v1/namespaces", true, VERB_LIST, "", "v1", "", "namespaces", "", "", "" },
    { "GET", "/api/v1/namespaces/a", true, VERB_GET, "", "v1", "", "namespaces", "a", "", "" },
    { "PUT", "/api/v1/namespaces/a/finalize", true, VERB_UPDATE, "", "v1", "", "namespaces", "a",
      "finalize", "" },
    { "PATCH", "/api/v1/namespaces/a/status", true, VERB_PATCH, "", "v1", "", "namespaces", "a",
      "status", "" },
    { "POST", "/api/v1/namespaces/a/pods", true, VERB_CREATE, "", "v1", "a", "pods", "", "", "" },
    { "POST", "/api/v1/namespaces/a/pods/p/binding", true, VERB_CREATE, "", "v1", "a", "pods", "p",
      "binding", "" },
    { "GET", "/api/v1/namespaces/a/pods/p/log?follow=true", true, VERB_GET, "", "v1", "a", "pods",
      "p", "log", "" },
    { "DELETE", "/apis/apps/v1/namespaces/a/deployments/d", true, VERB_DELETE, "apps", "v1", "a",
      "deployments", "d", "", "" },
    { "DELETE", "/apis/apps/v1/namespaces/a/deployments", true, VERB_DELETECOLLECTION, "apps", "v1",
      "a", "deployments", "", "", "" },
    { "GET", "/api/v1/nodes/n/proxy/a/b", true, VERB_GET, "", "v1", "", "nodes", "n", "proxy",
      "/a/b" },
    { "GET", "/api/v1/nodes/n/proxy", true, VERB_GET, "", "v1", "", "nodes", "n", "proxy", "" },
    { "GET", "/api/v1/nodes/n/proxy/", true, VERB_GET, "", "v1", "", "nodes", "n", "proxy", "/" },
    { "HEAD", "/api/v1/nodes/n/proxy/", true, VERB_GET, "", "v1", "", "nodes", "n", "proxy", "/" },
    { "OPTIONS", "/api/v1/nodes/n/proxy", true, VERB_GET, "", "v1", "", "nodes", "n", "proxy", "" },
    { "DELETE", "/api/v1/nodes/n/proxy", true, VERB_DELETE, "", "v1", "", "nodes", "n", "proxy",
      "" },
    /* As they are: not decoded, not checked, not counted. */
    { "POST", "/api/v1/namespaces/a/pods/https:p:1/proxy//%zz/b%2Fc/?x=%zz&watch=1", true,
      VERB_CREATE, "", "v1", "a", "pods", "https:p:1", "proxy", "//%zz/b%2Fc/" },
    { "GET",
      "/api/v1/nodes/n/proxy/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/"
      "27/28/29/30",
      true, VERB_GET, "", "v1", "", "nodes", "n", "proxy",
      "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30" },
    /* Names that only look like it. */
    { "GET", "/api/v1/namespaces/a/pods/proxy/log", true, VERB_GET, "", "v1", "a", "pods", "proxy",
      "log", "" },
    { "GET", "/api/v1/watch/nodes/proxy?watch=0", true, VERB_WATCH, "", "v1", "", "nodes", "proxy",
      "", "" },
    { "GET", "/apis/apps/v1/namespaces/a/deployments/d/proxy/x", true, VERB_GET, "apps", "v1", "a",
      "deployments", "d", "proxy", "x" },
    { "GET", "/api/v1/nodes/n%2e1", true, VERB_GET, "", "v1", "", "nodes", "n.1", "", "" },
    { "HEAD", "/api/v1/nodes", true, VERB_NONE, "", "v1", "", "nodes", "", "", "" },
    { "GET", "/api//nodes", false, VERB_NONE, "", "", "", "", "", "", "" },
    { "GET", "/apis//v1/nodes", false, VERB_NONE, "", "", "", "", "", "", "" },
    { "GET", "/api/v1//nodes", false, VERB_NONE, "", "v1", "", "", "", "", "" },
};

static void same(struct str have, const char *want)
{
    if (!str_eq_c(have, want)) {
        fail_msg("'%.*s', not '%s'", STR_ARG(have), want);
    }
}

static void test_targets(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct route_case *c = &cases[i];
        struct route r;
        struct err e;
        print_message("%s %s\n", c->method, c->target);
        assert_int_equal(route_parse(&a, str_from(c->method), str_from(c->target), &r, &e), 0);
        assert_int_equal(r.resource, c->resource);
        if (!c->resource) {
            continue;
        }
        assert_int_equal(r.verb, c->verb);
        same(r.group, c->group);
        same(r.version, c->version);
        same(r.ns, c->ns);
        same(r.plural, c->plural);
        same(r.name, c->name);
        same(r.sub, c->sub);
        same(r.tail, c->tail);
    }
    arena_deinit(&a);
}

static void test_params(void **state)
{
    (void)state;
    struct arena a;
    struct route r;
    struct err e;
    int64_t number = 7;
    arena_init(&a);
    assert_int_equal(route_parse(&a, str_lit("GET"),
                                 str_lit("/api/v1/pods?a=1&b=x%2Cy+z&&c&limit=5&bad=5x&f=0"), &r,
                                 &e),
                     0);
    same(route_param(&r, "a"), "1");
    same(route_param(&r, "b"), "x,y z");
    assert_true(route_has_param(&r, "c"));
    assert_true(route_param_bool(&r, "c"));
    assert_false(route_param_bool(&r, "f"));
    assert_false(route_param_bool(&r, "none"));
    assert_false(route_has_param(&r, "none"));
    assert_int_equal(route_param_i64(&r, "none", &number, &e), 0);
    assert_int_equal(number, 7);
    assert_int_equal(route_param_i64(&r, "limit", &number, &e), 0);
    assert_int_equal(number, 5);
    assert_int_equal(route_param_i64(&r, "bad", &number, &e), -ERR_INVALID_ARGUMENT);
    arena_deinit(&a);
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",         "api",         "/api/%zz", "/api/v1/%",    "/a?x=%4",
        "/a?x=%00", "/api/v1/%ff", "*",        "/api/v1/p/%00"
    };
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct route r;
        struct err e;
        print_message("'%s'\n", bad[i]);
        assert_int_equal(route_parse(&a, str_lit("GET"), str_from(bad[i]), &r, &e),
                         -ERR_INVALID_ARGUMENT);
    }
    char *deep = arena_alloc(&a, 2 * ROUTE_SEGMENTS_MAX + 8);
    for (size_t i = 0; i < ROUTE_SEGMENTS_MAX + 1; i++) {
        deep[2 * i] = '/';
        deep[2 * i + 1] = 'a';
    }
    struct route r;
    struct err e;
    assert_int_equal(route_parse(&a, str_lit("GET"), str_from(deep), &r, &e), 0);
    assert_false(r.resource); /* nothing is there: 404 */
    arena_deinit(&a);
}

/* A query of count parameters "&c=VALUE". */
static struct str query(struct arena *a, const char *path, size_t count, const char *value)
{
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "%s?", path);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&b, "&c=%s", value);
    }
    struct str target = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return target;
}

/* The longest commands that kubectl exec sends. */
static void test_bounds(void **state)
{
    static const struct {
        const char *path;
        size_t max;
    } rows[] = {
        { "/api/v1/namespaces/a/pods/p/exec", ROUTE_COMMAND_PARAMS_MAX },
        { "/api/v1/namespaces/a/pods/p/attach", ROUTE_COMMAND_PARAMS_MAX },
        { "/api/v1/namespaces/a/pods/exec", ROUTE_PARAMS_MAX },
        { "/api/v1/pods", ROUTE_PARAMS_MAX },
        { "/exec", ROUTE_PARAMS_MAX },
    };
    (void)state;
    struct arena a;
    struct route r;
    struct err e;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str many = query(&a, rows[i].path, rows[i].max, "x");
        assert_int_equal(route_parse(&a, str_lit("GET"), many, &r, &e), 0);
        assert_int_equal(r.params_count, rows[i].max);
        assert_true(str_eq_c(r.params[rows[i].max - 1].value, "x"));
        struct str over = query(&a, rows[i].path, rows[i].max + 1, "x");
        assert_int_equal(route_parse(&a, str_lit("GET"), over, &r, &e), -ERR_INVALID_ARGUMENT);
        assert_false(r.resource);
    }
    struct str lengthy = query(&a, "/api/v1/namespaces/a/pods/p/exec", 4000,
                               "0123456789012345678901234567890123456789");
    assert_true(lengthy.len > 128u << 10 && lengthy.len < HTTP_URI_BYTES_MAX);
    assert_int_equal(route_parse(&a, str_lit("GET"), lengthy, &r, &e), 0);
    assert_int_equal(r.params_count, 4000);
    lengthy = query(&a, "/api/v1/namespaces/a/pods/p/exec", 8000,
                    "0123456789012345678901234567890123456789");
    assert_int_equal(route_parse(&a, str_lit("GET"), lengthy, &r, &e), -ERR_INVALID_ARGUMENT);
    arena_deinit(&a);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(verb_name(VERB_DELETECOLLECTION), "deletecollection");
    assert_string_equal(verb_name(VERB_GET), "get");
    assert_string_equal(verb_name(VERB_NONE), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),  cmocka_unit_test(test_params),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
