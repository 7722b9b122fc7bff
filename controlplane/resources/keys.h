/*
 * What tells the items of lists apart, sorted once: which of them came before already, and where
 * one is. A rule that compares each item with each would take minutes for the longest list that a
 * request may carry. Private to controlplane/resources.
 *
 *   struct keys names = keys_new(a, n);
 *   for (...) keys_add(&names, (struct key){ .text = items[i]->name });
 *   keys_sort(&names);
 *   keys_repeated(&names, i)   an item before the i-th has its key
 */
#ifndef CONTROLPLANE_RESOURCES_KEYS_H
#define CONTROLPLANE_RESOURCES_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* Compared part by part; texts that are NULL are empty. They are borrowed. */
struct key {
    const char *text;
    const char *more;
    int64_t number;
    size_t at; /* set by keys_add: how many came before */
};

struct keys {
    struct key *sorted; /* after keys_sort; keys that are equal in the order they came */
    bool *again;
    size_t count;
    size_t most;
};

struct keys keys_new(struct arena *a, size_t most);
/* No more than most. */
void keys_add(struct keys *k, struct key key);
void keys_sort(struct keys *k);
/* The two questions, after keys_sort. */
bool keys_repeated(const struct keys *k, size_t at);
/* Where the first of this key came, -1: nowhere. */
ptrdiff_t keys_find(const struct keys *k, struct key key);
/* keys_find for what has a text alone. */
bool keys_have(const struct keys *k, const char *text);

#endif
