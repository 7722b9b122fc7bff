/* The JSON writer: Go's encoding/json, byte for byte. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"

enum { PLAIN, ESCAPE, HTML, MULTIBYTE };

/* What a byte of a string needs. */
static const uint8_t kinds[256] = { [0 ... 0x1f] = ESCAPE,
                                    ['"'] = ESCAPE,
                                    ['\\'] = ESCAPE,
                                    ['<'] = HTML,
                                    ['>'] = HTML,
                                    ['&'] = HTML,
                                    [0x80 ... 0xff] = MULTIBYTE };

/* Bytes of the valid sequence, 0 when broken. */
static size_t sequence(const unsigned char *s, size_t left)
{
    size_t len = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    if (len == 0 || len > left || !str_utf8_valid(str_of(s, len)))
        return 0;
    return len;
}

static void write_escape(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char out[6] = { '\\', 0 };
    switch (c) {
    case '"':
    case '\\':
        out[1] = (char)c;
        break;
    case '\n':
        out[1] = 'n';
        break;
    case '\r':
        out[1] = 'r';
        break;
    case '\t':
        out[1] = 't';
        break;
    case '\b':
        out[1] = 'b';
        break;
    case '\f':
        out[1] = 'f';
        break;
    default:
        memcpy(out, "\\u00", 4);
        out[4] = hex[c >> 4];
        out[5] = hex[c & 15];
        buf_append(b, out, 6);
        return;
    }
    buf_append(b, out, 2);
}

/* Escapes what stands at s; returns how many source bytes that was. */
static size_t write_special(struct buf *b, const unsigned char *s, size_t left, bool html)
{
    if (kinds[*s] == ESCAPE || (kinds[*s] == HTML && html)) {
        write_escape(b, *s);
        return 1;
    }
    if (kinds[*s] != MULTIBYTE) {
        buf_append(b, s, 1);
        return 1;
    }
    size_t len = sequence(s, left);
    if (len == 0) {
        buf_append(b, "\\ufffd", 6);
        return 1;
    }
    if (len == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9))
        buf_append(b, s[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
    else
        buf_append(b, s, len);
    return len;
}

void json_write_string(struct buf *b, struct str s, bool html)
{
    const unsigned char *p = (const unsigned char *)s.data;
    size_t at = 0;
    buf_reserve(b, s.len + 2);
    b->data[b->len++] = '"';
    while (at < s.len) {
        size_t run = at;
        while (run < s.len && kinds[p[run]] == PLAIN)
            run++;
        buf_append(b, p + at, run - at);
        at = run;
        if (at < s.len)
            at += write_special(b, p + at, s.len - at, html);
    }
    buf_append_byte(b, '"');
}

void json_write_int(struct buf *b, int64_t value)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0)
        digits[--at] = '-';
    buf_append(b, digits + at, sizeof(digits) - at);
}

/* The shortest digits that read back as the same number. */
static void shortest(double value, bool exponent, char *out, size_t size)
{
    for (int precision = 0; precision < 17; precision++) {
        (void)snprintf(out, size, "%.*e", precision, value);
        if (strtod(out, NULL) == value)
            break;
    }
    if (exponent)
        return;
    const char *e = strchr(out, 'e');
    int64_t power = 0;
    if (e != NULL)
        (void)str_to_i64(str_from(e + 1 + (e[1] == '+')), &power); /* printf's own digits */
    int shown = e == NULL ? 0 : (int)(e - out) - (out[0] == '-') - 1;
    int decimals = (shown > 0 ? shown - 1 : 0) - (int)power;
    if (decimals >= 0) {
        (void)snprintf(out, size, "%.*f", decimals, value);
        return;
    }
    /* Whole numbers beyond 2^53: Go pads the shortest digits with zeros, C prints the exact ones.
     */
    size_t len = 0;
    for (const char *c = out; c < e; c++) {
        if (*c != '.')
            out[len++] = *c;
    }
    memset(out + len, '0', (size_t)-decimals);
    out[len + (size_t)-decimals] = '\0';
}

