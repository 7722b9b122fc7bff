/* Continue tokens, and the table of resourceVersion rules. */
#include "controlplane/apiserver/list_options.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

static void test_token(void **state)
{
    (void)state;
    struct arena a;
    struct err e;
    struct list_place place = { .revision = 42, .after = str_lit("ns/na\"me"), .left = 7 };
    arena_init(&a);
    struct str token = continue_encode(&a, &place);
    assert_int_equal(continue_decode(&a, token, &place, &e), 0);
    assert_int_equal(place.revision, 42);
    assert_int_equal(place.left, 7);
    assert_true(str_eq_c(place.after, "ns/na\"me"));
    /* Upstream's own form. */
    assert_int_equal(
        continue_decode(
            &a, str_lit("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiJhL2JcdTAwMDAifQ"),
            &place, &e),
        0);
    assert_int_equal(place.revision, 5);
    assert_int_equal(place.left, -1);
    assert_true(str_eq_c(place.after, "a/b"));
    static const char *const bad[] = { "", "!", "e30", "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(continue_decode(&a, str_from(bad[i]), &place, &e), -ERR_INVALID_ARGUMENT);
    }
    static const struct {
        const char *text;
        const char *error;
    } tokens[] = {
        { "{\"v\":\"v2\",\"rv\":1,\"start\":\"a\\u0000\"}",
          "server does not recognize this encoded version v2" },
        { "{\"v\":\"meta.k8s.io/v1\",\"rv\":0,\"start\":\"a\\u0000\"}",
          "incorrect encoded start resourceVersion (version meta.k8s.io/v1)" },
        { "{\"v\":\"meta.k8s.io/v1\",\"rv\":1}",
          "encoded start key empty (version meta.k8s.io/v1)" },
        { "{\"v\":\"meta.k8s.io/v1\",\"rv\":1,\"start\":\"../b\\u0000\"}",
          "continue key is not valid" },
        { "{\"v\":\"meta.k8s.io/v1\",\"rv\":1,\"start\":\"a//b\\u0000\"}",
          "continue key is not valid" },
    };
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        token = str_base64url(&a, str_from(tokens[i].text));
        assert_int_equal(continue_decode(&a, token, &place, &e), -ERR_INVALID_ARGUMENT);
        assert_true(str_starts(str_from(e.msg),
                               str_lit("invalid continue token: continue key is not valid: ")));
        assert_true(str_find(str_from(e.msg), str_from(tokens[i].error)) > 0);
    }
    arena_deinit(&a);
}

struct rule {
    const char *query;
    int status;
    const char *text;
};

static const struct rule rules[] = {
    { "resourceVersion=0", 200, "\"items\":[" },
    { "resourceVersion=1", 200, "\"items\":[" },
    { "resourceVersion=0&resourceVersionMatch=NotOlderThan", 200, "\"items\":[" },
    { "resourceVersion=0&resourceVersionMatch=Exact", 422, "is forbidden for resourceVersion" },
    { "resourceVersionMatch=Exact", 422,
      "resourceVersionMatch is forbidden unless resourceVersion is provided" },
    { "resourceVersion=1&resourceVersionMatch=Odd", 422, "Unsupported value: \\\"Odd\\\"" },
    { "resourceVersion=x", 400,
      "invalid resource version: resourceVersion: Invalid value: \\\"x\\\": strconv.ParseUint: "
      "parsing \\\"x\\\": invalid syntax" },
    { "resourceVersionMatch=Odd&continue=abc&sendInitialEvents=1", 422,
      "ListOptions.meta.k8s.io \\\"\\\" is invalid: [resourceVersionMatch: Forbidden: "
      "resourceVersionMatch is forbidden unless resourceVersion is provided, resourceVersionMatch: "
      "Forbidden: resourceVersionMatch is forbidden when continue is provided, "
      "resourceVersionMatch: Unsupported value: \\\"Odd\\\": supported values: \\\"Exact\\\", "
      "\\\"NotOlderThan\\\", \\\"\\\", sendInitialEvents: Forbidden: sendInitialEvents is "
      "forbidden for list]" },
    { "resourceVersion=5&continue="
      "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhL2JcdTAwMDAifQ",
      400, "specifying resource version is not allowed when using continue" },
    { "watch=1&resourceVersionMatch=Exact", 422,
      "ListOptions.meta.k8s.io \\\"\\\" is invalid: [resourceVersionMatch: Forbidden: "
      "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, "
      "resourceVersionMatch: Unsupported value: \\\"Exact\\\": supported values: "
      "\\\"NotOlderThan\\\"]" },
    { "watch=1&sendInitialEvents=1", 422,
      "is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
      "resourceVersionMatch to NotOlderThan" },
    { "watch=1&resourceVersion=x", 400,
      "invalid resource version: resourceVersion: Invalid value" },
    { "sendInitialEvents=true", 422, "sendInitialEvents is forbidden for list" },
    { "continue=abc", 400, "invalid continue token: continue key is not valid" },
    { "limit=x", 400, "strconv.ParseInt" },
    { "labelSelector=a%3D%3D%3Db", 400, "unable to parse requirement" },
    { "fieldSelector=spec.nope%3Dx", 400, "field label not supported: spec.nope" },
};

static void test_rules(void **state)
{
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct str target = str_printf(&h->arena, "/api/v1/pods?%s", rules[i].query);
        struct reply r = harness_get(h, target.data);
        print_message("%s\n", rules[i].query);
        harness_expect(&r, rules[i].status);
        harness_contains(&r, rules[i].text);
    }
}

static void test_future(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, "/api/v1/pods?resourceVersion=1000000");
    harness_expect(&r, 504);
    harness_contains(&r, "Timeout: Too large resource version: 1000000, current: ");
    harness_contains(&r, "\"reason\":\"ResourceVersionTooLarge\"");
    harness_contains(&r, "\"retryAfterSeconds\":1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_future),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
