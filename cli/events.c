/*
 * gantry events: prints messages of the bus, by default the cluster's own topics.
 *
 * Each topic is one Subscribe stream on an ephemeral channel. A member that does not lead the bus
 * ends the stream with UNAVAILABLE; the next server is tried until one serves it.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/proto/bus.pb-c.h"
#include "base/env.h"
#include "cli/verb.h"
#include "net/grpc.h"

#define EVENTS_TOPICS_MAX 16
#define EVENTS_CREDIT     1000
#define EVENTS_RETRY_MS   300
/* Without -f: the stream is read until nothing came for so long. */
#define EVENTS_QUIET_MS 700
/* Attempts without any stream being served before giving up, when not following. */
#define EVENTS_ATTEMPTS_MAX 30

struct events_run;

struct events_stream {
    struct grpc_call call;
    struct events_run *run;
    struct http_client *client;
    struct env_timer retry;
    const char *topic;
    size_t server;
    uint32_t unacked;
    uint64_t last;
    bool seen;
};

struct events_run {
    struct cli *cli;
    struct events_stream streams[EVENTS_TOPICS_MAX];
    size_t count;
    struct http_client *clients[CLI_SERVERS_MAX];
    struct env_timer quiet;
    char channel[64];
    bool follow;
    bool latest;
    bool served;
    uint32_t attempts;
    char reason[256];
};

static void events_send(struct events_stream *s, const Gantry__Bus__V1__SubscribeRequest *request)
{
    uint8_t bytes[256];
    if (gantry__bus__v1__subscribe_request__get_packed_size(request) > sizeof bytes)
        return;
    size_t len = gantry__bus__v1__subscribe_request__pack(request, bytes);
    grpc_call_send(&s->call, str_of(bytes, len));
}

/* One message is one line, whatever is in it: control characters are escaped. */
static void events_print_body(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] >= 0x20 && data[i] != 0x7f)
            putchar(data[i]);
        else
            printf("\\x%02x", data[i]);
    }
    putchar('\n');
}

static void events_print(const struct events_stream *s, const Gantry__Bus__V1__Delivery *d)
{
    time_t seconds = (time_t)(d->published_at_ns / ENV_S);
    struct tm utc;
    char when[32] = "";
    if (gmtime_r(&seconds, &utc) != NULL)
        (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc); /* stays empty */
    printf("%s.%03uZ %s %llu ", when, (unsigned)(d->published_at_ns % ENV_S / ENV_MS), s->topic,
           (unsigned long long)d->sequence);
    events_print_body(d->body.data, d->body.len);
}

/* What was printed is acknowledged; the channel is ours alone, so one ack a response is enough. */
static void events_message(struct grpc_call *call, struct str bytes)
{
    struct events_stream *s = call->user;
    s->run->served = true;
    Gantry__Bus__V1__SubscribeResponse *r =
        gantry__bus__v1__subscribe_response__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n_deliveries; i++) {
        const Gantry__Bus__V1__Delivery *d = r->deliveries[i];
        /* After a member was lost the topic is read again: what was printed is passed over. */
        if (d->sequence > s->last) {
            events_print(s, d);
            s->last = d->sequence;
        }
        uint64_t sequence = d->sequence;
        Gantry__Bus__V1__SubscribeAck ack = GANTRY__BUS__V1__SUBSCRIBE_ACK__INIT;
        ack.n_sequences = 1;
        ack.sequences = &sequence;
        Gantry__Bus__V1__SubscribeRequest request = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__INIT;
        request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_ACK;
        request.ack = &ack;
        events_send(s, &request);
        s->unacked++;
    }
    (void)fflush(stdout); /* a closed pipe ends us by its own means */
    if (s->unacked >= EVENTS_CREDIT / 2) {
        Gantry__Bus__V1__SubscribeCredit credit = GANTRY__BUS__V1__SUBSCRIBE_CREDIT__INIT;
        credit.messages = s->unacked;
        Gantry__Bus__V1__SubscribeRequest request = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__INIT;
        request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_CREDIT;
        request.credit = &credit;
        events_send(s, &request);
        s->unacked = 0;
    }
    gantry__bus__v1__subscribe_response__free_unpacked(r, NULL);
    if (!s->run->follow)
        env_timer_start(&s->run->quiet, EVENTS_QUIET_MS);
}

static void events_done(struct grpc_call *call)
{
    struct events_stream *s = call->user;
    struct events_run *run = s->run;
    /* Without words of a server's it is the connection's own failure. */
    if (str_eq_c(call->message, grpc_code_name(call->code)))
        (void)snprintf(run->reason, sizeof run->reason, "no server answers");
    else
        (void)snprintf(run->reason, sizeof run->reason, "%s: %.*s", grpc_code_name(call->code),
                       STR_ARG(call->message));
    bool again = call->code == GRPC_UNAVAILABLE || call->code == GRPC_CANCELLED;
    if (!again || (!run->follow && ++run->attempts > EVENTS_ATTEMPTS_MAX)) {
        env_loop_stop(run->cli->loop);
        return;
    }
    s->server = (s->server + 1) % run->cli->servers_count;
    env_timer_start(&s->retry, s->server == 0 ? EVENTS_RETRY_MS : EVENTS_RETRY_MS / 10);
}

