/*
 * What most verbs do: one request after the other, waiting for each answer. Requests to one server
 * share one connection, which is kept until ask_end.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "cli/verb.h"

/* Of an answer that is kept whole, unless --request-timeout says otherwise. */
#define ASK_TIMEOUT_MS 30000
/* Of an answer that is kept whole. */
#define ASK_BYTES_MAX (64u << 20)

struct ask_request {
    const char *method; /* NULL: GET */
    const char *target; /* path and query */
    const char *accept; /* NULL: application/json */
    const char *content_type;
    struct str body;
    uint64_t timeout_ms; /* 0: --request-timeout's; without it ASK_TIMEOUT_MS, a stream has none */
    /* A stream: pieces of a 2xx answer's body as they come, borrowed for the call. False: enough.
     */
    bool (*piece)(void *ctx, struct str bytes);
    void *ctx;
};

struct ask_answer {
    int status;      /* of HTTP */
    struct str body; /* in the cli's arena; empty for a 2xx stream */
    struct str type; /* Content-Type */
};

/* 0: there is an answer, of any status. Else e is a sentence for cli_error_of: -ERR_UNAVAILABLE
 * nobody answers, -ERR_TIMEOUT. The next server is asked only where this one surely did nothing, or
 * it is a GET. A server's warnings go to stderr. */
int ask_send(struct cli *c, const struct ask_request *r, struct ask_answer *out, struct err *e);
/* What kubectl would say of an answer that is no 2xx, without a line feed at the end:
 * "Error from server (NotFound): pods \"x\" not found". */
struct str ask_refused(struct cli *c, const struct ask_answer *answer);
/* The message alone; empty: the answer is no Status. */
struct str ask_message(struct cli *c, const struct ask_answer *answer);
/* Says it on stderr; CLI_FAILED. */
int ask_tell(struct cli *c, const struct ask_answer *answer);
bool ask_good(const struct ask_answer *answer);                                 /* 2xx */
bool ask_reason(struct cli *c, const struct ask_answer *a, const char *reason); /* its Status's */

/* Closes the connections; after it, requests make new ones. */
void ask_end(struct cli *c);
/* Which server to try at the turn-th try: the one that answered last, then those behind it. */
size_t ask_server(const struct cli *c, size_t turn);
/* "127.0.0.1:6443": the server as a person knows it. */
const char *ask_host(const struct cli *c, size_t server);

/* GET of target on one server. 0 and the body of a 200, in the arena. -ERR_UNAVAILABLE: nobody
 * answers; else what the server said, in e: a Status's message, or the body's first line. */
int ask_one(struct cli *c, size_t server, const char *target, const char *accept,
            struct str *out_body, struct err *e);
/* The same of the first server that answers at all. */
int ask_any(struct cli *c, const char *target, const char *accept, struct str *out_body,
            struct err *e);
/* What the answer with this HTTP status says went wrong; a code that fits. */
int ask_refusal(struct cli *c, int status, struct str body, struct err *e);
/* Which server is the member of this name; every server is asked for its name. */
int ask_member(struct cli *c, const char *name, size_t *out_server, struct err *e);

#endif
