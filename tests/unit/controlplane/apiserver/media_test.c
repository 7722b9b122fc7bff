/* Accept and Content-Type headers that real clients send, and worse. */
#include "controlplane/apiserver/media.h"
#include "tests/unit/unit.h"

struct accept_case {
    const char *accept;
    int allow;
    int rc;
    enum media_type type;
    enum transform transform;
    bool v1beta1;
};

#define TABLE_ACCEPT                                                                               \
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;"            \
    "g=meta.k8s.io,application/json"

static const struct accept_case cases[] = {
    { "", MEDIA_ALLOW_OBJECTS, 0, MEDIA_JSON, TRANSFORM_NONE, false },
    { "*/*", MEDIA_ALLOW_OBJECTS, 0, MEDIA_JSON, TRANSFORM_NONE, false },
    { "application/*", MEDIA_ALLOW_OBJECTS, 0, MEDIA_JSON, TRANSFORM_NONE, false },
    { TABLE_ACCEPT, MEDIA_ALLOW_OBJECTS, 0, MEDIA_JSON, TRANSFORM_TABLE, false },
    { TABLE_ACCEPT, MEDIA_ALLOW_PARTIAL, 0, MEDIA_JSON, TRANSFORM_NONE, false },
    { "application/json;as=Table;v=v1beta1;g=meta.k8s.io", MEDIA_ALLOW_OBJECTS, 0, MEDIA_JSON,
      TRANSFORM_TABLE, true },
    { "application/json;as=Table;v=v1;g=meta.k8s.io", 0, -ERR_NOT_ACCEPTABLE, MEDIA_JSON,
      TRANSFORM_NONE, false },
    { "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", MEDIA_ALLOW_OBJECTS,
      -ERR_NOT_ACCEPTABLE, MEDIA_JSON, TRANSFORM_NONE, false },
    { "application/vnd.kubernetes.protobuf,application/json", MEDIA_ALLOW_OBJECTS, 0,
      MEDIA_PROTOBUF, TRANSFORM_NONE, false },
    { "application/vnd.kubernetes.protobuf,application/json", 0, 0, MEDIA_JSON, TRANSFORM_NONE,
      false },
    { "application/json;q=0.5, application/yaml;q=0.9", MEDIA_ALLOW_OBJECTS, 0, MEDIA_YAML,
      TRANSFORM_NONE, false },
    { "application/json;q=0, application/yaml", MEDIA_ALLOW_OBJECTS, 0, MEDIA_YAML, TRANSFORM_NONE,
      false },
    { "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
      MEDIA_ALLOW_OBJECTS, 0, MEDIA_PROTOBUF, TRANSFORM_PARTIAL_LIST, false },
    { "application/yaml;as=PartialObjectMetadata;g=meta.k8s.io;v=v1beta1", MEDIA_ALLOW_OBJECTS, 0,
      MEDIA_YAML, TRANSFORM_PARTIAL, true },
    /* A part of a transform is one that nobody serves. */
    { "application/json;v=v1", MEDIA_ALLOW_OBJECTS, -ERR_NOT_ACCEPTABLE, MEDIA_JSON, TRANSFORM_NONE,
      false },
    { "application/json;g=meta.k8s.io;v=v1;as=Table", MEDIA_ALLOW_PARTIAL, -ERR_NOT_ACCEPTABLE,
      MEDIA_JSON, TRANSFORM_NONE, false },
    /* The wildcard takes protobuf only where no type before it can be. */
    { "*/*;as=Table;v=v1;g=meta.k8s.io", MEDIA_ALLOW_OBJECTS, 0, MEDIA_JSON, TRANSFORM_TABLE,
      false },
    { "application/json;stream=watch", MEDIA_ALLOW_OBJECTS, 0, MEDIA_JSON, TRANSFORM_NONE, false },
    { "application/yaml;stream=watch", MEDIA_ALLOW_OBJECTS, -ERR_NOT_ACCEPTABLE, MEDIA_JSON,
      TRANSFORM_NONE, false },
    { "application/json;stream=other, application/yaml", MEDIA_ALLOW_OBJECTS, 0, MEDIA_YAML,
      TRANSFORM_NONE, false },
    { "application/json;sv=v2", MEDIA_ALLOW_OBJECTS, -ERR_NOT_ACCEPTABLE, MEDIA_JSON,
      TRANSFORM_NONE, false },
    { "application/json;charset=utf-8;x", MEDIA_ALLOW_OBJECTS, 0, MEDIA_JSON, TRANSFORM_NONE,
      false },
    /* q: a greater one first, but a named type before a wildcard; 0 is last, not refused. */
    { "*/*, application/yaml;q=0.1", MEDIA_ALLOW_OBJECTS, 0, MEDIA_YAML, TRANSFORM_NONE, false },
    { "application/*;q=0.9, application/yaml;q=0.1", MEDIA_ALLOW_OBJECTS, 0, MEDIA_YAML,
      TRANSFORM_NONE, false },
    { "application/json;q=0", MEDIA_ALLOW_OBJECTS, 0, MEDIA_JSON, TRANSFORM_NONE, false },
    { "application/json;as=Strange;v=v1;g=meta.k8s.io", MEDIA_ALLOW_OBJECTS, -ERR_NOT_ACCEPTABLE,
      MEDIA_JSON, TRANSFORM_NONE, false },
    { "text/html", MEDIA_ALLOW_OBJECTS, -ERR_NOT_ACCEPTABLE, MEDIA_JSON, TRANSFORM_NONE, false },
    { "text/html, */*;q=0.1", MEDIA_ALLOW_OBJECTS, 0, MEDIA_JSON, TRANSFORM_NONE, false },
    { ";;;,,,=", MEDIA_ALLOW_OBJECTS, -ERR_NOT_ACCEPTABLE, MEDIA_JSON, TRANSFORM_NONE, false },
};

