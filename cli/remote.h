/* A command in a container whose input and output are this program's own: what cp is made of. */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include "api/schema/json.h"
#include "cli/channels.h"

/* Embedded by the caller, zeroed. */
struct remote {
    /* The caller's. */
    struct cli *cli;
    const struct json *pod;
    struct str container;
    const char *const *command; /* ends with NULL */
    /* Appends some of the input; false: that was the last. NULL: it has none. */
    bool (*fill)(struct remote *r, struct buf *out);
    /* Output of the command; false: enough. NULL: it is ours. */
    bool (*take)(struct remote *r, struct str bytes);
    bool silent; /* only the exit code is asked */

    /* Its own. */
    struct channels channels;
    bool filled;  /* all input was given */
    bool refused; /* by take */
    bool half;    /* of a character came on stderr */

    /* After its end. */
    bool answered;  /* the server let it begin, and said how it ended */
    struct str why; /* silent, and there is no exit code */
};

/* Until its end: the exit code, as exec's, and what is wrong said on stderr. Silent: nothing is
 * said, and the code is negative where there is none. */
int remote_run(struct remote *r);

#endif
