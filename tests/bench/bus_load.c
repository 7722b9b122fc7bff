/*
 * The load of the bus benchmark, over gantry.bus.v1 as any client sees it.
 *
 *   bus_load --mode publish --servers IP:PORT,... --ca F --cert F --key F --topic T
 *            --outstanding N --batch B --bytes S --seconds S
 *   bus_load --mode deliver --servers ... --topic T --messages N
 *
 * publish: one Publish stream per server, N requests of B bodies outstanding over all of them; the
 * first tenth of the time is not counted. deliver: takes the N messages that the topic holds
 * through one channel, acknowledging each response's messages and giving their credit back.
 */
#include <stdio.h>
#include <string.h>

#include "api/proto/bus.pb-c.h"
#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "net/client.h"
#include "net/grpc.h"
#include "net/tls.h"

#define LOAD_SERVERS_MAX 8
#define LOAD_BATCH_MAX   200
#define LOAD_CREDIT      2500
#define LOAD_GIVE_UP_MS  60000

struct load_stream {
    struct load *load;
    struct grpc_call call;
    size_t outstanding;
};

struct load {
    struct env *env;
    struct env_loop *loop;
    struct arena arena;
    struct env_timer timer;
    struct http_client *clients[LOAD_SERVERS_MAX];
    struct load_stream streams[LOAD_SERVERS_MAX];
    size_t servers_count;
    bool deliver;
    const char *servers;
    const char *ca;
    const char *cert;
    const char *key;
    const char *topic;
    uint64_t outstanding;
    uint64_t batch;
    uint64_t bytes;
    uint64_t seconds;
    uint64_t messages;
    struct str request; /* a packed PublishRequest */
    uint64_t begin_ns;
    uint64_t count_from_ns;
    uint64_t end_ns;
    uint64_t answered; /* requests, or messages delivered */
    size_t server;     /* that is asked for deliveries */
    char error[300];
};

/* ---- publish ---- */

static void publish_message(struct grpc_call *call, struct str bytes)
{
    struct load_stream *s = call->user;
    struct load *l = s->load;
    uint64_t now = env_now_ns(l->env);
    (void)bytes;
    if (now >= l->end_ns) {
        env_loop_stop(l->loop);
        return;
    }
    if (now >= l->count_from_ns)
        l->answered++;
    grpc_call_send(call, l->request);
}

static void load_fail(struct grpc_call *call)
{
    struct load *l = ((struct load_stream *)call->user)->load;
    (void)snprintf(l->error, sizeof l->error, "%s %.*s", grpc_code_name(call->code),
                   STR_ARG(call->message));
    env_loop_stop(l->loop);
}

static void publish_start(struct load *l)
{
    static const struct grpc_call_events events = { .message = publish_message, .done = load_fail };
    Gantry__Bus__V1__PublishRequest request = GANTRY__BUS__V1__PUBLISH_REQUEST__INIT;
    ProtobufCBinaryData bodies[LOAD_BATCH_MAX];
    uint8_t *body = arena_alloc(&l->arena, l->bytes);
    memset(body, 'x', l->bytes);
    for (size_t i = 0; i < l->batch; i++)
        bodies[i] = (ProtobufCBinaryData){ .data = body, .len = l->bytes };
    request.topic = (char *)(uintptr_t)l->topic;
    request.bodies = bodies;
    request.n_bodies = l->batch;
    size_t size = gantry__bus__v1__publish_request__get_packed_size(&request);
    uint8_t *packed = arena_alloc(&l->arena, size);
    l->request = str_of(packed, gantry__bus__v1__publish_request__pack(&request, packed));
    for (size_t i = 0; i < l->outstanding; i++)
        l->streams[i % l->servers_count].outstanding++;
    for (size_t i = 0; i < l->servers_count; i++) {
        struct load_stream *s = &l->streams[i];
        s->call = (struct grpc_call){
            .path = "/gantry.bus.v1.Bus/Publish", .kind = GRPC_BIDI, .events = &events, .user = s
        };
        if (s->outstanding == 0)
            continue;
        grpc_call_start(l->clients[i], &s->call, str_of(NULL, 0));
        for (size_t k = 0; k < s->outstanding; k++)
            grpc_call_send(&s->call, l->request);
    }
}

