/*
 * Connections to the kubelets' HTTPS port 10250, one client per node address, kept for the next
 * log request. The API server shows its client certificate; the kubelet's must lead to the
 * cluster's CA and carry the node's address.
 */
#ifndef CONTROLPLANE_APISERVER_KUBELET_H
#define CONTROLPLANE_APISERVER_KUBELET_H

#include <stddef.h>

#include "base/str.h"

struct env_loop;
struct http_client;
struct kubelet_pool;
struct tls_context;

#define KUBELET_PORT        10250
#define KUBELET_CLIENTS_MAX 256 /* per loop; the oldest goes first */
/* Followed logs hold a connection each. */
#define KUBELET_CONNECTIONS_MAX 64

struct kubelet_pool *kubelet_pool_new(struct env_loop *loop, struct tls_context *tls);
/* Lets all clients go; returns how many, and closed runs once for each, later. */
size_t kubelet_pool_close(struct kubelet_pool *p, void (*closed)(void *ctx), void *ctx);
void kubelet_pool_free(struct kubelet_pool *p); /* closed, or the loop no longer runs */
/* NULL when there is no client certificate to show. address: numeric, port separate. */
struct http_client *kubelet_pool_get(struct kubelet_pool *p, struct str address, int port);

#endif
