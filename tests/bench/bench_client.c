/* See the header. */
#include "tests/bench/bench_client.h"

#include <stdio.h>
#include <string.h>

#include "base/env_uv.h"
#include "net/tls.h"

#define ANSWER_BYTES_MAX (1u << 30)
#define KEY_BYTES        256

static const struct http_header protobuf_headers[] = {
    { STR("content-type"), STR("application/vnd.kubernetes.protobuf") },
    { STR("accept"), STR("application/vnd.kubernetes.protobuf") },
};

/* ---- connections ---- */

bool bench_flag(struct bench *b, const char *flag, const char *value)
{
    struct {
        const char *name;
        const char **value;
    } texts[] = { { "--servers", &b->servers },
                  { "--ca", &b->ca },
                  { "--cert", &b->cert },
                  { "--key", &b->key } };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(flag, texts[i].name) == 0) {
            *texts[i].value = value;
            return true;
        }
    }
    b->etcd = strcmp(value, "etcd") == 0;
    return strcmp(flag, "--mode") == 0 && (b->etcd || strcmp(value, "gantry") == 0);
}

static bool read_pem(struct bench *b, const char *path, struct str *out)
{
    struct err e;
    if (env_file_read(b->env, &b->arena, path, 1u << 20, out, &e) == 0)
        return true;
    fprintf(stderr, "bench: %s\n", e.msg);
    return false;
}

bool bench_open(struct bench *b, const char *name)
{
    static const char *const alpn[] = { "h2", NULL };
    struct tls_options o = { .alpn = alpn };
    struct err e = { 0 };
    if (b->servers == NULL || b->ca == NULL || b->cert == NULL || b->key == NULL) {
        fprintf(stderr, "%s: --servers, --ca, --cert and --key are needed\n", name);
        return false;
    }
    b->env = env_uv_new();
    b->loop = env_loop_new(b->env, name);
    arena_init(&b->arena);
    if (!read_pem(b, b->ca, &o.ca_pem) || !read_pem(b, b->cert, &o.certificate_pem) ||
        !read_pem(b, b->key, &o.key_pem))
        return false;
    b->tls = tls_client_context_new(&o, &e);
    if (b->tls == NULL)
        fprintf(stderr, "%s: %s\n", name, e.msg);
    struct str rest = str_from(b->servers);
    struct str one;
    while (str_split(&rest, ',', &one) && b->addresses_count < BENCH_SERVERS_MAX)
        b->addresses[b->addresses_count++] = str_printf(&b->arena, "tcp:%.*s", STR_ARG(one)).data;
    return b->tls != NULL;
}

struct http_client *bench_connect(struct bench *b, size_t server)
{
    const char *address = b->addresses[server % b->addresses_count];
    struct http_client_options options = { .address = address,
                                           .authority = address + strlen("tcp:"),
                                           .tls = b->tls,
                                           .protocol = HTTP_PROTOCOL_HTTP2 };
    return http_client_new(b->loop, &options);
}

/* ---- requests ---- */

void bench_field(struct buf *b, uint32_t number, struct str bytes)
{
    buf_put_varint(b, (uint64_t)number << 3 | 2);
    buf_put_bytes(b, bytes);
}

void bench_etcd_put(struct buf *out, struct str key, struct str value)
{
    bench_field(out, 1, key);
    bench_field(out, 2, value);
}

/* k8s\0 Unknown{ TypeMeta{v1, ConfigMap}, raw ConfigMap{ metadata{name}, data{v: value} } }. */
void bench_config_map(struct buf *out, struct str name, struct str value)
{
    struct buf inner;
    struct buf raw;
    buf_init(&inner);
    buf_init(&raw);
    bench_field(&inner, 1, name);
    bench_field(&raw, 1, buf_str(&inner));
    buf_clear(&inner);
    bench_field(&inner, 1, str_lit("v"));
    bench_field(&inner, 2, value);
    bench_field(&raw, 2, buf_str(&inner));
    buf_clear(&inner);
    bench_field(&inner, 1, str_lit("v1"));
    bench_field(&inner, 2, str_lit("ConfigMap"));
    buf_append(out, "k8s\0", 4);
    bench_field(out, 1, buf_str(&inner));
    bench_field(out, 2, buf_str(&raw));
    buf_deinit(&inner);
    buf_deinit(&raw);
}

static struct str etcd_key(char out[KEY_BYTES], const char *ns, const char *name)
{
    int n = snprintf(out, KEY_BYTES, "/registry/configmaps/%s/%s", ns, name);
    return str_of(out, (size_t)n);
}

static void http_done(struct http_request *r, int status)
{
    struct bench_call *c = r->user;
    bool ok = status == 0 &&
              (r->status == 200 || r->status == 201 || (r->status == 409 && c->exists_is_ok));
    if (!ok)
        snprintf(c->error, sizeof c->error, "%d %d %.*s", status, r->status,
                 (int)(r->body.len < 120 ? r->body.len : 120), (const char *)r->body.data);
    c->done(c, ok);
}

