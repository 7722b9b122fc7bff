/*
 * Private to the API server: what a pod's log and its streams (exec, attach, port-forward) need to
 * find first: the pod, one of its containers, and the agent of its node.
 */
#ifndef CONTROLPLANE_APISERVER_POD_TARGET_H
#define CONTROLPLANE_APISERVER_POD_TARGET_H

#include "api/proto/core.pb-c.h"
#include "controlplane/apiserver/request.h"

struct backend;
struct http_client;

/* An agent's error text that is passed on. */
#define POD_TARGET_ERROR_BYTES_MAX 2048

/* Each: 0, or -ERR_X with r->status set. */

/* The pod of the route. */
int pod_target_find(struct request *r, const Pod **out);
/* The container asked for by ?container=, or the only one. */
int pod_target_container(struct request *r, const Pod *pod, struct str *out);
/* The client for the agent of the pod's node; out_host: "10.0.0.1:10250", for messages. */
int pod_target_agent(struct request *r, const Pod *pod, struct http_client **out,
                     struct str *out_host);
/* Where the kubelet of a node listens. */
int pod_target_node(struct request *r, struct str name, struct backend *out);
/* The client for it, or for anything else; 503 when there can be none. */
int pod_target_client(struct request *r, const struct backend *to, struct http_client **out);
/* Sets r->status to 503 with a text. */
int pod_target_unavailable(struct request *r, struct str text);

#endif
