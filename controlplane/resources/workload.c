/* Selector against template: what every workload checks. */
#include "controlplane/resources/workload.h"

#include "api/meta/labels.h"
#include "api/meta/selector.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/resources/keys.h"
#include "controlplane/resources/metadata.h"
#include "controlplane/resources/pod.h"

#define PERCENT_TEXT                                                                               \
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "   \
    "'93%', regex used for validation is '[0-9]+%')"

static void validate_expression(const LabelSelectorRequirement *r, const struct field_path *p,
                                struct err_list *out)
{
    struct field_path key = path_field(p, "key");
    struct field_path op_path = path_field(p, "operator");
    struct field_path values = path_field(p, "values");
    bool set = text_eq(r->operator_, "In") || text_eq(r->operator_, "NotIn");
    bool exists = text_eq(r->operator_, "Exists") || text_eq(r->operator_, "DoesNotExist");
    if (set && r->n_values == 0)
        rule_required(out, &values, "must be specified when `operator` is 'In' or 'NotIn'");
    else if (exists && r->n_values > 0)
        rule_forbidden(out, &values,
                       "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    else if (!set && !exists)
        rule_invalid_text(out, &op_path, r->operator_, "not a valid selector operator");
    (void)check_name(out, &key, text_of(r->key), name_qualified);
    for (size_t i = 0; i < r->n_values; i++) {
        struct field_path at = path_index(&values, i);
        (void)check_name(out, &at, text_of(r->values[i]), name_label_value);
    }
}

void workload_validate_selector(const struct LabelSelector *selector, const struct field_path *p,
                                struct err_list *out)
{
    struct field_path labels = path_field(p, "matchLabels");
    struct field_path expressions = path_field(p, "matchExpressions");
    metadata_validate_labels(selector->match_labels, selector->n_match_labels, &labels, out);
    for (size_t i = 0; i < selector->n_match_expressions; i++) {
        struct field_path at = path_index(&expressions, i);
        validate_expression(selector->match_expressions[i], &at, out);
    }
}

/* A selector that is absent matches no labels. */
static void match_nothing(const PodTemplateSpec *t, const struct field_path *path,
                          struct err_list *out)
{
    struct field_path template = path_field(path, "template");
    struct field_path metadata = path_field(&template, "metadata");
    struct field_path labels_path = path_field(&metadata, "labels");
    rule_invalid_map(out, &labels_path, t->metadata == NULL ? NULL : t->metadata->labels,
                     t->metadata == NULL ? 0 : t->metadata->n_labels,
                     "`selector` does not match template `labels`");
}

/* A template's labels by key: a selector asks for many. */
struct sorted_labels {
    struct arena *arena;
    const ObjectMeta *meta;
    struct keys keys;
};

static bool get_sorted(const struct labels *l, struct str key, struct str *out_value)
{
    const struct sorted_labels *s = l->data;
    ptrdiff_t at = keys_find(&s->keys, (struct key){ .text = str_dup(s->arena, key) });
    if (at >= 0)
        *out_value = str_from(entries_value(s->meta->labels, (size_t)at));
    return at >= 0;
}

void workload_validate_match(const struct selector *selector, const struct PodTemplateSpec *t,
                             const struct field_path *path, struct err_list *out)
{
    const ObjectMeta *meta = t->metadata;
    size_t count = meta == NULL ? 0 : meta->n_labels;
    struct sorted_labels sorted = { out->arena, meta, keys_new(out->arena, count) };
    for (size_t i = 0; i < count; i++)
        keys_add(&sorted.keys, (struct key){ .text = entries_key(meta->labels, i) });
    keys_sort(&sorted.keys);
    struct labels labels = { .get = get_sorted, .data = &sorted };
    if (!selector_everything(selector) && !selector_matches(selector, &labels))
        match_nothing(t, path, out);
}

static void validate_match(const LabelSelector *ls, const PodTemplateSpec *t,
                           const struct field_path *path, struct err_list *out)
{
    struct selector selector;
    struct field_path selector_path = path_field(path, "selector");
    if (selector_from_struct(out->arena, ls, &selector, NULL) < 0)
        rule_invalid_message(out, &selector_path, &schema_LabelSelector, ls,
                             "invalid label selector");
    else
        workload_validate_match(&selector, t, path, out);
}

void workload_validate_counts(const struct workload_counts *counts, struct err_list *out)
{
    const struct {
        const char *name;
        int64_t value;
        bool part; /* of the replicas */
    } all[] = { { "replicas", counts->replicas, false },
                { "fullyLabeledReplicas", counts->fully_labeled, true },
                { "updatedReplicas", counts->updated, true },
                { "readyReplicas", counts->ready, true },
                { "availableReplicas", counts->available, true },
                { "unavailableReplicas", counts->unavailable, false },
                { "terminatingReplicas", counts->terminating, false },
                { "observedGeneration", counts->observed_generation, false },
                { "collisionCount", counts->collisions, false } };
    struct field_path path = path_field(NULL, "status");
    struct field_path available = path_field(&path, "availableReplicas");
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct field_path p = path_field(&path, all[i].name);
        (void)check_not_negative(out, &p, all[i].value);
    }
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct field_path p = path_field(&path, all[i].name);
        if (all[i].part && all[i].value > counts->replicas)
            rule_invalid_number(out, &p, all[i].value, "cannot be greater than status.replicas");
    }
    if (counts->available > counts->ready)
        rule_invalid_number(out, &available, counts->available,
                            "cannot be greater than readyReplicas");
}

