/*
 * Private to the API server: a ready endpoint of a service, each with the same chance.
 *
 * EndpointSlices that name the service are looked at first; where there are none, the Endpoints
 * object of its name; where that has none, the pods its selector selects. The slices and pods of
 * the namespace are read in short transactions at one revision, one a turn.
 */
#ifndef CONTROLPLANE_APISERVER_PROXY_ENDPOINTS_H
#define CONTROLPLANE_APISERVER_PROXY_ENDPOINTS_H

#include "api/proto/core.pb-c.h"
#include "controlplane/apiserver/backends.h"
#include "controlplane/apiserver/request.h"
#include "controlplane/apiserver/selection.h"

struct endpoint_search {
    struct request *request;
    const Service *service; /* NULL before the first call */
    struct str port;        /* name of the service's port */
    bool pods;              /* the slices are done, there were none */
    bool any;               /* there are endpoints, ready or not */
    struct selection selection;
    struct str prefix;
    struct str after;
    uint64_t revision;
    uint64_t seen; /* ready endpoints so far */
    struct str address;
    int chosen_port;
    int status; /* of what a read visited */
};

/* The caller sets request, service and port. 0: address and chosen_port are set unless seen is 0.
 * 1: call again in the next turn. -ERR_X with the request's status set. */
int proxy_endpoints_find(struct endpoint_search *s);

#endif
