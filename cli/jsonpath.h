/*
 * kubectl's JSONPath: a template with {actions} in text.
 *
 * Actions walk the tree: .field, ['field'], [index], [from:to:step], [a,b], [*], .*, ..,
 * [?(@.a=="b")], "text", {range PATH}...{end}. What differs from the RFC's JSONPath is kubectl's
 * own, and so are the messages. Members of an object are visited in their order in the tree.
 *
 * A template is bounded by JSONPATH_BYTES_MAX, its nesting by JSONPATH_DEPTH_MAX, its work by
 * JSONPATH_STEPS_MAX: beyond them it is refused with -ERR_LIMIT.
 */
#ifndef CLI_JSONPATH_H
#define CLI_JSONPATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct arena;
struct buf;
struct json;
struct jsonpath;

#define JSONPATH_BYTES_MAX (64u << 10)
/* Of brackets in filters and unions, and of ranges in ranges. */
#define JSONPATH_DEPTH_MAX 16
/* Values looked at while a template is filled in. */
#define JSONPATH_STEPS_MAX 20000000u

/* What one action, or one piece of text, found. */
struct jsonpath_found {
    const struct json **items;
    size_t count;
};

struct jsonpath_results {
    struct jsonpath_found *items;
    size_t count;
};

/* e: what kubectl says after "error parsing jsonpath TEMPLATE, ". The text must outlive the
 * result. */
int jsonpath_parse(struct arena *a, struct str text, const struct jsonpath **out, struct err *e);
/* missing: a field that is not there finds nothing; else it is an error ("x is not found"). */
int jsonpath_find(struct arena *a, const struct jsonpath *p, const struct json *data, bool missing,
                  struct jsonpath_results *out, struct err *e);
/* The template filled in, appended to out. */
int jsonpath_print(struct arena *a, const struct jsonpath *p, const struct json *data, bool missing,
                   struct buf *out, struct err *e);
/* What was found as an array of JSON, one per action, as -o jsonpath-as-json shows it. */
int jsonpath_print_json(struct arena *a, const struct jsonpath *p, const struct json *data,
                        bool missing, struct buf *out, struct err *e);
/* A value as it stands in the text: strings bare, objects and arrays as JSON with sorted keys. */
void jsonpath_print_value(struct arena *a, const struct json *value, struct buf *out);

/* "a.b", ".a.b", "{a.b}" and "{.a.b}" all mean "{.a.b}": the paths of columns and of --sort-by. */
int jsonpath_relaxed(struct arena *a, struct str text, struct str *out, struct err *e);

#endif
