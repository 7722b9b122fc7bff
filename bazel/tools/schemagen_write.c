/* schemagen's output: one const table per message, offsets by offsetof so that the compiler checks
 * every C name. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bazel/tools/schemagen.h"

/* The names protobuf-c puts an underscore behind, those that appear. */
static const char *const keywords[] = { "namespace", "continue", "operator", "template", "default",
                                        "signed",    "volatile", "class",    "new",      "delete",
                                        "private",   "public",   "export",   "static",   NULL };

/* protobuf-c's way from CamelCase to the lower_case of its descriptors. */
static void lower_name(char *out, size_t size, const char *name)
{
    size_t n = 0;
    bool upper_before = true;
    for (; *name != '\0' && n + 2 < size; name++) {
        bool upper = isupper((unsigned char)*name) != 0;
        if (upper && !upper_before)
            out[n++] = '_';
        out[n++] = (char)tolower((unsigned char)*name);
        upper_before = upper;
    }
    out[n] = '\0';
}

static const char *c_field(const FieldDescriptorProto *f)
{
    static char out[TEXT_BYTES];
    snprintf(out, sizeof(out), "%s%s", f->name, listed(keywords, f->name) ? "_" : "");
    return out;
}

static void write_string(FILE *out, const char *s)
{
    fputc('"', out);
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\')
            fputc('\\', out);
        fputc(*s, out);
    }
    fputc('"', out);
}

/* A comment's words without its markers: what people read. */
static void write_doc(FILE *out, const char *comment)
{
    bool first = true;
    fprintf(out, "\"");
    for (const char *p = comment == NULL ? "" : comment; *p != '\0';) {
        size_t len = strcspn(p, " \t\r\n");
        if (len > 0 && (*p != '+' || len == 1)) {
            fprintf(out, "%s", first ? "" : " ");
            first = false;
            for (size_t i = 0; i < len; i++)
                fprintf(out, "%s%c", p[i] == '"' || p[i] == '\\' ? "\\" : "", p[i]);
        }
        p += len;
        p += strspn(p, " \t\r\n");
    }
    fprintf(out, "\"");
}

/* "a,b" becomes a NULL-terminated array. */
static void write_enum(FILE *out, const struct message *m, size_t i)
{
    const char *p = marker_find(&m->fields[i], "enum")->value;
    fprintf(out, "static const char *const enum_%s_%s[] = { ", m->pb->name, m->pb->field[i]->name);
    while (*p != '\0') {
        size_t len = strcspn(p, ",");
        fprintf(out, "\"%.*s\", ", (int)len, p);
        p += len;
        p += *p == ',' ? 1 : 0;
    }
    fprintf(out, "NULL };\n");
}

static const char *type_name(const struct markers *marks, const FieldDescriptorProto *value)
{
    switch (value->type) {
    case PB_BOOL:
        return "SCHEMA_BOOL";
    case PB_INT32:
        return "SCHEMA_INT32";
    case PB_INT64:
        return "SCHEMA_INT64";
    case PB_DOUBLE:
        return "SCHEMA_DOUBLE";
    case PB_STRING:
        return "SCHEMA_STRING";
    case PB_BYTES:
        return marker_find(marks, "string") != NULL ? "SCHEMA_TEXT_BYTES" : "SCHEMA_BYTES";
    case PB_MESSAGE:
        return "SCHEMA_MESSAGE";
    default:
        fault("%s: type %d is not supported", value->name, value->type);
        return "0";
    }
}

static bool has_quantifier(const FieldDescriptorProto *value)
{
    return value->type != PB_STRING && value->type != PB_MESSAGE;
}

