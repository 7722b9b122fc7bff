/* The table agrees with itself, and every stored kind is served. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

static void test_rows(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
        const struct resource *r = resource_of(k);
        if (!kind_info(k)->stored)
            continue;
        assert_non_null(r);
        assert_non_null(r->strategy);
        assert_non_null(r->name);
        assert_true(r->columns_count > 0 && r->columns_count <= TABLE_COLUMNS_MAX);
        assert_true(str_eq_c(str_from(kind_info(k)->plural), "events") ||
                    str_eq_c(str_from(r->columns[0].name), "Name"));
        assert_int_equal((r->subresources & SUBRESOURCE_STATUS) != 0,
                         r->strategy->prepare_status != NULL);
        assert_int_equal(r->generation_tracked, r->strategy->generation_changed != NULL);
    }
    assert_null(resource_of(KIND_SCALE));
    for (size_t i = 0; i < resource_count(); i++)
        assert_ptr_equal(resource_of(resource_at(i)->kind), resource_at(i));
    fixture_deinit(&f);
}

/* An empty object of every kind passes through every hook without a fault, and is refused. */
static void test_empty_objects(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < resource_count(); i++) {
        const struct resource *r = resource_at(i);
        assert_string_not_equal(fixture_create_errors(&f, r->kind, "{}"), "");
        assert_string_not_equal(fixture_update_errors(&f, r->kind, "{}", "{}"), "");
        void *object = fixture_object(&f, r->kind, "{}");
        resource_prepare_status(r, &f.context, object, fixture_object(&f, r->kind, "{}"));
        if (r->cells != NULL)
            assert_string_not_equal(fixture_cells(&f, r->kind, "{}"), "");
    }
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows),
                                        cmocka_unit_test(test_empty_objects) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
