/*
 * An HTTP server on one loop: listener → (TLS | plain) → ALPN or preface → HTTP/1.1 or HTTP/2 → one
 * http_exchange per request (net/http.h). For N loops open N servers on the same address with
 * reuse_port; a connection never changes loop. Everything runs on the loop given.
 *
 * Addresses are base/env.h's: "tcp:…", "unix:…", "fd:N".
 *
 * Close is graceful: http_server_close stops accepting, tells HTTP/2 peers GOAWAY and HTTP/1.1 ones
 * "connection: close", gives exchanges drain_ms to finish, then cuts what is left (their closed
 * event says -ERR_UNAVAILABLE), then calls closed, after which the memory is gone.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/http.h"

struct env_loop;
struct env_stream;
struct http_server;
struct tls_context;

#define HTTP_SERVER_CONNECTIONS_MAX                                                                \
    4096                                /* per server; beyond it a connection is closed at once    \
                                         */
#define HTTP_SERVER_HANDSHAKE_MS 10000  /* TLS, then the first complete request's headers */
#define HTTP_SERVER_IDLE_MS      120000 /* no exchange open and nothing received */
#define HTTP_SERVER_STREAMS_MAX  250    /* concurrent HTTP/2 streams per connection */

struct http_server_options {
    const char *address; /* NULL: only what http_server_serve is given */
    bool reuse_port;
    struct tls_context *tls; /* NULL: plain text; a reference is taken */
    http_handler_fn *handler;
    void *ctx;
    /* 0 means the constant above. */
    uint32_t connections_max;
    uint64_t handshake_ms;
    uint64_t idle_ms;
    uint32_t streams_max;
};

/* Options are copied, strings too. -ERR_X from the listener. */
int http_server_open(struct env_loop *loop, const struct http_server_options *options,
                     struct http_server **out, struct err *e);
int http_server_port(const struct http_server *s); /* the TCP port bound; 0 otherwise */
uint32_t http_server_connections(const struct http_server *s);
/* Serves a stream accepted elsewhere (owned from here on); tests and the simulation. */
void http_server_serve(struct http_server *s, struct env_stream *stream);
/* closed may run after this call only. drain_ms 0: cut at once. */
void http_server_close(struct http_server *s, uint64_t drain_ms, void (*closed)(void *ctx),
                       void *ctx);

#endif
