/*
 * The text of scalars with a form of their own: quantities, times, durations, base64.
 *
 * Text only, as the codec needs it; arithmetic on quantities and times is in api/meta. Results are
 * canonical: what upstream prints for the same value.
 */
#ifndef API_SCHEMA_SCALAR_H
#define API_SCHEMA_SCALAR_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct err;

/* Room for any of these and a NUL. */
#define SCALAR_TEXT_BYTES 64

/* "0.5" → "500m", and "1.500", which upstream takes for canonical, as it is; -ERR_INVALID_ARGUMENT
 * with upstream's text. */
int scalar_quantity(struct str text, char out[SCALAR_TEXT_BYTES], size_t *out_len, struct err *e);
/* The same with one text for each amount of a family: "1.500" → "1500m". */
int scalar_quantity_canonical(struct str text, char out[SCALAR_TEXT_BYTES], size_t *out_len,
                              struct err *e);

/* "2006-01-02T15:04:05[.fraction](Z|+07:00)" → seconds of the Unix epoch. */
int scalar_time_parse(struct str text, int64_t *out_seconds, int32_t *out_nanos, struct err *e);
/* The same with a fraction of exactly six digits. */
int scalar_micro_time_parse(struct str text, int64_t *out_seconds, int32_t *out_nanos,
                            struct err *e);
/* The first second of the year 1, Go's zero time: JSON shows it as null and reads it as unset. */
#define SCALAR_ZERO_TIME (-62135596800)

/* "2006-01-02T15:04:05Z"; returns the length. */
size_t scalar_time(int64_t seconds, char out[SCALAR_TEXT_BYTES]);
/* "2006-01-02T15:04:05.000000Z". */
size_t scalar_micro_time(int64_t seconds, int32_t nanos, char out[SCALAR_TEXT_BYTES]);

/* Go durations in nanoseconds: "1m30s". */
int scalar_duration_parse(struct str text, int64_t *out_nanos, struct err *e);
size_t scalar_duration(int64_t nanos, char out[SCALAR_TEXT_BYTES]);

/* The proleptic Gregorian calendar: days since 1970-01-01 of a date, and back. month 1..12,
 * day 1..31. */
int64_t civil_to_days(int64_t year, int month, int day);
void civil_from_days(int64_t days, int *year, int *month, int *day);

#endif
