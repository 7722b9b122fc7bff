/*
 * A pod has the labels that say in which zone and region its node is, so that the downward API can
 * tell its containers. They come with the binding, or with the pod where it names its node itself;
 * a node that nobody knows tells nothing.
 */
#include "api/meta/labels.h"
#include "api/meta/peek.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "controlplane/apiserver/admission/admission.h"

static const char *const topology[] = {
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
};

static void labels_put(struct arena *a, struct ObjectMeta *meta, const char *key, const char *value,
                       bool over)
{
    for (size_t i = 0; i < meta->n_labels; i++) {
        if (str_eq_c(str_from(meta->labels[i]->key), key)) {
            if (over) {
                meta->labels[i]->value = str_dup(a, str_from(value));
            }
            return;
        }
    }
    ObjectMeta__LabelsEntry **all = arena_array(a, meta->n_labels + 1, sizeof(*all));
    ObjectMeta__LabelsEntry *entry = arena_new(a, ObjectMeta__LabelsEntry);
    object_meta__labels_entry__init(entry);
    entry->key = str_dup(a, str_from(key));
    entry->value = str_dup(a, str_from(value));
    for (size_t i = 0; i < meta->n_labels; i++) {
        all[i] = meta->labels[i];
    }
    all[meta->n_labels++] = entry;
    meta->labels = all;
}

void topology_labels_put(struct arena *a, struct str node, struct ObjectMeta *meta, bool over)
{
    static const uint8_t metadata[] = { 1, 0 };
    struct err e;
    void *object = NULL;
    if (schema_unpack(a, &schema_ObjectMeta, peek_string(node, metadata), &object, &e) != 0) {
        return; /* the node's own writers are told */
    }
    const ObjectMeta *from = object;
    for (size_t i = 0; i < sizeof(topology) / sizeof(topology[0]); i++) {
        const char *value = entries_get(from->labels, from->n_labels, topology[i]);
        if (value != NULL) {
            labels_put(a, meta, topology[i], value, over);
        }
    }
}

int admit_topology_labels(struct admission *a, struct err *e)
{
    const Pod *pod = a->object;
    struct str node;
    (void)e;
    if (a->kind != KIND_POD || a->verb != ADMIT_CREATE || pod->spec == NULL ||
        str_from(pod->spec->node_name).len == 0) {
        return 0;
    }
    if (a->read(a, KIND_NODE, str_lit(""), str_from(pod->spec->node_name), false, &node) == 0) {
        topology_labels_put(a->arena, node, pod->metadata, false);
    }
    return 0;
}
