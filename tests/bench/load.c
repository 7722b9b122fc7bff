/*
 * A closed-loop writer for the store benchmark: the same program, connections and value size
 * against Gantry's API (POST of a ConfigMap in protobuf) and etcd's (gRPC Put).
 *
 *   load --mode gantry|etcd --servers IP:PORT,... --ca F --cert F --key F --outstanding N
 *        --seconds S --bytes B
 *
 * One thread, one loop; each of the N slots sends its next write when the last is answered.
 * Connections: one per server. The first tenth of the time is not counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "net/client.h"
#include "net/grpc.h"
#include "net/tls.h"

#define LOAD_SERVERS_MAX 8
#define LOAD_SLOTS_MAX   4096
#define LOAD_SAMPLES_MAX (8u << 20)

struct load_slot {
    struct load *load;
    struct http_request request;
    struct grpc_call call;
    uint64_t began_ns;
    uint64_t number;
    size_t server;
    struct env_msg msg;
};

struct load {
    struct env *env;
    struct env_loop *loop;
    struct arena arena;
    bool etcd;
    uint64_t outstanding;
    uint64_t seconds;
    uint64_t bytes;
    const char *servers;
    const char *ca;
    const char *cert;
    const char *key;
    struct http_client *clients[LOAD_SERVERS_MAX];
    size_t clients_count;
    struct load_slot *slots;
    char *value;
    uint64_t run;
    uint64_t next;
    uint64_t begin_ns;
    uint64_t count_from_ns;
    uint64_t end_ns;
    uint64_t errors;
    uint32_t *samples; /* microseconds */
    size_t samples_count;
    size_t active;
    char first_error[200];
};

static void load_send(struct load_slot *s);

static void load_field(struct buf *b, uint32_t number, struct str bytes)
{
    buf_put_varint(b, (uint64_t)number << 3 | 2);
    buf_put_bytes(b, bytes);
}

static void load_next(struct env_msg *m)
{
    load_send(container_of(m, struct load_slot, msg));
}

static void load_answered(struct load_slot *s, bool ok)
{
    struct load *l = s->load;
    uint64_t now = env_now_ns(l->env);
    if (!ok)
        l->errors++;
    else if (s->began_ns >= l->count_from_ns && now <= l->end_ns &&
             l->samples_count < LOAD_SAMPLES_MAX)
        l->samples[l->samples_count++] = (uint32_t)((now - s->began_ns) / 1000);
    if (now >= l->end_ns) {
        if (--l->active == 0)
            env_loop_stop(l->loop);
        return;
    }
    env_post(l->loop, &s->msg, load_next);
}

static void load_http_done(struct http_request *r, int status)
{
    struct load_slot *s = r->user;
    bool ok = status == 0 && r->status == 201;
    if (!ok && s->load->first_error[0] == '\0')
        (void)snprintf(s->load->first_error, sizeof s->load->first_error, "%d %d %.*s", status,
                       r->status, (int)(r->body.len < 120 ? r->body.len : 120),
                       (const char *)r->body.data);
    load_answered(s, ok);
}

static void load_grpc_done(struct grpc_call *c)
{
    struct load_slot *s = c->user;
    if (c->code != GRPC_OK && s->load->first_error[0] == '\0')
        (void)snprintf(s->load->first_error, sizeof s->load->first_error, "%s %.*s",
                       grpc_code_name(c->code), STR_ARG(c->message));
    load_answered(s, c->code == GRPC_OK);
}

static const struct http_request_events load_http_events = { .done = load_http_done };
static const struct grpc_call_events load_grpc_events = { .done = load_grpc_done };

/* k8s\0 Unknown{ TypeMeta{v1, ConfigMap}, raw ConfigMap{ metadata{name}, data{v: value} } }. */
static void load_configmap(struct load_slot *s, struct buf *out)
{
    struct load *l = s->load;
    char name[64];
    (void)snprintf(name, sizeof name, "b%llx-%llu", (unsigned long long)l->run,
                   (unsigned long long)s->number);
    struct buf inner;
    struct buf raw;
    buf_init(&inner);
    buf_init(&raw);
    load_field(&inner, 1, str_from(name));
    load_field(&raw, 1, buf_str(&inner));
    buf_clear(&inner);
    load_field(&inner, 1, str_lit("v"));
    load_field(&inner, 2, str_of(l->value, l->bytes));
    load_field(&raw, 2, buf_str(&inner));
    buf_clear(&inner);
    load_field(&inner, 1, str_lit("v1"));
    load_field(&inner, 2, str_lit("ConfigMap"));
    buf_append(out, "k8s\0", 4);
    load_field(out, 1, buf_str(&inner));
    load_field(out, 2, buf_str(&raw));
    buf_deinit(&inner);
    buf_deinit(&raw);
}

static void load_put(struct load_slot *s, struct buf *out)
{
    char key[64];
    (void)snprintf(key, sizeof key, "/registry/configmaps/bench/b%llx-%llu",
                   (unsigned long long)s->load->run, (unsigned long long)s->number);
    load_field(out, 1, str_from(key));
    load_field(out, 2, str_of(s->load->value, s->load->bytes));
}

