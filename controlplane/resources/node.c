/* Nodes: the agent owns status, and a created node keeps the status it came with. */
#include "api/meta/quantity.h"
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/keys.h"
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

static void defaults(struct arena *a, void *object)
{
    Node *node = object;
    (void)message_ensure(a, &node->spec, &node_spec__descriptor);
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
    struct keys keys = keys_new(out->arena, spec->n_taints);
    for (size_t i = 0; i < spec->n_taints; i++)
        keys_add(&keys,
                 (struct key){ .text = spec->taints[i]->key, .more = spec->taints[i]->effect });
    keys_sort(&keys);
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
        if (keys_repeated(&keys, i)) {
            struct str shown = str_printf(out->arena, "%s:%s", text_of(t->key), text_of(t->effect));
            rule_duplicate(out, &p, str_dup(out->arena, shown));
        }
    }
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const Node *node = object;
    struct field_path spec = path_field(NULL, "spec");
    struct field_path status = path_field(NULL, "status");
    struct field_path capacity = path_field(&status, "capacity");
    (void)c;
    validate_taints(node->spec, &spec, out);
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

/* A pod CIDR and a provider id are given once. */
static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const NodeSpec *spec = ((const Node *)object)->spec;
    const NodeSpec *was = ((const Node *)old)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path cidr = path_field(&path, "podCIDRs");
    struct field_path provider = path_field(&path, "providerID");
    (void)c;
    if (was == NULL)
        return;
    if (!text_empty(was->pod_cidr) && !text_eq(was->pod_cidr, spec->pod_cidr))
        rule_forbidden(out, &cidr, "node updates may not change podCIDR except from \"\" to valid");
    if (!text_empty(was->provider_id) && !text_eq(was->provider_id, spec->provider_id))
        rule_forbidden(out, &provider,
                       "node updates may not change providerID except from \"\" to valid");
}

const struct resource_strategy node_strategy = { .defaults = defaults,
                                                 .prepare_update = prepare_update,
                                                 .prepare_status = prepare_status,
                                                 .validate = validate,
                                                 .validate_update = validate_update };
