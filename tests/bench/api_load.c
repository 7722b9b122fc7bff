/*
 * The API as its users call it: pods in JSON over TLS, each connection with one call at a time, or
 * calls at a steady rate.
 *
 *   api_load --mode gantry --servers IP:PORT,... --ca F --cert F --key F --op OP [--connections N]
 *        [--seconds S] [--rate R] [--pods K] [--namespace NS] [--pids P,...] [--protobuf 1]
 *
 *   create   a new pod each             patch   an annotation of a pod of K, as a merge patch
 *   get      a pod of K                 list    all of the namespace in one answer
 *   fill     the pods p0..p(K-1), then ends
 *   mixed    get, patch and create in turn, R a second in all: latency counts from when a call was
 *            due, whether or not a connection was free for it
 *   ready    GET /readyz on new connections until it is 200; then ends
 *
 * One thread, one loop. The first tenth of the time is not counted. With --pids the CPU time of
 * those processes per call is printed, and of a list by how much their memory grew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench_client.h"
#include "tests/bench/proc.h"
#include "tests/bench/samples.h"

#define SLOTS_MAX 1024
#define TICK_MS   1
#define RETRY_MS  2

enum op { OP_CREATE, OP_PATCH, OP_GET, OP_LIST, OP_FILL, OP_MIXED, OP_READY, OP_COUNT };

static const char *const op_names[] = {
    "create", "patch", "get", "list", "fill", "mixed", "ready"
};

struct slot {
    struct api_load *load;
    struct http_client *client;
    struct http_request request;
    enum op op; /* of the present call */
    uint64_t began_ns;
    size_t bytes; /* of its answer */
    bool busy;
    bool connected; /* its first call, which makes the connection, was answered */
    struct env_msg msg;
};

struct api_load {
    struct bench bench;
    enum op op;
    const char *namespace;
    const char *pids;
    uint64_t connections;
    uint64_t seconds;
    uint64_t rate;
    uint64_t pods;
    uint64_t protobuf;
    struct slot *slots;
    struct env_timer timer;
    struct env_msg start;
    uint64_t run;
    uint64_t next;
    uint64_t answer_bytes;
    uint64_t begin_ns;
    uint64_t count_from_ns;
    uint64_t end_ns;
    uint64_t errors;
    struct samples samples;
    struct proc_cpu before;
    uint64_t memory_kib; /* before the first call */
    uint64_t memory_max_kib;
    size_t active;
    size_t connected;
    bool counting;
    char first_error[200];
};

static const struct http_header json_headers[] = { { STR("content-type"), STR("application/json") },
                                                   { STR("accept"), STR("application/json") } };
static const struct http_header patch_headers[] = {
    { STR("content-type"), STR("application/merge-patch+json") },
    { STR("accept"), STR("application/json") },
};
static const struct http_header protobuf_headers[] = {
    { STR("content-type"), STR("application/json") },
    { STR("accept"), STR("application/vnd.kubernetes.protobuf") },
};

/* ---- calls ---- */

/* A pod as a controller makes it. No scheduler of the cluster takes it, so nothing else moves. */
static struct str pod_body(struct arena *a, const char *name)
{
    return str_printf(
        a,
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\",\"labels\":{"
        "\"app\":\"web\",\"tier\":\"front\",\"pod-template-hash\":\"5d4f7c9b8d\"}},\"spec\":{"
        "\"schedulerName\":\"bench\",\"containers\":[{\"name\":\"web\",\"image\":"
        "\"registry.example/team/web:1.27.3\",\"args\":[\"--listen=:8080\",\"--verbose\"],"
        "\"ports\":[{\"name\":\"http\",\"containerPort\":8080}],\"env\":[{\"name\":\"MODE\","
        "\"value\":\"production\"},{\"name\":\"POD\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":"
        "\"metadata.name\"}}}],\"resources\":{\"requests\":{\"cpu\":\"100m\",\"memory\":\"64Mi\"},"
        "\"limits\":{\"memory\":\"128Mi\"}},\"readinessProbe\":{\"httpGet\":{\"path\":\"/ready\","
        "\"port\":\"http\"},\"periodSeconds\":5}}]}}",
        name);
}

