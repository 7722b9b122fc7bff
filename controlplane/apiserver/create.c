/* POST of a collection: create. A guard says that the key is absent; a retry with the same request
 * id finds what its first attempt stored and answers with that. */
#include "api/meta/names.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/err_list.h"
#include "controlplane/apiserver/managed_fields.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/write.h"

/* Upstream tries so many generated names before it gives up. */
#define GENERATE_ATTEMPTS_MAX 8

/* A random (version 4) UUID. */
static char *make_uid(struct request *r)
{
    uint8_t b[16];
    env_random(r->server->config.env, b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    struct str hex = str_hex(&r->arena, str_of(b, sizeof(b)));
    struct str uid = str_printf(&r->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex.data, hex.data + 8,
                                hex.data + 12, hex.data + 16, hex.data + 20);
    return str_dup(&r->arena, uid);
}

/* Checks what the body says about itself against the URL, and puts the namespace in. */
static int check_identity(struct request *r, ObjectMeta *meta)
{
    struct str ns = write_text(meta->namespace_);
    uint64_t rv = 0;
    bool put = r->route.verb == VERB_UPDATE; /* it is told nothing of what is not there */
    if (!put && str_to_u64(write_text(meta->resource_version), &rv) == 0 && rv != 0) {
        int rc =
            status_internal(&r->arena, &r->status,
                            str_lit("resourceVersion should not be set on objects to be created"));
        r->status.message = str_lit("resourceVersion should not be set on objects to be created");
        r->status.reason = str_lit("");
        r->status.details = false;
        return rc;
    }
    if (ns.len > 0 && r->kind->namespaced && !str_eq(ns, r->route.ns)) {
        return status_bad_request(&r->status,
                                  str_lit("the namespace of the provided object does not match "
                                          "the namespace sent on the request"));
    }
    meta->namespace_ = str_dup(&r->arena, r->route.ns);
    return 0;
}

static void stamp(struct request *r, ObjectMeta *meta)
{
    meta->uid = make_uid(r);
    meta->creation_timestamp = schema_new(&r->arena, &schema_Time);
    meta->creation_timestamp->has_seconds = 1;
    meta->creation_timestamp->seconds = (int64_t)(request_now_ns(r) / ENV_S);
    meta->deletion_timestamp = NULL;
    meta->has_deletion_grace_period_seconds = 0;
}

static int prepare_object(struct request *r, struct write *w, bool applied)
{
    const struct resource_context context = request_context(r);
    struct err_list errors;
    ObjectMeta *meta = resource_meta(w->object);
    int rc = check_identity(r, meta);
    if (rc != 0) {
        return rc;
    }
    stamp(r, meta);
    resource_defaults(r->resource, &r->arena, w->object);
    rc = applied ? 0 : managed_fields_update(r, w->object, NULL, "");
    if (rc != 0) {
        return rc;
    }
    resource_prepare_create(r->resource, &context, w->object);
    rc = write_admit(r, w, NULL, "");
    if (rc != 0) {
        return rc;
    }
    err_list_init(&errors, &r->arena);
    resource_validate_create(r->resource, &context, w->object, &errors);
    rc = write_check(r, r->kind, write_text(meta->name), &errors);
    if (rc == 0) {
        write_warn(r, w->object, NULL);
    }
    return rc;
}

/* Finds a free name, or the object that an earlier attempt made. 0: the key is absent. 1: answered
 * with *out. */
static int find_place(struct request *r, struct write *w, struct str generate, struct stored *out)
{
    ObjectMeta *meta = resource_meta(w->object);
    for (uint32_t attempt = 0; attempt < GENERATE_ATTEMPTS_MAX; attempt++) {
        struct stored found;
        w->key = request_key(r, r->kind->kind, r->route.ns, write_text(meta->name));
        int rc = request_read(r, w->key, &found);
        if (rc == -ERR_NOT_FOUND) {
            return 0;
        }
        if (rc != 0) {
            return rc;
        }
        if (request_find_replay(r, w->key, &found, out)) {
            return 1;
        }
        if (generate.len == 0) {
            break;
        }
        meta->name =
            str_dup(&r->arena, name_generate(&r->arena, generate, r->request_id, attempt + 1));
    }
    int rc = status_already_exists(&r->arena, &r->status, r->kind, write_text(meta->name));
    if (write_text(meta->generate_name).len > 0) {
        r->status.retry_after_s = 1;
        r->status.message = str_printf(
            &r->arena, "%.*s, the server was not able to generate a unique name for the object",
            STR_ARG(r->status.message));
    }
    return rc;
}

enum request_run write_create(struct request *r, void *object, bool applied)
{
    struct write w = { .kind = r->kind, .http_status = 201, .object = object };
    struct stored first;
    ObjectMeta *meta = resource_meta(w.object);
    struct str generate = str_lit("");
    if (write_text(meta->name).len == 0 && write_text(meta->generate_name).len > 0) {
        generate = str_from(meta->generate_name);
        meta->name = str_dup(&r->arena, name_generate(&r->arena, generate, r->request_id, 0));
    }
    if (prepare_object(r, &w, applied) != 0) {
        return RUN_FAIL;
    }
    int rc = find_place(r, &w, generate, &first);
    if (rc < 0) {
        return RUN_FAIL;
    }
    if (rc == 1) {
        return object_answer(r, 201, r->kind, first.payload, first.revision);
    }
    return write_object(r, &w);
}

static enum request_run create_run(struct request *r)
{
    const struct body_type type = body_type_of(r->kind);
    void *object = NULL;
    if (write_check_options(r, "CreateOptions") != 0 ||
        object_decode_body(r, &type, &object) != 0 || object_to_stored(r, r->kind, &object) != 0) {
        return RUN_FAIL;
    }
    return write_create(r, object, false);
}

const struct operation operation_create = {
    .name = "create",
    .body = true,
    .mode = READ_OPTIMISTIC,
    .allow = MEDIA_ALLOW_OBJECTS,
    .run = create_run,
    .committed = write_committed,
};
