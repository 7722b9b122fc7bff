/* See the header. */
#include "controlplane/apiserver/health.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/apiserver/bootstrap.h"
#include "controlplane/apiserver/loop.h"
#include "controlplane/apiserver/operations.h"

#define PERCENT(part, whole) ((unsigned)((whole) == 0 ? 0 : (part)*100 / (whole)))

/* ---- what a group says ---- */

bool health_of_group(const struct store_status *s, char text[HEALTH_TEXT_BYTES])
{
    if (s->behind && s->fetch_bytes > 0)
        snprintf(text, HEALTH_TEXT_BYTES,
                 "behind the leader's log: a copy of the state is being fetched, %u%%",
                 PERCENT(s->fetched_bytes, s->fetch_bytes));
    else if (s->behind)
        snprintf(text, HEALTH_TEXT_BYTES,
                 "behind the leader's log: a copy of the state is being fetched");
    else if (s->leader_id == 0)
        snprintf(text, HEALTH_TEXT_BYTES, "no leader is known: is there a quorum?");
    else if (!s->ready && s->held)
        snprintf(text, HEALTH_TEXT_BYTES, "the log is held, see check log");
    else if (!s->ready && s->leader_id == s->member_id)
        snprintf(text, HEALTH_TEXT_BYTES, "this member is taking over or handing over leadership");
    else if (!s->ready)
        snprintf(text, HEALTH_TEXT_BYTES, "catching up: %llu of %llu entries are applied",
                 (unsigned long long)s->applied_index, (unsigned long long)s->commit_index);
    return s->ready && s->leader_id != 0 && !s->behind;
}

bool health_of_log(const struct store_status *s, char text[HEALTH_TEXT_BYTES])
{
    if (s->held)
        snprintf(
            text, HEALTH_TEXT_BYTES,
            "held: no space left where the data folder is; it goes on by itself when there is");
    return !s->held;
}

bool health_of_disk(const struct store_status *s, char text[HEALTH_TEXT_BYTES])
{
    if (s->disk_bytes == 0)
        return true; /* not measured yet */
    if (s->disk_free_bytes < HEALTH_DISK_BYTES_MIN)
        snprintf(text, HEALTH_TEXT_BYTES, "%llu MiB free of %llu MiB, needed are %llu MiB",
                 (unsigned long long)(s->disk_free_bytes >> 20),
                 (unsigned long long)(s->disk_bytes >> 20), HEALTH_DISK_BYTES_MIN >> 20);
    return s->disk_free_bytes >= HEALTH_DISK_BYTES_MIN;
}

bool health_of_alarm(const struct store_status *s, char text[HEALTH_TEXT_BYTES])
{
    char why[STORE_ALARM_TEXT_BYTES];
    store_alarm_text(s, why);
    snprintf(text, HEALTH_TEXT_BYTES, "%s", why);
    return true;
}

/* ---- the checks ---- */

struct check {
    const char *name;
    bool live; /* part of /livez as well */
    bool (*good)(const struct apiserver *s, char text[HEALTH_TEXT_BYTES]);
};

typedef bool of_status(const struct store_status *s, char text[HEALTH_TEXT_BYTES]);

static bool ask_group(struct store_group *group, of_status *good, char text[HEALTH_TEXT_BYTES])
{
    struct store_status status;
    if (group == NULL)
        return true;
    store_status(group, &status);
    return good(&status, text);
}

/* Both groups; the first text, of the one that fails before that of a good one. */
static bool ask_groups(const struct apiserver *s, of_status *good, char text[HEALTH_TEXT_BYTES])
{
    char other[HEALTH_TEXT_BYTES] = "";
    bool cluster = ask_group(s->config.group, good, text);
    bool bus = ask_group(s->config.bus, good, other);
    if (text[0] == '\0' || (cluster && !bus))
        memcpy(text, other, sizeof(other));
    return cluster && bus;
}

static bool check_ping(const struct apiserver *s, char text[HEALTH_TEXT_BYTES])
{
    (void)s;
    (void)text;
    return true;
}

static bool check_cluster(const struct apiserver *s, char text[HEALTH_TEXT_BYTES])
{
    return ask_group(s->config.group, health_of_group, text);
}

static bool check_bus(const struct apiserver *s, char text[HEALTH_TEXT_BYTES])
{
    return ask_group(s->config.bus, health_of_group, text);
}

static bool check_log(const struct apiserver *s, char text[HEALTH_TEXT_BYTES])
{
    return ask_groups(s, health_of_log, text);
}

