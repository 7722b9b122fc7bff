/* The scale subresource of what has replicas: a view of autoscaling/v1 over the parent. */
#include "api/meta/selector.h"
#include "api/proto/apps.pb-c.h"
#include "api/proto/autoscaling.pb-c.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/err_list.h"
#include "base/assert.h"
#include "controlplane/apiserver/apply_config.h"
#include "controlplane/apiserver/body.h"
#include "controlplane/apiserver/managed_fields.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/write.h"
#include "controlplane/resources/metadata.h"

/* What scale sees of its parent. */
struct scaled {
    int32_t replicas;
    int32_t status_replicas;
    const LabelSelector *selector;
    const ReplicationControllerSpec *map; /* whose selector it is, when it is a plain map */
};

static struct scaled look(const struct kind_info *k, const void *object)
{
    struct scaled s = { 0 };
    if (k->kind == KIND_DEPLOYMENT) {
        const Deployment *d = object;
        s.replicas = d->spec == NULL ? 0 : d->spec->replicas;
        s.selector = d->spec == NULL ? NULL : d->spec->selector;
        s.status_replicas = d->status == NULL ? 0 : d->status->replicas;
    } else if (k->kind == KIND_REPLICATION_CONTROLLER) {
        const ReplicationController *rc = object;
        s.replicas = rc->spec == NULL ? 0 : rc->spec->replicas;
        s.map = rc->spec;
        s.status_replicas = rc->status == NULL ? 0 : rc->status->replicas;
    } else {
        const ReplicaSet *rs = object;
        ASSERT(k->kind == KIND_REPLICA_SET);
        s.replicas = rs->spec == NULL ? 0 : rs->spec->replicas;
        s.selector = rs->spec == NULL ? NULL : rs->spec->selector;
        s.status_replicas = rs->status == NULL ? 0 : rs->status->replicas;
    }
    return s;
}

static void set_replicas(const struct kind_info *k, void *object, int32_t replicas)
{
    if (k->kind == KIND_DEPLOYMENT) {
        Deployment *d = object;
        d->spec->has_replicas = 1;
        d->spec->replicas = replicas;
    } else if (k->kind == KIND_REPLICATION_CONTROLLER) {
        ReplicationController *rc = object;
        rc->spec->has_replicas = 1;
        rc->spec->replicas = replicas;
    } else {
        ReplicaSet *rs = object;
        ASSERT(k->kind == KIND_REPLICA_SET);
        rs->spec->has_replicas = 1;
        rs->spec->replicas = replicas;
    }
}

static Scale *make_scale(struct request *r, const void *parent)
{
    struct arena *a = &r->arena;
    const ObjectMeta *from = resource_meta_const(parent);
    const struct scaled s = look(r->kind, parent);
    struct selector selector = { 0 };
    Scale *scale = schema_new(a, &schema_Scale);
    scale->metadata = schema_new(a, &schema_ObjectMeta);
    scale->metadata->name = from->name;
    scale->metadata->namespace_ = from->namespace_;
    scale->metadata->uid = from->uid;
    scale->metadata->creation_timestamp = from->creation_timestamp;
    scale->spec = schema_new(a, &schema_ScaleSpec);
    scale->spec->has_replicas = 1;
    scale->spec->replicas = s.replicas;
    scale->status = schema_new(a, &schema_ScaleStatus);
    scale->status->has_replicas = 1;
    scale->status->replicas = s.status_replicas;
    if (s.selector != NULL && selector_from_struct(a, s.selector, &selector, NULL) == 0) {
        scale->status->selector = str_dup(a, selector_text(a, &selector));
    }
    if (s.map != NULL) {
        selector_from_entries(a, s.map->selector, s.map->n_selector, &selector);
        scale->status->selector = str_dup(a, selector_text(a, &selector));
    }
    return scale;
}

/* payload: the parent's. */
static enum request_run answer_scale(struct request *r, struct str payload)
{
    void *parent = NULL;
    if (object_unpack(r, r->kind, payload, &parent) != 0) {
        return RUN_FAIL;
    }
    struct str bytes = schema_pack_arena(&r->arena, &schema_Scale, make_scale(r, parent));
    return object_answer(r, 200, kind_info(KIND_SCALE), bytes, r->revision);
}

static int read_parent(struct request *r, struct str key, struct stored *out, void **out_object)
{
    int rc = request_read(r, key, out);
    if (rc == -ERR_NOT_FOUND) {
        return status_not_found(&r->arena, &r->status, r->kind, r->route.name);
    }
    return rc != 0 ? rc : object_unpack(r, r->kind, out->payload, out_object);
}

