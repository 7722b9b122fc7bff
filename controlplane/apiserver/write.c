/* From an object that should be stored to a transaction, and to the answer after it. */
#include "controlplane/apiserver/write.h"

#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/err_list.h"
#include "api/schema/json.h"
#include "base/assert.h"
#include "controlplane/apiserver/admission/admission.h"
#include "controlplane/apiserver/owners.h"
#include "controlplane/apiserver/service_addresses.h"
#include "controlplane/resources/rules.h"

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

int write_check_name(struct request *r, const struct ObjectMeta *meta)
{
    struct str name = write_text(meta->name);
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
    return 0;
}

struct str write_uid_text(struct request *r, struct str wanted, struct str present)
{
    return str_printf(&r->arena,
                      "Precondition failed: UID in precondition: %.*s, UID in object meta: %.*s",
                      STR_ARG(wanted), STR_ARG(present));
}

void write_guard(struct write *w, struct str key, uint64_t revision)
{
    ASSERT(w->guards_count < WRITE_GUARDS_MAX);
    w->guards[w->guards_count++] =
        (struct store_guard){ .type = STORE_GUARD_MOD, .key = key, .revision = revision };
}

/* ---- options ---- */

/* What Unicode has for neither eyes nor ink among what people might send: controls, spaces other
 * than the one of ASCII, formats, surrogates and private use. */
static bool is_printable(uint32_t c)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } hidden[] = { { 0x0, 0x1f },      { 0x7f, 0xa0 },     { 0xad, 0xad },       { 0x61c, 0x61c },
                   { 0x1680, 0x1680 }, { 0x180e, 0x180e }, { 0x2000, 0x200f },   { 0x2028, 0x202f },
                   { 0x205f, 0x206f }, { 0x3000, 0x3000 }, { 0xd800, 0xf8ff },   { 0xfeff, 0xfeff },
                   { 0xfff9, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0x10ffff } };
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        if (c >= hidden[i].first && c <= hidden[i].last) {
            return false;
        }
    }
    return true;
}

/* The character at a place of valid UTF-8, and its bytes. */
static uint32_t character(struct str s, size_t at, size_t *out_len)
{
    unsigned char first = (unsigned char)s.data[at];
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t c = len == 1 ? first : first & (0xffu >> (len + 1));
    for (size_t i = 1; i < len && at + i < s.len; i++) {
        c = c << 6 | ((unsigned char)s.data[at + i] & 0x3f);
    }
    *out_len = len;
    return c;
}

/* Characters are shown as upstream shows them: U+0007. */
void write_check_manager(struct str manager, const char *path, struct err_list *out)
{
    size_t len = 0;
    if (manager.len > MANAGER_BYTES_MAX) {
        err_list_addf(out, path, FIELD_TOO_LONG, "may not be more than %d bytes",
                      MANAGER_BYTES_MAX);
        return;
    }
    for (size_t at = 0; at < manager.len; at += len) {
        uint32_t c = character(manager, at, &len);
        if (!is_printable(c)) {
            err_list_addf(out, path, FIELD_INVALID,
                          "%s: invalid character U+%04X (at position %zu)",
                          text_quoted(out->arena, str_dup(out->arena, manager)), (unsigned)c, at);
        }
    }
}

/* Every value of the parameter, as a JSON list; NULL when all are "All". */
static const char *odd_dry_runs(struct request *r)
{
    struct buf b;
    bool odd = false;
    buf_init(&b);
    for (size_t i = 0; i < r->route.params_count; i++) {
        const struct param *p = &r->route.params[i];
        if (str_eq_c(p->name, "dryRun")) {
            odd = odd || !str_eq_c(p->value, "All");
            buf_append_c(&b, b.len > 0 ? "," : "");
            json_write_string(&b, p->value, true);
        }
    }
    const char *shown = odd ? str_printf(&r->arena, "[%.*s]", STR_ARG(buf_str(&b))).data : NULL;
    buf_deinit(&b);
    return shown;
}

void write_check_dry_run(struct request *r, struct err_list *out)
{
    const char *odd = odd_dry_runs(r);
    if (odd != NULL) {
        err_list_addf(out, "dryRun", FIELD_NOT_SUPPORTED, "%s: supported values: \"All\"", odd);
    }
}

