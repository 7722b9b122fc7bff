/*
 * Between protobuf-c structs and the trees and entries of api/patch.
 *
 * A write first finds its changed fields between the two structs. Stored entries are searched for
 * them as text, read only where they gain or lose some, and written anew only where their set
 * became another: the text of the rest goes back as it came.
 */
#include "controlplane/apiserver/managed_fields.h"

#include <string.h>

#include "api/meta/view.h"
#include "api/patch/managed.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/err_list.h"
#include "base/buf.h"
#include "controlplane/apiserver/body.h"
#include "controlplane/apiserver/managed_views.h"
#include "controlplane/apiserver/write.h"

/* Of an entry's subresource, as upstream. */
#define SUBRESOURCE_BYTES_MAX 256

/* ---- entries ---- */

/* What is stored was written here and need not be read; from elsewhere it is, and written anew. */
static bool decode_entry(struct request *r, const ManagedFieldsEntry *from, bool stored,
                         struct managed_entry *out)
{
    struct str operation = write_text(from->operation);
    bool applied = str_eq_c(operation, "Apply");
    if ((!applied && !str_eq_c(operation, "Update")) || write_text(from->api_version).len == 0 ||
        !str_eq_c(write_text(from->fields_type), "FieldsV1")) {
        return false;
    }
    *out = (struct managed_entry){
        .manager = write_text(from->manager),
        .api_version = write_text(from->api_version),
        .subresource = write_text(from->subresource),
        .applied = applied,
        .has_time = from->time != NULL,
        .time_s = from->time == NULL ? 0 : from->time->seconds,
        .origin = from,
    };
    if (from->fields_v1 == NULL || from->fields_v1->raw.len == 0) {
        return true;
    }
    out->text = str_of(from->fields_v1->raw.data, from->fields_v1->raw.len);
    out->unread = true;
    if (stored) {
        return true;
    }
    bool read = managed_read(&r->arena, out) == 0;
    out->text = str_lit("");
    return read;
}

static bool same_entry(const struct managed_entry *a, const struct managed_entry *b)
{
    return a->applied == b->applied && str_eq(a->manager, b->manager) &&
           str_eq(a->subresource, b->subresource) &&
           (a->applied || str_eq(a->api_version, b->api_version));
}

/* False when one of them is none: then all count as absent, as upstream has it. */
static bool decode_entries(struct request *r, const ObjectMeta *meta, bool stored,
                           struct managed *out)
{
    *out = (struct managed){ 0 };
    if (meta == NULL || meta->n_managed_fields > MANAGED_ENTRIES_MAX) {
        return meta == NULL;
    }
    for (size_t i = 0; i < meta->n_managed_fields; i++) {
        struct managed_entry e;
        size_t at = 0;
        if (!decode_entry(r, meta->managed_fields[i], stored, &e)) {
            *out = (struct managed){ 0 };
            return false;
        }
        while (at < out->count && !same_entry(&out->entries[at], &e)) {
            at++;
        }
        if (at < out->count) {
            out->entries[at] = e; /* the last of the same counts */
        } else {
            managed_add(&r->arena, out, &e);
        }
    }
    return true;
}

static Time *time_of(struct request *r, const struct managed_entry *from)
{
    if (!from->has_time) {
        return NULL;
    }
    Time *t = schema_new(&r->arena, &schema_Time);
    t->has_seconds = 1;
    t->seconds = from->time_s;
    return t;
}

/* An entry whose fields are as they were. */
static ManagedFieldsEntry *move_time(struct request *r, const ManagedFieldsEntry *was,
                                     const struct managed_entry *from)
{
    ManagedFieldsEntry *e = arena_copy(&r->arena, was, sizeof(*was));
    if (from->has_time != (was->time != NULL) ||
        (from->has_time && from->time_s != was->time->seconds)) {
        e->time = time_of(r, from);
    }
    return e;
}

static ManagedFieldsEntry *encode_entry(struct request *r, const struct managed_entry *from)
{
    struct arena *a = &r->arena;
    struct str text = from->text;
    const ManagedFieldsEntry *was = from->origin;
    if (was != NULL && text.len > 0 && str_eq(from->manager, write_text(was->manager))) {
        return move_time(r, was, from);
    }
    ManagedFieldsEntry *e = schema_new(a, &schema_ManagedFieldsEntry);
    e->manager = str_dup(a, from->manager);
    e->operation = str_dup(a, from->applied ? str_lit("Apply") : str_lit("Update"));
    e->api_version = str_dup(a, from->api_version);
    e->fields_type = str_dup(a, str_lit("FieldsV1"));
    e->subresource = str_dup(a, from->subresource);
    e->time = time_of(r, from);
    if (text.len == 0) {
        struct buf b;
        buf_init(&b);
        field_set_write(&b, &from->set);
        text = str_copy(a, buf_str(&b));
        buf_deinit(&b);
    }
    e->fields_v1 = schema_new(a, &schema_FieldsV1);
    e->fields_v1->has_raw = 1;
    e->fields_v1->raw.data = (uint8_t *)(uintptr_t)text.data;
    e->fields_v1->raw.len = text.len;
    return e;
}

