/*
 * Quantities: any text that upstream takes, in the form that upstream keeps it in. That is its
 * canonical form, but for texts that upstream's quick check takes for canonical: those stay as they
 * are.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "api/schema/scalar.h"
#include "base/err.h"

__extension__ typedef __int128 wide;

#define NANO 1000000000

enum family { DECIMAL, BINARY, EXPONENT };

struct suffix {
    const char *text;
    enum family family;
    int power; /* of 10 or of 1024 */
};

static const struct suffix suffixes[] = {
    { "", DECIMAL, 0 },   { "n", DECIMAL, -9 }, { "u", DECIMAL, -6 }, { "m", DECIMAL, -3 },
    { "k", DECIMAL, 3 },  { "M", DECIMAL, 6 },  { "G", DECIMAL, 9 },  { "T", DECIMAL, 12 },
    { "P", DECIMAL, 15 }, { "E", DECIMAL, 18 }, { "Ki", BINARY, 1 },  { "Mi", BINARY, 2 },
    { "Gi", BINARY, 3 },  { "Ti", BINARY, 4 },  { "Pi", BINARY, 5 },  { "Ei", BINARY, 6 }
};
#define SUFFIX_COUNT (sizeof(suffixes) / sizeof(suffixes[0]))

/* Largest magnitude of the binary family: 2^63-1 units; and what still multiplies by 1024. */
static const wide units_max = (wide)INT64_MAX * NANO;
static const wide multiply_max = ((wide)1 << 126) / 1024;

/* Significant digits that are kept; later ones only count as "more". A wide has room for some zeros
 * behind them. */
#define DIGITS_MAX   32
#define DIGITS_SPARE 3
/* Longer texts and larger exponents are no quantities anyone means. */
#define QUANTITY_BYTES_MAX 512
#define POWER_MAX          1000

/* value * 10^power, or more than that by less than one of the last digit. */
struct decimal {
    wide value;
    int power;
    bool inexact;
};

