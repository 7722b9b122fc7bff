/*
 * The in-process client: api/client/client.h over the same route, authorization and admission that
 * a request from the network takes, without HTTP and TLS.
 *
 * Each call becomes a struct http_exchange of our own (net/http.h has a seam for that) which the
 * API loop handles like any other. Bodies are Kubernetes protobuf.
 */
#ifndef CONTROLPLANE_APISERVER_LOCAL_H
#define CONTROLPLANE_APISERVER_LOCAL_H

struct api_loop;
struct apiserver;
struct client;

/* A client on a loop that has its part of the API server already. Freed with the API server. */
struct client *local_client_new(struct api_loop *l, const char *user);
/* Frees all clients of the server, and the loop parts made for them. Nothing may be in flight. */
void local_clients_free(struct apiserver *s);

#endif
