/*
 * What a protocol engine and its connection say to each other. Private to net/.
 *
 * An engine (HTTP/1.1 or HTTP/2, server or client) is fed plain bytes and asked for plain bytes; it
 * knows no socket. Its link is the connection's side. Events to handlers run only inside receive,
 * turn, ended and fail, never inside a call of the handler's: such a call changes state, queues,
 * and asks for a turn by wake.
 */
#ifndef NET_ENGINE_H
#define NET_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/client.h"
#include "net/http.h"

struct http_engine;

/* Shared by all engines of one server or client. */
struct http_core {
    struct env_loop *loop; /* NULL in tests of a bare engine: then there is no date header */
    http_handler_fn *handler;
    void *handler_ctx;
    http_refusal_fn *refusal; /* NULL: a line of text */
    uint32_t streams_max;
    uint64_t date_s;
    char date[32];
};

/* The connection, as an engine sees it. */
struct http_link {
    const struct http_link_ops *ops;
    struct http_core *core;
    struct http_peer peer;
};

struct http_link_ops {
    void (*wake)(struct http_link *l);              /* run turn and fill soon */
    size_t (*queued)(const struct http_link *l);    /* bytes handed out, not yet in the kernel */
    uint64_t (*sent)(const struct http_link *l);    /* bytes the kernel took so far; servers only */
    void (*pause)(struct http_link *l, bool pause); /* stop and restart receive */
    /* Client: the request is over; the engine has forgotten it. Runs where events may run. */
    void (*done)(struct http_link *l, struct http_request *r, int status);
};

/* A queue and whether its reader takes from it. */
struct http_stall {
    uint64_t mark;     /* what was taken when the time began */
    uint64_t since_ms; /* and when that was */
    bool watched;
};

/* True once less than HTTP_STALL_BYTES of what is queued were taken in over_ms. To be asked now and
 * then; taken only grows. */
bool http_stalled(struct http_stall *s, size_t queued, uint64_t taken, uint64_t now_ms,
                  uint64_t over_ms);

/* What a connection's engine keeps for it. */
struct http_held {
    size_t bytes;   /* of answers not handed out, of heads and bodies not complete */
    size_t head;    /* of these, the head's that is not complete */
    uint64_t taken; /* of answers, in all: handed out */
};

struct http_engine_ops {
    /* Bytes from the peer. */
    void (*receive)(struct http_engine *g, struct str bytes);
    /* Delivers events that were waiting. */
    void (*turn)(struct http_engine *g);
    /* Are events waiting? Then wake is due. */
    bool (*pending)(const struct http_engine *g);
    /* Appends output until out holds about bytes_max. */
    void (*fill)(struct http_engine *g, struct buf *out, size_t bytes_max);
    /* The peer ended its side in order. */
    void (*ended)(struct http_engine *g);
    /* The connection is lost or cut: every exchange or request ends with status, now. */
    void (*fail)(struct http_engine *g, int status);
    /* No new work: GOAWAY or connection: close; what runs may finish. */
    void (*shutdown)(struct http_engine *g);
    bool (*finished)(const struct http_engine *g); /* close once the output is out */
    bool (*idle)(const struct http_engine *g);     /* no exchange, no request */
    void (*free)(struct http_engine *g);           /* after fail, or when idle */

    /* Servers only. */
    bool (*partial)(const struct http_engine *g); /* in the middle of a request's head */
    struct http_held (*held)(const struct http_engine *g);
    /* Resets the exchanges whose reader stalls; true: the connection itself is to be cut. */
    bool (*expire)(struct http_engine *g, uint64_t now_ms);

    /* Clients only. */
    bool (*can_send)(const struct http_engine *g); /* is another request welcome? */
    void (*send)(struct http_engine *g, struct http_request *r);
    void (*write)(struct http_engine *g, struct http_request *r, struct str bytes);
    void (*end)(struct http_engine *g, struct http_request *r);
    /* Forgets the request at once; no event for it follows. */
    void (*cancel)(struct http_engine *g, struct http_request *r);
    void (*pause)(struct http_engine *g, struct http_request *r, bool pause);
    size_t (*queued)(const struct http_engine *g, const struct http_request *r);
    void (*ping)(struct http_engine *g);
};

struct http_engine {
    const struct http_engine_ops *ops;
    struct http_link *link;
};

struct http_engine *http1_server_new(struct http_link *link);
struct http_engine *http2_server_new(struct http_link *link);
struct http_engine *http1_client_new(struct http_link *link);
struct http_engine *http2_client_new(struct http_link *link);

/* The date header's value, made once a second; absent without a loop. */
struct str http_core_date(struct http_core *core);

/* Starts an exchange's fields: arena, body, limits, peer, loop. */
void http_exchange_init(struct http_exchange *x, struct http_link *link);
void http_exchange_deinit(struct http_exchange *x);
/* Hands a body piece to the handler or the collecting buffer; true when over the limit now. */
bool http_exchange_body(struct http_exchange *x, uint64_t *received, struct str bytes);
/* The same for a client's response; true when over its limit. */
bool http_request_take_body(struct http_request *r, uint64_t *received, struct str bytes);
/* Answers without the handler (400, 431, ...): sets events that do nothing. */
void http_exchange_refuse(struct http_exchange *x, const struct http_core *core, int status);
/* Response headers that a message may not carry by hand: connection, transfer-encoding, ... */
bool http_is_connection_header(struct str name);

#endif