int write_check_options(struct request *r, const char *options)
{
    struct str validation = route_param(&r->route, "fieldValidation");
    struct err_list errors;
    err_list_init(&errors, &r->arena);
    write_check_manager(route_param(&r->route, "fieldManager"), "fieldManager", &errors);
    write_check_dry_run(r, &errors);
    if (validation.len > 0 && !str_eq_c(validation, "Strict") && !str_eq_c(validation, "Warn") &&
        !str_eq_c(validation, "Ignore")) {
        err_list_addf(&errors, "fieldValidation", FIELD_NOT_SUPPORTED,
                      "\"%.*s\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"",
                      STR_ARG(validation));
    }
    return errors.count == 0 ? 0 : status_invalid_options(&r->arena, &r->status, options, &errors);
}

bool write_is_dry_run(const struct request *r)
{
    return route_has_param(&r->route, "dryRun");
}

/* ---- admission and validation ---- */

struct admission_context {
    struct request *request;
    struct write *write;
};

static int admission_read(struct admission *a, enum kind kind, struct str ns, struct str name,
                          bool guard, struct str *out)
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
    *out = found.payload;
    return 0;
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
    if (w->object != NULL) {
        owners_dedup(r, resource_meta(w->object));
    }
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

void write_warn(struct request *r, const void *object, const void *old)
{
    const struct resource_context context = request_context(r);
    const struct resource_strategy *s = r->resource->strategy;
    struct resource_warnings found = { 0 };
    if (s == NULL || s->warnings == NULL) {
        return;
    }
    s->warnings(&context, object, old, &found);
    for (size_t i = 0; i < found.count; i++) {
        request_warn(r, found.texts[i]);
    }
}

/* ---- the transaction ---- */

static void fill_txn(struct request *r, struct write *w, struct store_op *op)
{
    size_t guards_count = 1 + w->guards_count + w->row_guards_count;
    size_t ops_count = 1 + w->row_ops_count;
    struct store_guard *guards = arena_array(&r->arena, guards_count, sizeof(*guards));
    struct store_op *ops = arena_array(&r->arena, ops_count, sizeof(*ops));
    guards[0] = (struct store_guard){ .type = STORE_GUARD_MOD,
                                      .key = w->key,
                                      .revision = w->old == NULL ? 0 : w->old->revision };
    for (size_t i = 0; i < w->guards_count; i++) {
        guards[1 + i] = w->guards[i];
    }
    for (size_t i = 0; i < w->row_guards_count; i++) {
        guards[1 + w->guards_count + i] = w->row_guards[i];
    }
    ops[0] = *op;
    for (size_t i = 0; i < w->row_ops_count; i++) {
        ops[1 + i] = w->row_ops[i];
    }
    r->txn = (struct store_txn){
        .guards = guards, .guards_count = guards_count, .ops = ops, .ops_count = ops_count
    };
}

void write_also(struct request *r, const struct store_op *op, uint64_t revision)
{
    struct store_txn *t = &r->txn;
    struct store_guard *guards = arena_array(&r->arena, t->guards_count + 1, sizeof(*guards));
    struct store_op *ops = arena_array(&r->arena, t->ops_count + 1, sizeof(*ops));
    memcpy(guards, t->guards, t->guards_count * sizeof(*guards));
    memcpy(ops, t->ops, t->ops_count * sizeof(*ops));
    guards[t->guards_count++] =
        (struct store_guard){ .type = STORE_GUARD_MOD, .key = op->key, .revision = revision };
    ops[t->ops_count++] = *op;
    t->guards = guards;
    t->ops = ops;
}

void write_while(struct request *r, struct str key, uint64_t revision)
{
    struct store_txn *t = &r->txn;
    struct store_guard *guards = arena_array(&r->arena, t->guards_count + 1, sizeof(*guards));
    size_t at = 0;
    memcpy(guards, t->guards, t->guards_count * sizeof(*guards));
    while (at < t->guards_count &&
           (guards[at].type != STORE_GUARD_MOD || !str_eq(guards[at].key, key))) {
        at++;
    }
    guards[at] = (struct store_guard){ .type = STORE_GUARD_MOD, .key = key, .revision = revision };
    t->guards_count = at == t->guards_count ? at + 1 : t->guards_count;
    t->guards = guards;
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
    if (w->kind->kind == KIND_SERVICE && !gone && service_addresses_give(r, w) != 0) {
        return RUN_FAIL;
    }
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
    if (w->kind->kind == KIND_SERVICE && service_addresses_take_back(r, w) != 0) {
        return RUN_FAIL;
    }
    remember(r, w, payload);
    if (write_is_dry_run(r)) {
        r->revision = w->old->revision;
        return answer(r);
    }
    fill_txn(r, w, &op);
    return RUN_COMMIT;
}
