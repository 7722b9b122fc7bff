/*
 * A process in a container with our input and output: what exec and attach do.
 *
 * Input is read on the work pool and stops while the server does not take it; output is written as
 * it comes, and while the terminal does not take it nothing is read from the server. The terminal
 * is raw from the server's yes to its last word.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "api/schema/json.h"
#include "cli/channels.h"
#include "cli/flags.h"
#include "cli/terminal.h"

struct session_flags {
    const char *container;
    bool in;
    bool tty;
    bool quiet;
    const char *pod_running_timeout;
};

/* The rows of struct session_flags. */
extern const struct flag session_rows[];

struct session {
    /* The caller's. */
    struct cli *cli;
    bool in;
    bool tty;
    bool redraw; /* what runs there was drawn for another window: it is told twice of ours */

    /* Its own. */
    struct channels channels;
    struct terminal_input input;
    bool reading; /* the input was started, and has not stopped */
    bool over;    /* the server has said its last word */
    bool failed;  /* the input or the terminal could not be had, or nobody reads our output */
};

/* in and tty as asked for; without a terminal that is said, and done without. */
void session_streams(struct session *x, const struct session_flags *o);
/* Which container of the pod is meant. CLI_FAILED: the reason was said. verb: "exec into". */
int session_container(struct cli *c, const struct session_flags *o, const struct json *pod,
                      const char *verb, struct str *out);
/* ".../pods/NAME/SUBRESOURCE?container=...&stdout=true..." for the session's streams; more:
 * further parameters, each after its "&". */
const char *session_target(const struct session *x, const struct json *pod, const char *subresource,
                           struct str container, struct str more);
/* Until it is over; the exit code. x is kept meanwhile and not used again. */
int session_run(struct session *x, const char *target);

#endif
