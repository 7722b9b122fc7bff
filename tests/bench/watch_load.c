/*
 * Watchers of groups, and a writer at a steady rate: how late events come, what that costs the
 * servers, and whether one was missed or came twice.
 *
 *   watch_load --mode gantry|etcd --servers IP:PORT,... --ca F --cert F --key F --watchers N
 *        [--connections C] [--groups G] [--rate R] [--seconds S] [--pids P,...] [--namespace NS]
 *
 * G = 1: all watch the ConfigMaps of a namespace (a key prefix), and each write makes a new one.
 * G > 1, Gantry: watchers of pods by spec.nodeName, one pod on each of G nodes; each write changes
 * one pod. G > 1, etcd: watchers of G prefixes; each write is a Put under one. A group has at most
 * one write under way, so that its events have an order known here: a write whose turn comes before
 * that is answered is sent late (held), not left out.
 * Latency is from sending the write to the event's arrival: the write's own time is in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/proc.h"
#include "tests/bench/watch_streams.h"

#define TICK_MS     10
#define SETTLE_MS   1000
#define LATE_MS     5000 /* what has not come by then was missed */
#define VALUE_BYTES 256
#define SETUP_CALLS 32 /* under way while pods are made */

struct group {
    struct watch_load *load;
    struct bench_call call;
    uint32_t index;
    uint32_t number; /* of the last write acknowledged */
    bool writing;
    char marker[MARKER_BYTES + 1];
};

enum phase { PHASE_SETUP, PHASE_OPENING, PHASE_WRITING, PHASE_DRAINING };

struct watch_load {
    struct bench bench;
    struct watch_streams streams;
    struct http_client *writers[BENCH_SERVERS_MAX];
    struct group *groups;
    uint64_t watchers;
    uint64_t connections;
    uint64_t groups_count;
    uint64_t rate;
    uint64_t seconds;
    const char *pids;
    const char *namespace;
    enum phase phase;
    struct env_timer timer;
    struct env_msg start;
    uint64_t run;
    uint64_t revision; /* watches start after it */
    uint64_t set_up;
    uint64_t opened_from_ns;
    uint64_t opened_ns;
    uint64_t began_ns;
    uint64_t next; /* write */
    uint64_t written;
    uint64_t held; /* came late: its group was still writing */
    bool holding;
    uint64_t errors;
    struct proc_cpu cpu_before;
    struct proc_cpu cpu_after;
    struct proc_memory memory_before;
    struct proc_memory memory_after;
    char first_error[200];
};

static const struct http_header merge_headers[] = {
    { STR("content-type"), STR("application/merge-patch+json") },
    { STR("accept"), STR("application/vnd.kubernetes.protobuf") },
};
static const struct http_header json_headers[] = { { STR("content-type"), STR("application/json") },
                                                   { STR("accept"), STR("application/json") } };

static struct str target_of(struct watch_streams *s, uint32_t group)
{
    struct watch_load *l = s->user;
    struct arena *a = &l->bench.arena;
    if (l->bench.etcd)
        return l->groups_count == 1
                   ? str_printf(a, "/registry/configmaps/%s/", l->namespace)
                   : str_printf(a, "/registry/configmaps/%s-%u/", l->namespace, group);
    if (l->groups_count == 1)
        return str_printf(a, "/api/v1/namespaces/%s/configmaps?watch=true&resourceVersion=%llu",
                          l->namespace, (unsigned long long)l->revision);
    return str_printf(
        a, "/api/v1/pods?watch=true&resourceVersion=%llu&fieldSelector=spec.nodeName%%3Dnode-%u",
        (unsigned long long)l->revision, group);
}

/* ---- writing ---- */

static void write_due(struct watch_load *l);

static void on_written(struct bench_call *c, bool ok)
{
    struct group *g = c->user;
    struct watch_load *l = g->load;
    g->writing = false;
    if (ok) {
        g->number++;
        l->written++;
    } else if (l->errors++ == 0) {
        snprintf(l->first_error, sizeof l->first_error, "%s", c->error);
    }
    if (l->holding && l->phase == PHASE_WRITING)
        write_due(l);
}

