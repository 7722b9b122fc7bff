/* Columns a person chose: NAME:.metadata.name,... */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include "base/err.h"
#include "base/str.h"
#include "cli/tabs.h"

struct arena;
struct buf;
struct json;
struct jsonpath;

struct columns {
    struct str titles[TABS_COLUMNS_MAX];
    const struct jsonpath *paths[TABS_COLUMNS_MAX];
    size_t count;
    struct tabs tabs;
};

int columns_parse(struct arena *a, struct str spec, struct columns *out, struct err *e);
/* The same from a line of titles over a line of paths. */
int columns_parse_lines(struct arena *a, struct str text, struct columns *out, struct err *e);
/* A line of titles where asked for, a line of each object, as wide as what tabs saw before. */
int columns_print(struct arena *a, struct columns *c, const struct json *const *objects,
                  size_t count, bool titles, struct buf *out, struct err *e);

#endif
