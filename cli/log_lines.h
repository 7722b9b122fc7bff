/* A container's log on its way to the terminal: whole lines, each behind its source's name. */
#ifndef CLI_LOG_LINES_H
#define CLI_LOG_LINES_H

#include "base/buf.h"
#include "base/str.h"

/* A longer line is passed on in pieces, each a line of its own to its neighbours. */
#define LOG_LINE_BYTES_MAX (1u << 20)

struct log_lines {
    struct str prefix; /* "[pod/web/sh] ", or empty */
    struct buf rest;   /* a line that has not ended yet */
};

void log_lines_init(struct log_lines *l, struct str prefix);
void log_lines_deinit(struct log_lines *l);
/* Appends to out what bytes complete. */
void log_lines_add(struct log_lines *l, struct str bytes, struct buf *out);
/* The log has ended: what is left goes out as it is, without a line feed that it has not. */
void log_lines_end(struct log_lines *l, struct buf *out);

#endif