static void test_accept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct accept_case *c = &cases[i];
        struct media m = { 0 };
        struct err e = { 0 };
        print_message("%s\n", c->accept);
        assert_int_equal(media_accept(str_from(c->accept), c->allow, &m, &e), c->rc);
        if (c->rc == 0) {
            assert_int_equal(m.type, c->type);
            assert_int_equal(m.transform, c->transform);
            assert_int_equal(m.v1beta1, c->v1beta1);
        } else {
            assert_string_equal(e.msg,
                                "only the following media types are accepted: application/json, "
                                "application/yaml, application/vnd.kubernetes.protobuf");
        }
    }
}

static void test_pretty(void **state)
{
    (void)state;
    struct media m = { 0 };
    struct err e = { 0 };
    assert_int_equal(
        media_accept(str_lit("application/json;pretty=1"), MEDIA_ALLOW_OBJECTS, &m, &e), 0);
    assert_true(m.pretty);
    assert_int_equal(
        media_accept(str_lit("application/json;pretty=true"), MEDIA_ALLOW_OBJECTS, &m, &e), 0);
    assert_false(m.pretty); /* upstream knows only 1 here */
    assert_true(media_pretty(str_lit("TRUE"), str_lit("")));
    assert_false(media_pretty(str_lit("yes"), str_lit("curl/8")));
    assert_true(media_pretty(str_lit(""), str_lit("curl/8")));
    assert_false(media_pretty(str_lit(""), str_lit("kubectl/v1.35")));
    assert_true(media_takes_gzip(str_lit("br , gzip,x")));
    assert_false(media_takes_gzip(str_lit("gzip;q=1, *")));
    assert_false(media_takes_gzip(str_lit("")));
    assert_int_equal(media_refused(true, &e), -ERR_NOT_ACCEPTABLE);
    assert_string_equal(e.msg, "only the following media types are accepted: "
                               "application/json;stream=watch, "
                               "application/vnd.kubernetes.protobuf;stream=watch");
}

static void test_content(void **state)
{
    (void)state;
    enum media_type type;
    struct err e = { 0 };
    assert_int_equal(media_content(str_lit(""), &type, &e), 0);
    assert_int_equal(type, MEDIA_JSON);
    assert_int_equal(media_content(str_lit("application/json; charset=utf-8"), &type, &e), 0);
    assert_int_equal(type, MEDIA_JSON);
    assert_int_equal(media_content(str_lit("Application/YAML"), &type, &e), 0);
    assert_int_equal(type, MEDIA_YAML);
    assert_int_equal(media_content(str_lit("application/vnd.kubernetes.protobuf"), &type, &e), 0);
    assert_int_equal(type, MEDIA_PROTOBUF);
    assert_int_equal(media_content(str_lit("text/plain"), &type, &e), -ERR_UNSUPPORTED_MEDIA_TYPE);
    assert_string_equal(e.msg,
                        "the body of the request was in an unknown format - accepted media types "
                        "include: application/json, application/yaml, "
                        "application/vnd.kubernetes.protobuf");
}

static void test_patch(void **state)
{
    (void)state;
    enum patch_type type;
    struct err e;
    assert_int_equal(media_patch(str_lit("application/json-patch+json"), &type, &e), 0);
    assert_int_equal(type, PATCH_JSON);
    assert_int_equal(media_patch(str_lit("application/merge-patch+json;x=y"), &type, &e), 0);
    assert_int_equal(type, PATCH_MERGE);
    assert_int_equal(media_patch(str_lit("application/strategic-merge-patch+json"), &type, &e), 0);
    assert_int_equal(type, PATCH_STRATEGIC);
    assert_int_equal(media_patch(str_lit("application/apply-patch+yaml"), &type, &e), 0);
    assert_int_equal(type, PATCH_APPLY);
    assert_int_equal(media_patch(str_lit("application/json"), &type, &e),
                     -ERR_UNSUPPORTED_MEDIA_TYPE);
}

static void test_order(void **state)
{
    (void)state;
    struct media_clause out[MEDIA_CLAUSES_MAX];
    assert_int_equal(media_clauses(str_lit("a/a;q=0.2,b/b,c/c;q=0.5,d/d"), out), 4);
    assert_true(str_eq_c(out[0].type, "b/b"));
    assert_true(str_eq_c(out[1].type, "d/d"));
    assert_true(str_eq_c(out[2].type, "c/c"));
    assert_true(str_eq_c(out[3].type, "a/a"));
    assert_string_equal(media_name(MEDIA_PROTOBUF, true),
                        "application/vnd.kubernetes.protobuf;stream=watch");
    assert_string_equal(media_name(MEDIA_JSON, true), "application/json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept),  cmocka_unit_test(test_pretty),
        cmocka_unit_test(test_content), cmocka_unit_test(test_patch),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
