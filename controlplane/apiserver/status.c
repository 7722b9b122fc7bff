/* Texts of failures, and their one encoder. */
#include "controlplane/apiserver/status.h"

#include <string.h>

#include "api/meta/kinds.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "net/http.h"

static int fill(struct status *s, enum err_code code, struct str message)
{
    *s = (struct status){ 0 };
    s->code = err_http_status((int)code);
    s->reason = str_from(err_reason((int)code));
    s->message = message;
    return -(int)code;
}

static void fill_details(struct status *s, const struct kind_info *k, struct str name)
{
    s->details = true;
    s->name = name;
    s->group = str_from(k->group);
    s->kind = str_from(k->plural);
}

static const char *plural_of(const struct kind_info *k)
{
    return kind_resource_group(k->kind);
}

int status_from_err(struct arena *a, struct status *s, int rc, const struct err *e)
{
    enum err_code code = (enum err_code)(rc < 0 ? -rc : rc);
    if (code == ERR_INTERNAL || code == ERR_CORRUPT || code == ERR_IO) {
        return status_internal(a, s, str_from(e->msg));
    }
    int result = fill(s, code, str_copy(a, str_from(e->msg)));
    if (err_retryable(rc)) {
        s->details = true;
        s->retry_after_s = 1;
    }
    return result;
}

int status_rejected_patch(struct status *s)
{
    int rc = fill(s, ERR_INVALID,
                  str_lit("the server rejected our request due to an error in our request"));
    s->details = true;
    return rc;
}

int status_no_route(struct status *s)
{
    int rc = fill(s, ERR_NOT_FOUND, str_lit("the server could not find the requested resource"));
    s->details = true;
    return rc;
}

int status_no_method(struct status *s)
{
    int rc = fill(s, ERR_METHOD_NOT_ALLOWED,
                  str_lit("the server does not allow this method on the requested resource"));
    s->details = true;
    return rc;
}

void status_refused(struct status *s, int code)
{
    static const struct {
        int code;
        const char *reason;
        const char *message;
    } rows[] = {
        { 400, "BadRequest", "the request is malformed" },
        { 414, "RequestURITooLong", "the request's path and query are too long" },
        { 431, "RequestHeaderFieldsTooLarge", "the request's header fields are too large" },
    };
    *s = (struct status){ .code = code, .message = str_from(http_reason(code)) };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].code == code) {
            s->reason = str_from(rows[i].reason);
            s->message = str_from(rows[i].message);
        }
    }
}

int status_bad_request(struct status *s, struct str message)
{
    return fill(s, ERR_INVALID_ARGUMENT, message);
}

int status_not_found(struct arena *a, struct status *s, const struct kind_info *k, struct str name)
{
    int rc =
        fill(s, ERR_NOT_FOUND, str_printf(a, "%s \"%.*s\" not found", plural_of(k), STR_ARG(name)));
    fill_details(s, k, name);
    return rc;
}

int status_already_exists(struct arena *a, struct status *s, const struct kind_info *k,
                          struct str name)
{
    int rc = fill(s, ERR_ALREADY_EXISTS,
                  str_printf(a, "%s \"%.*s\" already exists", plural_of(k), STR_ARG(name)));
    fill_details(s, k, name);
    return rc;
}

int status_conflict(struct arena *a, struct status *s, const struct kind_info *k, struct str name,
                    struct str text)
{
    int rc = fill(s, ERR_CONFLICT,
                  str_printf(a, "Operation cannot be fulfilled on %s \"%.*s\": %.*s", plural_of(k),
                             STR_ARG(name), STR_ARG(text)));
    fill_details(s, k, name);
    return rc;
}

int status_modified(struct arena *a, struct status *s, const struct kind_info *k, struct str name)
{
    return status_conflict(a, s, k, name,
                           str_lit("the object has been modified; please apply your changes to "
                                   "the latest version and try again"));
}