void json_write_double(struct buf *b, double value)
{
    char out[400];
    double size = fabs(value);
    if (!(size <= 1.7976931348623157e308)) {
        buf_append_c(b, "null"); /* infinities and NaN have no JSON */
        return;
    }
    bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
    shortest(value, exponent, out, sizeof(out));
    size_t len = strlen(out);
    /* Go writes e-9, C writes e-09. */
    if (exponent && len >= 4 && out[len - 4] == 'e' && out[len - 3] == '-' && out[len - 2] == '0') {
        out[len - 2] = out[len - 1];
        len--;
    }
    buf_append(b, out, len);
}

void json_write(struct buf *b, const struct json *j, bool html)
{
    switch (j->type) {
    case JSON_NULL:
        buf_append(b, "null", 4);
        return;
    case JSON_BOOL:
        buf_append_c(b, j->u.boolean ? "true" : "false");
        return;
    case JSON_INT:
    case JSON_DOUBLE:
        if (j->text != NULL)
            buf_append(b, j->text, j->count);
        else if (j->type == JSON_INT)
            json_write_int(b, j->u.integer);
        else
            json_write_double(b, j->u.number);
        return;
    case JSON_STRING:
        json_write_string(b, json_str(j), html);
        return;
    case JSON_ARRAY:
        buf_append_byte(b, '[');
        for (size_t i = 0; i < j->count; i++) {
            if (i > 0)
                buf_append_byte(b, ',');
            json_write(b, &j->u.items[i], html);
        }
        buf_append_byte(b, ']');
        return;
    default:
        buf_append_byte(b, '{');
        for (size_t i = 0; i < j->count; i++) {
            if (i > 0)
                buf_append_byte(b, ',');
            json_write_string(b, j->u.members[i].key, html);
            buf_append_byte(b, ':');
            json_write(b, &j->u.members[i].value, html);
        }
        buf_append_byte(b, '}');
    }
}

static bool is_space(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Runs that stay as they are go out whole; a string is left at its quote. */
void json_compact(struct buf *b, struct str text, bool html)
{
    const unsigned char *p = (const unsigned char *)text.data;
    size_t from = 0;
    size_t at = 0;
    bool quoted = false;
    while (at < text.len) {
        while (quoted && at < text.len && kinds[p[at]] == PLAIN)
            at++;
        if (at == text.len)
            break;
        bool quote = p[at] == '"';
        if (quote || (quoted ? p[at] == '\\' : !is_space(p[at]))) {
            at += quoted && !quote ? 2 : 1;
            quoted = quoted != quote;
            continue;
        }
        buf_append(b, p + from, at - from);
        at += quoted ? write_special(b, p + at, text.len - at, html) : 1;
        from = at;
    }
    if (from < text.len)
        buf_append(b, p + from, text.len - from);
}

static void new_line(struct buf *b, size_t depth)
{
    buf_append_byte(b, '\n');
    buf_reserve(b, 2 * depth);
    memset(b->data + b->len, ' ', 2 * depth);
    b->len += 2 * depth;
}

static void indent_punctuation(struct buf *b, struct str text, size_t *at, size_t *depth)
{
    char c = text.data[*at];
    char next = *at + 1 < text.len ? text.data[*at + 1] : '\0';
    (*at)++;
    if ((c == '{' && next == '}') || (c == '[' && next == ']')) {
        buf_append(b, c == '{' ? "{}" : "[]", 2);
        (*at)++;
        return;
    }
    if (c == '}' || c == ']')
        new_line(b, --*depth);
    buf_append_byte(b, (uint8_t)c);
    if (c == '{' || c == '[')
        new_line(b, ++*depth);
    else if (c == ',')
        new_line(b, *depth);
    else if (c == ':')
        buf_append_byte(b, ' ');
}

void json_indent(struct buf *b, struct str compact)
{
    size_t depth = 0;
    json_indent_piece(b, compact, &depth);
}

void json_indent_piece(struct buf *b, struct str compact, size_t *depth)
{
    for (size_t at = 0; at < compact.len;) {
        char c = compact.data[at];
        size_t start = at;
        if (strchr("{}[],:", c) != NULL && c != '\0') {
            indent_punctuation(b, compact, &at, depth);
            continue;
        }
        if (c == '"') {
            for (at++; at < compact.len && compact.data[at] != '"'; at++)
                at += compact.data[at] == '\\';
        }
        at = at < compact.len ? at + 1 : compact.len;
        buf_append(b, compact.data + start, at - start);
    }
}
