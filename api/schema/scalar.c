/* Quantities, times and durations as text. */
#include "api/schema/scalar.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

__extension__ typedef __int128 wide; /* a number of 10^-9 */

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

/* Largest magnitude: 2^63-1 units, and what still multiplies without overflow. */
static const wide units_max = (wide)INT64_MAX * NANO;
static const wide multiply_max = ((wide)1 << 126) / 1024;

static int format_error(struct err *e)
{
    return err_set(e, ERR_INVALID_ARGUMENT,
                   "quantities must match the regular expression "
                   "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

static int suffix_error(struct err *e)
{
    return err_set(e, ERR_INVALID_ARGUMENT, "unable to parse quantity's suffix");
}

static int parse_suffix(struct str text, struct suffix *out, struct err *e)
{
    for (size_t i = 0; i < SUFFIX_COUNT; i++) {
        if (str_eq_c(text, suffixes[i].text)) {
            *out = suffixes[i];
            return 0;
        }
    }
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("eEinumkKMGTP+-0123456789", text.data[i]) == NULL || text.data[i] == '\0')
            return format_error(e);
    }
    if (text.data[0] != 'e' && text.data[0] != 'E')
        return suffix_error(e);
    int64_t power = 0;
    bool plus = text.len > 1 && text.data[1] == '+';
    if (str_to_i64(str_slice(text, plus ? 2 : 1, text.len), &power) != 0 || power < -100 ||
        power > 100)
        return suffix_error(e);
    *out = (struct suffix){ .text = "", .family = EXPONENT, .power = (int)power };
    return 0;
}

/* value * base, cut to the largest quantity; exact tells whether it was cut. */
static wide scale_up(wide value, int base)
{
    return value > multiply_max ? units_max : value * base;
}

