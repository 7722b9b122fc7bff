/* What most verbs do: one GET after the other, waiting for each answer. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "cli/verb.h"

#define ASK_TIMEOUT_MS 30000
/* Of an answer that is kept whole. */
#define ASK_BYTES_MAX (64u << 20)

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