static void encode_entries(struct request *r, struct managed *m, ObjectMeta *meta)
{
    managed_sort(m);
    meta->managed_fields = arena_array(&r->arena, m->count, sizeof(*meta->managed_fields));
    meta->n_managed_fields = m->count;
    for (size_t i = 0; i < m->count; i++) {
        meta->managed_fields[i] = encode_entry(r, &m->entries[i]);
    }
}

static void take_entries(ObjectMeta *to, const ObjectMeta *from)
{
    to->managed_fields = from->managed_fields;
    to->n_managed_fields = from->n_managed_fields;
}

static bool same_fields(const FieldsV1 *a, const FieldsV1 *b)
{
    return a != NULL && b != NULL && a->raw.len == b->raw.len &&
           (a->raw.len == 0 || memcmp(a->raw.data, b->raw.data, a->raw.len) == 0);
}

/* Entries that say the same, whatever their times. */
static bool same_entries(const ObjectMeta *a, const ObjectMeta *b)
{
    if (a->n_managed_fields != b->n_managed_fields) {
        return false;
    }
    for (size_t i = 0; i < a->n_managed_fields; i++) {
        const ManagedFieldsEntry *x = a->managed_fields[i];
        bool found = false;
        for (size_t j = 0; j < b->n_managed_fields && !found; j++) {
            const ManagedFieldsEntry *y = b->managed_fields[j];
            found = str_eq(write_text(x->manager), write_text(y->manager)) &&
                    str_eq(write_text(x->operation), write_text(y->operation)) &&
                    str_eq(write_text(x->api_version), write_text(y->api_version)) &&
                    str_eq(write_text(x->subresource), write_text(y->subresource)) &&
                    same_fields(x->fields_v1, y->fields_v1);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

/* ---- trees ---- */

/* What was given instead of an object's entries while they are out of the way. */
struct aside {
    ObjectMeta *meta;
    ManagedFieldsEntry **entries;
    size_t count;
};

static struct aside put_aside(const void *object)
{
    ObjectMeta *meta = resource_meta((void *)(uintptr_t)object);
    struct aside s = { meta, meta->managed_fields, meta->n_managed_fields };
    meta->n_managed_fields = 0;
    return s;
}

static void put_back(const struct aside *s)
{
    s->meta->managed_fields = s->entries;
    s->meta->n_managed_fields = s->count;
}

struct str managed_fields_without(struct request *r, const void *object)
{
    struct aside entries = put_aside(object);
    struct str bytes = schema_pack_arena(&r->arena, object_schema(r->kind), object);
    put_back(&entries);
    return bytes;
}

/* As the request's version shows it. */
static int tree_of(struct request *r, const void *object, const struct json **out)
{
    struct err e = { 0 };
    struct str stored = managed_fields_without(r, object);
    struct str bytes = view_of_stored(&r->arena, r->kind->kind, stored);
    if (schema_to_dom(&r->arena, r->kind->schema, bytes, NULL, out, &e) != 0) {
        return status_internal(&r->arena, &r->status, str_copy(&r->arena, str_from(e.msg)));
    }
    return 0;
}

static int empty_tree(struct request *r, const struct json **out)
{
    void *empty = schema_new(&r->arena, object_schema(r->kind));
    ObjectMeta **meta =
        (ObjectMeta **)(void *)((char *)empty + object_schema(r->kind)->fields[0].offset);
    *meta = schema_new(&r->arena, &schema_ObjectMeta);
    return tree_of(r, empty, out);
}

/* What differs from old (NULL: all that is set), entries aside. */
static struct field_changes changes_of(struct request *r, const void *object, const void *old,
                                       const struct field_set *ignored)
{
    struct aside new_entries = put_aside(object);
    struct aside old_entries = { 0 };
    if (old != NULL) {
        old_entries = put_aside(old);
    }
    struct field_changes c = changes_find(&r->arena, object_schema(r->kind), old, object, ignored);
    if (old != NULL) {
        put_back(&old_entries);
    }
    put_back(&new_entries);
    return c;
}

/* ---- the operation ---- */

/* The first part of a User-Agent without what does not print. */
static struct str agent_name(struct request *r)
{
    struct str name = r->user_agent;
    ptrdiff_t slash = str_find_char(name, '/', 0);
    struct buf b;
    name = slash < 0 ? name : str_slice(name, 0, (size_t)slash);
    buf_init(&b);
    for (size_t i = 0; i < name.len && b.len < MANAGER_BYTES_MAX; i++) {
        if (name.data[i] >= ' ' && name.data[i] <= '~') {
            buf_append_byte(&b, (uint8_t)name.data[i]);
        }
    }
    struct str out = str_copy(&r->arena, buf_str(&b));
    buf_deinit(&b);
    return out.len > 0 ? out : str_lit("unknown");
}

static struct str manager_of(struct request *r)
{
    struct str given = route_param(&r->route, "fieldManager");
    return given.len > 0 ? given : agent_name(r);
}

/* What a write through this door cannot set: the status, or all but the status. */
static struct field_set ignored_fields(struct request *r, const char *sub)
{
    static const char *const status[] = { "status", NULL };
    static const char *const spec[] = { "spec", NULL };
    static const char *const *const main_paths[] = { status, NULL };
    static const char *const *const status_paths[] = { spec, NULL };
    const struct resource_strategy *s = r->resource->strategy;
    struct field_set none = { 0 };
    if ((r->resource->subresources & SUBRESOURCE_STATUS) == 0) {
        return none;
    }
    if (strcmp(sub, "status") != 0) {
        return field_set_of_names(&r->arena, main_paths);
    }
    struct field_set set = field_set_of_names(&r->arena, status_paths);
    if (s != NULL && s->status_keeps != NULL) {
        struct field_set more = field_set_of_names(&r->arena, s->status_keeps);
        set = field_set_union(&r->arena, &set, &more);
    }
    return set;
}

static struct managed_operation make_operation(struct request *r, const char *sub)
{
    return (struct managed_operation){
        .schema = object_schema(r->kind),
        .manager = manager_of(r),
        .api_version = str_from(kind_api_version(r->kind->kind)),
        .subresource = str_from(sub),
        .ignored = ignored_fields(r, sub),
        .now_s = (int64_t)(request_now_ns(r) / ENV_S),
    };
}

/* ---- updates ---- */

/* The client says that nobody is to own anything: one empty entry, or an empty list. */
static bool is_reset(const struct request *r, const ObjectMeta *meta)
{
    if (meta->n_managed_fields == 0) {
        return r->managed_fields_emptied;
    }
    const ManagedFieldsEntry *e = meta->managed_fields[0];
    return meta->n_managed_fields == 1 && write_text(e->manager).len == 0 &&
           write_text(e->operation).len == 0 && write_text(e->api_version).len == 0 &&
           write_text(e->subresource).len == 0 && write_text(e->fields_type).len == 0 &&
           e->time == NULL && e->fields_v1 == NULL;
}

/* The entries that an update starts from: those it sends, or the stored ones. */
static void starting_entries(struct request *r, const ObjectMeta *meta, const ObjectMeta *was,
                             const char *sub, struct managed *out)
{
    bool may_set = sub[0] == '\0';
    *out = (struct managed){ 0 };
    if (may_set && is_reset(r, meta)) {
        return;
    }
    bool known = was != NULL && same_entries(meta, was);
    if (may_set && decode_entries(r, meta, known, out) && out->count > 0) {
        return;
    }
    (void)decode_entries(r, was, true, out); /* unreadable ones count as none */
}

/* The rules of ObjectMeta for entries that a client sent. */
static int check_entries(struct request *r, const ObjectMeta *meta)
{
    struct err_list errors;
    err_list_init(&errors, &r->arena);
    for (size_t i = 0; i < meta->n_managed_fields; i++) {
        const ManagedFieldsEntry *e = meta->managed_fields[i];
        const char *path = str_printf(&r->arena, "metadata.managedFields[%zu]", i).data;
        write_check_manager(write_text(e->manager), str_printf(&r->arena, "%s.manager", path).data,
                            &errors);
        if (write_text(e->subresource).len > SUBRESOURCE_BYTES_MAX) {
            err_list_addf(&errors, str_printf(&r->arena, "%s.subresource", path).data,
                          FIELD_TOO_LONG, "may not be more than %d bytes", SUBRESOURCE_BYTES_MAX);
        }
    }
    return errors.count == 0 ? 0
                             : status_invalid(&r->arena, &r->status, kind_info(r->kind->kind),
                                              write_text(meta->name), &errors);
}

int managed_fields_update(struct request *r, void *object, const void *old, const char *sub)
{
    ObjectMeta *meta = resource_meta(object);
    const ObjectMeta *was = old == NULL ? NULL : resource_meta_const(old);
    const struct managed_operation op = make_operation(r, sub);
    struct managed m;
    bool given = sub[0] == '\0' && (meta->n_managed_fields > 0 || r->managed_fields_emptied);
    const struct field_changes c = changes_of(r, object, old, &op.ignored);
    if (old != NULL && changes_none(&c) && (!given || same_entries(meta, was))) {
        take_entries(meta, was);
        return 0;
    }
    starting_entries(r, meta, was, sub, &m);
    if (old == NULL || (m.count > 0 && !changes_none(&c))) {
        managed_views_update(&r->arena, r->kind->kind, &m, &op, &c);
    }
    encode_entries(r, &m, meta);
    return given ? check_entries(r, meta) : 0;
}

void managed_fields_settle(struct request *r, void *object, const void *old)
{
    ObjectMeta *meta = resource_meta(object);
    const ObjectMeta *was = resource_meta_const(old);
    const struct field_set all = { 0 };
    if (meta->managed_fields == was->managed_fields || !same_entries(meta, was)) {
        return;
    }
    const struct field_changes c = changes_of(r, object, old, &all);
    if (changes_none(&c)) {
        take_entries(meta, was);
    }
}

/* ---- apply ---- */

/* One row of Status.details.causes per field. */
struct causes {
    struct request *r;
    struct status_cause *at;
    size_t count;
    size_t capacity;
    struct str message;
};

static void add_cause(void *context, struct str path)
{
    struct causes *c = context;
    struct arena *a = &c->r->arena;
    c->at = arena_grow(a, c->at, c->count, &c->capacity, sizeof(*c->at));
    c->at[c->count++] = (struct status_cause){ .reason = str_lit("FieldManagerConflict"),
                                               .message = c->message,
                                               .field = str_copy(a, path) };
}

static int refuse_conflicts(struct request *r, const struct managed_conflicts *conflicts)
{
    struct causes c = { .r = r };
    struct buf text;
    buf_init(&text);
    for (size_t i = 0; i < conflicts->count; i++) {
        buf_clear(&text);
        buf_append_c(&text, "conflict with ");
        managed_show_manager(&text, conflicts->at[i].entry);
        c.message = str_copy(&r->arena, buf_str(&text));
        field_set_each(&conflicts->at[i].set, add_cause, &c);
    }
    buf_clear(&text);
    managed_conflict_message(&text, conflicts);
    r->status = (struct status){ .code = 409,
                                 .reason = str_lit("Conflict"),
                                 .message = str_copy(&r->arena, buf_str(&text)),
                                 .details = true,
                                 .causes = c.at,
                                 .causes_count = c.count };
    buf_deinit(&text);
    return -ERR_CONFLICT;
}

/* What client-side apply set is kubectl's own: taking it over needs no force. */
static struct field_set own_before(struct request *r, const struct managed_operation *op,
                                   const void *old, const struct json *live)
{
    struct field_set none = { 0 };
    if (old == NULL || !str_eq_c(op->manager, KUBECTL_MANAGER)) {
        return none;
    }
    const ObjectMeta__AnnotationsEntry *a = last_applied_find(resource_meta_const(old));
    return a == NULL ? none : managed_last_applied(&r->arena, op, write_text(a->value), live);
}

int managed_fields_apply(struct request *r, const struct json *config, const void *old,
                         const char *sub, void **out)
{
    struct err e = { 0 };
    struct managed_operation op = make_operation(r, sub);
    op.schema = r->kind->schema; /* not the stored one: all trees are of the request's version */
    struct managed m;
    const struct body_type type = body_type_of(r->kind);
    struct json plain = managed_plain(&r->arena, config);
    struct managed_apply apply = { .config = &plain,
                                   .force = route_param_bool(&r->route, "force") };
    int rc = empty_tree(r, &op.empty);
    apply.live = op.empty;
    rc = rc == 0 && old != NULL ? tree_of(r, old, &apply.live) : rc;
    if (rc != 0) {
        return rc;
    }
    (void)decode_entries(r, old == NULL ? NULL : resource_meta_const(old), true, &m); /* as above */
    apply.allowed = own_before(r, &op, old, apply.live);
    rc = managed_views_apply(&r->arena, r->kind->kind, &m, &op, &apply, &e);
    if (rc == -ERR_CONFLICT) {
        return refuse_conflicts(r, &apply.conflicts);
    }
    if (rc == -ERR_LIMIT) {
        return status_from_err(&r->arena, &r->status, rc, &e);
    }
    if (rc != 0) {
        return body_refuse_applied(r, "failed to create typed patch object (%.*s): %.*s", config,
                                   apply.problems);
    }
    rc = body_decode_applied(r, &type, config, apply.live, &apply.object, out);
    rc = rc == 0 ? object_to_stored(r, r->kind, out) : rc;
    if (rc != 0) {
        return rc;
    }
    if (old != NULL) {
        schema_carry_unknown(&r->arena, object_schema(r->kind), old, *out);
    }
    encode_entries(r, &m, resource_meta(*out));
    last_applied_sync(r, config, resource_meta(*out));
    return 0;
}