/* The stream was accepted once the server sends its headers; nothing may be there to print. */
static void events_headers(struct grpc_call *call)
{
    struct events_stream *s = call->user;
    if (!s->run->follow)
        env_timer_start(&s->run->quiet, EVENTS_QUIET_MS);
}

static const struct grpc_call_events events_call_events = { .headers = events_headers,
                                                            .message = events_message,
                                                            .done = events_done };

static void events_start(struct events_stream *s)
{
    struct events_run *run = s->run;
    grpc_call_deinit(&s->call);
    s->call = (struct grpc_call){ .path = "/gantry.bus.v1.Bus/Subscribe",
                                  .kind = GRPC_BIDI,
                                  .events = &events_call_events,
                                  .user = s };
    grpc_call_start(run->clients[s->server], &s->call, str_of(NULL, 0));
    Gantry__Bus__V1__SubscribeStart start = GANTRY__BUS__V1__SUBSCRIBE_START__INIT;
    start.topic = (char *)(uintptr_t)s->topic;
    start.channel = run->channel;
    start.credit = EVENTS_CREDIT;
    start.from = run->latest && s->last == 0 ? GANTRY__BUS__V1__SUBSCRIBE_START__FROM__LATEST
                                             : GANTRY__BUS__V1__SUBSCRIBE_START__FROM__EARLIEST;
    Gantry__Bus__V1__SubscribeRequest request = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__INIT;
    request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_START;
    request.start = &start;
    s->unacked = 0;
    events_send(s, &request);
}

static void events_retry(struct env_timer *t)
{
    events_start(container_of(t, struct events_stream, retry));
}

static void events_quiet(struct env_timer *t)
{
    struct events_run *run = container_of(t, struct events_run, quiet);
    run->served = true;
    env_loop_stop(run->cli->loop);
}

static int events_parse(struct events_run *run, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        const char *value;
        if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--follow") == 0) {
            run->follow = true;
        } else if (strcmp(argv[i], "--new") == 0) {
            run->latest = true;
        } else if ((value = cli_flag(argc, argv, &i, "--topic")) != NULL) {
            if (run->count == EVENTS_TOPICS_MAX)
                return cli_usage(&events_verb, "at most %d topics", EVENTS_TOPICS_MAX);
            run->streams[run->count++].topic = value;
        } else {
            return cli_usage(&events_verb, "unknown argument '%s'", argv[i]);
        }
    }
    if (run->count == 0) {
        run->streams[run->count++].topic = "cluster.scheduling";
        run->streams[run->count++].topic = "cluster.queue";
    }
    return CLI_OK;
}

static int events_run(struct cli *c, int argc, char **argv)
{
    struct events_run *run = arena_new(&c->arena, struct events_run);
    run->cli = c;
    int rc = events_parse(run, argc, argv);
    if (rc != CLI_OK)
        return rc;
    (void)snprintf(run->channel, sizeof run->channel, "cli-%016llx#ephemeral",
                   (unsigned long long)env_random_u64(c->env));
    for (size_t i = 0; i < c->servers_count; i++) {
        struct http_client_options options = { .address = c->servers[i].data,
                                               .authority = c->servers[i].data + strlen("tcp:"),
                                               .tls = c->tls,
                                               .protocol = HTTP_PROTOCOL_HTTP2,
                                               .ping_ms = 10000 };
        run->clients[i] = http_client_new(c->loop, &options);
    }
    env_timer_init(c->loop, &run->quiet, events_quiet);
    for (size_t i = 0; i < run->count; i++) {
        run->streams[i].run = run;
        env_timer_init(c->loop, &run->streams[i].retry, events_retry);
        events_start(&run->streams[i]);
    }
    env_loop_run(c->loop);
    if (run->served && !run->follow)
        return CLI_OK;
    return cli_fail(
        "%s\nThe servers of the kubeconfig were asked in turn; `gantry status` shows which "
        "of them answer and who leads the bus.",
        run->reason);
}

const struct verb events_verb = {
    .name = "events",
    .summary = "scheduling and queue events from the event bus",
    .help = "events [-f] [--new] [--topic TOPIC]...\n\n"
            "  -f, --follow   go on as new messages come\n"
            "  --new          only messages from now on, not the kept ones\n"
            "  --topic TOPIC  instead of cluster.scheduling and cluster.queue; may be repeated",
    .run = events_run
};