void workload_validate_template(const struct LabelSelector *selector,
                                const struct PodTemplateSpec *t, const struct field_path *path,
                                struct err_list *out)
{
    static const PodTemplateSpec none = POD_TEMPLATE_SPEC__INIT;
    struct field_path selector_path = path_field(path, "selector");
    struct field_path template = path_field(path, "template");
    if (t == NULL)
        t = &none;
    if (selector == NULL) {
        rule_required(out, &selector_path, "");
        match_nothing(t, path, out);
    } else {
        workload_validate_selector(selector, &selector_path, out);
        if (selector->n_match_labels == 0 && selector->n_match_expressions == 0)
            rule_invalid_message(out, &selector_path, &schema_LabelSelector, selector,
                                 "empty selector is invalid for deployment");
        validate_match(selector, t, path, out);
    }
    pod_template_validate(t, &template, out);
}

void workload_validate_selector_update(const struct LabelSelector *selector,
                                       const struct LabelSelector *old, struct err_list *out)
{
    struct field_path spec = path_field(NULL, "spec");
    struct field_path p = path_field(&spec, "selector");
    if (selector == NULL || old == NULL || schema_equal(&schema_LabelSelector, selector, old))
        return;
    rule_invalid_message(out, &p, &schema_LabelSelector, selector, "field is immutable");
}

int64_t workload_percent(const char *text)
{
    struct str s = str_from(text);
    uint64_t value;
    if (!str_ends(s, str_lit("%")) || str_to_u64(str_slice(s, 0, s.len - 1), &value) < 0)
        return -1;
    return value > INT32_MAX ? INT32_MAX : (int64_t)value;
}

void workload_validate_amount(const struct IntOrString *v, const char *name, bool at_most_all,
                              const struct field_path *up, struct err_list *out)
{
    struct field_path p = path_field(up, name);
    if (v == NULL)
        return;
    if (!int_or_string_is_text(v)) {
        (void)check_not_negative(out, &p, v->int_val);
        return;
    }
    int64_t percent = workload_percent(v->str_val);
    if (percent < 0)
        rule_invalid_text(out, &p, v->str_val, PERCENT_TEXT);
    else if (at_most_all && percent > 100)
        rule_invalid_text(out, &p, v->str_val, "must not be greater than 100%");
}
