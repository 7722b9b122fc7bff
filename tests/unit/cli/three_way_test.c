/* What apply sends: configurations against what was applied and what is there. */
#include "api/meta/kinds.h"
#include "base/arena.h"
#include "base/err.h"
#include "cli/compose.h"
#include "cli/three_way.h"
#include "tests/unit/unit.h"

struct patch_case {
    const char *name;
    const char *before; /* NULL: nothing */
    const char *now;
    const char *live;
    const char *patch; /* NULL: refused */
};

static struct arena arena;

static const struct json *parse(const char *text)
{
    const struct json *j = NULL;
    if (text != NULL)
        assert_int_equal(json_parse(&arena, str_from(text), &j, NULL), 0);
    return j;
}

static void run(const struct schema *s, const struct patch_case *c)
{
    struct json patch;
    struct err e = { 0 };
    int rc = three_way(&arena, s, parse(c->before), parse(c->now), parse(c->live), &patch, &e);
    if (c->patch == NULL) {
        assert_int_equal(rc, -ERR_INVALID_ARGUMENT);
        return;
    }
    assert_int_equal(rc, 0);
    if (!json_equal(&patch, parse(c->patch)))
        fail_msg("%s: %.*s", c->name, STR_ARG(compose_text(&arena, &patch)));
}

static const struct schema *pod(void)
{
    return kind_by_type(str_lit("v1"), str_lit("Pod"))->schema;
}

#define SPEC(text) "{\"spec\":" text "}"

