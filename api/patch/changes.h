/*
 * Which fields of an object a write changed: added, modified and removed ones.
 *
 * Found by walking two structs side by side, through their schema: what server-side apply takes
 * for one field is one here (atomic lists and structs), items of lists are told apart by their
 * keys. A field that did not change costs a comparison and no memory. The sets are those that
 * comparing the objects' JSON would give.
 */
#ifndef API_PATCH_CHANGES_H
#define API_PATCH_CHANGES_H

#include "api/patch/field_set.h"
#include "api/schema/schema.h"

struct field_changes {
    struct field_set added;
    struct field_set modified;
    struct field_set removed;
};

/* old NULL: an object of the schema with nothing set. What lies in or below ignored is left out.
 * The sets live in the arena and borrow from old, new and ignored. Both must be well formed. */
struct field_changes changes_find(struct arena *a, const struct schema *s, const void *old,
                                  const void *new, const struct field_set *ignored);
bool changes_none(const struct field_changes *c);

#endif
