/*
 * The JSON parser: recursive descent, bounded, in one pass.
 *
 * Children of an open array or object wait on one stack that grows by doubling and are copied to
 * the arena when it closes, so that the finished tree is compact arrays. Without an arena the same
 * walk only checks. As Go does, invalid UTF-8 and lone surrogates become U+FFFD.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/schema/json.h"
#include "api/schema/quote.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Longer numbers are no numbers anyone means. */
#define JSON_NUMBER_BYTES_MAX 512
#define REPLACEMENT_CHARACTER 0xfffdu

struct parser {
    struct arena *arena; /* NULL: only check */
    const char *start;
    const char *at;
    const char *end;
    struct json_member *stack;
    size_t used;
    size_t capacity;
    struct err *e;
};

static int parse_value(struct parser *p, int depth, struct json *out);

static int fail(struct parser *p, const char *context)
{
    if (p->at >= p->end)
        return err_set(p->e, ERR_PARSE, "unexpected end of JSON input");
    struct buf shown;
    buf_init(&shown);
    quote_write_byte(&shown, (unsigned char)*p->at);
    int rc = err_set(p->e, ERR_PARSE, "invalid character %.*s %s (offset %zu)",
                     STR_ARG(buf_str(&shown)), context, (size_t)(p->at - p->start) + 1);
    buf_deinit(&shown);
    return rc;
}

struct str json_error_text(const char *message)
{
    struct str text = str_from(message);
    ptrdiff_t at = str_find(text, str_lit(" (offset "));
    return at < 0 ? text : str_slice(text, 0, (size_t)at);
}

