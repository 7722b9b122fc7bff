/*
 * The garbage collector. A key is any object that has owners, or that waits for its dependents:
 *
 *   every owner absent            -> delete it (in the background: its own dependents follow)
 *   some owners absent            -> take their references away
 *   finalizer "foregroundDeletion" -> delete dependents; when no blocking one is left, take it away
 *   finalizer "orphan"            -> take our reference from every dependent, then take it away
 *
 * An owner that the cache does not show is asked for at the API before anything is deleted: its own
 * watch may lag behind the dependent's. An owner of a kind we do not know is never called absent.
 */
#include "controllers/garbagecollector.h"

#include <string.h>

#include "api/meta/object.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controllers/objects.h"

#define FOREGROUND "foregroundDeletion"
#define ORPHAN     "orphan"

/* Every kind's message has metadata as its first field, behind the protobuf-c base. */
struct any_object {
    ProtobufCMessage base;
    ObjectMeta *metadata;
};

static const ObjectMeta *meta_of(const void *object)
{
    return ((const struct any_object *)object)->metadata;
}

static bool has_finalizer(const ObjectMeta *meta, const char *name)
{
    for (size_t i = 0; i < meta->n_finalizers; i++)
        if (text_eq(meta->finalizers[i], name))
            return true;
    return false;
}

/* Finalizers merge as a set of strings. */
static void drop_finalizer(struct world *w, struct actions *out, enum kind kind,
                           const ObjectMeta *meta, const char *name)
{
    struct buf b;

    buf_init(&b);
    buf_append_c(&b, "{\"metadata\":{\"uid\":");
    json_write_string(&b, str_from(meta->uid), false);
    buf_append_c(&b, ",\"$deleteFromPrimitiveList/finalizers\":[");
    json_write_string(&b, str_from(name), false);
    buf_append_c(&b, "]}}");
    actions_patch(out, kind, meta, NULL, CLIENT_STRATEGIC_PATCH, str_copy(w->arena, buf_str(&b)))
        ->missing_ok = true;
    buf_deinit(&b);
}

/* ---- dependents of an object that goes ---- */

struct dependent {
    enum kind kind;
    const ObjectMeta *meta;
    const OwnerReference *ref; /* to the object */
};

static const OwnerReference *reference_to(const ObjectMeta *meta, const char *uid)
{
    for (size_t i = 0; i < meta->n_owner_references; i++)
        if (text_eq(meta->owner_references[i]->uid, uid))
            return meta->owner_references[i];
    return NULL;
}

static size_t dependents_of(struct world *w, const ObjectMeta *meta, struct dependent **out)
{
    struct dependent *found = NULL;
    size_t count = 0, capacity = 0;

    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        const void **objects;
        size_t n = w->listers[kind] == NULL ? 0
                                            : world_by_index(w, (enum kind)kind, INDEX_BY_OWNER,
                                                             str_from(meta->uid), &objects);

        for (size_t i = 0; i < n; i++) {
            const OwnerReference *ref = reference_to(meta_of(objects[i]), meta->uid);

            if (ref == NULL)
                continue;
            found = arena_grow(w->arena, found, count, &capacity, sizeof(*found));
            found[count++] = (struct dependent){ (enum kind)kind, meta_of(objects[i]), ref };
        }
    }
    *out = found;
    return count;
}

static void delete_foreground(struct world *w, struct actions *out, enum kind kind,
                              const ObjectMeta *meta)
{
    struct dependent *d;
    size_t n = dependents_of(w, meta, &d), blocking = 0, deletions = 0;

    for (size_t i = 0; i < n; i++) {
        blocking += d[i].ref->block_owner_deletion ? 1 : 0;
        if (!meta_deleting(d[i].meta) && deletions++ < ACTIONS_BURST)
            actions_delete(out, d[i].kind, d[i].meta)->propagation = "Foreground";
    }
    if (blocking == 0)
        drop_finalizer(w, out, kind, meta, FOREGROUND);
}

static void orphan_dependents(struct world *w, struct actions *out, enum kind kind,
                              const ObjectMeta *meta)
{
    struct dependent *d;
    size_t n = dependents_of(w, meta, &d);

    for (size_t i = 0; i < n && i < ACTIONS_BURST; i++)
        actions_patch(out, d[i].kind, d[i].meta, NULL, CLIENT_STRATEGIC_PATCH,
                      patch_release(w->arena, d[i].meta, meta->uid))
            ->missing_ok = true;
    if (n == 0)
        drop_finalizer(w, out, kind, meta, ORPHAN);
}

/* ---- owners of an object ---- */

enum owner_state { OWNER_THERE, OWNER_ABSENT, OWNER_UNKNOWN };

static enum owner_state owner_state(struct world *w, const ObjectMeta *meta,
                                    const OwnerReference *ref, enum kind *out_kind,
                                    struct str *out_namespace)
{
    const struct kind_info *info = kind_by_type(str_from(ref->api_version), str_from(ref->kind));
    const void *owner;

    if (info == NULL || !info->stored || w->listers[info->kind] == NULL)
        return OWNER_UNKNOWN;
    *out_kind = info->kind;
    *out_namespace = info->namespaced ? meta_namespace(meta) : str_of(NULL, 0);
    owner = world_get(w, info->kind, *out_namespace, str_from(ref->name));
    if (owner == NULL || !text_eq(meta_of(owner)->uid, ref->uid))
        return OWNER_ABSENT;
    return OWNER_THERE;
}

