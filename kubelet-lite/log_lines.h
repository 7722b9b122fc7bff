/*
 * Container logs as the runtime writes them, one line each, to what a reader of them wants:
 *   2026-11-22T07:12:28.41808981Z stdout F text
 * The third word is F for the end of a line or P for a piece of one that goes on in the next line.
 * Pure.
 */
#ifndef KUBELET_LITE_LOG_LINES_H
#define KUBELET_LITE_LOG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* The runtime cuts lines at 16 KiB; more without an end is not one of its lines and is dropped. */
#define LOG_LINE_MAX (64u << 10)

struct log_options {
    bool follow;
    bool previous;
    bool timestamps;
    bool has_tail;
    uint64_t tail_lines;
    bool has_limit;
    uint64_t limit_bytes;
    bool has_since;
    int64_t since_s; /* since 1970 */
    int32_t since_ns;
};

struct log_line {
    struct str time;
    struct str stream;
    bool partial;
    struct str text;
};

/* line without its newline. -ERR_PARSE. */
int log_line_parse(struct str line, struct log_line *out);

/* From a query ("follow=true&tailLines=3"). now_s: for sinceSeconds. -ERR_INVALID_ARGUMENT. */
int log_options_parse(struct arena *a, struct str query, int64_t now_s, struct log_options *out,
                      struct err *e);

struct log_reader {
    struct log_options options;
    struct buf carry; /* of a line whose end has not come */
    uint64_t given;   /* bytes put out so far */
    bool inside;      /* the last line given was a piece */
    bool full;        /* limit_bytes is reached: nothing more comes */
};

void log_reader_init(struct log_reader *r, const struct log_options *options);
void log_reader_deinit(struct log_reader *r);
/* Takes the next bytes of the file, appends what the reader wants of them. */
void log_reader_feed(struct log_reader *r, struct str bytes, struct buf *out);

#endif
