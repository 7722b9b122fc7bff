/*
 * Admission: what must hold, or be filled in, before an object is validated and written.
 *
 * Each plugin is one small file with one function over a struct admission; admission_run calls them
 * in upstream's order. A plugin may change the object (protobuf-c struct, in the arena), refuse,
 * and look at other objects; every object it looks at becomes a guard of the write, so that what
 * was true when it looked is true when the write is applied. Synchronous, on the request's loop.
 */
#ifndef CONTROLPLANE_APISERVER_ADMISSION_ADMISSION_H
#define CONTROLPLANE_APISERVER_ADMISSION_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/meta/kinds.h"
#include "base/err.h"
#include "base/str.h"

struct arena;
struct ObjectMeta;

enum admission_verb { ADMIT_CREATE, ADMIT_UPDATE, ADMIT_DELETE };

struct admission {
    struct arena *arena;
    enum admission_verb verb;
    enum kind kind;
    struct str ns;
    struct str name;       /* empty while it is still to be generated */
    const char *sub;       /* subresource, "" for the object */
    void *object;          /* NULL on delete */
    const void *old;       /* NULL on create */
    struct str request_id; /* generated names come from it */

    /* Reads another object: the protobuf of its kind, in the arena. guard: the write is bound to
     * what was seen. 0, -ERR_NOT_FOUND, or another failure. */
    int (*read)(struct admission *a, enum kind kind, struct str ns, struct str name, bool guard,
                struct str *out);
    void *ctx;

    /* Set by a plugin that refuses. */
    struct str cause_reason; /* with -ERR_FORBIDDEN: one cause, or empty */
    struct str cause_message;
    struct str cause_field;
};

/*
 * 0, or -ERR_FORBIDDEN with the text after "pods "x" is forbidden: ", or -ERR_NOT_FOUND when the
 * namespace a->ns does not exist, or another failure with its own text.
 */
int admission_run(struct admission *a, struct err *e);

/* The plugins. */
int admit_namespace_lifecycle(struct admission *a, struct err *e);
int admit_service_account(struct admission *a, struct err *e);
int admit_node_taints(struct admission *a, struct err *e);
int admit_priority(struct admission *a, struct err *e);
int admit_default_tolerations(struct admission *a, struct err *e);
int admit_runtime_class(struct admission *a, struct err *e);
int admit_topology_labels(struct admission *a, struct err *e);

/* Adds the labels of a stored Node that say where it is; over: also where the object has them. */
void topology_labels_put(struct arena *a, struct str node, struct ObjectMeta *meta, bool over);

#endif
