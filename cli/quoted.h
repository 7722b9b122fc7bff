/* Go's quoted strings, in either quote. */
#ifndef CLI_QUOTED_H
#define CLI_QUOTED_H

#include <stdbool.h>

#include "base/str.h"

struct arena;
struct buf;

/* The text in double quotes; what would not print is escaped. */
void quoted_write(struct buf *out, struct str text);
/* text: quotes and all. False: not one. */
bool quoted_text(struct arena *a, struct str text, struct str *out);

#endif
