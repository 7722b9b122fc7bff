/* Field errors: texts, reasons, the bound. */
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/buf.h"
#include "tests/unit/unit.h"

static void texts(void **state)
{
    (void)state;
    struct arena a;
    struct err_list l;
    struct buf b;
    arena_init(&a);
    buf_init(&b);
    err_list_init(&l, &a);
    err_list_add(&l, "spec.name", FIELD_REQUIRED, NULL);
    err_list_write(&l, &b);
    assert_true(str_eq_c(buf_str(&b), "spec.name: Required value"));
    buf_clear(&b);
    err_list_addf(&l, "spec.replicas", FIELD_INVALID, "%d: must be positive", -1);
    err_list_write(&l, &b);
    assert_true(str_eq_c(buf_str(&b), "[spec.name: Required value, spec.replicas: Invalid value: "
                                      "-1: must be positive]"));
    assert_string_equal(field_error_reason(l.entries[1].code), "FieldValueInvalid");
    assert_string_equal(l.entries[1].text, "Invalid value: -1: must be positive");
    buf_deinit(&b);
    arena_deinit(&a);
}

static void bound(void **state)
{
    (void)state;
    struct arena a;
    struct err_list l;
    arena_init(&a);
    err_list_init(&l, &a);
    assert_false(err_list_full(&l));
    assert_int_equal(l.dropped, 0);
    for (int i = 0; i < ERR_LIST_MAX + 5; i++)
        err_list_add(&l, "a", FIELD_FORBIDDEN, "x");
    assert_int_equal(l.count, ERR_LIST_MAX);
    assert_int_equal(l.dropped, 5);
    assert_true(err_list_full(&l));
    assert_int_equal(l.dropped, 6);
    arena_deinit(&a);
}

static void subtract(void **state)
{
    (void)state;
    struct arena a;
    struct err_list l;
    struct err_list old;
    arena_init(&a);
    err_list_init(&l, &a);
    err_list_init(&old, &a);
    err_list_add(&l, "a", FIELD_FORBIDDEN, "x");
    err_list_add(&l, "b", FIELD_FORBIDDEN, "x");
    err_list_add(&l, "a", FIELD_INVALID, "x");
    err_list_add(&old, "a", FIELD_FORBIDDEN, "x");
    err_list_add(&old, "b", FIELD_FORBIDDEN, "y");
    err_list_subtract(&l, &old);
    assert_int_equal(l.count, 2);
    assert_string_equal(l.entries[0].path, "b");
    assert_int_equal(l.entries[1].code, FIELD_INVALID);
    old.dropped = 1;
    err_list_add(&old, "b", FIELD_FORBIDDEN, "x");
    err_list_subtract(&l, &old);
    assert_int_equal(l.count, 2);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(texts), cmocka_unit_test(bound),
                                        cmocka_unit_test(subtract) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
