/* After upstream's ValidateObjectMeta and ValidateObjectMetaUpdate. */
#include "controlplane/resources/metadata.h"

#include <string.h>

#include "api/meta/labels.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/resources/keys.h"

/* Owners in an error are cut here. */
#define OWNERS_SHOWN_BYTES_MAX 2048

static void validate_generate_name(const ObjectMeta *m, name_syntax_fn *syntax,
                                   const struct field_path *up, struct err_list *out)
{
    struct str base = str_from(m->generate_name);
    if (base.len == 0)
        return;
    /* A trailing dash is fine: the suffix follows it. */
    char *shown = str_dup(out->arena, base);
    if (base.len > 1 && shown[base.len - 1] == '-')
        shown[base.len - 1] = 'a';
    struct field_path p = path_field(up, "generateName");
    struct name_messages messages;
    if (syntax(str_from(shown), &messages))
        return;
    for (size_t i = 0; i < messages.count; i++)
        rule_invalid_text(out, &p, m->generate_name, messages.text[i]);
}

static void validate_namespace(const ObjectMeta *m, bool namespaced, const struct field_path *up,
                               struct err_list *out)
{
    struct field_path p = path_field(up, "namespace");
    if (!namespaced) {
        if (!text_empty(m->namespace_))
            rule_forbidden(out, &p, "not allowed on this type");
    } else if (text_empty(m->namespace_)) {
        rule_required(out, &p, "");
    } else {
        (void)check_name(out, &p, m->namespace_, name_dns1123_label);
    }
}

void metadata_validate_labels(const void *entries, size_t count, const struct field_path *path,
                              struct err_list *out)
{
    for (size_t i = 0; i < count; i++) {
        (void)check_name(out, path, entries_key(entries, i), name_qualified);
        (void)check_name(out, path, entries_value(entries, i), name_label_value);
    }
}

/* Annotation keys may have upper case letters in their prefix. */
static void validate_annotation_key(const char *key, const struct field_path *p,
                                    struct err_list *out)
{
    struct name_messages messages;
    char *lower = text_new(out->arena, key);
    for (char *c = lower; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    if (name_qualified(str_from(lower), &messages))
        return;
    for (size_t i = 0; i < messages.count; i++)
        rule_invalid_text(out, p, key, messages.text[i]);
}

void metadata_validate_annotations(const struct ObjectMeta *m, const struct field_path *path,
                                   struct err_list *out)
{
    size_t total = 0;
    struct field_path p = path_field(path, "annotations");
    for (size_t i = 0; i < m->n_annotations; i++) {
        const char *key = entries_key(m->annotations, i);
        validate_annotation_key(key, &p, out);
        total += strlen(key) + strlen(entries_value(m->annotations, i));
    }
    if (total > METADATA_ANNOTATIONS_BYTES_MAX)
        rule_too_long(out, &p, METADATA_ANNOTATIONS_BYTES_MAX);
}

/* Upstream names the list and no index. */
static void validate_owner(const OwnerReference *ref, const struct field_path *p,
                           struct err_list *out)
{
    struct field_path api_version = path_field(p, "apiVersion");
    struct field_path kind = path_field(p, "kind");
    struct field_path name = path_field(p, "name");
    struct field_path uid = path_field(p, "uid");
    if (text_empty(ref->api_version))
        rule_invalid_text(out, &api_version, ref->api_version, "version must not be empty");
    if (text_empty(ref->kind))
        rule_invalid_text(out, &kind, ref->kind, "must not be empty");
    if (text_empty(ref->name))
        rule_invalid_text(out, &name, ref->name, "must not be empty");
    if (text_empty(ref->uid))
        rule_invalid_text(out, &uid, ref->uid, "must not be empty");
    if (text_eq(ref->kind, "Event") && text_eq(ref->api_version, "v1"))
        rule_invalid_message(out, p, &schema_OwnerReference, ref,
                             "/v1, Kind=Event is disallowed from being an owner");
}

/* All of them, as a JSON list. */
static const char *owners_shown(const ObjectMeta *m, struct arena *a)
{
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "[");
    for (size_t i = 0; i < m->n_owner_references && b.len < OWNERS_SHOWN_BYTES_MAX; i++) {
        buf_append_c(&b, i > 0 ? "," : "");
        (void)schema_struct_to_json(&b, &schema_OwnerReference, m->owner_references[i], NULL,
                                    NULL); /* for people: what does not encode is not shown */
    }
    buf_append_c(&b, "]");
    const char *shown = str_dup(a, buf_str(&b));
    buf_deinit(&b);
    return shown;
}

static void validate_owners(const ObjectMeta *m, const struct field_path *up, struct err_list *out)
{
    const OwnerReference *controller = NULL;
    struct field_path p = path_field(up, "ownerReferences");
    for (size_t i = 0; i < m->n_owner_references; i++) {
        const OwnerReference *ref = m->owner_references[i];
        validate_owner(ref, &p, out);
        if (!ref->controller)
            continue;
        if (controller != NULL && err_list_full(out))
            return;
        if (controller != NULL) {
            struct str detail =
                str_printf(out->arena,
                           "Only one reference can have Controller set to true. Found \"true\" in "
                           "references for %s/%s and %s/%s",
                           text_of(controller->kind), text_of(controller->name), text_of(ref->kind),
                           text_of(ref->name));
            rule_invalid(out, &p, owners_shown(m, out->arena), str_dup(out->arena, detail));
            continue;
        }
        controller = ref;
    }
}

static bool has_finalizer(const ObjectMeta *m, const char *name)
{
    for (size_t i = 0; i < m->n_finalizers; i++) {
        if (text_eq(m->finalizers[i], name))
            return true;
    }
    return false;
}

