/* The clients, on one loop; see the header. */
#include "tests/fault/load.h"

#include <inttypes.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "net/client.h"
#include "net/tls.h"

#define PAUSE_MS       8  /* between two things a client does */
#define PAUSE_FAIL_MS  50 /* after no answer */
#define PEM_BYTES_MAX  (1u << 20)
#define LIST_BYTES_MAX (256u << 20)
#define CONFIGMAPS     "/api/v1/namespaces/default/configmaps"

struct load_client {
    struct load *load;
    unsigned index;
    unsigned member;
    struct http_client *connections[CLUSTER_MEMBERS_MAX];
    struct http_request request;
    struct env_timer timer;
    struct lincheck_op op; /* under way */
    uint64_t seen[LOAD_KEYS];
    char target[160];
    char body[320];
};

struct load {
    struct env *env;
    struct env_loop *loop;
    struct arena arena;
    struct tls_context *tls;
    const struct cluster *cluster;
    uint64_t rng;
    bool stale;
    _Atomic bool pausing;
    unsigned resting; /* clients */
    sem_t rested;
    struct env_msg begin;
    uint64_t next_value;
    uint32_t next_key;
    _Atomic uint64_t acknowledged;
    struct lincheck_op *ops;
    size_t count;
    struct load_client clients[LOAD_CLIENTS];
    struct http_client *askers[CLUSTER_MEMBERS_MAX];
};

static uint64_t draw(struct load *l, uint64_t below)
{
    l->rng ^= l->rng << 13;
    l->rng ^= l->rng >> 7;
    l->rng ^= l->rng << 17;
    return l->rng % below;
}

void load_key_name(uint32_t key, char out[32])
{
    if (key < LOAD_KEYS)
        snprintf(out, 32, "r-%u", key);
    else
        snprintf(out, 32, "u-%u", key - LOAD_KEYS);
}

static struct http_client *connect_to(struct load *l, unsigned member)
{
    const char *ip = l->cluster->members[member].address;
    const char *address = str_printf(&l->arena, "tcp:%s:6443", ip).data;
    struct http_client_options options = { .address = address,
                                           .authority = address + strlen("tcp:"),
                                           .server_name = ip,
                                           .tls = l->tls,
                                           .protocol = HTTP_PROTOCOL_HTTP2,
                                           .connect_timeout_ms = LOAD_TIMEOUT_MS };
    return http_client_new(l->loop, &options);
}

/* ---- what is asked ---- */

static void plan_unique(struct load_client *c)
{
    c->op.key = LOAD_KEYS + c->load->next_key++;
    c->op.kind = LINCHECK_WRITE;
    c->op.guard = LINCHECK_IF_ABSENT;
}

/* Of ten things: four reads, three guarded writes, one of each other. */
static void plan(struct load_client *c)
{
    struct load *l = c->load;

    c->op = (struct lincheck_op){ .client = c->index, .kind = LINCHECK_WRITE };
    c->op.key = (uint32_t)draw(l, LOAD_KEYS);
    switch (draw(l, 10)) {
    case 0:
        plan_unique(c);
        break;
    case 1:
        c->op.guard = LINCHECK_IF_PRESENT;
        if (draw(l, 3) == 0)
            return; /* a deletion */
        break;
    case 2:
        c->op.guard = LINCHECK_IF_ABSENT;
        break;
    case 3:
    case 4:
    case 5:
        c->op.guard = c->seen[c->op.key] == 0 ? LINCHECK_IF_ABSENT : LINCHECK_IF_REVISION;
        c->op.guard_revision = c->seen[c->op.key];
        break;
    default:
        c->op.kind = LINCHECK_READ;
        return;
    }
    c->op.value = ++l->next_value;
}

static const char *method_of(const struct lincheck_op *op)
{
    if (op->kind == LINCHECK_READ)
        return "GET";
    if (op->value == 0)
        return "DELETE";
    return op->guard == LINCHECK_IF_ABSENT ? "POST" : "PUT";
}