/* Digits with an optional point → nanos, finer ones rounded away from zero. */
static wide parse_digits(struct str number, const struct suffix *suffix, bool *bad)
{
    wide value = 0;
    int after_point = -1;
    bool any = false;
    for (size_t i = 0; i < number.len; i++) {
        char c = number.data[i];
        if (c == '.') {
            *bad |= after_point >= 0;
            after_point = 0;
            continue;
        }
        any = true;
        if (after_point >= 40)
            continue;
        if (value > multiply_max)
            return units_max;
        value = value * 10 + (c - '0');
        after_point += after_point >= 0;
    }
    *bad |= !any;
    int power = 9 - (after_point > 0 ? after_point : 0);
    power += suffix->family == BINARY ? 0 : suffix->power;
    for (int i = 0; suffix->family == BINARY && i < suffix->power; i++)
        value = scale_up(value, 1024);
    for (; power > 0 && value != 0; power--)
        value = scale_up(value, 10);
    bool inexact = false;
    for (; power < 0 && value != 0; power++) {
        inexact |= value % 10 != 0;
        value /= 10;
    }
    return value + (inexact ? 1 : 0);
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

static size_t print_decimal(wide nanos, enum family family, char *out)
{
    int power = -9;
    while (nanos != 0 && nanos % 1000 == 0 && power < 18) {
        nanos /= 1000;
        power += 3;
    }
    size_t len = print_wide(nanos, out);
    if (family == EXPONENT && power != 0)
        return len + (size_t)snprintf(out + len, 8, "e%d", power);
    return len + (size_t)snprintf(out + len, 8, "%s", suffix_text(DECIMAL, power));
}

static size_t print_binary(wide nanos, char *out)
{
    wide units = nanos / NANO;
    int power = 0;
    while (units % 1024 == 0 && power < 6) {
        units /= 1024;
        power++;
    }
    size_t len = print_wide(units, out);
    return len + (size_t)snprintf(out + len, 8, "%s", suffix_text(BINARY, power));
}

int scalar_quantity(struct str text, char out[SCALAR_TEXT_BYTES], size_t *out_len, struct err *e)
{
    struct suffix suffix = { 0 };
    bool bad = false;
    size_t from = 0;
    if (text.len == 0 || text.len > 512)
        return format_error(e);
    bool negative = text.data[0] == '-';
    if (negative || text.data[0] == '+')
        from = 1;
    size_t at = from;
    while (at < text.len &&
           ((text.data[at] >= '0' && text.data[at] <= '9') || text.data[at] == '.'))
        at++;
    if (at == from)
        return format_error(e);
    int rc = parse_suffix(str_slice(text, at, text.len), &suffix, e);
    if (rc != 0)
        return rc;
    wide nanos = parse_digits(str_slice(text, from, at), &suffix, &bad);
    if (bad)
        return err_set(e, ERR_INVALID_ARGUMENT, "unable to parse numeric part of quantity");
    if (nanos > units_max && at - from > 18)
        nanos = units_max;
    if (nanos == 0) {
        memcpy(out, "0", 2);
        *out_len = 1;
        return 0;
    }
    size_t len = 0;
    if (negative)
        out[len++] = '-';
    bool binary = suffix.family == BINARY && nanos >= (wide)1024 * NANO && nanos % NANO == 0;
    *out_len = len + (binary ? print_binary(nanos, out + len)
                             : print_decimal(nanos, suffix.family, out + len));
    return 0;
}

/* ---- times ---- */

int64_t civil_to_days(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

/* Reads count digits of a number within [low, high]. */
static bool take_number(struct str *s, size_t count, int low, int high, int *out)
{
    int value = 0;
    if (s->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (s->data[i] < '0' || s->data[i] > '9')
            return false;
        value = value * 10 + (s->data[i] - '0');
    }
    if (value < low || value > high)
        return false;
    *out = value;
    *s = str_slice(*s, count, s->len);
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (s->len == 0 || s->data[0] != c)
        return false;
    *s = str_slice(*s, 1, s->len);
    return true;
}

static bool take_offset(struct str *s, int *out_seconds)
{
    int hours = 0;
    int minutes = 0;
    *out_seconds = 0;
    if (take_char(s, 'Z'))
        return true;
    bool negative = take_char(s, '-');
    if (!negative && !take_char(s, '+'))
        return false;
    if (!take_number(s, 2, 0, 23, &hours) || !take_char(s, ':') ||
        !take_number(s, 2, 0, 59, &minutes))
        return false;
    *out_seconds = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
    return true;
}

static void take_fraction(struct str *s, int32_t *out_nanos)
{
    int32_t unit = NANO / 10;
    *out_nanos = 0;
    if (s->len < 2 || s->data[0] != '.' || s->data[1] < '0' || s->data[1] > '9')
        return;
    size_t at = 1;
    for (; at < s->len && s->data[at] >= '0' && s->data[at] <= '9'; at++) {
        *out_nanos += (s->data[at] - '0') * unit;
        unit /= 10;
    }
    *s = str_slice(*s, at, s->len);
}

/* Each step names the layout element it stands for: what Go's error quotes. */
static const char *parse_layout(struct str *s, int64_t *out_seconds, int32_t *out_nanos)
{
    static const int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    static const char *const layout[] = { "2006", "-", "01", "-", "02", "T",
                                          "15",   ":", "04", ":", "05" };
    static const int low[] = { 0, '-', 1, '-', 1, 'T', 0, ':', 0, ':', 0 };
    static const int high[] = { 9999, 0, 12, 0, 31, 0, 23, 0, 59, 0, 59 };
    int value[11] = { 0 };
    int offset = 0;
    for (size_t i = 0; i < 11; i++) {
        bool ok = high[i] == 0 ? take_char(s, (char)low[i])
                               : take_number(s, i == 0 ? 4 : 2, low[i], high[i], &value[i]);
        if (!ok)
            return layout[i];
    }
    bool leap = (value[0] % 4 == 0 && value[0] % 100 != 0) || value[0] % 400 == 0;
    if (value[4] > month_days[value[2] - 1] || (value[2] == 2 && value[4] == 29 && !leap))
        return "02";
    take_fraction(s, out_nanos);
    if (!take_offset(s, &offset))
        return "Z07:00";
    *out_seconds = civil_to_days(value[0], value[2], value[4]) * 86400 + value[6] * 3600 +
                   value[8] * 60 + value[10] - offset;
    return NULL;
}

int scalar_time_parse(struct str text, int64_t *out_seconds, int32_t *out_nanos, struct err *e)
{
    struct str rest = text;
    int64_t seconds = 0;
    int32_t nanos = 0;
    const char *missing = parse_layout(&rest, &seconds, &nanos);
    if (missing != NULL)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "parsing time \"%.*s\" as \"2006-01-02T15:04:05Z07:00\": cannot parse "
                       "\"%.*s\" as \"%s\"",
                       STR_ARG(text), STR_ARG(rest), missing);
    if (rest.len > 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "parsing time \"%.*s\": extra text: \"%.*s\"",
                       STR_ARG(text), STR_ARG(rest));
    *out_seconds = seconds;
    *out_nanos = nanos;
    return 0;
}

/* Years 0 to 9999; anything else is cut to them. */
static size_t print_time(int64_t seconds, char *out)
{
    const int64_t first = -62167219200;
    const int64_t last = 253402300799;
    int year;
    int month;
    int day;
    seconds = seconds < first ? first : seconds > last ? last : seconds;
    int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400;
    int rest = (int)(seconds - days * 86400);
    civil_from_days(days, &year, &month, &day);
    return (size_t)snprintf(out, SCALAR_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d", year, month,
                            day, rest / 3600, rest / 60 % 60, rest % 60);
}

size_t scalar_time(int64_t seconds, char out[SCALAR_TEXT_BYTES])
{
    size_t len = print_time(seconds, out);
    memcpy(out + len, "Z", 2);
    return len + 1;
}

size_t scalar_micro_time(int64_t seconds, int32_t nanos, char out[SCALAR_TEXT_BYTES])
{
    size_t len = print_time(seconds, out);
    nanos = nanos < 0 || nanos >= NANO ? 0 : nanos;
    return len + (size_t)snprintf(out + len, 16, ".%06dZ", nanos / 1000);
}

/* ---- durations ---- */

static const struct {
    const char *name;
    int64_t nanos;
} units[] = { { "ns", 1 },       { "us", 1000 },         { "\xc2\xb5s", 1000 },
              { "ms", 1000000 }, { "h", 3600LL * NANO }, { "m", 60LL * NANO },
              { "s", NANO } };

static int duration_error(struct str text, struct err *e)
{
    return err_set(e, ERR_INVALID_ARGUMENT, "time: invalid duration \"%.*s\"", STR_ARG(text));
}

/* One "1.5h"; false when there is none. */
static bool take_duration(struct str *s, wide *sum)
{
    wide value = 0;
    wide scale = 1;
    size_t at = 0;
    bool point = false;
    for (; at < s->len && at < 18 &&
           (s->data[at] == '.' || (s->data[at] >= '0' && s->data[at] <= '9'));
         at++) {
        if (s->data[at] == '.' && point)
            return false;
        if (s->data[at] == '.') {
            point = true;
            continue;
        }
        value = value * 10 + (s->data[at] - '0');
        scale *= point ? 10 : 1;
    }
    if (at == 0 || (at == 1 && point))
        return false;
    struct str rest = str_slice(*s, at, s->len);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (str_starts(rest, str_from(units[i].name))) {
            *sum += value * units[i].nanos / scale;
            *s = str_slice(rest, strlen(units[i].name), rest.len);
            return *sum <= INT64_MAX;
        }
    }
    return false;
}

