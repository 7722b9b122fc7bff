/* A GET whose answer is read as it comes: logs, watches. Any number of them on one loop. */
#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include "base/buf.h"
#include "cli/verb.h"
#include "net/client.h"

/* Kept of the words of a refusal. */
#define STREAM_REFUSAL_BYTES_MAX (64u << 10)

/* Embedded by the caller, zeroed; kept until done. */
struct stream {
    /* The caller's. */
    const char *target;
    const char *accept;
    /* A piece of an answer of status 200; borrowed for the call. */
    void (*bytes)(struct stream *s, struct str bytes);
    /* Once, last: 0 when the answer is complete (http_status and refusal say which), else -ERR_X
     * of the connection, -ERR_CANCELED after stream_cancel. */
    void (*done)(struct stream *s, int status);
    void *user;

    int http_status;
    struct buf refusal; /* the body of another status; stream_deinit frees it */

    /* Its own. */
    struct cli *cli;
    struct env_loop *loop;
    struct http_client *client;
    struct http_request request;
    size_t turn; /* of ask_server */
    int status;
    bool canceled;
};

/* The first server that answers at all is read from. */
void stream_open(struct stream *s, struct cli *c, struct env_loop *loop);
void stream_cancel(struct stream *s); /* done still comes */
void stream_deinit(struct stream *s); /* after done */

#endif