static void test_fields(void **state)
{
    static const struct patch_case cases[] = {
        { "same", "{\"a\":1}", "{\"a\":1}", "{\"a\":1,\"b\":2}", "{}" },
        { "changed", NULL, "{\"a\":1}", "{\"a\":2}", "{\"a\":1}" },
        { "added", NULL, "{\"a\":{\"b\":1}}", "{}", "{\"a\":{\"b\":1}}" },
        { "removed", "{\"a\":1,\"b\":1}", "{\"a\":1}", "{\"a\":1,\"b\":1,\"c\":1}",
          "{\"b\":null}" },
        { "removed below", "{\"m\":{\"a\":1,\"b\":1}}", "{\"m\":{\"a\":1}}",
          "{\"m\":{\"a\":1,\"b\":1,\"c\":1}}", "{\"m\":{\"b\":null}}" },
        { "others stay", NULL, "{\"m\":{\"a\":1}}", "{\"m\":{\"a\":1,\"c\":1}}", "{}" },
        { "another type", NULL, "{\"a\":{\"b\":1}}", "{\"a\":5}", "{\"a\":{\"b\":1}}" },
        { "a list is one value", NULL, "{\"l\":[1,2]}", "{\"l\":[2,1]}", "{\"l\":[1,2]}" },
        { "a null says nothing", NULL, "{\"a\":null,\"b\":{\"c\":null,\"d\":1}}", "{\"a\":1}",
          "{\"b\":{\"d\":1}}" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run(NULL, &cases[i]);
}

static void test_lists(void **state)
{
    static const struct patch_case cases[] = {
        { "one of two changes", NULL,
          SPEC("{\"containers\":[{\"name\":\"a\",\"image\":\"2\"},{\"name\":\"b\",\"image\":\"1\"}]"
               "}"),
          SPEC("{\"containers\":[{\"name\":\"a\",\"image\":\"1\",\"tty\":true},"
               "{\"name\":\"b\",\"image\":\"1\"}]}"),
          SPEC("{\"containers\":[{\"name\":\"a\",\"image\":\"2\"}],"
               "\"$setElementOrder/containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}") },
        { "one is gone", SPEC("{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"),
          SPEC("{\"containers\":[{\"name\":\"a\"}]}"),
          SPEC("{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"),
          SPEC("{\"containers\":[{\"$patch\":\"delete\",\"name\":\"b\"}],"
               "\"$setElementOrder/containers\":[{\"name\":\"a\"}]}") },
        { "another's stays, and its place", SPEC("{\"containers\":[{\"name\":\"a\"}]}"),
          SPEC("{\"containers\":[{\"name\":\"a\"}]}"),
          SPEC("{\"containers\":[{\"name\":\"side\"},{\"name\":\"a\"}]}"),
          SPEC("{\"$setElementOrder/containers\":[{\"name\":\"a\"}]}") },
        { "only the order", NULL, SPEC("{\"containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}"),
          SPEC("{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"),
          SPEC("{\"$setElementOrder/containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}") },
        { "into an empty one", NULL, SPEC("{\"containers\":[{\"name\":\"a\"}]}"),
          SPEC("{\"containers\":[]}"), SPEC("{\"containers\":[{\"name\":\"a\"}]}") },
        { "a variable below is gone",
          SPEC("{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"X\",\"value\":\"1\"},"
               "{\"name\":\"Y\",\"value\":\"1\"}]}]}"),
          SPEC("{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"Y\",\"value\":\"1\"}]}]}"),
          SPEC("{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"X\",\"value\":\"1\"},"
               "{\"name\":\"Y\",\"value\":\"1\"}]}]}"),
          SPEC("{\"containers\":[{\"name\":\"a\",\"env\":[{\"$patch\":\"delete\",\"name\":\"X\"}],"
               "\"$setElementOrder/env\":[{\"name\":\"Y\"}]}],"
               "\"$setElementOrder/containers\":[{\"name\":\"a\"}]}") },
        { "a volume of another kind", NULL,
          SPEC("{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}"),
          SPEC("{\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}}]}"),
          SPEC("{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{},"
               "\"$retainKeys\":[\"emptyDir\",\"name\"]}],"
               "\"$setElementOrder/volumes\":[{\"name\":\"v\"}]}") },
        { "arguments are one value", NULL,
          SPEC("{\"containers\":[{\"name\":\"a\",\"args\":[\"x\"]}]}"),
          SPEC("{\"containers\":[{\"name\":\"a\",\"args\":[\"x\",\"y\"]}]}"),
          SPEC("{\"containers\":[{\"name\":\"a\",\"args\":[\"x\"]}],"
               "\"$setElementOrder/containers\":[{\"name\":\"a\"}]}") },
        { "no key", NULL, SPEC("{\"containers\":[{\"image\":\"1\"}]}"),
          SPEC("{\"containers\":[{\"name\":\"a\"}]}"), NULL },
        { "a set of texts", "{\"metadata\":{\"finalizers\":[\"x\",\"y\"]}}",
          "{\"metadata\":{\"finalizers\":[\"y\",\"z\"]}}",
          "{\"metadata\":{\"finalizers\":[\"x\",\"y\",\"other\"]}}",
          "{\"metadata\":{\"finalizers\":[\"z\"],"
          "\"$deleteFromPrimitiveList/finalizers\":[\"x\"],"
          "\"$setElementOrder/finalizers\":[\"y\",\"z\"]}}" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run(pod(), &cases[i]);
}

/* An edit: what was there before is what is there. */
static void test_edit(void **state)
{
    static const struct patch_case c = {
        "edit", SPEC("{\"a\":1,\"b\":1,\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"),
        SPEC("{\"a\":2,\"containers\":[{\"name\":\"b\"}]}"),
        SPEC("{\"a\":1,\"b\":1,\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"),
        SPEC("{\"a\":2,\"b\":null,\"containers\":[{\"$patch\":\"delete\",\"name\":\"a\"}],"
             "\"$setElementOrder/containers\":[{\"name\":\"b\"}]}")
    };
    (void)state;
    run(pod(), &c);
}

static void test_depth(void **state)
{
    struct json j = json_int(1);
    struct json patch;
    struct err e;
    (void)state;
    for (int i = 0; i < SCHEMA_DEPTH_MAX + 1; i++) {
        struct json *inner = arena_copy(&arena, &j, sizeof j);
        j = compose_with(&arena, NULL, "a", inner);
    }
    assert_int_equal(three_way(&arena, NULL, NULL, &j, &j, &patch, &e), -ERR_LIMIT);
}

static void test_annotation(void **state)
{
    const struct json *object = parse(
        "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"data\":{\"b\":\"<\",\"a\":1.50},"
        "\"metadata\":{\"name\":\"m\",\"annotations\":{\"" LAST_APPLIED_ANNOTATION "\":\"old\"}}}");
    const struct json *before;
    (void)state;
    struct json with = last_applied_write(&arena, object);
    const struct json *text = json_get_c(json_get_c(json_get_c(&with, "metadata"), "annotations"),
                                         LAST_APPLIED_ANNOTATION);
    assert_true(str_eq_c(json_str(text),
                         "{\"apiVersion\":\"v1\",\"data\":{\"a\":1.5,\"b\":\"\\u003c\"},"
                         "\"kind\":\"ConfigMap\",\"metadata\":{\"annotations\":{},"
                         "\"name\":\"m\"}}\n"));
    assert_int_equal(last_applied_read(&arena, &with, &before, NULL), 0);
    assert_true(json_equal(json_get_c(before, "data"), json_get_c(object, "data")));
    assert_int_equal(last_applied_read(&arena, parse("{}"), &before, NULL), 0);
    assert_null(before);
    assert_int_equal(last_applied_read(&arena, object, &before, NULL), -ERR_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_fields), cmocka_unit_test(test_lists),
                                        cmocka_unit_test(test_edit), cmocka_unit_test(test_depth),
                                        cmocka_unit_test(test_annotation) };
    arena_init(&arena);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
