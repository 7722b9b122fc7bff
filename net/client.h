/*
 * An HTTP client for one endpoint, on one loop.
 *
 * struct http_client connects when a request needs it and again when the connection is gone and
 * another request comes; it never repeats a request. Over HTTP/2 one connection carries everything;
 * over HTTP/1.1 a connection carries one request at a time and up to connections_max are opened.
 * A request that waits for a connection counts as sent: it ends with the connection's failure.
 *
 * struct http_request is embedded by its caller, zeroed before first use, and kept alive from
 * http_client_send until its done event: exactly one, never inside a call of the caller's. After
 * done it may be sent again (after http_request_deinit, or as it is: the arena is reset on send).
 */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "base/list.h"
#include "net/http.h"

struct http_client;
struct http_request;
struct tls_context;
struct tls_identity;

#define HTTP_CLIENT_CONNECTIONS_MAX 1 /* default; see connections_max */
/* Requests waiting for a connection; one more ends with -ERR_UNAVAILABLE. */
#define HTTP_CLIENT_QUEUE_MAX 4096
/* Received body bytes that a paused request may hold (HTTP/2 stream window). */
#define HTTP_CLIENT_WINDOW_BYTES (1u << 20)

enum http_protocol {
    HTTP_PROTOCOL_AUTO,  /* TLS: by ALPN, h2 preferred; plain: HTTP/1.1 */
    HTTP_PROTOCOL_HTTP1, /* HTTP/1.1 only */
    HTTP_PROTOCOL_HTTP2  /* TLS: ALPN h2 or fail; plain: prior knowledge (gRPC on unix sockets) */
};

struct http_client_options {
    /* "tcp:127.0.0.1:6443", "tcp:m1.example:2380" (looked up at each connection, every address it
     * has is tried: net/dial.h), "unix:/run/containerd/containerd.sock". */
    const char *address;
    const char *authority;   /* :authority or Host; "localhost" for unix sockets */
    const char *server_name; /* TLS: name or address in the certificate; NULL: authority's host */
    struct tls_context *tls; /* NULL: plain; a reference is taken */
    enum http_protocol protocol;
    uint32_t connections_max; /* HTTP/1.1 only; 0: HTTP_CLIENT_CONNECTIONS_MAX */
    /* Lookup and connection, and once more as much for the handshake; 0: ENV_CONNECT_TIMEOUT_MS. */
    uint64_t connect_timeout_ms;
    /* HTTP/2 ping when nothing was received for so long while requests are open, and the
     * connection fails when no answer comes in as long again. 0: never (the default: servers
     * built on grpc-go drop clients that ping, containerd among them). */
    uint64_t ping_ms;
    /* A connection was made (0) or is gone or could not be made (-ERR_X). For information; may be
     * NULL. Must not close the client. */
    void (*state)(void *ctx, int status);
    void *ctx;
};

/* Copies the options. */
struct http_client *http_client_new(struct env_loop *loop,
                                    const struct http_client_options *options);
/* Every request ends with -ERR_CANCELED; then closed is called and the memory is gone. Never inside
 * this call. closed may be NULL. */
void http_client_close(struct http_client *c, void (*closed)(void *ctx), void *ctx);
/* Drops the present connections; open requests end with -ERR_UNAVAILABLE. New ones reconnect. */
void http_client_disconnect(struct http_client *c);
struct env_loop *http_client_loop(const struct http_client *c);
/* No request of it is between send and done, but those whose end is decided already. */
bool http_client_idle(const struct http_client *c);

struct http_request_events {
    /* Status and headers are there (not for 1xx). May be NULL. */
    void (*response)(struct http_request *r);
    /* A piece of the response body, borrowed for the call; not while paused. NULL: collected in
     * r->body, at most r->body_bytes_max. */
    void (*body)(struct http_request *r, struct str bytes);
    /* Of the request body's queue, as in http_exchange_events. May be NULL. */
    void (*drained)(struct http_request *r);
    /* Once, last. 0: a complete response (any status). -ERR_UNAVAILABLE: no connection, or lost
     * before the response was complete; -ERR_CANCELED: http_request_cancel; -ERR_TIMEOUT: the
     * deadline; -ERR_LIMIT: response too large; -ERR_PROTOCOL: nonsense or a stream reset (see
     * r->h2_error). */
    void (*done)(struct http_request *r, int status);
};

struct http_request {
    /* Set by the caller; strings and headers are borrowed for http_client_send only (copied),
     * and never changed. */
    const char *method;
    struct str target;    /* path and query */
    struct str authority; /* absent: the client's */
    const struct http_header *headers;
    size_t header_count;
    struct str content;      /* the whole body, when streaming is false */
    bool streaming;          /* the body comes by http_request_write and ends by http_request_end */
    uint64_t timeout_ms;     /* of the whole request; 0: none */
    uint64_t body_bytes_max; /* of the response; 0: HTTP_BODY_BYTES_MAX when collected, else none */
    const struct http_request_events *events;
    void *user;

    /* The response; memory in arena, valid until the request is sent again or deinit. */
    int status;
    struct http_headers response_headers;
    struct http_headers trailers;
    struct buf body;
    uint32_t h2_error; /* RST_STREAM code from the peer, 0 when none */
    bool refused;      /* the peer surely did not process it: safe to send again */
    bool upgraded;     /* 101: body and write are raw bytes now (HTTP/1.1) */
    struct arena arena;

    /* The client's. */
    struct { /* what the fields above were at the send; in the arena while it waits */
        struct str target;
        struct str authority;
        const struct http_header *headers;
        struct str content;
    } sent;
    struct http_client *client;
    void *conn;
    void *stream;
    struct list node;
    struct env_timer timer;
    struct env_msg msg;
    uint32_t flags;
    int result;
};

void http_client_send(struct http_client *c, struct http_request *r);
void http_request_write(struct http_request *r, struct str bytes); /* copied; streaming only */
void http_request_end(struct http_request *r);
size_t http_request_queued(const struct http_request *r);
/* done(-ERR_CANCELED) follows, unless done was already on its way. */
void http_request_cancel(struct http_request *r);
void http_request_pause(struct http_request *r);
void http_request_resume(struct http_request *r);
bool http_request_active(const struct http_request *r); /* between send and done */
/* Frees arena and body; not while active. */
void http_request_deinit(struct http_request *r);

/* Who the server proved to be on the request's connection; tls_identity_none without TLS. */
const struct tls_identity *http_request_peer(const struct http_request *r);

#endif
