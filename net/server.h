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
 *
 * Bounds. A peer has handshake_ms for TLS and its first request's head, and again for every later
 * head once it has begun; then it is closed without an answer. At connections_max the connection
 * that has been idle for longest makes room for a new one; where none is idle the new one is closed
 * at once. A client that does not take its answers is cut (HTTP_STALL_MS). What all connections
 * hold, answers not taken, heads and bodies not complete, is bounded: above held_bytes_high those
 * are cut that are in the middle of a long head, for nobody knows yet who they are, then those that
 * hold more than a little and whose client has taken nothing for HTTP_SERVER_PRESSED_MS, above
 * held_bytes_max any, the largest first. The others notice nothing.
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
struct metric;
struct tls_context;

#define HTTP_SERVER_CONNECTIONS_MAX 4096   /* per server */
#define HTTP_SERVER_HANDSHAKE_MS    10000  /* TLS and a request's head; upstream: 32 s */
#define HTTP_SERVER_IDLE_MS         120000 /* no exchange open and nothing received */
#define HTTP_SERVER_STREAMS_MAX     250    /* concurrent HTTP/2 streams per connection */
#define HTTP_SERVER_TICK_MS         1000   /* while something is held: how often that is seen to */
#define HTTP_SERVER_PRESSED_MS      1000   /* the pace that is asked while too much is held */
/* Per server. The largest answer (HTTP_QUEUE_BYTES_MAX) fits beside what is usual. */
#define HTTP_SERVER_HELD_BYTES_HIGH (32u << 20)
#define HTTP_SERVER_HELD_BYTES_MAX  (96u << 20)
/* Of one connection: a watch that a person paused holds less. */
#define HTTP_SERVER_HELD_LITTLE_BYTES (1u << 20)
/* Of one head that is not complete: connections_max of them are less than
 * HTTP_SERVER_HELD_BYTES_HIGH together. */
#define HTTP_SERVER_HEAD_LITTLE_BYTES (4u << 10)

struct http_server_options {
    const char *address; /* NULL: only what http_server_serve is given */
    bool reuse_port;
    struct tls_context *tls; /* NULL: plain text; a reference is taken */
    http_handler_fn *handler;
    void *ctx;
    http_refusal_fn *refusal; /* NULL: refusals are a line of text */
    /* 0 means the constant above. */
    uint32_t connections_max;
    uint64_t handshake_ms;
    uint64_t idle_ms;
    uint32_t streams_max;
    size_t held_bytes_high;
    size_t held_bytes_max;
};

/* Options are copied, strings too. -ERR_X from the listener. */
int http_server_open(struct env_loop *loop, const struct http_server_options *options,
                     struct http_server **out, struct err *e);
int http_server_port(const struct http_server *s); /* the TCP port bound; 0 otherwise */
uint32_t http_server_connections(const struct http_server *s);
size_t http_server_held(const struct http_server *s); /* bytes that all connections hold */
/* More than held_bytes_max: large answers had better wait for the next turns of the loop, in which
 * whoever holds too much goes. */
bool http_server_full(const struct http_server *s);
/* The process's counts, of all servers: NULL-ended, for metrics_register. */
extern struct metric *const http_server_metrics[];
/* Serves a stream accepted elsewhere (owned from here on); tests and the simulation. */
void http_server_serve(struct http_server *s, struct env_stream *stream);
/* closed may run after this call only. drain_ms 0: cut at once. */
void http_server_close(struct http_server *s, uint64_t drain_ms, void (*closed)(void *ctx),
                       void *ctx);

#endif
