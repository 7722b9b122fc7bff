/*
 * Publishing (see the header). One lane per topic: a queue, a stream kept open, one batch under
 * way. The stream ends: RETRY_MS later the same batch goes to the next member.
 */
#include "kubelet-lite/announce.h"

#include <stdio.h>
#include <string.h>

#include "api/proto/bus.pb-c.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/list.h"
#include "net/grpc.h"
#include "net/tls.h"

#define SERVERS_MAX 16
#define RETRY_MS    200
/* Steps have their own times: those of a start go out together, and behind it. */
#define GATHER_MS 150

struct message {
    struct list node;
    struct str body; /* follows the struct */
};

struct lane {
    struct announce *announce;
    const char *topic;
    char producer[96];
    struct list queue;
    size_t queued;
    uint64_t dropped;
    uint64_t sequence; /* of the first body of the batch under way, or of the next one */
    size_t batch;      /* bodies under way: the first of the queue */
    struct grpc_call call;
    struct env_timer retry;
    bool open;
};

struct announce {
    struct env_loop *loop;
    char source[300];
    struct http_client *clients[SERVERS_MAX];
    size_t server_count;
    size_t server;
    struct tls_context *tls;
    struct lane steps;
    struct lane samples;
    struct buf scratch;
    bool closing;
    size_t open_parts;
    void (*closed)(void *ctx);
    void *ctx;
};

/* ---- sending ---- */

static void send_batch(struct lane *l)
{
    Gantry__Bus__V1__PublishRequest q = GANTRY__BUS__V1__PUBLISH_REQUEST__INIT;
    ProtobufCBinaryData bodies[ANNOUNCE_BATCH_MAX];
    struct buf *b = &l->announce->scratch;
    size_t n = 0;
    list_foreach (node, &l->queue) {
        const struct message *m = container_of(node, struct message, node);
        /* A batch sent before goes out as it was. */
        if (n == (l->batch > 0 ? l->batch : ANNOUNCE_BATCH_MAX))
            break;
        bodies[n++] = (ProtobufCBinaryData){ m->body.len, (uint8_t *)m->body.data };
    }
    l->batch = n;
    q.topic = (char *)l->topic;
    q.producer = l->producer;
    q.sequence = l->sequence;
    q.bodies = bodies;
    q.n_bodies = n;
    size_t len = gantry__bus__v1__publish_request__get_packed_size(&q);
    buf_clear(b);
    buf_reserve(b, len);
    b->len = gantry__bus__v1__publish_request__pack(&q, b->data);
    grpc_call_send(&l->call, buf_str(b));
}

static void on_answer(struct grpc_call *c, struct str bytes)
{
    struct lane *l = c->user;
    (void)bytes;
    l->sequence += l->batch;
    for (; l->batch > 0; l->batch--) {
        struct list *node = list_pop(&l->queue);
        if (node == NULL)
            break;
        mem_free(container_of(node, struct message, node));
        l->queued--;
    }
    l->batch = 0;
    if (l->queued > 0 && !l->announce->closing)
        send_batch(l);
}

static void part_closed(void *ctx)
{
    struct announce *a = ctx;
    if (--a->open_parts > 0)
        return;
    void (*closed)(void *) = a->closed;
    void *closed_ctx = a->ctx;
    struct lane *lanes[] = { &a->steps, &a->samples };
    for (size_t i = 0; i < 2; i++) {
        struct list *node;
        while ((node = list_pop(&lanes[i]->queue)) != NULL)
            mem_free(container_of(node, struct message, node));
        env_timer_deinit(&lanes[i]->retry);
    }
    tls_context_unref(a->tls);
    buf_deinit(&a->scratch);
    mem_free(a);
    closed(closed_ctx);
}

static void on_stream_done(struct grpc_call *c)
{
    struct lane *l = c->user;
    struct announce *a = l->announce;
    grpc_call_deinit(c);
    l->open = false;
    if (a->closing)
        return;
    a->server = (a->server + 1) % a->server_count;
    if (l->queued > 0)
        env_timer_start(&l->retry, RETRY_MS);
}

static void open_stream(struct lane *l)
{
    static const struct grpc_call_events events = { .message = on_answer, .done = on_stream_done };
    struct announce *a = l->announce;
    l->call = (struct grpc_call){
        .path = "/gantry.bus.v1.Bus/Publish", .kind = GRPC_BIDI, .events = &events, .user = l
    };
    l->open = true;
    grpc_call_start(a->clients[a->server], &l->call, str_of(NULL, 0));
    send_batch(l);
}

static void on_retry(struct env_timer *t)
{
    struct lane *l = container_of(t, struct lane, retry);
    if (l->queued == 0)
        return;
    if (!l->open)
        open_stream(l);
    else if (l->batch == 0)
        send_batch(l);
}

