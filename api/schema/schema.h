/*
 * struct schema: what a kind looks like, as data.
 *
 * One const table per message, generated from api/proto by bazel/tools/schemagen.c (see
 * "api/proto/schemas.h" for the tables themselves). Codec, defaulting, validation and patches are
 * functions over it; nothing else knows field names. A table describes three views of a message:
 * JSON (names, order, omission), the wire (numbers, types) and the protobuf-c struct (offsets).
 * Tables are immutable and shared by all threads.
 */
#ifndef API_SCHEMA_SCHEMA_H
#define API_SCHEMA_SCHEMA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* No message nests deeper than this, in any form: JSON, YAML, protobuf. PodSpec needs 16. */
#define SCHEMA_DEPTH_MAX 64
/* Fields of one message; the codecs keep a note per field on the stack. */
#define SCHEMA_FIELDS_MAX 96

enum schema_type {
    SCHEMA_BOOL,
    SCHEMA_INT32,
    SCHEMA_INT64,
    SCHEMA_DOUBLE,
    SCHEMA_STRING,
    SCHEMA_BYTES,      /* base64 in JSON */
    SCHEMA_TEXT_BYTES, /* bytes on the wire and in the struct, plain text in JSON: may hold NUL */
    SCHEMA_MESSAGE
};

enum schema_card { SCHEMA_ONE, SCHEMA_LIST, SCHEMA_MAP /* string keys */ };

/* Messages that are not JSON objects. */
enum schema_form {
    SCHEMA_FORM_OBJECT,
    SCHEMA_FORM_TIME,          /* RFC 3339, whole seconds */
    SCHEMA_FORM_MICRO_TIME,    /* RFC 3339, six digits */
    SCHEMA_FORM_DURATION,      /* Go duration */
    SCHEMA_FORM_QUANTITY,      /* canonical quantity */
    SCHEMA_FORM_INT_OR_STRING, /* number or string */
    SCHEMA_FORM_RAW,           /* any JSON in place */
    SCHEMA_FORM_STRING_LIST    /* array of strings */
};

enum schema_list_type { SCHEMA_LIST_ATOMIC, SCHEMA_LIST_SET, SCHEMA_LIST_MAP };

enum schema_flag {
    SCHEMA_POINTER = 1 << 0, /* absent differs from zero; otherwise the wire always has a value */
    SCHEMA_ALWAYS = 1 << 1,  /* JSON shows it even when empty */
    SCHEMA_OMITZERO = 1 << 2,
    SCHEMA_INLINE = 1 << 3, /* a message whose JSON fields stand in the parent's object */
    SCHEMA_REQUIRED = 1 << 4,
    SCHEMA_ITEMS = 1 << 5,         /* the list of a List kind: never null */
    SCHEMA_ATOMIC = 1 << 6,        /* map or struct replaced as a whole by apply */
    SCHEMA_PATCH_MERGE = 1 << 7,   /* strategic merge: by merge_key, or as a set of primitives */
    SCHEMA_RETAIN_KEYS = 1 << 8,   /* strategic merge: $retainKeys is honoured */
    SCHEMA_PATCH_REPLACE = 1 << 9, /* strategic merge: replaced as a whole */
    SCHEMA_DEFAULT = 1 << 10,      /* default_value applies when unset */
    SCHEMA_OPTIONAL = 1 << 11,     /* OpenAPI: not required, although JSON always shows it */
    SCHEMA_UNION_TAG = 1 << 12,    /* OpenAPI: says which of the union's members is set */
    SCHEMA_UNION_MEMBER = 1 << 13  /* OpenAPI: a member of the message's union */
};

struct schema;

struct schema_field {
    struct str name;              /* JSON name; empty for inline fields */
    const struct schema *message; /* of the field, list element or map value; else NULL */
    const char *default_value;    /* JSON text, NULL without SCHEMA_DEFAULT */
    const char *merge_key;        /* strategic merge, NULL unless a list of objects merges */
    const char *const *list_keys; /* NULL-terminated, SCHEMA_LIST_MAP only */
    uint16_t number;
    uint16_t flags;
    uint8_t type; /* enum schema_type: of the field, list element or map value */
    uint8_t card;
    uint8_t list_type;
    uint16_t offset;     /* of the value in the struct */
    uint16_t quantifier; /* of has_x or n_x; 0 for strings and messages */
    uint16_t entry_key;  /* SCHEMA_MAP: offsets inside the entry struct */
    uint16_t entry_value;
    uint16_t entry_has;                      /* 0 for strings and messages */
    const ProtobufCMessageDescriptor *entry; /* SCHEMA_MAP only */
    const char *const *enums; /* OpenAPI: the known values, NULL-terminated, or NULL */
    const char *doc;          /* for people; "" when there is none */
};

struct schema_name {
    struct str name;
    const struct schema_field *field; /* may belong to an inline message */
    const struct schema_field *via;   /* the inline field of this message that holds it, or NULL */
};

struct schema {
    const char *name;        /* "PodSpec" */
    const char *api_version; /* of the kinds of its file: "apps/v1" */
    uint8_t form;
    bool type_meta; /* JSON has kind and apiVersion; the wire has them in the envelope */
    bool atomic;    /* +structType=atomic */
    uint16_t field_count;
    uint16_t name_count;
    uint16_t number_max;
    const struct schema_field *fields; /* in JSON order */
    const struct schema_name *names;   /* sorted by str_cmp, inline fields included */
    const uint8_t *by_number;          /* field indexes by ascending number */
    const uint8_t *number_index;       /* number → index, 0xff for none; number_max + 1 entries */
    const ProtobufCMessageDescriptor *pb;
    const char *model; /* its name in OpenAPI: "io.k8s.api.core.v1.PodSpec" */
    const char *doc;   /* for people; "" when there is none */
};

/* The field with this JSON name, looked for in inline messages too; NULL when there is none. */
const struct schema_name *schema_find_name(const struct schema *s, struct str name);
/* As above without the way to it. */
const struct schema_field *schema_find_field(const struct schema *s, struct str name);
const struct schema_field *schema_field_by_number(const struct schema *s, uint32_t number);

/* A zeroed struct of the message, ready for protobuf-c and for every function of this folder. */
struct arena;
void *schema_new(struct arena *a, const struct schema *s);

/* What `kind` says of an object of it: the last word of the model. (name is the message's, of which
 * there is one in all groups.) */
const char *schema_kind(const struct schema *s);

#endif
