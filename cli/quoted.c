/* See the header. */
#include "cli/quoted.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* count digits of this base at *io_at. */
static bool take_number(struct str s, size_t *io_at, int count, int base, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, (*io_at)++) {
        int digit = *io_at < s.len ? digit_of(s.data[*io_at]) : base;
        if (digit >= base)
            return false;
        *out = *out * (uint32_t)base + (uint32_t)digit;
    }
    return true;
}

static bool append_rune(struct buf *b, uint32_t rune)
{
    if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
        return false;
    if (rune < 0x80) {
        buf_append_byte(b, (uint8_t)rune);
        return true;
    }
    if (rune >= 0x10000) {
        buf_append_byte(b, (uint8_t)(0xf0 | rune >> 18));
        buf_append_byte(b, (uint8_t)(0x80 | (rune >> 12 & 0x3f)));
    } else if (rune >= 0x800) {
        buf_append_byte(b, (uint8_t)(0xe0 | rune >> 12));
    }
    buf_append_byte(b, (uint8_t)(rune >= 0x800 ? 0x80 | (rune >> 6 & 0x3f) : 0xc0 | rune >> 6));
    buf_append_byte(b, (uint8_t)(0x80 | (rune & 0x3f)));
    return true;
}

/* What follows a backslash; *io_at moves behind it. */
static bool take_escape(struct str s, size_t *io_at, char quote, struct buf *b)
{
    static const char names[] = "abfnrtv\\";
    static const char values[] = "\a\b\f\n\r\t\v\\";
    uint32_t rune;
    char c = *io_at < s.len ? s.data[(*io_at)++] : '\0';
    const char *simple = c != '\0' ? strchr(names, c) : NULL;
    if (simple != NULL || c == quote) {
        buf_append_byte(b, (uint8_t)(simple != NULL ? values[simple - names] : c));
        return true;
    }
    if (c == 'x' || (c >= '0' && c <= '7')) {
        *io_at -= c != 'x';
        bool good = take_number(s, io_at, c == 'x' ? 2 : 3, c == 'x' ? 16 : 8, &rune);
        if (good && rune <= 0xff)
            buf_append_byte(b, (uint8_t)rune);
        return good && rune <= 0xff;
    }
    return (c == 'u' || c == 'U') && take_number(s, io_at, c == 'u' ? 4 : 8, 16, &rune) &&
           append_rune(b, rune);
}

bool quoted_text(struct arena *a, struct str text, struct str *out)
{
    if (text.len < 2 || text.data[0] != text.data[text.len - 1] ||
        (text.data[0] != '"' && text.data[0] != '\''))
        return false;
    struct str s = str_slice(text, 1, text.len - 1);
    char quote = text.data[0];
    struct buf b;
    bool good = true;
    buf_init(&b);
    for (size_t at = 0; good && at < s.len;) {
        char c = s.data[at++];
        if (c == '\\')
            good = take_escape(s, &at, quote, &b);
        else if (c == quote || c == '\n')
            good = false;
        else
            buf_append_byte(&b, (uint8_t)c);
    }
    if (good)
        *out = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return good;
}

void quoted_write(struct buf *out, struct str text)
{
    buf_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_append_byte(out, c);
    }
    buf_append_byte(out, '"');
}