static void on_body(struct http_request *r, struct str bytes)
{
    ((struct slot *)r->user)->bytes += bytes.len;
}

static void on_done(struct http_request *r, int status);
static void begin(struct api_load *l);

static const struct http_request_events events = { .done = on_done };
static const struct http_request_events list_events = { .body = on_body, .done = on_done };

static void set_call(struct slot *s, const char *method, const struct http_header *headers)
{
    s->request.method = method;
    s->request.headers = headers;
    s->request.header_count = 2;
    s->request.content = str_lit("");
    s->request.events = &events;
    s->request.user = s;
    s->bytes = 0;
    s->busy = true;
}

static void send_create(struct slot *s, struct arena *a, uint64_t n)
{
    struct api_load *l = s->load;
    const char *name =
        l->op == OP_FILL
            ? str_printf(a, "p%llu", (unsigned long long)n).data
            : str_printf(a, "b%llx-%llu", (unsigned long long)l->run, (unsigned long long)n).data;
    set_call(s, "POST", json_headers);
    s->request.target = str_printf(a, "/api/v1/namespaces/%s/pods", l->namespace);
    s->request.content = pod_body(a, name);
    http_client_send(s->client, &s->request);
}

/* Of pods in an order that is no order. */
static void send_named(struct slot *s, struct arena *a, uint64_t n)
{
    struct api_load *l = s->load;
    bool patch = s->op == OP_PATCH;
    set_call(s, patch ? "PATCH" : "GET", patch ? patch_headers : json_headers);
    s->request.target = str_printf(a, "/api/v1/namespaces/%s/pods/p%llu", l->namespace,
                                   (unsigned long long)(n * 2654435761u % l->pods));
    if (patch)
        s->request.content = str_printf(a, "{\"metadata\":{\"annotations\":{\"bench\":\"%llu\"}}}",
                                        (unsigned long long)n);
    http_client_send(s->client, &s->request);
}

static void send_list(struct slot *s, struct arena *a)
{
    struct api_load *l = s->load;
    set_call(s, "GET", l->protobuf != 0 ? protobuf_headers : json_headers);
    s->request.target = str_printf(a, "/api/v1/namespaces/%s/pods", l->namespace);
    s->request.events = &list_events;
    http_client_send(s->client, &s->request);
}

static void send_ready(struct slot *s)
{
    set_call(s, "GET", json_headers);
    s->request.target = str_lit("/readyz");
    http_client_send(s->client, &s->request);
}

static void slot_send(struct slot *s, uint64_t began_ns)
{
    static const enum op mixed[] = { OP_GET, OP_PATCH, OP_CREATE };
    struct api_load *l = s->load;
    struct arena a;
    uint64_t n = l->next++;
    arena_init(&a);
    s->began_ns = began_ns;
    s->op = l->op == OP_MIXED ? mixed[n % 3] : l->op;
    switch (s->op) {
    case OP_CREATE:
    case OP_FILL:
        send_create(s, &a, n);
        break;
    case OP_LIST:
        send_list(s, &a);
        break;
    case OP_READY:
        send_ready(s);
        break;
    default:
        send_named(s, &a, n);
        break;
    }
    arena_deinit(&a);
}

static void on_next(struct env_msg *m)
{
    struct slot *s = container_of(m, struct slot, msg);
    slot_send(s, env_now_ns(s->load->bench.env));
}

static bool is_good(const struct slot *s, int status)
{
    return status == 0 && (s->request.status == 200 || s->request.status == 201 ||
                           (s->op == OP_FILL && s->request.status == 409));
}

static void note_error(struct api_load *l, const struct slot *s, int status)
{
    const struct buf *b = &s->request.body;
    if (l->errors++ == 0)
        snprintf(l->first_error, sizeof l->first_error, "%s: %d %d %.*s", op_names[s->op], status,
                 s->request.status, (int)(b->len < 120 ? b->len : 120), (const char *)b->data);
}

