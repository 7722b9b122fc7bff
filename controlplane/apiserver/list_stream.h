/*
 * Private to the API server: a long list on its way to the client, piece by piece.
 *
 * The request is a stream then: a piece of items is read and encoded when the one before has left
 * for the most part (HTTP_QUEUE_HIGH_BYTES), indented and packed as the client asked, packed on a
 * pool thread. A failure on the way resets the exchange: the head is sent, and a client must not
 * take a part for the whole.
 */
#ifndef CONTROLPLANE_APISERVER_LIST_STREAM_H
#define CONTROLPLANE_APISERVER_LIST_STREAM_H

#include "controlplane/apiserver/list_write.h"

struct gzip_stream;

#define LIST_STREAM_PIECE_BYTES (256u << 10)

struct list_stream {
    struct list_writer *writer;
    /* Adds items to r->out. 1: more follow; 0: these were the last; or -ERR_X. */
    int (*fill)(struct request *r);
    struct gzip_stream *gzip; /* NULL: not packed */
    size_t depth;             /* of the pretty form */
    struct buf text;          /* the piece, indented */
    struct buf packed;
    struct turn turn;
    struct env_work work;
    bool last; /* the present piece */
    bool busy; /* it stands in line, or work is under way */
    bool waiting;
};

void list_stream_init(struct list_stream *s, struct list_writer *w, int (*fill)(struct request *r));
void list_stream_deinit(struct list_stream *s);
/* Sends the writer's head and what r->out holds; list_writer_frame was called. */
enum request_run list_stream_begin(struct list_stream *s);
/* The operation's drained. */
void list_stream_drained(struct list_stream *s);

#endif