/* Texts as a JSON list. */
static const char *texts_shown(char *const *texts, size_t count, struct arena *a)
{
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < count && b.len < RULE_VALUE_BYTES_MAX; i++)
        buf_printf(&b, "%s%s", i == 0 ? "[" : ",", text_quoted(a, texts[i]));
    buf_append_c(&b, count == 0 ? "[]" : "]");
    const char *shown = str_dup(a, buf_str(&b));
    buf_deinit(&b);
    return shown;
}

void metadata_check_finalizer_domain(const struct field_path *p, const char *name,
                                     struct err_list *out)
{
    static const char *const standard[] = { "kubernetes", "orphan", "foregroundDeletion" };
    bool known = strchr(text_of(name), '/') != NULL;
    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++)
        known = known || text_eq(name, standard[i]);
    if (!known)
        rule_invalid_text(out, p, name,
                          "name is neither a standard finalizer name nor is it fully qualified");
}

static void validate_finalizers(const ObjectMeta *m, const struct field_path *up,
                                struct err_list *out)
{
    struct field_path p = path_field(up, "finalizers");
    for (size_t i = 0; i < m->n_finalizers; i++) {
        struct field_path at = path_index(&p, i);
        (void)check_name(out, &p, text_of(m->finalizers[i]), name_qualified);
        metadata_check_finalizer_domain(&at, m->finalizers[i], out);
    }
    if (has_finalizer(m, "orphan") && has_finalizer(m, "foregroundDeletion"))
        rule_invalid(out, &p, texts_shown(m->finalizers, m->n_finalizers, out->arena),
                     "finalizer orphan and foregroundDeletion cannot be both set");
}

void metadata_validate(const struct ObjectMeta *m, bool namespaced, name_syntax_fn *name,
                       const struct field_path *path, struct err_list *out)
{
    struct field_path name_path = path_field(path, "name");
    struct field_path generation = path_field(path, "generation");
    struct field_path labels = path_field(path, "labels");
    validate_generate_name(m, name, path, out);
    if (text_empty(m->name))
        rule_required(out, &name_path, "name or generateName is required");
    else
        (void)check_name(out, &name_path, m->name, name);
    validate_namespace(m, namespaced, path, out);
    (void)check_not_negative(out, &generation, m->generation);
    metadata_validate_labels(m->labels, m->n_labels, &labels, out);
    metadata_validate_annotations(m, path, out);
    validate_owners(m, path, out);
    validate_finalizers(m, path, out);
}

static void immutable_text(const char *value, const char *old, const struct field_path *up,
                           const char *name, struct err_list *out)
{
    struct field_path p = path_field(up, name);
    if (!text_eq(value, old))
        rule_invalid_text(out, &p, value, "field is immutable");
}

/* While an object is being deleted, its finalizers may only go. */
static void validate_finalizers_update(const ObjectMeta *m, const ObjectMeta *old,
                                       const struct field_path *up, struct err_list *out)
{
    if (old->deletion_timestamp == NULL)
        return;
    struct buf added;
    struct keys known = keys_new(out->arena, old->n_finalizers);
    for (size_t i = 0; i < old->n_finalizers; i++)
        keys_add(&known, (struct key){ .text = old->finalizers[i] });
    keys_sort(&known);
    buf_init(&added);
    for (size_t i = 0; i < m->n_finalizers && added.len < RULE_VALUE_BYTES_MAX; i++) {
        if (keys_have(&known, m->finalizers[i]))
            continue;
        buf_append_c(&added, added.len > 0 ? ", " : "");
        buf_append_c(&added, text_quoted(out->arena, m->finalizers[i]));
    }
    if (added.len > 0) {
        struct field_path p = path_field(up, "finalizers");
        struct str detail = str_printf(out->arena,
                                       "no new finalizers can be added if the object is being "
                                       "deleted, found new finalizers []string{%.*s}",
                                       STR_ARG(buf_str(&added)));
        rule_forbidden(out, &p, str_dup(out->arena, detail));
    }
    buf_deinit(&added);
}

/* How a deletion goes is the deletion's to say, not an update's. */
static void validate_deletion_update(const ObjectMeta *m, const ObjectMeta *old,
                                     const struct field_path *up, struct err_list *out)
{
    static const char detail[] = "field is immutable";
    struct field_path timestamp = path_field(up, "deletionTimestamp");
    struct field_path grace = path_field(up, "deletionGracePeriodSeconds");
    if (m->deletion_timestamp != NULL && old->deletion_timestamp == NULL) {
        char text[TIME_TEXT_MAX];
        (void)time_format(time_seconds(m->deletion_timestamp), text);
        rule_invalid_text(out, &timestamp, text, detail);
    }
    if (m->has_deletion_grace_period_seconds &&
        (!old->has_deletion_grace_period_seconds ||
         m->deletion_grace_period_seconds != old->deletion_grace_period_seconds))
        rule_invalid_number(out, &grace, m->deletion_grace_period_seconds, detail);
}

void metadata_validate_update(const struct ObjectMeta *m, const struct ObjectMeta *old,
                              const struct field_path *path, struct err_list *out)
{
    validate_finalizers_update(m, old, path, out);
    immutable_text(m->name, old->name, path, "name", out);
    immutable_text(m->namespace_, old->namespace_, path, "namespace", out);
    immutable_text(m->uid, old->uid, path, "uid", out);
    validate_deletion_update(m, old, path, out);
    if (m->generation < old->generation) {
        struct field_path p = path_field(path, "generation");
        rule_invalid_number(out, &p, m->generation, "must not be decremented");
    }
}
