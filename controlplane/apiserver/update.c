/*
 * PUT and PATCH of an object and of its status and finalize subresources: all are "a new object
 * that takes the place of the stored one", however it was made.
 *
 * A resourceVersion in the new object is a precondition; without one the write is bound to what
 * this run read and tried again when that moved.
 */
#include <string.h>

#include "api/meta/view.h"
#include "api/patch/patch.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/err_list.h"
#include "api/schema/yaml.h"
#include "controlplane/apiserver/apply_config.h"
#include "controlplane/apiserver/body.h"
#include "controlplane/apiserver/managed_fields.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/write.h"
#include "controlplane/resources/namespace.h"
#include "controlplane/resources/pod_subresources.h"

enum part { PART_MAIN, PART_STATUS, PART_FINALIZE, PART_EPHEMERAL, PART_RESIZE };

static const char *sub_of(enum part part)
{
    static const char *const names[] = { [PART_MAIN] = "",
                                         [PART_STATUS] = "status",
                                         [PART_FINALIZE] = "finalize",
                                         [PART_EPHEMERAL] = "ephemeralcontainers",
                                         [PART_RESIZE] = "resize" };
    return names[part];
}

/* A patched object without a resourceVersion is tried so often against newer states (upstream). */
#define PATCH_ATTEMPTS_MAX 5

struct current {
    struct stored stored;
    void *old;    /* with today's defaults, as a stored object is always read upstream */
    bool applied; /* the new object has its managed fields already */
};

static int read_current(struct request *r, struct str key, struct current *out)
{
    int rc = request_read(r, key, &out->stored);
    if (rc == -ERR_NOT_FOUND) {
        return rc;
    }
    rc = rc != 0 ? rc : object_unpack(r, r->kind, out->stored.payload, &out->old);
    if (rc == 0) {
        resource_defaults(r->resource, &r->arena, out->old);
    }
    return rc;
}

/* Name, namespace and uid of the new object against the URL and the stored object. */
static int check_names(struct request *r, ObjectMeta *meta)
{
    struct str ns = write_text(meta->namespace_);
    if (ns.len > 0 && r->kind->namespaced && !str_eq(ns, r->route.ns)) {
        return status_bad_request(&r->status,
                                  str_lit("the namespace of the provided object does not match the "
                                          "namespace sent on the request"));
    }
    if (write_check_name(r, meta) != 0) {
        return -ERR_INVALID_ARGUMENT;
    }
    meta->namespace_ = str_dup(&r->arena, r->route.ns);
    return 0;
}

static int uid_differs(struct request *r, struct str wanted, struct str present)
{
    return status_conflict(&r->arena, &r->status, r->kind, r->route.name,
                           write_uid_text(r, wanted, present));
}

/* The preconditions an object carries in its metadata. 0: proceed. 1: an earlier attempt of this
 * very request stored what the client asked for. */
static int check_versions(struct request *r, const ObjectMeta *meta, struct str key,
                          struct current *c, struct stored *out_replay)
{
    struct str rv = write_text(meta->resource_version);
    struct str uid = write_text(meta->uid);
    const ObjectMeta *old = resource_meta_const(c->old);
    if (request_find_replay(r, key, &c->stored, out_replay)) {
        return 1;
    }
    /* Of a PUT the uid is a precondition; of a patched object it is a field that may not change. */
    if (r->route.verb != VERB_PATCH && uid.len > 0 && !str_eq(uid, write_text(old->uid))) {
        return uid_differs(r, uid, write_text(old->uid));
    }
    if (rv.len == 0 || str_eq_c(rv, "0")) {
        if (r->resource->unconditional_update || r->route.verb == VERB_PATCH) {
            return 0;
        }
        const struct status_cause cause = {
            .reason = str_lit("FieldValueInvalid"),
            .message = str_lit("Invalid value: 0: must be specified for an update"),
            .field = str_lit("metadata.resourceVersion"),
        };
        /* Upstream puts the resource where the kind belongs. */
        return status_invalid_field(
            &r->arena, &r->status, str_from(kind_resource_group(r->kind->kind)),
            str_from(r->kind->plural), str_from(r->kind->group), r->route.name, &cause);
    }
    uint64_t wanted = 0;
    if (str_to_u64(rv, &wanted) != 0) {
        return status_bad_request(
            &r->status, str_printf(&r->arena, "invalid resource version \"%.*s\"", STR_ARG(rv)));
    }
    return wanted == c->stored.revision
               ? 0
               : status_modified(&r->arena, &r->status, r->kind, r->route.name);
}

