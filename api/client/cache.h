/*
 * A cache of one kind: stored bytes by (namespace, name), with the index terms of
 * api/client/index.h. It implements struct lister. A reflector fills it; tests fill it by hand.
 *
 * Objects are kept as immutable bytes, never decoded; a replaced object is freed at once, so what a
 * visitor sees is borrowed for the visit. One thread.
 */
#ifndef API_CLIENT_CACHE_H
#define API_CLIENT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/client/lister.h"

struct cache;

struct cache *cache_new(enum kind kind);
void cache_free(struct cache *c);
struct lister *cache_lister(struct cache *c);

/* Copies bytes. An older revision than the one held is ignored (returns false). */
bool cache_put(struct cache *c, const struct lister_item *item);
bool cache_remove(struct cache *c, struct str namespace, struct str name);
/* What is there now, borrowed until the next change. */
bool cache_find(struct cache *c, struct str namespace, struct str name, struct lister_item *out);
/* The lister's revision; never falls. */
void cache_set_revision(struct cache *c, uint64_t revision);
size_t cache_count(const struct cache *c);

/* A relist: mark all as unseen, put what the list has, then drop what was not put again: drop is
 * called with each (still in the cache), then it goes. */
void cache_relist_begin(struct cache *c);
void cache_relist_end(struct cache *c, void (*drop)(void *ctx, const struct lister_item *item),
                      void *ctx);

#endif
