/* What --for says, and whether an object is so. */
#ifndef CLI_WAIT_FOR_H
#define CLI_WAIT_FOR_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct arena;
struct json;
struct jsonpath;

enum wait_kind {
    WAIT_CREATE,
    WAIT_DELETE,
    WAIT_CONDITION,
    WAIT_PATH,
    WAIT_EXISTS /* any object at all */
};

struct wait_for {
    enum wait_kind kind;
    struct str name;  /* of a condition */
    struct str value; /* empty (of a path): any */
    const struct jsonpath *path;
};

int wait_for_parse(struct arena *a, struct str text, struct wait_for *out, struct err *e);
/* Not of creation and deletion, which no state of an object shows. */
int wait_for_met(struct arena *a, const struct wait_for *w, const struct json *object,
                 bool *out_met, struct err *e);

#endif
