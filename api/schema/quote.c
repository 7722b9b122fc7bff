/* Go's strconv.Quote, as far as what is printable can be told without Unicode's tables, and its %v.
 */
#include "api/schema/quote.h"

#include <stdlib.h>
#include <string.h>

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"

/* Code points above ASCII that show nothing or move what follows. */
static const struct {
    uint32_t first;
    uint32_t last;
} invisible[] = { { 0x80, 0xa0 },       { 0xad, 0xad },     { 0x1680, 0x1680 }, { 0x180e, 0x180e },
                  { 0x2000, 0x200f },   { 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x3000, 0x3000 },
                  { 0xd800, 0xf8ff },   { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff },
                  { 0xe0000, 0x10ffff } };

static bool is_invisible(uint32_t c)
{
    for (size_t i = 0; i < sizeof(invisible) / sizeof(invisible[0]); i++) {
        if (c >= invisible[i].first && c <= invisible[i].last)
            return true;
    }
    return false;
}

/* The sequence at s, 0 when it is no UTF-8. */
static size_t decode(struct str s, uint32_t *out)
{
    const unsigned char *p = (const unsigned char *)s.data;
    size_t len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (s.len < len || !str_utf8_valid(str_slice(s, 0, len)))
        return 0;
    uint32_t c = p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (p[i] & 0x3f);
    *out = c;
    return len;
}

static void write_ascii(struct buf *b, unsigned char c, char quote)
{
    static const char from[] = "\a\b\f\n\r\t\v";
    static const char to[] = "abfnrtv";
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found != NULL)
        buf_printf(b, "\\%c", to[found - from]);
    else if (c < 0x20 || c == 0x7f)
        buf_printf(b, "\\x%02x", c);
    else if (c == '\\' || c == (unsigned char)quote)
        buf_printf(b, "\\%c", c);
    else
        buf_append_byte(b, c);
}

void quote_write(struct buf *b, struct str text)
{
    buf_append_byte(b, '"');
    for (size_t at = 0; at < text.len;) {
        unsigned char byte = (unsigned char)text.data[at];
        uint32_t c = 0;
        size_t len = byte < 0x80 ? 1 : decode(str_slice(text, at, text.len), &c);
        if (byte < 0x80)
            write_ascii(b, byte, '"');
        else if (len == 0)
            buf_printf(b, "\\x%02x", byte);
        else if (is_invisible(c))
            buf_printf(b, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
        else
            buf_append(b, text.data + at, len);
        at += len == 0 ? 1 : len;
    }
    buf_append_byte(b, '"');
}

void quote_write_byte(struct buf *b, unsigned char c)
{
    buf_append_byte(b, '\'');
    if (c < 0x80)
        write_ascii(b, c, '\'');
    else if (c <= 0xa0 || c == 0xad)
        buf_printf(b, "\\u%04x", c);
    else /* Go takes the byte for a code point */
        buf_append(b, (uint8_t[]){ (uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 0x3f)) }, 2);
    buf_append_byte(b, '\'');
}

/* ---- values ---- */

static int compare_members(const void *x, const void *y)
{
    const struct json_member *const *a = x;
    const struct json_member *const *b = y;
    int order = str_cmp((*a)->key, (*b)->key);
    return order != 0 ? order : (*a > *b) - (*a < *b);
}

/* By key; of equal ones the last. */
static void write_object(struct buf *b, const struct json *j)
{
    const struct json_member **sorted = mem_alloc((j->count + 1) * sizeof(*sorted));
    bool space = false;
    for (size_t i = 0; i < j->count; i++)
        sorted[i] = &j->u.members[i];
    qsort(sorted, j->count, sizeof(*sorted), compare_members);
    buf_append_c(b, "map[");
    for (size_t i = 0; i < j->count; i++) {
        if (i + 1 < j->count && str_eq(sorted[i]->key, sorted[i + 1]->key))
            continue;
        buf_append_c(b, space ? " " : "");
        buf_append_str(b, sorted[i]->key);
        buf_append_c(b, ":");
        quote_write_value(b, &sorted[i]->value);
        space = true;
    }
    buf_append_c(b, "]");
    mem_free(sorted);
}

void quote_write_value(struct buf *b, const struct json *j)
{
    if (j->type == JSON_OBJECT) {
        write_object(b, j);
    } else if (j->type == JSON_ARRAY) {
        buf_append_c(b, "[");
        for (size_t i = 0; i < j->count; i++) {
            buf_append_c(b, i > 0 ? " " : "");
            quote_write_value(b, &j->u.items[i]);
        }
        buf_append_c(b, "]");
    } else if (j->type == JSON_STRING) {
        buf_append_str(b, json_str(j));
    } else if (j->type == JSON_NULL) {
        buf_append_c(b, "<nil>");
    } else {
        json_write(b, j, false);
    }
}