int scalar_duration_parse(struct str text, int64_t *out_nanos, struct err *e)
{
    struct str rest = text;
    wide sum = 0;
    bool negative = take_char(&rest, '-');
    if (!negative)
        (void)take_char(&rest, '+'); /* an optional sign */
    if (str_eq_c(rest, "0")) {
        *out_nanos = 0;
        return 0;
    }
    if (rest.len == 0)
        return duration_error(text, e);
    while (rest.len > 0) {
        if (!take_duration(&rest, &sum))
            return duration_error(text, e);
    }
    *out_nanos = negative ? -(int64_t)sum : (int64_t)sum;
    return 0;
}

/* value / 10^digits without trailing zeros. */
static size_t print_fraction(char *out, size_t size, uint64_t value, int digits, const char *unit)
{
    uint64_t one = 1;
    for (int i = 0; i < digits; i++)
        one *= 10;
    uint64_t fraction = value % one;
    while (digits > 0 && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    if (digits == 0)
        return (size_t)snprintf(out, size, "%llu%s", (unsigned long long)(value / one), unit);
    return (size_t)snprintf(out, size, "%llu.%0*llu%s", (unsigned long long)(value / one), digits,
                            (unsigned long long)fraction, unit);
}

size_t scalar_duration(int64_t nanos, char out[SCALAR_TEXT_BYTES])
{
    uint64_t value = nanos < 0 ? 0 - (uint64_t)nanos : (uint64_t)nanos;
    size_t len = 0;
    if (nanos < 0)
        out[len++] = '-';
    size_t left = SCALAR_TEXT_BYTES - len;
    if (value == 0)
        return (size_t)snprintf(out, SCALAR_TEXT_BYTES, "0s");
    if (value < 1000)
        return len + print_fraction(out + len, left, value, 0, "ns");
    if (value < 1000000)
        return len + print_fraction(out + len, left, value, 3, "\xc2\xb5s");
    if (value < NANO)
        return len + print_fraction(out + len, left, value, 6, "ms");
    uint64_t minutes = value / NANO / 60;
    if (minutes >= 60)
        len += (size_t)snprintf(out + len, SCALAR_TEXT_BYTES - len, "%lluh",
                                (unsigned long long)(minutes / 60));
    if (minutes > 0)
        len += (size_t)snprintf(out + len, SCALAR_TEXT_BYTES - len, "%llum",
                                (unsigned long long)(minutes % 60));
    return len +
           print_fraction(out + len, SCALAR_TEXT_BYTES - len, value - minutes * 60 * NANO, 9, "s");
}