static enum request_run scale_get(struct request *r)
{
    struct stored found;
    void *parent = NULL;
    if (read_parent(r, request_key(r, r->kind->kind, r->route.ns, r->route.name), &found,
                    &parent) != 0) {
        return RUN_FAIL;
    }
    r->revision = found.revision;
    return answer_scale(r, found.payload);
}

static int other_namespace(struct request *r, struct str ns)
{
    if (r->route.verb != VERB_PATCH) {
        return status_bad_request(&r->status,
                                  str_lit("the namespace of the provided object does not match the "
                                          "namespace sent on the request"));
    }
    return status_bad_request(
        &r->status, str_printf(&r->arena,
                               "the namespace of the object (%.*s) does not match the namespace on "
                               "the request (%.*s)",
                               STR_ARG(ns), STR_ARG(r->route.ns)));
}

/* Name and namespace of the new Scale against the URL. */
static int check_names(struct request *r, const ObjectMeta *meta)
{
    struct str ns = write_text(meta->namespace_);
    if (write_check_name(r, meta) != 0) {
        return -ERR_INVALID_ARGUMENT;
    }
    return ns.len > 0 && !str_eq(ns, r->route.ns) ? other_namespace(r, ns) : 0;
}

/* Of a PUT upstream's storage compares the uid, of a patch the subresource: it names itself. */
static int check_uid(struct request *r, const ObjectMeta *meta, const ObjectMeta *parent)
{
    struct str uid = write_text(meta->uid);
    struct str present = write_text(parent->uid);
    if (uid.len == 0 || str_eq(uid, present)) {
        return 0;
    }
    struct str text = write_uid_text(r, uid, present);
    int rc = status_conflict(&r->arena, &r->status, r->kind, r->route.name, text);
    if (r->route.verb == VERB_PATCH) {
        r->status.kind = str_printf(&r->arena, "%s/scale", r->kind->plural);
        r->status.message =
            str_printf(&r->arena, "Operation cannot be fulfilled on %s/scale%s%s \"%.*s\": %.*s",
                       r->kind->plural, r->kind->group[0] == '\0' ? "" : ".", r->kind->group,
                       STR_ARG(r->route.name), STR_ARG(text));
    }
    return rc;
}

/* metadata like any object's, and replicas that can be had. */
static int validate_scale(struct request *r, const Scale *scale)
{
    struct err_list errors;
    struct field_path metadata = path_field(NULL, "metadata");
    struct field_path spec = path_field(NULL, "spec");
    struct field_path replicas = path_field(&spec, "replicas");
    err_list_init(&errors, &r->arena);
    metadata_validate(scale->metadata, true, name_dns1123_subdomain, &metadata, &errors);
    (void)check_not_negative(&errors, &replicas, scale->spec == NULL ? 0 : scale->spec->replicas);
    return write_check(r, kind_info(KIND_SCALE), r->route.name, &errors);
}

/* In upstream's order. whole: it is a full Scale, which a patch may have made of the present one;
 * others need not say where they are. */
static int check_scale(struct request *r, Scale *scale, bool whole, const void *old,
                       const struct stored *parent)
{
    if (scale->metadata == NULL) {
        scale->metadata = schema_new(&r->arena, &schema_ObjectMeta);
    }
    ObjectMeta *meta = scale->metadata;
    if (!whole && r->route.verb == VERB_PATCH && text_empty(meta->name)) {
        meta->name = str_dup(&r->arena, r->route.name); /* applied: the URL says it */
    }
    int rc = check_names(r, meta);
    if (!whole) {
        meta->namespace_ = str_dup(&r->arena, r->route.ns);
    }
    if (rc == 0 && r->route.verb != VERB_PATCH) {
        rc = check_uid(r, meta, resource_meta_const(old));
    }
    rc = rc == 0 ? validate_scale(r, scale) : rc;
    rc = rc == 0 ? check_uid(r, meta, resource_meta_const(old)) : rc;
    struct str rv = write_text(meta->resource_version);
    if (rc == 0 && rv.len > 0 && !str_eq(rv, object_rv(&r->arena, parent->revision))) {
        return status_modified(&r->arena, &r->status, r->kind, r->route.name);
    }
    return rc;
}

/* The present Scale as a patch changes it. */
static int patched_scale(struct request *r, enum patch_type type, const void *parent,
                         const struct stored *stored, void **out)
{
    const struct body_type body = body_type_of(kind_info(KIND_SCALE));
    struct err e = { 0 };
    const struct json *tree = NULL;
    const struct json *patched = NULL;
    const struct encoding encoding = {
        .api_version = str_from(body.api_version),
        .kind = str_from(body.kind),
        .resource_version = object_rv(&r->arena, stored->revision),
    };
    struct str bytes = schema_pack_arena(&r->arena, &schema_Scale, make_scale(r, parent));
    if (schema_to_dom(&r->arena, &schema_Scale, bytes, &encoding, &tree, &e) != 0) {
        return status_internal(&r->arena, &r->status, str_from(e.msg));
    }
    int rc = patch_apply(r, type, &schema_Scale, tree, &patched);
    return rc != 0 ? rc : body_decode_patched(r, type, &body, tree, patched, out);
}

