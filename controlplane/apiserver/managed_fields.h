/*
 * Private to the API server: metadata.managedFields of what is written, and server-side apply.
 *
 * Every write says who makes it: the fieldManager parameter, or the name in its User-Agent. The
 * functions here turn the entries of an object into api/patch's, let it decide, and put the result
 * into the new object. They run after defaults and before what the server itself changes, so that
 * a manager owns only what it sent.
 */
#ifndef CONTROLPLANE_APISERVER_MANAGED_FIELDS_H
#define CONTROLPLANE_APISERVER_MANAGED_FIELDS_H

#include "controlplane/apiserver/object.h"

struct json;
struct ObjectMeta;
struct ObjectMeta__AnnotationsEntry;

/* Sets the entries of object, which takes the place of old (NULL: it is created) through a
 * subresource ("": itself). An object that has no entries stays without. -ERR_X with r->status. */
int managed_fields_update(struct request *r, void *object, const void *old, const char *sub);
/* When nothing but times of entries differs from old after all, the old times stay. */
void managed_fields_settle(struct request *r, void *object, const void *old);

/* Applies a configuration of r->kind to old (NULL: it is created); *out has its entries and is not
 * yet defaulted. -ERR_X with r->status set. */
int managed_fields_apply(struct request *r, const struct json *config, const void *old,
                         const char *sub, void **out);

/* Stored bytes of an object without its entries. */
struct str managed_fields_without(struct request *r, const void *object);

/* The annotation in which kubectl's client-side apply keeps what it applied. */
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"
/* The manager whose applies follow on from client-side ones, unless it is told otherwise. */
#define KUBECTL_MANAGER "kubectl"

/* NULL when there is none. */
struct ObjectMeta__AnnotationsEntry *last_applied_find(const struct ObjectMeta *meta);
/* Gives an annotation that is there the configuration kubectl applied on the server now. */
void last_applied_sync(struct request *r, const struct json *config, struct ObjectMeta *meta);

#endif
