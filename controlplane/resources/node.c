/* Nodes: the agent owns status, and a created node keeps the status it came with. */
#include "api/meta/time.h"
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/resources/addresses.h"
#include "controlplane/resources/keys.h"
#include "controlplane/resources/quantities.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/strategies.h"

#define MILLIS 1000 /* of a whole */

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

/* As upstream shows it: by the names of its own struct. */
static void refuse_twin(const Taint *t, const struct field_path *p, struct err_list *out)
{
    struct buf b;
    if (err_list_full(out))
        return;
    buf_init(&b);
    buf_append_c(&b, "{\"Key\":");
    json_write_string(&b, str_from(text_of(t->key)), true);
    buf_append_c(&b, ",\"Value\":");
    json_write_string(&b, str_from(text_of(t->value)), true);
    buf_append_c(&b, ",\"Effect\":");
    json_write_string(&b, str_from(text_of(t->effect)), true);
    buf_append_c(&b, ",\"TimeAdded\":");
    if (t->time_added == NULL) {
        buf_append_c(&b, "null");
    } else {
        char text[TIME_TEXT_MAX];
        (void)time_format(time_seconds(t->time_added), text);
        buf_printf(&b, "\"%s\"", text);
    }
    buf_append_c(&b, "}: taints must be unique by key and effect pair");
    err_list_add(out, path_text(out->arena, p), FIELD_DUPLICATE, str_dup(out->arena, buf_str(&b)));
    buf_deinit(&b);
}

/* Upstream puts them under metadata. */
static void validate_taints(const NodeSpec *spec, struct err_list *out)
{
    static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute", NULL };
    struct field_path up = path_field(NULL, "metadata");
    struct field_path list = path_field(&up, "taints");
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
        if (keys_repeated(&keys, i))
            refuse_twin(t, &p, out);
    }
}

/* Amounts are not negative, and whole where they are counted. */
static void validate_amounts(const struct quantities *amounts, const char *name,
                             struct err_list *out)
{
    struct field_path status = path_field(NULL, "status");
    struct field_path list = path_field(&status, name);
    for (size_t i = 0; i < amounts->count; i++) {
        const char *key = quantities_key(amounts, i);
        struct field_path p = path_field(&list, key); /* upstream's form */
        struct quantity q;
        if (!quantities_value(amounts, i, &q))
            continue;
        if (q.nanos < 0)
            rule_invalid_text(out, &p, quantity_shown(out->arena, &q),
                              "must be greater than or equal to 0");
        if (resource_is_whole(key) && quantity_milli(&q) % MILLIS != 0)
            rule_invalid_text(out, &p, quantity_shown(out->arena, &q), "must be an integer");
    }
}

/* One range, or one of each family. */
static void validate_ranges(const NodeSpec *spec, struct err_list *out)
{
    struct field_path up = path_field(NULL, "spec");
    struct field_path p = path_field(&up, "podCIDRs");
    enum address_family families[2] = { ADDRESS_ANY, ADDRESS_ANY };
    const size_t n = spec->n_pod_cidrs;
    for (size_t i = 0; i < n; i++) {
        struct field_path at = path_index(&p, i);
        check_cidr(out, &at, spec->pod_cidrs[i]);
    }
    for (size_t i = 0; n > 1 && i < n; i++) {
        uint8_t address[ADDRESS_BYTES];
        uint64_t prefix;
        enum address_family family = cidr_parse(spec->pod_cidrs[i], address, &prefix);
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
    const NodeStatus *s = node->status;
    const struct quantities capacity = { s->capacity, s->n_capacity };
    const struct quantities allocatable = { s->allocatable, s->n_allocatable };
    (void)c;
    validate_taints(node->spec, out);
    validate_ranges(node->spec, out);
    validate_amounts(&capacity, "capacity", out);
    validate_amounts(&allocatable, "allocatable", out);
}

/* Each address once. */
static void validate_addresses(const NodeStatus *s, struct err_list *out)
{
    struct field_path status = path_field(NULL, "status");
    struct field_path list = path_field(&status, "addresses");
    struct keys keys = keys_new(out->arena, s->n_addresses);
    for (size_t i = 0; i < s->n_addresses; i++)
        keys_add(&keys,
                 (struct key){ .text = s->addresses[i]->type, .more = s->addresses[i]->address });
    keys_sort(&keys);
    for (size_t i = 0; i < s->n_addresses; i++) {
        const NodeAddress *is = s->addresses[i];
        struct field_path p = path_index(&list, i);
        if (keys_repeated(&keys, i) && !err_list_full(out))
            err_list_addf(out, path_text(out->arena, &p), FIELD_DUPLICATE,
                          "{\"Type\":%s,\"Address\":%s}", text_quoted(out->arena, is->type),
                          text_quoted(out->arena, is->address));
    }
}

/* Pod CIDRs are given once. */
static void validate_cidrs(const NodeSpec *spec, const NodeSpec *was, struct err_list *out)
{
    struct field_path path = path_field(NULL, "spec");
    struct field_path p = path_field(&path, "podCIDRs");
    bool same = was->n_pod_cidrs == 0 || spec->n_pod_cidrs == was->n_pod_cidrs;
    for (size_t i = 0; same && i < was->n_pod_cidrs; i++)
        same = text_eq(spec->pod_cidrs[i], was->pod_cidrs[i]);
    if (!same)
        rule_forbidden(out, &p, "node updates may not change podCIDR except from \"\" to valid");
}

/* And so are a provider's id and the external one. */
static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const NodeSpec *spec = ((const Node *)object)->spec;
    const NodeSpec *was = ((const Node *)old)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path provider = path_field(&path, "providerID");
    struct field_path external = path_field(&path, "externalID");
    (void)c;
    if (was == NULL)
        return;
    validate_cidrs(spec, was, out);
    if (!text_empty(was->provider_id) && !text_eq(was->provider_id, spec->provider_id))
        rule_forbidden(out, &provider,
                       "node updates may not change providerID except from \"\" to valid");
    if (!text_eq(text_of(spec->external_id), text_of(was->external_id)))
        rule_forbidden(out, &external, "may not be updated");
}

/* Upstream holds a status to all the rules of a node. */
static void validate_status(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    validate(c, object, out);
    validate_addresses(((const Node *)object)->status, out);
    validate_update(c, object, old, out);
}

const struct resource_strategy node_strategy = { .defaults = defaults,
                                                 .prepare_update = prepare_update,
                                                 .prepare_status = prepare_status,
                                                 .validate = validate,
                                                 .validate_update = validate_update,
                                                 .validate_status = validate_status };