static void grpc_done(struct grpc_call *g)
{
    struct bench_call *c = g->user;
    if (g->code != GRPC_OK)
        snprintf(c->error, sizeof c->error, "%s %.*s", grpc_code_name(g->code),
                 STR_ARG(str_slice(g->message, 0, 120)));
    c->done(c, g->code == GRPC_OK);
}

static const struct http_request_events http_events = { .done = http_done };
static const struct grpc_call_events grpc_events = { .done = grpc_done };

static void send_grpc(struct http_client *to, struct bench_call *c, const char *path,
                      struct buf *request)
{
    grpc_call_deinit(&c->grpc);
    memset(&c->grpc, 0, sizeof c->grpc);
    c->etcd = true;
    c->grpc.path = path;
    c->grpc.events = &grpc_events;
    c->grpc.timeout_ms = c->timeout_ms;
    c->grpc.message_bytes_max = ANSWER_BYTES_MAX;
    c->grpc.user = c;
    grpc_call_start(to, &c->grpc, buf_str(request));
    buf_deinit(request);
}

static void send_http(struct http_client *to, struct bench_call *c, const char *method,
                      const char *target, struct buf *content)
{
    struct http_request *r = &c->http;
    r->method = method;
    r->target = str_from(target);
    r->headers = protobuf_headers;
    r->header_count = sizeof protobuf_headers / sizeof protobuf_headers[0];
    r->content = buf_str(content);
    r->body_bytes_max = ANSWER_BYTES_MAX;
    r->timeout_ms = c->timeout_ms;
    r->events = &http_events;
    r->user = c;
    http_client_send(to, r);
    buf_deinit(content);
}

void bench_put(struct bench *b, struct http_client *to, struct bench_call *c, const char *ns,
               const char *name, struct str value)
{
    char key[KEY_BYTES];
    struct buf body;
    buf_init(&body);
    if (b->etcd) {
        bench_etcd_put(&body, etcd_key(key, ns, name), value);
        send_grpc(to, c, "/etcdserverpb.KV/Put", &body);
        return;
    }
    bench_config_map(&body, str_from(name), value);
    snprintf(key, sizeof key, "/api/v1/namespaces/%s/configmaps", ns);
    send_http(to, c, "POST", key, &body);
}

void bench_put_many(struct bench *b, struct http_client *to, struct bench_call *c, const char *ns,
                    uint64_t first, uint64_t count, struct str value)
{
    struct buf txn;
    struct buf put;
    struct buf op;
    (void)b;
    buf_init(&txn);
    buf_init(&put);
    buf_init(&op);
    for (uint64_t i = first; i < first + count; i++) {
        char key[KEY_BYTES];
        char name[32];
        snprintf(name, sizeof name, "k%llu", (unsigned long long)i);
        buf_clear(&put);
        buf_clear(&op);
        bench_etcd_put(&put, etcd_key(key, ns, name), value);
        bench_field(&op, 2, buf_str(&put)); /* RequestOp.request_put */
        bench_field(&txn, 2, buf_str(&op)); /* success */
    }
    buf_deinit(&op);
    buf_deinit(&put);
    send_grpc(to, c, "/etcdserverpb.KV/Txn", &txn);
}

void bench_get(struct bench *b, struct http_client *to, struct bench_call *c, const char *ns,
               const char *name, bool fresh)
{
    char key[KEY_BYTES];
    struct buf body;
    buf_init(&body);
    if (b->etcd) {
        bench_field(&body, 1, etcd_key(key, ns, name));
        buf_put_varint(&body, 7 << 3); /* serializable */
        buf_put_varint(&body, fresh ? 0 : 1);
        send_grpc(to, c, "/etcdserverpb.KV/Range", &body);
        return;
    }
    snprintf(key, sizeof key, "/api/v1/namespaces/%s/configmaps/%s%s", ns, name,
             fresh ? "" : "?resourceVersion=0");
    send_http(to, c, "GET", key, &body);
}

void bench_list(struct bench *b, struct http_client *to, struct bench_call *c, const char *ns)
{
    char key[KEY_BYTES];
    struct buf body;
    buf_init(&body);
    if (b->etcd) {
        bench_field(&body, 1, etcd_key(key, ns, ""));
        struct str end = etcd_key(key, ns, "");
        key[end.len - 1] = '/' + 1;
        bench_field(&body, 2, end);
        send_grpc(to, c, "/etcdserverpb.KV/Range", &body);
        return;
    }
    snprintf(key, sizeof key, "/api/v1/namespaces/%s/configmaps", ns);
    send_http(to, c, "GET", key, &body);
}

size_t bench_answer_bytes(const struct bench_call *c)
{
    return c->etcd ? c->grpc.reply.len : c->http.body.len;
}