static void publish(struct lane *l, struct str body)
{
    if (l->announce->closing)
        return;
    if (l->queued >= ANNOUNCE_QUEUE_MAX) {
        l->dropped++;
        return;
    }
    struct message *m = mem_alloc(sizeof *m + body.len);
    memcpy(m + 1, body.data, body.len);
    m->body = str_of(m + 1, body.len);
    list_append(&l->queue, &m->node);
    l->queued++;
    if (l->batch == 0 && !env_timer_active(&l->retry))
        env_timer_start(&l->retry, GATHER_MS);
}

/* ---- bodies ---- */

static void text_field(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, ",\"%s\":", name);
    json_write_string(b, str_from(value), false);
}

static void number_field(struct buf *b, const char *name, uint64_t value)
{
    buf_printf(b, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void begin(struct announce *a, struct buf *b)
{
    buf_init(b);
    buf_append_c(b, "{\"source\":");
    json_write_string(b, str_from(a->source), false);
}

void announce_step(struct announce *a, const struct announce_step *s)
{
    struct buf b;
    begin(a, &b);
    text_field(&b, "step", s->step);
    text_field(&b, "namespace", s->namespace);
    text_field(&b, "name", s->name);
    text_field(&b, "uid", s->uid);
    if (s->container != NULL)
        text_field(&b, "container", s->container);
    if (s->exit_code >= 0)
        number_field(&b, "exitCode", (uint64_t)s->exit_code);
    number_field(&b, "timeNs", env_wall_ns(env_of(a->loop)));
    buf_append_c(&b, "}");
    publish(&a->steps, buf_str(&b));
    buf_deinit(&b);
}

void announce_queue(struct announce *a, const struct announce_queue *s)
{
    struct buf b;
    begin(a, &b);
    text_field(&b, "queue", s->queue);
    number_field(&b, "depth", s->depth);
    number_field(&b, "processing", s->processing);
    number_field(&b, "delayed", s->delayed);
    number_field(&b, "oldestMs", s->oldest_ms);
    number_field(&b, "added", s->added);
    number_field(&b, "completed", s->completed);
    number_field(&b, "retried", s->retried);
    number_field(&b, "dropped", a->steps.dropped + a->samples.dropped);
    number_field(&b, "intervalMs", s->interval_ms);
    buf_append_c(&b, "}");
    publish(&a->samples, buf_str(&b));
    buf_deinit(&b);
}

/* ---- life ---- */

static void lane_init(struct announce *a, struct lane *l, const char *topic, const char *part)
{
    l->announce = a;
    l->topic = topic;
    l->sequence = 1;
    /* Sequences begin anew with each run, so the producer's name does too. */
    (void)snprintf(l->producer, sizeof l->producer, "%.40s/%s/%016llx", a->source, part,
                   (unsigned long long)env_random_u64(env_of(a->loop)));
    list_init(&l->queue);
    env_timer_init(a->loop, &l->retry, on_retry);
}

static void make_clients(struct announce *a, struct str servers)
{
    struct arena arena;
    struct str url;
    const struct str scheme = STR("https://");
    arena_init(&arena);
    while (str_split(&servers, ',', &url) && a->server_count < SERVERS_MAX) {
        if (!str_starts(url, scheme))
            continue;
        struct str authority = str_slice(url, scheme.len, url.len);
        if (authority.len > 0 && authority.data[authority.len - 1] == '/')
            authority.len--;
        a->clients[a->server_count++] = http_client_new(
            a->loop, &(struct http_client_options){
                         .address = str_printf(&arena, "tcp:%.*s", STR_ARG(authority)).data,
                         .authority = str_dup(&arena, authority),
                         .tls = a->tls,
                         .protocol = HTTP_PROTOCOL_HTTP2 });
    }
    arena_deinit(&arena);
}

int announce_new(const struct announce_config *config, struct announce **out, struct err *e)
{
    static const char *const alpn[] = { "h2", NULL };
    struct announce *a = mem_alloc(sizeof *a);
    a->loop = config->loop;
    (void)snprintf(a->source, sizeof a->source, "%s/kubelet", config->node);
    a->tls = tls_client_context_new(&(struct tls_options){ .certificate_pem = config->cert_pem,
                                                           .key_pem = config->key_pem,
                                                           .ca_pem = config->ca_pem,
                                                           .alpn = alpn },
                                    e);
    if (a->tls == NULL) {
        mem_free(a);
        return -(int)e->code;
    }
    make_clients(a, config->servers);
    if (a->server_count == 0) {
        tls_context_unref(a->tls);
        mem_free(a);
        return err_set(e, ERR_INVALID_ARGUMENT, "no https server to publish to");
    }
    lane_init(a, &a->steps, "cluster.scheduling", "steps");
    lane_init(a, &a->samples, "cluster.queue", "queues");
    *out = a;
    return 0;
}

void announce_close(struct announce *a, void (*closed)(void *ctx), void *ctx)
{
    a->closing = true;
    a->closed = closed;
    a->ctx = ctx;
    env_timer_stop(&a->steps.retry);
    env_timer_stop(&a->samples.retry);
    a->open_parts = a->server_count;
    for (size_t i = 0; i < a->server_count; i++)
        http_client_close(a->clients[i], part_closed, a);
}
