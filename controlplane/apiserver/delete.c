/*
 * DELETE of one object and of a collection.
 *
 * A delete ends in one of three ways: the row goes (no finalizers, no grace), the object becomes
 * Terminating (a write like any other), or it already was and nothing changes. A collection is
 * deleted one object after the other, each with a guard of its own.
 */
#include <string.h>

#include "api/meta/object.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/err_list.h"
#include "controlplane/apiserver/list_options.h"
#include "controlplane/apiserver/list_write.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/remaining.h"
#include "controlplane/apiserver/selection.h"
#include "controlplane/apiserver/write.h"

static const char finalizer_orphan[] = "orphan";
static const char finalizer_foreground[] = "foregroundDeletion";

/* ---- options ---- */

static int query_options(struct request *r, DeleteOptions *o)
{
    struct err e = { 0 };
    struct str policy = route_param(&r->route, "propagationPolicy");
    if (route_param(&r->route, "gracePeriodSeconds").len > 0) {
        if (route_param_i64(&r->route, "gracePeriodSeconds", &o->grace_period_seconds, &e) != 0) {
            return status_from_err(&r->arena, &r->status, -ERR_INVALID_ARGUMENT, &e);
        }
        o->has_grace_period_seconds = 1;
    }
    if (policy.len > 0) {
        o->propagation_policy = str_dup(&r->arena, policy);
    }
    if (route_has_param(&r->route, "orphanDependents")) {
        o->has_orphan_dependents = 1;
        o->orphan_dependents = route_param_bool(&r->route, "orphanDependents");
    }
    return 0;
}

/* The body's dryRun counts as the query's does. */
static void take_dry_runs(struct request *r, const DeleteOptions *o)
{
    struct route *route = &r->route;
    if (o->n_dry_run == 0 || write_is_dry_run(r)) {
        return;
    }
    struct param *p = arena_array(&r->arena, route->params_count + o->n_dry_run, sizeof(*p));
    memcpy(p, route->params, route->params_count * sizeof(*p));
    for (size_t i = 0; i < o->n_dry_run; i++) {
        p[route->params_count++] = (struct param){ str_lit("dryRun"), write_text(o->dry_run[i]) };
    }
    route->params = p;
}

int delete_check_options(struct request *r, const struct DeleteOptions *o)
{
    static const char field[] = "propagationPolicy";
    struct str policy = write_text(o->propagation_policy);
    struct err_list errors;
    err_list_init(&errors, &r->arena);
    if (o->propagation_policy != NULL && o->has_orphan_dependents) {
        err_list_addf(&errors, field, FIELD_INVALID,
                      "\"%.*s\": orphanDependents and deletionPropagation cannot be both set",
                      STR_ARG(policy));
    }
    if (o->propagation_policy != NULL && !str_eq_c(policy, "Background") &&
        !str_eq_c(policy, "Foreground") && !str_eq_c(policy, "Orphan")) {
        err_list_addf(&errors, field, FIELD_NOT_SUPPORTED,
                      "\"%.*s\": supported values: \"Foreground\", \"Background\", \"Orphan\", "
                      "\"nil\"",
                      STR_ARG(policy));
    }
    take_dry_runs(r, o);
    write_check_dry_run(r, &errors);
    return errors.count == 0
               ? 0
               : status_invalid_options(&r->arena, &r->status, "DeleteOptions", &errors);
}

static int read_options(struct request *r, DeleteOptions **out)
{
    const struct body_type type = { .schema = &schema_DeleteOptions, .kind = "DeleteOptions" };
    void *o = NULL;
    int rc = 0;
    if (r->body.len > 0) {
        rc = object_decode_body(r, &type, &o);
    } else {
        o = schema_new(&r->arena, &schema_DeleteOptions);
        rc = query_options(r, o);
    }
    if (rc != 0) {
        return rc;
    }
    *out = o;
    return delete_check_options(r, o);
}

/* ---- one object ---- */

static int precondition_failed(struct request *r, const struct kind_info *k, struct str name,
                               struct str text)
{
    int rc = status_conflict(&r->arena, &r->status, k, name, text);
    r->status.kind = str_from(k->name);
    r->status.message = str_printf(&r->arena, "Operation cannot be fulfilled on %s \"%.*s\": %.*s",
                                   kind_name_group(k->kind), STR_ARG(name), STR_ARG(text));
    return rc;
}

