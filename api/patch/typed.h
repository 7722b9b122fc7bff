/*
 * Private to api/patch: JSON trees seen through a schema, as server-side apply sees them.
 *
 * A place in a tree has a type: a leaf (a scalar, or anything replaced as a whole), a struct, a
 * map, a set of scalars, or a list whose items are told apart by keys. The walks here turn trees
 * into sets of fields, compare two, merge two and take fields out. They never change a tree; what
 * they return shares parts with their inputs. Trees hold neither kind nor apiVersion.
 */
#ifndef API_PATCH_TYPED_H
#define API_PATCH_TYPED_H

#include "api/patch/changes.h"
#include "api/patch/field_set.h"
#include "api/schema/schema.h"

enum typed_shape { TYPED_LEAF, TYPED_STRUCT, TYPED_MAP, TYPED_SET, TYPED_KEYED };

struct typed {
    enum typed_shape shape;
    const struct schema *message;     /* TYPED_STRUCT */
    const struct schema_field *field; /* NULL at the root */
    bool item;                        /* an item of the field's list, or a value of its map */
};

struct typed typed_root(const struct schema *s);
struct typed typed_of_field(const struct schema_field *f);
struct typed typed_item(const struct typed *t);
/* A member of a struct or map; false when a struct has no such field. */
bool typed_member(const struct typed *t, struct str name, struct typed *out);
/* A member that its struct declares, as a map's keys are not. */
bool typed_declared(const struct typed *t, struct str name);

/* Members of an object by key, the last of duplicates, in the arena; null and NULL have none. */
struct typed_members {
    const struct json_member **at;
    size_t count;
};
struct typed_members typed_members(struct arena *a, const struct json *object);

/* Members of two objects side by side in the order of their keys. */
struct typed_pair {
    struct typed_members left;
    struct typed_members right;
    size_t i;
    size_t j;
    struct str key;
    const struct json *left_value; /* NULL: only on the other side */
    const struct json *right_value;
};
struct typed_pair typed_pair(struct arena *a, const struct json *left, const struct json *right);
bool typed_pair_next(struct typed_pair *p);

/* Items of a set or keyed list by element; equal ones keep their order. */
struct typed_list_item {
    struct field_element element;
    size_t index;
    const struct json *value;
};
struct typed_items {
    struct typed_list_item *at;
    size_t count;
};
/* Items that have no element (a null, missing keys) are left out. */
struct typed_items typed_items(struct arena *a, const struct typed *t, const struct json *list);
/* How many items from at have its element. */
size_t typed_run(const struct typed_items *items, size_t at);

/* What a list key has as its default; false when it has none. */
bool typed_default_key(struct arena *a, const struct schema *s, const char *name, struct json *out);
/* The element of one item; -ERR_INVALID_ARGUMENT with upstream's text. */
int typed_element(struct arena *a, const struct typed *t, const struct json *item,
                  struct field_element *out, struct err *e);

/* Unknown fields, values of another type, keys that miss or come twice: -ERR_INVALID_ARGUMENT, and
 * in why (NULL: not asked) all of them in upstream's text, in the arena. */
int typed_check(struct arena *a, const struct schema *s, const struct json *tree, struct str *why);
struct field_set typed_fields(struct arena *a, const struct schema *s, const struct json *tree);
/* The set with every declared field a member that has members below. */
struct field_set typed_named(struct arena *a, const struct schema *s, const struct field_set *set);

/* The reference for changes.h: the same, found between JSON trees. */
struct field_changes typed_compare(struct arena *a, const struct schema *s, const struct json *old,
                                   const struct json *new);

/* config over live. */
struct json typed_merge(struct arena *a, const struct schema *s, const struct json *live,
                        const struct json *config);
/* tree without the fields of the set. */
struct json typed_remove(struct arena *a, const struct schema *s, const struct json *tree,
                         const struct field_set *set);

#endif
