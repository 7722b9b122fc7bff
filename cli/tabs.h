/*
 * Text in columns, as Go's text/tabwriter lays it out: a tab ends a cell, a line feed a line; the
 * cells of lines that follow each other and have that column are as wide as the widest of them. The
 * last cell of a line is not padded. Widths are in characters; colours (ESC [ ... m) have none.
 */
#ifndef CLI_TABS_H
#define CLI_TABS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct buf;

/* Columns beyond this are not aligned. */
#define TABS_COLUMNS_MAX 64

struct tabs {
    size_t width_min;
    size_t padding;
    bool remembers; /* columns never become narrower from one text to the next */
    size_t seen[TABS_COLUMNS_MAX];
    size_t seen_count;
};

/* kubectl's two settings: of get's tables, and of describe. */
struct tabs tabs_table(void);
struct tabs tabs_describe(void);
void tabs_write(struct tabs *t, struct str text, struct buf *out);

#endif
