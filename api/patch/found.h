/* Private to api/patch: what a comparison finds of a place, kept for each kind of change. */
#ifndef API_PATCH_FOUND_H
#define API_PATCH_FOUND_H

#include "api/patch/field_set.h"

enum { ADDED, MODIFIED, REMOVED, CHANGES };

/* What is found of one place: what the place itself is, and what lies below it. */
struct found {
    bool self[CHANGES];
    struct field_set below[CHANGES];
};

/* Adds the place e to the builders of CHANGES sets, which are in their container's order. */
void found_add(struct arena *a, struct field_builder *b, const struct field_element *e,
               const struct found *f);
/* What the builders hold lies below out's place. */
void found_finish(struct arena *a, struct field_builder *b, struct found *out);

#endif
