/*
 * gRPC over HTTP/2: framed messages, four kinds of call, deadlines, status trailers, cancellation.
 * The server sits on http_exchange, the client on http_request. Messages are opaque bytes here;
 * packing is the caller's (protobuf-c). Compression: identity only.
 *
 * One loop per connection, like everything in net/. Events never run inside a call on the same
 * stream or call.
 */
#ifndef NET_GRPC_H
#define NET_GRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "net/client.h"
#include "net/grpc_frame.h"
#include "net/http.h"

/* ---- status codes ---- */

/* X(name, number, ERR_X of it). The only mapping from gRPC codes to ours. */
#define GRPC_CODE_TABLE(X)                                                                         \
    X(OK, 0, NONE)                                                                                 \
    X(CANCELLED, 1, CANCELED)                                                                      \
    X(UNKNOWN, 2, INTERNAL)                                                                        \
    X(INVALID_ARGUMENT, 3, INVALID_ARGUMENT)                                                       \
    X(DEADLINE_EXCEEDED, 4, TIMEOUT)                                                               \
    X(NOT_FOUND, 5, NOT_FOUND)                                                                     \
    X(ALREADY_EXISTS, 6, ALREADY_EXISTS)                                                           \
    X(PERMISSION_DENIED, 7, FORBIDDEN)                                                             \
    X(RESOURCE_EXHAUSTED, 8, TOO_MANY_REQUESTS)                                                    \
    X(FAILED_PRECONDITION, 9, CONFLICT)                                                            \
    X(ABORTED, 10, AGAIN)                                                                          \
    X(OUT_OF_RANGE, 11, LIMIT)                                                                     \
    X(UNIMPLEMENTED, 12, UNIMPLEMENTED)                                                            \
    X(INTERNAL, 13, INTERNAL)                                                                      \
    X(UNAVAILABLE, 14, UNAVAILABLE)                                                                \
    X(DATA_LOSS, 15, CORRUPT)                                                                      \
    X(UNAUTHENTICATED, 16, UNAUTHENTICATED)

enum grpc_code {
#define GRPC_ENUM(name, number, err) GRPC_##name = (number),
    GRPC_CODE_TABLE(GRPC_ENUM)
#undef GRPC_ENUM
        GRPC_CODE_COUNT
};

const char *grpc_code_name(enum grpc_code code);     /* "NOT_FOUND" */
int grpc_code_to_err(enum grpc_code code);           /* 0 or -ERR_X */
enum grpc_code grpc_code_from_err(int err);          /* err positive or negative; 0 is OK */
enum grpc_code grpc_code_from_http(int status);      /* an answer without grpc-status */
enum grpc_code grpc_code_from_h2(uint32_t h2_error); /* RST_STREAM without trailers */

/* grpc-timeout: up to eight digits and a unit. -ERR_PARSE. Rounded up to a millisecond. */
int grpc_timeout_parse(struct str s, uint64_t *out_ms);
struct str grpc_timeout_format(struct arena *a, uint64_t ms);
/* grpc-message: percent-encoding of everything but printable ASCII. Decoding keeps what is broken.
 */
struct str grpc_message_encode(struct arena *a, struct str text);
struct str grpc_message_decode(struct arena *a, struct str text);

/* Default limit of one received message; gRPC's usual default. */
#define GRPC_MESSAGE_BYTES_MAX (4u << 20)
/* grpc-message sent is cut to this. */
#define GRPC_STATUS_MESSAGE_BYTES 1024

enum grpc_kind { GRPC_UNARY, GRPC_CLIENT_STREAM, GRPC_SERVER_STREAM, GRPC_BIDI };

/* ---- server ---- */

struct grpc_stream;

/*
 * One method. The events of a call, in order:
 *   unary, server stream: message once (the request, complete and half-closed), closed.
 *   client stream, bidi: open, message..., half_close, closed.
 * Unused ones may be NULL. Answer with grpc_stream_send (once for unary and client stream) and
 * grpc_stream_finish.
 */
struct grpc_method {
    const char *path; /* "/gantry.bus.v1.Bus/Publish" */
    enum grpc_kind kind;
    uint32_t message_bytes_max; /* of the request's messages; 0: GRPC_MESSAGE_BYTES_MAX */
    void (*open)(struct grpc_stream *s);
    void (*message)(struct grpc_stream *s, struct str bytes); /* borrowed for the call */
    void (*half_close)(struct grpc_stream *s);
    void (*drained)(struct grpc_stream *s);
    /* Last; s is gone after it. 0: the status was handed over; -ERR_CANCELED, -ERR_TIMEOUT (the
     * deadline passed: the client was told), -ERR_UNAVAILABLE, ... */
    void (*closed)(struct grpc_stream *s, int status);
};