static void write_flags(FILE *out, const struct markers *marks)
{
    static const struct {
        const char *marker;
        const char *flag;
    } simple[] = {
        { "pointer", "SCHEMA_POINTER" },          { "always", "SCHEMA_ALWAYS" },
        { "omitzero", "SCHEMA_OMITZERO" },        { "inline", "SCHEMA_INLINE" },
        { "required", "SCHEMA_REQUIRED" },        { "items", "SCHEMA_ITEMS" },
        { "default", "SCHEMA_DEFAULT" },          { "optional", "SCHEMA_OPTIONAL" },
        { "unionMember", "SCHEMA_UNION_MEMBER" }, { "unionDiscriminator", "SCHEMA_UNION_TAG" }
    };
    fprintf(out, ".flags = 0");
    for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
        if (marker_find(marks, simple[i].marker) != NULL)
            fprintf(out, " | %s", simple[i].flag);
    }
    if (marker_is(marks, "mapType", "atomic") || marker_is(marks, "structType", "atomic"))
        fprintf(out, " | SCHEMA_ATOMIC");
    const struct marker *strategy = marker_find(marks, "patchStrategy");
    if (strategy != NULL && strstr(strategy->value, "merge") != NULL)
        fprintf(out, " | SCHEMA_PATCH_MERGE");
    if (strategy != NULL && strstr(strategy->value, "retainKeys") != NULL)
        fprintf(out, " | SCHEMA_RETAIN_KEYS");
    if (strategy != NULL && strstr(strategy->value, "replace") != NULL)
        fprintf(out, " | SCHEMA_PATCH_REPLACE");
    fprintf(out, ", ");
}

static void write_list_keys(FILE *out, const struct message *m, size_t i)
{
    const struct markers *marks = &m->fields[i];
    fprintf(out, "static const char *const keys_%s_%s[] = { ", m->pb->name, m->pb->field[i]->name);
    for (size_t k = 0; k < marks->count; k++) {
        if (strcmp(marks->at[k].name, "listMapKey") == 0)
            fprintf(out, "\"%s\", ", marks->at[k].value);
    }
    fprintf(out, "NULL };\n");
}

static void write_map_entry(FILE *out, const struct message *m, const DescriptorProto *entry)
{
    char lower[TEXT_BYTES];
    char lower_entry[TEXT_BYTES];
    lower_name(lower, sizeof(lower), m->pb->name);
    lower_name(lower_entry, sizeof(lower_entry), entry->name);
    fprintf(out, ".card = SCHEMA_MAP, .entry = &%s__%s__descriptor, ", lower, lower_entry);
    fprintf(out, ".entry_key = offsetof(%s__%s, key), .entry_value = offsetof(%s__%s, value), ",
            m->pb->name, entry->name, m->pb->name, entry->name);
    if (has_quantifier(entry->field[1]))
        fprintf(out, ".entry_has = offsetof(%s__%s, has_value), ", m->pb->name, entry->name);
}

static void write_field(FILE *out, const struct message *m, size_t i)
{
    const FieldDescriptorProto *f = m->pb->field[i];
    const struct markers *marks = &m->fields[i];
    const FieldDescriptorProto *value = value_field(m, f);
    const DescriptorProto *entry = map_entry(m, f);
    const struct marker *merge_key = marker_find(marks, "patchMergeKey");
    const struct marker *standard = marker_find(marks, "default");
    fprintf(out, "    { .name = STR(\"%s\"), .number = %d, .type = %s, ",
            marker_find(marks, "inline") != NULL ? "" : f->json_name, f->number,
            type_name(marks, value));
    write_flags(out, marks);
    if (value->type == PB_MESSAGE)
        fprintf(out, ".message = &schema_%s, ", type_base(value->type_name));
    if (standard != NULL) {
        fprintf(out, ".default_value = ");
        write_string(out, standard->value);
        fprintf(out, ", ");
    }
    if (merge_key != NULL)
        fprintf(out, ".merge_key = \"%s\", ", merge_key->value);
    if (entry != NULL)
        write_map_entry(out, m, entry);
    else if (f->label == PB_REPEATED)
        fprintf(out, ".card = SCHEMA_LIST, ");
    if (marker_is(marks, "listType", "map"))
        fprintf(out, ".list_type = SCHEMA_LIST_MAP, .list_keys = keys_%s_%s, ", m->pb->name,
                f->name);
    if (marker_is(marks, "listType", "set"))
        fprintf(out, ".list_type = SCHEMA_LIST_SET, ");
    if (f->label == PB_REPEATED)
        fprintf(out, ".quantifier = offsetof(%s, n_%s), ", m->pb->name, c_field(f));
    else if (has_quantifier(f))
        fprintf(out, ".quantifier = offsetof(%s, has_%s), ", m->pb->name, c_field(f));
    if (marker_find(marks, "enum") != NULL)
        fprintf(out, ".enums = enum_%s_%s, ", m->pb->name, f->name);
    fprintf(out, ".offset = offsetof(%s, %s), .doc = ", m->pb->name, c_field(f));
    write_doc(out, m->field_comments[i]);
    fprintf(out, " },\n");
}

