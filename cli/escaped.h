/*
 * Text that others wrote, for a terminal: what servers, containers and objects say may hold bytes
 * that a terminal would obey.
 */
#ifndef CLI_ESCAPED_H
#define CLI_ESCAPED_H

#include "base/str.h"

struct buf;

/* The text, in which control characters are shown and not sent: ESC is ^[ and a carriage return \r,
 * as kubectl writes them, others \x07 or \u009b. Line feeds and tabs stay. */
void escaped_write(struct buf *out, struct str text);

#endif
