/*
 * Sets of field paths: what a manager owns of an object.
 *
 * A path is a row of elements: a field or map key by name, a list item by its keys or by its value,
 * or an index. A set is a tree of nodes sorted by element; a node may be a member itself, have
 * members below, or both, and is never neither. Sets are immutable once built and share parts: the
 * operations return new sets in the arena that point into their operands. Elements borrow their
 * strings and keys from what they were built from.
 *
 * Text form (FieldsV1): {"f:spec":{"f:replicas":{},"f:containers":{"k:{\"name\":\"c\"}":{".":{},
 * "f:image":{}}}}}, in upstream's order: names, keys, values, indexes.
 */
#ifndef API_PATCH_FIELD_SET_H
#define API_PATCH_FIELD_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "api/schema/json.h"

struct arena;
struct buf;
struct err;

/* Levels of one set; objects end at SCHEMA_DEPTH_MAX. */
#define FIELD_SET_DEPTH_MAX 80
/* Keys of one list item; upstream's lists have at most three. */
#define FIELD_KEYS_MAX 8

enum field_element_type { FIELD_NAME, FIELD_KEY, FIELD_VALUE, FIELD_INDEX };

struct field_element {
    enum field_element_type type;
    struct str name;                /* FIELD_NAME */
    const struct json_member *keys; /* FIELD_KEY: scalars, sorted by name */
    size_t keys_count;
    struct json value; /* FIELD_VALUE: a scalar; FIELD_INDEX: an integer */
};

struct field_set {
    const struct field_node *nodes;
    size_t count; /* 0: empty */
};

struct field_node {
    struct field_element element;
    bool member;
    struct field_set below;
};

/* Upstream's order, which the text form and the messages of conflicts follow. */
int field_element_compare(const struct field_element *a, const struct field_element *b);

/* ---- building ---- */

/* Collects nodes in any order; an element may come twice, its nodes are joined. */
struct field_builder {
    struct field_node *nodes;
    size_t count;
    size_t capacity;
};

/* Drops a node that is neither member nor has any below. */
void field_builder_add(struct arena *a, struct field_builder *b, const struct field_node *node);
struct field_set field_builder_finish(struct arena *a, struct field_builder *b);
/* A set of paths of names, each a NULL-terminated row; the rows end with an empty one. */
struct field_set field_set_of_names(struct arena *a, const char *const *const *paths);

/* ---- operations ---- */

bool field_set_equal(const struct field_set *x, const struct field_set *y);
const struct field_node *field_set_find(const struct field_set *s, const struct field_element *e);
struct field_set field_set_union(struct arena *a, const struct field_set *x,
                                 const struct field_set *y);
struct field_set field_set_intersection(struct arena *a, const struct field_set *x,
                                        const struct field_set *y);
/* Members of x that are no members of y. */
struct field_set field_set_difference(struct arena *a, const struct field_set *x,
                                      const struct field_set *y);
/* As above, and what lies below a member of y goes too. */
struct field_set field_set_recursive_difference(struct arena *a, const struct field_set *x,
                                                const struct field_set *y);

/* Calls f for each member in order, with its path as messages show it:
 * .spec.containers[name="c"].image */
void field_set_each(const struct field_set *s, void (*f)(void *context, struct str path),
                    void *context);

/* ---- text ---- */

void field_set_write(struct buf *out, const struct field_set *s);
/* Elements of a kind we do not know are left out, as upstream does; -ERR_INVALID_ARGUMENT for what
 * is no field set. The result borrows from text. */
int field_set_parse(struct arena *a, struct str text, struct field_set *out, struct err *e);

/* How many members of s a text that field_set_write made has, found without reading it into a set.
 * FIELD_TEXT_UNSURE: the text would have to be read for that. */
enum field_text { FIELD_TEXT_NONE, FIELD_TEXT_SOME, FIELD_TEXT_ALL, FIELD_TEXT_UNSURE };
enum field_text field_text_has(struct str text, const struct field_set *s);

/* Appends an element as messages show it: .name, [name="c"], [="v"], [3]. */
void field_element_show(struct buf *out, const struct field_element *e);

#endif