/* One file system holds both groups. */
static bool check_disk(const struct apiserver *s, char text[HEALTH_TEXT_BYTES])
{
    return ask_group(s->config.group, health_of_disk, text);
}

static bool check_alarm(const struct apiserver *s, char text[HEALTH_TEXT_BYTES])
{
    return ask_groups(s, health_of_alarm, text);
}

static bool check_bootstrap(const struct apiserver *s, char text[HEALTH_TEXT_BYTES])
{
    bool complete = bootstrap_complete(s);
    if (!complete)
        snprintf(text, HEALTH_TEXT_BYTES, "the first namespaces do not exist yet");
    return complete;
}

static bool check_shutdown(const struct apiserver *s, char text[HEALTH_TEXT_BYTES])
{
    bool ends = atomic_load(&s->ends);
    if (ends)
        snprintf(text, HEALTH_TEXT_BYTES, "this member is stopping");
    return !ends;
}

static const struct check checks[] = {
    { "ping", true, check_ping },
    { "store-cluster", false, check_cluster },
    { "store-bus", false, check_bus },
    { "log", false, check_log },
    { "disk", false, check_disk },
    { "alarm", false, check_alarm },
    { "bootstrap", false, check_bootstrap },
    { "shutdown", false, check_shutdown },
};

#define CHECKS (sizeof(checks) / sizeof(checks[0]))

/* ---- the answer ---- */

static const struct check *find(struct str name, enum health_kind kind)
{
    for (size_t i = 0; i < CHECKS; i++) {
        if (str_eq_c(name, checks[i].name) && (kind == HEALTH_READY || checks[i].live))
            return &checks[i];
    }
    return NULL;
}

static bool is_exclude(const struct route *route, size_t i)
{
    return str_eq_c(route->params[i].name, "exclude");
}

static bool is_excluded(const struct route *route, const struct check *c)
{
    for (size_t i = 0; i < route->params_count; i++) {
        if (is_exclude(route, i) && str_eq_c(route->params[i].value, c->name))
            return true;
    }
    return false;
}

static void warn_of_unknown(struct buf *out, const struct route *route, enum health_kind kind)
{
    const char *between = "";
    for (size_t i = 0; i < route->params_count; i++) {
        if (!is_exclude(route, i) || find(route->params[i].value, kind) != NULL)
            continue;
        if (between[0] == '\0')
            buf_append_c(out, "warn: some health checks cannot be excluded: no matches for ");
        buf_printf(out, "%s\"%.*s\"", between, STR_ARG(route->params[i].value));
        between = ",";
    }
    if (between[0] != '\0')
        buf_append_c(out, "\n");
}

/* A line of the verbose answer. */
static bool run_check(struct buf *out, const struct apiserver *s, const struct check *c)
{
    char text[HEALTH_TEXT_BYTES] = "";
    bool good = c->good(s, text);
    if (!good)
        buf_printf(out, "[-]%s failed: %s\n", c->name, text);
    else
        buf_printf(out, "[+]%s ok%s%s\n", c->name, text[0] != '\0' ? ": " : "", text);
    return good;
}

/* What follows "/readyz/". */
static struct str check_name(const struct request *r)
{
    ptrdiff_t slash = str_find_char(r->route.path, '/', 1);
    return slash < 0 ? str_lit("") : str_slice(r->route.path, (size_t)slash + 1, r->route.path.len);
}

enum request_run health_run(struct request *r, enum health_kind kind, const char *path)
{
    struct str only = check_name(r);
    const struct check *one = find(only, kind);
    bool good = true;
    if (only.len > 0 && one == NULL) {
        (void)status_no_route(&r->status);
        return RUN_FAIL;
    }
    buf_clear(&r->out);
    for (size_t i = 0; i < CHECKS; i++) {
        const struct check *c = &checks[i];
        if ((kind == HEALTH_LIVE && !c->live) || (one != NULL && c != one))
            continue;
        if (one == NULL && is_excluded(&r->route, c))
            buf_printf(&r->out, "[+]%s excluded: ok\n", c->name);
        else
            good = run_check(&r->out, r->server, c) && good;
    }
    if (one == NULL)
        warn_of_unknown(&r->out, &r->route, kind);
    if (good && !route_has_param(&r->route, "verbose")) {
        buf_clear(&r->out);
        buf_append_c(&r->out, "ok");
    } else {
        buf_printf(&r->out, "%s check %s\n", path, good ? "passed" : "failed");
    }
    request_answer(r, good ? 200 : 500, "text/plain; charset=utf-8", buf_str(&r->out));
    return RUN_ANSWER;
}
