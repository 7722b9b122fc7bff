/*
 * JSON: an immutable tree and a writer.
 *
 * The tree keeps members in source order and duplicates as they came (lookups answer with the last
 * one, as upstream does; json_duplicates reports them). It lives in an arena; strings without
 * escapes and the text of numbers point into the source, which must live as long as the tree. Nodes
 * are never changed: a patch builds new nodes and shares the old. The parser takes RFC 8259 and
 * nothing else, bounded by JSON_DEPTH_MAX and JSON_BYTES_MAX. The writer prints what Go's
 * encoding/json prints.
 */
#ifndef API_SCHEMA_JSON_H
#define API_SCHEMA_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;
struct err;

#define JSON_DEPTH_MAX 128
/* Above the API's body limit of 3 MiB, for patched objects and lists. */
#define JSON_BYTES_MAX (64u << 20)

enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,    /* fits int64 and has neither fraction nor exponent */
    JSON_DOUBLE, /* any other number */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_member;

struct json {
    uint8_t type;
    uint8_t owned;  /* private to api/patch; 0 everywhere else */
    uint32_t count; /* bytes of a string or of a number's text, items, members */
    union {
        bool boolean;
        int64_t integer;
        double number;
        const char *chars;
        const struct json *items;
        const struct json_member *members;
    } u;
    const char *text; /* a number's source text; NULL when made by json_int or json_double */
};

struct json_member {
    struct str key;
    struct json value;
};

/* -ERR_PARSE with position and reason, -ERR_LIMIT for depth or size. */
int json_parse(struct arena *a, struct str text, const struct json **out, struct err *e);
/* A message of json_parse as Go writes it, which does not say where. */
struct str json_error_text(const char *message);
/* Only checks; no memory. */
int json_check(struct str text, struct err *e);

/* Nodes, for patches and tests. The arrays and strings given are borrowed, not copied. */
extern const struct json json_null;
struct json json_bool(bool value);
struct json json_int(int64_t value);
struct json json_double(double value);
struct json json_string(struct str value);
struct json json_array(const struct json *items, size_t count);
struct json json_object(const struct json_member *members, size_t count);

struct str json_str(const struct json *j); /* a string's bytes; empty for other types */
/* NULL when j is no object or has no such member; the last one of duplicates. */
const struct json *json_get(const struct json *j, struct str key);
const struct json *json_get_c(const struct json *j, const char *key);
/* "a.b[0].c" style lookups are deliberately absent: walk. */

/* Numbers by value, members in any order; NULL pointers are equal to each other only. */
bool json_equal(const struct json *a, const struct json *b);
/* Of duplicates so many are named, and their paths are cut here: a body of three million bytes can
 * have a million of them, each a million bytes deep. */
#define JSON_DUPLICATES_MAX           100
#define JSON_DUPLICATE_PATH_BYTES_MAX 4096
/* Calls f for each duplicate key with its path ("spec.a[0].b"), for no more than
 * JSON_DUPLICATES_MAX; returns how often it did. */
size_t json_duplicates(struct arena *a, const struct json *j,
                       void (*f)(void *context, const char *path), void *context);

/* The tree as Go's maps have it: of the members with one key the last. Scalars
 * are shared. */
struct json json_unique(struct arena *a, const struct json *j);

/* Compact, appended to b; html escapes <, > and & as Go's default encoder does. */
void json_write(struct buf *b, const struct json *j, bool html);
void json_write_string(struct buf *b, struct str s, bool html);
void json_write_int(struct buf *b, int64_t value);
void json_write_double(struct buf *b, double value);
/* Valid JSON text without its white space; html as above. The text must be valid (json_check). */
void json_compact(struct buf *b, struct str text, bool html);
/* Compact text → two-space pretty form, as json.MarshalIndent prints it. */
void json_indent(struct buf *b, struct str compact);
/* The same of a text that comes in pieces; *depth is 0 before the first. No piece ends inside a
 * string or between the brackets of an empty object or array. */
void json_indent_piece(struct buf *b, struct str piece, size_t *depth);

#endif
