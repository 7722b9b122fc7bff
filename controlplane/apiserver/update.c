/*
 * PUT and PATCH of an object and of its status and finalize subresources: all are "a new object
 * that takes the place of the stored one", however it was made.
 *
 * A resourceVersion in the new object is a precondition; without one the write is bound to what
 * this run read and tried again when that moved.
 */
#include <string.h>

#include "api/patch/patch.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/err_list.h"
#include "api/schema/yaml.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/write.h"

enum part { PART_MAIN, PART_STATUS, PART_FINALIZE };

/* A patched object without a resourceVersion is tried so often against newer states (upstream). */
#define PATCH_ATTEMPTS_MAX 5

/* The stored object, unpacked twice: one to keep, one to change. */
struct current {
    struct stored stored;
    void *old;
};

static int read_current(struct request *r, struct str key, struct current *out)
{
    int rc = request_read(r, key, &out->stored);
    if (rc == -ERR_NOT_FOUND) {
        return rc;
    }
    return rc != 0 ? rc : object_unpack(r, r->kind, out->stored.payload, &out->old);
}

/* Name, namespace and uid of the new object against the URL and the stored object. */
static int check_names(struct request *r, ObjectMeta *meta)
{
    struct str name = write_text(meta->name);
    struct str ns = write_text(meta->namespace_);
    if (name.len == 0) {
        return status_bad_request(&r->status,
                                  str_printf(&r->arena,
                                             "the name of the object (%.*s based on URL) was "
                                             "undeterminable: name must be provided",
                                             STR_ARG(r->route.name)));
    }
    if (!str_eq(name, r->route.name)) {
        return status_bad_request(
            &r->status, str_printf(&r->arena,
                                   "the name of the object (%.*s) does not match the name on the "
                                   "URL (%.*s)",
                                   STR_ARG(name), STR_ARG(r->route.name)));
    }
    if (ns.len > 0 && !str_eq(ns, r->route.ns)) {
        return status_bad_request(
            &r->status, str_printf(&r->arena,
                                   "the namespace of the object (%.*s) does not match the "
                                   "namespace on the request (%.*s)",
                                   STR_ARG(ns), STR_ARG(r->route.ns)));
    }
    meta->namespace_ = str_dup(&r->arena, r->route.ns);
    return 0;
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
    if (uid.len > 0 && !str_eq(uid, write_text(old->uid))) {
        return status_conflict(
            &r->arena, &r->status, r->kind, r->route.name,
            str_printf(&r->arena,
                       "Precondition failed: UID in precondition: %.*s, UID in object meta: %s",
                       STR_ARG(uid), write_text(old->uid).data));
    }
    if (rv.len == 0 || str_eq_c(rv, "0")) {
        if (r->resource->unconditional_update || r->route.verb == VERB_PATCH) {
            return 0;
        }
        const struct status_cause cause = {
            .reason = str_lit("FieldValueInvalid"),
            .message = str_lit("Invalid value: 0x0: must be specified for an update"),
            .field = str_lit("metadata.resourceVersion"),
        };
        return status_invalid_field(&r->arena, &r->status, str_from(kind_name_group(r->kind->kind)),
                                    str_from(r->kind->name), str_from(r->kind->group),
                                    r->route.name, &cause);
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

/* /finalize of a namespace changes spec.finalizers and nothing else. */
static void *take_finalizers(struct request *r, void *object, const void *old)
{
    Namespace *n = schema_copy(&r->arena, kind_info(KIND_NAMESPACE)->schema, old);
    const Namespace *wanted = object;
    if (n->spec != NULL) {
        n->spec->n_finalizers = wanted->spec == NULL ? 0 : wanted->spec->n_finalizers;
        n->spec->finalizers = wanted->spec == NULL ? NULL : wanted->spec->finalizers;
    }
    return n;
}

/* Defaults, preparation, admission and validation of the part that changes. */
static int prepare(struct request *r, struct write *w, const void *old, enum part part)
{
    const struct resource_context context = request_context(r);
    struct err_list errors;
    err_list_init(&errors, &r->arena);
    if (part == PART_FINALIZE) {
        w->object = take_finalizers(r, w->object, old);
        return 0;
    }
    resource_defaults(r->resource, &r->arena, w->object);
    if (part == PART_STATUS) {
        resource_prepare_status(r->resource, &context, w->object, old);
    } else {
        resource_prepare_update(r->resource, &context, w->object, old);
    }
    int rc = write_admit(r, w, old, part == PART_STATUS ? "status" : "");
    if (rc != 0) {
        return rc;
    }
    if (part == PART_STATUS) {
        resource_validate_status(r->resource, &context, w->object, old, &errors);
    } else {
        resource_validate(r->resource, &context, w->object, &errors);
        resource_validate_update(r->resource, &context, w->object, old, &errors);
    }
    return write_check(r, r->kind, r->route.name, &errors);
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
    if (prepare(r, &w, c->old, part) != 0) {
        return RUN_FAIL;
    }
    return write_object(r, &w);
}

/* ---- PUT ---- */

static enum request_run put(struct request *r, enum part part)
{
    const struct body_type type = body_type_of(r->kind);
    struct current c;
    void *object = NULL;
    struct str key = request_key(r, r->kind->kind, r->route.ns, r->route.name);
    if (write_check_options(r, "UpdateOptions") != 0 ||
        object_decode_body(r, &type, &object) != 0 || check_names(r, resource_meta(object)) != 0) {
        return RUN_FAIL;
    }
    int rc = read_current(r, key, &c);
    if (rc == -ERR_NOT_FOUND && part == PART_MAIN && r->resource->create_on_update &&
        write_text(resource_meta(object)->resource_version).len == 0) {
        return operation_create.run(r); /* a PUT that creates, answered 201 */
    }
    if (rc == -ERR_NOT_FOUND) {
        (void)status_not_found(&r->arena, &r->status, r->kind, r->route.name);
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

static enum request_run put_finalize(struct request *r)
{
    return put(r, PART_FINALIZE);
}

/* ---- PATCH ---- */

/* Only server-side apply can be forced. */
static int forbid_force(struct request *r)
{
    const struct status_cause cause = {
        .reason = str_lit("FieldValueForbidden"),
        .message = str_lit("Forbidden: may not be specified for non-apply patch"),
        .field = str_lit("force"),
    };
    if (route_param(&r->route, "force").len == 0) {
        return 0;
    }
    return status_invalid_field(&r->arena, &r->status, str_lit("PatchOptions.meta.k8s.io"),
                                str_lit("PatchOptions"), str_lit("meta.k8s.io"), str_lit(""),
                                &cause);
}

int patch_apply(struct request *r, const struct schema *schema, const struct json *current,
                const struct json **out)
{
    struct err e = { 0 };
    enum patch_type type;
    const struct json *patch = NULL;
    int rc = media_patch(
        r->x == NULL ? str_lit("") : http_headers_get(&r->x->headers, "content-type"), &type, &e);
    if (rc == 0 && type == PATCH_APPLY) {
        rc = err_set(&e, ERR_UNSUPPORTED_MEDIA_TYPE,
                     "server-side apply (application/apply-patch+yaml) is not built yet - accepted "
                     "media types include: application/json-patch+json, "
                     "application/merge-patch+json, application/strategic-merge-patch+json");
    }
    if (rc != 0) {
        return status_from_err(&r->arena, &r->status, rc, &e);
    }
    rc = forbid_force(r);
    if (rc != 0) {
        return rc;
    }
    if (json_parse(&r->arena, r->body, &patch, &e) != 0) {
        return status_bad_request(&r->status,
                                  str_printf(&r->arena, "error decoding patch: %s", e.msg));
    }
    if (type == PATCH_JSON) {
        rc = patch_json(&r->arena, current, patch, out, &e);
    } else if (type == PATCH_MERGE) {
        rc = patch_merge(&r->arena, current, patch, out, &e);
    } else {
        rc = patch_strategic(&r->arena, schema, current, patch, out, &e);
    }
    return rc == 0 ? 0 : status_from_err(&r->arena, &r->status, rc, &e);
}

/* The stored object as the tree that patches work on; what the JSON cannot hold is carried over. */
static int patch_object(struct request *r, struct current *c, void **out)
{
    struct err e = { 0 };
    const struct json *tree = NULL;
    const struct json *patched = NULL;
    const struct body_type type = body_type_of(r->kind);
    const struct encoding encoding = {
        .api_version = str_from(type.api_version),
        .kind = str_from(type.kind),
        .resource_version = object_rv(&r->arena, c->stored.revision),
    };
    if (schema_to_dom(&r->arena, type.schema, c->stored.payload, &encoding, &tree, &e) != 0) {
        return status_internal(&r->arena, &r->status, str_copy(&r->arena, str_from(e.msg)));
    }
    int rc = patch_apply(r, type.schema, tree, &patched);
    rc = rc == 0 ? object_decode_tree(r, &type, patched, out) : rc;
    if (rc == 0) {
        schema_carry_unknown(&r->arena, type.schema, c->old, *out);
    }
    return rc;
}

static enum request_run patch(struct request *r, enum part part)
{
    struct current c;
    void *object = NULL;
    struct str key = request_key(r, r->kind->kind, r->route.ns, r->route.name);
    if (write_check_options(r, "PatchOptions") != 0) {
        return RUN_FAIL;
    }
    if (r->attempts >= PATCH_ATTEMPTS_MAX) {
        (void)status_modified(&r->arena, &r->status, r->kind, r->route.name);
        return RUN_FAIL;
    }
    int rc = read_current(r, key, &c);
    if (rc == -ERR_NOT_FOUND) {
        (void)status_not_found(&r->arena, &r->status, r->kind, r->route.name);
    }
    if (rc != 0) {
        return RUN_FAIL;
    }
    struct stored replay;
    if (request_find_replay(r, key, &c.stored, &replay)) {
        return object_answer(r, 200, r->kind, replay.payload, replay.revision);
    }
    return patch_object(r, &c, &object) != 0 ? RUN_FAIL : replace(r, key, &c, object, part);
}

static enum request_run patch_main(struct request *r)
{
    return patch(r, PART_MAIN);
}

static enum request_run patch_status(struct request *r)
{
    return patch(r, PART_STATUS);
}

#define WRITE_OPERATION(operation_name, function)                                                  \
    {                                                                                              \
        .name = operation_name, .body = true, .mode = READ_OPTIMISTIC,                             \
        .allow = MEDIA_ALLOW_OBJECTS, .run = function, .committed = write_committed                \
    }

const struct operation operation_update = WRITE_OPERATION("update", put_main);
const struct operation operation_status_update = WRITE_OPERATION("update status", put_status);
const struct operation operation_finalize = WRITE_OPERATION("finalize", put_finalize);
const struct operation operation_patch = WRITE_OPERATION("patch", patch_main);
const struct operation operation_status_patch = WRITE_OPERATION("patch status", patch_status);