static void write_body(struct load_client *c, const char *name)
{
    char revision[64] = "";

    c->body[0] = '\0';
    if (c->op.kind == LINCHECK_READ || c->op.value == 0)
        return;
    if (c->op.guard == LINCHECK_IF_REVISION)
        snprintf(revision, sizeof revision, ",\"resourceVersion\":\"%" PRIu64 "\"",
                 c->op.guard_revision);
    snprintf(c->body, sizeof c->body,
             "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s\"%s},"
             "\"data\":{\"v\":\"%" PRIu64 "\"}}",
             name, revision, c->op.value);
}

static void on_answer(struct http_request *r, int status);

static void client_next(struct load_client *c)
{
    static const struct http_request_events events = { .done = on_answer };
    static const struct http_header headers[] = { { STR("content-type"),
                                                    STR("application/json") } };
    struct load *l = c->load;
    const char *method;
    char name[32];

    if (atomic_load(&l->pausing)) {
        if (++l->resting == LOAD_CLIENTS)
            sem_post(&l->rested);
        return;
    }
    plan(c);
    method = method_of(&c->op);
    load_key_name(c->op.key, name);
    snprintf(c->target, sizeof c->target, CONFIGMAPS "%s%s%s", method[1] == 'O' ? "" : "/",
             method[1] == 'O' ? "" : name,
             l->stale && c->op.kind == LINCHECK_READ ? "?resourceVersion=0" : "");
    write_body(c, name);
    if (c->connections[c->member] == NULL)
        c->connections[c->member] = connect_to(l, c->member);
    c->request.method = method;
    c->request.target = str_from(c->target);
    c->request.content = str_from(c->body);
    c->request.headers = headers;
    c->request.header_count = 1;
    c->request.timeout_ms = LOAD_TIMEOUT_MS;
    c->request.events = &events;
    c->request.user = c;
    c->op.invoked = env_now_ns(l->env);
    http_client_send(c->connections[c->member], &c->request);
}

static void on_timer(struct env_timer *t)
{
    client_next(container_of(t, struct load_client, timer));
}

/* ---- what is answered ---- */

/* The number in the text after `label`, or 0. */
static uint64_t number_after(struct str text, const char *label)
{
    ptrdiff_t at = str_find(text, str_from(label));
    uint64_t n = 0;

    if (at < 0)
        return 0;
    for (size_t i = (size_t)at + strlen(label); i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            break;
        n = n * 10 + (uint64_t)(text.data[i] - '0');
    }
    return n;
}

static void take_object(struct lincheck_op *op, struct str object)
{
    op->outcome = LINCHECK_OK;
    if (op->kind == LINCHECK_WRITE && op->value == 0)
        return; /* what a deletion answers has the revision of what is gone */
    op->revision = number_after(object, "\"resourceVersion\":\"");
    if (op->kind == LINCHECK_READ)
        op->value = number_after(object, "\"v\":\"");
    /* An answer without them would be no ConfigMap of ours. */
    ASSERT(op->revision != 0 && op->value != 0);
}

static void take_answer(struct load_client *c, int status)
{
    struct lincheck_op *op = &c->op;

    op->outcome = LINCHECK_UNKNOWN;
    if (status == 200 || status == 201)
        take_object(op, buf_str(&c->request.body));
    else if (status == 404 && op->kind == LINCHECK_READ)
        op->outcome = LINCHECK_OK;
    else if (status == 404 && op->guard != LINCHECK_IF_ABSENT)
        op->outcome = LINCHECK_FAILED;
    else if (status == 409 && op->guard != LINCHECK_IF_PRESENT)
        op->outcome = LINCHECK_FAILED;
}

static void record(struct load *l, const struct lincheck_op *op)
{
    ASSERT(l->count < LOAD_OPS_MAX);
    l->ops[l->count++] = *op;
}

/* The member does not answer: the next one, with a connection that is not stuck. */
static void go_elsewhere(struct load_client *c)
{
    http_client_disconnect(c->connections[c->member]);
    c->member = (c->member + 1) % c->load->cluster->count;
}