static int check_preconditions(struct request *r, const struct write *w, const ObjectMeta *meta,
                               const DeleteOptions *o)
{
    if (o->preconditions == NULL) {
        return 0;
    }
    struct str uid = write_text(o->preconditions->uid);
    struct str rv = write_text(o->preconditions->resource_version);
    struct str name = write_text(meta->name);
    if (o->preconditions->uid != NULL && !str_eq(uid, write_text(meta->uid))) {
        return precondition_failed(
            r, w->kind, name,
            str_printf(&r->arena,
                       "the UID in the precondition (%.*s) does not match the UID in record (%s). "
                       "The object might have been deleted and then recreated",
                       STR_ARG(uid), write_text(meta->uid).data));
    }
    struct str current = object_rv(&r->arena, w->old->revision);
    if (o->preconditions->resource_version != NULL && !str_eq(rv, current)) {
        return precondition_failed(
            r, w->kind, name,
            str_printf(&r->arena,
                       "the ResourceVersion in the precondition (%.*s) does not match the "
                       "ResourceVersion in record (%.*s). The object might have been modified",
                       STR_ARG(rv), STR_ARG(current)));
    }
    return 0;
}

/* Sets or removes one finalizer. */
static void set_finalizer(struct request *r, ObjectMeta *meta, const char *name, bool wanted)
{
    char **list = arena_array(&r->arena, meta->n_finalizers + 1, sizeof(*list));
    size_t count = 0;
    bool found = false;
    for (size_t i = 0; i < meta->n_finalizers; i++) {
        bool same = strcmp(meta->finalizers[i], name) == 0;
        found = found || same;
        if (!same || wanted) {
            list[count++] = meta->finalizers[i];
        }
    }
    if (wanted && !found) {
        list[count++] = str_dup(&r->arena, str_from(name));
    }
    meta->finalizers = list;
    meta->n_finalizers = count;
}

static bool wears(const ObjectMeta *meta, const char *finalizer)
{
    for (size_t i = 0; i < meta->n_finalizers; i++) {
        if (strcmp(meta->finalizers[i], finalizer) == 0) {
            return true;
        }
    }
    return false;
}

/* What the garbage collector is to do first, as finalizers: what the client says; else what the
 * object wears already; else the kind's habit. */
static void apply_policy(struct request *r, ObjectMeta *meta, const DeleteOptions *o)
{
    struct str policy = write_text(o->propagation_policy);
    bool orphan = wears(meta, finalizer_orphan);
    bool foreground = wears(meta, finalizer_foreground);
    if (r->resource->dependents == DEPENDENTS_NONE) {
        orphan = false;
        foreground = false;
    } else if (o->has_orphan_dependents) {
        orphan = o->orphan_dependents;
        foreground = false;
    } else if (policy.len > 0) {
        orphan = str_eq_c(policy, "Orphan");
        foreground = str_eq_c(policy, "Foreground");
    } else if (!orphan && !foreground) {
        orphan = r->resource->dependents == DEPENDENTS_ORPHANED;
    }
    set_finalizer(r, meta, finalizer_orphan, orphan);
    set_finalizer(r, meta, finalizer_foreground, foreground);
}

static bool has_finalizers(const struct write *w)
{
    const Namespace *n = w->object;
    return resource_meta(w->object)->n_finalizers > 0 ||
           (w->kind->kind == KIND_NAMESPACE && n->spec != NULL && n->spec->n_finalizers > 0);
}

static void mark_terminating(struct request *r, struct write *w)
{
    const struct resource_context context = request_context(r);
    (void)resource_mark_deleting(&context, w->object);
    if (w->kind->kind == KIND_NAMESPACE) {
        Namespace *n = w->object;
        if (n->status == NULL) {
            n->status = schema_new(&r->arena, &schema_NamespaceStatus);
        }
        n->status->phase = str_dup(&r->arena, str_lit("Terminating"));
    }
}

