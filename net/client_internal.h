/* What client.c (connections) and client_request.c (requests) share. */
#ifndef NET_CLIENT_INTERNAL_H
#define NET_CLIENT_INTERNAL_H

#include "net/client.h"
#include "net/dial.h"
#include "net/engine.h"
#include "net/tls.h"
#include "net/transport.h"

enum {
    REQUEST_ACTIVE = 1, /* between send and done */
    REQUEST_POSTED = 2, /* the end is decided */
    REQUEST_MADE = 4,   /* the arena is initialized */
    REQUEST_ENDED = 8,  /* ended, or paused, before it had a connection */
    REQUEST_PAUSED = 16
};

struct http_client {
    struct env_loop *loop;
    char *address;
    char *authority;
    char *server_name;
    struct tls_context *tls;
    enum http_protocol protocol;
    uint32_t connections_max;
    uint64_t connect_timeout_ms;
    uint64_t ping_ms;
    void (*state)(void *ctx, int status);
    void *ctx;
    struct http_core core;
    struct transport_scratch scratch;
    struct list conns;
    uint32_t conn_count;
    struct list waiting;
    uint32_t waiting_count;
    struct env_msg msg; /* close, then free */
    struct env_msg drop_msg;
    bool drop_posted;
    bool closing;
    bool freeing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct conn {
    struct transport t;
    struct http_link link;
    struct http_engine *engine; /* NULL while connecting */
    struct http_client *client;
    struct list node;
    struct list requests;
    struct dial dial;
    bool opened; /* the transport is open */
    bool dead;   /* no more requests */
    uint64_t received_ms;
    bool pinged;
    bool http2;
};

/* The request's end: calls done. */
void http_request_complete(struct http_request *r, int status);
/* The same in a later turn, when the end is decided inside a call. */
void http_request_complete_later(struct http_request *r, int status);
/* Starts the fields of a request that is sent now. */
void http_request_reset(struct http_client *c, struct http_request *r);

#endif
