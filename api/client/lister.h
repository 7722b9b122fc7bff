/*
 * Listers: the read-only view of one kind that deciders see.
 *
 * A lister answers from somewhere near: a reflector's cache (api/client/cache.h) outside a member,
 * the store's view inside one. An implementation hands out items as stored bytes, borrowed for one
 * visit; the helpers below decode them into the caller's arena, and put the revision into
 * metadata.resourceVersion, so decoded objects live as long as the arena and never cross a thread.
 *
 * A lister belongs to one loop's thread. Items come ordered by namespace, then name.
 */
#ifndef API_CLIENT_LISTER_H
#define API_CLIENT_LISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/client/index.h"
#include "api/meta/kinds.h"
#include "base/err.h"
#include "base/str.h"

struct arena;
struct lister;
struct selector;

struct lister_item {
    struct str namespace;
    struct str name;
    struct str bytes; /* bare protobuf message; metadata.resourceVersion in it may be empty */
    uint64_t revision;
};

/* Returns false to stop. The item is borrowed for the call. */
typedef bool lister_visit(void *ctx, const struct lister_item *item);

struct lister_ops {
    /* visit is called once when the object is there; else -ERR_NOT_FOUND. */
    int (*get)(struct lister *l, struct str namespace, struct str name, lister_visit *visit,
               void *ctx);
    /* namespace empty: all. */
    int (*list)(struct lister *l, struct str namespace, lister_visit *visit, void *ctx);
    /* Objects that carry term under index (api/client/index.h says which terms an object has). */
    int (*by_index)(struct lister *l, enum index_id index, struct str term, lister_visit *visit,
                    void *ctx);
    /* Everything this lister will show includes all changes up to this revision; never falls. 0:
     * nothing is known yet (not synced). */
    uint64_t (*revision)(struct lister *l);
};

struct lister {
    const struct lister_ops *ops;
    enum kind kind;
};

/*
 * Decoded reads. Results are const and live in the arena; their type is the C struct of the
 * lister's kind. -ERR_NOT_FOUND; other failures mean stored bytes that do not decode.
 */
int lister_get(struct lister *l, struct arena *a, struct str namespace, struct str name,
               const void **out, struct err *e);
/* selector NULL: all. *out_items is an arena array in the lister's order. */
int lister_list(struct lister *l, struct arena *a, struct str namespace,
                const struct selector *selector, const void ***out_items, size_t *out_count,
                struct err *e);
int lister_by_index(struct lister *l, struct arena *a, enum index_id index, struct str term,
                    const void ***out_items, size_t *out_count, struct err *e);
uint64_t lister_revision(struct lister *l);

/* Decodes one item as above; for visitors of the raw functions. */
int lister_decode(struct lister *l, struct arena *a, const struct lister_item *item,
                  const void **out, struct err *e);

#endif