static void on_patched(struct http_request *r, int status)
{
    struct group *g = r->user;
    bool ok = status == 0 && r->status == 200;
    if (!ok)
        snprintf(g->call.error, sizeof g->call.error, "%d %d %.*s", status, r->status,
                 (int)(r->body.len < 120 ? r->body.len : 120), (const char *)r->body.data);
    on_written(&g->call, ok);
}

static const struct http_request_events patch_events = { .done = on_patched };

static void patch_pod(struct watch_load *l, struct group *g, struct http_client *to)
{
    char target[128];
    char body[128];
    snprintf(target, sizeof target, "/api/v1/namespaces/%s/pods/w-%u", l->namespace, g->index);
    snprintf(body, sizeof body, "{\"metadata\":{\"annotations\":{\"bench\":\"%s\"}}}", g->marker);
    g->call.http.method = "PATCH";
    g->call.http.target = str_from(target);
    g->call.http.headers = merge_headers;
    g->call.http.header_count = 2;
    g->call.http.content = str_from(body);
    g->call.http.events = &patch_events;
    g->call.http.user = g;
    http_client_send(to, &g->call.http);
}

static void write_one(struct watch_load *l, struct group *g)
{
    struct http_client *to = l->writers[g->index % l->bench.addresses_count];
    bool one = l->groups_count == 1;
    char value[VALUE_BYTES];
    char name[64];
    char ns[64];
    l->next++;
    g->writing = true;
    watch_marker(g->marker, g->index, g->number + 1, env_now_ns(l->bench.env));
    if (!one && !l->bench.etcd) {
        patch_pod(l, g, to);
        return;
    }
    memset(value, 'v', sizeof value);
    memcpy(value, g->marker, MARKER_BYTES);
    snprintf(name, sizeof name, "w%llx-%llu", (unsigned long long)l->run,
             (unsigned long long)l->next);
    if (one)
        snprintf(ns, sizeof ns, "%s", l->namespace);
    else
        snprintf(ns, sizeof ns, "%s-%u", l->namespace, g->index);
    g->call.done = on_written;
    bench_put(&l->bench, to, &g->call, ns, name, str_of(value, sizeof value));
}

static void write_due(struct watch_load *l)
{
    uint64_t elapsed = env_now_ns(l->bench.env) - l->began_ns;
    uint64_t due = elapsed * l->rate / ENV_S;
    if (due > l->seconds * l->rate)
        due = l->seconds * l->rate;
    while (l->next < due) {
        struct group *g = &l->groups[l->next % l->groups_count];
        if (g->writing) {
            l->held += l->holding ? 0 : 1;
            l->holding = true;
            return;
        }
        l->holding = false;
        write_one(l, g);
    }
}

static bool all_delivered(const struct watch_load *l)
{
    for (size_t i = 0; i < l->groups_count; i++)
        if (l->groups[i].writing)
            return false;
    for (size_t i = 0; i < l->streams.count; i++)
        if (l->streams.watchers[i].last < l->groups[l->streams.watchers[i].group].number)
            return false;
    return true;
}

static void on_timer(struct env_timer *t)
{
    struct watch_load *l = container_of(t, struct watch_load, timer);
    uint64_t now = env_now_ns(l->bench.env);
    uint64_t end_ns = l->began_ns + l->seconds * ENV_S;
    if (l->phase == PHASE_OPENING) {
        l->memory_after = proc_memory_of(l->pids);
        proc_cpu_add(&l->cpu_before, l->pids);
        l->began_ns = env_now_ns(l->bench.env);
        l->phase = PHASE_WRITING;
    } else if (l->phase == PHASE_WRITING && now >= end_ns) {
        write_due(l);
        l->phase = PHASE_DRAINING;
    } else if (l->phase == PHASE_WRITING) {
        write_due(l);
    } else if (all_delivered(l) || now >= end_ns + LATE_MS * ENV_MS) {
        proc_cpu_add(&l->cpu_after, l->pids);
        env_loop_stop(l->bench.loop);
        return;
    }
    env_timer_start(t, TICK_MS);
}