static void on_answer(struct http_request *r, int status)
{
    struct load_client *c = r->user;
    struct load *l = c->load;

    c->op.returned = env_now_ns(l->env);
    take_answer(c, status != 0 ? 0 : r->status);
    if (c->op.outcome != LINCHECK_UNKNOWN || c->op.kind == LINCHECK_WRITE)
        record(l, &c->op);
    if (c->op.outcome == LINCHECK_OK && c->op.key < LOAD_KEYS)
        c->seen[c->op.key] = c->op.value == 0 ? 0 : c->op.revision;
    if (c->op.outcome == LINCHECK_OK && c->op.kind == LINCHECK_WRITE)
        atomic_fetch_add(&l->acknowledged, 1);
    if (c->op.outcome == LINCHECK_UNKNOWN)
        go_elsewhere(c);
    env_timer_start(&c->timer, c->op.outcome == LINCHECK_UNKNOWN ? PAUSE_FAIL_MS : PAUSE_MS);
}

/* ---- one question, waited for ---- */

struct ask {
    struct load *load;
    struct env_msg msg;
    unsigned member;
    struct http_request request;
    sem_t answered;
    int status;
};

static void on_asked(struct http_request *r, int status)
{
    struct ask *a = r->user;

    a->status = status != 0 ? 0 : r->status;
    if (status != 0)
        http_client_disconnect(a->load->askers[a->member]);
    sem_post(&a->answered);
}

static void ask_send(struct env_msg *m)
{
    struct ask *a = container_of(m, struct ask, msg);

    if (a->load->askers[a->member] == NULL)
        a->load->askers[a->member] = connect_to(a->load, a->member);
    http_client_send(a->load->askers[a->member], &a->request);
}

static void wait_for(sem_t *s)
{
    while (sem_wait(s) != 0)
        ;
}

int load_ask(struct load *l, unsigned member, const char *method, const char *target,
             const char *content, struct buf *out)
{
    static const struct http_request_events events = { .done = on_asked };
    static const struct http_header headers[] = { { STR("content-type"),
                                                    STR("application/json") } };
    struct ask a = { .load = l, .member = member };

    sem_init(&a.answered, 0, 0);
    a.request = (struct http_request){ .method = method,
                                       .target = str_from(target),
                                       .content = str_from(content),
                                       .headers = headers,
                                       .header_count = 1,
                                       .timeout_ms = 4 * LOAD_TIMEOUT_MS,
                                       .body_bytes_max = LIST_BYTES_MAX,
                                       .events = &events,
                                       .user = &a };
    env_post(l->loop, &a.msg, ask_send);
    wait_for(&a.answered);
    if (out != NULL)
        buf_append_str(out, buf_str(&a.request.body));
    http_request_deinit(&a.request);
    sem_destroy(&a.answered);
    return a.status;
}

/* ---- everything there is ---- */

/* "r-3" and "u-17" are keys; other ConfigMaps are not ours. */
static bool key_of(struct str name, uint32_t *out)
{
    uint64_t n;

    if (name.len < 3 || name.data[1] != '-' || str_to_u64(str_slice(name, 2, name.len), &n) != 0)
        return false;
    *out = (uint32_t)n + (name.data[0] == 'u' ? LOAD_KEYS : 0);
    return name.data[0] == 'u' || name.data[0] == 'r';
}

static void take_item(struct str item, struct lincheck_op *reads, size_t keys)
{
    uint32_t key;
    ptrdiff_t end = str_find_char(item, '"', 0);

    if (end < 0 || !key_of(str_slice(item, 0, (size_t)end), &key) || key >= keys)
        return;
    take_object(&reads[key], item);
}

static void take_list(struct str list, struct lincheck_op *reads, size_t keys)
{
    static const struct str label = STR("\"metadata\":{\"name\":\"");
    ptrdiff_t at = str_find(list, label);

    while (at >= 0) {
        struct str rest = str_slice(list, (size_t)at + label.len, list.len);
        ptrdiff_t next = str_find(rest, label);

        take_item(next < 0 ? rest : str_slice(rest, 0, (size_t)next), reads, keys);
        list = rest;
        at = next;
    }
}

