/*
 * The patch that takes a live object to a configuration: what kubectl apply sends.
 *
 * Three trees: what was applied before, what is applied now, what is there. The patch sets what
 * now differs from what is there, and removes what was applied before and is not any more; what
 * others set stays. With a schema it is a strategic merge patch (lists by their keys, in the
 * configuration's order), without one a JSON merge patch. Pure, over an arena.
 */
#ifndef CLI_THREE_WAY_H
#define CLI_THREE_WAY_H

#include "api/schema/json.h"
#include "api/schema/schema.h"

struct arena;
struct err;

/* The annotation that keeps what was applied before. */
#define LAST_APPLIED_ANNOTATION "kubectl.kubernetes.io/last-applied-configuration"

/* before NULL: nothing was applied. An empty object: nothing is to be done. before and live may be
 * one tree: then the patch takes it to now as a whole (an edit). -ERR_INVALID_ARGUMENT: an item of
 * a list misses its merge key. */
int three_way(struct arena *a, const struct schema *s, const struct json *before,
              const struct json *now, const struct json *live, struct json *out, struct err *e);

/* What the annotation of an object says; NULL without one. -ERR_PARSE: it is no JSON. */
int last_applied_read(struct arena *a, const struct json *object, const struct json **out,
                      struct err *e);
/* The object with itself in the annotation. */
struct json last_applied_write(struct arena *a, const struct json *object);

#endif
