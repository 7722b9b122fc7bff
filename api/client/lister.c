/* Decoded reads over any lister (see lister.h). */
#include "api/client/lister.h"

#include <stdio.h>
#include <string.h>

#include "api/meta/object.h"
#include "api/meta/selector.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/assert.h"

/* Every kind's message has metadata as its first field, behind the protobuf-c base. */
struct any_object {
    ProtobufCMessage base;
    ObjectMeta *metadata;
};

int lister_decode(struct lister *l, struct arena *a, const struct lister_item *item,
                  const void **out, struct err *e)
{
    struct any_object *object;
    void *message;
    char *text;
    int rc = schema_unpack(a, kind_info(l->kind)->schema, item->bytes, &message, e);

    if (rc != 0)
        return err_wrap(e, rc, "decode %s %.*s/%.*s", kind_info(l->kind)->name,
                        STR_ARG(item->namespace), STR_ARG(item->name));
    object = message;
    if (object->metadata == NULL)
        return err_set(e, ERR_CORRUPT, "%s %.*s/%.*s has no metadata", kind_info(l->kind)->name,
                       STR_ARG(item->namespace), STR_ARG(item->name));
    text = arena_alloc(a, 24);
    (void)snprintf(text, 24, "%llu", (unsigned long long)item->revision);
    object->metadata->resource_version = text;
    *out = message;
    return 0;
}

struct reading {
    struct lister *lister;
    struct arena *arena;
    const struct selector *selector;
    const void **items;
    size_t count;
    size_t capacity;
    int rc;
    struct err *e;
};

static bool visit_decode(void *ctx, const struct lister_item *item)
{
    struct reading *r = ctx;
    const void *message;

    if (r->selector != NULL) {
        struct object_meta meta;
        struct labels labels;

        object_meta_scan(item->bytes, &meta);
        labels = object_meta_labels(&meta);
        if (!selector_matches(r->selector, &labels))
            return true;
    }
    r->rc = lister_decode(r->lister, r->arena, item, &message, r->e);
    if (r->rc != 0)
        return false;
    r->items = arena_grow(r->arena, r->items, r->count, &r->capacity, sizeof(*r->items));
    r->items[r->count++] = message;
    return true;
}

int lister_get(struct lister *l, struct arena *a, struct str namespace, struct str name,
               const void **out, struct err *e)
{
    struct reading r = { .lister = l, .arena = a, .e = e };
    int rc = l->ops->get(l, namespace, name, visit_decode, &r);

    if (rc == 0)
        rc = r.rc;
    else
        (void)err_set(e, (enum err_code) - rc, "%s %.*s/%.*s is not there",
                      kind_info(l->kind)->name, STR_ARG(namespace), STR_ARG(name));
    if (rc == 0)
        *out = r.items[0];
    return rc;
}

static int finish_reading(struct reading *r, int rc, const void ***out_items, size_t *out_count)
{
    if (rc != 0 && r->rc == 0)
        return err_set(r->e, (enum err_code) - rc, "read %s", kind_info(r->lister->kind)->name);
    if (r->rc != 0)
        return r->rc;
    *out_items = r->items;
    *out_count = r->count;
    return 0;
}

int lister_list(struct lister *l, struct arena *a, struct str namespace,
                const struct selector *selector, const void ***out_items, size_t *out_count,
                struct err *e)
{
    struct reading r = { .lister = l, .arena = a, .selector = selector, .e = e };
    int rc = l->ops->list(l, namespace, visit_decode, &r);

    return finish_reading(&r, rc, out_items, out_count);
}

int lister_by_index(struct lister *l, struct arena *a, enum index_id index, struct str term,
                    const void ***out_items, size_t *out_count, struct err *e)
{
    struct reading r = { .lister = l, .arena = a, .e = e };
    int rc = l->ops->by_index(l, index, term, visit_decode, &r);

    return finish_reading(&r, rc, out_items, out_count);
}

uint64_t lister_revision(struct lister *l)
{
    return l->ops->revision(l);
}
