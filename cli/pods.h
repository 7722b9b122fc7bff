/* Pods by the words of logs and exec: POD, TYPE/NAME, -l; and the containers in them. */
#ifndef CLI_PODS_H
#define CLI_PODS_H

#include "api/schema/json.h"
#include "cli/act.h"

/* Which of several pods is taken for an object that has many. */
enum pods_order {
    PODS_FOR_LOGS, /* the one most likely to have something to say: ready, then oldest */
    PODS_FOR_EXEC  /* the one that surely runs */
};

struct pods {
    const struct json **items;
    size_t count;
    size_t found; /* of an object: how many there are; items[0] was picked of several */
    const struct json *object; /* what was named; the pod itself, or what has it */
};

/* The pod, or the one picked of the object's. CLI_FAILED and the reason said. all: of an object,
 * every pod it has. */
int pods_of_word(struct cli *c, const char *word, enum pods_order order, bool all,
                 struct pods *out);
/* The same of the one object that manifests name. */
int pods_of_manifest(struct cli *c, const struct manifest_flags *f, enum pods_order order,
                     struct pods *out);
int pods_of_selector(struct cli *c, const char *selector, struct pods *out);

/* "/api/v1/namespaces/a/pods/b". */
const char *pods_path(struct cli *c, const struct json *pod);
/* "a, b, c (init)". */
struct str pods_container_names(struct cli *c, const struct json *pod);
/* "containers", "initContainers", "ephemeralContainers": where it stands; NULL: there is none. */
const char *pods_find_container(const struct json *pod, struct str name);
/* The one that is meant when none is named: by annotation, else the first; *out_first: the first
 * was taken of several, which is to be said. */
struct str pods_default_container(const struct json *pod, bool *out_first);

#endif