/* /finalize of a namespace changes all that a PUT of it does, and spec.finalizers. */
static void *take_finalizers(struct request *r, void *object, const void *old)
{
    const struct resource_context context = request_context(r);
    Namespace *n = object;
    resource_defaults(r->resource, &r->arena, n);
    NamespaceSpec *wanted = n->spec;
    resource_prepare_update(r->resource, &context, n, old);
    n->spec = wanted;
    return n;
}

/* Where a subresource is one part of the object, it is taken, and the rest stays. */
static void *take_part(struct request *r, void *object, const void *old, enum part part)
{
    const ObjectMeta *given = resource_meta_const(object);
    void *made = part == PART_FINALIZE    ? take_finalizers(r, object, old)
                 : part == PART_EPHEMERAL ? (void *)pod_take_ephemeral(&r->arena, object, old)
                 : part == PART_RESIZE    ? (void *)pod_take_resize(&r->arena, object, old)
                                          : object;
    resource_meta(made)->n_managed_fields = given->n_managed_fields;
    resource_meta(made)->managed_fields = given->managed_fields;
    return made;
}

/* Puts back what this part may not change, and asks admission. */
static int prepare(struct request *r, struct write *w, const void *old, enum part part)
{
    const struct resource_context context = request_context(r);
    if (part == PART_STATUS) {
        resource_prepare_status(r->resource, &context, w->object, old);
    } else {
        resource_prepare_update(r->resource, &context, w->object, old);
    }
    return write_admit(r, w, old, sub_of(part));
}

/* What is wrong with the object as it would be, and was not wrong with it before: a rule that is
 * newer than the object does not keep controllers and their owners from changing the rest of it. */
static void validate_whole(struct request *r, const struct resource_context *context, void *object,
                           const void *old, struct err_list *out)
{
    struct err_list before;
    resource_validate(r->resource, context, object, out);
    if (out->count == 0) {
        return;
    }
    err_list_init(&before, &r->arena);
    resource_validate(r->resource, context, old, &before);
    err_list_subtract(out, &before);
}

/* The same of its status and of the metadata that came with it. */
static void validate_status(struct request *r, const struct resource_context *context, void *object,
                            const void *old, struct err_list *out)
{
    struct err_list before;
    resource_validate_meta(r->resource, object, out);
    resource_validate_status(r->resource, context, object, old, out);
    if (out->count == 0) {
        return;
    }
    err_list_init(&before, &r->arena);
    resource_validate_meta(r->resource, old, &before);
    resource_validate_status(r->resource, context, old, old, &before);
    err_list_subtract(out, &before);
}

/* The same of a namespace's finalizers, and of the metadata that came with them. */
static void validate_finalize(struct request *r, void *object, const void *old,
                              struct err_list *out)
{
    struct err_list before;
    resource_validate_meta(r->resource, object, out);
    resource_validate_meta_update(object, old, out);
    namespace_validate_finalize(object, out);
    if (out->count == 0) {
        return;
    }
    err_list_init(&before, &r->arena);
    resource_validate_meta(r->resource, old, &before);
    namespace_validate_finalize(old, &before);
    err_list_subtract(out, &before);
}

/* What the part's own rules say. */
static void validate_part(const struct resource_context *context, const struct resource *resource,
                          void *object, const void *old, enum part part, struct err_list *out)
{
    if (part == PART_MAIN) {
        resource_validate_update(resource, context, object, old, out);
    } else {
        resource_validate_meta_update(object, old, out);
    }
    if (part == PART_RESIZE) {
        pod_validate_resize(object, old, out);
    } else if (part == PART_EPHEMERAL) {
        pod_validate_ephemeral(object, old, out);
    }
}

