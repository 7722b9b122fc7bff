/* Private to api/schema: where a walk stands, as links on the stack; printed only on errors. */
#ifndef API_SCHEMA_PATH_H
#define API_SCHEMA_PATH_H

#include <stddef.h>

#include "base/str.h"

struct buf;

struct path {
    const struct path *up;
    struct str name;
    ptrdiff_t index; /* of a list element; -1: a name */
};

#define PATH_ROOT                                                                                  \
    {                                                                                              \
        .index = -1                                                                                \
    }

/* "spec.containers[0].name"; without indexes as Go prints fields in type errors. */
void path_write(struct buf *b, const struct path *p, bool indexes);

#endif