/* ---- deliver ---- */

static void deliver_send(struct grpc_call *call, const Gantry__Bus__V1__SubscribeRequest *request)
{
    uint8_t bytes[1024];
    if (gantry__bus__v1__subscribe_request__get_packed_size(request) <= sizeof bytes)
        grpc_call_send(call,
                       str_of(bytes, gantry__bus__v1__subscribe_request__pack(request, bytes)));
}

static void deliver_answer(struct grpc_call *call, const Gantry__Bus__V1__SubscribeResponse *r)
{
    uint64_t sequences[64];
    Gantry__Bus__V1__SubscribeAck ack = GANTRY__BUS__V1__SUBSCRIBE_ACK__INIT;
    Gantry__Bus__V1__SubscribeCredit credit = GANTRY__BUS__V1__SUBSCRIBE_CREDIT__INIT;
    Gantry__Bus__V1__SubscribeRequest request = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__INIT;
    for (size_t i = 0; i < r->n_deliveries && i < 64; i++)
        sequences[ack.n_sequences++] = r->deliveries[i]->sequence;
    ack.sequences = sequences;
    request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_ACK;
    request.ack = &ack;
    deliver_send(call, &request);
    credit.messages = (uint32_t)r->n_deliveries;
    request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_CREDIT;
    request.credit = &credit;
    deliver_send(call, &request);
}

static void deliver_message(struct grpc_call *call, struct str bytes)
{
    struct load *l = ((struct load_stream *)call->user)->load;
    Gantry__Bus__V1__SubscribeResponse *r =
        gantry__bus__v1__subscribe_response__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    if (r == NULL)
        return;
    if (l->answered == 0)
        l->count_from_ns = env_now_ns(l->env);
    l->answered += r->n_deliveries;
    deliver_answer(call, r);
    gantry__bus__v1__subscribe_response__free_unpacked(r, NULL);
    if (l->answered >= l->messages) {
        l->end_ns = env_now_ns(l->env);
        env_loop_stop(l->loop);
    }
}

static void deliver_start(struct load *l);

static void deliver_done(struct grpc_call *call)
{
    struct load *l = ((struct load_stream *)call->user)->load;
    if (call->code != GRPC_UNAVAILABLE) {
        load_fail(call);
        return;
    }
    l->server = (l->server + 1) % l->servers_count; /* the leader is one of the others */
    deliver_start(l);
}

static void deliver_start(struct load *l)
{
    static const struct grpc_call_events events = { .message = deliver_message,
                                                    .done = deliver_done };
    struct load_stream *s = &l->streams[l->server];
    Gantry__Bus__V1__SubscribeStart start = GANTRY__BUS__V1__SUBSCRIBE_START__INIT;
    Gantry__Bus__V1__SubscribeRequest request = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__INIT;
    grpc_call_deinit(&s->call);
    s->call = (struct grpc_call){
        .path = "/gantry.bus.v1.Bus/Subscribe", .kind = GRPC_BIDI, .events = &events, .user = s
    };
    grpc_call_start(l->clients[l->server], &s->call, str_of(NULL, 0));
    start.topic = (char *)(uintptr_t)l->topic;
    start.channel = (char *)(uintptr_t) "bench";
    start.credit = LOAD_CREDIT;
    request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_START;
    request.start = &start;
    deliver_send(&s->call, &request);
}

/* ---- the program ---- */

static void load_late(struct env_timer *t)
{
    struct load *l = container_of(t, struct load, timer);
    if (l->deliver)
        (void)snprintf(l->error, sizeof l->error, "only %llu messages came",
                       (unsigned long long)l->answered);
    env_loop_stop(l->loop);
}

