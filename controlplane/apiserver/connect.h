/*
 * pods/NAME/exec, attach and portforward: a client's stream joined to the node agent's.
 *
 * The agent always hears SPDY/3.1. What the client speaks is a struct connect_protocol: SPDY itself
 * (the bytes are passed on), SPDY within a WebSocket's messages (kubectl port-forward since 1.31),
 * or channels in a WebSocket (kubectl exec since 1.31, and other languages' clients), which are
 * translated here.
 *
 * Private to connect*.c. Everything on the request's loop; memory is the request's unless said.
 */
#ifndef CONTROLPLANE_APISERVER_CONNECT_H
#define CONTROLPLANE_APISERVER_CONNECT_H

#include "controlplane/apiserver/request.h"
#include "net/client.h"
#include "net/websocket.h"

/* Ports of one WebSocket that forwards channels. */
#define CONNECT_PORTS_MAX 32

struct connect;
struct channels;
struct raw;

enum connect_kind { CONNECT_EXEC, CONNECT_ATTACH, CONNECT_FORWARD };

struct connect_protocol {
    const char *name; /* Sec-WebSocket-Protocol; NULL: SPDY */
    bool forward;     /* of port-forward; else of exec and attach */
    unsigned version; /* of the channels: 1, 4 or 5 */
    bool base64;      /* channels in text messages */
    /* 101 was sent to the client. May be NULL. */
    void (*opened)(struct connect *c);
    void (*from_client)(struct connect *c, struct str bytes);
    void (*from_agent)(struct connect *c, struct str bytes);
    /* The agent is gone (0: in order): last words; the exchange is ended behind them. */
    void (*agent_ended)(struct connect *c, int status);
};

struct connect {
    struct http_request out;
    struct request *request;
    enum connect_kind kind;
    const struct connect_protocol *protocol;
    struct str host; /* the agent's */
    struct env_timer timer;
    uint64_t active_ms;
    bool open;     /* both sides said 101 */
    bool finished; /* nothing more is written to the client */
    struct buf error;
    struct buf frame; /* what is being written at the moment */
    struct websocket_decoder websocket;
    struct channels *channels;
    struct raw *raw;
};

extern const struct connect_protocol connect_spdy;
extern const struct connect_protocol connect_tunnel;
/* By the name in Sec-WebSocket-Protocol ("" too); or NULL. */
const struct connect_protocol *connect_channels_find(struct str name, bool forward);
/* Before the agent is asked: 0, or -ERR_X with the request's status set. */
int connect_channels_prepare(struct connect *c);
void connect_channels_release(struct connect *c);

/* For SPDY's exec and attach: what passes is watched for the closing Status. */
void connect_raw_prepare(struct connect *c);
void connect_raw_release(struct connect *c);

/* The closing Status, in JSON, of an exec whose agent or runtime went away before it was sent. */
struct str connect_broken(struct connect *c);
/* Sends c->frame and clears it. */
void connect_to_client(struct connect *c);
void connect_to_agent(struct connect *c);
/* The client's side is complete: what is written goes out, the agent is let go. */
void connect_finish(struct connect *c);
/* A WebSocket's close frame, then connect_finish. */
void connect_close(struct connect *c, uint16_t code, const char *reason);
/* Decodes a WebSocket's bytes and answers its control frames; data goes to message. */
void connect_websocket(struct connect *c, struct str bytes, void (*message)(struct connect *c));

#endif
