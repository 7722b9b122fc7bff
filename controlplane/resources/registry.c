/* The table, and the generic rules that surround every kind's own. */
#include "controlplane/resources/registry.h"

#include <string.h>

#include "api/proto/meta.pb-c.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/assert.h"
#include "controlplane/resources/metadata.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/strategies.h"
#include "controlplane/resources/tables.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Paths are field numbers from the object's message down. */
static const struct resource_field pod_fields[] = {
    { .label = "spec.nodeName", .path = { 2, 10 } },
    { .label = "spec.restartPolicy", .path = { 2, 3 } },
    { .label = "spec.schedulerName", .path = { 2, 19 } },
    { .label = "spec.serviceAccountName", .path = { 2, 8 } },
    { .label = "spec.hostNetwork", .path = { 2, 11 }, .boolean = true },
    { .label = "status.phase", .path = { 3, 1 } },
    { .label = "status.podIP", .path = { 3, 6 } },
    { .label = "status.podIPs", .path = { 3, 12, 15 } }, /* a label that, as upstream, is empty */
    { .label = "status.nominatedNodeName", .path = { 3, 11 } },
    { .label = "spec.host", .alias_of = "spec.nodeName" }
};

static const struct resource_field node_fields[] = {
    { .label = "spec.unschedulable", .path = { 2, 4 }, .boolean = true }
};

static const struct resource_field namespace_fields[] = { { .label = "status.phase",
                                                            .path = { 3, 1 } } };

static const struct resource_field secret_fields[] = { { .label = "type", .path = { 3 } } };

static const struct resource_field service_fields[] = {
    { .label = "spec.clusterIP", .path = { 2, 3 } }, { .label = "spec.type", .path = { 2, 4 } }
};

static const struct resource_field event_fields[] = {
    { .label = "involvedObject.kind", .path = { 2, 1 } },
    { .label = "involvedObject.namespace", .path = { 2, 2 } },
    { .label = "involvedObject.name", .path = { 2, 3 } },
    { .label = "involvedObject.uid", .path = { 2, 4 } },
    { .label = "involvedObject.apiVersion", .path = { 2, 5 } },
    { .label = "involvedObject.resourceVersion", .path = { 2, 6 } },
    { .label = "involvedObject.fieldPath", .path = { 2, 7 } },
    { .label = "reason", .path = { 3 } },
    { .label = "reportingComponent", .path = { 14 } },
    { .label = "source", .path = { 5, 1 }, .instead = { 14 } },
    { .label = "type", .path = { 9 } }
};

/* The same places by the names of events.k8s.io. */
static const struct resource_field events_event_fields[] = {
    { .label = "regarding.kind", .path = { 2, 1 } },
    { .label = "regarding.namespace", .path = { 2, 2 } },
    { .label = "regarding.name", .path = { 2, 3 } },
    { .label = "regarding.uid", .path = { 2, 4 } },
    { .label = "regarding.apiVersion", .path = { 2, 5 } },
    { .label = "regarding.resourceVersion", .path = { 2, 6 } },
    { .label = "regarding.fieldPath", .path = { 2, 7 } },
    { .label = "reason", .path = { 3 } },
    { .label = "reportingController", .path = { 14 } },
    { .label = "type", .path = { 9 } }
};

/* Of ReplicaSets and ReplicationControllers. */
static const struct resource_field replica_set_fields[] = {
    { .label = "status.replicas", .path = { 3, 1 }, .number = true }
};

/* No rules beyond metadata's. */
static const struct resource_strategy plain_strategy = { 0 };

#define FIELDS(array)        .fields = (array), .fields_count = COUNT(array)
#define TABLE(columns_, fn_) .columns = (columns_), .columns_count = COUNT(columns_), .cells = (fn_)

