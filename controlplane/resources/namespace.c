/* Namespaces: the kubernetes finalizer, phase Active, and the name label. */
#include "controlplane/resources/namespace.h"

#include "api/meta/labels.h"
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/metadata.h"
#include "controlplane/resources/strategies.h"

#define NAME_LABEL "kubernetes.io/metadata.name"

/* A label every namespace carries so that selectors can pick one by name. */
static void set_name_label(struct arena *a, ObjectMeta *m)
{
    if (text_empty(m->name) || text_eq(entries_get(m->labels, m->n_labels, NAME_LABEL), m->name))
        return;
    ObjectMeta__LabelsEntry **labels = arena_array(a, m->n_labels + 1, sizeof(*labels));
    size_t count = 0;
    for (size_t i = 0; i < m->n_labels; i++) {
        if (!text_eq(m->labels[i]->key, NAME_LABEL))
            labels[count++] = m->labels[i];
    }
    ObjectMeta__LabelsEntry *label = arena_new(a, ObjectMeta__LabelsEntry);
    object_meta__labels_entry__init(label);
    label->key = text_new(a, NAME_LABEL);
    label->value = text_new(a, m->name);
    labels[count++] = label;
    m->labels = labels;
    m->n_labels = count;
}

static void defaults(struct arena *a, void *object)
{
    Namespace *ns = object;
    (void)message_ensure(a, &ns->spec, &namespace_spec__descriptor);
    (void)message_ensure(a, &ns->status, &namespace_status__descriptor);
    text_default(a, &ns->status->phase, "Active");
    set_name_label(a, ns->metadata);
}

static void prepare_create(const struct resource_context *c, void *object)
{
    Namespace *ns = object;
    struct arena *a = c->arena;
    ns->status = arena_new(a, NamespaceStatus);
    namespace_status__init(ns->status);
    ns->status->phase = text_new(a, "Active");
    set_name_label(a, ns->metadata); /* the name may have been generated since the defaults */
    for (size_t i = 0; i < ns->spec->n_finalizers; i++) {
        if (text_eq(ns->spec->finalizers[i], "kubernetes"))
            return;
    }
    char **finalizers = arena_array(a, ns->spec->n_finalizers + 1, sizeof(*finalizers));
    for (size_t i = 0; i < ns->spec->n_finalizers; i++)
        finalizers[i] = ns->spec->finalizers[i];
    finalizers[ns->spec->n_finalizers++] = text_new(a, "kubernetes");
    ns->spec->finalizers = finalizers;
}

static void prepare_update(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((Namespace *)object)->spec = ((const Namespace *)old)->spec;
    ((Namespace *)object)->status = ((const Namespace *)old)->status;
}

static void prepare_status(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((Namespace *)object)->spec = ((const Namespace *)old)->spec;
}

/* Upstream names the list when an object is new, and the place in it later. */
static void validate_finalizers(const NamespaceSpec *spec, bool by_index, struct err_list *out)
{
    struct field_path up = path_field(NULL, "spec");
    struct field_path list = path_field(&up, "finalizers");
    for (size_t i = 0; spec != NULL && i < spec->n_finalizers; i++) {
        struct field_path at = path_index(&list, i);
        const struct field_path *p = by_index ? &at : &list;
        (void)check_name(out, p, text_of(spec->finalizers[i]), name_qualified);
        metadata_check_finalizer_domain(p, spec->finalizers[i], out);
    }
}

void namespace_validate_finalize(const struct Namespace *ns, struct err_list *out)
{
    validate_finalizers(ns->spec, true, out);
}

static void validate_create(const struct resource_context *c, const void *object,
                            struct err_list *out)
{
    (void)c;
    validate_finalizers(((const Namespace *)object)->spec, false, out);
}

/* The phase says whether it goes. */
static void validate_status(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const Namespace *ns = object;
    const char *phase = ns->status == NULL ? NULL : ns->status->phase;
    struct field_path status = path_field(NULL, "status");
    struct field_path p = path_field(&status, "Phase"); /* upstream's case */
    bool goes = ns->metadata->deletion_timestamp != NULL;
    (void)c;
    (void)old;
    if (!text_eq(phase, goes ? "Terminating" : "Active"))
        rule_invalid_text(out, &p, phase,
                          goes ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
                               : "may only be 'Active' if `deletionTimestamp` is empty");
}

const struct resource_strategy namespace_strategy = { .defaults = defaults,
                                                      .prepare_create = prepare_create,
                                                      .prepare_update = prepare_update,
                                                      .prepare_status = prepare_status,
                                                      .validate_create = validate_create,
                                                      .validate_status = validate_status };
