/* Field labels and index terms: reads of stored bytes by field number. */
#include "api/meta/object.h"
#include "api/meta/peek.h"
#include "controlplane/resources/registry.h"

/* Of an unknown label, in its error. */
#define LABEL_SHOWN_BYTES_MAX 128

/* Paths that index terms are read from. */
static const uint8_t pod_node_name[] = { 2, 10, 0 };
static const uint8_t event_involved_uid[] = { 2, 4, 0 };

static void add_term(struct store_term *out, size_t *count, uint32_t index, struct str bytes)
{
    if (*count < RESOURCE_TERMS_MAX && bytes.len <= STORE_TERM_BYTES_MAX)
        out[(*count)++] = (struct store_term){ .index = index, .bytes = bytes };
}

size_t resource_terms(const struct resource *r, struct str payload, struct store_term *out)
{
    struct object_meta meta;
    struct object_owner owner;
    size_t count = 0;
    size_t at = 0;
    if (r->kind == KIND_POD)
        add_term(out, &count, RESOURCE_INDEX_NODE_NAME, peek_string(payload, pod_node_name));
    if (kind_store(r->kind) == KIND_EVENT)
        add_term(out, &count, RESOURCE_INDEX_INVOLVED_UID,
                 peek_string(payload, event_involved_uid));
    object_meta_scan(payload, &meta);
    while (object_meta_owner(&meta, &at, &owner))
        add_term(out, &count, RESOURCE_INDEX_OWNER_UID, owner.uid);
    return count;
}

bool resource_index_for(const struct resource *r, const struct field_selector *s,
                        struct store_term *out)
{
    static const struct {
        enum kind kind;
        const char *label;
        uint32_t index;
    } rows[] = { { KIND_POD, "spec.nodeName", RESOURCE_INDEX_NODE_NAME },
                 { KIND_EVENT, "involvedObject.uid", RESOURCE_INDEX_INVOLVED_UID },
                 { KIND_EVENTS_EVENT, "regarding.uid", RESOURCE_INDEX_INVOLVED_UID } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str value;
        if (r->kind != rows[i].kind || !field_selector_exact(s, rows[i].label, &value) ||
            value.len > STORE_TERM_BYTES_MAX)
            continue;
        *out = (struct store_term){ .index = rows[i].index, .bytes = value };
        return true;
    }
    return false;
}

/* What every kind has. */
static const struct resource_field common_fields[] = {
    { .label = "metadata.name", .path = { 1, 1 } },
    { .label = "metadata.namespace", .path = { 1, 3 } }
};

static const struct resource_field *find_in(const struct resource_field *fields, size_t count,
                                            struct str label)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(label, fields[i].label))
            return &fields[i];
    }
    return NULL;
}

static const struct resource_field *find_field(const struct resource *r, struct str label)
{
    const struct resource_field *f = find_in(r->fields, r->fields_count, label);
    if (f != NULL && f->alias_of != NULL)
        return find_field(r, str_from(f->alias_of));
    if (f != NULL)
        return f;
    bool namespaced = kind_info(r->kind)->namespaced;
    return find_in(common_fields, namespaced ? 2 : 1, label);
}

int resource_check_fields(const struct resource *r, const struct field_selector *s, struct err *e)
{
    for (size_t i = 0; i < s->count; i++) {
        struct str label = s->requirements[i].field;
        if (find_field(r, label) != NULL)
            continue;
        label = str_slice(label, 0, LABEL_SHOWN_BYTES_MAX);
        return r->fields_count > 0
                   ? err_set(e, ERR_INVALID_ARGUMENT, "field label not supported: %.*s",
                             STR_ARG(label))
                   : err_set(e, ERR_INVALID_ARGUMENT,
                             "\"%.*s\" is not a known field selector: only \"metadata.name\", "
                             "\"metadata.namespace\"",
                             STR_ARG(label));
    }
    return 0;
}

struct str resource_field_value(const struct resource *r, struct str payload, struct str label)
{
    const struct resource_field *f = find_field(r, label);
    struct peek_field field;
    if (f == NULL)
        return (struct str){ 0 };
    bool found = peek_path(payload, f->path, &field);
    if (f->boolean)
        return found && field.number_value != 0 ? str_lit("true") : str_lit("false");
    if (found && field.wire == PEEK_BYTES && field.bytes.len > 0)
        return field.bytes;
    if (f->instead[0] != 0)
        return peek_string(payload, f->instead);
    return str_from(f->when_absent);
}

/* Numbers are compared as numbers: their text is never made. */
static bool number_matches(const struct resource_field *f, struct str payload, struct str wanted)
{
    struct peek_field field;
    int64_t value;
    bool found = peek_path(payload, f->path, &field);
    return str_to_i64(wanted, &value) == 0 && value == (found ? (int64_t)field.number_value : 0);
}

bool resource_matches_fields(const struct resource *r, const struct field_selector *s,
                             struct str payload)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct field_requirement *want = &s->requirements[i];
        const struct resource_field *f = find_field(r, want->field);
        bool equal = f != NULL && f->number
                         ? number_matches(f, payload, want->value)
                         : str_eq(resource_field_value(r, payload, want->field), want->value);
        if (equal == want->negated)
            return false;
    }
    return true;
}
