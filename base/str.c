/* Borrowed strings: comparison, search, splitting, whole-string numbers, hashing, UTF-8. */
#include "base/str.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/err.h"

struct str str_from(const char *c_string)
{
    return (struct str){ c_string, c_string != NULL ? strlen(c_string) : 0 };
}

struct str str_of(const void *data, size_t len)
{
    return (struct str){ data, len };
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (struct str){ from > 0 ? s.data + from : s.data, to - from };
}

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool str_eq_c(struct str a, const char *b)
{
    return str_eq(a, str_from(b));
}

static char str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (str_lower(a.data[i]) != str_lower(b.data[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n > 0 ? memcmp(a.data, b.data, n) : 0;
    if (order != 0)
        return order < 0 ? -1 : 1;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_slice(s, 0, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_slice(s, s.len - suffix.len, s.len), suffix);
}

struct str str_trim(struct str s)
{
    size_t from = 0;
    size_t to = s.len;
    while (from < to && (s.data[from] == ' ' || s.data[from] == '\t'))
        from++;
    while (to > from && (s.data[to - 1] == ' ' || s.data[to - 1] == '\t'))
        to--;
    return str_slice(s, from, to);
}

ptrdiff_t str_find_char(struct str s, char c, size_t from)
{
    if (from >= s.len)
        return -1;
    const char *p = memchr(s.data + from, c, s.len - from);
    return p != NULL ? p - s.data : -1;
}

ptrdiff_t str_find(struct str s, struct str needle)
{
    if (needle.len == 0)
        return 0;
    if (s.len < needle.len)
        return -1;
    const char *p = memmem(s.data, s.len, needle.data, needle.len);
    return p != NULL ? p - s.data : -1;
}

bool str_split(struct str *s, char sep, struct str *head)
{
    if (s->data == NULL)
        return false;
    ptrdiff_t at = str_find_char(*s, sep, 0);
    if (at < 0) {
        *head = *s;
        *s = (struct str){ NULL, 0 };
        return true;
    }
    *head = str_slice(*s, 0, (size_t)at);
    *s = str_slice(*s, (size_t)at + 1, s->len);
    return true;
}

int str_to_u64(struct str s, uint64_t *out)
{
    uint64_t v = 0;
    bool over = false;
    if (s.len == 0)
        return -ERR_PARSE;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return -ERR_PARSE;
        over = over || __builtin_mul_overflow(v, (uint64_t)10, &v);
        over = over || __builtin_add_overflow(v, (uint64_t)(s.data[i] - '0'), &v);
    }
    if (over)
        return -ERR_LIMIT;
    *out = v;
    return 0;
}

int str_to_i64(struct str s, int64_t *out)
{
    bool negative = s.len > 0 && s.data[0] == '-';
    uint64_t v;
    int rc = str_to_u64(negative ? str_slice(s, 1, s.len) : s, &v);
    if (rc != 0)
        return rc;
    if (v > (uint64_t)INT64_MAX + (negative ? 1u : 0u))
        return -ERR_LIMIT;
    /* The negation is done unsigned: INT64_MIN has no positive counterpart. */
    *out = (int64_t)(negative ? 0 - v : v);
    return 0;
}

char *str_dup(struct arena *a, struct str s)
{
    char *copy = arena_alloc(a, s.len + 1);
    if (s.len > 0)
        memcpy(copy, s.data, s.len);
    return copy;
}

struct str str_copy(struct arena *a, struct str s)
{
    return (struct str){ str_dup(a, s), s.len };
}

struct str str_printf(struct arena *a, const char *format, ...)
{
    ASSERT(format != NULL);
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    ASSERT(n >= 0);
    char *text = arena_alloc(a, (size_t)n + 1);
    (void)vsnprintf(text, (size_t)n + 1, format, again); /* as measured */
    va_end(again);
    return (struct str){ text, (size_t)n };
}

uint64_t str_hash(struct str s)
{
    uint64_t h = 0xcbf29ce484222325ull ^ 0x9e3779b97f4a7c15ull; /* FNV's basis and our seed */
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (uint8_t)s.data[i]) * 0x100000001b3ull;
    /* FNV leaves the low bits of similar keys alike: mix the high ones in. */
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ull;
    h ^= h >> 32;
    return h;
}

/* Length of the well-formed UTF-8 sequence at p (RFC 3629: no surrogates, no overlong forms), or
 * 0. */
static size_t str_utf8_sequence(const uint8_t *p, size_t left)
{
    static const struct {
        uint8_t lead_min, lead_max, second_min, second_max, len;
    } forms[] = { { 0x00, 0x7F, 0x00, 0x00, 1 }, { 0xC2, 0xDF, 0x80, 0xBF, 2 },
                  { 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 },
                  { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
                  { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 },
                  { 0xF4, 0xF4, 0x80, 0x8F, 4 } };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (p[0] < forms[i].lead_min || p[0] > forms[i].lead_max)
            continue;
        if (forms[i].len > left)
            return 0;
        if (forms[i].len > 1 && (p[1] < forms[i].second_min || p[1] > forms[i].second_max))
            return 0;
        for (size_t k = 2; k < forms[i].len; k++)
            if ((p[k] & 0xC0) != 0x80)
                return 0;
        return forms[i].len;
    }
    return 0;
}

bool str_utf8_valid(struct str s)
{
    const uint8_t *p = (const uint8_t *)s.data;
    size_t i = 0;
    while (i < s.len) {
        if (p[i] < 0x80) {
            i++;
            continue;
        }
        size_t n = str_utf8_sequence(p + i, s.len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}
