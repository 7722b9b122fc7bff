/* Intrusive doubly linked lists. */
#include "base/list.h"

#include "base/assert.h"

void list_init(struct list *head)
{
    head->next = head;
    head->prev = head;
}

bool list_empty(const struct list *head)
{
    return head->next == head;
}

static void list_insert(struct list *before, struct list *after, struct list *node)
{
    ASSERT(before->next == after);
    ASSERT(after->prev == before);
    node->prev = before;
    node->next = after;
    before->next = node;
    after->prev = node;
}

void list_append(struct list *head, struct list *node)
{
    list_insert(head->prev, head, node);
}

void list_prepend(struct list *head, struct list *node)
{
    list_insert(head, head->next, node);
}

void list_remove(struct list *node)
{
    ASSERT(node->prev->next == node);
    ASSERT(node->next->prev == node);
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

struct list *list_pop(struct list *head)
{
    if (list_empty(head))
        return NULL;
    struct list *node = head->next;
    list_remove(node);
    return node;
}

void list_move(struct list *head, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = head->prev;
    head->prev->next = from->next;
    from->prev->next = head;
    head->prev = from->prev;
    list_init(from);
}

size_t list_count(const struct list *head)
{
    size_t n = 0;
    for (const struct list *node = head->next; node != head; node = node->next)
        n++;
    return n;
}
