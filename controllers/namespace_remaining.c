/*
 * What a Terminating namespace waits for, as conditions of its status, with upstream's reasons and
 * texts. Only what is being deleted counts: the rest has not been asked to go yet. Of kinds that
 * nobody here watches (Events) nothing is said; they do not wait for anything.
 */
#include <stdlib.h>
#include <string.h>

#include "api/meta/condition.h"
#include "api/meta/object.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controllers/namespace.h"
#include "controllers/objects.h"

/* Names beyond these are not listed. */
#define FINALIZERS_MAX 64

struct finalizer_count {
    struct str name;
    size_t objects;
};

struct remaining {
    struct arena *arena;
    size_t kinds[KIND_COUNT]; /* objects that are being deleted */
    size_t objects;
    struct finalizer_count finalizers[FINALIZERS_MAX];
    size_t finalizers_count;
    enum kind kind; /* that is being looked at */
};

static void count_finalizer(struct remaining *r, struct str name)
{
    size_t i = 0;

    while (i < r->finalizers_count && !str_eq(r->finalizers[i].name, name))
        i++;
    if (i == FINALIZERS_MAX)
        return;
    if (i == r->finalizers_count)
        r->finalizers[r->finalizers_count++] =
            (struct finalizer_count){ .name = str_copy(r->arena, name) };
    r->finalizers[i].objects++;
}

static bool visit(void *ctx, const struct lister_item *item)
{
    struct remaining *r = ctx;
    struct object_meta meta;
    struct str name;
    size_t at = 0;

    object_meta_scan(item->bytes, &meta);
    if (!meta.deleting)
        return true;
    r->kinds[r->kind]++;
    r->objects++;
    while (object_meta_finalizer(&meta, &at, &name))
        count_finalizer(r, name);
    return true;
}

static void look(struct world *w, struct str namespace, struct remaining *r)
{
    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        const struct kind_info *info = kind_info((enum kind)kind);
        struct lister *l = w->listers[kind];

        if (!info->namespaced || !info->stored || l == NULL)
            continue;
        r->kind = (enum kind)kind;
        (void)l->ops->list(l, namespace, visit, r); /* what cannot be read is looked at again */
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "start: a, b", sorted. */
static const char *listed(struct arena *a, const char *start, const char **texts, size_t count)
{
    struct buf b;
    const char *out;

    qsort(texts, count, sizeof(*texts), by_text);
    buf_init(&b);
    buf_append_c(&b, start);
    for (size_t i = 0; i < count; i++)
        buf_printf(&b, "%s%s", i == 0 ? " " : ", ", texts[i]);
    out = str_dup(a, buf_str(&b));
    buf_deinit(&b);
    return out;
}

static const char *content_text(const struct remaining *r)
{
    const char *texts[KIND_COUNT];
    size_t n = 0;

    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        const struct kind_info *info = kind_info((enum kind)kind);

        if (r->kinds[kind] > 0)
            texts[n++] = str_printf(r->arena, "%s.%s has %zu resource instances", info->plural,
                                    info->group, r->kinds[kind])
                             .data;
    }
    return listed(r->arena, "Some resources are remaining:", texts, n);
}

static const char *finalizers_text(const struct remaining *r)
{
    const char *texts[FINALIZERS_MAX];

    for (size_t i = 0; i < r->finalizers_count; i++)
        texts[i] = str_printf(r->arena, "%.*s in %zu resource instances",
                              STR_ARG(r->finalizers[i].name), r->finalizers[i].objects)
                       .data;
    return listed(r->arena, "Some content in the namespace has finalizers remaining:", texts,
                  r->finalizers_count);
}

static bool set(struct world *w, NamespaceStatus *s, const char *type, bool is, const char *reason,
                const char *message)
{
    const struct condition_value v = {
        .type = type, .status = is ? "True" : "False", .reason = reason, .message = message
    };

    return condition_set(w->arena, &namespace_condition__descriptor, &s->conditions,
                         &s->n_conditions, &v, w->wall_ns);
}

static bool set_all(struct world *w, NamespaceStatus *s, const struct remaining *r)
{
    bool waits = r->finalizers_count > 0;
    bool changed = set(w, s, "NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered",
                       "All resources successfully discovered");

    changed = set(w, s, "NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions",
                  "All legacy kube types successfully parsed") ||
              changed;
    changed = set(w, s, "NamespaceDeletionContentFailure", false, "ContentDeleted",
                  "All content successfully deleted, may be waiting on finalization") ||
              changed;
    changed =
        set(w, s, "NamespaceContentRemaining", true, "SomeResourcesRemain", content_text(r)) ||
        changed;
    return set(w, s, "NamespaceFinalizersRemaining", waits,
               waits ? "SomeFinalizersRemain" : "ContentHasNoFinalizers",
               waits ? finalizers_text(r) : "All content-preserving finalizers finished") ||
           changed;
}

bool namespace_tell_remaining(struct world *w, struct actions *out, const struct Namespace *ns)
{
    struct remaining r = { .arena = w->arena };
    Namespace *copy;

    look(w, str_from(ns->metadata->name), &r);
    if (r.objects == 0 || ns->status == NULL)
        return false;
    copy = changed_copy(w->arena, ns);
    copy->status = changed_copy(w->arena, ns->status);
    if (!set_all(w, copy->status, &r))
        return false;
    actions_update_status(out, KIND_NAMESPACE, copy)->missing_ok = true;
    return true;
}
