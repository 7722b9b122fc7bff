/*
 * schemagen: protoc's descriptor set → const struct schema tables.
 *
 * usage: schemagen SET OUT.h OUT.c HEADER_LABEL
 *
 * The set must come from protoc --include_source_info: markers are lines of the form "+name=value"
 * in the comments of files, messages and fields (api/proto/README.md lists them). The tool refuses
 * what would make a table wrong rather than guess: an unknown marker, a list without a list type, a
 * recursive message, two messages of one name. It prints one line per fault and fails the build.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bazel/tools/descriptor.pb-c.h"

/* Bounds of one set; far above what the API has. */
#define MESSAGES_MAX 2000
#define FIELDS_MAX   96
#define MARKERS_MAX  12
#define TEXT_BYTES   256
#define DEPTH_MAX    64
#define NUMBER_MAX   200

/* protobuf's FieldDescriptorProto.Type and Label, those we have. */
enum {
    PB_DOUBLE = 1,
    PB_INT64 = 3,
    PB_INT32 = 5,
    PB_BOOL = 8,
    PB_STRING = 9,
    PB_MESSAGE = 11,
    PB_BYTES = 12
};
enum { PB_REPEATED = 3 };

struct marker {
    char name[32];
    char value[TEXT_BYTES];
};

struct markers {
    struct marker at[MARKERS_MAX];
    size_t count;
};

struct message {
    const DescriptorProto *pb;
    const char *file;
    char group_version[TEXT_BYTES];
    struct markers markers;
    struct markers fields[FIELDS_MAX];
};

static struct message messages[MESSAGES_MAX];
static size_t message_count;
static int faults;

static const char *const message_markers[] = { "typeMeta", "groupVersion", "form", "structType",
                                               NULL };
static const char *const field_markers[] = { "pointer",       "always",        "omitzero",
                                             "inline",        "required",      "listType",
                                             "listMapKey",    "patchStrategy", "default",
                                             "patchMergeKey", "mapType",       "structType",
                                             "string",        "items",         NULL };
/* The names protobuf-c puts an underscore behind, those that appear. */
static const char *const keywords[] = { "namespace", "continue", "operator", "template", "default",
                                        "signed",    "volatile", "class",    "new",      "delete",
                                        "private",   "public",   "export",   "static",   NULL };

static void fault(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "schemagen: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    faults++;
}

static bool listed(const char *const *names, const char *name)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

static const struct marker *marker_find(const struct markers *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++) {
        if (strcmp(m->at[i].name, name) == 0)
            return &m->at[i];
    }
    return NULL;
}

static bool marker_is(const struct markers *m, const char *name, const char *value)
{
    const struct marker *found = marker_find(m, name);
    return found != NULL && strcmp(found->value, value) == 0;
}

/* Words of a comment that begin with '+'; values hold no spaces. */
static void markers_parse(struct markers *m, const char *comment, const char *const *known,
                          const char *where)
{
    const char *p = comment;
    while (p != NULL && *p != '\0') {
        while (isspace((unsigned char)*p))
            p++;
        size_t len = strcspn(p, " \t\r\n");
        if (*p == '+' && len > 1) {
            size_t name_len = strcspn(p + 1, "= \t\r\n");
            struct marker *out = &m->at[m->count];
            if (m->count == MARKERS_MAX || name_len >= sizeof(out->name) || len >= TEXT_BYTES) {
                fault("%s: too many or too long markers", where);
                return;
            }
            snprintf(out->name, sizeof(out->name), "%.*s", (int)name_len, p + 1);
            if (p[1 + name_len] == '=')
                snprintf(out->value, sizeof(out->value), "%.*s", (int)(len - name_len - 2),
                         p + name_len + 2);
            if (known != NULL && !listed(known, out->name))
                fault("%s: unknown marker +%s", where, out->name);
            m->count++;
        }
        p += len;
    }
}

static const char *type_base(const char *type_name)
{
    const char *dot = strrchr(type_name, '.');
    return dot == NULL ? type_name : dot + 1;
}

static struct message *message_find(const char *name)
{
    for (size_t i = 0; i < message_count; i++) {
        if (strcmp(messages[i].pb->name, name) == 0)
            return &messages[i];
    }
    return NULL;
}

