/* From an object that should be stored to a transaction, and to the answer after it. */
#include "controlplane/apiserver/write.h"

#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/err_list.h"
#include "base/assert.h"
#include "controlplane/apiserver/admission/admission.h"

/* What the answer needs after the commit. */
struct written {
    const struct kind_info *kind;
    struct str payload;
    int http_status;
    enum request_run (*answer)(struct request *r, struct str payload);
};

struct str write_text(const char *c_string)
{
    return c_string == NULL ? str_lit("") : str_from(c_string);
}

void write_guard(struct write *w, struct str key, uint64_t revision)
{
    ASSERT(w->guards_count < WRITE_GUARDS_MAX);
    w->guards[w->guards_count++] =
        (struct store_guard){ .type = STORE_GUARD_MOD, .key = key, .revision = revision };
}

/* ---- options ---- */

static int unsupported(struct request *r, const char *options, const char *field, struct str value,
                       const char *supported)
{
    const struct status_cause cause = {
        .reason = str_lit("FieldValueNotSupported"),
        .message = str_printf(&r->arena, "Unsupported value: \"%.*s\": supported values: %s",
                              STR_ARG(value), supported),
        .field = str_from(field),
    };
    return status_invalid_field(&r->arena, &r->status,
                                str_printf(&r->arena, "%s.meta.k8s.io", options), str_from(options),
                                str_lit("meta.k8s.io"), str_lit(""), &cause);
}

int write_check_options(struct request *r, const char *options)
{
    struct str dry_run = route_param(&r->route, "dryRun");
    struct str validation = route_param(&r->route, "fieldValidation");
    struct str manager = route_param(&r->route, "fieldManager");
    if (dry_run.len > 0 && !str_eq_c(dry_run, "All")) {
        return unsupported(r, options, "dryRun", dry_run, "\"All\"");
    }
    if (validation.len > 0 && !str_eq_c(validation, "Strict") && !str_eq_c(validation, "Warn") &&
        !str_eq_c(validation, "Ignore")) {
        return unsupported(r, options, "fieldValidation", validation,
                           "\"Ignore\", \"Strict\", \"Warn\"");
    }
    if (manager.len > 128) {
        const struct status_cause cause = { .reason = str_lit("FieldValueTooLong"),
                                            .message =
                                                str_lit("Too long: may not be more than 128 bytes"),
                                            .field = str_lit("fieldManager") };
        return status_invalid_field(&r->arena, &r->status,
                                    str_printf(&r->arena, "%s.meta.k8s.io", options),
                                    str_from(options), str_lit("meta.k8s.io"), str_lit(""), &cause);
    }
    return 0;
}

bool write_is_dry_run(const struct request *r)
{
    return route_param(&r->route, "dryRun").len > 0;
}

/* ---- admission and validation ---- */

struct admission_context {
    struct request *request;
    struct write *write;
};

static int admission_read(struct admission *a, enum kind kind, struct str ns, struct str name,
                          bool guard, void **out)
{
    struct admission_context *c = a->ctx;
    struct stored found;
    struct str key = request_key(c->request, kind, ns, name);
    int rc = request_read(c->request, key, &found);
    if (rc != 0) {
        return rc;
    }
    if (guard) {
        write_guard(c->write, key, found.revision);
    }
    return object_unpack(c->request, kind_info(kind), found.payload, out);
}

static int refused(struct request *r, const struct admission *a, int rc, const struct err *e)
{
    struct status *s = &r->status;
    if (rc == -ERR_NOT_FOUND) {
        return status_not_found(&r->arena, s, kind_info(KIND_NAMESPACE), a->ns);
    }
    if (rc != -ERR_FORBIDDEN) {
        return s->code != 0 ? rc : status_from_err(&r->arena, s, rc, e);
    }
    (void)status_forbidden(&r->arena, s, kind_info(a->kind), a->name,
                           str_copy(&r->arena, str_from(e->msg)));
    if (a->cause_reason.len > 0) {
        const struct status_cause cause = { a->cause_reason, a->cause_message, a->cause_field };
        s->causes = arena_copy(&r->arena, &cause, sizeof(cause));
        s->causes_count = 1;
    }
    return rc;
}

