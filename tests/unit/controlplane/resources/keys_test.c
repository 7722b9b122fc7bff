/* Keys of items: what came before, and where something is. */
#include <stdio.h>

#include "base/arena.h"
#include "controlplane/resources/keys.h"
#include "tests/unit/unit.h"

static void test_repeated(void **state)
{
    static const struct key given[] = {
        { .text = "b" }, { .text = NULL }, { .text = "b", .more = "x" },
        { .text = "b" }, { .text = "" },   { .text = "b", .number = 1 },
        { .text = "b" }, { .text = "a" }
    };
    static const bool want[] = { false, false, false, true, true, false, true, false };
    struct arena a;
    (void)state;
    arena_init(&a);
    struct keys k = keys_new(&a, sizeof(given) / sizeof(given[0]));
    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
        keys_add(&k, given[i]);
    keys_sort(&k);
    for (size_t i = 0; i < k.count; i++)
        assert_int_equal(keys_repeated(&k, i), want[i]);
    assert_int_equal(keys_find(&k, (struct key){ .text = "b" }), 0);
    assert_int_equal(keys_find(&k, (struct key){ .text = "b", .more = "x" }), 2);
    assert_int_equal(keys_find(&k, (struct key){ .text = "b", .number = 1 }), 5);
    assert_int_equal(keys_find(&k, (struct key){ .text = "b", .number = 2 }), -1);
    assert_int_equal(keys_find(&k, (struct key){ .text = "" }), 1);
    assert_true(keys_have(&k, "a"));
    assert_false(keys_have(&k, "c"));
    arena_deinit(&a);
}

static void test_none(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a);
    struct keys k = keys_new(&a, 0);
    keys_sort(&k);
    assert_false(keys_have(&k, ""));
    assert_int_equal(a.used, 0);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_repeated),
                                        cmocka_unit_test(test_none) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
