/* Plain YAML 1.1 scalars, by go-yaml v2's table. */
#include "api/schema/yaml_scalar.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

/* Longer texts are strings. */
#define NUMBER_BYTES_MAX 128

enum word { WORD_NONE, WORD_NULL, WORD_TRUE, WORD_FALSE, WORD_OTHER };

static const struct {
    const char *text;
    enum word word;
} words[] = { { "~", WORD_NULL },      { "null", WORD_NULL },   { "Null", WORD_NULL },
              { "NULL", WORD_NULL },   { "y", WORD_TRUE },      { "Y", WORD_TRUE },
              { "yes", WORD_TRUE },    { "Yes", WORD_TRUE },    { "YES", WORD_TRUE },
              { "true", WORD_TRUE },   { "True", WORD_TRUE },   { "TRUE", WORD_TRUE },
              { "on", WORD_TRUE },     { "On", WORD_TRUE },     { "ON", WORD_TRUE },
              { "n", WORD_FALSE },     { "N", WORD_FALSE },     { "no", WORD_FALSE },
              { "No", WORD_FALSE },    { "NO", WORD_FALSE },    { "false", WORD_FALSE },
              { "False", WORD_FALSE }, { "FALSE", WORD_FALSE }, { "off", WORD_FALSE },
              { "Off", WORD_FALSE },   { "OFF", WORD_FALSE },   { ".nan", WORD_OTHER },
              { ".NaN", WORD_OTHER },  { ".NAN", WORD_OTHER },  { ".inf", WORD_OTHER },
              { ".Inf", WORD_OTHER },  { ".INF", WORD_OTHER },  { "+.inf", WORD_OTHER },
              { "+.Inf", WORD_OTHER }, { "+.INF", WORD_OTHER }, { "-.inf", WORD_OTHER },
              { "-.Inf", WORD_OTHER }, { "-.INF", WORD_OTHER }, { "<<", WORD_OTHER } };

static enum word word_of(struct str text)
{
    if (text.len == 0)
        return WORD_NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (str_eq_c(text, words[i].text))
            return words[i].word;
    }
    return WORD_NONE;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t span_digits(const char *s)
{
    size_t n = 0;
    while (is_digit(s[n]))
        n++;
    return n;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_float(const char *s)
{
    s += *s == '-' || *s == '+';
    size_t whole = span_digits(s);
    s += whole;
    if (*s == '.') {
        size_t fraction = span_digits(s + 1);
        if (whole + fraction == 0)
            return false;
        s += 1 + fraction;
    } else if (whole == 0) {
        return false;
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        size_t power = span_digits(s);
        if (power == 0)
            return false;
        s += power;
    }
    return *s == '\0';
}

/* Go's ParseInt with base 0: decimal, 0x, 0o, 0b, and a leading zero for octal. */
static bool parse_integer(const char *s, bool *negative, uint64_t *out)
{
    int base = 10;
    *negative = *s == '-';
    s += *s == '-' || *s == '+';
    if (s[0] == '0' && s[1] != '\0') {
        char c = (char)(s[1] | 0x20);
        base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
        s += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
    }
    uint64_t value = 0;
    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++) {
        char c = (char)(*s | 0x20);
        int digit = is_digit(*s) ? *s - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
        if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    *out = value;
    return !*negative || value <= (uint64_t)INT64_MAX + 1;
}

/* Copies without underscores; false when it can be no number. */
static bool number_text(struct str text, char out[NUMBER_BYTES_MAX + 1])
{
    size_t len = 0;
    if (text.len == 0 || text.len > NUMBER_BYTES_MAX ||
        (!is_digit(text.data[0]) && memchr("+-.", text.data[0], 3) == NULL))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\0')
            return false;
        if (text.data[i] != '_')
            out[len++] = text.data[i];
    }
    out[len] = '\0';
    return len > 0;
}

/* A number with point or exponent. Go makes a float64 of it and prints that as JSON, so 1.0 and 1e3
 * are whole numbers. Others keep their text where JSON can have it: no digit is lost. */
