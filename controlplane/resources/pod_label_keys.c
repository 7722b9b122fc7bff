/*
 * matchLabelKeys and mismatchLabelKeys: the values are those of the pod's own labels when it is
 * made, and go into the selector beside them. Who schedules looks at the selector alone.
 */
#include "api/meta/labels.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"

struct merge {
    struct arena *arena;
    const ObjectMeta *pod;
};

static LabelSelectorRequirement *requirement(struct arena *a, const char *key, const char *operator,
                                             const char * value)
{
    LabelSelectorRequirement *made = arena_new(a, LabelSelectorRequirement);
    label_selector_requirement__init(made);
    made->key = text_new(a, key);
    made->operator_ = text_new(a, operator);
    made->values = arena_array(a, 1, sizeof(*made->values));
    made->values[0] = text_new(a, value);
    made->n_values = 1;
    return made;
}

static void merge_keys(const struct merge *m, LabelSelector *s, char *const *keys, size_t count,
                       const char *operator)
{
    LabelSelectorRequirement **all =
        arena_array(m->arena, s->n_match_expressions + count, sizeof(*all));
    size_t n = 0;
    for (size_t i = 0; i < s->n_match_expressions; i++)
        all[n++] = s->match_expressions[i];
    for (size_t i = 0; i < count; i++) {
        const char *value = entries_get(m->pod->labels, m->pod->n_labels, text_of(keys[i]));
        if (value != NULL)
            all[n++] = requirement(m->arena, keys[i], operator, value);
    }
    s->match_expressions = n == 0 ? NULL : all;
    s->n_match_expressions = n;
}

/* Without a selector no pod is meant: nothing to narrow. */
static void merge_term(const struct merge *m, PodAffinityTerm *t)
{
    if (t == NULL || t->label_selector == NULL)
        return;
    merge_keys(m, t->label_selector, t->match_label_keys, t->n_match_label_keys, "In");
    merge_keys(m, t->label_selector, t->mismatch_label_keys, t->n_mismatch_label_keys, "NotIn");
}

static void merge_affinity(const struct merge *m, Affinity *affinity)
{
    PodAffinity *near = affinity->pod_affinity;
    PodAntiAffinity *away = affinity->pod_anti_affinity;
    for (size_t i = 0;
         near != NULL && i < near->n_required_during_scheduling_ignored_during_execution; i++)
        merge_term(m, near->required_during_scheduling_ignored_during_execution[i]);
    for (size_t i = 0;
         near != NULL && i < near->n_preferred_during_scheduling_ignored_during_execution; i++)
        merge_term(
            m, near->preferred_during_scheduling_ignored_during_execution[i]->pod_affinity_term);
    for (size_t i = 0;
         away != NULL && i < away->n_required_during_scheduling_ignored_during_execution; i++)
        merge_term(m, away->required_during_scheduling_ignored_during_execution[i]);
    for (size_t i = 0;
         away != NULL && i < away->n_preferred_during_scheduling_ignored_during_execution; i++)
        merge_term(
            m, away->preferred_during_scheduling_ignored_during_execution[i]->pod_affinity_term);
}

void pod_label_keys_apply(struct arena *a, struct Pod *pod)
{
    static const ObjectMeta none = OBJECT_META__INIT;
    const struct merge m = { .arena = a, .pod = pod->metadata == NULL ? &none : pod->metadata };
    PodSpec *spec = pod->spec;
    if (spec->affinity != NULL)
        merge_affinity(&m, spec->affinity);
    for (size_t i = 0; i < spec->n_topology_spread_constraints; i++) {
        TopologySpreadConstraint *c = spec->topology_spread_constraints[i];
        if (c->label_selector != NULL)
            merge_keys(&m, c->label_selector, c->match_label_keys, c->n_match_label_keys, "In");
    }
}