int write_admit(struct request *r, struct write *w, const void *old, const char *sub)
{
    struct err e = { 0 };
    struct admission_context context = { r, w };
    const struct ObjectMeta *meta =
        w->object != NULL ? resource_meta(w->object) : resource_meta_const(old);
    struct admission a = {
        .arena = &r->arena,
        .verb = w->object == NULL ? ADMIT_DELETE
                : old == NULL     ? ADMIT_CREATE
                                  : ADMIT_UPDATE,
        .kind = w->kind->kind,
        .ns = write_text(meta->namespace_),
        .name = write_text(meta->name),
        .sub = sub,
        .object = w->object,
        .old = old,
        .request_id = r->request_id,
        .read = admission_read,
        .ctx = &context,
    };
    int rc = admission_run(&a, &e);
    return rc == 0 ? 0 : refused(r, &a, rc, &e);
}

int write_check(struct request *r, const struct kind_info *k, struct str name,
                const struct err_list *list)
{
    return list->count == 0 ? 0 : status_invalid(&r->arena, &r->status, k, name, list);
}

/* ---- the transaction ---- */

static void fill_txn(struct request *r, struct write *w, struct store_op *op)
{
    struct store_guard *guards = arena_array(&r->arena, w->guards_count + 1, sizeof(*guards));
    guards[0] = (struct store_guard){ .type = STORE_GUARD_MOD,
                                      .key = w->key,
                                      .revision = w->old == NULL ? 0 : w->old->revision };
    for (size_t i = 0; i < w->guards_count; i++) {
        guards[i + 1] = w->guards[i];
    }
    r->txn = (struct store_txn){ .guards = guards,
                                 .guards_count = w->guards_count + 1,
                                 .ops = arena_copy(&r->arena, op, sizeof(*op)),
                                 .ops_count = 1 };
}

static void remember(struct request *r, const struct write *w, struct str payload)
{
    struct written *done = arena_new(&r->arena, struct written);
    *done = (struct written){
        .kind = w->kind, .payload = payload, .http_status = w->http_status, .answer = w->answer
    };
    r->state = done;
}

static enum request_run answer(struct request *r)
{
    const struct written *done = r->state;
    if (done->answer != NULL) {
        return done->answer(r, done->payload);
    }
    return object_answer(r, done->http_status, done->kind, done->payload, r->revision);
}

enum request_run write_committed(struct request *r)
{
    return answer(r);
}

/* An object being deleted goes with its last finalizer, unless it still has time to end. */
static bool goes_now(const struct write *w)
{
    const struct ObjectMeta *meta = resource_meta(w->object);
    if (w->old == NULL || meta->deletion_timestamp == NULL || meta->n_finalizers > 0 ||
        (meta->has_deletion_grace_period_seconds && meta->deletion_grace_period_seconds > 0)) {
        return false;
    }
    if (w->kind->kind == KIND_NAMESPACE) {
        const Namespace *n = w->object;
        return n->spec == NULL || n->spec->n_finalizers == 0;
    }
    return true;
}

enum request_run write_object(struct request *r, struct write *w)
{
    bool gone = goes_now(w);
    struct str value = object_pack(r, w->kind, w->object);
    struct str payload = object_packed_payload(value);
    remember(r, w, payload);
    if (write_is_dry_run(r) || (!gone && w->old != NULL && str_eq(value, w->old->value))) {
        r->revision = w->old == NULL ? 0 : w->old->revision;
        return answer(r);
    }
    if (gone) {
        return write_remove(r, w, payload);
    }
    struct store_term *terms = arena_array(&r->arena, RESOURCE_TERMS_MAX, sizeof(*terms));
    struct store_op op = {
        .type = STORE_OP_PUT,
        .key = w->key,
        .value = value,
        .terms = terms,
        .terms_count = resource_terms(resource_of(w->kind->kind), payload, terms),
    };
    fill_txn(r, w, &op);
    return RUN_COMMIT;
}

enum request_run write_remove(struct request *r, struct write *w, struct str payload)
{
    struct store_op op = { .type = STORE_OP_DELETE, .key = w->key };
    ASSERT(w->old != NULL);
    remember(r, w, payload);
    if (write_is_dry_run(r)) {
        r->revision = w->old->revision;
        return answer(r);
    }
    fill_txn(r, w, &op);
    return RUN_COMMIT;
}
