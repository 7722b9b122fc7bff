/* From a change to the keys it wakes. */
#include "controllers/runtime/enqueue.h"

#include "api/meta/object.h"
#include "base/arena.h"

void enqueue_key(struct enqueue *q, enum kind kind, struct str namespace, struct str name)
{
    enqueue_key_after(q, kind, namespace, name, 0);
}

const struct controllers_flags *enqueue_flags(const struct enqueue *q)
{
    return q->flags;
}

void enqueue_key_after(struct enqueue *q, enum kind kind, struct str namespace, struct str name,
                       uint64_t delay_ms)
{
    struct key k = { .kind = kind, .namespace = namespace, .name = name };
    struct arena a;

    if (name.len == 0)
        return;
    arena_init(&a);
    workqueue_add_after(q->queue, key_text(&a, &k), delay_ms);
    arena_deinit(&a);
}

struct lister *enqueue_lister(struct enqueue *q, enum kind kind)
{
    return q->listers[kind];
}

void enqueue_self(struct enqueue *q, const struct change *c)
{
    enqueue_key(q, c->kind, c->now->namespace, c->now->name);
}

static bool controller_of(const struct lister_item *item, enum kind kind, struct object_owner *out)
{
    struct object_meta meta;
    const struct kind_info *info;

    if (item == NULL)
        return false;
    object_meta_scan(item->bytes, &meta);
    if (!object_meta_controller(&meta, out))
        return false;
    info = kind_by_type(out->api_version, out->kind);
    return info != NULL && info->kind == kind;
}

void enqueue_owner(struct enqueue *q, const struct change *c)
{
    struct object_owner now = { 0 }, old = { 0 };
    bool has_now = controller_of(c->now, q->controller->kind, &now);

    if (has_now)
        enqueue_key(q, q->controller->kind, c->now->namespace, now.name);
    if (controller_of(c->old, q->controller->kind, &old) && !str_eq(old.uid, now.uid))
        enqueue_key(q, q->controller->kind, c->now->namespace, old.name);
}
