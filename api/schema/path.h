/* Private to api/schema: where a walk stands, as links on the stack; printed only on errors. */
#ifndef API_SCHEMA_PATH_H
#define API_SCHEMA_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct buf;

struct path {
    const struct path *up;
    struct str name;
    ptrdiff_t index; /* of a list element; -1: a name */
    bool embedded;   /* the name of a Go struct whose fields stand in the object above */
};

#define PATH_ROOT                                                                                  \
    {                                                                                              \
        .index = -1                                                                                \
    }

/* "spec.containers[0].name"; as Go prints fields in type errors, without indexes but with the names
 * of embedded structs. */
void path_write(struct buf *b, const struct path *p, bool indexes);

#endif
