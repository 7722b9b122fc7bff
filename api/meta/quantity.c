/*
 * Parsing keeps the first QUANTITY_DIGITS_* significant digits exactly and remembers whether any
 * later digit was not zero: such a rest only matters for rounding up at the nano.
 */
#include "api/meta/quantity.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"

/* Largest amount after rounding, 2^63-1 units, where upstream caps what it cannot hold exactly. */
#define QUANTITY_UNITS_MAX INT64_MAX
#define NANOS_PER_UNIT     1000000000
#define NANOS_PER_MILLI    1000000

/* Digits kept: 28 reach 10^19 units at nano precision; with a binary suffix 19, so that
 * multiplying by 2^60 stays inside 128 bits. */
#define QUANTITY_DIGITS_DECIMAL 28
#define QUANTITY_DIGITS_BINARY  19

/* Decimal amounts above the cap are held if they were written, and print, in no more digits than
 * upstream's int64 mantissa takes: "12E" stays "12E". */
#define QUANTITY_UNCAPPED_DIGITS 18
static const __int128 quantity_uncapped_mantissa = 1000000000000000000;

/* A bound on exponents that is far past any amount we can hold. */
#define QUANTITY_EXPONENT_MAX 1000

static const char quantity_bad_format[] = "quantities must match the regular expression "
                                          "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

struct quantity_suffix {
    const char *text;
    enum quantity_family family;
    int exponent; /* of 10, or of 2 for the binary family */
};

static const struct quantity_suffix suffixes[] = {
    { "n", QUANTITY_DECIMAL, -9 }, { "u", QUANTITY_DECIMAL, -6 }, { "m", QUANTITY_DECIMAL, -3 },
    { "", QUANTITY_DECIMAL, 0 },   { "k", QUANTITY_DECIMAL, 3 },  { "M", QUANTITY_DECIMAL, 6 },
    { "G", QUANTITY_DECIMAL, 9 },  { "T", QUANTITY_DECIMAL, 12 }, { "P", QUANTITY_DECIMAL, 15 },
    { "E", QUANTITY_DECIMAL, 18 }, { "Ki", QUANTITY_BINARY, 10 }, { "Mi", QUANTITY_BINARY, 20 },
    { "Gi", QUANTITY_BINARY, 30 }, { "Ti", QUANTITY_BINARY, 40 }, { "Pi", QUANTITY_BINARY, 50 },
    { "Ei", QUANTITY_BINARY, 60 }
};

#define SUFFIXES_COUNT (sizeof(suffixes) / sizeof(suffixes[0]))

