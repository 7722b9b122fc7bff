/*
 * The cache (see cache.h): entries in one array sorted by (namespace, name), so that a namespace is
 * a run of it and a lookup a binary search; an insert moves pointers, which stays cheap for as many
 * objects as one member's memory is meant to hold. Buckets of an index term are small sorted
 * arrays.
 */
#include "api/client/cache.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/list.h"
#include "base/map.h"

struct entry {
    struct lister_item item; /* strings in text */
    bool seen;               /* put since cache_relist_begin */
    char text[];
};

struct row {
    struct entry **items; /* sorted by (namespace, name) */
    size_t count;
    size_t capacity;
};

struct cache {
    struct lister lister;
    struct row all;
    struct map buckets; /* index number byte and term -> struct row */
    uint64_t revision;
    bool relisting;
};

/* ---- sorted rows ---- */

static int item_cmp(const struct lister_item *a, struct str namespace, struct str name)
{
    int cmp = str_cmp(a->namespace, namespace);

    return cmp != 0 ? cmp : str_cmp(a->name, name);
}

/* First place whose entry is not before (namespace, name). */
static size_t row_lower(const struct row *r, struct str namespace, struct str name)
{
    size_t low = 0, high = r->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (item_cmp(&r->items[middle]->item, namespace, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct entry *row_find(const struct row *r, struct str namespace, struct str name)
{
    size_t at = row_lower(r, namespace, name);

    if (at == r->count || item_cmp(&r->items[at]->item, namespace, name) != 0)
        return NULL;
    return r->items[at];
}

static void row_insert(struct row *r, struct entry *en)
{
    size_t at = row_lower(r, en->item.namespace, en->item.name);

    if (r->count == r->capacity) {
        r->capacity = r->capacity ? 2 * r->capacity : 4;
        r->items = mem_realloc(r->items, r->capacity * sizeof(struct entry *));
    }
    memmove(r->items + at + 1, r->items + at, (r->count - at) * sizeof(struct entry *));
    r->items[at] = en;
    r->count++;
}

static void row_remove(struct row *r, const struct entry *en)
{
    size_t at = row_lower(r, en->item.namespace, en->item.name);

    ASSERT(at < r->count && r->items[at] == en);
    r->count--;
    memmove(r->items + at, r->items + at + 1, (r->count - at) * sizeof(struct entry *));
}

/* ---- index buckets ---- */

/* A node name or uid; a longer term is cut, which only makes a bucket shared: readers compare. */
#define TERM_BYTES_MAX 300

struct bucket_key {
    char text[TERM_BYTES_MAX + 1];
    struct str str;
};

static void bucket_key_make(struct bucket_key *k, enum index_id index, struct str term)
{
    size_t len = term.len < TERM_BYTES_MAX ? term.len : TERM_BYTES_MAX;

    k->text[0] = (char)('0' + index);
    if (len > 0)
        memcpy(k->text + 1, term.data, len);
    k->str = str_of(k->text, len + 1);
}

static void bucket_add(struct cache *c, enum index_id index, struct str term, struct entry *en)
{
    struct bucket_key k;
    struct row *r;

    bucket_key_make(&k, index, term);
    r = map_get(&c->buckets, k.str);
    if (r == NULL) {
        r = mem_alloc(sizeof(*r));
        (void)map_put(&c->buckets, k.str, r); /* new: replaces nothing */
    }
    if (row_find(r, en->item.namespace, en->item.name) == NULL)
        row_insert(r, en);
}

static void row_free(struct row *r)
{
    mem_free(r->items);
    mem_free(r);
}

static void bucket_drop(struct cache *c, enum index_id index, struct str term, struct entry *en)
{
    struct bucket_key k;
    struct row *r;

    bucket_key_make(&k, index, term);
    r = map_get(&c->buckets, k.str);
    /* A repeated term was dropped by its first mention. */
    if (r == NULL || row_find(r, en->item.namespace, en->item.name) == NULL)
        return;
    row_remove(r, en);
    if (r->count > 0)
        return;
    (void)map_remove(&c->buckets, k.str); /* it is r */
    row_free(r);
}

static void index_entry(struct cache *c, struct entry *en, bool add)
{
    struct str terms[INDEX_TERMS_MAX];

    for (int index = 0; index < INDEX_IDS; index++) {
        uint32_t count = index_terms((enum index_id)index, c->lister.kind, en->item.bytes, terms);

        for (uint32_t i = 0; i < count; i++) {
            if (add)
                bucket_add(c, (enum index_id)index, terms[i], en);
            else
                bucket_drop(c, (enum index_id)index, terms[i], en);
        }
    }
}

/* ---- the lister ---- */

static struct cache *cache_of(struct lister *l)
{
    return container_of(l, struct cache, lister);
}

static int cache_get(struct lister *l, struct str namespace, struct str name, lister_visit *visit,
                     void *ctx)
{
    struct entry *en = row_find(&cache_of(l)->all, namespace, name);

    if (en == NULL)
        return -ERR_NOT_FOUND;
    (void)visit(ctx, &en->item); /* there is nothing after it to stop */
    return 0;
}

static int cache_list(struct lister *l, struct str namespace, lister_visit *visit, void *ctx)
{
    const struct row *r = &cache_of(l)->all;
    size_t at = namespace.len > 0 ? row_lower(r, namespace, str_of(NULL, 0)) : 0;

    for (; at < r->count; at++) {
        const struct lister_item *item = &r->items[at]->item;

        if (namespace.len > 0 && !str_eq(item->namespace, namespace))
            break;
        if (!visit(ctx, item))
            break;
    }
    return 0;
}

static int cache_by_index(struct lister *l, enum index_id index, struct str term,
                          lister_visit *visit, void *ctx)
{
    struct bucket_key k;
    const struct row *r;

    bucket_key_make(&k, index, term);
    r = map_get(&cache_of(l)->buckets, k.str);
    for (size_t i = 0; r != NULL && i < r->count; i++)
        if (!visit(ctx, &r->items[i]->item))
            break;
    return 0;
}

static uint64_t cache_revision(struct lister *l)
{
    return cache_of(l)->revision;
}

static const struct lister_ops cache_ops = {
    .get = cache_get, .list = cache_list, .by_index = cache_by_index, .revision = cache_revision
};

/* ---- public ---- */

struct cache *cache_new(enum kind kind)
{
    struct cache *c = mem_alloc(sizeof(*c));

    c->lister = (struct lister){ .ops = &cache_ops, .kind = kind };
    map_init(&c->buckets);
    return c;
}

static struct str text_put(char **at, struct str s)
{
    struct str put = str_of(*at, s.len);

    if (s.len > 0)
        memcpy(*at, s.data, s.len);
    *at += s.len;
    return put;
}

/* One allocation: there may be a million. */
static struct entry *entry_new(const struct lister_item *item)
{
    struct entry *en =
        mem_alloc(sizeof(*en) + item->namespace.len + item->name.len + item->bytes.len);
    char *at = en->text;

    en->seen = true;
    en->item.namespace = text_put(&at, item->namespace);
    en->item.name = text_put(&at, item->name);
    en->item.bytes = text_put(&at, item->bytes);
    en->item.revision = item->revision;
    return en;
}

void cache_free(struct cache *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->all.count; i++)
        mem_free(c->all.items[i]);
    mem_free(c->all.items);
    map_foreach (it, &c->buckets)
        row_free(it.value);
    map_deinit(&c->buckets);
    mem_free(c);
}

struct lister *cache_lister(struct cache *c)
{
    return &c->lister;
}

bool cache_put(struct cache *c, const struct lister_item *item)
{
    struct entry *old = row_find(&c->all, item->namespace, item->name);
    struct entry *en;

    if (old != NULL && old->item.revision >= item->revision) {
        old->seen = true;
        return false;
    }
    en = entry_new(item);
    if (old != NULL) {
        index_entry(c, old, false);
        c->all.items[row_lower(&c->all, item->namespace, item->name)] = en;
        mem_free(old);
    } else {
        row_insert(&c->all, en);
    }
    index_entry(c, en, true);
    return true;
}

static void entry_remove(struct cache *c, struct entry *en)
{
    index_entry(c, en, false);
    row_remove(&c->all, en);
    mem_free(en);
}

bool cache_remove(struct cache *c, struct str namespace, struct str name)
{
    struct entry *en = row_find(&c->all, namespace, name);

    if (en == NULL)
        return false;
    entry_remove(c, en);
    return true;
}

bool cache_find(struct cache *c, struct str namespace, struct str name, struct lister_item *out)
{
    struct entry *en = row_find(&c->all, namespace, name);

    if (en == NULL)
        return false;
    *out = en->item;
    return true;
}

void cache_set_revision(struct cache *c, uint64_t revision)
{
    if (revision > c->revision)
        c->revision = revision;
}

size_t cache_count(const struct cache *c)
{
    return c->all.count;
}

void cache_relist_begin(struct cache *c)
{
    c->relisting = true;
    for (size_t i = 0; i < c->all.count; i++)
        c->all.items[i]->seen = false;
}

void cache_relist_end(struct cache *c, void (*drop)(void *ctx, const struct lister_item *item),
                      void *ctx)
{
    ASSERT(c->relisting);
    c->relisting = false;
    for (size_t i = c->all.count; i-- > 0;) {
        struct entry *en = c->all.items[i];

        if (en->seen)
            continue;
        if (drop != NULL)
            drop(ctx, &en->item);
        entry_remove(c, en);
    }
}