static struct json resolve_float(struct arena *a, struct str text, double number)
{
    struct buf b;
    struct json out = json_double(number);
    int64_t whole;
    buf_init(&b);
    json_write_double(&b, number);
    if (str_to_i64(buf_str(&b), &whole) == 0) {
        buf_deinit(&b);
        return json_int(whole);
    }
    struct str shown = json_check(text, NULL) == 0 ? text : str_copy(a, buf_str(&b));
    buf_deinit(&b);
    out.text = shown.data;
    out.count = (uint32_t)shown.len;
    return out;
}

struct json yaml_resolve(struct arena *a, struct str text)
{
    char plain[NUMBER_BYTES_MAX + 1];
    bool negative;
    uint64_t value;
    enum word word = word_of(text);
    if (word == WORD_NULL)
        return json_null;
    if (word == WORD_TRUE || word == WORD_FALSE)
        return json_bool(word == WORD_TRUE);
    if (word == WORD_OTHER || !number_text(text, plain))
        return json_string(text);
    if (parse_integer(plain, &negative, &value)) {
        if (negative)
            return json_int((int64_t)(0 - value));
        if (value <= INT64_MAX)
            return json_int((int64_t)value);
        struct str digits = str_printf(a, "%llu", (unsigned long long)value);
        return (struct json){ .type = JSON_DOUBLE,
                              .count = (uint32_t)digits.len,
                              .u.number = (double)value,
                              .text = digits.data };
    }
    if (!is_float(plain))
        return json_string(text);
    double number = strtod(plain, NULL);
    return number - number == 0.0 ? resolve_float(a, text, number) : json_string(text);
}

/* ---- what the printer must quote ---- */

/* One or two digits and then c (any of two); returns what follows, NULL when they are not there. */
static const char *take_part(const char *s, const char *separators)
{
    size_t n = s == NULL ? 0 : span_digits(s);
    if (n < 1 || n > 2)
        return NULL;
    s += n;
    if (*separators == '\0')
        return s;
    return *s != '\0' && strchr(separators, *s) != NULL ? s + 1 : NULL;
}

static bool is_zone(const char *s)
{
    if (*s == 'Z')
        return s[1] == '\0';
    return (*s == '+' || *s == '-') && span_digits(s + 1) == 2 && s[3] == ':' &&
           span_digits(s + 4) == 2 && s[6] == '\0';
}

static bool is_timestamp(const char *s)
{
    if (span_digits(s) != 4 || s[4] != '-')
        return false;
    const char *day = take_part(s + 5, "-");
    const char *at = take_part(day, "");
    if (at == NULL)
        return false;
    if (*at == '\0')
        return true;
    bool zoned = *at == 'T' || *at == 't';
    if (!zoned && *at != ' ')
        return false;
    at = take_part(take_part(take_part(at + 1, ":"), ":"), "");
    if (at == NULL)
        return false;
    if (*at == '.' && is_digit(at[1]))
        at += 1 + span_digits(at + 1);
    return zoned ? is_zone(at) : *at == '\0';
}

/* 1:30:00.5 was a number in YAML 1.1; go-yaml quotes it for others' sake. */
static bool is_base60(const char *s)
{
    bool colon = false;
    s += *s == '-' || *s == '+';
    if (!is_digit(*s))
        return false;
    s += strspn(s, "0123456789_");
    while (*s == ':') {
        size_t n = span_digits(s + 1);
        if (n < 1 || n > 2 || (n == 2 && s[1] > '5'))
            return false;
        s += 1 + n;
        colon = true;
    }
    if (*s == '.')
        s += 1 + strspn(s + 1, "0123456789_");
    return colon && *s == '\0';
}

bool yaml_needs_quotes(struct str text)
{
    char plain[NUMBER_BYTES_MAX + 1];
    bool negative;
    uint64_t value;
    if (word_of(text) != WORD_NONE)
        return true;
    if (!number_text(text, plain))
        return false;
    return parse_integer(plain, &negative, &value) || is_float(plain) || is_timestamp(plain) ||
           is_base60(plain);
}
