/*
 * What schemagen's two halves share: the messages as read, their markers, and how to report.
 */
#ifndef BAZEL_TOOLS_SCHEMAGEN_H
#define BAZEL_TOOLS_SCHEMAGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

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
    char package[TEXT_BYTES]; /* of its name in OpenAPI */
    const char *comment;      /* NULL: none */
    struct markers markers;
    struct markers fields[FIELDS_MAX];
    const char *field_comments[FIELDS_MAX];
};

extern struct message messages[MESSAGES_MAX];
extern size_t message_count;
extern int faults;

/* Prints the fault and counts it: any fault fails the build. */
void fault(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool listed(const char *const *names, const char *name);
const struct marker *marker_find(const struct markers *m, const char *name);
bool marker_is(const struct markers *m, const char *name, const char *value);
/* The last part of ".Name.Of". */
const char *type_base(const char *type_name);
/* NULL when there is none. */
struct message *message_find(const char *name);
/* The map entry message of a field, or NULL when the field is no map. */
const DescriptorProto *map_entry(const struct message *m, const FieldDescriptorProto *f);
/* The field that says the type of a value: the map entry's value, or the field itself. */
const FieldDescriptorProto *value_field(const struct message *m, const FieldDescriptorProto *f);

void write_header(FILE *out);
/* header is the label of the generated header, as sources include it. */
void write_source(FILE *out, const char *header, const FileDescriptorSet *set);

#endif