/* In discovery order: the core group by name, then the other groups. */
static const struct resource resources[] = {
    { .kind = KIND_BINDING, .strategy = &binding_strategy, .name = name_dns1123_subdomain },
    { .kind = KIND_CONFIG_MAP,
      .unconditional_update = true,
      .strategy = &configmap_strategy,
      .name = name_dns1123_subdomain,
      TABLE(config_map_columns, config_map_cells) },
    { .kind = KIND_ENDPOINTS,
      .unconditional_update = true,
      .create_on_update = true,
      .strategy = &endpoints_strategy,
      .name = name_dns1123_subdomain,
      TABLE(endpoints_columns, endpoints_cells) },
    { .kind = KIND_EVENT,
      .unconditional_update = true,
      .create_on_update = true,
      .dependents = DEPENDENTS_NONE,
      .strategy = &event_strategy,
      .name = name_dns1123_subdomain,
      FIELDS(event_fields),
      TABLE(event_columns, event_cells) },
    { .kind = KIND_LIMIT_RANGE,
      .unconditional_update = true,
      .create_on_update = true,
      .strategy = &limit_range_strategy,
      .name = name_dns1123_subdomain,
      TABLE(limit_range_columns, limit_range_cells) },
    { .kind = KIND_NAMESPACE,
      .subresources = SUBRESOURCE_STATUS | SUBRESOURCE_FINALIZE,
      .unconditional_update = true,
      .no_delete_collection = true,
      .strategy = &namespace_strategy,
      .name = name_dns1123_label,
      FIELDS(namespace_fields),
      TABLE(namespace_columns, namespace_cells) },
    { .kind = KIND_NODE,
      .subresources = SUBRESOURCE_STATUS | SUBRESOURCE_PROXY,
      .unconditional_update = true,
      .strategy = &node_strategy,
      .name = name_dns1123_subdomain,
      FIELDS(node_fields),
      TABLE(node_columns, node_cells) },
    { .kind = KIND_POD,
      .subresources = SUBRESOURCE_STATUS | SUBRESOURCE_BINDING | SUBRESOURCE_LOG |
                      SUBRESOURCE_STREAMS | SUBRESOURCE_PROXY | SUBRESOURCE_EVICTION |
                      SUBRESOURCE_EPHEMERAL_CONTAINERS | SUBRESOURCE_RESIZE,
      .generation_tracked = true,
      .unconditional_update = true,
      .delete_form = DELETE_RETURNS_OBJECT,
      .graceful = true,
      .strategy = &pod_strategy,
      .name = name_dns1123_subdomain,
      FIELDS(pod_fields),
      TABLE(pod_columns, pod_cells),
      .completed = pod_completed },
    { .kind = KIND_POD_TEMPLATE,
      .generation_tracked = true,
      .unconditional_update = true,
      .delete_form = DELETE_RETURNS_OBJECT,
      .strategy = &pod_template_strategy,
      .name = name_dns1123_subdomain,
      TABLE(pod_template_columns, pod_template_cells) },
    { .kind = KIND_REPLICATION_CONTROLLER,
      .subresources = SUBRESOURCE_STATUS | SUBRESOURCE_SCALE,
      .generation_tracked = true,
      .unconditional_update = true,
      .dependents = DEPENDENTS_ORPHANED,
      .strategy = &replication_controller_strategy,
      .name = name_dns1123_subdomain,
      FIELDS(replica_set_fields),
      TABLE(replica_set_columns, replication_controller_cells) },
    { .kind = KIND_RESOURCE_QUOTA,
      .subresources = SUBRESOURCE_STATUS,
      .unconditional_update = true,
      .delete_form = DELETE_RETURNS_OBJECT,
      .strategy = &resource_quota_strategy,
      .name = name_dns1123_subdomain,
      TABLE(resource_quota_columns, resource_quota_cells) },
    { .kind = KIND_SECRET,
      .unconditional_update = true,
      .strategy = &secret_strategy,
      .name = name_dns1123_subdomain,
      FIELDS(secret_fields),
      TABLE(secret_columns, secret_cells) },
    { .kind = KIND_SERVICE_ACCOUNT,
      .unconditional_update = true,
      .delete_form = DELETE_RETURNS_OBJECT,
      .strategy = &plain_strategy,
      .name = name_dns1123_subdomain,
      TABLE(service_account_columns, service_account_cells) },
    { .kind = KIND_SERVICE,
      .subresources = SUBRESOURCE_STATUS | SUBRESOURCE_PROXY,
      .unconditional_update = true,
      .create_on_update = true,
      .delete_form = DELETE_RETURNS_OBJECT,
      .strategy = &service_strategy,
      .name = name_dns1035_label,
      FIELDS(service_fields),
      TABLE(service_columns, service_cells) },
    { .kind = KIND_CONTROLLER_REVISION,
      .unconditional_update = true,
      .strategy = &controller_revision_strategy,
      .name = name_dns1123_subdomain,
      TABLE(controller_revision_columns, controller_revision_cells) },
    { .kind = KIND_DEPLOYMENT,
      .subresources = SUBRESOURCE_STATUS | SUBRESOURCE_SCALE,
      .generation_tracked = true,
      .unconditional_update = true,
      .strategy = &deployment_strategy,
      .name = name_dns1123_subdomain,
      TABLE(deployment_columns, deployment_cells) },
    { .kind = KIND_REPLICA_SET,
      .subresources = SUBRESOURCE_STATUS | SUBRESOURCE_SCALE,
      .generation_tracked = true,
      .unconditional_update = true,
      .strategy = &replicaset_strategy,
      .name = name_dns1123_subdomain,
      FIELDS(replica_set_fields),
      TABLE(replica_set_columns, replica_set_cells) },
    { .kind = KIND_EVENTS_EVENT,
      .unconditional_update = true,
      .create_on_update = true,
      .dependents = DEPENDENTS_NONE,
      .strategy = &events_event_strategy,
      .name = name_dns1123_subdomain,
      FIELDS(events_event_fields),
      TABLE(event_columns, event_cells) },
    { .kind = KIND_SELF_SUBJECT_REVIEW,
      .strategy = &self_subject_review_strategy,
      .name = name_path_segment },
    { .kind = KIND_TOKEN_REVIEW, .strategy = &token_review_strategy, .name = name_path_segment },
    { .kind = KIND_LOCAL_SUBJECT_ACCESS_REVIEW,
      .strategy = &local_subject_access_review_strategy,
      .name = name_path_segment },
    { .kind = KIND_SELF_SUBJECT_ACCESS_REVIEW,
      .strategy = &self_subject_access_review_strategy,
      .name = name_path_segment },
    { .kind = KIND_SELF_SUBJECT_RULES_REVIEW,
      .strategy = &self_subject_rules_review_strategy,
      .name = name_path_segment },
    { .kind = KIND_SUBJECT_ACCESS_REVIEW,
      .strategy = &subject_access_review_strategy,
      .name = name_path_segment },
    { .kind = KIND_LEASE,
      .create_on_update = true,
      .strategy = &lease_strategy,
      .name = name_dns1123_subdomain,
      TABLE(lease_columns, lease_cells) },
    { .kind = KIND_ENDPOINT_SLICE,
      .generation_tracked = true,
      .unconditional_update = true,
      .strategy = &endpoint_slice_strategy,
      .name = name_dns1123_subdomain,
      TABLE(endpoint_slice_columns, endpoint_slice_cells) },
    { .kind = KIND_DISRUPTION_BUDGET,
      .subresources = SUBRESOURCE_STATUS,
      .generation_tracked = true,
      .strategy = &pod_disruption_budget_strategy,
      .name = name_dns1123_subdomain,
      TABLE(pod_disruption_budget_columns, pod_disruption_budget_cells) }
};

