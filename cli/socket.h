/*
 * A WebSocket to a server, the client's side: what exec, attach and port-forward speak in.
 *
 * One server is tried after the other until one answers. Pings and the server's close are answered
 * here; payloads are passed on piece by piece. Everything happens on the caller's loop.
 */
#ifndef CLI_SOCKET_H
#define CLI_SOCKET_H

#include <stdint.h>

#include "base/buf.h"
#include "cli/verb.h"
#include "net/client.h"
#include "net/websocket.h"

/* Kept of a refusal's words. */
#define SOCKET_REFUSAL_BYTES_MAX (64u << 10)

/* Embedded by the caller, zeroed; kept until done. */
struct socket {
    /* The caller's. */
    struct cli *cli;
    struct env_loop *loop;
    const char *target;
    const char *protocol; /* the one that is offered */
    void (*opened)(struct socket *s);
    /* A piece of a message; first: the message begins with it. */
    void (*data)(struct socket *s, struct str bytes, bool first);
    void (*drained)(struct socket *s); /* the queue fell; may be NULL */
    /* Once, last. 0: it ended in order, or the server refused (http_status is not 101 then, and
     * refusal what it said). -ERR_UNAVAILABLE: nobody answers, or the connection was lost. */
    void (*done)(struct socket *s, int status);

    int http_status;
    struct buf refusal; /* socket_deinit frees it */
    bool lost;          /* opened, and gone without a close */
    uint16_t code;      /* of the server's close */

    /* Its own. */
    struct http_client *client;
    struct http_request request;
    struct websocket_decoder decoder;
    size_t turn; /* of ask_server */
    int status;
    bool again; /* nobody has seen the request: another server may be asked */
    bool open;
    bool closed; /* nothing more is taken from the server */
};

void socket_open(struct socket *s);
/* One binary message of the two parts. */
void socket_write(struct socket *s, struct str prefix, struct str bytes);
size_t socket_queued(const struct socket *s);
/* Nothing more is read from the server while it is paused. */
void socket_pause(struct socket *s, bool paused);
void socket_cancel(struct socket *s); /* done still comes */
void socket_deinit(struct socket *s); /* after done */

#endif
