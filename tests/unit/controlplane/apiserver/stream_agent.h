/*
 * An API server with a node whose agent is net/'s HTTPS server and a small SPDY peer, and a client
 * that upgrades. The pod "p" has these containers:
 *   echo     stdin comes back on stdout; its end ends the stream with exit code 7
 *   late     the same, but it replies late and, as containerd does, loses what came before
 *   good     ends at once with success
 *   dies     writes "half" to stdout and is gone
 *   torn     the same in the middle of a frame
 *   mad      writes "half" and then what is no frame
 *   flood    writes to stdout as long as it is taken
 *   refuses  answers 500 with what it was asked
 * and port-forward's data streams come back. Of the logs, "good" is one line, "echo" the same and
 * goes on, "flood" has no end, "dies" is cut behind "half" and "refuses" says so. The pod "many"
 * has an init container "in", "a", "b" and the ephemeral "dbg".
 */
#ifndef TESTS_UNIT_CONTROLPLANE_APISERVER_STREAM_AGENT_H
#define TESTS_UNIT_CONTROLPLANE_APISERVER_STREAM_AGENT_H

#include <stdatomic.h>

#include "net/websocket.h"
#include "tests/unit/controlplane/apiserver/harness.h"

#define STREAM_PODS "/api/v1/namespaces/default/pods"
/* Headers of a request, the subprotocol's name left open. */
#define STREAM_WEBSOCKET                                                                           \
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"                   \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: "
#define STREAM_SPDY                                                                                \
    "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n"

/* Written by "flood" so far. */
extern _Atomic size_t stream_agent_flooded;

int stream_agent_setup(void **state);
int stream_agent_teardown(void **state);

/* After a 101: s->raw behind its head, and what still comes. */
struct client {
    struct stream s;
    struct websocket_decoder d;
    struct str in; /* of s.raw, not decoded yet */
};

/* Asserts 101. */
void client_open(struct harness *h, struct client *c, const char *target, const char *headers);
void client_close(struct client *c);
void client_send(struct client *c, struct str bytes);
/* One more piece of raw bytes; false at the end. c->in has them. */
bool client_read(struct client *c);
/* A masked message of channel and text. */
void client_message(struct client *c, enum websocket_op op, const char *bytes, size_t len);
/* The next message or control frame, "op:channel:text" ("2:1:hello", "8::1000"); joined over
 * pieces. */
struct str client_next(struct harness *h, struct client *c);

#endif
