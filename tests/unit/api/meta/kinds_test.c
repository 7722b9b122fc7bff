/* The rows of the table agree with each other and with the schemas. */
#include <stdio.h>
#include <string.h>

#include "api/meta/kinds.h"
#include "api/schema/schema.h"
#include "tests/unit/unit.h"

static void test_rows_agree(void **state)
{
    (void)state;
    for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
        const struct kind_info *i = kind_info(k);
        char text[128];
        assert_int_equal(i->kind, k);
        assert_string_equal(schema_kind(i->schema), i->name);
        assert_string_equal(i->schema->api_version, kind_api_version(k));
        assert_int_equal(i->list_schema != NULL, i->list_name[0] != '\0');
        if (i->list_schema != NULL)
            assert_string_equal(schema_kind(i->list_schema), i->list_name);
        (void)snprintf(text, sizeof(text), "%s%s%s", i->group, i->group[0] ? "/" : "", i->version);
        assert_string_equal(kind_api_version(k), text);
        (void)snprintf(text, sizeof(text), "%s%s%s", i->name, i->group[0] ? "." : "", i->group);
        assert_string_equal(kind_name_group(k), text);
        assert_ptr_equal(kind_by_type(str_from(kind_api_version(k)), str_from(i->name)), i);
        if (i->plural[0] == '\0')
            continue;
        (void)snprintf(text, sizeof(text), "%s%s%s", i->plural, i->group[0] ? "." : "", i->group);
        assert_string_equal(kind_resource_group(k), text);
        assert_ptr_equal(
            kind_by_resource(str_from(i->group), str_from(i->version), str_from(i->plural)), i);
    }
}

static void test_stores(void **state)
{
    (void)state;
    assert_int_equal(kind_store(KIND_POD), KIND_POD);
    assert_int_equal(kind_store(KIND_EVENTS_EVENT), KIND_EVENT);
    assert_int_equal(kind_store(KIND_SCALE), KIND_NONE);
    for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++)
        assert_true(!kind_info(k)->stored || kind_store(k) == k);
}

static void test_unknown(void **state)
{
    (void)state;
    assert_null(kind_by_resource(str_lit("apps"), str_lit("v1"), str_lit("pods")));
    assert_null(kind_by_resource(str_lit(""), str_lit("v2"), str_lit("pods")));
    assert_null(kind_by_resource(str_lit(""), str_lit("v1"), str_lit("")));
    assert_null(kind_by_type(str_lit("v1"), str_lit("Deployment")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows_agree),
                                        cmocka_unit_test(test_stores),
                                        cmocka_unit_test(test_unknown) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
