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
#include "controlplane/apiserver/list_options.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/selection.h"
#include "controlplane/apiserver/table.h"
#include "controlplane/apiserver/write.h"

static const char finalizer_orphan[] = "orphan";
static const char finalizer_foreground[] = "foregroundDeletion";

/* ---- options ---- */

static int options_invalid(struct request *r, const char *field, const char *message)
{
    const struct status_cause cause = { .reason = str_lit("FieldValueInvalid"),
                                        .message = str_from(message),
                                        .field = str_from(field) };
    return status_invalid_field(&r->arena, &r->status, str_lit("DeleteOptions.meta.k8s.io"),
                                str_lit("DeleteOptions"), str_lit("meta.k8s.io"), str_lit(""),
                                &cause);
}

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
    rc = rc == 0 ? write_check_options(r, "DeleteOptions") : rc;
    if (rc != 0) {
        return rc;
    }
    DeleteOptions *options = o;
    struct str policy = write_text(options->propagation_policy);
    if (policy.len > 0 && options->has_orphan_dependents) {
        return options_invalid(r, "propagationPolicy",
                               "Invalid value: orphanDependents and deletionPropagation cannot be "
                               "both set");
    }
    if (policy.len > 0 && !str_eq_c(policy, "Background") && !str_eq_c(policy, "Foreground") &&
        !str_eq_c(policy, "Orphan")) {
        return options_invalid(
            r, "propagationPolicy",
            str_dup(&r->arena, str_printf(&r->arena,
                                          "Invalid value: \"%.*s\": needs to be one of "
                                          "\"Foreground\", \"Background\", \"Orphan\" or nil",
                                          STR_ARG(policy))));
    }
    if (options->n_dry_run > 0 && write_is_dry_run(r) == false) {
        /* The body's dryRun counts as the query's does. */
        struct param *p = arena_array(&r->arena, r->route.params_count + 1, sizeof(*p));
        memcpy(p, r->route.params, r->route.params_count * sizeof(*p));
        p[r->route.params_count] =
            (struct param){ str_lit("dryRun"), write_text(options->dry_run[0]) };
        r->route.params = p;
        r->route.params_count++;
        rc = write_check_options(r, "DeleteOptions");
    }
    *out = options;
    return rc;
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

/* Sets or removes one finalizer; true when the list changed. */
static bool set_finalizer(struct request *r, ObjectMeta *meta, const char *name, bool wanted)
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
    bool changed = found != wanted;
    meta->finalizers = list;
    meta->n_finalizers = count;
    return changed;
}

/* What the propagation policy asks the garbage collector to do first, as finalizers. */
static void apply_policy(struct request *r, ObjectMeta *meta, const DeleteOptions *o)
{
    struct str policy = write_text(o->propagation_policy);
    bool orphan = str_eq_c(policy, "Orphan") || (o->has_orphan_dependents && o->orphan_dependents);
    bool background =
        str_eq_c(policy, "Background") || (o->has_orphan_dependents && !o->orphan_dependents);
    bool foreground = str_eq_c(policy, "Foreground");
    if (orphan || background || foreground) {
        (void)set_finalizer(r, meta, finalizer_orphan, orphan);
        (void)set_finalizer(r, meta, finalizer_foreground, foreground);
    }
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
    w->object = schema_copy(&r->arena, w->kind->schema, old);
    apply_policy(r, resource_meta(w->object), o);
    const struct resource_grace grace =
        resource_delete_grace(r->resource, &context, w->object, o->has_grace_period_seconds != 0,
                              o->grace_period_seconds);
    if (!grace.immediate) {
        w->answer = w->answer == answer_removed ? NULL : w->answer;
        return write_object(r, w);
    }
    if (!has_finalizers(w)) {
        return write_remove(r, w, w->old->payload);
    }
    mark_terminating(r, w);
    w->answer = w->answer == answer_removed ? NULL : w->answer;
    return write_object(r, w);
}

