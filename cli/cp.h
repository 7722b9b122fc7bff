/* What cp.c and its two directions share. */
#ifndef CLI_CP_H
#define CLI_CP_H

#include "api/schema/json.h"
#include "cli/verb.h"

struct cp {
    struct cli *cli;
    const struct json *pod;
    struct str container;
    const char *local;
    const char *remote;
    bool no_preserve;
    int64_t retries; /* negative: for ever */
};

/* The exit code; what went wrong was said. */
int cp_to_pod(struct cp *x);
int cp_from_pod(struct cp *x);

/* Go's path.Clean: no "//", no ".", no ".." but leading ones; "." when nothing is left. */
struct str cp_clean(struct arena *a, struct str path);
/* What stands behind the last slash of a clean path, and before it ("." without one). */
struct str cp_base(struct str path);
struct str cp_folder(struct str path);

#endif
