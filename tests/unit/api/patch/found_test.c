/* What is found of places goes to the set of its kind, and to no other. */
#include "api/patch/found.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

static struct field_element named(const char *name)
{
    return (struct field_element){ .type = FIELD_NAME, .name = str_from(name) };
}

static void test_each_kind_has_its_set(void **state)
{
    const struct field_element x = named("x");
    const struct field_element y = named("y");
    const struct found added = { .self = { [ADDED] = true } };
    const struct found both = { .self = { [MODIFIED] = true, [REMOVED] = true } };
    const struct found nothing = { 0 };
    struct field_builder b[CHANGES] = { 0 };
    struct found inner = { 0 };
    struct found outer = { 0 };
    struct arena a;

    (void)state; /* no shared fixture */
    arena_init(&a);
    found_add(&a, b, &x, &added);
    found_add(&a, b, &y, &both);
    found_finish(&a, b, &inner);
    assert_int_equal(inner.below[ADDED].count, 1);
    assert_non_null(field_set_find(&inner.below[ADDED], &x));
    assert_non_null(field_set_find(&inner.below[MODIFIED], &y));
    assert_non_null(field_set_find(&inner.below[REMOVED], &y));
    assert_null(field_set_find(&inner.below[REMOVED], &x));
    /* One level up: what lies below comes along, what has nothing does not. */
    struct field_builder above[CHANGES] = { 0 };
    found_add(&a, above, &x, &inner);
    found_add(&a, above, &y, &nothing);
    found_finish(&a, above, &outer);
    for (int i = 0; i < CHANGES; i++) {
        assert_int_equal(outer.below[i].count, 1);
        assert_true(field_set_equal(&outer.below[i].nodes[0].below, &inner.below[i]));
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_each_kind_has_its_set) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
