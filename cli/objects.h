/* The resources a server has, by the names people use for them, and the paths of objects. */
#ifndef CLI_OBJECTS_H
#define CLI_OBJECTS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "cli/verb.h"

struct json;

/* Strings live in the cli's arena. */
struct objects_resource {
    struct str group; /* "" for core */
    struct str version;
    struct str plural;
    bool namespaced;
};

/* word: plural, singular, short name, or any of these with ".GROUP"; asks for discovery.
 * -ERR_NOT_FOUND says what to do. */
int objects_find(struct cli *c, struct str word, struct objects_resource *out, struct err *e);
/* The same in an answer of aggregated discovery; false: not there. */
bool objects_match(const struct json *list, struct str word, struct objects_resource *out);
/* "/apis/apps/v1/namespaces/a/deployments/b"; name empty: the collection; ns empty: of all. */
const char *objects_path(struct cli *c, const struct objects_resource *r, struct str ns,
                         struct str name);
/* "pods/a" or "pods" "a": NAME may come either way. False: neither fits. */
bool objects_split(struct str word, struct str *out_resource, struct str *io_name);

#endif
