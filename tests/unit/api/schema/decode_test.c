/* Objects, lists, maps; unknown and duplicate fields; upstream's texts. */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static int decode(struct arena *a, const char *text, enum schema_strictness strictness, Pod **out,
                  struct schema_warnings *warnings, struct err *e)
{
    const struct json *j;
    void *message = NULL;
    assert_int_equal(json_parse(a, str_from(text), &j, e), 0);
    int rc = schema_decode(a, &schema_Pod, j, strictness, &message, warnings, e);
    *out = message;
    return rc;
}

static void fields_land_in_the_struct(void **state)
{
    (void)state;
    struct arena a;
    struct err e = { 0 };
    Pod *pod;
    arena_init(&a);
    assert_int_equal(
        decode(
            &a,
            "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"labels\":{\"b\":\"2\",\"a\":"
            "\"1\"},"
            "\"name\":\"x\",\"creationTimestamp\":null},\"spec\":{\"volumes\":[{\"name\":\"v\","
            "\"hostPath\":{\"path\":\"/p\"}}],\"hostIPC\":true,\"terminationGracePeriodSeconds\":0,"
            "\"containers\":[{\"name\":\"c\",\"args\":[]},null]}}",
            SCHEMA_STRICT, &pod, NULL, &e),
        0);
    assert_string_equal(pod->metadata->name, "x");
    assert_int_equal(pod->metadata->n_labels, 2);
    assert_string_equal(pod->metadata->labels[0]->key, "a");
    assert_null(pod->metadata->creation_timestamp);
    assert_string_equal(pod->spec->volumes[0]->volume_source->host_path->path, "/p");
    assert_true(pod->spec->host_ipc);
    assert_true(pod->spec->has_termination_grace_period_seconds);
    assert_int_equal(pod->spec->n_containers, 2);
    assert_null(pod->spec->containers[1]->name);
    assert_null(pod->status);
    arena_deinit(&a);
}

static const char odd[] = "{\"spec\":{\"foo\":1,\"nodeName\":\"a\",\"containers\":[{\"name\":\"x\","
                          "\"bar\":[]}],\"nodeName\":\"b\"},\"metadata\":{\"labels\":{\"k\":\"1\","
                          "\"k\":\"2\"}},\"Kind\":\"x\"}";

static void unknown_and_duplicate_fields_are_reported(void **state)
{
    (void)state;
    static const char *const want[] = { "unknown field \"spec.foo\"",
                                        "unknown field \"spec.containers[0].bar\"",
                                        "duplicate field \"spec.nodeName\"",
                                        "duplicate field \"metadata.labels.k\"",
                                        "unknown field \"Kind\"" };
    struct arena a;
    struct err e = { 0 };
    struct schema_warnings w;
    Pod *pod;
    arena_init(&a);
    assert_int_equal(decode(&a, odd, SCHEMA_WARN, &pod, &w, &e), 0);
    assert_int_equal(w.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(w.texts[i], want[i]);
    assert_string_equal(pod->spec->node_name, "b");
    assert_string_equal(pod->metadata->labels[0]->value, "2");
    assert_int_equal(pod->metadata->n_labels, 1);
    assert_int_equal(decode(&a, odd, SCHEMA_IGNORE, &pod, &w, &e), 0);
    assert_int_equal(w.count, 0);
    assert_int_equal(decode(&a, odd, SCHEMA_STRICT, &pod, NULL, &e), -ERR_INVALID_ARGUMENT);
    assert_ptr_equal(strstr(e.msg, "strict decoding error: unknown field \"spec.foo\", unknown"),
                     e.msg);
    arena_deinit(&a);
}

/* What is said once is looked for each time it comes again: only so often. */
static void fields_that_are_told_are_counted(void **state)
{
    (void)state;
    struct arena a;
    struct err e = { 0 };
    struct schema_warnings w;
    struct buf b;
    Pod *pod;
    arena_init(&a);
    buf_init(&b);
    buf_append_c(&b, "{\"a\":1,\"b\":1");
    for (size_t i = 0; i < 10000; i++)
        buf_append_c(&b, ",\"a\":1");
    buf_append_c(&b, ",\"c\":1}");
    const char *text = str_dup(&a, buf_str(&b));
    buf_deinit(&b);
    assert_int_equal(decode(&a, text, SCHEMA_WARN, &pod, &w, &e), 0);
    assert_int_equal(w.count, 2);
    assert_string_equal(w.texts[1], "unknown field \"b\"");
    arena_deinit(&a);
}

static void wrong_types_read_as_in_go(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *want;
    } cases[] = {
        { "{\"spec\":{\"priority\":\"x\"}}", "json: cannot unmarshal string into Go struct field "
                                             "PodSpec.spec.priority of type int32" },
        { "{\"spec\":{\"priority\":1.5}}", "json: cannot unmarshal number 1.5 into Go struct field "
                                           "PodSpec.spec.priority of type int32" },
        { "{\"spec\":\"x\"}",
          "json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec" },
        { "{\"spec\":{\"containers\":{}}}",
          "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type "
          "[]v1.Container" },
        { "{\"spec\":{\"containers\":[{\"image\":1}]}}",
          "json: cannot unmarshal number into Go struct field Container.spec.containers.image of "
          "type string" },
        { "{\"metadata\":{\"labels\":{\"a\":1}}}",
          "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type "
          "string" },
        { "{\"metadata\":{\"labels\":[]}}",
          "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type "
          "map[string]string" },
        { "[]", "json: cannot unmarshal array into Go value of type v1.Pod" },
        { "{\"metadata\":{\"name\":\"a\\u0000b\"}}",
          "metadata.name: a string may not contain NUL" }
    };
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err e = { 0 };
        Pod *pod;
        assert_int_equal(decode(&a, cases[i].text, SCHEMA_IGNORE, &pod, NULL, &e),
                         -ERR_INVALID_ARGUMENT);
        assert_string_equal(e.msg, cases[i].want);
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(fields_land_in_the_struct),
                                        cmocka_unit_test(unknown_and_duplicate_fields_are_reported),
                                        cmocka_unit_test(fields_that_are_told_are_counted),
                                        cmocka_unit_test(wrong_types_read_as_in_go) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