static int format_error(struct err *e)
{
    return err_set(e, ERR_INVALID_ARGUMENT,
                   "quantities must match the regular expression "
                   "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

static size_t span(struct str s, size_t at, const char *set)
{
    while (at < s.len && s.data[at] != '\0' && strchr(set, s.data[at]) != NULL)
        at++;
    return at;
}

static int parse_suffix(struct str text, struct suffix *out, struct err *e)
{
    int64_t power = 0;
    for (size_t i = 0; i < SUFFIX_COUNT; i++) {
        if (str_eq_c(text, suffixes[i].text)) {
            *out = suffixes[i];
            return 0;
        }
    }
    size_t at = span(text, 0, "eEinumkKMGTP");
    at += at < text.len && (text.data[at] == '-' || text.data[at] == '+');
    if (span(text, at, "0123456789") < text.len)
        return format_error(e);
    bool plus = text.len > 1 && text.data[1] == '+';
    if ((text.data[0] != 'e' && text.data[0] != 'E') ||
        str_to_i64(str_slice(text, plus ? 2 : 1, text.len), &power) != 0 || power < -POWER_MAX ||
        power > POWER_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "unable to parse quantity's suffix");
    *out = (struct suffix){ .text = "", .family = EXPONENT, .power = (int)power };
    return 0;
}

static void shrink(struct decimal *d)
{
    d->inexact |= d->value % 10 != 0;
    d->value /= 10;
    d->power++;
}

/* No digits are a zero. A second point was refused before. */
static void parse_digits(struct str number, struct decimal *out)
{
    struct decimal d = { 0 };
    int digits = 0;
    bool point = false;
    for (size_t i = 0; i < number.len; i++) {
        char c = number.data[i];
        if (c == '.') {
            point = true;
            continue;
        }
        if (digits == DIGITS_MAX) {
            d.inexact |= c != '0';
            d.power += !point;
            continue;
        }
        d.value = d.value * 10 + (c - '0');
        digits += d.value != 0;
        d.power -= point;
    }
    *out = d;
}

/* Nothing is finer than a nano: what is there counts as one. */
static void round_up(struct decimal *d)
{
    while (d->power < -9 && (d->value != 0 || d->inexact)) {
        if (d->value == 0) {
            d->power = -9;
            break;
        }
        shrink(d);
    }
    d->value += d->inexact;
    d->inexact = false;
}

/* Nanos of a binary quantity, cut to the largest. */
static wide binary_nanos(struct decimal d, int power)
{
    for (int i = 0; i < power; i++) {
        while (d.value > multiply_max)
            shrink(&d);
        d.value *= 1024;
    }
    for (; d.power > -9 && d.value != 0; d.power--) {
        if (d.value > units_max)
            return units_max;
        d.value *= 10;
    }
    round_up(&d);
    return d.value > units_max ? units_max : d.value;
}

static size_t print_wide(wide value, char *out)
{
    char digits[48];
    size_t at = sizeof(digits);
    size_t len = 0;
    do {
        digits[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value != 0);
    len = sizeof(digits) - at;
    memcpy(out, digits + at, len);
    return len;
}

static const char *suffix_text(enum family family, int power)
{
    for (size_t i = 0; i < SUFFIX_COUNT; i++) {
        if (suffixes[i].power == power && suffixes[i].family == (power == 0 ? DECIMAL : family))
            return suffixes[i].text;
    }
    return "";
}

/* The fewest digits at a power that is a multiple of three. */
static size_t print_decimal(struct decimal d, enum family family, char *out)
{
    const int power_max = 18; /* of "E", the largest suffix */
    while (d.value % 10 == 0) {
        d.value /= 10;
        d.power++;
    }
    if (d.power > power_max + DIGITS_SPARE)
        family = EXPONENT; /* too large for a suffix */
    for (; d.power % 3 != 0 || (family != EXPONENT && d.power > power_max); d.power--)
        d.value *= 10;
    size_t len = print_wide(d.value, out);
    if (family == EXPONENT && d.power != 0)
        return len + (size_t)snprintf(out + len, 8, "e%d", d.power);
    return len + (size_t)snprintf(out + len, 8, "%s", suffix_text(DECIMAL, d.power));
}

static size_t print_binary(wide nanos, char *out)
{
    wide units = nanos / NANO;
    int power = 0;
    if (nanos < (wide)1024 * NANO || nanos % NANO != 0)
        return print_decimal((struct decimal){ .value = nanos, .power = -9 }, DECIMAL, out);
    while (units % 1024 == 0 && power < 6) {
        units /= 1024;
        power++;
    }
    size_t len = print_wide(units, out);
    return len + (size_t)snprintf(out + len, 8, "%s", suffix_text(BINARY, power));
}

/* ---- what upstream takes for canonical ---- */

/* Digits before and behind the point, without leading zeros; a zero where none are left. */
struct parts {
    struct str whole;
    struct str fraction;
};

static struct parts split(struct str number)
{
    struct parts p;
    size_t from = span(number, 0, "0");
    size_t at = span(number, from, "0123456789");
    p.whole = at == from ? str_lit("0") : str_slice(number, from, at);
    p.fraction = at < number.len ? str_slice(number, at + 1, number.len) : str_lit("");
    return p;
}

static bool stays_binary(const struct parts *p, int power)
{
    const int digits_max = 14; /* upstream's estimate of what an int64 holds */
    int64_t value = 0;
    return p->fraction.len == 0 && (int)p->whole.len + 3 * power <= digits_max &&
           str_to_i64(p->whole, &value) == 0 && value % 8 != 0;
}

static bool stays_decimal(const struct parts *p, int power)
{
    const size_t digits_max = 18; /* of an int64 */
    char digits[20];
    size_t len = p->whole.len + p->fraction.len;
    int scale = power - (int)p->fraction.len;
    if (len > digits_max || scale < -9 || scale % 3 != 0 || p->whole.data[0] == '0')
        return false;
    memcpy(digits, p->whole.data, p->whole.len);
    if (p->fraction.len > 0)
        memcpy(digits + p->whole.len, p->fraction.data, p->fraction.len);
    return !str_ends(str_of(digits, len), str_lit("000"));
}

/* Whether the text goes on as it is: its number has no zeros to take off, by upstream's check. */
static bool stays(struct str text, struct str number, const struct suffix *suffix)
{
    const struct parts p = split(number);
    if (text.len >= SCALAR_TEXT_BYTES)
        return false;
    return suffix->family == BINARY ? stays_binary(&p, suffix->power)
                                    : stays_decimal(&p, suffix->power);
}

/* Upstream's own code forgets the suffix of a number above 999E; here it keeps more digits. */
static int canonical(struct str text, bool may_stay, char *out, size_t *out_len, struct err *e)
{
    struct suffix suffix = { 0 };
    struct decimal d;
    size_t len = 0;
    if (text.len == 0 || text.len > QUANTITY_BYTES_MAX)
        return format_error(e);
    size_t from = text.data[0] == '-' || text.data[0] == '+';
    size_t at = span(text, from, "0123456789");
    if (at < text.len && text.data[at] == '.')
        at = span(text, at + 1, "0123456789");
    if (at < text.len && text.data[at] == '.')
        return format_error(e);
    int rc = parse_suffix(str_slice(text, at, text.len), &suffix, e);
    if (rc != 0)
        return rc;
    if (may_stay && stays(text, str_slice(text, from, at), &suffix)) {
        memcpy(out, text.data, text.len);
        *out_len = text.len;
        return 0;
    }
    parse_digits(str_slice(text, from, at), &d);
    if (d.value == 0 && !d.inexact) {
        memcpy(out, "0", 2);
        *out_len = 1;
        return 0;
    }
    if (text.data[0] == '-')
        out[len++] = '-';
    if (suffix.family == BINARY) {
        *out_len = len + print_binary(binary_nanos(d, suffix.power), out + len);
        return 0;
    }
    d.power += suffix.power;
    round_up(&d);
    *out_len = len + print_decimal(d, suffix.family, out + len);
    return 0;
}

int scalar_quantity(struct str text, char out[SCALAR_TEXT_BYTES], size_t *out_len, struct err *e)
{
    return canonical(text, true, out, out_len, e);
}

int scalar_quantity_canonical(struct str text, char out[SCALAR_TEXT_BYTES], size_t *out_len,
                              struct err *e)
{
    return canonical(text, false, out, out_len, e);
}
