/*
 * The API server: the Kubernetes API over a store group.
 *
 * A struct apiserver belongs to one member. It runs on API loops it is given: each loop accepts its
 * own connections and everything about a request (decode, admission, LMDB reads, encode, watch
 * streams) happens on the loop that accepted it. Writes go through store_submit; a request never
 * blocks. In-process callers (controllers, the scheduler) get a struct client that takes the same
 * route, authorization and admission, without HTTP and TLS.
 *
 * Life: apiserver_new (before or while the loops run) -> apiserver_listen, on any thread, as often
 * as there are addresses -> apiserver_stopping -> apiserver_stop -> the stopped callback -> join
 * the loops -> store_close -> apiserver_free.
 */
#ifndef CONTROLPLANE_APISERVER_APISERVER_H
#define CONTROLPLANE_APISERVER_APISERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct apiserver;
struct backend;
struct client;
struct env;
struct env_loop;
struct http_exchange;
struct service_ranges;
struct store_group;
struct tls_context;

/* What kubectl's version skew checks parse; numeric major and minor are taken from it. */
#define APISERVER_GIT_VERSION "v1.35.0+gantry"

struct apiserver_config {
    struct env *env;
    struct store_group *group; /* STORE_CLUSTER */
    struct store_group *bus;   /* STORE_BUS: /readyz looks at it too; NULL: not */
    struct env_loop *const *loops;
    size_t loops_count;
    /* Server side: its certificate, and the cluster's CA to check client certificates with. NULL:
     * plain HTTP. Borrowed; outlives the API server. */
    struct tls_context *tls;
    /* Client side, for a kubelet's port 10250: the API server's client certificate. NULL: the log
     * subresource answers 503. */
    struct tls_context *kubelet_tls;
    /* The user that connections without TLS act as (tests, a socket only root can reach); NULL:
     * they get 401. */
    const char *plain_user;
    const char *git_version; /* NULL: APISERVER_GIT_VERSION */
    const char *git_commit;  /* NULL: empty */
    /* Sees every request first, on its loop; true: it took the exchange. For what a member serves
     * beside the Kubernetes API (gRPC, its own state). NULL: nothing. */
    bool (*intercept)(void *ctx, struct http_exchange *x);
    void *intercept_ctx;
    uint32_t connections_max; /* per address and loop; 0: net/server.h's */
    uint32_t inflight_max;    /* requests in work per loop, watches excluded; 0: default */
    /* Changes where a proxy connects to, in place of the address that was found: for tests, whose
     * servers are all on this machine. NULL: nothing. */
    void (*proxy_redirect)(struct backend *to);
    /* What Services are given; on all members the same. Copied; NULL: the defaults. */
    const struct service_ranges *services;
    uint64_t bookmark_ms; /* between a watch's bookmarks; 0: a minute */
};

/* Copies the config. Subscribes to the group on every loop and, whenever this member leads, makes
 * the bootstrap objects (namespaces default, kube-system, kube-public, kube-node-lease). Owned by
 * the caller. Call before the loops start. */
struct apiserver *apiserver_new(const struct apiserver_config *config);

/* Opens one listener per loop on the address ("tcp:127.0.0.1:6443", "unix:/path"; "fd:N" and unix
 * addresses are served by the first loop alone). Before the loops start, or on the one loop there
 * is. out_port (may be NULL) is the TCP port bound. */
int apiserver_listen(struct apiserver *s, const char *address, int *out_port, struct err *e);

/*
 * The in-process client for one loop (which need not be an API loop: its requests run right there).
 * user is the identity its requests carry ("system:kube-controller-manager"). Owned by the API
 * server; valid until apiserver_free. Call before the loop starts or on it; its calls: on it only.
 */
struct client *apiserver_local_client(struct apiserver *s, struct env_loop *loop, const char *user);

/* This member is about to stop: /readyz fails from now on, all else goes on. Any thread. */
void apiserver_stopping(struct apiserver *s);

/* Graceful: stops accepting, lets running requests end, ends watches, then closes connections, at
 * most grace_ms later. stopped runs once, on the first loop, never inside this call. Any thread. */
void apiserver_stop(struct apiserver *s, uint64_t grace_ms, void (*stopped)(void *ctx), void *ctx);

/* After stopped, with the loops joined and the store closed (it knows this server's subscribers).
 * NULL-safe. */
void apiserver_free(struct apiserver *s);

/* Ready to serve: a leader is known and the bootstrap objects exist. Any thread. */
bool apiserver_ready(const struct apiserver *s);

#endif
