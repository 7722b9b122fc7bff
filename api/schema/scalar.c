/* Times and durations as text. */
#include "api/schema/scalar.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

__extension__ typedef __int128 wide; /* nanoseconds that may not fit */

#define NANO 1000000000

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

static const char *skip_char(struct str *s, char c, const char *element)
{
    return take_char(s, c) ? NULL : element;
}

/* Steps of a parse return NULL, or the element of the layout that does not fit. A number out of its
 * range is said in *range. */
static const char *take_element(struct str *s, const char *element, size_t digits_min, int low,
                                int high, const char *name, const char **range, int *out)
{
    size_t digits = strlen(element) == 4 ? 4 : 2;
    if (!take_number(s, digits, 0, 9999, out) &&
        (digits_min == digits || !take_number(s, digits_min, 0, 9999, out)))
        return element;
    if (*out < low || *out > high)
        *range = name;
    return NULL;
}

static const char *take_offset(struct str *s, const char **range, int *out_seconds)
{
    static const char element[] = "Z07:00";
    struct str rest = *s;
    int hours = 0;
    int minutes = 0;
    *out_seconds = 0;
    if (take_char(s, 'Z'))
        return NULL;
    bool negative = take_char(&rest, '-');
    if ((!negative && !take_char(&rest, '+')) || !take_number(&rest, 2, 0, 99, &hours) ||
        !take_char(&rest, ':') || !take_number(&rest, 2, 0, 99, &minutes))
        return element;
    *s = rest;
    /* 24 hours and 60 minutes are let pass, as in Go. */
    if (hours > 24)
        *range = "time zone offset hour";
    else if (minutes > 60)
        *range = "time zone offset minute";
    *out_seconds = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
    return NULL;
}

/* A fraction of any length, or of exactly six digits. */
static const char *take_fraction(struct str *s, bool micro, int32_t *out_nanos)
{
    int32_t unit = NANO / 10;
    size_t at = 1;
    *out_nanos = 0;
    bool there = s->len >= 2 && (s->data[0] == '.' || s->data[0] == ',') && s->data[1] >= '0' &&
                 s->data[1] <= '9';
    if (!there)
        return micro ? ".000000" : NULL;
    for (; at < s->len && s->data[at] >= '0' && s->data[at] <= '9' && (!micro || at < 7); at++) {
        *out_nanos += (s->data[at] - '0') * unit;
        unit /= 10;
    }
    if (micro && at < 7)
        return ".000000";
    *s = str_slice(*s, at, s->len);
    return NULL;
}

struct clock {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
};

/* Up to the seconds. */
static const char *take_clock(struct str *s, const char **range, struct clock *c)
{
    const char *miss = take_element(s, "2006", 4, 0, 9999, "year", range, &c->year);
    miss = miss != NULL ? miss : skip_char(s, '-', "-");
    if (miss == NULL)
        miss = take_element(s, "01", 2, 1, 12, "month", range, &c->month);
    if (miss == NULL && *range == NULL)
        miss = skip_char(s, '-', "-");
    if (miss == NULL && *range == NULL)
        miss = take_element(s, "02", 2, 0, 99, "day", range, &c->day);
    if (miss == NULL && *range == NULL)
        miss = skip_char(s, 'T', "T");
    if (miss == NULL && *range == NULL)
        miss = take_element(s, "15", 1, 0, 23, "hour", range, &c->hour);
    if (miss == NULL && *range == NULL)
        miss = skip_char(s, ':', ":");
    if (miss == NULL && *range == NULL)
        miss = take_element(s, "04", 2, 0, 59, "minute", range, &c->minute);
    if (miss == NULL && *range == NULL)
        miss = skip_char(s, ':', ":");
    if (miss == NULL && *range == NULL)
        miss = take_element(s, "05", 2, 0, 59, "second", range, &c->second);
    return miss;
}

static bool is_day(const struct clock *c)
{
    static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;
    return c->day >= 1 && c->day <= days[c->month - 1] && (c->month != 2 || c->day != 29 || leap);
}

