/*
 * HTTP as everything above net/ sees it: one model of headers, and struct http_exchange, one
 * request as its server sees it, the same over HTTP/1.1 and HTTP/2. (The client's side of a request
 * is struct http_request, net/client.h.)
 *
 * Life of an exchange. The connection owns it. The server's handler is called once, when the
 * request's headers are complete; it sets x->events and x->user and may answer at once or later.
 * Then body pieces, then end, and in every case closed exactly once: after it x is gone. Between
 * the handler's call and closed every function below may be called, in any order that makes sense:
 * those that come too late (after http_end, after http_reset, after the peer went away) do nothing.
 * No event runs inside a call made on the same exchange.
 *
 * The request's strings and headers live in x->arena, until closed. That arena is also the place
 * for what the handler needs as long as the exchange lives.
 *
 * Threads: everything on the connection's loop. Output is coalesced: what is written in one turn of
 * the loop leaves together at its end.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

struct env_loop;
struct http_exchange;
struct tls_identity;

/* What a peer may send us; beyond it the answer is 431, 414 or a reset stream. The command of a
 * kubectl exec is in its target, and the longest single argument that Linux gives a process is 128
 * KiB, which escapes make longer. Memory is taken as it comes. */
#define HTTP_URI_BYTES_MAX    (256u << 10)
#define HTTP_HEADER_BYTES_MAX (HTTP_URI_BYTES_MAX + (64u << 10)) /* and all fields */
#define HTTP_HEADER_COUNT_MAX 256u
#define HTTP_METHOD_BYTES_MAX 32u
/* Kubernetes' own limit on a request body; a handler may change x->body_bytes_max. */
#define HTTP_BODY_BYTES_MAX (3u << 20)
/* Output queued above this makes a careful writer wait for drained. */
#define HTTP_QUEUE_HIGH_BYTES (256u << 10)
/* drained is called when the queue falls to this or below after having been above it. */
#define HTTP_QUEUE_LOW_BYTES (64u << 10)
/* Beyond this a writer that ignores back-pressure has its exchange reset with -ERR_LIMIT. */
#define HTTP_QUEUE_BYTES_MAX (64u << 20)
/* A client that takes less than so much of what is queued for it in so long has its exchange reset,
 * as the handler wants it (x->stalls). */
#define HTTP_STALL_BYTES (16u << 10)
#define HTTP_STALL_MS    30000

enum http_stalls {
    HTTP_STALLS_END = 0, /* once the answer is complete: the queue holds all of it */
    HTTP_STALLS_CUT,     /* before that too */
    /* Never: back-pressure bounds the queue, and a pause may be meant, by a person behind a pager
     * or a consumer at work. */
    HTTP_STALLS_MAY
};

/* ---- headers ---- */

struct http_header {
    struct str name; /* lower case */
    struct str value;
};

/* In order of arrival; a repeated name has several rows. Memory: an arena or static. */
struct http_headers {
    struct http_header *items;
    size_t count;
    size_t capacity;
};

/* The first value of the name (given in lower case), or an absent str (data NULL). */
struct str http_headers_get(const struct http_headers *h, const char *name);
/* Appends, without copying the strings. */
void http_headers_add(struct arena *a, struct http_headers *h, struct str name, struct str value);
/* True when the comma-separated field has the token (ASCII case ignored): connection, te, ... */
bool http_headers_has_token(const struct http_headers *h, const char *name, const char *token);
/* The standard reason phrase, "" when there is none. */
const char *http_reason(int status);
/* Percent-decoding of a path segment or a query value ('+' is a space when query); -ERR_PARSE. */
int http_percent_decode(struct arena *a, struct str s, bool query, struct str *out);
/* The decoded value of a query parameter ("a=1&b=2"), absent when there is none or it is broken. */
struct str http_query_get(struct arena *a, struct str query, const char *name);

/* ---- one request, seen from the server ---- */

struct http_exchange_events {
    /* A piece of the body, borrowed for the call; not called while paused. Over HTTP/2 one call
     * follows every resume, with an empty piece when nothing had come: what the handler itself held
     * back may go on there. NULL: the engine collects the body in x->body, complete at end. */
    void (*body)(struct http_exchange *x, struct str bytes);
    /* 0: the request is complete (x->trailers too). -ERR_LIMIT: the body went over
     * x->body_bytes_max; the rest is thrown away: answer 413. Called once, unless closed comes
     * first. After http_upgrade: the peer ended its side. May be NULL. */
    void (*end)(struct http_exchange *x, int status);
    /* http_queued fell to HTTP_QUEUE_LOW_BYTES or below after having been above. May be NULL. */
    void (*drained)(struct http_exchange *x);
    /* The last event. 0: the answer was handed over whole; else -ERR_CANCELED (the peer gave up or
     * went away, or we reset), -ERR_PROTOCOL, -ERR_LIMIT, -ERR_UNAVAILABLE (server closed). */
    void (*closed)(struct http_exchange *x, int status);
};