bool load_read_all(struct load *l, unsigned member)
{
    size_t keys = LOAD_KEYS + l->next_key;
    struct lincheck_op *reads = mem_alloc(keys * sizeof *reads);
    uint64_t invoked = env_now_ns(l->env);
    struct buf list;
    int status;

    buf_init(&list);
    status = load_ask(l, member, "GET", CONFIGMAPS, "", &list);
    for (size_t i = 0; i < keys; i++)
        reads[i] = (struct lincheck_op){ .client = LOAD_CLIENTS + member,
                                         .key = (uint32_t)i,
                                         .kind = LINCHECK_READ,
                                         .outcome = LINCHECK_OK,
                                         .invoked = invoked,
                                         .returned = env_now_ns(l->env) };
    if (status == 200)
        take_list(buf_str(&list), reads, keys);
    for (size_t i = 0; status == 200 && i < keys; i++)
        record(l, &reads[i]);
    buf_deinit(&list);
    mem_free(reads);
    return status == 200;
}

/* ---- life ---- */

static void read_pem(struct load *l, const char *name, struct str *out)
{
    struct err e = { 0 };
    struct str path = str_printf(&l->arena, "%s/cluster/%s", l->cluster->folder, name);
    int rc = env_file_read(l->env, &l->arena, path.data, PEM_BYTES_MAX, out, &e);

    if (rc != 0)
        fprintf(stderr, "fault: %s\n", e.msg);
    ASSERT(rc == 0);
}

struct load *load_new(const struct cluster *c, uint64_t seed, bool stale)
{
    static const char *const alpn[] = { "h2", NULL };
    struct load *l = mem_alloc(sizeof *l);
    struct tls_options o = { .alpn = alpn };
    struct err e = { 0 };

    l->cluster = c;
    l->rng = seed;
    l->stale = stale;
    l->env = env_uv_new();
    arena_init(&l->arena);
    sem_init(&l->rested, 0, 0);
    l->ops = mem_alloc(LOAD_OPS_MAX * sizeof *l->ops);
    read_pem(l, "ca.crt", &o.ca_pem);
    read_pem(l, "admin.crt", &o.certificate_pem);
    read_pem(l, "admin.key", &o.key_pem);
    l->tls = tls_client_context_new(&o, &e);
    ASSERT(l->tls != NULL);
    l->loop = env_loop_new(l->env, "load");
    for (unsigned i = 0; i < LOAD_CLIENTS; i++) {
        l->clients[i].load = l;
        l->clients[i].index = i;
        l->clients[i].member = i % c->count;
        env_timer_init(l->loop, &l->clients[i].timer, on_timer);
    }
    env_loop_start(l->loop);
    return l;
}

static void on_begin(struct env_msg *m)
{
    struct load *l = container_of(m, struct load, begin);

    l->resting = 0;
    for (unsigned i = 0; i < LOAD_CLIENTS; i++)
        client_next(&l->clients[i]);
}

void load_start(struct load *l)
{
    atomic_store(&l->pausing, false);
    env_post(l->loop, &l->begin, on_begin);
}

void load_pause(struct load *l)
{
    atomic_store(&l->pausing, true);
    wait_for(&l->rested);
}

uint64_t load_acknowledged(struct load *l)
{
    return atomic_load(&l->acknowledged);
}

const struct lincheck_op *load_history(const struct load *l, size_t *out_count)
{
    *out_count = l->count;
    return l->ops;
}

static void on_closed(void *ctx)
{
    (void)ctx;
}

void load_free(struct load *l)
{
    env_loop_stop(l->loop);
    env_loop_join(l->loop);
    for (unsigned i = 0; i < CLUSTER_MEMBERS_MAX; i++) {
        if (l->askers[i] != NULL)
            http_client_close(l->askers[i], on_closed, NULL);
        for (unsigned k = 0; k < LOAD_CLIENTS; k++)
            if (l->clients[k].connections[i] != NULL)
                http_client_close(l->clients[k].connections[i], on_closed, NULL);
    }
    for (unsigned k = 0; k < LOAD_CLIENTS; k++) {
        env_timer_deinit(&l->clients[k].timer);
        http_request_deinit(&l->clients[k].request);
    }
    env_loop_free(l->loop);
    tls_context_unref(l->tls);
    mem_free(l->ops);
    arena_deinit(&l->arena);
    env_uv_free(l->env);
    mem_free(l);
}