/* Answers for a row that is gone, by the kind's habit. */
static enum request_run answer_removed(struct request *r, struct str payload)
{
    struct object_meta meta;
    if (r->resource->delete_form == DELETE_RETURNS_OBJECT) {
        return object_answer(r, 200, r->kind, payload, r->revision);
    }
    object_meta_scan(payload, &meta);
    status_success(&r->status, r->kind, str_copy(&r->arena, meta.name),
                   str_copy(&r->arena, meta.uid));
    return request_answer_status(r);
}

/* Removes w->old, or makes it Terminating. */
static enum request_run delete_object(struct request *r, struct write *w, const DeleteOptions *o)
{
    const struct resource_context context = request_context(r);
    void *old = NULL;
    if (object_unpack(r, w->kind, w->old->payload, &old) != 0) {
        return RUN_FAIL;
    }
    if (check_preconditions(r, w, resource_meta_const(old), o) != 0 ||
        write_admit(r, w, old, "") != 0) {
        return RUN_FAIL;
    }
    w->object = schema_copy(&r->arena, object_schema(w->kind), old);
    const struct resource_grace grace =
        resource_delete_grace(r->resource, &context, w->object, o->has_grace_period_seconds != 0,
                              o->grace_period_seconds);
    if (grace.immediate || grace.changed) { /* else it is going, and nothing about that changes */
        apply_policy(r, resource_meta(w->object), o);
    }
    if (grace.immediate && !has_finalizers(w)) {
        return write_remove(r, w, w->old->payload);
    }
    if (grace.immediate) {
        mark_terminating(r, w);
    }
    if (w->answer == answer_removed) {
        w->answer = NULL;
        w->http_status = o->has_orphan_dependents && !o->orphan_dependents ? 202 : 200;
    }
    return write_object(r, w);
}

enum request_run delete_named(struct request *r, int http_status, write_answer *answer,
                              const DeleteOptions *o)
{
    struct stored *found = arena_new(&r->arena, struct stored);
    struct write w = { .kind = r->kind, .http_status = http_status, .answer = answer };
    w.key = request_key(r, r->kind->kind, r->route.ns, r->route.name);
    int rc = request_read(r, w.key, found);
    if (rc == -ERR_NOT_FOUND && request_find_removed(r, w.key, found)) {
        r->revision = found->revision;
        return answer(r, found->payload);
    }
    if (rc == -ERR_NOT_FOUND) {
        (void)status_not_found(&r->arena, &r->status, r->kind, r->route.name);
    }
    if (rc != 0) {
        return RUN_FAIL;
    }
    w.old = found;
    return delete_object(r, &w, o);
}

static enum request_run delete_run(struct request *r)
{
    DeleteOptions *options = NULL;
    return read_options(r, &options) != 0 ? RUN_FAIL
                                          : delete_named(r, 200, answer_removed, options);
}

const struct operation operation_delete = {
    .name = "delete",
    .body = true,
    .mode = READ_OPTIMISTIC,
    .allow = MEDIA_ALLOW_OBJECTS,
    .run = delete_run,
    .committed = write_committed,
};

/* ---- a collection ---- */

struct collection {
    struct selection selection;
    struct list_options options;
    DeleteOptions *delete_options;
    struct str prefix;
    struct buf after; /* the key worked on, or done with */
    struct list_writer writer;
    struct stored current; /* as it was found: what the answer shows */
    struct str current_key;
    bool found;
    uint64_t revision;          /* of the first look; the answer's */
    struct remaining remaining; /* counted when the limit was reached */
    struct request *request;
};

static bool pick(void *ctx, const struct store_version *v)
{
    struct collection *c = ctx;
    struct arena *a = &c->request->arena;
    struct str payload;
    struct err e;
    if (object_payload(v->value, &payload, &e) != 0 || !selection_matches(&c->selection, payload)) {
        buf_clear(&c->after);
        buf_append_str(&c->after, v->key);
        return true;
    }
    c->found = true;
    c->current_key = str_copy(a, v->key);
    c->current = (struct stored){ .revision = v->revision,
                                  .previous = v->previous,
                                  .value = str_copy(a, v->value) };
    (void)object_payload(c->current.value, &c->current.payload, &e);
    return false;
}

static bool limit_reached(const struct collection *c)
{
    return c->options.limit > 0 && c->writer.count >= c->options.limit;
}

