/* Rows against a plain table of which names are there: order, places, splits and merges. */
#include <stdio.h>

#include "api/client/row.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

#define NAMESPACES 3u
#define NAMES      2000u /* of each: many blocks */
#define KEYS       (NAMESPACES * NAMES)
#define STEPS      60000u

struct model {
    struct row row;
    struct entry entries[KEYS];
    char names[KEYS][16];
    bool there[KEYS];
    size_t count;
    uint64_t random;
};

static uint32_t draw(struct model *m, uint32_t below)
{
    m->random = m->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(m->random >> 33) % below;
}

static struct model *model_new(void)
{
    static const char *const namespaces[NAMESPACES] = { "a", "a-", "b" };
    struct model *m = mem_alloc(sizeof(*m));

    m->random = 1;
    for (uint32_t k = 0; k < KEYS; k++) {
        snprintf(m->names[k], sizeof m->names[k], "n%05u", k % NAMES);
        m->entries[k].item.namespace = str_from(namespaces[k / NAMES]);
        m->entries[k].item.name = str_from(m->names[k]);
    }
    return m;
}

static void model_free(struct model *m)
{
    row_deinit(&m->row);
    mem_free(m);
}

static void flip(struct model *m, uint32_t k)
{
    if (m->there[k])
        row_remove(&m->row, &m->entries[k]);
    else
        row_insert(&m->row, &m->entries[k]);
    m->there[k] = !m->there[k];
    m->count += m->there[k] ? 1 : (size_t)-1;
}

static void check(struct model *m)
{
    struct row_at at = { 0 };

    assert_int_equal(m->row.count, m->count);
    for (uint32_t k = 0; k < KEYS; k++) {
        struct entry *en = &m->entries[k];

        assert_ptr_equal(row_find(&m->row, en->item.namespace, en->item.name),
                         m->there[k] ? en : NULL);
        if (!m->there[k])
            continue;
        assert_ptr_equal(row_get(&m->row, at), en);
        at = row_next(&m->row, at);
    }
    assert_null(row_get(&m->row, at));
    for (size_t b = 0; b < m->row.blocks_count; b++)
        assert_in_range(m->row.blocks[b].count, 1, ROW_BLOCK_ITEMS);
}

static void test_any_order(void **state)
{
    struct model *m = model_new();

    (void)state; /* no shared fixture */
    for (uint32_t i = 0; i < STEPS; i++) {
        flip(m, draw(m, KEYS));
        if (i % (STEPS / 10) == 0)
            check(m);
    }
    check(m);
    model_free(m);
}

static void test_in_order_and_gone(void **state)
{
    struct model *m = model_new();

    (void)state; /* no shared fixture */
    for (uint32_t k = 0; k < KEYS; k++)
        flip(m, k);
    check(m);
    assert_int_equal(m->row.blocks_count, (KEYS + ROW_BLOCK_ITEMS - 1) / ROW_BLOCK_ITEMS);
    for (uint32_t k = 0; k < KEYS; k++) /* what is left of each block is little */
        if (k % 16 != 0)
            flip(m, k);
    check(m);
    assert_in_range(m->row.blocks_count, 1, 2 * (m->count / (ROW_BLOCK_ITEMS / 2) + 1));
    for (uint32_t k = KEYS; k-- > 0;)
        if (m->there[k])
            flip(m, k);
    assert_int_equal(m->row.blocks_count, 0);
    check(m);
    model_free(m);
}

static void test_seek(void **state)
{
    struct model *m = model_new();

    (void)state; /* no shared fixture */
    for (uint32_t k = 0; k < KEYS; k += 2)
        flip(m, k);
    for (uint32_t k = 0; k < KEYS; k++) {
        struct row_at at = row_seek(&m->row, m->entries[k].item.namespace, m->entries[k].item.name);
        uint32_t next = k + k % 2;

        assert_ptr_equal(row_get(&m->row, at), next < KEYS ? &m->entries[next] : NULL);
    }
    assert_ptr_equal(row_get(&m->row, row_seek(&m->row, str_lit("b"), str_lit(""))),
                     &m->entries[2 * NAMES]);
    model_free(m);
}

static void test_replaced(void **state)
{
    struct model *m = model_new();
    struct entry other;

    (void)state; /* no shared fixture */
    for (uint32_t k = 0; k < KEYS; k++)
        flip(m, k);
    other.item = m->entries[700].item;
    row_replace(&m->row, &other);
    assert_ptr_equal(row_find(&m->row, other.item.namespace, other.item.name), &other);
    assert_int_equal(m->row.count, KEYS);
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_any_order),
                                        cmocka_unit_test(test_in_order_and_gone),
                                        cmocka_unit_test(test_seek),
                                        cmocka_unit_test(test_replaced) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