/* Go's time.Parse with the layout RFC3339, or with six digits of a fraction: what it takes, and its
 * errors. */
static int parse_time(struct str text, bool micro, int64_t *out_seconds, int32_t *out_nanos,
                      struct err *e)
{
    struct str rest = text;
    struct clock c = { 0 };
    const char *range = NULL;
    int32_t nanos = 0;
    int offset = 0;
    const char *miss = take_clock(&rest, &range, &c);
    if (miss == NULL && range == NULL)
        miss = take_fraction(&rest, micro, &nanos);
    if (miss == NULL && range == NULL)
        miss = take_offset(&rest, &range, &offset);
    if (miss != NULL)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "parsing time \"%.*s\" as \"2006-01-02T15:04:05%sZ07:00\": cannot parse "
                       "\"%.*s\" as \"%s\"",
                       STR_ARG(text), micro ? ".000000" : "", STR_ARG(rest), miss);
    if (range == NULL && rest.len > 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "parsing time \"%.*s\": extra text: \"%.*s\"",
                       STR_ARG(text), STR_ARG(rest));
    if (range == NULL && !is_day(&c))
        range = "day";
    if (range != NULL)
        return err_set(e, ERR_INVALID_ARGUMENT, "parsing time \"%.*s\": %s out of range",
                       STR_ARG(text), range);
    *out_seconds = civil_to_days(c.year, c.month, c.day) * 86400 + c.hour * 3600 + c.minute * 60 +
                   c.second - offset;
    *out_nanos = nanos;
    return 0;
}

int scalar_time_parse(struct str text, int64_t *out_seconds, int32_t *out_nanos, struct err *e)
{
    return parse_time(text, false, out_seconds, out_nanos, e);
}

int scalar_micro_time_parse(struct str text, int64_t *out_seconds, int32_t *out_nanos,
                            struct err *e)
{
    return parse_time(text, true, out_seconds, out_nanos, e);
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

static bool is_digit_or_point(char c)
{
    return c == '.' || (c >= '0' && c <= '9');
}

/* One "1.5h" of Go's ParseDuration; its errors. */
static int take_duration(struct str text, struct str *s, wide *sum, struct err *e)
{
    wide value = 0;
    wide scale = 1;
    size_t at = 0;
    size_t digits = 0;
    bool point = false;
    for (; at < s->len && is_digit_or_point(s->data[at]) && !(point && s->data[at] == '.'); at++) {
        if (s->data[at] == '.') {
            point = true;
            continue;
        }
        digits++;
        if (value > INT64_MAX)
            continue; /* too large already, or a fraction finer than any unit */
        value = value * 10 + (s->data[at] - '0');
        scale *= point ? 10 : 1;
    }
    if (digits == 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "time: invalid duration \"%.*s\"", STR_ARG(text));
    struct str rest = str_slice(*s, at, s->len);
    size_t unit = 0;
    while (unit < rest.len && !is_digit_or_point(rest.data[unit]))
        unit++;
    if (unit == 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "time: missing unit in duration \"%.*s\"",
                       STR_ARG(text));
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (!str_eq_c(str_slice(rest, 0, unit), units[i].name))
            continue;
        *sum += value / scale * units[i].nanos + value % scale * units[i].nanos / scale;
        *s = str_slice(rest, unit, rest.len);
        if (*sum <= INT64_MAX)
            return 0;
        return err_set(e, ERR_INVALID_ARGUMENT, "time: invalid duration \"%.*s\"", STR_ARG(text));
    }
    return err_set(e, ERR_INVALID_ARGUMENT, "time: unknown unit \"%.*s\" in duration \"%.*s\"",
                   STR_ARG(str_slice(rest, 0, unit)), STR_ARG(text));
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
        return err_set(e, ERR_INVALID_ARGUMENT, "time: invalid duration \"%.*s\"", STR_ARG(text));
    while (rest.len > 0) {
        int rc = take_duration(text, &rest, &sum, e);
        if (rc != 0)
            return rc;
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