int status_forbidden(struct arena *a, struct status *s, const struct kind_info *k, struct str name,
                     struct str text)
{
    struct str message = name.len == 0
                             ? str_printf(a, "%s is forbidden: %.*s", plural_of(k), STR_ARG(text))
                             : str_printf(a, "%s \"%.*s\" is forbidden: %.*s", plural_of(k),
                                          STR_ARG(name), STR_ARG(text));
    int rc = fill(s, ERR_FORBIDDEN, message);
    fill_details(s, k, name);
    return rc;
}

int status_not_supported(struct arena *a, struct status *s, const struct kind_info *k,
                         const char *verb)
{
    int rc =
        fill(s, ERR_METHOD_NOT_ALLOWED,
             str_printf(a, "%s is not supported on resources of kind \"%s\"", verb, plural_of(k)));
    fill_details(s, k, str_lit(""));
    return rc;
}

/* Did an earlier cause say the very same? */
static bool said_before(const struct status *s, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (str_eq(s->causes[i].field, s->causes[at].field) &&
            str_eq(s->causes[i].message, s->causes[at].message)) {
            return true;
        }
    }
    return false;
}

/* "Kind.group "name" is invalid: a" or, of several, "[a, b]". */
static int fill_invalid(struct arena *a, struct status *s, struct str kind_group, struct str kind,
                        struct str group, struct str name)
{
    struct buf text;
    size_t told = 0;
    buf_init(&text);
    for (size_t i = 0; i < s->causes_count; i++) {
        const struct status_cause *c = &s->causes[i];
        if (said_before(s, i)) {
            continue;
        }
        buf_printf(&text, "%s%.*s%s%.*s", told > 0 ? ", " : "", STR_ARG(c->field),
                   c->field.len > 0 ? ": " : "", STR_ARG(c->message));
        told++;
    }
    s->message =
        str_printf(a, "%.*s \"%.*s\" is invalid: %s%.*s%s", STR_ARG(kind_group), STR_ARG(name),
                   told > 1 ? "[" : "", STR_ARG(buf_str(&text)), told > 1 ? "]" : "");
    buf_deinit(&text);
    s->code = err_http_status(ERR_INVALID);
    s->reason = str_from(err_reason(ERR_INVALID));
    s->details = true;
    s->name = name;
    s->group = group;
    s->kind = kind;
    return -ERR_INVALID;
}

int status_invalid_field(struct arena *a, struct status *s, struct str kind_group, struct str kind,
                         struct str group, struct str name, const struct status_cause *cause)
{
    *s = (struct status){ 0 };
    s->causes = arena_copy(a, cause, sizeof(*cause));
    s->causes_count = 1;
    return fill_invalid(a, s, kind_group, kind, group, name);
}

int status_unprocessable(struct status *s)
{
    int rc = fill(s, ERR_INVALID,
                  str_lit("the server rejected our request due to an error in our request"));
    s->details = true;
    return rc;
}

int status_unforeseen(struct status *s, struct str message)
{
    int rc = fill(s, ERR_INTERNAL, message);
    s->reason = str_lit("");
    return rc;
}

int status_rv_too_large(struct arena *a, struct status *s, uint64_t wanted, uint64_t current)
{
    int rc = fill(s, ERR_TIMEOUT,
                  str_printf(a, "Timeout: Too large resource version: %llu, current: %llu",
                             (unsigned long long)wanted, (unsigned long long)current));
    struct status_cause *cause = arena_new(a, struct status_cause);
    cause->reason = str_lit("ResourceVersionTooLarge");
    cause->message = str_lit("Too large resource version");
    s->causes = cause;
    s->causes_count = 1;
    s->details = true;
    s->retry_after_s = 1;
    return rc;
}

int status_rv_too_old(struct arena *a, struct status *s, uint64_t wanted, uint64_t oldest)
{
    return fill(s, ERR_EXPIRED,
                str_printf(a, "too old resource version: %llu (%llu)", (unsigned long long)wanted,
                           (unsigned long long)oldest));
}

int status_too_many_requests(struct status *s)
{
    int rc = fill(s, ERR_TOO_MANY_REQUESTS, str_lit("Too many requests, please try again later."));
    s->details = true;
    s->retry_after_s = 1;
    return rc;
}