/* What a handler may know of the connection. Borrowed: lives as long as the exchange. */
struct http_peer {
    const char *address;                 /* "127.0.0.1:5000", "unix" */
    bool tls;                            /* came over TLS */
    const struct tls_identity *identity; /* never NULL; verified is false without a good
                                            certificate */
};

struct http_exchange {
    /* The request. */
    struct str method;
    struct str target;    /* as sent: path, '?' and query */
    struct str path;      /* target up to '?', still percent-encoded; starts with '/' or is "*" */
    struct str query;     /* after '?'; absent when there is none */
    struct str authority; /* Host, or :authority */
    struct http_headers headers;
    struct http_headers trailers; /* at end */
    int version;                  /* 10, 11 or 20 */
    bool has_body;                /* false when the headers already say that nothing follows */
    bool is_head;
    const struct http_peer *peer;
    struct env_loop *loop;
    struct arena arena;
    struct buf body; /* when events->body is NULL */

    /* Set by the handler, in its call. */
    const struct http_exchange_events *events;
    void *user;
    uint64_t body_bytes_max; /* HTTP_BODY_BYTES_MAX unless set; UINT64_MAX: none */
    enum http_stalls stalls;

    /* The engine's. */
    const struct http_exchange_ops *ops;
};

/* For a handler that answered at once and wants to hear no more. */
extern const struct http_exchange_events http_events_none;

/* What to say with a status that the engine answers by itself, 400, 414, 431 and the like: the
 * request never reached the handler. Sets both; *out_body in a. */
typedef void http_refusal_fn(struct arena *a, int status, const char **out_type,
                             struct str *out_body);

/* Called once per request, when its headers are complete. Sets x->events; left NULL, the rest of
 * the request is thrown away (http_events_none). */
typedef void http_handler_fn(void *ctx, struct http_exchange *x);

/*
 * Sends the status and the headers (copied). Names in lower case, without connection headers. With
 * content-length the body must have that many bytes; without it HTTP/1.1 sends chunks. date is
 * added. 1xx statuses are not for callers (100-continue is sent when the body is first wanted: when
 * the handler returned without answering).
 */
void http_respond(struct http_exchange *x, int status, const struct http_header *headers,
                  size_t count);
/* Body bytes; copied. Silently nothing for HEAD, 204 and 304. */
void http_write(struct http_exchange *x, struct str bytes);
/* The same without a copy where the protocol allows it; takes a reference of its own. */
void http_write_shared(struct http_exchange *x, struct shared *bytes);
/* Ends the answer. */
void http_end(struct http_exchange *x);
/* Ends the answer with trailers (copied; over HTTP/1.1 only when the body is chunked). */
void http_end_trailers(struct http_exchange *x, const struct http_header *trailers, size_t count);
/* respond + content-type + content-length + write + end in one. content_type may be NULL. */
void http_reply(struct http_exchange *x, int status, const char *content_type, struct str body);
/* As http_reply with more headers. */
void http_reply_headers(struct http_exchange *x, int status, const struct http_header *headers,
                        size_t count, struct str body);
/* Gives up: RST_STREAM with the code that fits (CANCELED, PROTOCOL, INTERNAL, ...), or closes the
 * HTTP/1.1 connection. code: an ERR_X, positive or negative. closed follows later. */
void http_reset(struct http_exchange *x, int code);
/* Bytes written and not yet handed to the kernel (HTTP/1.1) or sent as DATA (HTTP/2). */
size_t http_queued(const struct http_exchange *x);
/* Stops and restarts body events: back-pressure to the peer. */
void http_body_pause(struct http_exchange *x);
void http_body_resume(struct http_exchange *x);
/* Has http_respond been called? */
bool http_responded(const struct http_exchange *x);
/*
 * HTTP/1.1 only: answers 101 with the headers (upgrade is yours, connection is added) and turns the
 * exchange into a tunnel: body events carry the raw bytes that follow, http_write raw bytes,
 * http_end closes
 * once they are out. Only where the request asked for it; otherwise -ERR_UNIMPLEMENTED (HTTP/2)
 * or -ERR_INVALID_ARGUMENT and nothing is sent. x->events->body must not be NULL.
 */
int http_upgrade(struct http_exchange *x, const struct http_header *headers, size_t count);

/* ---- for the engines in net/ and for callers without a network ---- */

/* How an engine implements the calls above. */
struct http_exchange_ops {
    void (*respond)(struct http_exchange *x, int status, const struct http_header *headers,
                    size_t count);
    void (*write)(struct http_exchange *x, struct str bytes, struct shared *shared);
    void (*end)(struct http_exchange *x, const struct http_header *trailers, size_t count);
    void (*reset)(struct http_exchange *x, int code);
    size_t (*queued)(const struct http_exchange *x);
    void (*pause)(struct http_exchange *x, bool paused);
    bool (*responded)(const struct http_exchange *x);
    int (*upgrade)(struct http_exchange *x, const struct http_header *headers, size_t count);
};

/* Field names and values by the grammar of RFC 9110: token; no control characters. */
bool http_is_token(struct str s);
bool http_is_field_value(struct str s);
/* Fills path and query from target. */
void http_split_target(struct str target, struct str *out_path, struct str *out_query);

#endif
