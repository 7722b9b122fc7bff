/* Times as people read them: ages (5s, 3m20s, 2d4h) and dates. */
#ifndef CLI_AGE_H
#define CLI_AGE_H

#include "base/str.h"
#include "cli/verb.h"

/* Since an RFC 3339 time; "<unknown>" when it is none. */
struct str age_since(struct cli *c, struct str time);
/* From one such time to another; empty when either is none. */
struct str age_between(struct cli *c, struct str from, struct str to);
/* "Mon, 02 Jan 2006 15:04:05 +0000", here and now; the text itself when it is no time. */
struct str age_date(struct cli *c, struct str time);

#endif
