/* ReplicationControllers: ReplicaSets with a plain map for a selector. */
#include "api/meta/labels.h"
#include "api/meta/selector.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"
#include "controlplane/resources/strategies.h"
#include "controlplane/resources/warnings.h"
#include "controlplane/resources/workload.h"

/* The template's labels stand in for a selector and for labels that are not given. */
static void labels_defaults(ReplicationController *rc)
{
    const PodTemplateSpec *t = rc->spec->template_;
    if (t == NULL || t->metadata == NULL || t->metadata->n_labels == 0)
        return;
    if (rc->spec->n_selector == 0) {
        rc->spec->n_selector = t->metadata->n_labels;
        /* Entries of every map<string, string> have one layout. */
        rc->spec->selector = (ReplicationControllerSpec__SelectorEntry **)t->metadata->labels;
    }
    if (rc->metadata->n_labels == 0) {
        rc->metadata->n_labels = t->metadata->n_labels;
        rc->metadata->labels = t->metadata->labels;
    }
}

static void defaults(struct arena *a, void *object)
{
    ReplicationController *rc = object;
    ReplicationControllerSpec *spec =
        message_ensure(a, &rc->spec, &replication_controller_spec__descriptor);
    (void)message_ensure(a, &rc->status, &replication_controller_status__descriptor);
    if (spec->template_ != NULL)
        pod_template_defaults(a, spec->template_);
    labels_defaults(rc);
}

static void prepare_create(const struct resource_context *c, void *object)
{
    ReplicationController *rc = object;
    rc->status = arena_new(c->arena, ReplicationControllerStatus);
    replication_controller_status__init(rc->status);
}

static void prepare_update(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((ReplicationController *)object)->status = ((const ReplicationController *)old)->status;
}

static void prepare_status(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((ReplicationController *)object)->spec = ((const ReplicationController *)old)->spec;
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const ReplicationControllerSpec *spec = ((const ReplicationController *)object)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path selector_path = path_field(&path, "selector");
    struct field_path template = path_field(&path, "template");
    struct field_path replicas = path_field(&path, "replicas");
    struct field_path ready = path_field(&path, "minReadySeconds");
    struct selector selector;
    (void)c;
    (void)check_not_negative(out, &ready, spec->min_ready_seconds);
    if (spec->n_selector == 0)
        rule_required(out, &selector_path, "");
    (void)check_not_negative(out, &replicas, spec->replicas);
    if (spec->template_ == NULL) {
        rule_required(out, &template, "");
        return;
    }
    selector_from_entries(out->arena, spec->selector, spec->n_selector, &selector);
    workload_validate_match(&selector, spec->template_, &path, out);
    pod_template_validate(spec->template_, &template, out);
}

static void validate_status(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const ReplicationControllerStatus *s = ((const ReplicationController *)object)->status;
    (void)c;
    (void)old;
    if (s == NULL)
        return;
    const struct workload_counts counts = { .replicas = s->replicas,
                                            .fully_labeled = s->fully_labeled_replicas,
                                            .ready = s->ready_replicas,
                                            .available = s->available_replicas,
                                            .observed_generation = s->observed_generation };
    workload_validate_counts(&counts, out);
}

static bool generation_changed(const void *object, const void *old)
{
    return !schema_equal(&schema_ReplicationControllerSpec,
                         ((const ReplicationController *)object)->spec,
                         ((const ReplicationController *)old)->spec);
}

static void warnings(const struct resource_context *c, const void *object, const void *old,
                     struct resource_warnings *out)
{
    const ReplicationControllerSpec *spec = ((const ReplicationController *)object)->spec;
    warn_workload(c, object, old, spec == NULL ? NULL : spec->template_, out);
}

const struct resource_strategy replication_controller_strategy = { .defaults = defaults,
                                                                   .prepare_create = prepare_create,
                                                                   .prepare_update = prepare_update,
                                                                   .prepare_status = prepare_status,
                                                                   .warnings = warnings,
                                                                   .validate = validate,
                                                                   .validate_status =
                                                                       validate_status,
                                                                   .generation_changed =
                                                                       generation_changed };
