/* PodDisruptionBudgets: one amount, and whom it is about. The disruption controller fills in the
 * status; the eviction subresource obeys it. */
#include "api/proto/meta.pb-c.h"
#include "api/proto/policy.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/strategies.h"
#include "controlplane/resources/workload.h"

static void defaults(struct arena *a, void *object)
{
    PodDisruptionBudget *b = object;
    (void)message_ensure(a, &b->spec, &pod_disruption_budget_spec__descriptor);
    (void)message_ensure(a, &b->status, &pod_disruption_budget_status__descriptor);
}

static void prepare_create(const struct resource_context *c, void *object)
{
    PodDisruptionBudget *b = object;
    b->status = NULL;
    (void)message_ensure(c->arena, &b->status, &pod_disruption_budget_status__descriptor);
}

static void prepare_update(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((PodDisruptionBudget *)object)->status = ((const PodDisruptionBudget *)old)->status;
}

static void prepare_status(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((PodDisruptionBudget *)object)->spec = ((const PodDisruptionBudget *)old)->spec;
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    static const char *const policies[] = { "AlwaysAllow", "IfHealthyBudget", NULL };
    const PodDisruptionBudgetSpec *spec = ((const PodDisruptionBudget *)object)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path selector = path_field(&path, "selector");
    struct field_path policy = path_field(&path, "unhealthyPodEvictionPolicy");
    (void)c;
    if (spec->min_available != NULL && spec->max_unavailable != NULL)
        rule_invalid_message(out, &path, &schema_PodDisruptionBudgetSpec, spec,
                             "minAvailable and maxUnavailable cannot be both set");
    workload_validate_amount(spec->min_available, "minAvailable", true, &path, out);
    workload_validate_amount(spec->max_unavailable, "maxUnavailable", true, &path, out);
    if (spec->selector != NULL)
        workload_validate_selector(spec->selector, &selector, out);
    if (spec->unhealthy_pod_eviction_policy != NULL)
        (void)check_one_of(out, &policy, spec->unhealthy_pod_eviction_policy, policies);
}

static void validate_status(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const PodDisruptionBudgetStatus *s = ((const PodDisruptionBudget *)object)->status;
    struct field_path path = path_field(NULL, "status");
    (void)c;
    (void)old;
    if (s == NULL)
        return;
    const struct {
        const char *name;
        int32_t value;
    } counts[] = { { "disruptionsAllowed", s->disruptions_allowed },
                   { "currentHealthy", s->current_healthy },
                   { "desiredHealthy", s->desired_healthy },
                   { "expectedPods", s->expected_pods } };
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct field_path p = path_field(&path, counts[i].name);
        (void)check_not_negative(out, &p, counts[i].value);
    }
}

static bool generation_changed(const void *object, const void *old)
{
    return !schema_equal(&schema_PodDisruptionBudgetSpec,
                         ((const PodDisruptionBudget *)object)->spec,
                         ((const PodDisruptionBudget *)old)->spec);
}

const struct resource_strategy pod_disruption_budget_strategy = {
    .defaults = defaults,
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .prepare_status = prepare_status,
    .validate = validate,
    .validate_status = validate_status,
    .generation_changed = generation_changed,
};
