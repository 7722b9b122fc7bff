/* Texts and encodings of Status. */
#include "api/meta/kinds.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/apiserver/status.h"
#include "tests/unit/unit.h"

static void expect(struct arena *a, const struct status *s, const char *want)
{
    struct buf b;
    buf_init(&b);
    status_encode(a, s, MEDIA_JSON, &b);
    if (!str_eq_c(buf_str(&b), want)) {
        fail_msg("%.*snot %s", STR_ARG(buf_str(&b)), want);
    }
    buf_deinit(&b);
}

#define HEAD "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","

static void test_texts(void **state)
{
    (void)state;
    struct arena a;
    struct status s = { 0 };
    struct err e = { 0 };
    const struct kind_info *d = kind_info(KIND_DEPLOYMENT);
    arena_init(&a);
    assert_int_equal(status_not_found(&a, &s, d, str_lit("web")), -ERR_NOT_FOUND);
    expect(&a, &s,
           HEAD "\"message\":\"deployments.apps \\\"web\\\" not found\",\"reason\":\"NotFound\","
                "\"details\":{\"name\":\"web\",\"group\":\"apps\",\"kind\":\"deployments\"},"
                "\"code\":404}\n");
    assert_int_equal(status_no_route(&s), -ERR_NOT_FOUND);
    expect(&a, &s,
           HEAD "\"message\":\"the server could not find the requested resource\",\"reason\":"
                "\"NotFound\",\"details\":{},\"code\":404}\n");
    assert_int_equal(status_no_method(&s), -ERR_METHOD_NOT_ALLOWED);
    expect(&a, &s,
           HEAD "\"message\":\"the server does not allow this method on the requested resource\","
                "\"reason\":\"MethodNotAllowed\",\"details\":{},\"code\":405}\n");
    assert_int_equal(status_rv_too_large(&a, &s, 9, 5), -ERR_TIMEOUT);
    expect(
        &a, &s,
        HEAD
        "\"message\":\"Timeout: Too large resource version: 9, current: 5\",\"reason\":\"Timeout\","
        "\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\",\"message\":"
        "\"Too large resource version\"}],\"retryAfterSeconds\":1},\"code\":504}\n");
    assert_int_equal(status_rv_too_old(&a, &s, 5, 100), -ERR_EXPIRED);
    expect(&a, &s,
           HEAD "\"message\":\"too old resource version: 5 (100)\",\"reason\":\"Expired\","
                "\"code\":410}\n");
    (void)status_from_err(&a, &s, err_set(&e, ERR_UNAUTHENTICATED, "Unauthorized"), &e);
    expect(&a, &s, HEAD "\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401}\n");
    (void)status_from_err(&a, &s, err_set(&e, ERR_NO_SPACE, "store quota exceeded"), &e);
    expect(&a, &s,
           HEAD "\"message\":\"store quota exceeded\",\"reason\":\"InternalError\","
                "\"code\":507}\n");
    (void)status_internal(&a, &s, str_lit("broken"));
    expect(&a, &s,
           HEAD "\"message\":\"Internal error occurred: broken\",\"reason\":\"InternalError\","
                "\"details\":{\"causes\":[{\"message\":\"broken\"}]},\"code\":500}\n");
    (void)status_too_many_requests(&s);
    expect(&a, &s,
           HEAD "\"message\":\"Too many requests, please try again later.\",\"reason\":"
                "\"TooManyRequests\",\"details\":{\"retryAfterSeconds\":1},\"code\":429}\n");
    (void)status_not_supported(&a, &s, kind_info(KIND_POD), "create");
    expect(&a, &s,
           HEAD "\"message\":\"create is not supported on resources of kind \\\"pods\\\"\","
                "\"reason\":\"MethodNotAllowed\",\"details\":{\"kind\":\"pods\"},\"code\":405}\n");
    (void)status_forbidden(&a, &s, kind_info(KIND_POD), str_lit("p"), str_lit("no"));
    expect(&a, &s,
           HEAD "\"message\":\"pods \\\"p\\\" is forbidden: no\",\"reason\":\"Forbidden\","
                "\"details\":{\"name\":\"p\",\"kind\":\"pods\"},\"code\":403}\n");
    arena_deinit(&a);
}

static void test_invalid(void **state)
{
    (void)state;
    struct arena a;
    struct status s = { 0 };
    struct err_list list;
    arena_init(&a);
    err_list_init(&list, &a);
    err_list_add(&list, "spec.a", FIELD_REQUIRED, NULL);
    err_list_add(&list, "spec.b", FIELD_INVALID, "-1: too small");
    assert_int_equal(status_invalid(&a, &s, kind_info(KIND_DEPLOYMENT), str_lit("w"), &list),
                     -ERR_INVALID);
    expect(&a, &s,
           HEAD "\"message\":\"Deployment.apps \\\"w\\\" is invalid: [spec.a: Required value, "
                "spec.b: Invalid value: -1: too small]\",\"reason\":\"Invalid\",\"details\":{"
                "\"name\":\"w\",\"group\":\"apps\",\"kind\":\"Deployment\",\"causes\":[{\"reason\":"
                "\"FieldValueRequired\",\"message\":\"Required value\",\"field\":\"spec.a\"},{"
                "\"reason\":\"FieldValueInvalid\",\"message\":\"Invalid value: -1: too small\","
                "\"field\":\"spec.b\"}]},\"code\":422}\n");
    arena_deinit(&a);
}

static void test_protobuf(void **state)
{
    (void)state;
    struct arena a;
    struct status s = { 0 };
    struct envelope envelope;
    struct buf b;
    struct err e;
    arena_init(&a);
    buf_init(&b);
    status_success(&s, kind_info(KIND_POD), str_lit("p"), str_lit("u"));
    status_encode(&a, &s, MEDIA_PROTOBUF, &b);
    assert_int_equal(envelope_open(buf_str(&b), &envelope, &e), 0);
    assert_true(str_eq_c(envelope.kind, "Status"));
    assert_true(str_find(envelope.raw, str_lit("Success")) > 0);
    buf_deinit(&b);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_protobuf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