static void collect(struct world *w, struct actions *out, enum kind kind, const ObjectMeta *meta)
{
    size_t absent = 0;

    for (size_t i = 0; i < meta->n_owner_references; i++) {
        const OwnerReference *ref = meta->owner_references[i];
        enum kind owner_kind;
        struct str namespace;

        if (owner_state(w, meta, ref, &owner_kind, &namespace) != OWNER_ABSENT)
            continue;
        absent++;
        (void)actions_confirm_absent(out, owner_kind, namespace, str_from(ref->name),
                                     str_from(ref->uid));
    }
    if (absent == 0)
        return;
    if (absent == meta->n_owner_references) {
        actions_delete(out, kind, meta)->propagation =
            has_finalizer(meta, ORPHAN) ? "Orphan" : "Background";
        return;
    }
    for (size_t i = 0; i < meta->n_owner_references; i++) {
        const OwnerReference *ref = meta->owner_references[i];
        enum kind owner_kind;
        struct str namespace;

        if (owner_state(w, meta, ref, &owner_kind, &namespace) == OWNER_ABSENT)
            actions_patch(out, kind, meta, NULL, CLIENT_STRATEGIC_PATCH,
                          patch_release(w->arena, meta, ref->uid))
                ->missing_ok = true;
    }
}

static int garbagecollector_reconcile(struct world *w, const struct key *k, struct actions *out,
                                      struct err *e)
{
    const void *object = world_get(w, k->kind, k->namespace, k->name);

    (void)e; /* nothing here can fail: the reads report through the world */
    if (object == NULL)
        return 0;
    if (!meta_deleting(meta_of(object)))
        collect(w, out, k->kind, meta_of(object));
    else if (has_finalizer(meta_of(object), FOREGROUND))
        delete_foreground(w, out, k->kind, meta_of(object));
    else if (has_finalizer(meta_of(object), ORPHAN))
        orphan_dependents(w, out, k->kind, meta_of(object));
    return 0;
}

/* ---- what wakes it ---- */

struct dependents_visit {
    struct enqueue *queue;
    enum kind kind;
};

static bool visit_dependent(void *ctx, const struct lister_item *item)
{
    struct dependents_visit *v = ctx;

    enqueue_key(v->queue, v->kind, item->namespace, item->name);
    return true;
}

static void enqueue_dependents(struct enqueue *q, struct str uid)
{
    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        struct lister *l = enqueue_lister(q, (enum kind)kind);
        struct dependents_visit v = { q, (enum kind)kind };

        if (l != NULL)
            (void)l->ops->by_index(l, INDEX_BY_OWNER, uid, visit_dependent, &v); /* or none */
    }
}

/* The owners that wait for this object: their finalizers may go when it does. */
static void enqueue_owners(struct enqueue *q, const struct object_meta *meta)
{
    struct object_owner owner;
    size_t at = 0;

    while (object_meta_owner(meta, &at, &owner)) {
        const struct kind_info *info = kind_by_type(owner.api_version, owner.kind);

        if (info != NULL && info->stored)
            enqueue_key(q, info->kind, info->namespaced ? meta->namespace : str_of(NULL, 0),
                        owner.name);
    }
}

static bool waits_for_dependents(const struct object_meta *meta)
{
    struct str finalizer;
    size_t at = 0;

    while (object_meta_finalizer(meta, &at, &finalizer))
        if (str_eq_c(finalizer, FOREGROUND) || str_eq_c(finalizer, ORPHAN))
            return true;
    return false;
}

static void enqueue_garbage(struct enqueue *q, const struct change *c)
{
    struct object_meta meta;

    object_meta_scan(c->now->bytes, &meta);
    if (c->removed) {
        enqueue_dependents(q, meta.uid);
        enqueue_owners(q, &meta);
        return;
    }
    if (meta.owners_count > 0 || (meta.deleting && waits_for_dependents(&meta)))
        enqueue_self(q, c);
    if (c->old != NULL && c->old->bytes.len > 0 && meta.owners_count == 0) {
        struct object_meta old;

        object_meta_scan(c->old->bytes, &old);
        if (old.owners_count > 0)
            enqueue_owners(q, &old); /* orphaned: its former owner may wait for that */
    }
}

static const struct watch garbagecollector_watches[] = {
    { KIND_NAMESPACE, enqueue_garbage },
    { KIND_NODE, enqueue_garbage },
    { KIND_POD, enqueue_garbage },
    { KIND_CONFIG_MAP, enqueue_garbage },
    { KIND_SECRET, enqueue_garbage },
    { KIND_SERVICE_ACCOUNT, enqueue_garbage },
    { KIND_SERVICE, enqueue_garbage },
    { KIND_LEASE, enqueue_garbage },
    { KIND_DEPLOYMENT, enqueue_garbage },
    { KIND_ENDPOINTS, enqueue_garbage },
    { KIND_LIMIT_RANGE, enqueue_garbage },
    { KIND_DISRUPTION_BUDGET, enqueue_garbage },
    { KIND_POD_TEMPLATE, enqueue_garbage },
    { KIND_REPLICATION_CONTROLLER, enqueue_garbage },
    { KIND_RESOURCE_QUOTA, enqueue_garbage },
    { KIND_CONTROLLER_REVISION, enqueue_garbage },
    { KIND_ENDPOINT_SLICE, enqueue_garbage },
    { KIND_REPLICA_SET, enqueue_garbage },
    { KIND_NONE, NULL }
};

static bool reads(enum kind kind, const struct lister_item *item)
{
    (void)kind; /* whichever it is: who and whose */
    (void)item;
    return false;
}

const struct controller garbagecollector_controller = { .name = "garbagecollector",
                                                        .component = "garbage-collector-controller",
                                                        .kind = KIND_NONE,
                                                        .watches = garbagecollector_watches,
                                                        .reads = reads,
                                                        .reconcile = garbagecollector_reconcile };