static void load_send(struct load_slot *s)
{
    struct load *l = s->load;
    static const struct http_header headers[] = {
        { STR("content-type"), STR("application/vnd.kubernetes.protobuf") },
        { STR("accept"), STR("application/vnd.kubernetes.protobuf") },
    };
    struct buf body;
    buf_init(&body);
    s->number = l->next++;
    s->began_ns = env_now_ns(l->env);
    if (l->etcd) {
        load_put(s, &body);
        grpc_call_deinit(&s->call);
        memset(&s->call, 0, sizeof s->call);
        s->call.path = "/etcdserverpb.KV/Put";
        s->call.events = &load_grpc_events;
        s->call.user = s;
        grpc_call_start(l->clients[s->server], &s->call, buf_str(&body));
    } else {
        load_configmap(s, &body);
        s->request.method = "POST";
        s->request.target = str_lit("/api/v1/namespaces/default/configmaps");
        s->request.headers = headers;
        s->request.header_count = sizeof headers / sizeof headers[0];
        s->request.content = buf_str(&body);
        s->request.events = &load_http_events;
        s->request.user = s;
        http_client_send(l->clients[s->server], &s->request);
    }
    buf_deinit(&body);
}

static int load_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static bool load_read(struct load *l, const char *path, struct str *out)
{
    struct err e;
    if (env_file_read(l->env, &l->arena, path, 1u << 20, out, &e) == 0)
        return true;
    fprintf(stderr, "load: %s\n", e.msg);
    return false;
}

static bool load_connect(struct load *l)
{
    static const char *const alpn[] = { "h2", NULL };
    struct tls_options o = { .alpn = alpn };
    struct err e;
    if (!load_read(l, l->ca, &o.ca_pem) || !load_read(l, l->cert, &o.certificate_pem) ||
        !load_read(l, l->key, &o.key_pem))
        return false;
    struct tls_context *tls = tls_client_context_new(&o, &e);
    if (tls == NULL) {
        fprintf(stderr, "load: %s\n", e.msg);
        return false;
    }
    struct str rest = str_from(l->servers);
    struct str one;
    while (str_split(&rest, ',', &one) && l->clients_count < LOAD_SERVERS_MAX) {
        const char *address = str_printf(&l->arena, "tcp:%.*s", STR_ARG(one)).data;
        struct http_client_options options = { .address = address,
                                               .authority = address + strlen("tcp:"),
                                               .tls = tls,
                                               .protocol = HTTP_PROTOCOL_HTTP2 };
        l->clients[l->clients_count++] = http_client_new(l->loop, &options);
    }
    return true;
}

static bool load_flags(struct load *l, int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *flag = argv[i];
        const char *value = argv[i + 1];
        if (strcmp(flag, "--mode") == 0)
            l->etcd = strcmp(value, "etcd") == 0;
        else if (strcmp(flag, "--servers") == 0)
            l->servers = value;
        else if (strcmp(flag, "--ca") == 0)
            l->ca = value;
        else if (strcmp(flag, "--cert") == 0)
            l->cert = value;
        else if (strcmp(flag, "--key") == 0)
            l->key = value;
        else if (strcmp(flag, "--outstanding") == 0)
            (void)str_to_u64(str_from(value), &l->outstanding); /* checked below */
        else if (strcmp(flag, "--seconds") == 0)
            (void)str_to_u64(str_from(value), &l->seconds);
        else if (strcmp(flag, "--bytes") == 0)
            (void)str_to_u64(str_from(value), &l->bytes);
        else
            return false;
    }
    return l->servers != NULL && l->ca != NULL && l->cert != NULL && l->key != NULL &&
           l->outstanding > 0 && l->outstanding <= LOAD_SLOTS_MAX && l->seconds > 0 &&
           l->bytes > 0 && l->bytes <= 65536;
}

static void load_report(struct load *l)
{
    double seconds = (double)(l->end_ns - l->count_from_ns) / (double)ENV_S;
    qsort(l->samples, l->samples_count, sizeof l->samples[0], load_compare);
    uint32_t p50 = l->samples_count > 0 ? l->samples[l->samples_count / 2] : 0;
    uint32_t p99 = l->samples_count > 0 ? l->samples[l->samples_count * 99 / 100] : 0;
    printf("load outstanding=%llu rate=%.0f p50_us=%u p99_us=%u errors=%llu\n",
           (unsigned long long)l->outstanding, (double)l->samples_count / seconds, p50, p99,
           (unsigned long long)l->errors);
    if (l->errors > 0)
        fprintf(stderr, "load: first error: %s\n", l->first_error);
}

int main(int argc, char **argv)
{
    static struct load load = { .seconds = 5, .bytes = 512 };
    struct load *l = &load;
    if (!load_flags(l, argc, argv)) {
        fprintf(stderr, "load: wrong flags; see the head of tests/bench/load.c\n");
        return 2;
    }
    l->env = env_uv_new();
    l->loop = env_loop_new(l->env, "load");
    arena_init(&l->arena);
    l->run = env_random_u64(l->env);
    l->value = mem_alloc(l->bytes);
    memset(l->value, 'v', l->bytes);
    l->samples = mem_alloc(LOAD_SAMPLES_MAX * sizeof l->samples[0]);
    l->slots = mem_alloc(l->outstanding * sizeof l->slots[0]);
    if (!load_connect(l))
        return 1;
    l->begin_ns = env_now_ns(l->env);
    l->end_ns = l->begin_ns + l->seconds * ENV_S;
    l->count_from_ns = l->begin_ns + l->seconds * ENV_S / 10;
    l->active = l->outstanding;
    for (size_t i = 0; i < l->outstanding; i++) {
        l->slots[i].load = l;
        l->slots[i].server = i % l->clients_count;
        env_post(l->loop, &l->slots[i].msg, load_next);
    }
    env_loop_run(l->loop);
    load_report(l);
    return l->errors > 0;
}
