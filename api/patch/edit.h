/*
 * Private to api/patch: changing a tree in place while one patch runs.
 *
 * Trees are immutable for everybody else. The first change of a container copies its array once
 * and marks the node as owned; later changes of the same container are in place, so that ten
 * thousand operations on one object do not copy it ten thousand times. edit_finish takes the marks
 * off again.
 */
#ifndef API_PATCH_EDIT_H
#define API_PATCH_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "api/schema/json.h"

struct arena;

/* The member's value for changing, NULL when it is not there. Both want an object or array. */
struct json *edit_member(struct arena *a, struct json *object, struct str key);
struct json *edit_item(struct arena *a, struct json *array, size_t index);

/* Replaces or appends; null stays null. */
void edit_put(struct arena *a, struct json *object, struct str key, struct json value);
bool edit_drop(struct arena *a, struct json *object, struct str key);
void edit_insert(struct arena *a, struct json *array, size_t index, struct json value);
void edit_erase(struct arena *a, struct json *array, size_t index);

/* A copy that shares no container; *bytes grows by what it took. */
struct json edit_copy(struct arena *a, const struct json *value, size_t *bytes);
/* Levels of containers: 0 for a scalar; *visited grows by what it looked at. */
size_t edit_depth(const struct json *value, uint64_t *visited);
void edit_finish(struct json *root);

#endif
