/* Arenas: alignment, zeroing, reset, growth, the limit. */
#include <string.h>

#include "base/arena.h"
#include "tests/unit/unit.h"

static void test_allocations_are_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 1000, 5000, 70000, 3, 0, 64, 200000, 8 };
    for (int round = 0; round < 3; round++) {
        uint8_t *before = NULL;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            uint8_t *p = arena_alloc(&a, sizes[i]);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 16, 0);
            assert_ptr_not_equal(p, before);
            for (size_t k = 0; k < sizes[i]; k++)
                assert_int_equal(p[k], 0);
            memset(p, 0xEE, sizes[i]);
            before = p;
        }
        arena_reset(&a);
        assert_int_equal(a.used, 0);
    }
    arena_deinit(&a);
}

static void test_reset_keeps_memory_within_bounds(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    void *first = arena_alloc(&a, 100);
    arena_reset(&a);
    assert_ptr_equal(arena_alloc(&a, 100), first); /* the block was kept */
    (void)arena_alloc(&a, ARENA_KEEP_BYTES * 4);
    arena_reset(&a);
    assert_non_null(a.head);
    arena_deinit(&a);
    assert_null(a.head);
}

static void test_limit_is_reported_not_enforced(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    assert_false(arena_over_limit(&a));
    a.limit = 100;
    (void)arena_alloc(&a, 64);
    assert_false(arena_over_limit(&a));
    assert_non_null(arena_alloc(&a, 64));
    assert_true(arena_over_limit(&a));
    arena_reset(&a);
    assert_false(arena_over_limit(&a));
    arena_deinit(&a);
}

static void test_grow_keeps_what_was_there(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    int *numbers = NULL;
    size_t count = 0;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        numbers = arena_grow(&a, numbers, count, &capacity, sizeof(*numbers));
        numbers[count++] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], i);
    assert_in_range(capacity, 1000, 2000);
    arena_deinit(&a);
}

static void test_copies(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    assert_memory_equal(arena_copy(&a, "abc", 3), "abc", 3);
    assert_non_null(arena_copy(&a, NULL, 0));
    char *s = mem_strdup("hello");
    assert_string_equal(s, "hello");
    s = mem_realloc(s, 100);
    assert_string_equal(s, "hello");
    mem_free(s);
    void *none = mem_dup(NULL, 0);
    assert_non_null(none);
    mem_free(none);
    mem_free(NULL);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations_are_aligned_zeroed_and_apart),
        cmocka_unit_test(test_reset_keeps_memory_within_bounds),
        cmocka_unit_test(test_limit_is_reported_not_enforced),
        cmocka_unit_test(test_grow_keeps_what_was_there), cmocka_unit_test(test_copies)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
