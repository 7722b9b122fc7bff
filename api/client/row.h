/*
 * Entries of a cache, sorted by (namespace, name): a namespace is a run of it. They stand in
 * blocks, so that an insert moves at most one block's pointers, and the blocks' once in many
 * inserts: a cache of a million objects takes one more about as fast as a cache of a hundred.
 *
 * On the cache's loop; entries are the cache's. A position holds until the row changes.
 */
#ifndef API_CLIENT_ROW_H
#define API_CLIENT_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/client/lister.h"

#define ROW_BLOCK_ITEMS 256

struct entry {
    struct lister_item item; /* its strings stand behind the entry */
    bool seen;               /* put since cache_relist_begin */
};

struct row_block {
    struct entry **items;
    uint32_t count; /* never 0 in a row */
    uint32_t capacity;
};

struct row {
    struct row_block *blocks; /* NULL when there is none */
    size_t blocks_count;
    size_t blocks_capacity;
    size_t count; /* of entries */
};

struct row_at {
    size_t block;
    size_t item;
};

void row_deinit(struct row *r); /* not the entries */
/* The first entry that is not before (namespace, name): of row_get and row_next. */
struct row_at row_seek(const struct row *r, struct str namespace, struct str name);
/* NULL behind the last. */
struct entry *row_get(const struct row *r, struct row_at at);
struct row_at row_next(const struct row *r, struct row_at at);
struct entry *row_find(const struct row *r, struct str namespace, struct str name);
/* There is none of that name yet. */
void row_insert(struct row *r, struct entry *en);
/* In the place of the entry of that name, which there is. */
void row_replace(struct row *r, struct entry *en);
/* en is in the row. */
void row_remove(struct row *r, const struct entry *en);

#endif