static bool load_connect(struct load *l, struct err *e)
{
    static const char *const alpn[] = { "h2", NULL };
    struct tls_options o = { .alpn = alpn };
    if (env_file_read(l->env, &l->arena, l->ca, 1u << 20, &o.ca_pem, e) != 0 ||
        env_file_read(l->env, &l->arena, l->cert, 1u << 20, &o.certificate_pem, e) != 0 ||
        env_file_read(l->env, &l->arena, l->key, 1u << 20, &o.key_pem, e) != 0)
        return false;
    struct tls_context *tls = tls_client_context_new(&o, e);
    struct str rest = str_from(l->servers);
    struct str one;
    while (tls != NULL && str_split(&rest, ',', &one) && l->servers_count < LOAD_SERVERS_MAX) {
        const char *address = str_printf(&l->arena, "tcp:%.*s", STR_ARG(one)).data;
        struct http_client_options options = { .address = address,
                                               .authority = address + strlen("tcp:"),
                                               .tls = tls,
                                               .protocol = HTTP_PROTOCOL_HTTP2 };
        l->streams[l->servers_count].load = l;
        l->clients[l->servers_count++] = http_client_new(l->loop, &options);
    }
    return l->servers_count > 0;
}

static bool load_flags(struct load *l, int argc, char **argv)
{
    const struct {
        const char *name;
        const char **text;
        uint64_t *number;
    } flags[] = {
        { "--servers", &l->servers, NULL }, { "--ca", &l->ca, NULL },
        { "--cert", &l->cert, NULL },       { "--key", &l->key, NULL },
        { "--topic", &l->topic, NULL },     { "--outstanding", NULL, &l->outstanding },
        { "--batch", NULL, &l->batch },     { "--bytes", NULL, &l->bytes },
        { "--seconds", NULL, &l->seconds }, { "--messages", NULL, &l->messages },
    };
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--mode") == 0)
            l->deliver = strcmp(argv[i + 1], "deliver") == 0;
        for (size_t k = 0; k < sizeof flags / sizeof flags[0]; k++) {
            if (strcmp(argv[i], flags[k].name) != 0)
                continue;
            if (flags[k].text != NULL)
                *flags[k].text = argv[i + 1];
            else
                (void)str_to_u64(str_from(argv[i + 1]), flags[k].number); /* checked below */
        }
    }
    return l->servers != NULL && l->ca != NULL && l->cert != NULL && l->key != NULL &&
           l->topic != NULL && l->outstanding > 0 && l->outstanding <= 4096 && l->batch > 0 &&
           l->batch <= LOAD_BATCH_MAX && l->bytes > 0 && l->bytes <= 4096 && l->seconds > 0 &&
           l->messages > 0;
}

int main(int argc, char **argv)
{
    static struct load load = {
        .outstanding = 64, .batch = 1, .bytes = 100, .seconds = 4, .messages = 100000
    };
    struct load *l = &load;
    struct err e = { 0 };
    if (!load_flags(l, argc, argv)) {
        fprintf(stderr, "bus_load: wrong flags; see the head of tests/bench/bus_load.c\n");
        return 2;
    }
    l->env = env_uv_new();
    l->loop = env_loop_new(l->env, "load");
    arena_init(&l->arena);
    if (!load_connect(l, &e)) {
        fprintf(stderr, "bus_load: %s\n", e.msg);
        return 1;
    }
    l->begin_ns = env_now_ns(l->env);
    l->end_ns = l->begin_ns + l->seconds * ENV_S;
    l->count_from_ns = l->begin_ns + l->seconds * ENV_S / 10;
    env_timer_init(l->loop, &l->timer, load_late);
    env_timer_start(&l->timer, l->deliver ? LOAD_GIVE_UP_MS : l->seconds * 1000 + 1000);
    if (l->deliver)
        deliver_start(l);
    else
        publish_start(l);
    env_loop_run(l->loop);
    double seconds = (double)(l->end_ns - l->count_from_ns) / (double)ENV_S;
    uint64_t messages = l->deliver ? l->answered : l->answered * l->batch;
    printf("load messages=%llu rate=%.0f\n", (unsigned long long)messages,
           (double)messages / seconds);
    if (l->error[0] != '\0')
        fprintf(stderr, "bus_load: %s\n", l->error);
    return l->error[0] != '\0';
}
