/*
 * The connections this server makes for its clients: to the kubelets' HTTPS port 10250, where it
 * shows its client certificate and the kubelet's must lead to the cluster's CA and carry the node's
 * address; and to what a proxy is asked for, a pod or a service, where over TLS any certificate
 * will do, as upstream has it.
 *
 * A kubelet's connections are kept for the next request. Those of a proxy are closed when nothing
 * uses them: what is behind an address may be another pod a moment later. One loop.
 */
#ifndef CONTROLPLANE_APISERVER_BACKENDS_H
#define CONTROLPLANE_APISERVER_BACKENDS_H

#include <stddef.h>

#include "base/str.h"

struct backends;
struct env_loop;
struct http_client;
struct tls_context;

#define KUBELET_PORT 10250
/* Addresses per loop; beyond it an idle one goes, and when none is idle the request is refused. */
#define BACKENDS_MAX 1024
/* To one address. Followed logs, exec, attach, port-forward and proxies hold one each. */
#define BACKEND_CONNECTIONS_MAX 512

enum backend_kind { BACKEND_KUBELET, BACKEND_HTTP, BACKEND_HTTPS };

struct backend {
    enum backend_kind kind;
    struct str address; /* numeric */
    int port;
};

/* kubelet: a reference is not taken; NULL: kubelets cannot be asked. */
struct backends *backends_new(struct env_loop *loop, struct tls_context *kubelet);
/* Lets all clients go; returns how many, and closed runs once for each, later. None are made any
 * more. */
size_t backends_close(struct backends *b, void (*closed)(void *ctx), void *ctx);
void backends_free(struct backends *b); /* closed, or the loop no longer runs */
/* NULL: *out_why says in words why not. */
struct http_client *backends_get(struct backends *b, const struct backend *to,
                                 const char **out_why);
/* A request is done: closes the client of a proxy that nothing else uses. */
void backends_release(struct backends *b, const struct backend *to);
/* "10.0.0.1:10250", "[fd00::1]:80"; in the arena. */
struct arena;
struct str backend_host(struct arena *a, const struct backend *to);

#endif