const struct resource *resource_of(enum kind kind)
{
    for (size_t i = 0; i < COUNT(resources); i++) {
        if (resources[i].kind == kind)
            return &resources[i];
    }
    return NULL;
}

const struct resource *resource_table_of(enum kind kind)
{
    static const struct resource scale = { .kind = KIND_SCALE, TABLE(scale_columns, scale_cells) };
    return kind == KIND_SCALE ? &scale : resource_of(kind);
}

const struct resource *resource_at(size_t i)
{
    ASSERT(i < COUNT(resources));
    return &resources[i];
}

size_t resource_count(void)
{
    return COUNT(resources);
}

static const char all_verbs[] = "create delete deletecollection get list patch update watch";
static const char single_verbs[] = "create delete get list patch update watch";
static const char change_verbs[] = "get patch update";

const char *resource_verbs(const struct resource *r)
{
    if (kind_store(r->kind) == KIND_NONE)
        return "create";
    return r->no_delete_collection ? single_verbs : all_verbs;
}

const struct subresource subresource_table[] = {
    { SUBRESOURCE_STREAMS, "attach", KIND_NONE, "create get", "AttachOptions" },
    { SUBRESOURCE_BINDING, "binding", KIND_BINDING, "create", NULL },
    { SUBRESOURCE_EPHEMERAL_CONTAINERS, "ephemeralcontainers", KIND_NONE, change_verbs, NULL },
    { SUBRESOURCE_EVICTION, "eviction", KIND_EVICTION, "create", NULL },
    { SUBRESOURCE_STREAMS, "exec", KIND_NONE, "create get", "ExecOptions" },
    { SUBRESOURCE_FINALIZE, "finalize", KIND_NONE, "update", NULL },
    { SUBRESOURCE_LOG, "log", KIND_NONE, "get", NULL },
    { SUBRESOURCE_STREAMS, "portforward", KIND_NONE, "create get", "PortForwardOptions" },
    { SUBRESOURCE_PROXY, "proxy", KIND_NONE, "create delete get patch update", "ProxyOptions" },
    { SUBRESOURCE_RESIZE, "resize", KIND_NONE, change_verbs, NULL },
    { SUBRESOURCE_SCALE, "scale", KIND_SCALE, change_verbs, NULL },
    { SUBRESOURCE_STATUS, "status", KIND_NONE, change_verbs, NULL }
};