struct grpc_service {
    const char *name; /* "gantry.bus.v1.Bus" */
    const struct grpc_method *methods;
    size_t method_count;
    void *ctx; /* s->ctx of its streams */
};

struct grpc_stream {
    struct http_exchange *x; /* peer identity, headers, arena (lives until closed) */
    const struct grpc_method *method;
    void *ctx;            /* of the service */
    void *user;           /* the handler's */
    uint64_t deadline_ms; /* env_loop_now_ms at which it ends, 0: none */
};

/* Serves the exchange by the services if it is gRPC (POST, content-type application/grpc...).
 * false: it is something else and nothing was done. Wrong method or content type answers as the
 * gRPC protocol says when path is one of the services'. services must outlive the exchange. */
bool grpc_serve(struct http_exchange *x, const struct grpc_service *const *services, size_t count);
/* Sends initial metadata now (otherwise with the first message). */
void grpc_stream_headers(struct grpc_stream *s, const struct http_header *headers, size_t count);
void grpc_stream_send(struct grpc_stream *s, struct str message); /* copied */
/* Ends the call. message: for people; may be absent. */
void grpc_stream_finish(struct grpc_stream *s, enum grpc_code code, struct str message);
/* The same from our error: code by the table, message e->msg. err 0: OK. */
void grpc_stream_finish_err(struct grpc_stream *s, int err, const struct err *e);
size_t grpc_stream_queued(const struct grpc_stream *s);
void grpc_stream_pause(struct grpc_stream *s); /* no message event until resume: back-pressure */
void grpc_stream_resume(struct grpc_stream *s);

/* ---- client ---- */

struct grpc_call;

struct grpc_call_events {
    void (*headers)(struct grpc_call *c); /* initial metadata arrived; may be NULL */
    /* A message, borrowed for the call. Unary: at most once. NULL: the last one is kept in
     * c->reply until deinit (unary). */
    void (*message)(struct grpc_call *c, struct str bytes);
    void (*drained)(struct grpc_call *c); /* may be NULL */
    /* Once, last: c->code and c->message are the status. */
    void (*done)(struct grpc_call *c);
};

/* Embedded by the caller, zeroed before first use, alive from start until done. */
struct grpc_call {
    /* Set by the caller. */
    const char *path;
    enum grpc_kind kind;
    const struct http_header *metadata; /* borrowed for grpc_call_start */
    size_t metadata_count;
    uint64_t timeout_ms;        /* sent as grpc-timeout and enforced here; 0: none */
    uint32_t message_bytes_max; /* of a received message; 0: GRPC_MESSAGE_BYTES_MAX */
    const struct grpc_call_events *events;
    void *user;

    /* The outcome. */
    enum grpc_code code;
    struct str message; /* decoded; in http.arena */
    struct str reply;   /* see events->message */
    bool refused;       /* the server surely did not see it */

    /* The call's own. */
    struct http_request http;
    struct grpc_frames frames;
    struct buf rest; /* received while paused */
    uint32_t messages;
    uint32_t flags;
};

/* Unary and server stream: request is the one message, sent and half-closed. Client stream and
 * bidi: request is ignored; use send and end. */
void grpc_call_start(struct http_client *client, struct grpc_call *c, struct str request);
void grpc_call_send(struct grpc_call *c, struct str message); /* copied */
void grpc_call_end(struct grpc_call *c);                      /* half-close */
/* done with CANCELLED follows; RST_STREAM CANCEL to the server. */
void grpc_call_cancel(struct grpc_call *c);
size_t grpc_call_queued(const struct grpc_call *c);
void grpc_call_pause(struct grpc_call *c);
void grpc_call_resume(struct grpc_call *c);
bool grpc_call_active(const struct grpc_call *c);
/* The outcome as our error: 0 or -ERR_X, with the server's message in e. */
int grpc_call_error(const struct grpc_call *c, struct err *e);
void grpc_call_deinit(struct grpc_call *c); /* not while active */

/* ---- health: grpc.health.v1 ---- */

/* One per server and loop: names and their state. */
struct grpc_health;

struct grpc_health *grpc_health_new(void);
void grpc_health_free(struct grpc_health *h); /* after its streams are closed */
/* name "" is the whole server. Watchers are told. */
void grpc_health_set(struct grpc_health *h, const char *name, bool serving);
const struct grpc_service *grpc_health_service(struct grpc_health *h);

#endif
