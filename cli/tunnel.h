/*
 * One connection to a port of a pod: SPDY in a WebSocket (SPDY/3.1+portforward.k8s.io), with two
 * streams, one for bytes and one on which the node says what is wrong.
 *
 * A tunnel of its own for each connection: what is not taken on one holds back no other, and they
 * do not end together.
 *
 * Happy path: tunnel_open -> (tunnel_start, here or later) -> the streams are opened, bytes go both
 * ways -> each side ends its own direction -> the node ends its error stream -> done. A connection
 * that breaks, or is refused: done says so.
 */
#ifndef CLI_TUNNEL_H
#define CLI_TUNNEL_H

#include "cli/socket.h"
#include "net/spdy.h"

/* Of what the node says is wrong. */
#define TUNNEL_ERROR_BYTES_MAX (16u << 10)

/* Embedded by the caller, zeroed; kept until done. */
struct tunnel {
    /* The caller's. */
    struct cli *cli;
    struct env_loop *loop;
    const char *target;
    void (*opened)(struct tunnel *t); /* the server agreed */
    void (*data)(struct tunnel *t, struct str bytes);
    void (*end)(struct tunnel *t); /* of the pod's direction */
    void (*drained)(struct tunnel *t);
    void (*done)(struct tunnel *t); /* once, last: socket and error say how it went */

    struct socket socket;
    struct buf error; /* what the node said is wrong; tunnel_deinit frees it */

    /* Its own. */
    struct spdy_encoder encoder;
    struct spdy_decoder decoder;
    uint16_t port; /* 0: not started */
    bool open;
    bool sent;  /* the streams were opened */
    bool ended; /* the pod's direction */
    bool over;  /* the node ended its error stream, or everything */
    bool shut;  /* our direction */
};

void tunnel_open(struct tunnel *t);
/* To this port; once. */
void tunnel_start(struct tunnel *t, uint16_t port);
void tunnel_write(struct tunnel *t, struct str bytes);
void tunnel_end(struct tunnel *t); /* of our direction */
size_t tunnel_queued(const struct tunnel *t);
void tunnel_pause(struct tunnel *t, bool paused); /* nothing more of the pod's bytes */
void tunnel_cancel(struct tunnel *t);             /* done still comes */
void tunnel_deinit(struct tunnel *t);             /* after done */

#endif