/* ---- the start ---- */

static void on_all_opened(struct watch_streams *s)
{
    struct watch_load *l = s->user;
    l->opened_ns = env_now_ns(l->bench.env);
    env_timer_start(&l->timer, SETTLE_MS);
}

static void open_streams(struct watch_load *l)
{
    struct watch_streams *s = &l->streams;
    l->phase = PHASE_OPENING;
    l->memory_before = proc_memory_of(l->pids);
    l->opened_from_ns = env_now_ns(l->bench.env);
    s->bench = &l->bench;
    s->count = l->watchers;
    s->connections_count = l->connections;
    s->groups = l->groups_count;
    s->target = target_of;
    s->all_opened = on_all_opened;
    s->user = l;
    watch_streams_open(s);
}

static void give_up(struct watch_load *l, const struct http_request *r, int status)
{
    if (l->errors++ > 0)
        return;
    fprintf(stderr, "watch_load: %d %d %.*s\n", status, r->status,
            (int)(r->body.len < 300 ? r->body.len : 300), (const char *)r->body.data);
    env_loop_stop(l->bench.loop);
}

static void on_revision(struct http_request *r, int status)
{
    struct group *g = r->user;
    static const char name[] = "\"resourceVersion\":\"";
    ptrdiff_t at = str_find(buf_str(&r->body), str_lit(name));
    if (status != 0 || r->status != 200 || at < 0) {
        give_up(g->load, r, status);
        return;
    }
    g->load->revision = strtoull((const char *)r->body.data + at + sizeof name - 1, NULL, 10);
    open_streams(g->load);
}

static void send_json(struct group *g, const char *method, const char *target, const char *body,
                      const struct http_request_events *events)
{
    struct http_request *r = &g->call.http;
    r->method = method;
    r->target = str_from(target);
    r->headers = json_headers;
    r->header_count = 2;
    r->content = str_from(body);
    r->events = events;
    r->user = g;
    http_client_send(g->load->writers[0], r);
}

static void ask_revision(struct group *g)
{
    static const struct http_request_events events = { .done = on_revision };
    char target[128];
    snprintf(target, sizeof target, "/api/v1/namespaces/%s/configmaps?limit=1", g->load->namespace);
    send_json(g, "GET", target, "", &events);
}

static void make_pod(struct group *g);

static void on_pod(struct http_request *r, int status)
{
    struct group *g = r->user;
    struct watch_load *l = g->load;
    if (status != 0 || (r->status != 201 && r->status != 409)) {
        give_up(l, r, status);
        return;
    }
    if (++l->set_up == l->groups_count)
        ask_revision(g);
    else if (g->index + SETUP_CALLS < l->groups_count)
        make_pod(g + SETUP_CALLS);
}

static void make_pod(struct group *g)
{
    static const struct http_request_events events = { .done = on_pod };
    char target[128];
    char body[256];
    snprintf(target, sizeof target, "/api/v1/namespaces/%s/pods", g->load->namespace);
    snprintf(body, sizeof body,
             "{\"metadata\":{\"name\":\"w-%u\"},\"spec\":{\"nodeName\":\"node-%u\","
             "\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
             g->index, g->index);
    send_json(g, "POST", target, body, &events);
}

static void on_start(struct env_msg *m)
{
    struct watch_load *l = container_of(m, struct watch_load, start);
    env_timer_init(l->bench.loop, &l->timer, on_timer);
    if (l->bench.etcd)
        open_streams(l);
    else if (l->groups_count == 1)
        ask_revision(&l->groups[0]);
    else
        for (size_t i = 0; i < SETUP_CALLS && i < l->groups_count; i++)
            make_pod(&l->groups[i]);
}

