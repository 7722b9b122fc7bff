/*
 * Private to the API server: an answer in the messages of a WebSocket, for a GET that asks for one:
 * browsers can hardly read a stream otherwise. Upstream's ways of it:
 *   a log    binary messages (no subprotocol, or "binary.k8s.io"), or text ones in base64
 *            ("base64.binary.k8s.io"); an empty one comes first
 *   a watch  one message an event: text, or binary if the events are protobuf; any subprotocol
 *
 * What the client sends is no matter but for its pings and its close. On the request's loop; memory
 * is the request's.
 */
#ifndef CONTROLPLANE_APISERVER_SOCKET_H
#define CONTROLPLANE_APISERVER_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct request;
struct socket;

enum socket_content { SOCKET_LOG, SOCKET_TEXT_EVENTS, SOCKET_BINARY_EVENTS };

/* Before anything is sent. 0 with NULL when no WebSocket is asked for; -ERR_X with r->status set
 * when it cannot be had. */
int socket_new(struct request *r, enum socket_content content, struct socket **out);
/* -ERR_FORBIDDEN with r->status set when a browser asks for a WebSocket on behalf of a page from
 * elsewhere. */
int socket_check_origin(struct request *r);
/* Answers 101; -ERR_X when HTTP does not let it: nothing is sent then. */
int socket_open(struct socket *s);
/* One message; nothing after the end. */
void socket_write(struct socket *s, struct str bytes);
/* A close frame (WEBSOCKET_X of net/websocket.h) and the exchange's end; once. */
void socket_end(struct socket *s, uint16_t code);
/* What the client sent. False: it closed, or does not speak WebSocket, and this is the end. */
bool socket_received(struct socket *s, struct str bytes);
/* NULL is fine. */
void socket_release(struct socket *s);

#endif