/* ---- name tables ---- */

struct name_row {
    const char *json;
    const char *owner;
    size_t field;
    int via;
};

static int name_row_cmp(const void *x, const void *y)
{
    return strcmp(((const struct name_row *)x)->json, ((const struct name_row *)y)->json);
}

static size_t collect_names(const struct message *m, struct name_row *rows, int via)
{
    size_t count = 0;
    for (size_t i = 0; i < m->pb->n_field; i++) {
        if (marker_find(&m->fields[i], "inline") == NULL) {
            rows[count++] = (struct name_row){ m->pb->field[i]->json_name, m->pb->name, i, via };
            continue;
        }
        if (via >= 0) {
            fault("%s: inline messages do not nest", m->pb->name);
            continue;
        }
        const struct message *inner = message_find(type_base(m->pb->field[i]->type_name));
        count += collect_names(inner, rows + count, (int)i);
    }
    return count;
}

static size_t write_names(FILE *out, const struct message *m)
{
    struct name_row rows[FIELDS_MAX * 2];
    size_t count = collect_names(m, rows, -1);
    qsort(rows, count, sizeof(rows[0]), name_row_cmp);
    fprintf(out, "static const struct schema_name names_%s[] = {\n", m->pb->name);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(rows[i].json, rows[i - 1].json) == 0)
            fault("%s: two fields named %s", m->pb->name, rows[i].json);
        fprintf(out, "    { STR(\"%s\"), &fields_%s[%zu], ", rows[i].json, rows[i].owner,
                rows[i].field);
        if (rows[i].via < 0)
            fprintf(out, "NULL },\n");
        else
            fprintf(out, "&fields_%s[%d] },\n", m->pb->name, rows[i].via);
    }
    fprintf(out, "};\n");
    return count;
}

/* Returns the highest number. */
static int write_numbers(FILE *out, const struct message *m)
{
    int index[NUMBER_MAX + 1];
    int highest = 0;
    for (int n = 0; n <= NUMBER_MAX; n++)
        index[n] = 0xff;
    for (size_t i = 0; i < m->pb->n_field; i++) {
        int number = m->pb->field[i]->number;
        if (number < 1 || number > NUMBER_MAX)
            continue; /* check_field said so */
        index[number] = (int)i;
        highest = number > highest ? number : highest;
    }
    fprintf(out, "static const uint8_t order_%s[] = { ", m->pb->name);
    for (int n = 1; n <= highest; n++) {
        if (index[n] != 0xff)
            fprintf(out, "%d, ", index[n]);
    }
    fprintf(out, "};\nstatic const uint8_t index_%s[] = { ", m->pb->name);
    for (int n = 0; n <= highest; n++)
        fprintf(out, "%d, ", index[n]);
    fprintf(out, "};\n");
    return highest;
}

static const char *form_name(const struct message *m)
{
    static const struct {
        const char *marker;
        const char *form;
    } forms[] = { { "time", "SCHEMA_FORM_TIME" },
                  { "microTime", "SCHEMA_FORM_MICRO_TIME" },
                  { "duration", "SCHEMA_FORM_DURATION" },
                  { "quantity", "SCHEMA_FORM_QUANTITY" },
                  { "intOrString", "SCHEMA_FORM_INT_OR_STRING" },
                  { "raw", "SCHEMA_FORM_RAW" },
                  { "stringList", "SCHEMA_FORM_STRING_LIST" } };
    const struct marker *form = marker_find(&m->markers, "form");
    if (form == NULL)
        return "SCHEMA_FORM_OBJECT";
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strcmp(forms[i].marker, form->value) == 0)
            return forms[i].form;
    }
    fault("%s: unknown form %s", m->pb->name, form->value);
    return "0";
}

