/* What a resource's OpenAPI v3 document says of it, as text. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "cli/objects.h"

struct arena;
struct buf;
struct json;

/* References that are followed one inside the other. */
#define EXPLAIN_DEPTH_MAX 64

/* Text in lines of at most width characters, as far as its words allow. */
void explain_wrap(struct buf *out, struct str text, size_t width);
/* "DESCRIPTION:..." of the field at path (count names) of the resource's kind. -ERR_NOT_FOUND: it
 * has no such field, or the document not that kind; e says which. */
int explain_render(struct arena *a, const struct json *document, const struct objects_resource *r,
                   const struct str *path, size_t count, bool recursive, struct buf *out,
                   struct err *e);

#endif
