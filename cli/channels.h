/*
 * exec and attach, the client's side: channels over one WebSocket (v5.channel.k8s.io).
 *
 * The first byte of a message is its channel. Bytes of stdout and stderr are passed on as they
 * come; the last word is a Status on its own channel, kept whole, and says how the command ended.
 * One server is tried after the other until one answers.
 */
#ifndef CLI_CHANNELS_H
#define CLI_CHANNELS_H

#include <stdint.h>

#include "base/buf.h"
#include "cli/verb.h"
#include "net/client.h"
#include "net/websocket.h"

enum channel {
    CHANNEL_STDIN = 0,
    CHANNEL_STDOUT = 1,
    CHANNEL_STDERR = 2,
    CHANNEL_STATUS = 3,
    CHANNEL_RESIZE = 4,
    CHANNEL_CLOSE = 255 /* its one byte is the channel that ends */
};

/* Of the closing Status, and of a refusal's words. */
#define CHANNELS_STATUS_BYTES_MAX (64u << 10)
/* Output that waits for the server: above it nothing more should be read from stdin. */
#define CHANNELS_QUEUE_BYTES (256u << 10)

/* Embedded by the caller, zeroed; kept until done. */
struct channels {
    /* The caller's. */
    struct cli *cli;
    struct env_loop *loop;
    const char *target;
    void (*opened)(struct channels *c);
    void (*data)(struct channels *c, enum channel channel, struct str bytes);
    void (*drained)(struct channels *c); /* the queue fell; may be NULL */
    /* Once, last. 0: it ended in order, or the server refused (http_status is not 101 then, and
     * text what it said). -ERR_UNAVAILABLE: nobody answers, or the connection was lost. */
    void (*done)(struct channels *c, int status);
    void *user;

    int http_status;
    struct buf text; /* the Status, or a refusal's words */
    bool lost;       /* opened, and gone without a close */
    uint16_t code;   /* of the server's close */

    /* Its own. */
    struct http_client *client;
    struct http_request request;
    struct websocket_decoder decoder;
    size_t server;
    int channel; /* of the message under way; -1: its first byte has not come */
    int status;
    bool open;
    bool closed; /* nothing more is taken from the server */
};

void channels_open(struct channels *c);
void channels_write(struct channels *c, enum channel channel, struct str bytes);
/* No more comes on it. */
void channels_end(struct channels *c, enum channel channel);
size_t channels_queued(const struct channels *c);
/* done still comes. */
void channels_cancel(struct channels *c);
/* After done. */
void channels_deinit(struct channels *c);

#endif
