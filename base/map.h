/*
 * Hash map from byte strings to pointers. Keys are copied in; values are borrowed.
 *
 * Open addressing with robin-hood probing over one array; iteration order is insertion-independent
 * but deterministic for one sequence of operations (the simulation depends on that: the hash is not
 * randomized per process; keys that peers choose are bounded in number by their owners).
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct map_slot;

struct map {
    struct map_slot *slots;
    size_t count;
    size_t capacity;
};

void map_init(struct map *m);
void map_deinit(struct map *m);                     /* frees keys; values are the owner's */
void *map_get(const struct map *m, struct str key); /* NULL when absent */
/* Returns the value replaced, or NULL. value must not be NULL. */
void *map_put(struct map *m, struct str key, void *value);
void *map_remove(struct map *m, struct str key); /* the value, or NULL */
size_t map_count(const struct map *m);

/* Iteration; the map must not change inside it. */
struct map_iter {
    size_t at;
    struct str key;
    void *value;
};
bool map_next(const struct map *m, struct map_iter *it);
#define map_foreach(it, m) for (struct map_iter it = { 0 }; map_next((m), &it);)

#endif
