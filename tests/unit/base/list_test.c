/* Intrusive lists: order, removal, moving. */
#include "base/list.h"
#include "tests/unit/unit.h"

struct item {
    int id;
    struct list node;
};

static void expect(const struct list *head, const int *ids, size_t count)
{
    size_t i = 0;
    list_foreach (node, head) {
        assert_true(i < count);
        assert_int_equal(container_of(node, struct item, node)->id, ids[i]);
        i++;
    }
    assert_int_equal(i, count);
    assert_int_equal(list_count(head), count);
}

static void test_lists(void **state)
{
    (void)state;
    struct item items[5];
    struct list head;
    struct list other;
    list_init(&head);
    list_init(&other);
    for (int i = 0; i < 5; i++)
        items[i].id = i;
    assert_true(list_empty(&head));
    assert_null(list_pop(&head));
    list_append(&head, &items[1].node);
    list_append(&head, &items[2].node);
    list_prepend(&head, &items[0].node);
    expect(&head, (const int[]){ 0, 1, 2 }, 3);
    list_move(&other, &head);
    expect(&head, NULL, 0);
    list_append(&head, &items[3].node);
    list_move(&other, &head);
    list_move(&other, &head); /* nothing to move */
    expect(&other, (const int[]){ 0, 1, 2, 3 }, 4);
    list_remove(&items[1].node);
    list_remove(&items[1].node); /* harmless */
    expect(&other, (const int[]){ 0, 2, 3 }, 3);
    list_foreach_safe (node, &other) {
        if (container_of(node, struct item, node)->id != 2)
            list_remove(node);
    }
    expect(&other, (const int[]){ 2 }, 1);
    assert_ptr_equal(list_pop(&other), &items[2].node);
    assert_true(list_empty(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lists) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
