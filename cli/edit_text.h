/* The text that an edit shows: its heading, and what of it counts. */
#ifndef CLI_EDIT_TEXT_H
#define CLI_EDIT_TEXT_H

#include "base/buf.h"
#include "base/str.h"

struct arena;
struct json;

/* Comments: what to do, and the reasons why it is opened again. */
void edit_text_heading(struct buf *out, struct str reasons);
/* One reason, as lines of comment: head, then text, which may have several lines. */
void edit_text_reason(struct buf *out, const char *head, struct str text);
/* The reason of a Status that calls an object invalid: a line for each cause. */
void edit_text_invalid(struct buf *out, struct str type, struct str name,
                       const struct json *status);

/* Without lines of comment; a last line that does not end, ends. */
struct str edit_text_plain(struct arena *a, struct str text);
/* Nothing but space and comments. */
bool edit_text_is_empty(struct str text);

#endif
