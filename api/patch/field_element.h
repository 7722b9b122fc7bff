/* Private to api/patch: the text of one element of a path. */
#ifndef API_PATCH_FIELD_ELEMENT_H
#define API_PATCH_FIELD_ELEMENT_H

#include "api/patch/field_set.h"

/* Appends "f:name" and its like, quoted; scratch is cleared. */
void field_element_write(struct buf *out, struct buf *scratch, const struct field_element *e);

#endif
