/* Presence and equality of structs against their JSON, for random messages of every schema. */
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/view.h"
#include "base/arena.h"
#include "base/err.h"
#include "tests/unit/api/schema/random_struct.h"
#include "tests/unit/unit.h"

#define ROUNDS 20

static const struct json *tree_of(struct arena *a, const struct schema *s, const void *message)
{
    const struct json *j = NULL;
    struct err e = { 0 };
    if (schema_to_dom(a, s, schema_pack_arena(a, s, message), NULL, &j, &e) != 0)
        fail_msg("%s: %s", s->name, e.msg);
    return j;
}

/* Each field is there, null or absent as in the JSON; strings, numbers and map keys are the same.
 */
static void check_fields(struct arena *a, const struct schema *s, const void *message)
{
    const struct json *tree = tree_of(a, s, message);
    assert_int_equal(schema_view_members(s, message), tree->count > 0);
    for (size_t i = 0; i < s->name_count; i++) {
        const struct schema_name *n = &s->names[i];
        const struct json *j = json_get(tree, n->name);
        const struct schema_view v = schema_view_field(n->field, n->via, message);
        /* Raw JSON and strings lists without anything print null although they are there. */
        uint8_t want = j == NULL ? SCHEMA_ABSENT : j->type == JSON_NULL ? SCHEMA_NULL : v.presence;
        struct json scalar;
        if (v.presence != want && !(v.presence == SCHEMA_PRESENT && want == SCHEMA_NULL))
            fail_msg("%s.%.*s: presence %d, not %d", s->name, STR_ARG(n->name), v.presence, want);
        if (v.presence == SCHEMA_ABSENT)
            assert_null(j);
        if (v.presence != SCHEMA_PRESENT)
            continue;
        if (n->field->card == SCHEMA_ONE && schema_view_scalar(n->field, v.at, &scalar))
            assert_true(json_equal(&scalar, j));
        if (n->field->card == SCHEMA_LIST)
            assert_int_equal(v.count, j->count);
        if (n->field->card == SCHEMA_MAP) {
            struct schema_entries entries = schema_view_entries(a, n->field, &v);
            assert_int_equal(entries.count, j->count);
            for (size_t k = 0; k < entries.count; k++)
                assert_true(str_eq(entries.at[k].key, j->u.members[k].key));
        }
    }
}

static void check_same(struct arena *a, const struct schema *s, const void *x, const void *y)
{
    const struct json *left = tree_of(a, s, x);
    const struct json *right = tree_of(a, s, y);
    for (size_t i = 0; i < s->name_count; i++) {
        const struct schema_name *n = &s->names[i];
        const struct json *j = json_get(left, n->name);
        const struct json *k = json_get(right, n->name);
        const struct schema_view v = schema_view_field(n->field, n->via, x);
        const struct schema_view w = schema_view_field(n->field, n->via, y);
        bool want = (j == NULL && k == NULL) || json_equal(j, k);
        if (schema_view_same(a, n->field, &v, &w) != want)
            fail_msg("%s.%.*s: same is not %d", s->name, STR_ARG(n->name), want);
    }
}

static void test_random(void **state)
{
    struct random r = { .state = 3 };
    (void)state;
    for (size_t i = 0; i < schema_all_count; i++) {
        const struct schema *s = schema_all[i];
        if (s->form != SCHEMA_FORM_OBJECT)
            continue;
        for (unsigned round = 0; round < ROUNDS; round++) {
            struct arena a;
            arena_init(&a);
            const void *x = random_struct(&a, s, &r);
            check_fields(&a, s, x);
            check_fields(&a, s, schema_new(&a, s));
            check_same(&a, s, x, schema_copy(&a, s, x));
            check_same(&a, s, x, random_struct(&a, s, &r));
            arena_deinit(&a);
        }
    }
}

/* What decoders never make: equal keys, and raw JSON in another order. */
static void test_entries(void **state)
{
    struct arena a;
    ObjectMeta__LabelsEntry one = OBJECT_META__LABELS_ENTRY__INIT;
    ObjectMeta__LabelsEntry two = OBJECT_META__LABELS_ENTRY__INIT;
    ObjectMeta__LabelsEntry three = OBJECT_META__LABELS_ENTRY__INIT;
    ObjectMeta__LabelsEntry *labels[] = { &one, &two, &three };
    ObjectMeta meta = OBJECT_META__INIT;
    const struct schema_name *n = schema_find_name(&schema_ObjectMeta, str_lit("labels"));
    struct json value;
    (void)state;
    arena_init(&a);
    one.key = "k";
    one.value = "first";
    two.key = "a";
    two.value = "other";
    three.key = "k";
    three.value = "last";
    meta.labels = labels;
    meta.n_labels = 3;
    const struct schema_view v = schema_view_field(n->field, n->via, &meta);
    struct schema_entries entries = schema_view_entries(&a, n->field, &v);
    assert_int_equal(entries.count, 2);
    assert_true(str_eq_c(entries.at[0].key, "a"));
    assert_true(schema_view_scalar(n->field, entries.at[1].at, &value));
    assert_true(str_eq_c(json_str(&value), "last"));
    arena_deinit(&a);
}

static void test_raw(void **state)
{
    struct arena a;
    FieldsV1 x = FIELDS_V1__INIT;
    FieldsV1 y = FIELDS_V1__INIT;
    ManagedFieldsEntry one = MANAGED_FIELDS_ENTRY__INIT;
    ManagedFieldsEntry two = MANAGED_FIELDS_ENTRY__INIT;
    const struct schema_name *n = schema_find_name(&schema_ManagedFieldsEntry, str_lit("fieldsV1"));
    (void)state;
    arena_init(&a);
    one.fields_v1 = &x;
    two.fields_v1 = &y;
    x.has_raw = y.has_raw = 1;
    x.raw = (ProtobufCBinaryData){ .len = 13, .data = (uint8_t *)"{\"a\":1,\"b\":2}" };
    y.raw = (ProtobufCBinaryData){ .len = 14, .data = (uint8_t *)"{\"b\":2, \"a\":1}" };
    const struct schema_view v = schema_view_field(n->field, n->via, &one);
    const struct schema_view w = schema_view_field(n->field, n->via, &two);
    assert_true(schema_view_same(&a, n->field, &v, &w));
    y.raw.data = (uint8_t *)"{\"b\":2, \"a\":2}";
    assert_false(schema_view_same(&a, n->field, &v, &w));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random),
                                        cmocka_unit_test(test_entries),
                                        cmocka_unit_test(test_raw) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