/* The text cut into its parts. */
struct quantity_parts {
    bool negative;
    struct str integer;  /* digits before the point, leading zeros cut */
    struct str fraction; /* digits after it */
    struct str suffix;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(struct str s, size_t at)
{
    while (at < s.len && is_digit(s.data[at]))
        at++;
    return at;
}

static bool suffix_well_formed(struct str suffix)
{
    size_t at = 0;
    while (at < suffix.len && strchr("eEinumkKMGTP", suffix.data[at]) != NULL &&
           suffix.data[at] != '\0')
        at++;
    if (at < suffix.len && (suffix.data[at] == '-' || suffix.data[at] == '+'))
        at++;
    return skip_digits(suffix, at) == suffix.len;
}

static bool quantity_cut(struct str text, struct quantity_parts *out)
{
    size_t at = 0;
    out->negative = text.len > 0 && text.data[0] == '-';
    if (text.len > 0 && (text.data[0] == '-' || text.data[0] == '+'))
        at++;
    size_t start = at;
    size_t end = skip_digits(text, at);
    bool any = end > start;
    while (start < end && text.data[start] == '0')
        start++;
    out->integer = str_slice(text, start, end);
    out->fraction = (struct str){ 0 };
    if (end < text.len && text.data[end] == '.') {
        start = end + 1;
        end = skip_digits(text, start);
        out->fraction = str_slice(text, start, end);
        any = any || end > start;
    }
    out->suffix = str_slice(text, end, text.len);
    return any && suffix_well_formed(out->suffix);
}

static bool parse_exponent(struct str suffix, int *out)
{
    if (suffix.len < 2 || (suffix.data[0] != 'e' && suffix.data[0] != 'E'))
        return false;
    bool negative = suffix.data[1] == '-';
    size_t from = negative || suffix.data[1] == '+' ? 2 : 1;
    uint64_t value = 0;
    if (str_to_u64(str_slice(suffix, from, suffix.len), &value) < 0)
        return false;
    if (value > QUANTITY_EXPONENT_MAX)
        value = QUANTITY_EXPONENT_MAX;
    *out = negative ? -(int)value : (int)value;
    return true;
}

static bool parse_suffix(struct str text, struct quantity_suffix *out)
{
    for (size_t i = 0; i < SUFFIXES_COUNT; i++) {
        if (str_eq_c(text, suffixes[i].text)) {
            *out = suffixes[i];
            return true;
        }
    }
    out->text = "";
    out->family = QUANTITY_EXPONENT;
    return parse_exponent(text, &out->exponent);
}

/* A decimal number being read: mantissa * 10^exponent, rest: a digit beyond it was not zero. */
struct decimal {
    __int128 mantissa;
    int exponent;
    int digits;
    bool rest;
};

static void decimal_digits(struct decimal *d, struct str digits, bool fraction, int digits_max)
{
    for (size_t i = 0; i < digits.len; i++) {
        int digit = digits.data[i] - '0';
        if (d->digits == digits_max) {
            d->rest = d->rest || digit != 0;
            d->exponent += fraction ? 0 : 1;
            continue;
        }
        d->mantissa = d->mantissa * 10 + digit;
        d->digits += d->mantissa != 0;
        d->exponent -= fraction ? 1 : 0;
    }
}

/* mantissa * 10^exponent, rounded up; false on overflow. */
static bool decimal_round(struct decimal *d)
{
    for (; d->exponent > 0 && d->mantissa != 0; d->exponent--) {
        if (__builtin_mul_overflow(d->mantissa, (__int128)10, &d->mantissa))
            return false;
    }
    for (; d->exponent < 0 && d->mantissa != 0; d->exponent++) {
        d->rest = d->rest || d->mantissa % 10 != 0;
        d->mantissa /= 10;
    }
    d->mantissa += d->rest;
    return true;
}

/* Takes factors of ten out of nanos (not 0): *mantissa times ten to the result. The exponent is a
 * multiple of three, and without an exponent form no more than the largest suffix can say. */
static int canonical_exponent(__int128 *mantissa, bool as_exponent)
{
    int exponent = -9;
    while (*mantissa % 10 == 0) {
        *mantissa /= 10;
        exponent++;
    }
    while (exponent % 3 != 0 || (!as_exponent && exponent > 18)) {
        *mantissa *= 10;
        exponent--;
    }
    return exponent;
}

static bool holds_uncapped(__int128 nanos, enum quantity_family family)
{
    if (family == QUANTITY_BINARY)
        return false;
    (void)canonical_exponent(&nanos, family == QUANTITY_EXPONENT);
    return nanos < quantity_uncapped_mantissa;
}

int quantity_parse(struct str text, struct quantity *out, struct err *e)
{
    struct quantity_parts parts;
    if (text.len == 0 || text.len >= QUANTITY_TEXT_MAX || !quantity_cut(text, &parts))
        return err_set(e, ERR_INVALID_ARGUMENT, "%s", quantity_bad_format);
    struct quantity_suffix suffix;
    if (!parse_suffix(parts.suffix, &suffix))
        return err_set(e, ERR_INVALID_ARGUMENT, "unable to parse quantity's suffix");

    bool binary = suffix.family == QUANTITY_BINARY;
    int digits_max = binary ? QUANTITY_DIGITS_BINARY : QUANTITY_DIGITS_DECIMAL;
    struct decimal d = { .exponent = 9 }; /* in nanos */
    decimal_digits(&d, parts.integer, false, digits_max);
    decimal_digits(&d, parts.fraction, true, digits_max);
    if (binary)
        d.mantissa <<= suffix.exponent;
    else
        d.exponent += suffix.exponent;

    const __int128 cap = (__int128)QUANTITY_UNITS_MAX * NANOS_PER_UNIT;
    bool long_text = parts.integer.len + parts.fraction.len > QUANTITY_UNCAPPED_DIGITS;
    if (!decimal_round(&d) ||
        (d.mantissa > cap && (long_text || !holds_uncapped(d.mantissa, suffix.family))))
        d.mantissa = cap;
    /* Upstream: a binary amount below one prints as a decimal one. */
    if (binary && d.mantissa > 0 && d.mantissa < NANOS_PER_UNIT)
        suffix.family = QUANTITY_DECIMAL;
    out->nanos = parts.negative ? -d.mantissa : d.mantissa;
    out->family = suffix.family;
    return 0;
}

static size_t put_int128(__int128 v, char *out)
{
    char digits[48];
    size_t count = 0;
    size_t len = 0;
    unsigned __int128 u = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
    do {
        digits[count++] = (char)('0' + (int)(u % 10));
        u /= 10;
    } while (u != 0);
    if (v < 0)
        out[len++] = '-';
    while (count > 0)
        out[len++] = digits[--count];
    return len;
}

static size_t put_text(char *out, size_t at, const char *text)
{
    size_t len = strlen(text);
    memcpy(out + at, text, len);
    return at + len;
}

static const char *suffix_text(enum quantity_family family, int exponent)
{
    for (size_t i = 0; i < SUFFIXES_COUNT; i++) {
        if (suffixes[i].family == family && suffixes[i].exponent == exponent)
            return suffixes[i].text;
    }
    return "";
}

static size_t format_decimal(const struct quantity *q, bool as_exponent, char *out)
{
    __int128 mantissa = q->nanos;
    int exponent = canonical_exponent(&mantissa, as_exponent);
    size_t len = put_int128(mantissa, out);
    if (!as_exponent)
        return put_text(out, len, suffix_text(QUANTITY_DECIMAL, exponent));
    if (exponent != 0) {
        out[len++] = 'e';
        len += put_int128(exponent, out + len);
    }
    return len;
}

static size_t format_binary(const struct quantity *q, char *out)
{
    __int128 units = q->nanos / NANOS_PER_UNIT;
    int exponent = 0;
    while (exponent < 60 && units % 1024 == 0) {
        units /= 1024;
        exponent += 10;
    }
    size_t len = put_int128(units, out);
    return exponent == 0 ? len : put_text(out, len, suffix_text(QUANTITY_BINARY, exponent));
}

size_t quantity_format(const struct quantity *q, char out[QUANTITY_TEXT_MAX])
{
    const __int128 kibi = (__int128)1024 * NANOS_PER_UNIT;
    size_t len;
    if (q->nanos == 0)
        len = put_text(out, 0, "0");
    else if (q->family == QUANTITY_BINARY && (q->nanos <= -kibi || q->nanos >= kibi) &&
             q->nanos % NANOS_PER_UNIT == 0)
        len = format_binary(q, out);
    else
        len = format_decimal(q, q->family == QUANTITY_EXPONENT, out);
    out[len] = '\0';
    return len;
}

int quantity_canonical(struct arena *a, struct str text, struct str *out, struct err *e)
{
    struct quantity q;
    int rc = quantity_parse(text, &q, e);
    if (rc < 0)
        return rc;
    char canonical[QUANTITY_TEXT_MAX];
    size_t len = quantity_format(&q, canonical);
    *out = str_copy(a, str_of(canonical, len));
    return 0;
}

int quantity_cmp(const struct quantity *a, const struct quantity *b)
{
    return (a->nanos > b->nanos) - (a->nanos < b->nanos);
}

int quantity_add(struct quantity *sum, const struct quantity *add)
{
    __int128 nanos;
    if (__builtin_add_overflow(sum->nanos, add->nanos, &nanos))
        return -ERR_LIMIT;
    if (sum->nanos == 0)
        sum->family = add->family;
    sum->nanos = nanos;
    return 0;
}

int quantity_sub(struct quantity *from, const struct quantity *sub)
{
    __int128 nanos;
    if (__builtin_sub_overflow(from->nanos, sub->nanos, &nanos))
        return -ERR_LIMIT;
    if (from->nanos == 0)
        from->family = sub->family;
    from->nanos = nanos;
    return 0;
}

static int64_t divide_up(__int128 nanos, __int128 by)
{
    __int128 whole = nanos / by;
    if (nanos % by != 0)
        whole += nanos > 0 ? 1 : -1;
    if (whole > INT64_MAX)
        return INT64_MAX;
    return whole < INT64_MIN ? INT64_MIN : (int64_t)whole;
}

int64_t quantity_value(const struct quantity *q)
{
    return divide_up(q->nanos, NANOS_PER_UNIT);
}

int64_t quantity_milli(const struct quantity *q)
{
    return divide_up(q->nanos, NANOS_PER_MILLI);
}

struct quantity quantity_of_value(int64_t units, enum quantity_family family)
{
    return (struct quantity){ (__int128)units * NANOS_PER_UNIT, family };
}

struct quantity quantity_of_milli(int64_t thousandths, enum quantity_family family)
{
    return (struct quantity){ (__int128)thousandths * NANOS_PER_MILLI, family };
}
