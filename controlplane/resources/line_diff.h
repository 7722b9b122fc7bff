/*
 * How two texts differ by lines, as upstream's messages show it: a unified diff with three lines of
 * context and no header, over the matching blocks that Python's difflib (and Go's copy of it)
 * finds. Which lines count as the same where several would do is that algorithm's choice, and
 * clients see it. Pure.
 */
#ifndef CONTROLPLANE_RESOURCES_LINE_DIFF_H
#define CONTROLPLANE_RESOURCES_LINE_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct buf;

/* Appends the difference; empty for equal texts. Neither ends with a line feed. *steps bounds the
 * work, which is a square of the lines at worst, and is what is left of it afterwards. false: they
 * were not enough, and nothing was appended. */
bool line_diff(struct arena *a, struct buf *out, struct str from, struct str to, size_t *steps);

#endif