static enum request_run delete_run(struct request *r)
{
    DeleteOptions *options = NULL;
    struct stored *found = arena_new(&r->arena, struct stored);
    if (read_options(r, &options) != 0) {
        return RUN_FAIL;
    }
    struct write w = { .kind = r->kind, .http_status = 200, .answer = answer_removed };
    w.key = request_key(r, r->kind->kind, r->route.ns, r->route.name);
    int rc = request_read(r, w.key, found);
    if (rc == -ERR_NOT_FOUND && request_find_removed(r, w.key, found)) {
        r->revision = found->revision;
        return answer_removed(r, found->payload);
    }
    if (rc == -ERR_NOT_FOUND) {
        (void)status_not_found(&r->arena, &r->status, r->kind, r->route.name);
    }
    if (rc != 0) {
        return RUN_FAIL;
    }
    w.old = found;
    return delete_object(r, &w, options);
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
    struct buf items; /* JSON of what was deleted */
    int64_t count;
    struct stored current;
    struct str current_key;
    bool found;
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

/* Finds the next object; 1: look again on another turn. */
static int next_object(struct collection *c)
{
    struct store_read read;
    bool more = false;
    c->found = false;
    int rc = store_read_begin(c->request->server->config.group, 0, &read);
    if (rc != 0) {
        return rc;
    }
    rc = store_read_scan(&read, c->prefix, buf_str(&c->after), pick, c, &more);
    store_read_end(&read);
    return rc != 0 ? rc : !c->found && more ? 1 : 0;
}

static enum request_run collection_done(struct request *r, struct collection *c)
{
    const struct list_meta meta = { .resource_version = object_rv(
                                        &r->arena, store_published(r->server->config.group)),
                                    .remaining = -1 };
    r->media = (struct media){ .type = MEDIA_JSON };
    buf_clear(&r->out);
    buf_printf(&r->out, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":", r->kind->list_name,
               kind_api_version(r->kind->kind));
    list_meta_write(&r->out, &meta);
    buf_append_c(&r->out, ",\"items\":[");
    buf_append_str(&r->out, buf_str(&c->items));
    buf_append_c(&r->out, "]}");
    return object_answer_out(r, 200);
}

static struct collection *collection_of(struct request *r)
{
    return r->scope;
}

static enum request_run collection_deleted(struct request *r, struct str payload)
{
    struct collection *c = collection_of(r);
    struct err e;
    const struct object_style style = { .item = true };
    if (c->items.len > 0) {
        buf_append_c(&c->items, ",");
    }
    (void)object_write(&r->arena, &c->items, r->kind, payload, r->revision, &style, &e);
    buf_clear(&c->after);
    buf_append_str(&c->after, c->current_key);
    c->count++;
    r->attempts = 0;
    return RUN_SUSPEND;
}

static int collection_prepare(struct request *r)
{
    struct collection *c = arena_new(&r->arena, struct collection);
    r->scope = c;
    c->request = r;
    buf_init(&c->after);
    buf_init(&c->items);
    int rc = list_options_parse(r, &c->options);
    rc = rc == 0 ? selection_parse(r, &c->selection) : rc;
    if (rc == 0) {
        c->prefix = selection_prefix(&r->arena, &c->selection);
        r->mode = READ_FRESH;
    }
    return rc;
}

static enum request_run collection_run(struct request *r)
{
    struct collection *c = collection_of(r);
    if (c->delete_options == NULL && read_options(r, &c->delete_options) != 0) {
        return RUN_FAIL;
    }
    if (c->options.limit > 0 && c->count >= c->options.limit) {
        return collection_done(r, c);
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
    if (!c->found) {
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
        buf_deinit(&c->items);
    }
}

const struct operation operation_delete_collection = {
    .name = "deletecollection",
    .body = true,
    .mode = READ_FRESH,
    .allow = MEDIA_ALLOW_YAML | MEDIA_ALLOW_PROTOBUF | MEDIA_ALLOW_PARTIAL,
    .prepare = collection_prepare,
    .run = collection_run,
    .committed = write_committed,
    .release = collection_release,
};
