/* PodDisruptionBudgets: one amount, and whom it is about. The disruption controller fills in the
 * status; the eviction subresource obeys it. */
#include <string.h>

#include "api/proto/meta.pb-c.h"
#include "api/proto/policy.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/keys.h"
#include "controlplane/resources/strategies.h"
#include "controlplane/resources/workload.h"

/* Of a condition, as upstream has it. */
enum { REASON_BYTES_MAX = 1 << 10, MESSAGE_BYTES_MAX = 32 << 10 };

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

/* Letters, digits and _,: between a letter and a letter, digit or _. */
static bool is_reason(const char *reason)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_,:";
    size_t len = strlen(reason);
    return strchr(letters, reason[0]) != NULL && strspn(reason, inner) == len &&
           reason[len - 1] != ',' && reason[len - 1] != ':';
}

static void validate_words(const Condition *c, const struct field_path *up, struct err_list *out)
{
    struct field_path reason = path_field(up, "reason");
    struct field_path message = path_field(up, "message");
    if (text_empty(c->reason)) {
        rule_required(out, &reason, "must be set");
    } else {
        if (!is_reason(c->reason))
            rule_invalid_text(out, &reason, c->reason,
                              "a condition reason must start with alphabetic character, optionally "
                              "followed by a string of alphanumeric characters or '_,:', and must "
                              "end with an alphanumeric character or '_' (e.g. 'my_name',  or "
                              "'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or "
                              "'ReasonA:ReasonB', regex used for validation is "
                              "'[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')");
        if (strlen(c->reason) > REASON_BYTES_MAX)
            rule_too_long(out, &reason, REASON_BYTES_MAX);
    }
    if (strlen(text_of(c->message)) > MESSAGE_BYTES_MAX)
        rule_too_long(out, &message, MESSAGE_BYTES_MAX);
}

static void validate_condition(const Condition *c, const struct field_path *p, struct err_list *out)
{
    static const char *const statuses[] = { "False", "True", "Unknown", NULL };
    struct field_path type = path_field(p, "type");
    struct field_path status = path_field(p, "status");
    struct field_path generation = path_field(p, "observedGeneration");
    struct field_path since = path_field(p, "lastTransitionTime");
    (void)check_name(out, &type, text_of(c->type), name_qualified);
    (void)check_one_of(out, &status, text_of(c->status), statuses);
    if (c->observed_generation < 0)
        rule_invalid_number(out, &generation, c->observed_generation,
                            "must be greater than or equal to zero");
    if (c->last_transition_time == NULL)
        rule_required(out, &since, "must be set");
    validate_words(c, p, out);
}

static void validate_conditions(const PodDisruptionBudgetStatus *s, const struct field_path *up,
                                struct err_list *out)
{
    struct field_path list = path_field(up, "conditions");
    struct keys types = keys_new(out->arena, s->n_conditions);
    for (size_t i = 0; i < s->n_conditions; i++)
        keys_add(&types, (struct key){ .text = s->conditions[i]->type });
    keys_sort(&types);
    for (size_t i = 0; i < s->n_conditions && !err_list_full(out); i++) {
        struct field_path p = path_index(&list, i);
        struct field_path type = path_field(&p, "type");
        if (keys_repeated(&types, i))
            rule_duplicate(out, &type, text_of(s->conditions[i]->type));
        validate_condition(s->conditions[i], &p, out);
    }
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
    validate_conditions(s, &path, out);
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
