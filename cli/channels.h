/*
 * exec and attach, the client's side: channels over one WebSocket (v5.channel.k8s.io).
 *
 * The first byte of a message is its channel. Bytes of stdout and stderr are passed on as they
 * come; the last word is a Status on its own channel, kept whole, and says how the command ended.
 */
#ifndef CLI_CHANNELS_H
#define CLI_CHANNELS_H

#include "cli/socket.h"

enum channel {
    CHANNEL_STDIN = 0,
    CHANNEL_STDOUT = 1,
    CHANNEL_STDERR = 2,
    CHANNEL_STATUS = 3,
    CHANNEL_RESIZE = 4,
    CHANNEL_CLOSE = 255 /* its one byte is the channel that ends */
};

/* Of the closing Status. */
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
    /* Once, last: as a socket's. */
    void (*done)(struct channels *c, int status);

    struct socket socket; /* its http_status, lost and code say how it went */
    struct buf text;      /* the Status */

    /* Its own. */
    int channel; /* of the message under way; -1: its first byte has not come */
    int status;
};

void channels_open(struct channels *c);
void channels_write(struct channels *c, enum channel channel, struct str bytes);
/* No more comes on it. */
void channels_end(struct channels *c, enum channel channel);
size_t channels_queued(const struct channels *c);
/* done still comes. */
void channels_cancel(struct channels *c);
/* From the opening to done, on a loop of its own that is named so. */
void channels_run(struct channels *c, const char *name);
/* After done: the command's exit code. Negative: there is none, and *out_why, in the cli's arena,
 * is what to tell. */
int channels_code(struct channels *c, struct str *out_why);
/* The command's end was said, whatever it was: the server let it begin. */
bool channels_answered(const struct channels *c);
/* After done: says on stderr how it ended, unless well; the exit code. */
int channels_tell(struct channels *c);
/* After done. */
void channels_deinit(struct channels *c);

#endif
