/* The cache (see cache.h): a row of all entries, and one of each index term's. */
#include "api/client/cache.h"

#include <string.h>

#include "api/client/row.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/list.h"
#include "base/map.h"

struct cache {
    struct lister lister;
    struct row all;
    struct map buckets; /* index number byte and term -> struct row */
    uint64_t revision;
    bool relisting;
};

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

static void bucket_free(struct row *r)
{
    row_deinit(r);
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
    bucket_free(r);
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
    struct row_at at = row_seek(r, namespace, str_of(NULL, 0));
    struct entry *en;

    for (; (en = row_get(r, at)) != NULL; at = row_next(r, at)) {
        if (namespace.len > 0 && !str_eq(en->item.namespace, namespace))
            break;
        if (!visit(ctx, &en->item))
            break;
    }
    return 0;
}

static int cache_by_index(struct lister *l, enum index_id index, struct str term,
                          lister_visit *visit, void *ctx)
{
    struct bucket_key k;
    const struct row *r;
    const struct entry *en;

    bucket_key_make(&k, index, term);
    r = map_get(&cache_of(l)->buckets, k.str);
    if (r == NULL)
        return 0;
    for (struct row_at at = { 0 }; (en = row_get(r, at)) != NULL; at = row_next(r, at))
        if (!visit(ctx, &en->item))
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
        mem_alloc_with(sizeof(*en), item->namespace.len + item->name.len + item->bytes.len);
    char *at = (char *)(en + 1);

    en->seen = true;
    en->item.namespace = text_put(&at, item->namespace);
    en->item.name = text_put(&at, item->name);
    en->item.bytes = text_put(&at, item->bytes);
    en->item.revision = item->revision;
    return en;
}

void cache_free(struct cache *c)
{
    struct entry *en;

    if (c == NULL)
        return;
    for (struct row_at at = { 0 }; (en = row_get(&c->all, at)) != NULL; at = row_next(&c->all, at))
        mem_free(en);
    row_deinit(&c->all);
    map_foreach (it, &c->buckets)
        bucket_free(it.value);
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
        row_replace(&c->all, en);
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
    struct entry *en;

    c->relisting = true;
    for (struct row_at at = { 0 }; (en = row_get(&c->all, at)) != NULL; at = row_next(&c->all, at))
        en->seen = false;
}

void cache_relist_end(struct cache *c, void (*drop)(void *ctx, const struct lister_item *item),
                      void *ctx)
{
    struct entry **gone = mem_alloc_bytes(c->all.count * sizeof(struct entry *));
    size_t gone_count = 0;
    struct entry *en;

    ASSERT(c->relisting);
    c->relisting = false;
    for (struct row_at at = { 0 }; (en = row_get(&c->all, at)) != NULL; at = row_next(&c->all, at))
        if (!en->seen)
            gone[gone_count++] = en;
    for (size_t i = 0; i < gone_count; i++) {
        if (drop != NULL)
            drop(ctx, &gone[i]->item);
        entry_remove(c, gone[i]);
    }
    mem_free(gone);
}
