/*
 * Objects that words ask for, fetched one target after the other: what get, describe and wait
 * start from.
 *
 * A target with a name is one GET; without, the pages of a list. Each answer is one item, as
 * kubectl's infos are. What is refused does not end the rest: the reasons are kept and told last.
 */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "cli/flags.h"
#include "cli/objects.h"
#include "cli/verb.h"

struct json;

#define FETCH_TABLE                                                                                \
    "application/json;as=Table;v=v1;g=meta.k8s.io,"                                                \
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"

struct fetch_options {
    const char *accept;   /* NULL: application/json */
    struct str ns;        /* empty: all of them */
    const char *selector; /* of labels; NULL: none */
    const char *fields;
    const char *extra; /* further query, "a=b&c=d"; NULL: none */
    int64_t chunk;     /* items of a page; 0: no limit */
    const char *subresource;
    bool ignore_missing; /* what is not found is no failure */
};

struct fetch_item {
    const struct objects_resource *resource;
    struct str name; /* of the target; empty: a page of a list */
    const struct json *root;
};

struct fetch {
    struct fetch_item *items;
    size_t count;
    size_t capacity;
    struct str *refusals; /* whole sentences */
    size_t refusals_count;
    size_t refusals_capacity;
};

/* Rows that several verbs' flags have: a bool, texts, an int64_t. */
extern const struct flag fetch_all_row[];
extern const struct flag fetch_selector_row[];
extern const struct flag fetch_fields_row[];
extern const struct flag fetch_chunk_row[];

/* 0 also when some were refused; -ERR_X, with e for cli_error_of: nobody answers, or nonsense. */
int fetch_all(struct cli *c, const struct objects_target *targets, size_t count,
              const struct fetch_options *o, struct fetch *out, struct err *e);
/* One more reason to be told. */
void fetch_refuse(struct cli *c, struct fetch *f, struct str text);
/* Tells the refusals on stderr; CLI_FAILED if there were some. */
int fetch_tell(const struct fetch *f);
/* A list's path with its query; from: a continue token. */
const char *fetch_target(struct cli *c, const struct objects_target *t,
                         const struct fetch_options *o, struct str from);
/* Items of lists, and single objects, each with its apiVersion and kind. */
size_t fetch_objects(struct cli *c, const struct fetch *f, const struct json ***out);
/* A list's item with the apiVersion and kind that the list leaves out. */
const struct json *fetch_typed(struct cli *c, const struct objects_resource *r,
                               const struct json *item);

#endif
