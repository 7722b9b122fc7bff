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
#include "bazel/tools/schemagen.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct message messages[MESSAGES_MAX];
size_t message_count;
int faults;

static const char *const message_markers[] = { "typeMeta", "groupVersion", "form", "structType",
                                               "package",  "model",        NULL };
static const char *const field_markers[] = {
    "pointer",    "always",        "omitzero", "inline",        "required",    "listType",
    "listMapKey", "patchStrategy", "default",  "patchMergeKey", "mapType",     "structType",
    "string",     "items",         "optional", "enum",          "unionMember", "unionDiscriminator",
    NULL
};

void fault(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "schemagen: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    faults++;
}

bool listed(const char *const *names, const char *name)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

const struct marker *marker_find(const struct markers *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++) {
        if (strcmp(m->at[i].name, name) == 0)
            return &m->at[i];
    }
    return NULL;
}

bool marker_is(const struct markers *m, const char *name, const char *value)
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

const char *type_base(const char *type_name)
{
    const char *dot = strrchr(type_name, '.');
    return dot == NULL ? type_name : dot + 1;
}

struct message *message_find(const char *name)
{
    for (size_t i = 0; i < message_count; i++) {
        if (strcmp(messages[i].pb->name, name) == 0)
            return &messages[i];
    }
    return NULL;
}

const DescriptorProto *map_entry(const struct message *m, const FieldDescriptorProto *f)
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

const FieldDescriptorProto *value_field(const struct message *m, const FieldDescriptorProto *f)
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
        m->comment = at->leading_comments;
    } else if (at->n_path == 4 && at->path[2] == 2) {
        size_t field = (size_t)at->path[3];
        snprintf(where, sizeof(where), "%s: %s.%s", file->name, m->pb->name,
                 m->pb->field[field]->name);
        markers_parse(&m->fields[field], at->leading_comments, field_markers, where);
        m->field_comments[field] = at->leading_comments;
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
    const struct marker *package = marker_find(&of_file, "package");
    if (gv == NULL || package == NULL)
        fault("%s: no +groupVersion or +package in the comment before syntax", file->name);
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
        snprintf(m->package, sizeof(m->package), "%s", package == NULL ? "" : package->value);
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