static int validate(struct request *r, struct write *w, const void *old, enum part part)
{
    const struct resource_context context = request_context(r);
    struct err_list errors;
    err_list_init(&errors, &r->arena);
    if (part == PART_STATUS) {
        validate_status(r, &context, w->object, old, &errors);
    } else if (part == PART_FINALIZE) {
        validate_finalize(r, w->object, old, &errors);
    } else {
        validate_whole(r, &context, w->object, old, &errors);
        validate_part(&context, r->resource, w->object, old, part, &errors);
    }
    int rc = write_check(r, r->kind, r->route.name, &errors);
    if (rc == 0 && part == PART_MAIN) {
        write_warn(r, w->object, old);
    }
    return rc;
}

/* Defaults, managed fields, and the rules of the part that changes. */
static int make_ready(struct request *r, struct write *w, const struct current *c, enum part part)
{
    int rc = 0;
    if (part != PART_FINALIZE) {
        resource_defaults(r->resource, &r->arena, w->object);
    }
    w->object = take_part(r, w->object, c->old, part);
    if (!c->applied) {
        rc = managed_fields_update(r, w->object, c->old, sub_of(part));
    }
    if (rc == 0 && part != PART_FINALIZE) {
        rc = prepare(r, w, c->old, part);
    }
    rc = rc == 0 ? validate(r, w, c->old, part) : rc;
    if (rc == 0) {
        managed_fields_settle(r, w->object, c->old);
    }
    return rc;
}

/* The new object takes the stored one's place. */
static enum request_run replace(struct request *r, struct str key, struct current *c, void *object,
                                enum part part)
{
    struct write w = { .kind = r->kind, .key = key, .old = &c->stored, .http_status = 200 };
    struct stored replay;
    ObjectMeta *meta = resource_meta(object);
    w.object = object;
    if (check_names(r, meta) != 0) {
        return RUN_FAIL;
    }
    int rc = check_versions(r, meta, key, c, &replay);
    if (rc < 0) {
        return RUN_FAIL;
    }
    if (rc == 1) {
        return object_answer(r, 200, r->kind, replay.payload, replay.revision);
    }
    if (make_ready(r, &w, c, part) != 0) {
        return RUN_FAIL;
    }
    return write_object(r, &w);
}

/* ---- PUT ---- */

static enum request_run put(struct request *r, enum part part)
{
    const struct body_type type = body_type_of(r->kind);
    struct current c = { 0 };
    void *object = NULL;
    struct str key = request_key(r, r->kind->kind, r->route.ns, r->route.name);
    if (write_check_options(r, "UpdateOptions") != 0 ||
        object_decode_body(r, &type, &object) != 0 || object_to_stored(r, r->kind, &object) != 0 ||
        check_names(r, resource_meta(object)) != 0) {
        return RUN_FAIL;
    }
    int rc = read_current(r, key, &c);
    if (rc == -ERR_NOT_FOUND && part == PART_MAIN && r->resource->create_on_update) {
        struct str uid = write_text(resource_meta(object)->uid);
        if (uid.len == 0) {
            return operation_create.run(r); /* a PUT that creates, answered 201 */
        }
        (void)uid_differs(r, uid, str_lit(""));
    } else if (rc == -ERR_NOT_FOUND) {
        (void)status_not_found(&r->arena, &r->status, r->kind, r->route.name);
    }
    if (rc == 0 && r->body_is_text) {
        schema_carry_unknown(&r->arena, object_schema(r->kind), c.old, object);
    }
    return rc != 0 ? RUN_FAIL : replace(r, key, &c, object, part);
}

static enum request_run put_main(struct request *r)
{
    return put(r, PART_MAIN);
}

static enum request_run put_status(struct request *r)
{
    return put(r, PART_STATUS);
}

static enum request_run put_ephemeral(struct request *r)
{
    return put(r, PART_EPHEMERAL);
}

