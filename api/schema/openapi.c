/* The spellings differ in three places: where definitions lie, what may stand beside a reference
 * (everything in v2; v3 wraps it in allOf), and that only v3 publishes defaults. */
#include "api/schema/openapi.h"

#include "api/schema/json.h"
#include "base/buf.h"

static void write_text(struct buf *out, const char *text)
{
    json_write_string(out, str_from(text), true);
}

/* ,"name":"value" */
static void write_member(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, ",\"%s\":", name);
    write_text(out, value);
}

/* ,"name":["a","b"] */
static void write_texts(struct buf *out, const char *name, const char *const *texts)
{
    buf_printf(out, ",\"%s\":[", name);
    for (size_t i = 0; texts[i] != NULL; i++) {
        buf_append_c(out, i > 0 ? "," : "");
        write_text(out, texts[i]);
    }
    buf_append_c(out, "]");
}

static const char *definitions_of(enum openapi_version v)
{
    return v == OPENAPI_V2 ? "#/definitions/" : "#/components/schemas/";
}

void openapi_write_ref(struct buf *out, const char *model, enum openapi_version v)
{
    buf_printf(out, "{\"$ref\":\"%s%s\"}", definitions_of(v), model);
}

bool openapi_has_definition(const struct schema *s)
{
    return s->form != SCHEMA_FORM_STRING_LIST;
}

/* ---- types ---- */

static const char *const scalars[] = {
    [SCHEMA_BOOL] = "\"type\":\"boolean\"",
    [SCHEMA_INT32] = "\"type\":\"integer\",\"format\":\"int32\"",
    [SCHEMA_INT64] = "\"type\":\"integer\",\"format\":\"int64\"",
    [SCHEMA_DOUBLE] = "\"type\":\"number\",\"format\":\"double\"",
    [SCHEMA_STRING] = "\"type\":\"string\"",
    [SCHEMA_BYTES] = "\"type\":\"string\",\"format\":\"byte\"",
    [SCHEMA_TEXT_BYTES] = "\"type\":\"string\"",
};

static const char *const zeros[] = {
    [SCHEMA_BOOL] = "false",      [SCHEMA_INT32] = "0",     [SCHEMA_INT64] = "0",
    [SCHEMA_DOUBLE] = "0",        [SCHEMA_STRING] = "\"\"", [SCHEMA_BYTES] = NULL,
    [SCHEMA_TEXT_BYTES] = "\"\"",
};

/* What JSON shows of an unset value; NULL: nothing is promised. element: of a list or a map. */
static const char *default_of(const struct schema_field *f, bool element)
{
    if (!element && f->default_value != NULL)
        return f->default_value;
    if (!element && (f->flags & SCHEMA_POINTER) != 0)
        return NULL;
    if (f->type == SCHEMA_MESSAGE)
        return f->message->form == SCHEMA_FORM_OBJECT ? "{}" : NULL;
    return element || (f->flags & SCHEMA_ALWAYS) != 0 ? zeros[f->type] : NULL;
}

static void write_default(struct buf *out, const char *value, enum openapi_version v)
{
    if (v == OPENAPI_V3 && value != NULL)
        buf_printf(out, ",\"default\":%s", value);
}

static bool is_plain_ref(const struct schema_field *f)
{
    return f->type == SCHEMA_MESSAGE && openapi_has_definition(f->message);
}

/* The members of one value, without braces: a field's own, a list's items, a map's values. */
static void write_value(struct buf *out, const struct schema_field *f, enum openapi_version v)
{
    if (f->type != SCHEMA_MESSAGE) {
        buf_append_c(out, scalars[f->type]);
        return;
    }
    if (!openapi_has_definition(f->message)) {
        buf_append_c(out, "\"type\":\"array\",\"items\":{\"type\":\"string\"");
        write_default(out, zeros[SCHEMA_STRING], v);
        buf_append_c(out, "}");
        return;
    }
    buf_printf(out, v == OPENAPI_V2 ? "\"$ref\":\"%s%s\"" : "\"allOf\":[{\"$ref\":\"%s%s\"}]",
               definitions_of(v), f->message->model);
}