/* The map entry message of a field, or NULL when the field is no map. */
static const DescriptorProto *map_entry(const struct message *m, const FieldDescriptorProto *f)
{
    if (f->type != PB_MESSAGE)
        return NULL;
    for (size_t i = 0; i < m->pb->n_nested_type; i++) {
        const DescriptorProto *nested = m->pb->nested_type[i];
        if (strcmp(nested->name, type_base(f->type_name)) == 0 && nested->options != NULL &&
            nested->options->map_entry)
            return nested;
    }
    return NULL;
}

/* The field that says the type of a value: the map entry's value, or the field itself. */
static const FieldDescriptorProto *value_field(const struct message *m,
                                               const FieldDescriptorProto *f)
{
    const DescriptorProto *entry = map_entry(m, f);
    return entry == NULL ? f : entry->field[1];
}

static void read_location(const FileDescriptorProto *file, size_t base, const SourceLocation *at)
{
    if (at->leading_comments == NULL || at->n_path < 2 || at->path[0] != 4)
        return;
    struct message *m = &messages[base + (size_t)at->path[1]];
    char where[TEXT_BYTES];
    if (at->n_path == 2) {
        snprintf(where, sizeof(where), "%s: %s", file->name, m->pb->name);
        markers_parse(&m->markers, at->leading_comments, message_markers, where);
    } else if (at->n_path == 4 && at->path[2] == 2) {
        size_t field = (size_t)at->path[3];
        snprintf(where, sizeof(where), "%s: %s.%s", file->name, m->pb->name,
                 m->pb->field[field]->name);
        markers_parse(&m->fields[field], at->leading_comments, field_markers, where);
    }
}

static void read_file(const FileDescriptorProto *file)
{
    size_t base = message_count;
    struct markers of_file = { .count = 0 };
    const SourceCodeInfo *info = file->source_code_info;
    for (size_t i = 0; info != NULL && i < info->n_location; i++) {
        const SourceLocation *at = info->location[i];
        if (at->n_path != 1 || at->path[0] != 12)
            continue;
        for (size_t j = 0; j < at->n_leading_detached_comments; j++)
            markers_parse(&of_file, at->leading_detached_comments[j], NULL, file->name);
    }
    const struct marker *gv = marker_find(&of_file, "groupVersion");
    if (gv == NULL)
        fault("%s: no +groupVersion in the comment before syntax", file->name);
    for (size_t i = 0; i < file->n_message_type; i++) {
        const DescriptorProto *pb = file->message_type[i];
        if (message_count == MESSAGES_MAX || pb->n_field > FIELDS_MAX) {
            fault("%s: %s: too many messages or fields", file->name, pb->name);
            return;
        }
        if (message_find(pb->name) != NULL)
            fault("%s: %s: a second message of this name", file->name, pb->name);
        struct message *m = &messages[message_count++];
        m->pb = pb;
        m->file = file->name;
        snprintf(m->group_version, sizeof(m->group_version), "%s", gv == NULL ? "" : gv->value);
    }
    for (size_t i = 0; info != NULL && i < info->n_location; i++)
        read_location(file, base, info->location[i]);
}

/* ---- checks ---- */

static void check_field(const struct message *m, size_t i)
{
    const FieldDescriptorProto *f = m->pb->field[i];
    const struct markers *marks = &m->fields[i];
    bool list = f->label == PB_REPEATED && map_entry(m, f) == NULL;
    if (f->number > NUMBER_MAX)
        fault("%s.%s: number %d is above %d", m->pb->name, f->name, f->number, NUMBER_MAX);
    if (list && marker_find(&m->markers, "form") == NULL && marker_find(marks, "listType") == NULL)
        fault("%s.%s: a list needs +listType", m->pb->name, f->name);
    if (!list && (marker_find(marks, "listType") != NULL || marker_find(marks, "items") != NULL))
        fault("%s.%s: +listType and +items are for lists", m->pb->name, f->name);
    if (marker_is(marks, "listType", "map") != (marker_find(marks, "listMapKey") != NULL))
        fault("%s.%s: +listType=map and +listMapKey go together", m->pb->name, f->name);
    const FieldDescriptorProto *value = value_field(m, f);
    if (value->type == PB_MESSAGE && message_find(type_base(value->type_name)) == NULL)
        fault("%s.%s: no message %s", m->pb->name, f->name, value->type_name);
    if (marker_find(marks, "inline") != NULL && (list || value->type != PB_MESSAGE))
        fault("%s.%s: only single messages are inline", m->pb->name, f->name);
    if (marker_find(marks, "string") != NULL && value->type != PB_BYTES)
        fault("%s.%s: +string is for bytes", m->pb->name, f->name);
    if (marker_find(marks, "pointer") != NULL && f->label == PB_REPEATED)
        fault("%s.%s: lists and maps are no pointers", m->pb->name, f->name);
}