static enum request_run put_resize(struct request *r)
{
    return put(r, PART_RESIZE);
}

static enum request_run put_finalize(struct request *r)
{
    return put(r, PART_FINALIZE);
}

/* ---- PATCH ---- */

int patch_type_of(struct request *r, enum patch_type *out)
{
    struct err e = { 0 };
    struct str content_type =
        r->x == NULL ? str_lit("") : http_headers_get(&r->x->headers, "content-type");
    int rc = media_patch(content_type, out, &e);
    return rc == 0 ? apply_config_check_type(r, *out)
                   : status_from_err(&r->arena, &r->status, rc, &e);
}

int patch_apply(struct request *r, enum patch_type type, const struct schema *schema,
                const struct json *current, const struct json **out)
{
    struct err e = { 0 };
    const struct json *patch = NULL;
    int rc = 0;
    if (body_parse_patch(r, type, &patch) != 0) {
        return -ERR_INVALID_ARGUMENT;
    }
    if (type == PATCH_JSON) {
        rc = patch_json(&r->arena, current, patch, out, &e);
        if (rc == -ERR_INVALID) {
            return status_rejected_patch(&r->status);
        }
    } else if (type == PATCH_MERGE) {
        rc = patch_merge(&r->arena, current, patch, out, &e);
    } else {
        rc = patch_strategic(&r->arena, schema, current, patch, out, &e);
    }
    if (rc == -ERR_INVALID) {
        return status_unprocessable(&r->status);
    }
    if (rc == -ERR_INTERNAL) {
        return status_unforeseen(&r->status, str_copy(&r->arena, str_from(e.msg)));
    }
    return rc == 0 ? 0 : status_from_err(&r->arena, &r->status, rc, &e);
}

/* Where a patch cannot speak of managed fields it need not see them. */
static bool may_name_entries(const struct request *r, enum patch_type type)
{
    return type == PATCH_JSON || str_find(r->body, str_lit("managedFields")) >= 0;
}

/* The stored object as the tree that patches work on. */
static int patch_tree(struct request *r, const struct current *c, enum patch_type type,
                      const struct json **out)
{
    struct err e = { 0 };
    const struct body_type body = body_type_of(r->kind);
    const struct encoding encoding = {
        .api_version = str_from(body.api_version),
        .kind = str_from(body.kind),
        .resource_version = object_rv(&r->arena, c->stored.revision),
    };
    struct str payload = may_name_entries(r, type)
                             ? schema_pack_arena(&r->arena, object_schema(r->kind), c->old)
                             : managed_fields_without(r, c->old);
    payload = view_of_stored(&r->arena, r->kind->kind, payload);
    if (schema_to_dom(&r->arena, body.schema, payload, &encoding, out, &e) != 0) {
        return status_internal(&r->arena, &r->status, str_copy(&r->arena, str_from(e.msg)));
    }
    return 0;
}

/* What the JSON cannot hold is carried over. */
static int patch_object(struct request *r, struct current *c, enum patch_type type, void **out)
{
    const struct json *tree = NULL;
    const struct json *patched = NULL;
    const struct body_type body = body_type_of(r->kind);
    int rc = patch_tree(r, c, type, &tree);
    rc = rc == 0 ? patch_apply(r, type, body.schema, tree, &patched) : rc;
    rc = rc == 0 ? body_decode_patched(r, type, &body, tree, patched, out) : rc;
    rc = rc == 0 ? object_to_stored(r, r->kind, out) : rc;
    if (rc == 0) {
        schema_carry_unknown(&r->arena, object_schema(r->kind), c->old, *out);
    }
    return rc;
}

/* An apply to a name that is free creates it. */
static enum request_run apply_new(struct request *r, const struct json *config)
{
    void *object = NULL;
    if (request_check_verb(r, "create") != 0 ||
        managed_fields_apply(r, config, NULL, "", &object) != 0 ||
        check_names(r, resource_meta(object)) != 0) {
        return RUN_FAIL;
    }
    struct str uid = write_text(resource_meta(object)->uid);
    if (uid.len > 0) {
        (void)status_conflict(&r->arena, &r->status, r->kind, r->route.name,
                              str_printf(&r->arena,
                                         "uid mismatch: the provided object specified uid %.*s, "
                                         "and no existing object was found",
                                         STR_ARG(uid)));
        return RUN_FAIL;
    }
    resource_meta(object)->resource_version = NULL; /* of an object that is gone: upstream's rule */
    return write_create(r, object, true);
}