static void write_element(struct buf *out, const struct schema_field *f, enum openapi_version v)
{
    const char *value = default_of(f, true);
    if (is_plain_ref(f) && (v == OPENAPI_V2 || value == NULL)) {
        openapi_write_ref(out, f->message->model, v);
        return;
    }
    buf_append_c(out, "{");
    write_value(out, f, v);
    write_default(out, value, v);
    buf_append_c(out, "}");
}

/* ---- what Kubernetes adds ---- */

static void write_list_extensions(struct buf *out, const struct schema_field *f)
{
    static const char *const types[] = {
        [SCHEMA_LIST_ATOMIC] = "atomic", [SCHEMA_LIST_SET] = "set", [SCHEMA_LIST_MAP] = "map"
    };
    if ((f->flags & SCHEMA_ITEMS) != 0)
        return;
    write_member(out, "x-kubernetes-list-type", types[f->list_type]);
    if (f->list_keys != NULL)
        write_texts(out, "x-kubernetes-list-map-keys", f->list_keys);
}

static void write_extensions(struct buf *out, const struct schema_field *f)
{
    static const struct {
        uint16_t flag;
        const char *word;
    } strategies[] = { { SCHEMA_PATCH_MERGE, "merge" },
                       { SCHEMA_RETAIN_KEYS, "retainKeys" },
                       { SCHEMA_PATCH_REPLACE, "replace" } };
    bool first = true;
    if (f->card == SCHEMA_LIST)
        write_list_extensions(out, f);
    if (f->card != SCHEMA_LIST && (f->flags & SCHEMA_ATOMIC) != 0)
        write_member(out, "x-kubernetes-map-type", "atomic");
    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
        if ((f->flags & strategies[i].flag) == 0)
            continue;
        buf_printf(out, "%s%s", first ? ",\"x-kubernetes-patch-strategy\":\"" : ",",
                   strategies[i].word);
        first = false;
    }
    buf_append_c(out, first ? "" : "\"");
    if (f->merge_key != NULL)
        write_member(out, "x-kubernetes-patch-merge-key", f->merge_key);
}

/* ---- fields ---- */

/* Nothing stands beside the reference. */
static bool is_bare(const struct schema_field *f, enum openapi_version v)
{
    return f->card == SCHEMA_ONE && is_plain_ref(f) && f->doc[0] == '\0' &&
           (f->flags & (SCHEMA_ATOMIC | SCHEMA_PATCH_MERGE | SCHEMA_RETAIN_KEYS |
                        SCHEMA_PATCH_REPLACE)) == 0 &&
           (v == OPENAPI_V2 || default_of(f, false) == NULL);
}

static void write_field(struct buf *out, const struct schema_field *f, enum openapi_version v)
{
    if (is_bare(f, v)) {
        openapi_write_ref(out, f->message->model, v);
        return;
    }
    buf_append_c(out, "{");
    if (f->card == SCHEMA_LIST) {
        buf_append_c(out, "\"type\":\"array\",\"items\":");
        write_element(out, f, v);
    } else if (f->card == SCHEMA_MAP) {
        buf_append_c(out, "\"type\":\"object\",\"additionalProperties\":");
        write_element(out, f, v);
    } else {
        write_value(out, f, v);
        write_default(out, default_of(f, false), v);
    }
    if (f->doc[0] != '\0')
        write_member(out, "description", f->doc);
    if (f->enums != NULL)
        write_texts(out, "enum", f->enums);
    write_extensions(out, f);
    buf_append_c(out, "}");
}

static void write_type_meta(struct buf *out)
{
    buf_append_c(out,
                 "\"apiVersion\":{\"type\":\"string\",\"description\":\"The group and version "
                 "this object is written in, as in v1 or apps/v1.\"},"
                 "\"kind\":{\"type\":\"string\",\"description\":\"The type of this object, as in "
                 "Pod.\"}");
}

