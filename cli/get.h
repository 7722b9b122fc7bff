/* What get was asked for: between cli/get.c and cli/get_watch.c. */
#ifndef CLI_GET_H
#define CLI_GET_H

#include "cli/fetch.h"
#include "cli/flags.h"
#include "cli/named.h"
#include "cli/output.h"
#include "cli/table.h"

struct get_options {
    struct manifest_flags manifests;
    const char *output;
    const char *template;
    const char *selector;
    const char *fields;
    const char *sort_by;
    const char *raw;
    const char *subresource;
    const char *revision;
    struct flag_texts label_columns;
    int64_t chunk;
    bool all;
    bool watch;
    bool watch_only;
    bool watch_events;
    bool no_headers;
    bool show_labels;
    bool show_kind;
    bool ignore_missing;
    bool managed_fields;
    bool allow_missing;
};

/* The answers are tables, or (-o yaml, ...) whole objects. */
bool get_is_table(const struct get_options *o);
/* What is asked of the server for these options. */
struct fetch_options get_fetch(struct cli *c, const struct get_options *o, bool named);
struct table_options get_table(struct cli *c, const struct get_options *o,
                               const struct objects_resource *r, bool with_kind);
/* -w and --watch-only: the exit code. */
int get_watch(struct cli *c, const struct get_options *o, const struct named *n);

#endif
