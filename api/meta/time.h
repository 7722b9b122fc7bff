/*
 * Times as the API writes them. No clock here: callers pass what env_wall_ns gave them.
 *
 * Time is RFC 3339 in whole seconds, UTC. MicroTime has exactly six digits. Ages are upstream's
 * HumanDuration.
 */
#ifndef API_META_TIME_H
#define API_META_TIME_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct Time;
struct arena;

/* "9999-12-31T23:59:59.999999Z" and NUL. */
#define TIME_TEXT_MAX 32

/* Any offset, optional fraction. -ERR_INVALID_ARGUMENT. Years 1 to 9999. */
int time_parse(struct str text, int64_t *out_seconds, int32_t *out_nanos, struct err *e);
/* MicroTime: exactly six digits of fraction are required. */
int time_parse_micro(struct str text, int64_t *out_seconds, int32_t *out_nanos, struct err *e);
/* Text and NUL into out; returns the length. Seconds outside years 0 to 9999 are clamped. */
size_t time_format(int64_t seconds, char out[TIME_TEXT_MAX]);
size_t time_format_micro(int64_t seconds, int32_t nanos, char out[TIME_TEXT_MAX]);

/* Seconds of a decoded Time; 0 for NULL. */
int64_t time_seconds(const struct Time *t);

/* HumanDuration of a number of seconds: "5s", "2m3s", "3h4m", "2d3h", "2y3d", "<invalid>". */
struct str time_human_duration(struct arena *a, int64_t seconds);
/* Age for a table: "<unknown>" when unset (then_seconds 0). */
struct str time_age(struct arena *a, int64_t then_seconds, uint64_t now_wall_ns);

#endif
