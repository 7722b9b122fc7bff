/* Text in the quotes that upstream's messages put around it. */
#ifndef API_SCHEMA_QUOTE_H
#define API_SCHEMA_QUOTE_H

#include "base/str.h"

struct buf;

/* Appends "text" as Go's strconv.Quote (%q) shows it: what a reader cannot see is escaped. */
void quote_write(struct buf *b, struct str text);
/* Appends 'c' as Go's JSON parser names a byte it did not expect. */
void quote_write_byte(struct buf *b, unsigned char c);

#endif
