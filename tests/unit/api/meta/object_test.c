/* One packed pod read back by scans, against what was put in. */
#include <string.h>

#include "api/meta/object.h"
#include "api/meta/peek.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

static struct str packed_pod(struct arena *a)
{
    static char name[] = "web";
    static char namespace[] = "default";
    static char uid[] = "u-1";
    static char app[] = "app";
    static char finalizer[] = "example.com/hold";
    static char node[] = "n1";
    static char owner_kind[] = "ReplicaSet";
    static char *finalizers[] = { finalizer };
    static ObjectMeta__LabelsEntry label = OBJECT_META__LABELS_ENTRY__INIT;
    static ObjectMeta__LabelsEntry *labels[] = { &label };
    static OwnerReference owner = OWNER_REFERENCE__INIT;
    static OwnerReference *owners[] = { &owner };
    static Time deleted = TIME__INIT;
    Pod pod = POD__INIT;
    ObjectMeta meta = OBJECT_META__INIT;
    PodSpec spec = POD_SPEC__INIT;
    label.key = app;
    label.value = name;
    owner.kind = owner_kind;
    owner.uid = uid;
    owner.has_controller = 1;
    owner.controller = 1;
    deleted.has_seconds = 1;
    deleted.seconds = 1700000000;
    meta.name = name;
    meta.namespace_ = namespace;
    meta.uid = uid;
    meta.has_generation = 1;
    meta.generation = 7;
    meta.labels = labels;
    meta.n_labels = 1;
    meta.finalizers = finalizers;
    meta.n_finalizers = 1;
    meta.owner_references = owners;
    meta.n_owner_references = 1;
    meta.deletion_timestamp = &deleted;
    spec.node_name = node;
    pod.metadata = &meta;
    pod.spec = &spec;
    size_t len = protobuf_c_message_get_packed_size(&pod.base);
    uint8_t *bytes = arena_alloc(a, len);
    (void)protobuf_c_message_pack(&pod.base, bytes);
    return str_of(bytes, len);
}

static void test_scan(void **state)
{
    struct arena a;
    struct object_meta m;
    struct str value;
    struct object_owner owner;
    size_t at = 0;
    (void)state;
    arena_init(&a);
    struct str payload = packed_pod(&a);
    object_meta_scan(payload, &m);
    assert_true(str_eq_c(m.name, "web"));
    assert_true(str_eq_c(m.namespace, "default"));
    assert_true(str_eq_c(m.uid, "u-1"));
    assert_int_equal(m.generation, 7);
    assert_true(m.deleting);
    assert_int_equal(m.deletion_seconds, 1700000000);
    assert_false(m.has_deletion_grace);
    assert_int_equal(m.finalizers_count, 1);
    assert_true(object_meta_finalizer(&m, &at, &value));
    assert_true(str_eq_c(value, "example.com/hold"));
    assert_false(object_meta_finalizer(&m, &at, &value));
    assert_true(object_meta_label(&m, str_lit("app"), &value));
    assert_true(str_eq_c(value, "web"));
    assert_false(object_meta_label(&m, str_lit("ap"), &value));
    assert_false(object_meta_annotation(&m, str_lit("app"), &value));
    assert_true(object_meta_controller(&m, &owner));
    assert_true(str_eq_c(owner.kind, "ReplicaSet"));
    assert_true(str_eq_c(owner.uid, "u-1"));
    static const uint8_t node_name[] = { 2, 10, 0 };
    assert_true(str_eq_c(peek_string(payload, node_name), "n1"));
    arena_deinit(&a);
}

static void test_identity(void **state)
{
    struct arena a;
    struct object_meta m;
    struct str value;
    struct object_owner owner;
    struct buf b;
    (void)state;
    arena_init(&a);
    buf_init(&b);
    object_put_identity(&b, packed_pod(&a));
    object_meta_scan(buf_str(&b), &m);
    assert_true(str_eq_c(m.name, "web"));
    assert_true(str_eq_c(m.namespace, "default"));
    assert_true(str_eq_c(m.uid, "u-1"));
    assert_true(m.deleting);
    assert_int_equal(m.finalizers_count, 1);
    assert_true(object_meta_controller(&m, &owner));
    assert_false(object_meta_label(&m, str_lit("app"), &value));
    static const uint8_t node_name[] = { 2, 10, 0 };
    assert_int_equal(peek_string(buf_str(&b), node_name).len, 0);
    buf_clear(&b);
    object_put_identity(&b, str_lit(""));
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
    arena_deinit(&a);
}

/* Every cut of the bytes is read without a fault and without inventing a name. */
static void test_truncated(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a);
    struct str payload = packed_pod(&a);
    for (size_t len = 0; len < payload.len; len++) {
        char *copy = mem_dup(payload.data, len + 1);
        struct object_meta m;
        object_meta_scan(str_of(copy, len), &m);
        assert_true(m.name.len == 0 || str_eq_c(m.name, "web"));
        mem_free(copy);
    }
    arena_deinit(&a);
}

static void test_header_and_count(void **state)
{
    struct buf b;
    struct str payload;
    struct err e = { 0 };
    (void)state;
    buf_init(&b);
    object_put_header(&b);
    buf_append_c(&b, "xyz");
    assert_int_equal(object_payload(buf_str(&b), &payload, &e), 0);
    assert_true(str_eq_c(payload, "xyz"));
    struct object *o = object_new(str_lit("pods/a/b"), 9, buf_str(&b));
    assert_ptr_equal(object_ref(o), o);
    object_unref(o);
    assert_true(str_eq_c(object_key(o), "pods/a/b"));
    assert_true(str_eq(object_value(o), buf_str(&b)));
    assert_int_equal(object_revision(o), 9);
    object_unref(o);
    b.data[1] = 99;
    assert_int_equal(object_payload(buf_str(&b), &payload, &e), -ERR_CORRUPT);
    assert_int_equal(object_payload(str_lit("x"), &payload, &e), -ERR_CORRUPT);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_scan),
                                        cmocka_unit_test(test_identity),
                                        cmocka_unit_test(test_truncated),
                                        cmocka_unit_test(test_header_and_count) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
