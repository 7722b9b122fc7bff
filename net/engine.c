/* What the engines of both HTTP versions share. */
#include "net/engine.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/env.h"

#define DAY_S 86400u

/* Civil date from days since 1970 (the proleptic Gregorian calendar, eras of 400 years). */
static void civil_from_days(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t z = days + 719468;
    uint64_t era = z / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = yoe + (unsigned)era * 400 + (*month <= 2);
}

struct str http_core_date(struct http_core *core)
{
    static const char *const week[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    if (core->loop == NULL)
        return (struct str){ 0 };
    uint64_t now_s = env_wall_ns(env_of(core->loop)) / ENV_S;
    if (now_s != core->date_s) {
        unsigned year = 0;
        unsigned month = 0;
        unsigned day = 0;
        unsigned second = (unsigned)(now_s % DAY_S);
        civil_from_days(now_s / DAY_S, &year, &month, &day);
        (void)snprintf(core->date, sizeof(core->date), "%s, %02u %s %04u %02u:%02u:%02u GMT",
                       week[now_s / DAY_S % 7], day, months[month - 1], year % 10000, second / 3600,
                       second / 60 % 60, second % 60);
        core->date_s = now_s;
    }
    return str_from(core->date);
}

bool http_stalled(struct http_stall *s, size_t queued, uint64_t taken, uint64_t now_ms,
                  uint64_t over_ms)
{
    if (queued == 0) {
        s->watched = false;
        return false;
    }
    if (!s->watched || (int64_t)(taken - s->mark) >= (int64_t)HTTP_STALL_BYTES) {
        *s = (struct http_stall){ .mark = taken, .since_ms = now_ms, .watched = true };
        return false;
    }
    return now_ms - s->since_ms >= over_ms;
}

void http_exchange_init(struct http_exchange *x, struct http_link *link)
{
    arena_init(&x->arena);
    buf_init(&x->body);
    x->body_bytes_max = HTTP_BODY_BYTES_MAX;
    x->peer = &link->peer;
    x->loop = link->core->loop;
}

void http_exchange_deinit(struct http_exchange *x)
{
    buf_deinit(&x->body);
    arena_deinit(&x->arena);
}

bool http_exchange_body(struct http_exchange *x, uint64_t *received, struct str bytes)
{
    *received += bytes.len;
    if (*received > x->body_bytes_max)
        return true;
    if (x->events->body != NULL)
        x->events->body(x, bytes);
    else if (!http_responded(x)) /* what comes after the answer is nobody's */
        buf_append(&x->body, bytes.data, bytes.len);
    return false;
}

bool http_request_take_body(struct http_request *r, uint64_t *received, struct str bytes)
{
    bool collect = r->events->body == NULL;
    uint64_t max = r->body_bytes_max != 0 ? r->body_bytes_max
                   : collect              ? HTTP_BODY_BYTES_MAX
                                          : UINT64_MAX;
    *received += bytes.len;
    if (*received > max && !r->upgraded)
        return true;
    if (collect)
        buf_append(&r->body, bytes.data, bytes.len);
    else
        r->events->body(r, bytes);
    return false;
}

static void refused_body(struct http_exchange *x, struct str bytes)
{
    (void)x;
    (void)bytes;
}

static void refused_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

void http_exchange_refuse(struct http_exchange *x, const struct http_core *core, int status)
{
    static const struct http_exchange_events events = { .body = refused_body,
                                                        .closed = refused_closed };
    x->events = &events;
    x->body_bytes_max = UINT64_MAX;
    const char *type = "text/plain";
    struct str body;
    if (core->refusal != NULL)
        core->refusal(&x->arena, status, &type, &body);
    else
        body = str_printf(&x->arena, "%d %s\n", status, http_reason(status));
    http_reply(x, status, type, body);
}

bool http_is_connection_header(struct str name)
{
    static const char *const names[] = { "connection", "transfer-encoding", "keep-alive",
                                         "proxy-connection" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_eq_c(name, names[i]))
            return true;
    }
    return false;
}
