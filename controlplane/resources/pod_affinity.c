/* Where a pod may be placed: affinity to nodes and to pods, and spreading. */
#include "api/meta/labels.h"
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/metadata.h"
#include "controlplane/resources/pod.h"
#include "controlplane/resources/workload.h"

#define WEIGHT_MAX 100

static void check_weight(struct err_list *out, const struct field_path *up, int32_t weight)
{
    struct field_path p = path_field(up, "weight");
    if (weight <= 0 || weight > WEIGHT_MAX)
        rule_invalid_number(out, &p, weight, "must be in the range 1-100");
}

/* ---- nodes ---- */

static bool is_any(const char *text, const char *one, const char *other)
{
    return text_eq(text, one) || text_eq(text, other);
}

static void validate_node_values(const NodeSelectorRequirement *r, const struct field_path *p,
                                 struct err_list *out)
{
    struct field_path values = path_field(p, "values");
    struct field_path op = path_field(p, "operator");
    if (is_any(r->operator_, "In", "NotIn")) {
        if (r->n_values == 0)
            rule_required(out, &values, "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (is_any(r->operator_, "Exists", "DoesNotExist")) {
        if (r->n_values > 0)
            rule_forbidden(out, &values,
                           "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else if (is_any(r->operator_, "Gt", "Lt")) {
        if (r->n_values != 1)
            rule_required(out, &values,
                          "must be specified single value when `operator` is 'Lt' or 'Gt'");
    } else {
        rule_invalid_text(out, &op, r->operator_, "not a valid selector operator");
    }
}

/* any_value: values need not be label values (a preference that never matches does no harm). */
static void validate_node_label(const NodeSelectorRequirement *r, bool any_value,
                                const struct field_path *p, struct err_list *out)
{
    struct field_path key = path_field(p, "key");
    struct field_path values = path_field(p, "values");
    validate_node_values(r, p, out);
    (void)check_name(out, &key, text_of(r->key), name_qualified);
    for (size_t i = 0; !any_value && i < r->n_values; i++) {
        struct field_path at = path_index(&values, i);
        (void)check_name(out, &at, text_of(r->values[i]), name_label_value);
    }
}

static void validate_node_field(const NodeSelectorRequirement *r, const struct field_path *p,
                                struct err_list *out)
{
    struct field_path key = path_field(p, "key");
    struct field_path op = path_field(p, "operator");
    struct field_path values = path_field(p, "values");
    if (!is_any(r->operator_, "In", "NotIn"))
        rule_invalid_text(out, &op, r->operator_, "not a valid selector operator");
    else if (r->n_values != 1)
        rule_required(out, &values,
                      "must be only one value when `operator` is 'In' or 'NotIn' for node field "
                      "selector");
    if (!text_eq(r->key, "metadata.name")) {
        rule_invalid_text(out, &key, r->key, "not a valid field selector key");
        return;
    }
    for (size_t i = 0; i < r->n_values; i++) {
        struct field_path at = path_index(&values, i);
        (void)check_name(out, &at, text_of(r->values[i]), name_dns1123_subdomain);
    }
}

static void validate_node_term(const NodeSelectorTerm *t, bool any_value,
                               const struct field_path *p, struct err_list *out)
{
    struct field_path expressions = path_field(p, "matchExpressions");
    struct field_path fields = path_field(p, "matchFields");
    for (size_t i = 0; t != NULL && i < t->n_match_expressions; i++) {
        struct field_path at = path_index(&expressions, i);
        validate_node_label(t->match_expressions[i], any_value, &at, out);
    }
    for (size_t i = 0; t != NULL && i < t->n_match_fields; i++) {
        struct field_path at = path_index(&fields, i);
        validate_node_field(t->match_fields[i], &at, out);
    }
}

static void validate_node_affinity(const NodeAffinity *a, const struct field_path *up,
                                   struct err_list *out)
{
    struct field_path p = path_field(up, "nodeAffinity");
    struct field_path required = path_field(&p, "requiredDuringSchedulingIgnoredDuringExecution");
    struct field_path terms = path_field(&required, "nodeSelectorTerms");
    struct field_path preferred = path_field(&p, "preferredDuringSchedulingIgnoredDuringExecution");
    const NodeSelector *s = a->required_during_scheduling_ignored_during_execution;
    if (s != NULL && s->n_node_selector_terms == 0)
        rule_required(out, &terms, "must have at least one node selector term");
    for (size_t i = 0; s != NULL && i < s->n_node_selector_terms; i++) {
        struct field_path at = path_index(&terms, i);
        validate_node_term(s->node_selector_terms[i], false, &at, out);
    }
    for (size_t i = 0; i < a->n_preferred_during_scheduling_ignored_during_execution; i++) {
        const PreferredSchedulingTerm *t =
            a->preferred_during_scheduling_ignored_during_execution[i];
        struct field_path at = path_index(&preferred, i);
        struct field_path preference = path_field(&at, "preference");
        check_weight(out, &at, t->weight);
        validate_node_term(t->preference, true, &preference, out);
    }
}

/* ---- pods ---- */

static void validate_selector(const LabelSelector *s, const char *name, const struct field_path *up,
                              struct err_list *out)
{
    struct field_path p = path_field(up, name);
    if (s != NULL)
        workload_validate_selector(s, &p, out);
}

/* Keys whose values come from the pod's own labels: they narrow a selector, so there must be one.
 */
static void validate_keys(char *const *keys, size_t count, const char *name,
                          const LabelSelector *selector, const struct field_path *up,
                          struct err_list *out)
{
    struct field_path p = path_field(up, name);
    if (count > 0 && selector == NULL)
        rule_forbidden(out, &p, "must not be specified when labelSelector is not set");
    for (size_t i = 0; i < count; i++) {
        struct field_path at = path_index(&p, i);
        (void)check_name(out, &at, text_of(keys[i]), name_qualified);
    }
}

/* The keys that a selector asks for. */
static struct keys selected_keys(struct arena *a, const LabelSelector *s)
{
    struct keys keys = keys_new(a, s == NULL ? 0 : s->n_match_labels + s->n_match_expressions);
    for (size_t i = 0; s != NULL && i < s->n_match_labels; i++)
        keys_add(&keys, (struct key){ .text = entries_key(s->match_labels, i) });
    for (size_t i = 0; s != NULL && i < s->n_match_expressions; i++)
        keys_add(&keys, (struct key){ .text = s->match_expressions[i]->key });
    keys_sort(&keys);
    return keys;
}

/* A pod's keys have been merged into its selector: what is there twice, its author wrote too. */
static void check_selected_once(char *const *keys, size_t count, const LabelSelector *s,
                                const struct field_path *p, struct err_list *out)
{
    struct keys selected = selected_keys(out->arena, s);
    struct keys asked = keys_new(out->arena, count);
    for (size_t i = 0; i < count; i++)
        keys_add(&asked, (struct key){ .text = keys[i] });
    keys_sort(&asked);
    for (size_t i = 0; count > 0 && s != NULL && i < s->n_match_expressions; i++) {
        const char *key = s->match_expressions[i]->key;
        ptrdiff_t at = keys_find(&asked, (struct key){ .text = key });
        if (at < 0 || !keys_repeated(&selected, s->n_match_labels + i))
            continue;
        struct field_path item = path_index(p, (size_t)at);
        rule_invalid_text(out, &item, text_of(key),
                          "exists in both matchLabelKeys and labelSelector");
    }
}

static void validate_pod_keys(const PodAffinityTerm *t, const struct field_path *p,
                              struct err_list *out)
{
    struct field_path match = path_field(p, "matchLabelKeys");
    validate_keys(t->match_label_keys, t->n_match_label_keys, "matchLabelKeys", t->label_selector,
                  p, out);
    validate_keys(t->mismatch_label_keys, t->n_mismatch_label_keys, "mismatchLabelKeys",
                  t->label_selector, p, out);
    check_selected_once(t->match_label_keys, t->n_match_label_keys, t->label_selector, p, out);
    struct keys mismatch = keys_new(out->arena, t->n_mismatch_label_keys);
    for (size_t i = 0; i < t->n_mismatch_label_keys; i++)
        keys_add(&mismatch, (struct key){ .text = t->mismatch_label_keys[i] });
    keys_sort(&mismatch);
    for (size_t i = 0; i < t->n_match_label_keys; i++) {
        struct field_path at = path_index(&match, i);
        if (keys_have(&mismatch, t->match_label_keys[i]))
            rule_invalid_text(out, &at, t->match_label_keys[i],
                              "exists in both matchLabelKeys and mismatchLabelKeys");
    }
}

static void validate_pod_term(const PodAffinityTerm *t, const struct field_path *p,
                              struct err_list *out)
{
    static const PodAffinityTerm none = POD_AFFINITY_TERM__INIT;
    struct field_path key = path_field(p, "topologyKey");
    struct field_path namespace = path_field(p, "namespace"); /* as upstream calls it */
    if (t == NULL)
        t = &none;
    validate_selector(t->label_selector, "labelSelector", p, out);
    validate_selector(t->namespace_selector, "namespaceSelector", p, out);
    for (size_t i = 0; i < t->n_namespaces; i++)
        (void)check_name(out, &namespace, text_of(t->namespaces[i]), name_dns1123_label);
    validate_pod_keys(t, p, out);
    if (text_empty(t->topology_key))
        rule_required(out, &key, "can not be empty");
    (void)check_name(out, &key, text_of(t->topology_key), name_qualified);
}

/* Of podAffinity and podAntiAffinity, which are two types of one form. */
struct pod_terms {
    PodAffinityTerm **required;
    size_t required_count;
    WeightedPodAffinityTerm **preferred;
    size_t preferred_count;
};

static void validate_pod_terms(const struct pod_terms *terms, const char *name,
                               const struct field_path *up, struct err_list *out)
{
    struct field_path p = path_field(up, name);
    struct field_path required = path_field(&p, "requiredDuringSchedulingIgnoredDuringExecution");
    struct field_path preferred = path_field(&p, "preferredDuringSchedulingIgnoredDuringExecution");
    for (size_t i = 0; i < terms->required_count; i++) {
        struct field_path at = path_index(&required, i);
        validate_pod_term(terms->required[i], &at, out);
    }
    for (size_t i = 0; i < terms->preferred_count; i++) {
        struct field_path at = path_index(&preferred, i);
        struct field_path term = path_field(&at, "podAffinityTerm");
        check_weight(out, &at, terms->preferred[i]->weight);
        validate_pod_term(terms->preferred[i]->pod_affinity_term, &term, out);
    }
}

static void validate_affinity(const Affinity *a, const struct field_path *up, struct err_list *out)
{
    struct field_path p = path_field(up, "affinity");
    if (a->node_affinity != NULL)
        validate_node_affinity(a->node_affinity, &p, out);
    if (a->pod_affinity != NULL) {
        const PodAffinity *near = a->pod_affinity;
        validate_pod_terms(
            &(struct pod_terms){ near->required_during_scheduling_ignored_during_execution,
                                 near->n_required_during_scheduling_ignored_during_execution,
                                 near->preferred_during_scheduling_ignored_during_execution,
                                 near->n_preferred_during_scheduling_ignored_during_execution },
            "podAffinity", &p, out);
    }
    if (a->pod_anti_affinity != NULL) {
        const PodAntiAffinity *away = a->pod_anti_affinity;
        validate_pod_terms(
            &(struct pod_terms){ away->required_during_scheduling_ignored_during_execution,
                                 away->n_required_during_scheduling_ignored_during_execution,
                                 away->preferred_during_scheduling_ignored_during_execution,
                                 away->n_preferred_during_scheduling_ignored_during_execution },
            "podAntiAffinity", &p, out);
    }
}

/* ---- spreading ---- */

static void validate_spread_keys(const TopologySpreadConstraint *c, const struct field_path *p,
                                 struct err_list *out)
{
    struct field_path keys = path_field(p, "matchLabelKeys");
    validate_keys(c->match_label_keys, c->n_match_label_keys, "matchLabelKeys", c->label_selector,
                  p, out);
    check_selected_once(c->match_label_keys, c->n_match_label_keys, c->label_selector, &keys, out);
}

static void validate_min_domains(const TopologySpreadConstraint *c, const struct field_path *up,
                                 struct err_list *out)
{
    struct field_path p = path_field(up, "minDomains");
    if (!c->has_min_domains)
        return;
    if (c->min_domains <= 0)
        rule_invalid_number(out, &p, c->min_domains, "must be greater than zero");
    if (!text_eq(c->when_unsatisfiable, "DoNotSchedule")) {
        struct str detail = str_printf(
            out->arena, "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not %s",
            text_of(c->when_unsatisfiable));
        rule_invalid_number(out, &p, c->min_domains, str_dup(out->arena, detail));
    }
}

static void validate_constraint(const TopologySpreadConstraint *c, const struct field_path *p,
                                struct err_list *out)
{
    static const char *const actions[] = { "DoNotSchedule", "ScheduleAnyway", NULL };
    struct field_path skew = path_field(p, "maxSkew");
    struct field_path key = path_field(p, "topologyKey");
    struct field_path action = path_field(p, "whenUnsatisfiable");
    if (c->max_skew <= 0)
        rule_invalid_number(out, &skew, c->max_skew, "must be greater than zero");
    if (text_empty(c->topology_key))
        rule_required(out, &key, "can not be empty");
    else
        (void)check_name(out, &key, c->topology_key, name_qualified);
    (void)check_one_of(out, &action, text_of(c->when_unsatisfiable), actions);
}

static void validate_policies(const TopologySpreadConstraint *c, const struct field_path *p,
                              struct err_list *out)
{
    static const char *const policies[] = { "Honor", "Ignore", NULL };
    struct field_path affinity = path_field(p, "nodeAffinityPolicy");
    struct field_path taints = path_field(p, "nodeTaintsPolicy");
    if (c->node_affinity_policy != NULL)
        (void)check_one_of(out, &affinity, c->node_affinity_policy, policies);
    if (c->node_taints_policy != NULL)
        (void)check_one_of(out, &taints, c->node_taints_policy, policies);
}

/* The last first: upstream blames a constraint that a later one repeats. */
static struct keys constraints_of(struct arena *a, const PodSpec *spec)
{
    struct keys keys = keys_new(a, spec->n_topology_spread_constraints);
    for (size_t i = spec->n_topology_spread_constraints; i > 0; i--) {
        const TopologySpreadConstraint *c = spec->topology_spread_constraints[i - 1];
        keys_add(&keys, (struct key){ .text = c->topology_key, .more = c->when_unsatisfiable });
    }
    keys_sort(&keys);
    return keys;
}

void pod_spread_validate(const struct PodSpec *spec, const struct field_path *path,
                         struct err_list *out)
{
    struct field_path list = path_field(path, "topologySpreadConstraints");
    struct keys keys = constraints_of(out->arena, spec);
    for (size_t i = 0; i < spec->n_topology_spread_constraints; i++) {
        const TopologySpreadConstraint *c = spec->topology_spread_constraints[i];
        struct field_path p = path_index(&list, i);
        struct field_path both = path_field(&p, "{topologyKey, whenUnsatisfiable}");
        validate_constraint(c, &p, out);
        if (keys_repeated(&keys, keys.count - 1 - i)) {
            struct str shown = str_printf(out->arena, "{%s, %s}", text_of(c->topology_key),
                                          text_of(c->when_unsatisfiable));
            rule_duplicate(out, &both, str_dup(out->arena, shown));
        }
        validate_min_domains(c, &p, out);
        validate_policies(c, &p, out);
        validate_spread_keys(c, &p, out);
        validate_selector(c->label_selector, "labelSelector", &p, out);
    }
}

void pod_affinity_validate(const struct PodSpec *spec, const struct field_path *path,
                           struct err_list *out)
{
    if (spec->affinity != NULL)
        validate_affinity(spec->affinity, path, out);
}
