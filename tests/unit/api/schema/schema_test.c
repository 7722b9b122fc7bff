/* The tables: lookup, and what the generator must have taken over from the markers. */
#include <string.h>

#include "api/proto/schemas.h"
#include "api/schema/schema.h"
#include "tests/unit/unit.h"

static void lookups(void **state)
{
    (void)state;
    const struct schema_field *f = schema_find_field(&schema_PodSpec, str_lit("containers"));
    assert_non_null(f);
    assert_int_equal(f->number, 2);
    assert_int_equal(f->card, SCHEMA_LIST);
    assert_int_equal(f->list_type, SCHEMA_LIST_MAP);
    assert_string_equal(f->merge_key, "name");
    assert_string_equal(f->list_keys[0], "name");
    assert_null(f->list_keys[1]);
    assert_ptr_equal(f->message, &schema_Container);
    assert_ptr_equal(schema_field_by_number(&schema_PodSpec, 2), f);
    assert_null(schema_find_field(&schema_PodSpec, str_lit("Containers")));
    assert_null(schema_field_by_number(&schema_PodSpec, 0));
    assert_null(schema_field_by_number(&schema_PodSpec, 100000));
    const struct schema_name *inlined = schema_find_name(&schema_Volume, str_lit("hostPath"));
    assert_non_null(inlined->via);
    assert_ptr_equal(inlined->via->message, &schema_VolumeSource);
    const struct schema_field *ports = schema_find_field(&schema_Container, str_lit("ports"));
    assert_string_equal(ports->merge_key, "containerPort");
    assert_string_equal(ports->list_keys[1], "protocol");
}

static void tables_are_consistent(void **state)
{
    (void)state;
    for (size_t i = 0; i < schema_all_count; i++) {
        const struct schema *s = schema_all[i];
        assert_true(i == 0 || strcmp(schema_all[i - 1]->name, s->name) < 0);
        assert_true(s->field_count <= SCHEMA_FIELDS_MAX);
        assert_int_equal(s->pb->n_fields, s->field_count);
        for (size_t k = 0; k < s->field_count; k++) {
            const struct schema_field *f = &s->fields[k];
            const ProtobufCFieldDescriptor *pb =
                protobuf_c_message_descriptor_get_field(s->pb, f->number);
            assert_non_null(pb);
            assert_int_equal(pb->offset, f->offset);
            assert_true(k == 0 ||
                        s->fields[s->by_number[k - 1]].number < s->fields[s->by_number[k]].number);
            assert_ptr_equal(schema_field_by_number(s, f->number), f);
        }
        for (size_t k = 0; k < s->name_count; k++)
            assert_ptr_equal(schema_find_name(s, s->names[k].name), &s->names[k]);
    }
    assert_null(schema_all[schema_all_count]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lookups),
                                        cmocka_unit_test(tables_are_consistent) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
