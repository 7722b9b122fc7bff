/* Deployments: strategy and history defaults; percentages; generation also moves with annotations.
 */
#include "api/meta/labels.h"
#include "api/proto/apps.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"
#include "controlplane/resources/strategies.h"
#include "controlplane/resources/warnings.h"
#include "controlplane/resources/workload.h"

static void strategy_defaults(struct arena *a, DeploymentSpec *spec)
{
    DeploymentStrategy *strategy =
        message_ensure(a, &spec->strategy, &deployment_strategy__descriptor);
    text_default(a, &strategy->type, "RollingUpdate");
    if (!text_eq(strategy->type, "RollingUpdate"))
        return;
    RollingUpdateDeployment *rolling =
        message_ensure(a, &strategy->rolling_update, &rolling_update_deployment__descriptor);
    if (rolling->max_unavailable == NULL)
        rolling->max_unavailable = int_or_string_of_text(a, "25%");
    if (rolling->max_surge == NULL)
        rolling->max_surge = int_or_string_of_text(a, "25%");
}

static void defaults(struct arena *a, void *object)
{
    Deployment *d = object;
    DeploymentSpec *spec = message_ensure(a, &d->spec, &deployment_spec__descriptor);
    (void)message_ensure(a, &d->status, &deployment_status__descriptor);
    strategy_defaults(a, spec);
    pod_template_defaults(a, message_ensure(a, &spec->template_, &pod_template_spec__descriptor));
}

static void prepare_create(const struct resource_context *c, void *object)
{
    Deployment *d = object;
    d->status = arena_new(c->arena, DeploymentStatus);
    deployment_status__init(d->status);
}

static void prepare_update(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((Deployment *)object)->status = ((const Deployment *)old)->status;
}

static void prepare_status(const struct resource_context *c, void *object, const void *old)
{
    Deployment *d = object;
    const Deployment *was = old;
    (void)c;
    d->spec = was->spec;
    d->metadata->labels = was->metadata->labels;
    d->metadata->n_labels = was->metadata->n_labels;
}

static const char *const labels[] = { "metadata", "labels", NULL };
static const char *const *const status_keeps[] = { labels, NULL };

static bool is_zero(const IntOrString *v)
{
    if (v == NULL)
        return true;
    return int_or_string_is_text(v) ? workload_percent(v->str_val) == 0 : v->int_val == 0;
}

static void validate_strategy(const DeploymentStrategy *s, const struct field_path *up,
                              struct err_list *out)
{
    static const char *const strategy_types[] = { "Recreate", "RollingUpdate", NULL };
    struct field_path p = path_field(up, "strategy");
    struct field_path type = path_field(&p, "type");
    struct field_path rolling = path_field(&p, "rollingUpdate");
    struct field_path unavailable = path_field(&rolling, "maxUnavailable");
    if (!check_one_of(out, &type, s->type, strategy_types))
        return;
    if (text_eq(s->type, "Recreate")) {
        if (s->rolling_update != NULL)
            rule_forbidden(out, &rolling,
                           "may not be specified when strategy `type` is 'Recreate'");
        return;
    }
    const RollingUpdateDeployment *r = s->rolling_update;
    if (r == NULL) {
        rule_required(out, &rolling, "this should be defaulted and never be nil");
        return;
    }
    workload_validate_amount(r->max_unavailable, "maxUnavailable", true, &rolling, out);
    workload_validate_amount(r->max_surge, "maxSurge", false, &rolling, out);
    if (is_zero(r->max_unavailable) && is_zero(r->max_surge))
        rule_invalid(out, &unavailable, int_or_string_shown(out->arena, r->max_unavailable),
                     "may not be 0 when `maxSurge` is 0");
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const DeploymentSpec *spec = ((const Deployment *)object)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path replicas = path_field(&path, "replicas");
    struct field_path ready = path_field(&path, "minReadySeconds");
    struct field_path history = path_field(&path, "revisionHistoryLimit");
    struct field_path deadline = path_field(&path, "progressDeadlineSeconds");
    (void)c;
    (void)check_not_negative(out, &replicas, spec->replicas);
    workload_validate_template(spec->selector, spec->template_, &path, out);
    validate_strategy(spec->strategy, &path, out);
    (void)check_not_negative(out, &ready, spec->min_ready_seconds);
    (void)check_not_negative(out, &history, spec->revision_history_limit);
    if (check_not_negative(out, &deadline, spec->progress_deadline_seconds) &&
        spec->progress_deadline_seconds <= spec->min_ready_seconds)
        rule_invalid_number(out, &deadline, spec->progress_deadline_seconds,
                            "must be greater than minReadySeconds");
}

static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const Deployment *was = old;
    (void)c;
    if (was->spec != NULL)
        workload_validate_selector_update(((const Deployment *)object)->spec->selector,
                                          was->spec->selector, out);
}

static void validate_status(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const DeploymentStatus *s = ((const Deployment *)object)->status;
    const DeploymentStatus *was = ((const Deployment *)old)->status;
    struct field_path path = path_field(NULL, "status");
    struct field_path collisions = path_field(&path, "collisionCount");
    (void)c;
    if (s == NULL)
        return;
    const struct workload_counts counts = { .replicas = s->replicas,
                                            .updated = s->updated_replicas,
                                            .ready = s->ready_replicas,
                                            .available = s->available_replicas,
                                            .unavailable = s->unavailable_replicas,
                                            .terminating = s->terminating_replicas,
                                            .observed_generation = s->observed_generation,
                                            .collisions = s->collision_count };
    workload_validate_counts(&counts, out);
    if (was != NULL && s->collision_count < was->collision_count)
        rule_invalid_number(out, &collisions, s->collision_count, "cannot be decremented");
}

static bool same_annotations(const ObjectMeta *a, const ObjectMeta *b)
{
    return a->n_annotations == b->n_annotations &&
           entries_contain(a->annotations, a->n_annotations, b->annotations, b->n_annotations);
}

static bool generation_changed(const void *object, const void *old)
{
    const Deployment *d = object;
    const Deployment *was = old;
    return !schema_equal(&schema_DeploymentSpec, d->spec, was->spec) ||
           !same_annotations(d->metadata, was->metadata);
}

static void warnings(const struct resource_context *c, const void *object, const void *old,
                     struct resource_warnings *out)
{
    const DeploymentSpec *spec = ((const Deployment *)object)->spec;
    warn_workload(c, object, old, spec == NULL ? NULL : spec->template_, out);
}

const struct resource_strategy deployment_strategy = { .defaults = defaults,
                                                       .prepare_create = prepare_create,
                                                       .prepare_update = prepare_update,
                                                       .prepare_status = prepare_status,
                                                       .status_keeps = status_keeps,
                                                       .warnings = warnings,
                                                       .validate = validate,
                                                       .validate_update = validate_update,
                                                       .validate_status = validate_status,
                                                       .generation_changed = generation_changed };
