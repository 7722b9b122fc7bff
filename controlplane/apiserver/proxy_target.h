/*
 * Private to the API server: which server a proxied request goes to, found from the name in its
 * path, [SCHEME:]NAME[:PORT], and the objects in the store.
 *
 * A node's own agent is meant when no port or the agent's port is named. A pod's port is the first
 * that one of its containers declares, or none (80 or 443). A service's is the name of a port, or
 * its number, or nothing when its port has no name; the server is any ready endpoint of it.
 */
#ifndef CONTROLPLANE_APISERVER_PROXY_TARGET_H
#define CONTROLPLANE_APISERVER_PROXY_TARGET_H

#include "controlplane/apiserver/backends.h"
#include "controlplane/apiserver/proxy_endpoints.h"
#include "controlplane/apiserver/request.h"

struct proxy_target {
    struct str name; /* of the object */
    struct str port; /* as asked for */
    struct backend to;
    struct endpoint_search search; /* of services */
};

/* 0; 1: call again in the next turn; -ERR_X with r->status set. t: zeroed before the first call. */
int proxy_target_find(struct request *r, struct proxy_target *t);

/* "https:web:8443" in its parts; false when it is none of the forms. */
bool proxy_target_split(struct str id, struct str *out_scheme, struct str *out_name,
                        struct str *out_port);
/* Can a pod or an endpoint have it: not loopback, link-local, multicast and the like. */
bool proxy_target_address(const char *text);

#endif