static void write_message(FILE *out, const struct message *m)
{
    char lower[TEXT_BYTES];
    lower_name(lower, sizeof(lower), m->pb->name);
    size_t names = write_names(out, m);
    int highest = write_numbers(out, m);
    const struct marker *gv = marker_find(&m->markers, "groupVersion");
    fprintf(
        out,
        "const struct schema schema_%s = { .name = \"%s\", .api_version = \"%s\", .form = %s, "
        ".type_meta = %s, .atomic = %s, .field_count = %zu, .name_count = %zu, .number_max = %d, "
        ".fields = fields_%s, .names = names_%s, .by_number = order_%s, .number_index = index_%s, "
        ".pb = &%s__descriptor, ",
        m->pb->name, m->pb->name, gv == NULL ? m->group_version : gv->value, form_name(m),
        marker_find(&m->markers, "typeMeta") == NULL ? "false" : "true",
        marker_is(&m->markers, "structType", "atomic") ? "true" : "false", m->pb->n_field, names,
        highest, m->pb->name, m->pb->name, m->pb->name, m->pb->name, lower);
    const struct marker *package = marker_find(&m->markers, "package");
    const struct marker *model = marker_find(&m->markers, "model");
    fprintf(out, ".model = \"%s.%s\", .doc = ", package == NULL ? m->package : package->value,
            model == NULL ? m->pb->name : model->value);
    write_doc(out, m->comment);
    fprintf(out, " };\n\n");
}

static void write_fields(FILE *out, const struct message *m)
{
    for (size_t i = 0; i < m->pb->n_field; i++) {
        if (marker_find(&m->fields[i], "listMapKey") != NULL)
            write_list_keys(out, m, i);
        if (marker_find(&m->fields[i], "enum") != NULL)
            write_enum(out, m, i);
    }
    fprintf(out, "static const struct schema_field fields_%s[] = {\n", m->pb->name);
    for (size_t i = 0; i < m->pb->n_field; i++)
        write_field(out, m, i);
    fprintf(out, "};\n");
}

static int message_cmp(const void *x, const void *y)
{
    const struct message *const *a = x;
    const struct message *const *b = y;
    return strcmp((*a)->pb->name, (*b)->pb->name);
}

void write_source(FILE *out, const char *header, const FileDescriptorSet *set)
{
    static const struct message *sorted[MESSAGES_MAX];
    fprintf(out, "/* Generated by bazel/tools/schemagen.c. */\n#include \"%s\"\n\n", header);
    fprintf(out, "#include <stddef.h>\n#include <string.h>\n\n");
    for (size_t i = 0; i < set->n_file; i++) {
        size_t len = strlen(set->file[i]->name) - strlen(".proto");
        fprintf(out, "#include \"%.*s.pb-c.h\"\n", (int)len, set->file[i]->name);
    }
    fprintf(out, "\n");
    for (size_t i = 0; i < message_count; i++) {
        sorted[i] = &messages[i];
        write_fields(out, &messages[i]);
    }
    for (size_t i = 0; i < message_count; i++)
        write_message(out, &messages[i]);
    qsort(sorted, message_count, sizeof(sorted[0]), message_cmp);
    fprintf(out, "const struct schema *const schema_all[] = {\n");
    for (size_t i = 0; i < message_count; i++)
        fprintf(out, "    &schema_%s,\n", sorted[i]->pb->name);
    fprintf(out, "    NULL,\n};\nconst size_t schema_all_count = %zu;\n", message_count);
}

void write_header(FILE *out)
{
    fprintf(out, "/* Generated by bazel/tools/schemagen.c: one table per message of api/proto. */\n"
                 "#ifndef API_PROTO_SCHEMAS_H\n#define API_PROTO_SCHEMAS_H\n\n"
                 "#include \"api/schema/schema.h\"\n\n"
                 "/* Sorted by name, NULL-terminated. */\n"
                 "extern const struct schema *const schema_all[];\n"
                 "extern const size_t schema_all_count;\n\n");
    for (size_t i = 0; i < message_count; i++)
        fprintf(out, "extern const struct schema schema_%s;\n", messages[i].pb->name);
    fprintf(out, "\n#endif\n");
}
