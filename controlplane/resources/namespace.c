/* Namespaces: the kubernetes finalizer, phase Active, and the name label. */
#include "controlplane/resources/namespace.h"

#include "api/meta/labels.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/metadata.h"
#include "controlplane/resources/rules.h"
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

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const Namespace *ns = object;
    struct field_path spec = path_field(NULL, "spec");
    struct field_path p = path_field(&spec, "finalizers");
    (void)c;
    for (size_t i = 0; ns->spec != NULL && i < ns->spec->n_finalizers; i++)
        metadata_validate_finalizer(ns->spec->finalizers[i], &p, &p, out);
}

void namespace_validate_finalize(const Namespace *ns, struct err_list *out)
{
    struct field_path spec = path_field(NULL, "spec");
    struct field_path p = path_field(&spec, "finalizers");
    for (size_t i = 0; ns->spec != NULL && i < ns->spec->n_finalizers; i++) {
        struct field_path at = path_index(&p, i);
        metadata_validate_finalizer(ns->spec->finalizers[i], &at, &at, out);
    }
}

/* The phase says whether it is being deleted. */
static void validate_status(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const Namespace *ns = object;
    struct field_path status = path_field(NULL, "status");
    struct field_path phase = path_field(&status, "Phase");
    bool deleting = ns->metadata->deletion_timestamp != NULL;
    (void)c;
    (void)old;
    if (!text_eq(ns->status->phase, deleting ? "Terminating" : "Active"))
        rule_invalid_text(out, &phase, ns->status->phase,
                          deleting ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
                                   : "may only be 'Active' if `deletionTimestamp` is empty");
}

const struct resource_strategy namespace_strategy = { .defaults = defaults,
                                                      .prepare_create = prepare_create,
                                                      .prepare_update = prepare_update,
                                                      .prepare_status = prepare_status,
                                                      .validate = validate,
                                                      .validate_status = validate_status };
