/* What Go's converter from maps says of trees that do not fit, and whole numbers. */
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/buf.h"
#include "tests/unit/unit.h"

static const struct json *parse(struct arena *a, const char *text)
{
    const struct json *j = NULL;
    if (json_parse(a, str_from(text), &j, NULL) != 0)
        fail_msg("%s", text);
    return j;
}

static void refused(void **state)
{
    static const struct {
        const char *json;
        const char *why;
    } cases[] = {
        { "{\"spec\":{\"replicas\":\"x\"}}", "unrecognized type: int32" },
        { "{\"spec\":{\"replicas\":1.5}}", "cannot convert float64 to int32" },
        { "{\"spec\":{\"replicas\":1e30}}", "cannot convert float64 to int32" },
        { "{\"spec\":{\"replicas\":{}}}", "unrecognized type: int32" },
        { "{\"spec\":3}", "cannot restore struct from: int64" },
        { "{\"spec\":[]}", "cannot restore struct from: slice" },
        { "{\"spec\":{\"template\":{\"spec\":{\"containers\":{}}}}}",
          "cannot restore slice from map" },
        { "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"image\":5}]}}}}",
          "cannot convert int64 to string" },
        { "{\"metadata\":{\"labels\":{\"a\":true}}}", "unrecognized type: string" },
        { "{\"metadata\":{\"labels\":\"x\"}}", "cannot restore map from string" },
        { "{\"metadata\":{\"deletionGracePeriodSeconds\":\"x\"}}", "unrecognized type: int64" },
        { "{\"spec\":{\"paused\":1}}", "unrecognized type: bool" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        struct str why = { 0 };
        const struct json *out;
        arena_init(&a);
        assert_false(schema_restore(&a, &schema_Deployment, parse(&a, cases[i].json), &out, &why));
        if (!str_eq_c(why, cases[i].why))
            fail_msg("%s: %.*s", cases[i].json, STR_ARG(why));
        arena_deinit(&a);
    }
}

static void restored(void **state)
{
    struct arena a;
    struct buf b;
    struct str why;
    const struct json *out;
    (void)state;
    arena_init(&a);
    buf_init(&b);
    const struct json *in =
        parse(&a, "{\"spec\":{\"replicas\":2.0,\"x\":1.5,\"selector\":null,\"template\":{\"spec\":{"
                  "\"containers\":[{\"ports\":[{\"containerPort\":8e1}]}]}}}}");
    assert_true(schema_restore(&a, &schema_Deployment, in, &out, &why));
    json_write(&b, out, false);
    assert_true(str_eq_c(buf_str(&b),
                         "{\"spec\":{\"replicas\":2,\"x\":1.5,\"selector\":null,\"template\":{"
                         "\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":80}]}]}}}}"));
    in = parse(&a, "{\"metadata\":{\"creationTimestamp\":\"x\"},\"spec\":{\"replicas\":2}}");
    assert_true(schema_restore(&a, &schema_Deployment, in, &out, &why));
    assert_ptr_equal(in, out);
    buf_deinit(&b);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(refused), cmocka_unit_test(restored) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
