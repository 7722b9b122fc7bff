/*
 * Scheduling gates in an update: they may only go, and while a pod has one, where it may be placed
 * may be narrowed: by more labels its node must have, by more requirements in each term of its
 * node affinity.
 */
#include "api/meta/labels.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/resources/keys.h"
#include "controlplane/resources/pod.h"

void pod_gates_validate_update(const struct PodSpec *spec, const struct PodSpec *old,
                               const struct field_path *path, struct err_list *out)
{
    struct field_path p = path_field(path, "schedulingGates");
    struct keys gates = keys_new(out->arena, old->n_scheduling_gates);
    for (size_t i = 0; i < old->n_scheduling_gates; i++)
        keys_add(&gates, (struct key){ .text = old->scheduling_gates[i]->name });
    keys_sort(&gates);
    for (size_t i = 0; i < spec->n_scheduling_gates; i++) {
        const char *name = text_of(spec->scheduling_gates[i]->name);
        if (!keys_have(&gates, name)) {
            struct str detail = str_printf(out->arena,
                                           "only deletion is allowed, but found new scheduling "
                                           "gate '%s'",
                                           name);
            struct field_path gate = path_index(&p, i);
            struct field_path at = path_field(&gate, "name");
            rule_forbidden(out, &at, str_dup(out->arena, detail));
        }
    }
}

/* ---- labels of the node ---- */

static void narrow_labels(PodSpec *munged, const PodSpec *old, const struct field_path *path,
                          struct err_list *out)
{
    struct field_path p = path_field(path, "nodeSelector");
    if (!entries_contain(munged->node_selector, munged->n_node_selector, old->node_selector,
                         old->n_node_selector))
        rule_invalid_map(out, &p, munged->node_selector, munged->n_node_selector,
                         "only additions to spec.nodeSelector are allowed (no mutations or "
                         "deletions)");
    munged->node_selector = old->node_selector;
    munged->n_node_selector = old->n_node_selector;
}

/* ---- terms of node affinity ---- */

static void show_texts(struct buf *b, char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_append_c(b, i == 0 ? "[" : ",");
        json_write_string(b, str_from(texts[i]), true);
    }
    buf_append_c(b, count == 0 ? "null" : "]");
}

static void show_requirements(struct buf *b, NodeSelectorRequirement *const *list, size_t count)
{
    for (size_t i = 0; i < count && b->len < RULE_VALUE_BYTES_MAX; i++) {
        buf_append_c(b, i == 0 ? "[{\"Key\":" : ",{\"Key\":");
        json_write_string(b, str_from(text_of(list[i]->key)), true);
        buf_append_c(b, ",\"Operator\":");
        json_write_string(b, str_from(text_of(list[i]->operator_)), true);
        buf_append_c(b, ",\"Values\":");
        show_texts(b, list[i]->values, list[i]->n_values);
        buf_append_c(b, "}");
    }
    buf_append_c(b, count == 0 ? "null" : "]");
}

/* As upstream shows it: by the names of its own structs. */
static void show_term(struct buf *b, const NodeSelectorTerm *t)
{
    buf_append_c(b, "{\"MatchExpressions\":");
    show_requirements(b, t->match_expressions, t->n_match_expressions);
    buf_append_c(b, ",\"MatchFields\":");
    show_requirements(b, t->match_fields, t->n_match_fields);
    buf_append_c(b, "}");
}

static const NodeSelector *required(const PodSpec *spec)
{
    static const NodeSelector none = NODE_SELECTOR__INIT;
    const NodeAffinity *a = spec->affinity == NULL ? NULL : spec->affinity->node_affinity;
    const NodeSelector *s =
        a == NULL ? NULL : a->required_during_scheduling_ignored_during_execution;
    return s == NULL ? &none : s;
}

/* What there was is still there, and first. */
static bool begins_with(NodeSelectorRequirement *const *list, size_t count,
                        NodeSelectorRequirement *const *old, size_t old_count)
{
    bool same = count >= old_count;
    for (size_t i = 0; same && i < old_count; i++)
        same = schema_equal(&schema_NodeSelectorRequirement, list[i], old[i]);
    return same;
}

