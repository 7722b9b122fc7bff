/* --sort-by: objects in the order of a field. */
#ifndef CLI_SORT_H
#define CLI_SORT_H

#include "base/err.h"
#include "base/str.h"

struct arena;
struct json;

/* *out: which object comes first, second, ... (an array in the arena). field: a path, braces or
 * not. Numbers and quantities by value, texts by bytes; what lacks the field comes first; that all
 * lack it is an error. */
int sort_by(struct arena *a, struct str field, const struct json *const *objects, size_t count,
            size_t **out, struct err *e);

#endif
