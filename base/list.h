/* Intrusive doubly linked lists with a sentinel head. Not thread safe. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

void list_init(struct list *head);
bool list_empty(const struct list *head);
void list_append(struct list *head, struct list *node);
void list_prepend(struct list *head, struct list *node);
/* Unlinks and re-initializes the node, so that a second remove is harmless. */
void list_remove(struct list *node);
/* First node unlinked, or NULL. */
struct list *list_pop(struct list *head);
/* Moves every node of from, in order, to the end of head; from is empty afterwards. */
void list_move(struct list *head, struct list *from);
size_t list_count(const struct list *head); /* O(n): for tests and assertions */

#define list_foreach(node, head)                                                                   \
    for (struct list *node = (head)->next; node != (head); node = node->next)
/* The current node may be removed or freed in the body. */
#define list_foreach_safe(node, head)                                                              \
    for (struct list *node = (head)->next, *node##_next = node->next; node != (head);              \
         node = node##_next, node##_next = node->next)

#endif
