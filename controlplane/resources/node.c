/* Nodes: the agent owns status, and a created node keeps the status it came with. */
#include "api/meta/quantity.h"
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/addresses.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/strategies.h"

static void allocatable_from_capacity(struct arena *a, NodeStatus *status)
{
    if (status->n_allocatable > 0 || status->n_capacity == 0)
        return;
    status->allocatable = arena_array(a, status->n_capacity, sizeof(*status->allocatable));
    for (size_t i = 0; i < status->n_capacity; i++) {
        NodeStatus__AllocatableEntry *entry = arena_new(a, NodeStatus__AllocatableEntry);
        node_status__allocatable_entry__init(entry);
        entry->key = status->capacity[i]->key;
        entry->value = status->capacity[i]->value;
        status->allocatable[i] = entry;
    }
    status->n_allocatable = status->n_capacity;
}

/* One pod CIDR and the list of them say the same; where they differ, the one is meant. */
static void join_cidrs(struct arena *a, NodeSpec *spec)
{
    if (!text_empty(spec->pod_cidr) &&
        (spec->n_pod_cidrs == 0 || !text_eq(spec->pod_cidr, spec->pod_cidrs[0]))) {
        spec->pod_cidrs = arena_array(a, 1, sizeof(*spec->pod_cidrs));
        spec->pod_cidrs[0] = spec->pod_cidr;
        spec->n_pod_cidrs = 1;
    }
    if (spec->n_pod_cidrs > 0)
        spec->pod_cidr = spec->pod_cidrs[0];
}

static void defaults(struct arena *a, void *object)
{
    Node *node = object;
    join_cidrs(a, message_ensure(a, &node->spec, &node_spec__descriptor));
    (void)message_ensure(a, &node->status, &node_status__descriptor);
    allocatable_from_capacity(a, node->status);
}

static void prepare_update(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((Node *)object)->status = ((const Node *)old)->status;
}

static void prepare_status(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((Node *)object)->spec = ((const Node *)old)->spec;
}

static void validate_taints(const NodeSpec *spec, const struct field_path *up, struct err_list *out)
{
    static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute", NULL };
    struct field_path list = path_field(up, "taints");
    for (size_t i = 0; i < spec->n_taints; i++) {
        const Taint *t = spec->taints[i];
        struct field_path p = path_index(&list, i);
        struct field_path key = path_field(&p, "key");
        struct field_path value = path_field(&p, "value");
        struct field_path effect = path_field(&p, "effect");
        (void)check_name(out, &key, text_of(t->key), name_qualified);
        (void)check_name(out, &value, text_of(t->value), name_label_value);
        if (text_empty(t->effect))
            rule_required(out, &effect, "");
        else
            (void)check_one_of(out, &effect, t->effect, effects);
        for (size_t j = 0; j < i; j++) {
            if (text_eq(spec->taints[j]->key, t->key) &&
                text_eq(spec->taints[j]->effect, t->effect)) {
                struct str shown =
                    str_printf(out->arena, "%s:%s", text_of(t->key), text_of(t->effect));
                rule_duplicate(out, &p, str_dup(out->arena, shown));
                break;
            }
        }
    }
}

/* One range, or one of each family. */
static void validate_cidrs(const NodeSpec *spec, const struct field_path *up, struct err_list *out)
{
    struct field_path p = path_field(up, "podCIDRs");
    enum address_family families[2] = { ADDRESS_ANY, ADDRESS_ANY };
    const size_t n = spec->n_pod_cidrs;
    for (size_t i = 0; i < n; i++) {
        struct field_path at = path_index(&p, i);
        check_cidr(out, &at, spec->pod_cidrs[i]);
    }
    for (size_t i = 0; n > 1 && i < n; i++) {
        enum address_family family = cidr_family(out->arena, spec->pod_cidrs[i]);
        if (i < 2)
            families[i] = family;
        if (family == ADDRESS_ANY) {
            err_list_addf(out, path_text(out->arena, &p), FIELD_INTERNAL,
                          "invalid PodCIDRs. failed to check with dual stack with error:invalid "
                          "CIDR[%zu]: <nil> (invalid CIDR address: %s)",
                          i, text_of(spec->pod_cidrs[i]));
            families[0] = families[1];
            break;
        }
    }
    if (n > 2 || (n == 2 && families[0] == families[1]))
        rule_invalid_list(out, &p, spec->pod_cidrs, n,
                          "may specify no more than one CIDR for each IP family");
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const Node *node = object;
    struct field_path spec = path_field(NULL, "spec");
    struct field_path status = path_field(NULL, "status");
    struct field_path capacity = path_field(&status, "capacity");
    (void)c;
    validate_taints(node->spec, &spec, out);
    validate_cidrs(node->spec, &spec, out);
    for (size_t i = 0; i < node->status->n_capacity; i++) {
        const char *name = text_of(node->status->capacity[i]->key);
        const Quantity *value = node->status->capacity[i]->value;
        struct field_path p = path_key(&capacity, name);
        struct quantity q;
        (void)check_name(out, &capacity, name, name_qualified);
        if (value != NULL && quantity_parse(str_from(value->string), &q, NULL) == 0 && q.nanos < 0)
            rule_invalid_text(out, &p, value->string, "must be greater than or equal to 0");
    }
}

/* With an error for each that is another, as upstream. */
static void validate_same_cidrs(const NodeSpec *spec, const NodeSpec *was,
                                const struct field_path *up, struct err_list *out)
{
    static const char detail[] = "node updates may not change podCIDR except from \"\" to valid";
    struct field_path p = path_field(up, "podCIDRs");
    if (was->n_pod_cidrs > 0 && was->n_pod_cidrs != spec->n_pod_cidrs) {
        rule_forbidden(out, &p, detail);
        return;
    }
    for (size_t i = 0; i < was->n_pod_cidrs; i++) {
        if (!text_eq(was->pod_cidrs[i], spec->pod_cidrs[i]))
            rule_forbidden(out, &p, detail);
    }
}

/* A pod CIDR and a provider id are given once. */
static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const NodeSpec *spec = ((const Node *)object)->spec;
    const NodeSpec *was = ((const Node *)old)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path provider = path_field(&path, "providerID");
    (void)c;
    if (was == NULL)
        return;
    validate_same_cidrs(spec, was, &path, out);
    if (!text_empty(was->provider_id) && !text_eq(was->provider_id, spec->provider_id))
        rule_forbidden(out, &provider,
                       "node updates may not change providerID except from \"\" to valid");
}

const struct resource_strategy node_strategy = { .defaults = defaults,
                                                 .prepare_update = prepare_update,
                                                 .prepare_status = prepare_status,
                                                 .validate = validate,
                                                 .validate_update = validate_update };
