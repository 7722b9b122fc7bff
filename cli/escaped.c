/* See the header. */
#include "cli/escaped.h"

#include <stdbool.h>

#include "base/buf.h"

#define ESC 0x1b
#define DEL 0x7f
/* In UTF-8 the controls from U+0080 to U+009F are this byte and one of 0x80 to 0x9f. */
#define C1_LEAD 0xc2
#define C1_LAST 0x9f

static void write_control(struct buf *out, unsigned char c)
{
    if (c == ESC)
        buf_append_c(out, "^[");
    else if (c == '\r')
        buf_append_c(out, "\\r");
    else
        buf_printf(out, "\\x%02x", c);
}

void escaped_write(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        unsigned char next = i + 1 < text.len ? (unsigned char)text.data[i + 1] : 0;
        if (c == C1_LEAD && next >= 0x80 && next <= C1_LAST) {
            buf_printf(out, "\\u%04x", next);
            i++;
        } else if ((c < ' ' && c != '\n' && c != '\t') || c == DEL) {
            write_control(out, c);
        } else {
            buf_append_byte(out, c);
        }
    }
}