int status_internal(struct arena *a, struct status *s, struct str text)
{
    int rc = fill(s, ERR_INTERNAL, str_printf(a, "Internal error occurred: %.*s", STR_ARG(text)));
    struct status_cause *cause = arena_new(a, struct status_cause);
    cause->message = str_copy(a, text);
    s->causes = cause;
    s->causes_count = 1;
    s->details = true;
    return rc;
}

void status_success(struct status *s, const struct kind_info *k, struct str name, struct str uid)
{
    *s = (struct status){ 0 };
    s->success = true;
    s->code = 200;
    if (name.len > 0) {
        fill_details(s, k, name);
        s->uid = uid;
    }
}

/* ---- encoding ---- */

static StatusCause **encode_causes(struct arena *a, const struct status *s)
{
    StatusCause **list = arena_array(a, s->causes_count, sizeof(*list));
    for (size_t i = 0; i < s->causes_count; i++) {
        list[i] = schema_new(a, &schema_StatusCause);
        list[i]->reason = str_dup(a, s->causes[i].reason);
        list[i]->message = str_dup(a, s->causes[i].message);
        list[i]->field = str_dup(a, s->causes[i].field);
    }
    return list;
}

static StatusDetails *encode_details(struct arena *a, const struct status *s)
{
    StatusDetails *d = schema_new(a, &schema_StatusDetails);
    d->name = str_dup(a, s->name);
    d->group = str_dup(a, s->group);
    d->kind = str_dup(a, s->kind);
    d->uid = str_dup(a, s->uid);
    d->causes = encode_causes(a, s);
    d->n_causes = s->causes_count;
    d->has_retry_after_seconds = 1;
    d->retry_after_seconds = (int32_t)s->retry_after_s;
    return d;
}

void status_encode(struct arena *a, const struct status *s, enum media_type type, struct buf *out)
{
    const struct encoding encoding = { .api_version = str_lit("v1"), .kind = str_lit("Status") };
    struct err e;
    Status *m = schema_new(a, &schema_Status);
    m->metadata = schema_new(a, &schema_ListMeta);
    m->metadata->continue_ = str_dup(a, s->continue_token);
    m->status = str_dup(a, s->success ? str_lit("Success") : str_lit("Failure"));
    m->message = str_dup(a, s->message);
    m->reason = str_dup(a, s->reason);
    m->details = s->details ? encode_details(a, s) : NULL;
    m->has_code = 1;
    m->code = s->success && s->code == 200 ? 0 : s->code;
    if (type == MEDIA_PROTOBUF) {
        envelope_write(out, &schema_Status, schema_pack_arena(a, &schema_Status, m), &encoding);
        return;
    }
    int rc = schema_struct_to_json(out, &schema_Status, m, &encoding, &e);
    ASSERT(rc == 0); /* our own message, packed a moment ago */
    buf_append_c(out, "\n");
}

static void set_causes(struct arena *a, struct status *s, const struct err_list *list)
{
    struct status_cause *causes = arena_array(a, list->count, sizeof(*causes));
    *s = (struct status){ 0 };
    for (size_t i = 0; i < list->count; i++) {
        const struct field_error *f = &list->entries[i];
        causes[i].reason = str_from(field_error_reason(f->code));
        causes[i].message = str_from(f->text);
        causes[i].field = str_from(f->path);
    }
    s->causes = causes;
    s->causes_count = list->count;
}

int status_invalid(struct arena *a, struct status *s, const struct kind_info *k, struct str name,
                   const struct err_list *list)
{
    set_causes(a, s, list);
    return fill_invalid(a, s, str_from(kind_name_group(k->kind)), str_from(k->name),
                        str_from(k->group), name);
}

int status_invalid_options(struct arena *a, struct status *s, const char *options,
                           const struct err_list *list)
{
    set_causes(a, s, list);
    return fill_invalid(a, s, str_printf(a, "%s.meta.k8s.io", options), str_from(options),
                        str_lit("meta.k8s.io"), str_lit(""));
}