static void write_properties(struct buf *out, const struct schema *s, enum openapi_version v)
{
    if (s->name_count == 0 && !s->type_meta)
        return;
    buf_append_c(out, ",\"properties\":{");
    if (s->type_meta)
        write_type_meta(out);
    for (size_t i = 0; i < s->name_count; i++) {
        buf_append_c(out, i > 0 || s->type_meta ? "," : "");
        json_write_string(out, s->names[i].name, true);
        buf_append_c(out, ":");
        write_field(out, s->names[i].field, v);
    }
    buf_append_c(out, "}");
}

static bool is_required(const struct schema_field *f)
{
    return (f->flags & SCHEMA_OPTIONAL) == 0 && (f->flags & (SCHEMA_ALWAYS | SCHEMA_REQUIRED)) != 0;
}

static void write_required(struct buf *out, const struct schema *s)
{
    bool first = true;
    for (size_t i = 0; i < s->name_count; i++) {
        if (!is_required(s->names[i].field))
            continue;
        buf_append_c(out, first ? ",\"required\":[" : ",");
        json_write_string(out, s->names[i].name, true);
        first = false;
    }
    buf_append_c(out, first ? "" : "]");
}

/* ---- unions ---- */

/* "localhostProfile" is told by the value "LocalhostProfile". */
static void write_union_member(struct buf *out, struct str name)
{
    json_write_string(out, name, true);
    buf_append_c(out, ":\"");
    buf_append_byte(out, (uint8_t)(name.data[0] - 'a' + 'A'));
    buf_append_str(out, str_slice(name, 1, name.len));
    buf_append_c(out, "\"");
}

static void write_union(struct buf *out, const struct schema *s)
{
    const struct schema_field *tag = NULL;
    bool first = true;
    for (size_t i = 0; i < s->field_count; i++) {
        if ((s->fields[i].flags & SCHEMA_UNION_TAG) != 0)
            tag = &s->fields[i];
    }
    if (tag == NULL)
        return;
    buf_append_c(out, ",\"x-kubernetes-unions\":[{\"discriminator\":");
    json_write_string(out, tag->name, true);
    buf_append_c(out, ",\"fields-to-discriminateBy\":{");
    for (size_t i = 0; i < s->field_count; i++) {
        if ((s->fields[i].flags & SCHEMA_UNION_MEMBER) == 0)
            continue;
        buf_append_c(out, first ? "" : ",");
        write_union_member(out, s->fields[i].name);
        first = false;
    }
    buf_append_c(out, "}}]");
}

/* ---- definitions ---- */

/* What JSON writes for a message that is no object. */
static const char *form_of(const struct schema *s, enum openapi_version v)
{
    switch (s->form) {
    case SCHEMA_FORM_TIME:
    case SCHEMA_FORM_MICRO_TIME:
        return "\"type\":\"string\",\"format\":\"date-time\"";
    case SCHEMA_FORM_DURATION:
        return "\"type\":\"string\"";
    case SCHEMA_FORM_QUANTITY:
        return v == OPENAPI_V2 ? "\"type\":\"string\""
                               : "\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]";
    case SCHEMA_FORM_INT_OR_STRING:
        return v == OPENAPI_V2
                   ? "\"type\":\"string\",\"format\":\"int-or-string\""
                   : "\"format\":\"int-or-string\",\"oneOf\":[{\"type\":\"integer\"},{\"type\":"
                     "\"string\"}]";
    default:
        return "\"type\":\"object\"";
    }
}

void openapi_write_definition(struct buf *out, const struct schema *s, enum openapi_version v,
                              const char *kinds)
{
    buf_append_c(out, "{");
    buf_append_c(out, form_of(s, v));
    if (s->doc[0] != '\0')
        write_member(out, "description", s->doc);
    if (s->form == SCHEMA_FORM_OBJECT) {
        write_properties(out, s, v);
        write_required(out, s);
        write_union(out, s);
    }
    if (s->atomic)
        write_member(out, "x-kubernetes-map-type", "atomic");
    if (kinds != NULL)
        buf_printf(out, ",\"x-kubernetes-group-version-kind\":%s", kinds);
    buf_append_c(out, "}");
}
