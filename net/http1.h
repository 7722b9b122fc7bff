/*
 * HTTP/1.1 messages, both roles: a strict parser and a writer, without I/O. Private to net/ and its
 * tests.
 *
 * Strict: any doubt about where a message ends is an error with the status to answer, after which
 * the connection is closed: both Content-Length and Transfer-Encoding, a repeated Content-Length, a
 * coding other than chunked, a folded line, a bare CR or LF, NUL and other control characters, a
 * malformed chunk, a missing or repeated Host.
 */
#ifndef NET_HTTP1_H
#define NET_HTTP1_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "net/http.h"

#define HTTP1_CHUNK_LINE_BYTES_MAX 256u
#define HTTP1_CHUNK_BYTES_MAX      (1ull << 40)

enum http1_event {
    HTTP1_MORE,  /* all input was taken; more is needed */
    HTTP1_HEAD,  /* the head is complete: its fields are set */
    HTTP1_BODY,  /* a piece of the body, borrowed from the input */
    HTTP1_END,   /* the message is complete (trailers too); http1_parser_next before going on */
    HTTP1_ERROR, /* p->error is the status to answer (as a client: simply wrong) */
};

struct http1_parser {
    /* The message. Memory in the arena of the message. */
    struct str method;
    struct str target;
    struct str authority;
    int version; /* 10 or 11 */
    int status;
    struct http_headers headers;
    struct http_headers trailers;
    bool keep_alive;
    bool expect_continue;
    bool has_body;
    bool upgrade; /* connection: upgrade with an upgrade field (request); status 101 (response) */
    int error;

    /* Its own. */
    bool response;
    bool no_body; /* a response to HEAD */
    bool chunked;
    bool until_end;
    int state;
    uint32_t lines;
    uint32_t skipped;
    size_t line_len;
    char last;
    uint64_t left;
    struct buf head;
    struct arena *arena;
};

void http1_parser_init(struct http1_parser *p, bool response);
void http1_parser_deinit(struct http1_parser *p);
/* Starts a message whose memory goes to a. no_body: the response to a HEAD request. */
void http1_parser_next(struct http1_parser *p, struct arena *a, bool no_body);
/* Takes what it can from the front of *in; out_body is set with HTTP1_BODY. */
enum http1_event http1_parse(struct http1_parser *p, struct str *in, struct str *out_body);
/* The peer ended: HTTP1_END when that ends the message, HTTP1_ERROR inside one, HTTP1_MORE between
 * messages. */
enum http1_event http1_parse_end(struct http1_parser *p);
/* Was the whole message taken, so that the next event is HTTP1_END without more input? */
bool http1_at_end(const struct http1_parser *p);
/* Has any byte of the message been taken? */
bool http1_started(const struct http1_parser *p);

/* ---- writer ---- */

void http1_write_request(struct buf *out, const char *method, struct str target,
                         struct str authority);
void http1_write_status(struct buf *out, int status);
void http1_write_header(struct buf *out, struct str name, struct str value);
void http1_write_head_end(struct buf *out);
void http1_write_chunk(struct buf *out, struct str bytes);
void http1_write_last_chunk(struct buf *out, const struct http_header *trailers, size_t count);

#endif
