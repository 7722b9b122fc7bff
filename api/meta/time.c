/* Calendar arithmetic follows Howard Hinnant's days-from-civil construction (proleptic Gregorian).
 */
#include "api/meta/time.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "api/proto/meta.pb-c.h"
#include "api/schema/scalar.h"
#include "base/arena.h"

#define SECONDS_PER_DAY 86400
/* Of a text that is no time, in an error. */
#define TIME_SHOWN_MAX 64

/* 0000-01-01 and 9999-12-31T23:59:59: what four digits of year can write. */
#define TIME_SECONDS_MIN (-62167219200)
#define TIME_SECONDS_MAX 253402300799

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Exactly `count` digits at *at. */
static bool take_number(struct str s, size_t *at, size_t count, int *out)
{
    int value = 0;
    if (s.len - *at < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        char c = s.data[*at + i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += count;
    *out = value;
    return true;
}

static bool take_char(struct str s, size_t *at, char c)
{
    if (*at >= s.len || s.data[*at] != c)
        return false;
    (*at)++;
    return true;
}

static bool take_date(struct str s, size_t *at, int64_t *out_days)
{
    int year;
    int month;
    int day;
    if (!take_number(s, at, 4, &year) || !take_char(s, at, '-') || !take_number(s, at, 2, &month) ||
        !take_char(s, at, '-') || !take_number(s, at, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *out_days = civil_to_days(year, month, day);
    return true;
}

static bool take_clock(struct str s, size_t *at, int *out_seconds)
{
    int hour;
    int minute;
    int second;
    if (!take_number(s, at, 2, &hour) || !take_char(s, at, ':') ||
        !take_number(s, at, 2, &minute) || !take_char(s, at, ':') ||
        !take_number(s, at, 2, &second))
        return false;
    *out_seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second < 60;
}

/* Fraction digits after a point; digits past the ninth are dropped. */
static bool take_fraction(struct str s, size_t *at, size_t *out_digits, int32_t *out_nanos)
{
    int32_t nanos = 0;
    int32_t unit = 100000000;
    size_t digits = 0;
    if (take_char(s, at, '.')) {
        for (; *at < s.len && s.data[*at] >= '0' && s.data[*at] <= '9'; (*at)++, digits++) {
            nanos += (s.data[*at] - '0') * unit;
            unit /= 10;
        }
        if (digits == 0)
            return false;
    }
    *out_digits = digits;
    *out_nanos = nanos;
    return true;
}

static bool take_offset(struct str s, size_t *at, int *out_seconds)
{
    int hour;
    int minute;
    *out_seconds = 0;
    if (take_char(s, at, 'Z'))
        return *at == s.len;
    int sign = take_char(s, at, '+') ? 1 : -1;
    if (sign < 0 && !take_char(s, at, '-'))
        return false;
    if (!take_number(s, at, 2, &hour) || !take_char(s, at, ':') || !take_number(s, at, 2, &minute))
        return false;
    *out_seconds = sign * (hour * 3600 + minute * 60);
    return hour < 24 && minute < 60 && *at == s.len;
}

static bool parse(struct str s, int64_t *out_seconds, int32_t *out_nanos, size_t *out_digits)
{
    size_t at = 0;
    int64_t days;
    int clock;
    int offset;
    int32_t nanos;
    if (!take_date(s, &at, &days) || !take_char(s, &at, 'T') || !take_clock(s, &at, &clock) ||
        !take_fraction(s, &at, out_digits, &nanos) || !take_offset(s, &at, &offset))
        return false;
    *out_seconds = days * SECONDS_PER_DAY + clock - offset;
    *out_nanos = nanos;
    return true;
}

/* ---- what is wrong with a time, in the words of Go's time.Parse ---- */

static const struct part {
    char before; /* NUL: none */
    const char *element;
    size_t digits;
    int least;
    int most;
    const char *name;
} parts[] = { { '\0', "2006", 4, 0, 9999, "year" }, { '-', "01", 2, 1, 12, "month" },
              { '-', "02", 2, 0, 99, "day" },       { 'T', "15", 2, 0, 23, "hour" },
              { ':', "04", 2, 0, 59, "minute" },    { ':', "05", 2, 0, 59, "second" } };

#define MICRO ".000000"

static int bad_part(struct str text, const char *micro, size_t at, const char *element,
                    struct err *e)
{
    struct str shown = str_slice(text, 0, TIME_SHOWN_MAX);
    return err_set(e, ERR_INVALID_ARGUMENT,
                   "parsing time \"%.*s\" as \"2006-01-02T15:04:05%sZ07:00\": cannot parse "
                   "\"%.*s\" as \"%s\"",
                   STR_ARG(shown), micro, STR_ARG(str_slice(text, at, at + TIME_SHOWN_MAX)),
                   element);
}

static int out_of_range(struct str text, const char *name, struct err *e)
{
    return err_set(e, ERR_INVALID_ARGUMENT, "parsing time \"%.*s\": %s out of range",
                   STR_ARG(str_slice(text, 0, TIME_SHOWN_MAX)), name);
}

/* micro: MICRO, or "" where any fraction will do. */
static int bad_time(struct str text, const char *micro, struct err *e)
{
    size_t at = 0;
    size_t digits = 0;
    int32_t nanos = 0;
    int value = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const struct part *p = &parts[i];
        const char before[2] = { p->before, '\0' };
        if (p->before != '\0' && !take_char(text, &at, p->before))
            return bad_part(text, micro, at, before, e);
        size_t start = at;
        if (!take_number(text, &at, p->digits, &value))
            return bad_part(text, micro, start, p->element, e);
        if (value < p->least || value > p->most)
            return out_of_range(text, p->name, e);
    }
    size_t start = at;
    bool fraction = take_fraction(text, &at, &digits, &nanos);
    if (micro[0] != '\0' && digits != strlen(MICRO) - 1)
        return bad_part(text, micro, start, MICRO, e);
    start = fraction ? at : start;
    at = start;
    if (!take_offset(
            str_slice(text, 0, start + (start < text.len && text.data[start] == 'Z' ? 1 : 6)), &at,
            &value))
        return bad_part(text, micro, start, "Z07:00", e);
    if (at < text.len)
        return err_set(e, ERR_INVALID_ARGUMENT, "parsing time \"%.*s\": extra text: \"%.*s\"",
                       STR_ARG(str_slice(text, 0, TIME_SHOWN_MAX)),
                       STR_ARG(str_slice(text, at, at + TIME_SHOWN_MAX)));
    return out_of_range(text, "day", e);
}

int time_parse(struct str text, int64_t *out_seconds, int32_t *out_nanos, struct err *e)
{
    size_t digits;
    if (parse(text, out_seconds, out_nanos, &digits))
        return 0;
    return bad_time(text, "", e);
}

int time_parse_micro(struct str text, int64_t *out_seconds, int32_t *out_nanos, struct err *e)
{
    size_t digits = 0;
    int64_t seconds;
    int32_t nanos;
    if (parse(text, &seconds, &nanos, &digits) && digits == 6) {
        *out_seconds = seconds;
        *out_nanos = nanos;
        return 0;
    }
    return bad_time(text, MICRO, e);
}

static int64_t clamp_seconds(int64_t seconds)
{
    if (seconds < TIME_SECONDS_MIN)
        return TIME_SECONDS_MIN;
    return seconds > TIME_SECONDS_MAX ? TIME_SECONDS_MAX : seconds;
}

/* "2006-01-02T15:04:05", always 19 bytes. */
static size_t format_seconds(int64_t seconds, char *out)
{
    seconds = clamp_seconds(seconds);
    int64_t days = seconds / SECONDS_PER_DAY;
    int64_t clock = seconds % SECONDS_PER_DAY;
    if (clock < 0) {
        clock += SECONDS_PER_DAY;
        days--;
    }
    int year;
    int month;
    int day;
    civil_from_days(days, &year, &month, &day);
    char text[64];
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day,
                   (int)(clock / 3600), (int)(clock / 60 % 60), (int)(clock % 60));
    for (size_t i = 0; i < 19; i++)
        out[i] = text[i];
    return 19;
}

size_t time_format(int64_t seconds, char out[TIME_TEXT_MAX])
{
    size_t len = format_seconds(seconds, out);
    out[len++] = 'Z';
    out[len] = '\0';
    return len;
}

size_t time_format_micro(int64_t seconds, int32_t nanos, char out[TIME_TEXT_MAX])
{
    size_t len = format_seconds(seconds, out);
    unsigned micros = nanos < 0 ? 0 : (unsigned)nanos / 1000 % 1000000;
    out[len++] = '.';
    for (unsigned unit = 100000; unit > 0; unit /= 10)
        out[len++] = (char)('0' + micros / unit % 10);
    out[len++] = 'Z';
    out[len] = '\0';
    return len;
}

/* "3h4m", or "3h" when the second part is zero. */
static struct str two_parts(struct arena *a, int64_t big, char big_unit, int64_t small,
                            char small_unit)
{
    if (small == 0)
        return str_printf(a, "%lld%c", (long long)big, big_unit);
    return str_printf(a, "%lld%c%lld%c", (long long)big, big_unit, (long long)small, small_unit);
}

struct str time_human_duration(struct arena *a, int64_t seconds)
{
    if (seconds < -1)
        return str_lit("<invalid>");
    if (seconds < 0)
        return str_lit("0s");
    int64_t minutes = seconds / 60;
    int64_t hours = seconds / 3600;
    int64_t days = hours / 24;
    if (seconds < 120)
        return two_parts(a, seconds, 's', 0, 0);
    if (minutes < 10)
        return two_parts(a, minutes, 'm', seconds % 60, 's');
    if (minutes < 180)
        return two_parts(a, minutes, 'm', 0, 0);
    if (hours < 8)
        return two_parts(a, hours, 'h', minutes % 60, 'm');
    if (hours < 48)
        return two_parts(a, hours, 'h', 0, 0);
    if (days < 8)
        return two_parts(a, days, 'd', hours % 24, 'h');
    if (days < 2 * 365)
        return two_parts(a, days, 'd', 0, 0);
    if (days < 8 * 365)
        return two_parts(a, days / 365, 'y', days % 365, 'd');
    return two_parts(a, days / 365, 'y', 0, 0);
}

struct str time_age(struct arena *a, int64_t then_seconds, uint64_t now_wall_ns)
{
    if (then_seconds == 0)
        return str_lit("<unknown>");
    return time_human_duration(a, (int64_t)(now_wall_ns / 1000000000) - then_seconds);
}

int64_t time_seconds(const struct Time *t)
{
    return t == NULL ? 0 : t->seconds;
}