const size_t subresource_count = COUNT(subresource_table);

size_t resource_groups(struct group_version *out)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT(resources); i++) {
        const struct kind_info *k = kind_info(resources[i].kind);
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known = known || (strcmp(out[j].group, k->group) == 0 &&
                              strcmp(out[j].version, k->version) == 0);
        if (known)
            continue;
        ASSERT(count < GROUPS_MAX);
        out[count++] = (struct group_version){ k->group, k->version };
    }
    return count;
}

/* Every kind's message begins so: metadata is field 1. */
struct any_kind {
    ProtobufCMessage base;
    ObjectMeta *metadata;
};

struct ObjectMeta *resource_meta(void *object)
{
    ObjectMeta *meta;
    memcpy(&meta, (char *)object + offsetof(struct any_kind, metadata), sizeof(meta));
    return meta;
}

const struct ObjectMeta *resource_meta_const(const void *object)
{
    const ObjectMeta *meta;
    memcpy(&meta, (const char *)object + offsetof(struct any_kind, metadata), sizeof(meta));
    return meta;
}

/* Of the structs that hooks see: of a view, the stored kind's. */
static const struct schema *schema_of(const struct resource *r)
{
    enum kind store = kind_store(r->kind);
    return kind_info(store == KIND_NONE ? r->kind : store)->schema;
}

void resource_defaults(const struct resource *r, struct arena *a, void *object)
{
    (void)message_ensure(a, (char *)object + offsetof(struct any_kind, metadata),
                         &object_meta__descriptor);
    schema_default(a, schema_of(r), object);
    if (r->strategy->defaults != NULL)
        r->strategy->defaults(a, object);
}