static void watch_memory(struct api_load *l)
{
    uint64_t kib = l->pids != NULL ? proc_anonymous_kib(l->pids) : 0;
    if (kib > l->memory_max_kib)
        l->memory_max_kib = kib;
}

static bool over(const struct api_load *l, uint64_t now)
{
    return l->op == OP_FILL ? l->next >= l->pods : now >= l->end_ns;
}

static void on_done(struct http_request *r, int status)
{
    struct slot *s = r->user;
    struct api_load *l = s->load;
    uint64_t now = env_now_ns(l->bench.env);
    bool good = is_good(s, status);
    s->busy = false;
    if (!s->connected && l->op != OP_READY) {
        s->connected = true;
        if (++l->connected == l->connections)
            begin(l);
        return;
    }
    if (l->op == OP_READY && !good) {
        http_client_disconnect(s->client);
        env_timer_start(&l->timer, RETRY_MS);
        return;
    }
    if (!good) {
        note_error(l, s, status);
    } else if (l->op == OP_FILL || l->op == OP_READY || l->op == OP_LIST ||
               (s->began_ns >= l->count_from_ns && now <= l->end_ns)) {
        samples_add(&l->samples, (now - s->began_ns) / 1000);
        l->answer_bytes = s->op == OP_LIST ? s->bytes : r->body.len;
    }
    if (!l->counting && now >= l->count_from_ns) {
        l->counting = true;
        if (l->pids != NULL)
            proc_cpu_add(&l->before, l->pids);
    }
    if (l->op == OP_MIXED)
        return;
    if (l->op != OP_READY && !over(l, now))
        env_post(l->bench.loop, &s->msg, on_next);
    else if (--l->active == 0)
        env_loop_stop(l->bench.loop);
}

/* ---- time ---- */

static struct slot *free_slot(struct api_load *l)
{
    for (size_t i = 0; i < l->connections; i++)
        if (!l->slots[i].busy)
            return &l->slots[i];
    return NULL;
}

/* Sends what is due; what finds no connection is sent late, and its wait counts. */
static void pace(struct api_load *l, uint64_t now)
{
    struct slot *s;
    for (;;) {
        uint64_t due_ns = l->begin_ns + l->next * ENV_S / l->rate;
        if (due_ns > now || due_ns >= l->end_ns || (s = free_slot(l)) == NULL)
            return;
        slot_send(s, due_ns);
    }
}

static bool any_busy(const struct api_load *l)
{
    for (size_t i = 0; i < l->connections; i++)
        if (l->slots[i].busy)
            return true;
    return false;
}

static void on_timer(struct env_timer *t)
{
    struct api_load *l = container_of(t, struct api_load, timer);
    uint64_t now = env_now_ns(l->bench.env);
    if (l->op == OP_READY) {
        slot_send(&l->slots[0], now);
        return;
    }
    if (l->op == OP_LIST) {
        watch_memory(l);
    } else {
        pace(l, now);
        if (now >= l->end_ns && !any_busy(l)) {
            env_loop_stop(l->bench.loop);
            return;
        }
    }
    env_timer_start(t, TICK_MS);
}

/* All connections are made: time runs from here. */
static void begin(struct api_load *l)
{
    l->begin_ns = env_now_ns(l->bench.env);
    l->end_ns = l->begin_ns + l->seconds * ENV_S;
    l->count_from_ns = l->begin_ns + l->seconds * ENV_S / 10;
    l->active = l->connections;
    l->memory_kib = l->pids != NULL ? proc_anonymous_kib(l->pids) : 0;
    if (l->op == OP_LIST || l->op == OP_MIXED)
        env_timer_start(&l->timer, TICK_MS);
    for (size_t i = 0; l->op != OP_MIXED && i < l->connections; i++)
        slot_send(&l->slots[i], l->begin_ns);
}

static void on_start(struct env_msg *m)
{
    struct api_load *l = container_of(m, struct api_load, start);
    env_timer_init(l->bench.loop, &l->timer, on_timer);
    if (l->op == OP_READY) {
        begin(l);
        return;
    }
    for (size_t i = 0; i < l->connections; i++)
        send_ready(&l->slots[i]);
}

