/*
 * Tables as the server makes them (meta.k8s.io Table), printed as kubectl prints them.
 *
 * One printer shows the tables of one resource, one after the other: the columns are named once,
 * and never become narrower.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli/flags.h"
#include "cli/tabs.h"
#include "cli/verb.h"

struct buf;
struct json;

/* Columns of one table, those added here among them; more are not shown. */
#define TABLE_COLUMNS_MAX TABS_COLUMNS_MAX

struct table_options {
    bool wide;
    bool no_headers;
    bool with_namespace;
    bool with_kind;
    bool show_labels;
    const struct flag_texts *label_columns; /* may be NULL */
    struct str kind;                        /* "deployment.apps", before names */
    bool color;
};

struct table_printer {
    struct table_options options;
    struct tabs tabs;
    const struct json *columns; /* of the last table that had some */
    bool headed;
};

void table_start(struct table_printer *p, const struct table_options *o);
/* Appends the rows, cells not yet aligned; event: NULL, or "ADDED", a first column. The table's
 * columns live as long as the printer. An object that is no table gets its name and age. */
void table_rows(struct cli *c, struct table_printer *p, const struct json *table, const char *event,
                struct buf *rows);
/* Aligns what was appended so far, and empties it. */
void table_flush(struct table_printer *p, struct buf *rows, struct buf *out);

#endif
