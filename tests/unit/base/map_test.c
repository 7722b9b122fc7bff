/* The map against a naive model: same answers after the same random operations. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "tests/unit/unit.h"

#define MODEL_KEYS 300
#define OPERATIONS 30000

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Keys share prefixes, include the empty one and ones with NUL bytes. */
static struct str key_of(struct arena *a, uint32_t i)
{
    if (i == 0)
        return str_lit("");
    if (i % 7 == 0)
        return str_of(arena_copy(a, (const char[]){ 0, (char)i, 0, (char)(i >> 8) }, 4), 4);
    return str_printf(a, "pods/default/web-%u", i);
}

static void check_iteration(const struct map *m, void *const *model)
{
    size_t seen = 0;
    size_t expected = 0;
    for (int i = 0; i < MODEL_KEYS; i++)
        expected += model[i] != NULL;
    map_foreach (it, m) {
        assert_ptr_equal(map_get(m, it.key), it.value);
        seen++;
    }
    assert_int_equal(seen, expected);
    assert_int_equal(map_count(m), expected);
}

static void test_against_a_model(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    static int values[OPERATIONS];
    void *model[MODEL_KEYS] = { NULL };
    struct map m;
    map_init(&m);
    uint32_t random = 7;
    for (int i = 0; i < OPERATIONS; i++) {
        uint32_t k = next_random(&random) % MODEL_KEYS;
        struct str key = key_of(&a, k);
        /* Phases of growth and of shrinking. */
        bool put = next_random(&random) % 10 < (i / 3000 % 2 == 0 ? 7u : 3u);
        if (put) {
            assert_ptr_equal(map_put(&m, key, &values[i]), model[k]);
            model[k] = &values[i];
        } else {
            assert_ptr_equal(map_remove(&m, key), model[k]);
            model[k] = NULL;
        }
        uint32_t other = next_random(&random) % MODEL_KEYS;
        assert_ptr_equal(map_get(&m, key_of(&a, other)), model[other]);
        if (i % 1000 == 0) {
            check_iteration(&m, model);
            arena_reset(&a);
        }
    }
    check_iteration(&m, model);
    map_deinit(&m);
    arena_deinit(&a);
}

static void test_keys_are_copied(void **state)
{
    (void)state;
    struct map m;
    map_init(&m);
    char key[] = "abc";
    int value = 1;
    assert_null(map_get(&m, str_lit("abc")));
    assert_null(map_remove(&m, str_lit("abc")));
    assert_null(map_put(&m, str_from(key), &value));
    memset(key, 'x', 3);
    assert_ptr_equal(map_get(&m, str_lit("abc")), &value);
    map_deinit(&m);
    map_deinit(&m); /* harmless */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_a_model),
                                        cmocka_unit_test(test_keys_are_copied) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