static void check_depth(const struct message *m, const char *root, int depth)
{
    if (depth > DEPTH_MAX) {
        fault("%s: recursive through %s", root, m->pb->name);
        return;
    }
    for (size_t i = 0; i < m->pb->n_field && faults == 0; i++) {
        const FieldDescriptorProto *value = value_field(m, m->pb->field[i]);
        if (value->type == PB_MESSAGE)
            check_depth(message_find(type_base(value->type_name)), root, depth + 1);
    }
}

static void check_all(void)
{
    for (size_t i = 0; i < message_count; i++) {
        for (size_t f = 0; f < messages[i].pb->n_field; f++)
            check_field(&messages[i], f);
    }
    for (size_t i = 0; i < message_count && faults == 0; i++)
        check_depth(&messages[i], messages[i].pb->name, 0);
}

/* ---- output ---- */

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
    } simple[] = { { "pointer", "SCHEMA_POINTER" },   { "always", "SCHEMA_ALWAYS" },
                   { "omitzero", "SCHEMA_OMITZERO" }, { "inline", "SCHEMA_INLINE" },
                   { "required", "SCHEMA_REQUIRED" }, { "items", "SCHEMA_ITEMS" },
                   { "default", "SCHEMA_DEFAULT" } };
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
    fprintf(out, ".offset = offsetof(%s, %s) },\n", m->pb->name, c_field(f));
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
        ".pb = &%s__descriptor };\n\n",
        m->pb->name, m->pb->name, gv == NULL ? m->group_version : gv->value, form_name(m),
        marker_find(&m->markers, "typeMeta") == NULL ? "false" : "true",
        marker_is(&m->markers, "structType", "atomic") ? "true" : "false", m->pb->n_field, names,
        highest, m->pb->name, m->pb->name, m->pb->name, m->pb->name, lower);
}

static void write_fields(FILE *out, const struct message *m)
{
    for (size_t i = 0; i < m->pb->n_field; i++) {
        if (marker_find(&m->fields[i], "listMapKey") != NULL)
            write_list_keys(out, m, i);
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

static void write_source(FILE *out, const char *header, const FileDescriptorSet *set)
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

static void write_header(FILE *out)
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

static uint8_t *read_all(const char *path, size_t *out_len)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    uint8_t *data = NULL;
    if (fseek(f, 0, SEEK_END) == 0) {
        long size = ftell(f);
        rewind(f);
        data = size > 0 ? malloc((size_t)size) : NULL;
        if (data != NULL && fread(data, 1, (size_t)size, f) == (size_t)size)
            *out_len = (size_t)size;
    }
    (void)fclose(f); /* read only */
    return data;
}

int main(int argc, char **argv)
{
    size_t len = 0;
    if (argc != 5) {
        fprintf(stderr, "usage: schemagen SET OUT.h OUT.c HEADER\n");
        return 2;
    }
    uint8_t *data = read_all(argv[1], &len);
    FileDescriptorSet *set = data == NULL ? NULL : file_descriptor_set__unpack(NULL, len, data);
    if (set == NULL) {
        fprintf(stderr, "schemagen: %s is no descriptor set\n", argv[1]);
        return 1;
    }
    for (size_t i = 0; i < set->n_file; i++)
        read_file(set->file[i]);
    if (faults == 0)
        check_all();
    FILE *header = faults == 0 ? fopen(argv[2], "w") : NULL;
    FILE *source = faults == 0 ? fopen(argv[3], "w") : NULL;
    if (header != NULL && source != NULL) {
        write_header(header);
        write_source(source, argv[4], set);
        if (fclose(header) != 0 || fclose(source) != 0)
            fault("cannot write %s", argv[3]);
    } else if (faults == 0) {
        fault("cannot open %s", argv[3]);
    }
    file_descriptor_set__free_unpacked(set, NULL);
    free(data);
    return faults == 0 ? 0 : 1;
}