static bool only_added(const NodeSelectorTerm *t, const NodeSelectorTerm *old)
{
    if (old->n_match_expressions == 0 && old->n_match_fields == 0)
        return t->n_match_expressions == 0 && t->n_match_fields == 0;
    return begins_with(t->match_expressions, t->n_match_expressions, old->match_expressions,
                       old->n_match_expressions) &&
           begins_with(t->match_fields, t->n_match_fields, old->match_fields, old->n_match_fields);
}

static void refuse_terms(struct err_list *out, const struct field_path *p, const NodeSelector *s)
{
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < s->n_node_selector_terms && b.len < RULE_VALUE_BYTES_MAX; i++) {
        buf_append_c(&b, i == 0 ? "[" : ",");
        show_term(&b, s->node_selector_terms[i]);
    }
    buf_append_c(&b, s->n_node_selector_terms == 0 ? "null" : "]");
    rule_invalid(out, p, str_dup(out->arena, buf_str(&b)),
                 "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
    buf_deinit(&b);
}

static void refuse_term(struct err_list *out, const struct field_path *p, const NodeSelectorTerm *t)
{
    struct buf b;
    buf_init(&b);
    show_term(&b, t);
    rule_invalid(out, p, str_dup(out->arena, buf_str(&b)),
                 "only additions are allowed (no mutations or deletions)");
    buf_deinit(&b);
}

static void validate_terms(const PodSpec *spec, const PodSpec *old, const struct field_path *path,
                           struct err_list *out)
{
    const NodeSelector *now = required(spec);
    const NodeSelector *was = required(old);
    struct field_path affinity = path_field(path, "affinity");
    struct field_path node = path_field(&affinity, "nodeAffinity");
    struct field_path hard = path_field(&node, "requiredDuringSchedulingIgnoredDuringExecution");
    struct field_path p = path_field(&hard, "nodeSelectorTerms");
    if (was->n_node_selector_terms == 0)
        return;
    if (was->n_node_selector_terms != now->n_node_selector_terms) {
        refuse_terms(out, &p, now);
        return;
    }
    for (size_t i = 0; i < now->n_node_selector_terms; i++) {
        struct field_path at = path_index(&p, i);
        if (!only_added(now->node_selector_terms[i], was->node_selector_terms[i]))
            refuse_term(out, &at, now->node_selector_terms[i]);
    }
}

/* Puts the old node affinity where a new one is. */
static void keep_affinity(struct arena *a, PodSpec *munged, const PodSpec *old)
{
    NodeAffinity *was = old->affinity == NULL ? NULL : old->affinity->node_affinity;
    Affinity *now = munged->affinity;
    if (now == NULL && was == NULL)
        return;
    if (now != NULL && old->affinity == NULL && now->pod_affinity == NULL &&
        now->pod_anti_affinity == NULL) {
        munged->affinity = NULL;
        return;
    }
    munged->affinity = arena_new(a, Affinity);
    affinity__init(munged->affinity);
    if (now != NULL)
        *munged->affinity = *now;
    munged->affinity->node_affinity = was;
}

static bool same_affinity(const PodSpec *spec, const PodSpec *old)
{
    const NodeAffinity *now = spec->affinity == NULL ? NULL : spec->affinity->node_affinity;
    const NodeAffinity *was = old->affinity == NULL ? NULL : old->affinity->node_affinity;
    return now == was ||
           (now != NULL && was != NULL && schema_equal(&schema_NodeAffinity, now, was));
}

void pod_placement_validate_update(struct PodSpec *munged, const struct PodSpec *old,
                                   const struct field_path *path, struct err_list *out)
{
    if (old->n_scheduling_gates == 0)
        return;
    narrow_labels(munged, old, path, out);
    if (!same_affinity(munged, old)) {
        validate_terms(munged, old, path, out);
        keep_affinity(out->arena, munged, old);
    }
}
