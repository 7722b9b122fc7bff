/* Durations as Go writes them: "300ms", "-1.5h", "2h45m". */
#include <string.h>

#include "cli/flags.h"

#define DURATION_DIGITS_MAX 18

static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    { "ns", 1 },       { "us", 1000 },      { "\xc2\xb5s", 1000 },      { "\xce\xbcs", 1000 },
    { "ms", 1000000 }, { "s", 1000000000 }, { "m", 60 * 1000000000ll }, { "h", 3600 * 1000000000ll }
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t take_digits(struct str s, size_t at, int64_t *io_value, int64_t *io_scale)
{
    for (size_t n = 0; at < s.len && is_digit(s.data[at]); at++, n++) {
        if (n >= DURATION_DIGITS_MAX)
            continue;
        *io_value = *io_value * 10 + (s.data[at] - '0');
        *io_scale *= 10;
    }
    return at;
}

static int64_t unit_of(struct str name)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (str_eq_c(name, units[i].name))
            return units[i].ns;
    return 0;
}

/* One number with its unit; *io_at moves behind it. 0: no such thing there; *out_unit tells how far
 * it got. */
static bool take_part(struct str s, size_t *io_at, int64_t *io_sum, struct str *out_unit)
{
    int64_t whole = 0;
    int64_t fraction = 0;
    int64_t ignored = 1;
    int64_t scale = 1;
    size_t start = *io_at;
    size_t at = take_digits(s, start, &whole, &ignored);
    size_t digits = at - start;
    if (at < s.len && s.data[at] == '.') {
        size_t from = ++at;
        at = take_digits(s, at, &fraction, &scale);
        digits += at - from;
    }
    size_t from = at;
    while (at < s.len && !is_digit(s.data[at]) && s.data[at] != '.')
        at++;
    *out_unit = str_slice(s, from, at);
    int64_t ns = unit_of(*out_unit);
    int64_t part;
    if (digits == 0 || digits > DURATION_DIGITS_MAX) {
        *out_unit = str_of(NULL, 0);
        return false;
    }
    if (ns == 0)
        return false;
    part = (int64_t)((double)fraction / (double)scale * (double)ns);
    if (__builtin_mul_overflow(whole, ns, &whole) ||
        __builtin_add_overflow(*io_sum, whole, io_sum) ||
        __builtin_add_overflow(*io_sum, part, io_sum)) {
        *out_unit = str_of(NULL, 0);
        return false;
    }
    *io_at = at;
    return true;
}

int flags_duration(struct str text, int64_t *out, struct err *e)
{
    struct str s = text;
    int64_t sum = 0;
    size_t at = 0;
    bool minus = s.len > 0 && s.data[0] == '-';
    if (s.len > 0 && (s.data[0] == '-' || s.data[0] == '+'))
        s = str_slice(s, 1, s.len);
    if (str_eq_c(s, "0")) {
        *out = 0;
        return 0;
    }
    bool good = s.len > 0;
    while (good && at < s.len) {
        struct str unit = { NULL, 0 };
        good = take_part(s, &at, &sum, &unit);
        if (!good && unit.data != NULL && unit.len == 0)
            return err_set(e, ERR_PARSE, "time: missing unit in duration \"%.*s\"", STR_ARG(text));
        if (!good && unit.len > 0)
            return err_set(e, ERR_PARSE, "time: unknown unit \"%.*s\" in duration \"%.*s\"",
                           STR_ARG(unit), STR_ARG(text));
    }
    if (!good)
        return err_set(e, ERR_PARSE, "time: invalid duration \"%.*s\"", STR_ARG(text));
    *out = minus ? -sum : sum;
    return 0;
}
