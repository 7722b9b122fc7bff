/* See the header. */
#include "cli/age.h"

#include <time.h>

#include "api/meta/time.h"
#include "base/env.h"

struct str age_since(struct cli *c, struct str time)
{
    int64_t seconds;
    int32_t nanos;
    if (time_parse(time, &seconds, &nanos, NULL) != 0)
        return str_lit("<unknown>");
    return time_age(&c->arena, seconds, env_wall_ns(c->env));
}

struct str age_between(struct cli *c, struct str from, struct str to)
{
    int64_t first;
    int64_t last;
    int32_t nanos;
    if (time_parse(from, &first, &nanos, NULL) != 0 || time_parse(to, &last, &nanos, NULL) != 0)
        return str_lit("");
    return time_human_duration(&c->arena, last - first);
}

struct str age_date(struct cli *c, struct str time)
{
    int64_t seconds;
    int32_t nanos;
    struct tm local;
    char text[64];
    if (time_parse(time, &seconds, &nanos, NULL) != 0)
        return time;
    time_t t = (time_t)seconds;
    if (localtime_r(&t, &local) == NULL ||
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S %z", &local) == 0)
        return time;
    return str_copy(&c->arena, str_from(text));
}