static enum request_run patch_missing(struct request *r, enum patch_type type, enum part part)
{
    const struct body_type body = body_type_of(r->kind);
    const struct json *config = NULL;
    if (type != PATCH_APPLY || part != PART_MAIN) {
        (void)status_not_found(&r->arena, &r->status, r->kind, r->route.name);
        return RUN_FAIL;
    }
    return apply_config_read(r, &body, &config) != 0 ? RUN_FAIL : apply_new(r, config);
}

/* The object that the patch makes of the current one. */
static int wanted_object(struct request *r, struct current *c, enum patch_type type, enum part part,
                         void **out)
{
    const struct body_type body = body_type_of(r->kind);
    const struct json *config = NULL;
    if (type != PATCH_APPLY) {
        return patch_object(r, c, type, out);
    }
    int rc = apply_config_read(r, &body, &config);
    return rc != 0 ? rc : managed_fields_apply(r, config, c->old, sub_of(part), out);
}

static enum request_run patch(struct request *r, enum part part)
{
    struct current c = { 0 };
    enum patch_type type;
    void *object = NULL;
    struct str key = request_key(r, r->kind->kind, r->route.ns, r->route.name);
    if (write_check_options(r, "PatchOptions") != 0 || patch_type_of(r, &type) != 0) {
        return RUN_FAIL;
    }
    if (r->attempts >= PATCH_ATTEMPTS_MAX) {
        (void)status_modified(&r->arena, &r->status, r->kind, r->route.name);
        return RUN_FAIL;
    }
    int rc = read_current(r, key, &c);
    if (rc == -ERR_NOT_FOUND) {
        return patch_missing(r, type, part);
    }
    if (rc != 0) {
        return RUN_FAIL;
    }
    struct stored replay;
    if (request_find_replay(r, key, &c.stored, &replay)) {
        return object_answer(r, 200, r->kind, replay.payload, replay.revision);
    }
    c.applied = type == PATCH_APPLY;
    return wanted_object(r, &c, type, part, &object) != 0 ? RUN_FAIL
                                                          : replace(r, key, &c, object, part);
}

static enum request_run patch_main(struct request *r)
{
    return patch(r, PART_MAIN);
}

static enum request_run patch_status(struct request *r)
{
    return patch(r, PART_STATUS);
}

static enum request_run patch_ephemeral(struct request *r)
{
    return patch(r, PART_EPHEMERAL);
}

static enum request_run patch_resize(struct request *r)
{
    return patch(r, PART_RESIZE);
}

#define WRITE_OPERATION(operation_name, function)                                                  \
    {                                                                                              \
        .name = operation_name, .body = true, .mode = READ_OPTIMISTIC,                             \
        .allow = MEDIA_ALLOW_OBJECTS, .run = function, .committed = write_committed                \
    }

const struct operation operation_update = WRITE_OPERATION("update", put_main);
const struct operation operation_status_update = WRITE_OPERATION("update status", put_status);
const struct operation operation_finalize = WRITE_OPERATION("finalize", put_finalize);
const struct operation operation_ephemeral_update =
    WRITE_OPERATION("update ephemeralcontainers", put_ephemeral);
const struct operation operation_ephemeral_patch =
    WRITE_OPERATION("patch ephemeralcontainers", patch_ephemeral);
const struct operation operation_resize_update = WRITE_OPERATION("update resize", put_resize);
const struct operation operation_resize_patch = WRITE_OPERATION("patch resize", patch_resize);
const struct operation operation_patch = WRITE_OPERATION("patch", patch_main);
const struct operation operation_status_patch = WRITE_OPERATION("patch status", patch_status);
