/*
 * Private to the API server: the server, and what one loop of it owns.
 *
 * Everything here but the constant config belongs to one loop's thread. A struct api_loop exists
 * for every API loop and for every loop with a local client.
 */
#ifndef CONTROLPLANE_APISERVER_LOOP_H
#define CONTROLPLANE_APISERVER_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/list.h"
#include "controlplane/apiserver/apiserver.h"
#include "controlplane/apiserver/documents.h"
#include "controlplane/apiserver/turns.h"
#include "controlplane/resources/service_ranges.h"
#include "store/store.h"

struct backends;
struct bootstrap;
struct http_exchange;
struct http_server;
struct local_client;
struct watch_hub;

#define APISERVER_LISTENERS_MAX 8
#define APISERVER_INFLIGHT_MAX  1024 /* requests in work per loop, watches and logs excluded */
#define APISERVER_REQUEST_MS    60000

struct api_loop {
    struct apiserver *server;
    struct env_loop *loop;
    struct list requests; /* struct request.node: all of this loop, watches included */
    uint32_t inflight;    /* those that count against the limit */
    struct turns turns;
    struct watch_hub *hub;
    struct backends *backends;
    struct http_server *listeners[APISERVER_LISTENERS_MAX];
    size_t listeners_count;
    size_t parts_open; /* held requests; while stopping listeners and clients too */
    bool stopping;
    struct env_msg stop_msg;
    struct env_msg stopped_msg;
    uint64_t ids; /* of requests, for traces and made-up request ids */
};

struct apiserver {
    struct apiserver_config config;
    struct api_loop *loops;
    size_t loops_count;
    struct local_client *locals; /* a list, newest first */
    struct bootstrap *bootstrap;
    struct documents documents;
    struct service_ranges services;
    _Atomic bool ends; /* apiserver_stopping was called */
    uint64_t grace_ms;
    size_t stopping; /* loops that have not stopped yet; the first loop's */
    void (*stopped)(void *ctx);
    void *stopped_ctx;
};

/* Prepares and releases a loop's part; deinit only when the loop no longer runs. */
void api_loop_init(struct api_loop *l, struct apiserver *s, struct env_loop *loop);
void api_loop_deinit(struct api_loop *l);

/* Is so much answered and not taken that reading more had better wait for the loop's next turn? */
bool api_loop_full(const struct api_loop *l);

/* The loop does not stop before each part that was opened is closed. */
void api_loop_part_opened(struct api_loop *l);
void api_loop_part_closed(struct api_loop *l);

/* The handler of every exchange, from the network or from a local client. ctx: struct api_loop. */
void api_loop_handle(void *ctx, struct http_exchange *x);

#endif
