/* Text and values as upstream's messages show them. */
#ifndef API_SCHEMA_QUOTE_H
#define API_SCHEMA_QUOTE_H

#include "base/str.h"

struct buf;
struct json;

/* Appends "text" as Go's strconv.Quote (%q) shows it: what a reader cannot see is escaped. */
void quote_write(struct buf *b, struct str text);
/* Appends 'c' as Go's JSON parser names a byte it did not expect. */
void quote_write_byte(struct buf *b, unsigned char c);
/* Appends a value as Go's %v shows it, without quotes: map[a:1 b:[x <nil>]]. */
void quote_write_value(struct buf *b, const struct json *j);

#endif