/* ---- the end ---- */

static void count_shortfall(struct watch_load *l)
{
    for (size_t i = 0; i < l->streams.count; i++) {
        const struct watcher *v = &l->streams.watchers[i];
        uint32_t number = l->groups[v->group].number;
        l->streams.missed += number > v->last ? number - v->last : 0;
    }
}

static void report(struct watch_load *l)
{
    struct watch_streams *s = &l->streams;
    double seconds = (double)l->seconds;
    double per_watcher =
        ((double)l->memory_after.pss_kib - (double)l->memory_before.pss_kib) / (double)s->count;
    count_shortfall(l);
    samples_sort(&s->latency_us);
    printf("watch watchers=%zu connections=%zu groups=%zu commits_s=%.0f delivered=%llu p50_us=%u "
           "p99_us=%u max_us=%u missed=%llu twice=%llu ended=%llu held=%llu errors=%llu "
           "open_ms=%.0f kib_per_watcher=%.2f cpu_percent=%.0f",
           s->count, s->connections_count, s->groups, (double)l->written / seconds,
           (unsigned long long)s->delivered, samples_at(&s->latency_us, 0.5),
           samples_at(&s->latency_us, 0.99), samples_at(&s->latency_us, 1),
           (unsigned long long)s->missed, (unsigned long long)s->twice,
           (unsigned long long)s->ended, (unsigned long long)l->held, (unsigned long long)l->errors,
           (double)(l->opened_ns - l->opened_from_ns) / (double)ENV_MS, per_watcher,
           (double)(l->cpu_after.total_ns - l->cpu_before.total_ns) / (double)ENV_S / seconds *
               100);
    proc_cpu_print(&l->cpu_before, &l->cpu_after, (double)s->delivered);
    printf("\n");
    if (l->errors > 0)
        fprintf(stderr, "watch_load: first error: %s\n", l->first_error);
}

static bool set_flag(struct watch_load *l, const char *flag, const char *value)
{
    struct {
        const char *name;
        uint64_t *value;
    } numbers[] = { { "--watchers", &l->watchers },
                    { "--connections", &l->connections },
                    { "--groups", &l->groups_count },
                    { "--rate", &l->rate },
                    { "--seconds", &l->seconds } };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(flag, numbers[i].name) == 0)
            return str_to_u64(str_from(value), numbers[i].value) == 0 && *numbers[i].value > 0;
    if (strcmp(flag, "--pids") == 0)
        l->pids = value;
    else if (strcmp(flag, "--namespace") == 0)
        l->namespace = value;
    else
        return bench_flag(&l->bench, flag, value);
    return true;
}

int main(int argc, char **argv)
{
    static struct watch_load load = { .watchers = 1000,
                                      .connections = 32,
                                      .groups_count = 1,
                                      .rate = 100,
                                      .seconds = 5,
                                      .pids = "self",
                                      .namespace = "default" };
    struct watch_load *l = &load;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc || !set_flag(l, argv[i], argv[i + 1])) {
            fprintf(stderr, "watch_load: wrong flags; see the head of tests/bench/watch_load.c\n");
            return 2;
        }
    }
    if (!bench_open(&l->bench, "watch-load"))
        return 1;
    l->run = env_random_u64(l->bench.env);
    l->groups = mem_alloc(l->groups_count * sizeof l->groups[0]);
    for (size_t i = 0; i < l->groups_count; i++) {
        l->groups[i].load = l;
        l->groups[i].call.user = &l->groups[i];
        l->groups[i].index = (uint32_t)i;
    }
    for (size_t i = 0; i < l->bench.addresses_count; i++)
        l->writers[i] = bench_connect(&l->bench, i);
    env_post(l->bench.loop, &l->start, on_start);
    env_loop_run(l->bench.loop);
    if (l->phase == PHASE_SETUP)
        return 1;
    report(l);
    return l->streams.missed + l->streams.twice + l->streams.ended > 0;
}
