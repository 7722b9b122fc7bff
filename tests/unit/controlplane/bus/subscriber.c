/* The harness's subscriptions; see harness.h. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

static void free_call(void *ctx)
{
    grpc_call_deinit(ctx);
}

static void send_now(struct subscriber *s, const Gantry__Bus__V1__SubscribeRequest *request)
{
    size_t size = gantry__bus__v1__subscribe_request__get_packed_size(request);
    uint8_t *bytes = mem_alloc(size + 1);
    (void)gantry__bus__v1__subscribe_request__pack(request, bytes);
    grpc_call_send(&s->call, str_of(bytes, size));
    mem_free(bytes);
}

static void ack_now(struct subscriber *s, uint64_t sequence)
{
    Gantry__Bus__V1__SubscribeAck ack = GANTRY__BUS__V1__SUBSCRIBE_ACK__INIT;
    ack.n_sequences = 1;
    ack.sequences = &sequence;
    Gantry__Bus__V1__SubscribeRequest request = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__INIT;
    request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_ACK;
    request.ack = &ack;
    send_now(s, &request);
}

static void credit_now(struct subscriber *s, uint32_t messages)
{
    Gantry__Bus__V1__SubscribeCredit credit = GANTRY__BUS__V1__SUBSCRIBE_CREDIT__INIT;
    credit.messages = messages;
    Gantry__Bus__V1__SubscribeRequest request = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__INIT;
    request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_CREDIT;
    request.credit = &credit;
    send_now(s, &request);
}

static void subscribe_message_came(struct grpc_call *call, struct str bytes)
{
    struct subscriber *s = call->user;
    Gantry__Bus__V1__SubscribeResponse *r =
        gantry__bus__v1__subscribe_response__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    ASSERT(r != NULL);
    for (size_t i = 0; i < r->n_deliveries; i++) {
        const Gantry__Bus__V1__Delivery *d = r->deliveries[i];
        ASSERT(s->count < HARNESS_ROWS);
        struct delivered *row = &s->rows[s->count++];
        *row = (struct delivered){ .sequence = d->sequence,
                                   .attempt = d->attempt,
                                   .published_at_ns = d->published_at_ns,
                                   .len = d->body.len };
        memcpy(row->body, d->body.data, d->body.len < 31 ? d->body.len : 31);
        if (s->ack) {
            ack_now(s, d->sequence);
            credit_now(s, 1);
        }
    }
    gantry__bus__v1__subscribe_response__free_unpacked(r, NULL);
}

static void subscribe_done(struct grpc_call *call)
{
    struct subscriber *s = call->user;
    s->code = call->code;
    (void)snprintf(s->message, sizeof s->message, "%.*s", STR_ARG(call->message));
    s->done = true;
}

static void run_subscribe(void *ctx)
{
    static const struct grpc_call_events events = { .message = subscribe_message_came,
                                                    .done = subscribe_done };
    struct subscriber *s = ctx;
    s->call = (struct grpc_call){
        .path = "/gantry.bus.v1.Bus/Subscribe", .kind = GRPC_BIDI, .events = &events, .user = s
    };
    grpc_call_start(s->harness->client, &s->call, str_of(NULL, 0));
}

void harness_subscribe_raw(struct harness *h, struct subscriber *s)
{
    s->harness = h;
    s->count = 0;
    s->done = false;
    harness_run(h, run_subscribe, s);
}

static void subscribe_from(struct harness *h, struct subscriber *s, const char *topic,
                           const char *channel, uint32_t credit, uint32_t timeout_ms, bool latest)
{
    harness_subscribe_raw(h, s);
    Gantry__Bus__V1__SubscribeStart start = GANTRY__BUS__V1__SUBSCRIBE_START__INIT;
    start.topic = (char *)(uintptr_t)topic;
    start.channel = (char *)(uintptr_t)channel;
    start.credit = credit;
    start.ack_timeout_ms = timeout_ms;
    start.from = latest ? GANTRY__BUS__V1__SUBSCRIBE_START__FROM__LATEST
                        : GANTRY__BUS__V1__SUBSCRIBE_START__FROM__EARLIEST;
    Gantry__Bus__V1__SubscribeRequest request = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__INIT;
    request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_START;
    request.start = &start;
    harness_send(s, &request);
}

void harness_subscribe(struct harness *h, struct subscriber *s, const char *topic,
                       const char *channel, uint32_t credit, uint32_t timeout_ms)
{
    subscribe_from(h, s, topic, channel, credit, timeout_ms, false);
}

void harness_subscribe_latest(struct harness *h, struct subscriber *s, const char *topic,
                              const char *channel, uint32_t credit)
{
    subscribe_from(h, s, topic, channel, credit, 0, true);
}

struct sending {
    struct subscriber *s;
    struct str bytes;
};

static void run_send(void *ctx)
{
    struct sending *sending = ctx;
    if (grpc_call_active(&sending->s->call))
        grpc_call_send(&sending->s->call, sending->bytes);
}

void harness_send_bytes(struct subscriber *s, struct str bytes)
{
    struct sending sending = { s, bytes };
    harness_run(s->harness, run_send, &sending);
}

void harness_send(struct subscriber *s, const Gantry__Bus__V1__SubscribeRequest *request)
{
    size_t size = gantry__bus__v1__subscribe_request__get_packed_size(request);
    uint8_t *bytes = mem_alloc(size + 1);
    (void)gantry__bus__v1__subscribe_request__pack(request, bytes);
    harness_send_bytes(s, str_of(bytes, size));
    mem_free(bytes);
}

struct answer {
    struct subscriber *s;
    uint64_t number;
};

static void run_ack(void *ctx)
{
    struct answer *a = ctx;
    ack_now(a->s, a->number);
}

static void run_credit(void *ctx)
{
    struct answer *a = ctx;
    credit_now(a->s, (uint32_t)a->number);
}

void harness_ack(struct subscriber *s, uint64_t sequence)
{
    struct answer a = { s, sequence };
    harness_run(s->harness, run_ack, &a);
}

void harness_credit(struct subscriber *s, uint32_t messages)
{
    struct answer a = { s, messages };
    harness_run(s->harness, run_credit, &a);
}

void harness_requeue(struct subscriber *s, uint64_t sequence, uint32_t delay_ms)
{
    Gantry__Bus__V1__SubscribeRequeue requeue = GANTRY__BUS__V1__SUBSCRIBE_REQUEUE__INIT;
    requeue.sequence = sequence;
    requeue.delay_ms = delay_ms;
    Gantry__Bus__V1__SubscribeRequest request = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__INIT;
    request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_REQUEUE;
    request.requeue = &requeue;
    harness_send(s, &request);
}

void harness_touch(struct subscriber *s, uint64_t sequence)
{
    Gantry__Bus__V1__SubscribeTouch touch = GANTRY__BUS__V1__SUBSCRIBE_TOUCH__INIT;
    touch.sequence = sequence;
    Gantry__Bus__V1__SubscribeRequest request = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__INIT;
    request.request_case = GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_TOUCH;
    request.touch = &touch;
    harness_send(s, &request);
}

static bool has_rows(void *ctx)
{
    struct subscriber *s = ctx;
    return s->count >= s->wanted || s->done;
}

void harness_wait_rows(struct subscriber *s, size_t count)
{
    s->wanted = count;
    harness_until(s->harness, has_rows, s);
    if (s->count < count)
        fail_msg("ended after %zu: %s %s", s->count, grpc_code_name(s->code), s->message);
}

void harness_expect_rows(struct subscriber *s, size_t count, uint32_t ms)
{
    harness_wait_rows(s, count);
    harness_sleep(ms);
    harness_wait_rows(s, count);
    assert_int_equal(s->count, count);
}

static bool is_done(void *ctx)
{
    return ((struct subscriber *)ctx)->done;
}

void harness_wait_end(struct subscriber *s, enum grpc_code code, const char *words)
{
    harness_until(s->harness, is_done, s);
    assert_int_equal(s->code, code);
    if (strstr(s->message, words) == NULL)
        fail_msg("'%s' lacks '%s'", s->message, words);
    harness_run(s->harness, free_call, &s->call);
}

static void run_cancel(void *ctx)
{
    struct subscriber *s = ctx;
    if (grpc_call_active(&s->call))
        grpc_call_cancel(&s->call);
}

void harness_subscribe_close(struct subscriber *s)
{
    harness_run(s->harness, run_cancel, s);
    harness_until(s->harness, is_done, s);
    harness_run(s->harness, free_call, &s->call);
}
