/* A watch of the API, event by event, until the caller has seen enough or the server ends it. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "base/buf.h"
#include "cli/verb.h"

struct json;

/* Of one event. */
#define WATCH_LINE_BYTES_MAX (64u << 20)

/* Events out of the bytes of a watch. */
struct watch_reader {
    /* As in watch_options. */
    bool (*event)(void *ctx, struct str event, const struct json *object);
    void *ctx;
    /* Why it gave up; 0: it was told to. */
    int rc;
    struct err e;
    struct buf line;
};

void watch_reader_init(struct watch_reader *w);
void watch_reader_deinit(struct watch_reader *w);
/* False: no more is wanted. */
bool watch_reader_feed(struct watch_reader *w, struct str bytes);

struct watch_options {
    const char *target;  /* with watch=true in it */
    const char *accept;  /* NULL: application/json */
    uint64_t timeout_ms; /* 0: none */
    /* event: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR (object is a Status). The object lives
     * for the call. False: enough. */
    bool (*event)(void *ctx, struct str event, const struct json *object);
    void *ctx;
};

/* 0: enough was seen, or the server ended it. -ERR_TIMEOUT; else e for cli_error_of. */
int watch_run(struct cli *c, const struct watch_options *o, struct err *e);

#endif
