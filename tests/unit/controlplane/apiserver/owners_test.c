/* Owners that an object names twice. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS "/api/v1/namespaces/default/configmaps"
#define OWNER                                                                                      \
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"p\",\"uid\":\"u\",\"controller\":true}"
#define OTHER "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"q\",\"uid\":\"u\"}"

static void expect_warning(const struct reply *r, const char *text)
{
    if (str_find(r->headers, str_from(text)) < 0) {
        fail_msg("%.*s lacks %s", STR_ARG(r->headers), text);
    }
}

/* One stays, in its place; references that differ in anything are not the same. */
static void test_create(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, MAPS,
                                  "{\"metadata\":{\"name\":\"a\",\"ownerReferences\":[" OTHER
                                  "," OWNER "," OTHER "," OWNER "]}}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"ownerReferences\":[" OTHER "," OWNER "]");
    expect_warning(&r, ".metadata.ownerReferences contains duplicate entries; API server dedups");
    expect_warning(&r, "please fix your requests; duplicate UID(s) observed: u, u\"");
    r = harness_post(h, MAPS,
                     "{\"metadata\":{\"name\":\"b\",\"ownerReferences\":[" OTHER "," OWNER "]}}");
    harness_expect(&r, 201);
    assert_true(str_find(r.headers, str_lit("arning:")) < 0);
}

static void test_patch(void **state)
{
    struct harness *h = *state;
    struct reply r =
        harness_send(h, "PATCH", MAPS "/b", "Content-Type: application/merge-patch+json\r\n",
                     "{\"metadata\":{\"ownerReferences\":[" OWNER "," OWNER "]}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"ownerReferences\":[" OWNER "]");
    expect_warning(&r, "contains duplicate entries after mutating admission happens; API server");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_patch),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