void resource_prepare_create(const struct resource *r, const struct resource_context *c,
                             void *object)
{
    ObjectMeta *meta = resource_meta(object);
    meta->self_link = NULL;
    meta->deletion_timestamp = NULL;
    meta->has_deletion_grace_period_seconds = 0;
    meta->deletion_grace_period_seconds = 0;
    meta->has_generation = 1;
    meta->generation = r->generation_tracked ? 1 : 0;
    if (r->strategy->prepare_create != NULL)
        r->strategy->prepare_create(c, object);
}

/* What an update need not repeat. What it contradicts is left for validation to refuse. */
static void keep_identity(ObjectMeta *meta, const ObjectMeta *old)
{
    meta->self_link = NULL;
    if (text_empty(meta->uid))
        meta->uid = old->uid;
    meta->creation_timestamp = old->creation_timestamp;
    if (old->deletion_timestamp != NULL)
        meta->deletion_timestamp = old->deletion_timestamp;
    if (!meta->has_deletion_grace_period_seconds) {
        meta->has_deletion_grace_period_seconds = old->has_deletion_grace_period_seconds;
        meta->deletion_grace_period_seconds = old->deletion_grace_period_seconds;
    }
    meta->has_generation = 1;
    meta->generation = old->generation;
}

void resource_prepare_update(const struct resource *r, const struct resource_context *c,
                             void *object, const void *old)
{
    ObjectMeta *meta = resource_meta(object);
    keep_identity(meta, resource_meta_const(old));
    if (r->strategy->prepare_update != NULL)
        r->strategy->prepare_update(c, object, old);
    if (r->generation_tracked && r->strategy->generation_changed != NULL &&
        r->strategy->generation_changed(object, old))
        meta->generation++;
}

void resource_prepare_status(const struct resource *r, const struct resource_context *c,
                             void *object, const void *old)
{
    keep_identity(resource_meta(object), resource_meta_const(old));
    if (r->strategy->prepare_status != NULL)
        r->strategy->prepare_status(c, object, old);
}

void resource_validate_meta(const struct resource *r, const void *object, struct err_list *out)
{
    struct field_path metadata = path_field(NULL, "metadata");
    const struct kind_info *info = kind_info(r->kind);
    metadata_validate(resource_meta_const(object), info->namespaced, r->name, &metadata, out);
}

void resource_validate(const struct resource *r, const struct resource_context *c,
                       const void *object, struct err_list *out)
{
    resource_validate_meta(r, object, out);
    schema_validate(schema_of(r), object, "", out);
    if (r->strategy->validate != NULL)
        r->strategy->validate(c, object, out);
}

void resource_validate_create(const struct resource *r, const struct resource_context *c,
                              const void *object, struct err_list *out)
{
    resource_validate(r, c, object, out);
    if (r->strategy->validate_create != NULL)
        r->strategy->validate_create(c, object, out);
}

void resource_validate_meta_update(const void *object, const void *old, struct err_list *out)
{
    struct field_path metadata = path_field(NULL, "metadata");
    metadata_validate_update(resource_meta_const(object), resource_meta_const(old), &metadata, out);
}

void resource_validate_update(const struct resource *r, const struct resource_context *c,
                              const void *object, const void *old, struct err_list *out)
{
    resource_validate_meta_update(object, old, out);
    if (r->strategy->validate_update != NULL)
        r->strategy->validate_update(c, object, old, out);
}

void resource_validate_status(const struct resource *r, const struct resource_context *c,
                              const void *object, const void *old, struct err_list *out)
{
    resource_validate_meta_update(object, old, out);
    if (r->strategy->validate_status != NULL)
        r->strategy->validate_status(c, object, old, out);
}

void resource_cells(const struct resource *r, const struct resource_context *c, const void *object,
                    struct table_cell *cells)
{
    ASSERT(r->cells != NULL);
    r->cells(c, object, cells);
}
