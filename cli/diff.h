/* Two texts, line by line, as `diff -u` shows them. */
#ifndef CLI_DIFF_H
#define CLI_DIFF_H

#include "base/buf.h"
#include "base/str.h"

/* Beyond so many differing lines on a side no smallest difference is looked for: all of them go
 * and all of the others come. */
#define DIFF_LINES_MAX 2000

/* Appends the differences, nothing when there are none; *_name stand in the heading. */
void diff_unified(struct str a, struct str b, const char *a_name, const char *b_name,
                  struct buf *out);

#endif
