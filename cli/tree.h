/* Looking into objects as JSON, and copies of them as Go would write them. */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/schema/json.h"

struct arena;
struct buf;

/* Members inside members: tree_at(o, "metadata", "labels", NULL); NULL: not there. */
const struct json *tree_at(const struct json *j, ...) __attribute__((sentinel));
/* The same, a string's text; empty for anything else. */
struct str tree_text(const struct json *j, ...) __attribute__((sentinel));
/* A whole number; otherwise where there is none. */
int64_t tree_int(const struct json *j, const char *name, int64_t otherwise);
bool tree_true(const struct json *j, const char *name);
/* How many items an array has, or members an object; 0 for anything else, NULL among them. */
size_t tree_count(const struct json *j);
const struct json *tree_item(const struct json *array, size_t i); /* NULL: it has none there */
/* A scalar as text: strings bare, true, 12; null and nothing are empty. */
struct str tree_scalar(struct arena *a, const struct json *j);

/* Members in the order of their keys, numbers by their value, all the way down. */
struct json tree_sorted(struct arena *a, const struct json *j);
/* The same object with a member set, or taken out (value NULL). */
struct json tree_with(struct arena *a, const struct json *object, const char *name,
                      const struct json *value);
/* JSON with `spaces` (2 or 4) of indentation, as MarshalIndent; no line feed at the end. */
void tree_indent(struct buf *out, const struct json *j, int spaces);
/* "a=b,c=d" by keys; "<none>" without any. */
struct str tree_labels(struct arena *a, const struct json *labels);

#endif
