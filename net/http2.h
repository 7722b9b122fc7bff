/*
 * What the HTTP/2 server and client engines share: an nghttp2 session, streams with an output queue
 * and a small input buffer for paused consumers, and deferred events. Private to net/.
 *
 * nghttp2 calls back inside receive and fill. Headers, body pieces and ends are handed on at once
 * when they come from receive; what must not run there (a stream's end, drained, body pieces after
 * a resume) waits in the `ready` list for the next turn.
 *
 * Flow control: a stream's window opens again only as its consumer takes bytes. The connection's
 * window opens at once, so that one paused stream never stops the others; memory is bounded by
 * streams times the stream window.
 */
#ifndef NET_HTTP2_H
#define NET_HTTP2_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/engine.h"

/* Of a head, as SETTINGS_MAX_HEADER_LIST_SIZE counts it, of which a peer may open as many as there
 * are streams. nghttp2 decodes no longer field and breaks the connection over one; of a client that
 * minds the setting (Go's does) only the first request can be such. */
#define HTTP2_HEADER_BYTES_MAX        (64u << 10)

#define HTTP2_SERVER_WINDOW_BYTES     (256u << 10)
#define HTTP2_CONNECTION_WINDOW_BYTES (4u << 20)
/* Small writes are gathered up to this in one segment of the queue. */
#define HTTP2_SEGMENT_BYTES (16u << 10)

struct http2_conn;
struct http2_stream;

/* The role's part: server or client. */
struct http2_role {
    /* A peer opened a stream (server only). */
    struct http2_stream *(*begin)(struct http2_conn *c, int32_t id);
    /* One field of the head or the trailers; strings in the stream's arena. */
    void (*field)(struct http2_stream *s, struct str name, struct str value);
    void (*head)(struct http2_stream *s); /* headers or trailers are complete */
    void (*body)(struct http2_stream *s, struct str bytes);
    void (*end)(struct http2_stream *s); /* the peer ended its side */
    void (*drained)(struct http2_stream *s);
    /* What becomes of a reader that stalls (server only). */
    enum http_stalls (*stalls)(const struct http2_stream *s);
    /* Submits the head of a stream of conn->unsent: late, when it is known whether a body follows.
     */
    void (*submit)(struct http2_stream *s);
    void (*closed)(struct http2_stream *s); /* frees the stream */
    struct arena *(*arena)(struct http2_stream *s);
    void (*pong)(struct http2_conn *c);
};

/* Body bytes on their way out: copies and counted slices in order. */
struct http2_queue {
    struct list segments;
    size_t bytes;
    size_t held; /* the same without slices that lie in other queues too */
};

struct http2_stream {
    struct list node;   /* in conn->streams */
    struct list ready;  /* in conn->ready, when an event waits */
    struct list unsent; /* in conn->unsent */
    struct http2_conn *conn;
    int32_t id;
    struct http2_queue queue;
    uint64_t taken; /* of it, in all */
    struct http_stall stall;
    struct buf in; /* received while paused */
    const struct http_header *trailers;
    size_t trailer_count;
    size_t header_bytes;
    uint32_t header_count;
    uint32_t error; /* nghttp2 error code at close */
    bool above;
    bool deferred; /* nghttp2 waits for nghttp2_session_resume_data */
    bool output_ended;
    bool output_sent; /* END_STREAM left */
    bool paused;
    bool resumed; /* since the last turn: one body event is due, perhaps empty */
    bool remote_ended;
    bool end_delivered;
    bool header_overflow;
    bool closed;
};

struct http2_conn {
    struct http_engine g;
    const struct http2_role *role;
    nghttp2_session *session;
    struct list streams;
    struct list ready;
    struct list unsent;   /* streams whose head is not submitted yet */
    struct buf *fill_out; /* set during fill */
    size_t fill_max;
    struct http2_stream *heading; /* its head is not complete: no other can begin */
    size_t held;                  /* in all queues, and of bodies that are collected */
    uint64_t taken;               /* from all queues, in all */
    struct http_stall stall;      /* of the link's queue */
    uint32_t stream_count;
    bool server;
    bool in_session; /* inside nghttp2: no nested receive or send */
    int fail_status; /* -ERR_X once cut */
    bool failed;     /* the session is broken or was cut */
    bool draining;   /* GOAWAY was sent or received: no new streams */
};

/* Makes the session and queues our SETTINGS. */
void http2_conn_init(struct http2_conn *c, const struct http2_role *role, bool server,
                     struct http_link *link);
void http2_conn_deinit(struct http2_conn *c);

void http2_stream_init(struct http2_conn *c, struct http2_stream *s, int32_t id);
void http2_stream_deinit(struct http2_stream *s);
/* Queues body bytes (shared may be NULL) and wakes; false when the queue is beyond its limit. */
bool http2_stream_write(struct http2_stream *s, struct str bytes, struct shared *shared);
/* No more bytes; trailers must stay alive as long as the stream. */
void http2_stream_end(struct http2_stream *s, const struct http_header *trailers, size_t count);
void http2_stream_pause(struct http2_stream *s, bool paused);
void http2_stream_reset(struct http2_stream *s, uint32_t error);
/* Marks the stream for the next turn. */
void http2_stream_ready(struct http2_stream *s);
/* The stream's queue at the server's tick; true: its reader stalls and is to be cut. */
bool http2_stream_stalls(struct http2_stream *s, uint64_t now_ms);
/* Moves len bytes from the front of the queue to out. */
void http2_queue_take(struct http2_queue *q, struct buf *out, size_t len);
/* The source of DATA frames for nghttp2_submit_request and _response. */
nghttp2_data_provider http2_stream_provider(struct http2_stream *s);
/* A name-value row for nghttp2; control characters in value become spaces (copied to a then). */
nghttp2_nv http2_nv(struct arena *a, struct str name, struct str value);
/* RST_STREAM code for our error. */
uint32_t http2_error_of(int code);

/* The engine's part that is the same for both roles. */
void http2_receive(struct http_engine *g, struct str bytes);
void http2_turn(struct http_engine *g);
bool http2_pending(const struct http_engine *g);
void http2_fill(struct http_engine *g, struct buf *out, size_t bytes_max);
void http2_ended(struct http_engine *g);
void http2_fail(struct http_engine *g, int status);
bool http2_finished(const struct http_engine *g);
bool http2_idle(const struct http_engine *g);

#endif
