/*
 * The resources a server has, by the names people use for them, and the paths of objects.
 *
 * Discovery (the aggregated one: two answers name everything) is asked for once per process.
 */
#ifndef CLI_OBJECTS_H
#define CLI_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "cli/verb.h"

struct json;

/* Strings live in the cli's arena, the trees with them; a tree may be NULL: none. */
struct objects_resource {
    struct str group; /* "" for core */
    struct str version;
    struct str plural;
    struct str singular;
    struct str kind;
    bool namespaced;
    bool preferred;            /* of the group's preferred version */
    const struct json *shorts; /* arrays of strings */
    const struct json *verbs;
    const struct json *categories;
    const struct json *subresources; /* array of {subresource, verbs, ...} */
};

/* In the server's order: core first. */
struct objects_list {
    struct objects_resource *items;
    size_t count;
};

/* What a person asked for: an object, or (name empty) all of a resource. */
struct objects_target {
    const struct objects_resource *resource;
    struct str name;
    struct str ns; /* its own; empty: the command's */
};

int objects_load(struct cli *c, const struct objects_list **out, struct err *e);
/* word: plural, singular, kind or short name, in any case, or any of these with ".GROUP" or
 * ".VERSION.GROUP". -ERR_NOT_FOUND: "the server doesn't have a resource type ...". */
int objects_find(struct cli *c, struct str word, struct objects_resource *out, struct err *e);
const struct objects_resource *objects_match(const struct objects_list *list, struct arena *a,
                                             struct str word);
/* Of a document's apiVersion ("apps/v1") and kind. -ERR_NOT_FOUND: 'no matches for kind ...'. */
int objects_of_kind(struct cli *c, struct str api_version, struct str kind,
                    const struct objects_resource **out, struct err *e);
bool objects_has(const struct json *array, const char *text); /* a verb, a category */

/* "TYPE", "TYPE NAME...", "TYPE/NAME...", "TYPE1,TYPE2 [NAME...]", "all": what the words ask for,
 * in their order. No words give no targets. -ERR_INVALID_ARGUMENT or -ERR_NOT_FOUND as kubectl
 * says it. */
int objects_targets(struct cli *c, const char *const *words, size_t count,
                    struct objects_target **out, size_t *out_count, struct err *e);

/* "/apis/apps/v1/namespaces/a/deployments/b"; name empty: the collection; ns empty: of all. */
const char *objects_path(struct cli *c, const struct objects_resource *r, struct str ns,
                         struct str name);
/* "deployment.apps/b": how kubectl names an object it did something with. */
struct str objects_title(struct cli *c, const struct objects_resource *r, struct str name);
/* "deployments.apps", "pods". */
struct str objects_group_resource(struct cli *c, const struct objects_resource *r);
/* "apps/v1", "v1". */
struct str objects_api_version(struct cli *c, const struct objects_resource *r);
/* As it stands in a URL's query or path: what is not plainly allowed there is escaped. */
struct str objects_escape(struct cli *c, struct str s);
/* "pods/a" or "pods" "a": NAME may come either way. False: neither fits. */
bool objects_split(struct str word, struct str *out_resource, struct str *io_name);

#endif