/* ---- flags and figures ---- */

static bool set_op(struct api_load *l, const char *value)
{
    for (int i = 0; i < OP_COUNT; i++) {
        if (strcmp(value, op_names[i]) == 0) {
            l->op = (enum op)i;
            return true;
        }
    }
    return false;
}

static bool set_flag(struct api_load *l, const char *flag, const char *value)
{
    struct {
        const char *name;
        uint64_t *value;
    } numbers[] = { { "--connections", &l->connections },
                    { "--seconds", &l->seconds },
                    { "--rate", &l->rate },
                    { "--pods", &l->pods },
                    { "--protobuf", &l->protobuf } };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(flag, numbers[i].name) == 0)
            return str_to_u64(str_from(value), numbers[i].value) == 0;
    if (strcmp(flag, "--op") == 0)
        return set_op(l, value);
    if (strcmp(flag, "--namespace") == 0)
        l->namespace = value;
    else if (strcmp(flag, "--pids") == 0)
        l->pids = value;
    else
        return bench_flag(&l->bench, flag, value);
    return true;
}

static bool set_flags(struct api_load *l, int argc, char **argv)
{
    for (int i = 1; i < argc; i += 2)
        if (i + 1 == argc || !set_flag(l, argv[i], argv[i + 1]))
            return false;
    return l->connections > 0 && l->connections <= SLOTS_MAX && l->seconds > 0 && l->pods > 0 &&
           l->rate > 0 && !l->bench.etcd && (l->op != OP_READY || l->connections == 1);
}

static void report(struct api_load *l)
{
    bool whole = l->op == OP_FILL || l->op == OP_READY || l->op == OP_LIST;
    uint64_t end = whole ? env_now_ns(l->bench.env) : l->end_ns;
    double seconds = (double)(end - (whole ? l->begin_ns : l->count_from_ns)) / (double)ENV_S;
    double count = (double)l->samples.count;
    struct proc_cpu after = { 0 };
    if (l->pids != NULL)
        proc_cpu_add(&after, l->pids);
    samples_sort(&l->samples);
    printf("api_load op=%s connections=%llu rate=%.0f p50_us=%u p99_us=%u max_us=%u errors=%llu "
           "took_ms=%.0f answer_bytes=%llu mib_s=%.1f",
           op_names[l->op], (unsigned long long)l->connections, count / seconds,
           samples_at(&l->samples, 0.5), samples_at(&l->samples, 0.99), samples_at(&l->samples, 1),
           (unsigned long long)l->errors, seconds * 1000, (unsigned long long)l->answer_bytes,
           (double)l->answer_bytes * count / seconds / 1048576);
    if (l->op == OP_LIST && l->pids != NULL)
        printf(" grew_kib=%lld", (long long)l->memory_max_kib - (long long)l->memory_kib);
    else if (l->pids != NULL)
        proc_cpu_print(&l->before, &after, count);
    printf("\n");
    if (l->errors > 0)
        fprintf(stderr, "api_load: first error: %s\n", l->first_error);
}

int main(int argc, char **argv)
{
    static struct api_load load = {
        .seconds = 5, .connections = 1, .rate = 2000, .pods = 1, .namespace = "default"
    };
    struct api_load *l = &load;
    if (!set_flags(l, argc, argv)) {
        fprintf(stderr, "api_load: wrong flags; see the head of tests/bench/api_load.c\n");
        return 2;
    }
    if (!bench_open(&l->bench, "api_load"))
        return 1;
    l->run = env_random_u64(l->bench.env);
    l->slots = mem_alloc(l->connections * sizeof l->slots[0]);
    for (size_t i = 0; i < l->connections; i++) {
        l->slots[i].load = l;
        l->slots[i].client = bench_connect(&l->bench, i);
    }
    env_post(l->bench.loop, &l->start, on_start);
    env_loop_run(l->bench.loop);
    report(l);
    return l->errors > 0;
}