/* The Scale that a configuration describes, and the parent's configuration that means the same. */
static int applied_scale(struct request *r, void **out, const struct json **out_config)
{
    const struct body_type body = body_type_of(kind_info(KIND_SCALE));
    const struct json *config = NULL;
    int rc = apply_config_read(r, &body, &config);
    rc = rc == 0 ? object_decode_tree(r, &body, config, out) : rc;
    if (rc != 0) {
        return rc;
    }
    const struct json *replicas = json_get_c(json_get_c(config, "spec"), "replicas");
    const struct json_member number = { str_lit("replicas"),
                                        replicas == NULL ? json_null : *replicas };
    const struct json_member spec = {
        str_lit("spec"), json_object(arena_copy(&r->arena, &number, sizeof(number)), 1)
    };
    const struct json whole =
        json_object(arena_copy(&r->arena, &spec, sizeof(spec)), replicas == NULL ? 0 : 1);
    *out_config = arena_copy(&r->arena, &whole, sizeof(whole));
    return 0;
}

/* The parent with the replicas that the request asks for. */
static int scaled_parent(struct request *r, const void *old, const struct stored *found, void **out)
{
    const struct body_type body = body_type_of(kind_info(KIND_SCALE));
    enum patch_type type = PATCH_MERGE;
    const struct json *config = NULL;
    void *object = NULL;
    int rc = r->route.verb == VERB_PATCH ? patch_type_of(r, &type) : 0;
    if (rc == 0 && r->route.verb != VERB_PATCH) {
        rc = object_decode_body(r, &body, &object);
    } else if (rc == 0 && type == PATCH_APPLY) {
        rc = applied_scale(r, &object, &config);
    } else if (rc == 0) {
        rc = patched_scale(r, type, old, found, &object);
    }
    const Scale *scale = object;
    bool whole = r->route.verb == VERB_PATCH && type != PATCH_APPLY;
    rc = rc == 0 ? check_scale(r, object, whole, old, found) : rc;
    if (rc != 0) {
        return rc;
    }
    if (type == PATCH_APPLY) {
        return managed_fields_apply(r, config, old, "scale", out);
    }
    *out = schema_copy(&r->arena, r->kind->schema, old);
    set_replicas(r->kind, *out, scale->spec == NULL ? 0 : scale->spec->replicas);
    return managed_fields_update(r, *out, old, "scale");
}

static enum request_run scale_write(struct request *r)
{
    struct stored found;
    struct err_list errors;
    const char *options = r->route.verb == VERB_PATCH ? "PatchOptions" : "UpdateOptions";
    void *old = NULL;
    const struct resource_context context = request_context(r);
    struct write w = { .kind = r->kind, .old = &found, .answer = answer_scale };
    w.key = request_key(r, r->kind->kind, r->route.ns, r->route.name);
    if (write_check_options(r, options) != 0 || read_parent(r, w.key, &found, &old) != 0 ||
        scaled_parent(r, old, &found, &w.object) != 0) {
        return RUN_FAIL;
    }
    resource_defaults(r->resource, &r->arena, w.object);
    resource_prepare_update(r->resource, &context, w.object, old);
    err_list_init(&errors, &r->arena);
    resource_validate_update(r->resource, &context, w.object, old, &errors);
    if (write_admit(r, &w, old, "scale") != 0 ||
        write_check(r, r->kind, r->route.name, &errors) != 0) {
        return RUN_FAIL;
    }
    managed_fields_settle(r, w.object, old);
    return write_object(r, &w);
}

#define SCALE_ALLOW (MEDIA_ALLOW_YAML | MEDIA_ALLOW_PROTOBUF | MEDIA_ALLOW_PARTIAL)

const struct operation operation_scale_get = {
    .name = "get scale",
    .mode = READ_FRESH,
    .allow = MEDIA_ALLOW_OBJECTS,
    .run = scale_get,
};

const struct operation operation_scale_update = {
    .name = "update scale",
    .body = true,
    .mode = READ_OPTIMISTIC,
    .allow = SCALE_ALLOW,
    .run = scale_write,
    .committed = write_committed,
};

const struct operation operation_scale_patch = {
    .name = "patch scale",
    .body = true,
    .mode = READ_OPTIMISTIC,
    .allow = SCALE_ALLOW,
    .run = scale_write,
    .committed = write_committed,
};
