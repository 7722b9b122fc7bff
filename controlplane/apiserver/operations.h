/*
 * Private to the API server: which operation serves which verb, resource and subresource.
 *
 * One row per (subresource, verb) in operations.c; each operation is a constant defined by the file
 * that implements it.
 */
#ifndef CONTROLPLANE_APISERVER_OPERATIONS_H
#define CONTROLPLANE_APISERVER_OPERATIONS_H

#include "controlplane/apiserver/request.h"

/* Resolves r->route to r->kind, r->resource and r->operation; -ERR_X with r->status set. */
int operation_find(struct request *r);
/* The same for the history of what the route names. */
int operation_find_history(struct request *r);

extern const struct operation operation_get;
extern const struct operation operation_history; /* history.h */
extern const struct operation operation_list;
extern const struct operation operation_watch;
extern const struct operation operation_create;
extern const struct operation operation_update;
extern const struct operation operation_patch;
extern const struct operation operation_delete;
extern const struct operation operation_delete_collection;
extern const struct operation operation_status_update;
extern const struct operation operation_status_patch;
extern const struct operation operation_scale_get;
extern const struct operation operation_scale_update;
extern const struct operation operation_scale_patch;
extern const struct operation operation_bind;
extern const struct operation operation_evict;
extern const struct operation operation_ephemeral_update;
extern const struct operation operation_ephemeral_patch;
extern const struct operation operation_resize_update;
extern const struct operation operation_resize_patch;
extern const struct operation operation_log;
extern const struct operation operation_exec; /* connect.h, as the next two */
extern const struct operation operation_attach;
extern const struct operation operation_portforward;
extern const struct operation operation_proxy;
extern const struct operation operation_review;
extern const struct operation operation_finalize;

/* The list of custom resources' definitions: a plain path, for there are none. */
#define PATHS_DEFINITIONS "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

/* Plain paths: the operation of a path, or NULL. */
const struct operation *paths_find(const struct route *route);

#endif
