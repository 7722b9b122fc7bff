/* The pod's strategy: what create and update reset, its QoS class, and generation. */
#include "controlplane/resources/pod.h"

#include "api/meta/condition.h"
#include "api/meta/quantity.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "controlplane/resources/strategies.h"
#include "controlplane/resources/warnings.h"

static bool positive(const Quantity *value)
{
    struct quantity q;
    return value != NULL && quantity_parse(str_from(value->string), &q, NULL) == 0 && q.nanos > 0;
}

static bool equal(const Quantity *a, const Quantity *b)
{
    struct quantity x;
    struct quantity y;
    return quantity_parse(str_from(a->string), &x, NULL) == 0 &&
           quantity_parse(str_from(b->string), &y, NULL) == 0 && quantity_cmp(&x, &y) == 0;
}

static const Quantity *limit_of(const ResourceRequirements *r, const char *name)
{
    for (size_t i = 0; i < r->n_limits; i++) {
        if (text_eq(r->limits[i]->key, name) && positive(r->limits[i]->value))
            return r->limits[i]->value;
    }
    return NULL;
}

static const Quantity *request_of(const ResourceRequirements *r, const char *name)
{
    for (size_t i = 0; i < r->n_requests; i++) {
        if (text_eq(r->requests[i]->key, name) && positive(r->requests[i]->value))
            return r->requests[i]->value;
    }
    return NULL;
}

static void classify(const Container *c, bool *any, bool *guaranteed)
{
    static const char *const names[] = { "cpu", "memory" };
    static const ResourceRequirements none = RESOURCE_REQUIREMENTS__INIT;
    const ResourceRequirements *r = c->resources == NULL ? &none : c->resources;
    for (size_t i = 0; i < 2; i++) {
        const Quantity *limit = limit_of(r, names[i]);
        const Quantity *request = request_of(r, names[i]);
        *any = *any || limit != NULL || request != NULL;
        if (limit == NULL || (request != NULL && !equal(limit, request)))
            *guaranteed = false;
    }
}

const char *pod_qos_class(const struct PodSpec *spec)
{
    bool any = false;
    bool guaranteed = true;
    for (size_t i = 0; i < spec->n_containers; i++)
        classify(spec->containers[i], &any, &guaranteed);
    for (size_t i = 0; i < spec->n_init_containers; i++)
        classify(spec->init_containers[i], &any, &guaranteed);
    if (!any)
        return "BestEffort";
    return guaranteed ? "Guaranteed" : "Burstable";
}

static void prepare_create(const struct resource_context *c, void *object)
{
    Pod *pod = object;
    PodStatus *status = arena_new(c->arena, PodStatus);
    pod_status__init(status);
    status->phase = text_new(c->arena, "Pending");
    status->qos_class = text_new(c->arena, pod_qos_class(pod->spec));
    pod->status = status;
    pod_label_keys_apply(c->arena, pod);
    if (pod->spec->n_scheduling_gates > 0) {
        const struct condition_value gated = {
            .type = "PodScheduled",
            .status = "False",
            .reason = "SchedulingGated",
            .message = "Scheduling is blocked due to non-empty scheduling gates",
        };
        (void)condition_set(c->arena, &pod_condition__descriptor, &status->conditions,
                            &status->n_conditions, &gated, c->now_wall_ns);
    }
}

static void prepare_update(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((Pod *)object)->status = ((const Pod *)old)->status;
}

static void prepare_status(const struct resource_context *c, void *object, const void *old)
{
    Pod *pod = object;
    const Pod *was = old;
    pod->spec = was->spec;
    pod->metadata->owner_references = was->metadata->owner_references;
    pod->metadata->n_owner_references = was->metadata->n_owner_references;
    /* A class once given stays. */
    if (pod->status != NULL && was->status != NULL && !text_empty(was->status->qos_class))
        text_default(c->arena, &pod->status->qos_class, was->status->qos_class);
}

static const char *const deletion[] = { "metadata", "deletionTimestamp", NULL };
static const char *const owners[] = { "metadata", "ownerReferences", NULL };
static const char *const *const status_keeps[] = { deletion, owners, NULL };

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    struct field_path path = path_field(NULL, "spec");
    (void)c;
    pod_spec_validate(((const Pod *)object)->spec, &path, out);
}

static void validate_create(const struct resource_context *c, const void *object,
                            struct err_list *out)
{
    struct field_path spec = path_field(NULL, "spec");
    struct field_path p = path_field(&spec, "ephemeralContainers");
    struct field_path node = path_field(&spec, "nodeName");
    const PodSpec *s = ((const Pod *)object)->spec;
    (void)c;
    if (s->n_ephemeral_containers > 0)
        rule_forbidden(out, &p, "cannot be set on create");
    if (!text_empty(s->node_name) && s->n_scheduling_gates > 0)
        rule_forbidden(out, &node, "cannot be set until all schedulingGates have been cleared");
}

static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    (void)c;
    pod_validate_update(object, old, out);
}

static void validate_status(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    (void)c;
    pod_status_validate(object, old, out);
}

static bool generation_changed(const void *object, const void *old)
{
    return !schema_equal(&schema_PodSpec, ((const Pod *)object)->spec, ((const Pod *)old)->spec);
}

/* Of a new pod only: programs update pods, and nobody reads what they are told. */
static void warnings(const struct resource_context *c, const void *object, const void *old,
                     struct resource_warnings *out)
{
    const Pod *pod = object;
    if (old != NULL)
        return;
    warn_name(c, pod->metadata->name, "the Pod's hostname", out);
    if (pod->spec != NULL)
        warn_pod(c, pod->spec, pod->metadata, NULL, out);
}

const struct resource_strategy pod_strategy = { .defaults = pod_defaults,
                                                .prepare_create = prepare_create,
                                                .prepare_update = prepare_update,
                                                .prepare_status = prepare_status,
                                                .status_keeps = status_keeps,
                                                .warnings = warnings,
                                                .validate = validate,
                                                .validate_create = validate_create,
                                                .validate_update = validate_update,
                                                .validate_status = validate_status,
                                                .generation_changed = generation_changed };
