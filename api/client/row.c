/* See row.h. Blocks are split in halves; one that grows at the row's end is left full, as most
 * names of a list come in order. */
#include "api/client/row.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

static int entry_cmp(const struct entry *en, struct str namespace, struct str name)
{
    int cmp = str_cmp(en->item.namespace, namespace);

    return cmp != 0 ? cmp : str_cmp(en->item.name, name);
}

/* The place in the one block where (namespace, name) is or belongs: behind the block's last, too.
 */
static struct row_at row_place(const struct row *r, struct str namespace, struct str name)
{
    size_t low = 0, high = r->blocks_count;
    struct row_at at = { 0 };

    if (r->blocks_count == 0)
        return at;
    /* The last block whose first entry is not behind it. */
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;

        if (entry_cmp(r->blocks[middle].items[0], namespace, name) <= 0)
            low = middle;
        else
            high = middle;
    }
    at.block = low;
    low = 0;
    high = r->blocks[at.block].count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (entry_cmp(r->blocks[at.block].items[middle], namespace, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    at.item = low;
    return at;
}

struct row_at row_seek(const struct row *r, struct str namespace, struct str name)
{
    struct row_at at = row_place(r, namespace, name);

    if (at.block < r->blocks_count && at.item == r->blocks[at.block].count)
        at = (struct row_at){ .block = at.block + 1 };
    return at;
}

struct entry *row_get(const struct row *r, struct row_at at)
{
    return at.block < r->blocks_count ? r->blocks[at.block].items[at.item] : NULL;
}

struct row_at row_next(const struct row *r, struct row_at at)
{
    if (++at.item == r->blocks[at.block].count)
        at = (struct row_at){ .block = at.block + 1 };
    return at;
}

struct entry *row_find(const struct row *r, struct str namespace, struct str name)
{
    struct entry *en = row_get(r, row_seek(r, namespace, name));

    return en != NULL && entry_cmp(en, namespace, name) == 0 ? en : NULL;
}

static void block_reserve(struct row_block *b, size_t count)
{
    if (count <= b->capacity)
        return;
    b->capacity = b->capacity == 0 ? 4 : 2 * b->capacity;
    while (b->capacity < count)
        b->capacity *= 2;
    b->items = mem_realloc(b->items, b->capacity * sizeof(struct entry *));
}

/* An empty block before that place. */
static struct row_block *block_add(struct row *r, size_t place)
{
    if (r->blocks_count == r->blocks_capacity) {
        r->blocks_capacity = r->blocks_capacity == 0 ? 1 : 2 * r->blocks_capacity;
        r->blocks = mem_realloc(r->blocks, r->blocks_capacity * sizeof(struct row_block));
    }
    memmove(r->blocks + place + 1, r->blocks + place,
            (r->blocks_count - place) * sizeof(struct row_block));
    r->blocks_count++;
    r->blocks[place] = (struct row_block){ 0 };
    return &r->blocks[place];
}

static void block_drop(struct row *r, size_t place)
{
    mem_free(r->blocks[place].items);
    r->blocks_count--;
    memmove(r->blocks + place, r->blocks + place + 1,
            (r->blocks_count - place) * sizeof(struct row_block));
}

/* Appends from's entries from first on to b; from keeps those before. */
static void block_take(struct row_block *b, struct row_block *from, uint32_t first)
{
    uint32_t count = from->count - first;

    block_reserve(b, b->count + count);
    memcpy(b->items + b->count, from->items + first, count * sizeof(struct entry *));
    b->count += count;
    from->count = first;
}

void row_insert(struct row *r, struct entry *en)
{
    struct row_at at = row_place(r, en->item.namespace, en->item.name);
    struct row_block *b;

    if (r->blocks_count == 0) {
        (void)block_add(r, 0); /* where at is */
    } else if (r->blocks[at.block].count == ROW_BLOCK_ITEMS) {
        bool at_end = at.block + 1 == r->blocks_count && at.item == ROW_BLOCK_ITEMS;
        uint32_t first = at_end ? ROW_BLOCK_ITEMS : ROW_BLOCK_ITEMS / 2;

        b = block_add(r, at.block + 1);
        if (!at_end)
            block_take(b, &r->blocks[at.block], first);
        if (at.item > first || at_end)
            at = (struct row_at){ .block = at.block + 1, .item = at.item - first };
    }
    b = &r->blocks[at.block];
    block_reserve(b, b->count + 1u);
    memmove(b->items + at.item + 1, b->items + at.item,
            (b->count - at.item) * sizeof(struct entry *));
    b->items[at.item] = en;
    b->count++;
    r->count++;
}

void row_replace(struct row *r, struct entry *en)
{
    struct row_at at = row_seek(r, en->item.namespace, en->item.name);

    ASSERT(row_get(r, at) != NULL);
    r->blocks[at.block].items[at.item] = en;
}

/* Neighbours that are half a block together become one: deletions leave no row of crumbs. */
static void merge(struct row *r, size_t place)
{
    struct row_block *b = &r->blocks[place];

    if (place + 1 >= r->blocks_count || b[0].count + b[1].count > ROW_BLOCK_ITEMS / 2)
        return;
    block_take(&b[0], &b[1], 0);
    block_drop(r, place + 1);
}

void row_remove(struct row *r, const struct entry *en)
{
    struct row_at at = row_seek(r, en->item.namespace, en->item.name);
    struct row_block *b = &r->blocks[at.block];

    ASSERT(row_get(r, at) == en);
    b->count--;
    r->count--;
    memmove(b->items + at.item, b->items + at.item + 1,
            (b->count - at.item) * sizeof(struct entry *));
    if (b->count == 0) {
        block_drop(r, at.block);
        return;
    }
    merge(r, at.block);
    if (at.block > 0)
        merge(r, at.block - 1);
}

void row_deinit(struct row *r)
{
    for (size_t i = 0; i < r->blocks_count; i++)
        mem_free(r->blocks[i].items);
    mem_free(r->blocks);
    *r = (struct row){ 0 };
}