static inline void skip_space(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

static void push(struct parser *p, struct str key, struct json value)
{
    if (p->used == p->capacity) {
        p->capacity = p->capacity == 0 ? 64 : p->capacity * 2;
        p->stack = mem_realloc(p->stack, p->capacity * sizeof(*p->stack));
    }
    p->stack[p->used++] = (struct json_member){ key, value };
}

/* ---- strings ---- */

static int hex4(const char *s)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int c = s[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* Bytes of the valid UTF-8 sequence at s, 0 when there is none. */
static size_t utf8_sequence(const unsigned char *s, size_t left)
{
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (len == 0 || len > left || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return len;
}

static int parse_unicode_escape(struct parser *p, uint32_t *out)
{
    int value = p->end - p->at < 4 ? -1 : hex4(p->at);
    if (value < 0) {
        while (p->at < p->end && hex4((const char[4]){ *p->at, '0', '0', '0' }) >= 0)
            p->at++;
        return fail(p, "in \\u hexadecimal character escape");
    }
    p->at += 4;
    *out = (uint32_t)value;
    if (value < 0xd800 || value > 0xdfff)
        return 0;
    *out = REPLACEMENT_CHARACTER;
    if (value > 0xdbff || p->end - p->at < 6 || p->at[0] != '\\' || p->at[1] != 'u')
        return 0;
    int low = hex4(p->at + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    p->at += 6;
    *out = 0x10000u + (((uint32_t)value - 0xd800u) << 10) + ((uint32_t)low - 0xdc00u);
    return 0;
}

/* After a backslash; writes what it stands for. */
static int parse_escape(struct parser *p, char *out, size_t *len)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (p->at >= p->end)
        return fail(p, "in string escape code");
    char c = *p->at;
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found != NULL) {
        p->at++;
        out[(*len)++] = to[found - from];
        return 0;
    }
    if (c != 'u')
        return fail(p, "in string escape code");
    p->at++;
    uint32_t code = 0;
    int rc = parse_unicode_escape(p, &code);
    if (rc == 0)
        *len += put_utf8(out + *len, code);
    return rc;
}

/* The slow way, from the first byte that cannot be borrowed. out holds 3 bytes per source byte. */
static int parse_string_copy(struct parser *p, char *out, size_t *len)
{
    while (p->at < p->end && *p->at != '"') {
        unsigned char c = (unsigned char)*p->at;
        if (c == '\\') {
            p->at++;
            int rc = parse_escape(p, out, len);
            if (rc != 0)
                return rc;
            continue;
        }
        if (c < 0x20)
            return fail(p, "in string literal");
        size_t n = utf8_sequence((const unsigned char *)p->at, (size_t)(p->end - p->at));
        if (n == 0) {
            *len += put_utf8(out + *len, REPLACEMENT_CHARACTER);
            p->at++;
            continue;
        }
        memcpy(out + *len, p->at, n);
        *len += n;
        p->at += n;
    }
    if (p->at >= p->end)
        return fail(p, "");
    p->at++;
    return 0;
}

/* Where the closing quote is, counting escapes: bounds the copy. */
static size_t string_extent(const struct parser *p)
{
    const char *s = p->at;
    while (s < p->end && *s != '"')
        s += *s == '\\' && s + 1 < p->end ? 2 : 1;
    return (size_t)((s < p->end ? s : p->end) - p->at);
}

/* After the opening quote. */
static int parse_string(struct parser *p, struct str *out)
{
    const char *start = p->at;
    while (p->at < p->end) {
        unsigned char c = (unsigned char)*p->at;
        if (c == '"') {
            *out = str_of(start, (size_t)(p->at - start));
            p->at++;
            return 0;
        }
        if (c == '\\' || c < 0x20)
            break;
        if (c >= 0x80) {
            size_t n = utf8_sequence((const unsigned char *)p->at, (size_t)(p->end - p->at));
            if (n == 0)
                break;
            p->at += n;
            continue;
        }
        p->at++;
    }
    size_t len = (size_t)(p->at - start);
    char small[8];
    if (p->arena == NULL) {
        while (p->at < p->end && *p->at != '"') {
            size_t ignored = 0;
            bool escape = *p->at == '\\';
            if (!escape && (unsigned char)*p->at < 0x20)
                return fail(p, "in string literal");
            p->at++;
            int rc = escape ? parse_escape(p, small, &ignored) : 0;
            if (rc != 0)
                return rc;
        }
        if (p->at >= p->end)
            return fail(p, "");
        p->at++;
        *out = str_of("", 0);
        return 0;
    }
    char *copy = arena_alloc(p->arena, len + 3 * string_extent(p) + 4);
    memcpy(copy, start, len);
    int rc = parse_string_copy(p, copy, &len);
    if (rc == 0)
        *out = str_of(copy, len);
    return rc;
}

/* ---- numbers and literals ---- */

static size_t digits(struct parser *p)
{
    const char *start = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return (size_t)(p->at - start);
}

static int finish_number(struct parser *p, const char *start, bool whole, struct json *out)
{
    size_t len = (size_t)(p->at - start);
    *out = (struct json){ .type = JSON_INT, .count = (uint32_t)len, .text = start };
    if (whole && str_to_i64(str_of(start, len), &out->u.integer) == 0)
        return 0;
    char copy[JSON_NUMBER_BYTES_MAX + 1];
    if (len > JSON_NUMBER_BYTES_MAX)
        return err_set(p->e, ERR_LIMIT, "a number of %zu characters", len);
    memcpy(copy, start, len);
    copy[len] = '\0';
    out->type = JSON_DOUBLE;
    out->u.number = strtod(copy, NULL);
    if (out->u.number - out->u.number != 0.0)
        return err_set(p->e, ERR_PARSE, "number %.40s is out of range", copy);
    return 0;
}

static int parse_number(struct parser *p, struct json *out)
{
    const char *start = p->at;
    bool whole = true;
    if (*p->at == '-')
        p->at++;
    if (p->at < p->end && *p->at == '0')
        p->at++;
    else if (digits(p) == 0)
        return fail(p, "in numeric literal");
    if (p->at < p->end && *p->at == '.') {
        whole = false;
        p->at++;
        if (digits(p) == 0)
            return fail(p, "after decimal point in numeric literal");
    }
    if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
        whole = false;
        p->at++;
        if (p->at < p->end && (*p->at == '+' || *p->at == '-'))
            p->at++;
        if (digits(p) == 0)
            return fail(p, "in exponent of numeric literal");
    }
    return finish_number(p, start, whole, out);
}

/* "in literal true (expecting 'r')" */
static int fail_word(struct parser *p, const char *word, size_t at)
{
    char context[48];
    (void)snprintf(context, sizeof(context), "in literal %s (expecting '%c')", word, word[at]);
    return fail(p, context);
}

static int parse_word(struct parser *p, const char *word, struct json value, struct json *out)
{
    size_t len = strlen(word);
    for (size_t i = 0; i < len; i++, p->at++) {
        if (p->at >= p->end || *p->at != word[i])
            return fail_word(p, word, i);
    }
    *out = value;
    return 0;
}

/* ---- containers ---- */

static void close_array(struct parser *p, size_t base, struct json *out)
{
    size_t count = p->used - base;
    struct json *items = p->arena == NULL ? NULL : arena_array(p->arena, count, sizeof(*items));
    for (size_t i = 0; items != NULL && i < count; i++)
        items[i] = p->stack[base + i].value;
    p->used = base;
    *out = json_array(items, count);
}

static int parse_array(struct parser *p, int depth, struct json *out)
{
    size_t base = p->used;
    p->at++;
    skip_space(p);
    if (p->at < p->end && *p->at == ']') {
        p->at++;
        close_array(p, base, out);
        return 0;
    }
    for (;;) {
        struct json item;
        int rc = parse_value(p, depth + 1, &item);
        if (rc != 0)
            return rc;
        if (p->arena != NULL)
            push(p, (struct str){ 0 }, item);
        skip_space(p);
        if (p->at < p->end && *p->at == ',') {
            p->at++;
            continue;
        }
        if (p->at >= p->end || *p->at != ']')
            return fail(p, "after array element");
        p->at++;
        close_array(p, base, out);
        return 0;
    }
}

static void close_object(struct parser *p, size_t base, struct json *out)
{
    size_t count = p->used - base;
    struct json_member *members = NULL;
    if (count > 0) /* without an arena nothing was pushed */
        members = arena_copy(p->arena, p->stack + base, count * sizeof(*members));
    p->used = base;
    *out = json_object(members, count);
}

static int parse_member(struct parser *p, int depth)
{
    struct str key;
    struct json value;
    skip_space(p);
    if (p->at >= p->end || *p->at != '"')
        return fail(p, "looking for beginning of object key string");
    p->at++;
    int rc = parse_string(p, &key);
    if (rc != 0)
        return rc;
    skip_space(p);
    if (p->at >= p->end || *p->at != ':')
        return fail(p, "after object key");
    p->at++;
    rc = parse_value(p, depth + 1, &value);
    if (rc == 0 && p->arena != NULL)
        push(p, key, value);
    return rc;
}

static int parse_object(struct parser *p, int depth, struct json *out)
{
    size_t base = p->used;
    p->at++;
    skip_space(p);
    if (p->at < p->end && *p->at == '}') {
        p->at++;
        close_object(p, base, out);
        return 0;
    }
    for (;;) {
        int rc = parse_member(p, depth);
        if (rc != 0)
            return rc;
        skip_space(p);
        if (p->at < p->end && *p->at == ',') {
            p->at++;
            continue;
        }
        if (p->at >= p->end || *p->at != '}')
            return fail(p, "after object key:value pair");
        p->at++;
        close_object(p, base, out);
        return 0;
    }
}

static int parse_value(struct parser *p, int depth, struct json *out)
{
    struct str text;
    int rc;
    if (depth > JSON_DEPTH_MAX)
        return err_set(p->e, ERR_LIMIT, "exceeded max depth of %d", JSON_DEPTH_MAX);
    skip_space(p);
    if (p->at >= p->end)
        return fail(p, "");
    switch (*p->at) {
    case '{':
        return parse_object(p, depth, out);
    case '[':
        return parse_array(p, depth, out);
    case '"':
        p->at++;
        rc = parse_string(p, &text);
        if (rc == 0)
            *out = json_string(text);
        return rc;
    case 't':
        return parse_word(p, "true", json_bool(true), out);
    case 'f':
        return parse_word(p, "false", json_bool(false), out);
    case 'n':
        return parse_word(p, "null", json_null, out);
    default:
        if (*p->at == '-' || (*p->at >= '0' && *p->at <= '9'))
            return parse_number(p, out);
        return fail(p, "looking for beginning of value");
    }
}

static int parse_document(struct parser *p, struct str text, struct json *out)
{
    if (text.len > JSON_BYTES_MAX)
        return err_set(p->e, ERR_LIMIT, "JSON of %zu bytes: limit is %u", text.len, JSON_BYTES_MAX);
    p->start = p->at = text.data;
    p->end = text.data + text.len;
    int rc = parse_value(p, 0, out);
    if (rc != 0)
        return rc;
    skip_space(p);
    return p->at < p->end ? fail(p, "after top-level value") : 0;
}

int json_parse(struct arena *a, struct str text, const struct json **out, struct err *e)
{
    struct parser p = { .arena = a, .e = e };
    struct json *root = arena_new(a, struct json);
    int rc = text.data == NULL ? err_set(e, ERR_PARSE, "unexpected end of JSON input")
                               : parse_document(&p, text, root);
    mem_free(p.stack);
    if (rc == 0)
        *out = root;
    return rc;
}

int json_check(struct str text, struct err *e)
{
    struct parser p = { .arena = NULL, .e = e };
    struct json root;
    if (text.data == NULL)
        return err_set(e, ERR_PARSE, "unexpected end of JSON input");
    return parse_document(&p, text, &root);
}
