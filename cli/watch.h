/* A watch of the API, event by event, until the caller has seen enough or the server ends it. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "cli/verb.h"

struct json;

/* Of one event. */
#define WATCH_LINE_BYTES_MAX (64u << 20)

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