/* Finds the next object; 1: look again on another turn. */
static int next_object(struct collection *c)
{
    struct store_read read;
    bool more = false;
    if (c->remaining.counting) {
        return remaining_slice(&c->remaining, c->request->server->config.group, 0, c->prefix);
    }
    c->found = false;
    int rc = store_read_begin(c->request->server->config.group, 0, &read);
    if (rc != 0) {
        return rc;
    }
    c->revision = c->revision == 0 ? read.revision : c->revision;
    rc = store_read_scan(&read, c->prefix, buf_str(&c->after), pick, c, &c->after, &more);
    store_read_end(&read);
    if (rc == 0 && c->found && limit_reached(c) && c->selection.everything) {
        remaining_begin(&c->remaining, buf_str(&c->after));
        return 1;
    }
    return rc != 0 ? rc : !c->found && more ? 1 : 0;
}

static enum request_run collection_done(struct request *r, struct collection *c)
{
    struct list_meta meta = { .resource_version = object_rv(&r->arena, c->revision),
                              .remaining = -1 };
    if (c->found) {
        struct str after = buf_str(&c->after);
        const struct list_place place = { .revision = (int64_t)c->revision,
                                          .after = str_slice(after, c->prefix.len, after.len),
                                          .left = -1 }; /* deleting changes it */
        meta.continue_token = continue_encode(&r->arena, &place);
        meta.remaining = c->remaining.count;
    }
    return list_writer_answer(&c->writer, &meta);
}

static struct collection *collection_of(struct request *r)
{
    return r->scope;
}

static enum request_run collection_deleted(struct request *r, struct str payload)
{
    struct collection *c = collection_of(r);
    struct err e;
    (void)payload; /* what it became; the answer is what it was */
    if (list_writer_add(&c->writer, c->current.payload, c->current.revision, &e) != 0) {
        (void)status_internal(&r->arena, &r->status, str_copy(&r->arena, str_from(e.msg)));
        return RUN_FAIL;
    }
    buf_clear(&c->after);
    buf_append_str(&c->after, c->current_key);
    r->attempts = 0;
    return RUN_SUSPEND;
}

static int collection_prepare(struct request *r)
{
    struct collection *c = arena_new(&r->arena, struct collection);
    r->scope = c;
    c->request = r;
    remaining_init(&c->remaining);
    buf_init(&c->after);
    list_writer_init(&c->writer, r);
    int rc = list_options_parse(r, &c->options);
    rc = rc == 0 ? selection_parse(r, &c->selection) : rc;
    if (rc == 0) {
        c->prefix = selection_prefix(&r->arena, &c->selection);
        r->mode = READ_FRESH; /* whatever the client has seen, what is there now is deleted */
        if (c->options.after.len > 0) {
            buf_append_str(&c->after, c->prefix);
            buf_append_str(&c->after, c->options.after);
        }
    }
    return rc;
}

static enum request_run collection_run(struct request *r)
{
    struct collection *c = collection_of(r);
    if (c->delete_options == NULL && read_options(r, &c->delete_options) != 0) {
        return RUN_FAIL;
    }
    int rc = next_object(c);
    if (rc == 1) {
        return RUN_SUSPEND;
    }
    if (rc < 0) {
        struct err e;
        (void)err_set(&e, (enum err_code) - rc, "the store cannot be read: %s", err_name(rc));
        (void)status_from_err(&r->arena, &r->status, rc, &e);
        return RUN_FAIL;
    }
    if (!c->found || limit_reached(c)) {
        return collection_done(r, c);
    }
    struct write w = { .kind = r->kind,
                       .key = c->current_key,
                       .old = &c->current,
                       .http_status = 200,
                       .answer = collection_deleted };
    return delete_object(r, &w, c->delete_options);
}

static void collection_release(struct request *r)
{
    struct collection *c = collection_of(r);
    if (c != NULL) {
        buf_deinit(&c->after);
        remaining_deinit(&c->remaining);
        list_writer_deinit(&c->writer);
    }
}

const struct operation operation_delete_collection = {
    .name = "deletecollection",
    .body = true,
    .mode = READ_FRESH,
    .allow = MEDIA_ALLOW_OBJECTS,
    .prepare = collection_prepare,
    .run = collection_run,
    .committed = write_committed,
    .release = collection_release,
};
