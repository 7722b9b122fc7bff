/*
 * The namespace controller: empties a Terminating namespace, then takes its finalizer away.
 *
 * Pods go first and are waited for; then everything else. What is there is asked of the API, not of
 * a cache: a cache may not know the last object yet, and Events are not cached at all. While
 * something remains the namespace is looked at again every RECHECK_MS, and whenever a pod of it
 * goes; its status says what it waits for (namespace_remaining.c).
 */
#include "controllers/namespace.h"

#include <string.h>

#include "api/meta/object.h"
#include "base/arena.h"
#include "controllers/objects.h"

#define RECHECK_MS 1000
/* The finalizer is taken away from the namespace as it was read: not in a look that writes to it.
 */
#define RECHECK_TOLD_MS 200
#define FINALIZER       "kubernetes"

static bool has_finalizer(const Namespace *ns)
{
    for (size_t i = 0; i < ns->spec->n_finalizers; i++)
        if (text_eq(ns->spec->finalizers[i], FINALIZER))
            return true;
    return false;
}

static void finalize(struct world *w, struct actions *out, const Namespace *ns)
{
    Namespace *copy = changed_copy(w->arena, ns);
    size_t n = 0;

    copy->spec = changed_copy(w->arena, ns->spec);
    copy->spec->finalizers = arena_array(w->arena, ns->spec->n_finalizers + 1, sizeof(char *));
    for (size_t i = 0; i < ns->spec->n_finalizers; i++)
        if (!text_eq(ns->spec->finalizers[i], FINALIZER))
            copy->spec->finalizers[n++] = ns->spec->finalizers[i];
    copy->spec->n_finalizers = n;
    actions_update_status(out, KIND_NAMESPACE, copy)->subresource = str_lit("finalize");
}

static void empty(struct actions *out, enum kind kind, struct str namespace)
{
    (void)actions_delete_collection(out, kind, namespace);
    (void)actions_confirm_empty(out, kind, namespace);
}

static int namespace_reconcile(struct world *w, const struct key *k, struct actions *out,
                               struct err *e)
{
    const Namespace *ns = world_get(w, KIND_NAMESPACE, str_of(NULL, 0), k->name);

    bool told;

    (void)e; /* nothing here can fail: the reads report through the world */
    if (ns == NULL || !meta_deleting(ns->metadata) || !has_finalizer(ns))
        return 0;
    told = namespace_tell_remaining(w, out, ns);
    empty(out, KIND_POD, k->name);
    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        const struct kind_info *info = kind_info((enum kind)kind);

        if (info->namespaced && info->stored && kind != KIND_POD)
            (void)actions_delete_collection(out, (enum kind)kind, k->name);
    }
    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        const struct kind_info *info = kind_info((enum kind)kind);

        if (info->namespaced && info->stored && kind != KIND_POD)
            (void)actions_confirm_empty(out, (enum kind)kind, k->name);
    }
    if (!told)
        finalize(w, out, ns);
    actions_requeue_after(out, told ? RECHECK_TOLD_MS : RECHECK_MS);
    return 0;
}

static bool visit_terminating(void *ctx, const struct lister_item *item)
{
    struct object_meta meta;

    object_meta_scan(item->bytes, &meta);
    if (meta.deleting)
        enqueue_key(ctx, KIND_NAMESPACE, str_of(NULL, 0), item->name);
    return false;
}

static void enqueue_of_gone_pod(struct enqueue *q, const struct change *c)
{
    struct lister *l = enqueue_lister(q, KIND_NAMESPACE);

    if (c->removed && l != NULL)
        (void)l->ops->get(l, str_of(NULL, 0), c->now->namespace, visit_terminating,
                          q); /* a namespace that is gone needs nothing */
}

static const struct watch namespace_watches[] = { { KIND_NAMESPACE, enqueue_self },
                                                  { KIND_POD, enqueue_of_gone_pod },
                                                  { KIND_NONE, NULL } };

const struct controller namespace_controller = { .name = "namespace",
                                                 .component = "namespace-controller",
                                                 .kind = KIND_NAMESPACE,
                                                 .watches = namespace_watches,
                                                 .reconcile = namespace_reconcile };
