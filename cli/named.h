/* What a reading verb is to look at: by words (TYPE NAME, TYPE/NAME) or by manifests (-f). */
#ifndef CLI_NAMED_H
#define CLI_NAMED_H

#include "cli/fetch.h"
#include "cli/manifest.h"
#include "cli/objects.h"

struct named {
    struct objects_target *targets;
    size_t count;
    bool implied;       /* one is meant: by its name, or the only file */
    struct str *errors; /* of manifests, told when the rest was done */
    size_t errors_count;
    size_t errors_capacity;
};

/* CLI_FAILED: the reason was said. Manifests that are bad are no such reason: they are in errors.
 * selector: of the manifests' labels; NULL: none. */
int named_read(struct cli *c, const struct manifest_flags *f, const struct words *w,
               const char *selector, struct named *out);
/* fetch_all of them, with the errors among the refusals. */
int named_fetch(struct cli *c, const struct named *n, const struct fetch_options *o,
                struct fetch *out, struct err *e);

#endif
