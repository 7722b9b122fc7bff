/* ReplicaSets. */
#include "api/proto/apps.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"
#include "controlplane/resources/strategies.h"
#include "controlplane/resources/warnings.h"
#include "controlplane/resources/workload.h"

static void defaults(struct arena *a, void *object)
{
    ReplicaSet *rs = object;
    ReplicaSetSpec *spec = message_ensure(a, &rs->spec, &replica_set_spec__descriptor);
    (void)message_ensure(a, &rs->status, &replica_set_status__descriptor);
    pod_template_defaults(a, message_ensure(a, &spec->template_, &pod_template_spec__descriptor));
}

static void prepare_create(const struct resource_context *c, void *object)
{
    ReplicaSet *rs = object;
    rs->status = arena_new(c->arena, ReplicaSetStatus);
    replica_set_status__init(rs->status);
}

static void prepare_update(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((ReplicaSet *)object)->status = ((const ReplicaSet *)old)->status;
}

static void prepare_status(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((ReplicaSet *)object)->spec = ((const ReplicaSet *)old)->spec;
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const ReplicaSetSpec *spec = ((const ReplicaSet *)object)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path replicas = path_field(&path, "replicas");
    struct field_path ready = path_field(&path, "minReadySeconds");
    (void)c;
    (void)check_not_negative(out, &replicas, spec->replicas);
    (void)check_not_negative(out, &ready, spec->min_ready_seconds);
    workload_validate_template(spec->selector, spec->template_, &path, out);
}

static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const ReplicaSet *was = old;
    (void)c;
    if (was->spec != NULL)
        workload_validate_selector_update(((const ReplicaSet *)object)->spec->selector,
                                          was->spec->selector, out);
}

static void validate_status(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const ReplicaSetStatus *s = ((const ReplicaSet *)object)->status;
    (void)c;
    (void)old;
    if (s == NULL)
        return;
    const struct workload_counts counts = { .replicas = s->replicas,
                                            .fully_labeled = s->fully_labeled_replicas,
                                            .ready = s->ready_replicas,
                                            .available = s->available_replicas,
                                            .terminating = s->terminating_replicas,
                                            .observed_generation = s->observed_generation };
    workload_validate_counts(&counts, out);
}

static bool generation_changed(const void *object, const void *old)
{
    return !schema_equal(&schema_ReplicaSetSpec, ((const ReplicaSet *)object)->spec,
                         ((const ReplicaSet *)old)->spec);
}

static void warnings(const struct resource_context *c, const void *object, const void *old,
                     struct resource_warnings *out)
{
    const ReplicaSetSpec *spec = ((const ReplicaSet *)object)->spec;
    warn_workload(c, object, old, spec == NULL ? NULL : spec->template_, out);
}

const struct resource_strategy replicaset_strategy = { .defaults = defaults,
                                                       .prepare_create = prepare_create,
                                                       .prepare_update = prepare_update,
                                                       .prepare_status = prepare_status,
                                                       .warnings = warnings,
                                                       .validate = validate,
                                                       .validate_update = validate_update,
                                                       .validate_status = validate_status,
                                                       .generation_changed = generation_changed };
