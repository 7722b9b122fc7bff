/*
 * gantry.bus.v1.Bus over gRPC: the streams' ends, on the loop of their connection.
 *
 * Publish is publish.c's. Subscribe: requests go to the bus loop as messages, deliveries come back
 * as messages; a subscription is freed by the last of them. Both ways are bounded: the stream is
 * not read while BUS_REQUESTS_MAX requests are on their way, and the bus loop stops delivering
 * while BUS_CONSUMER_BYTES_MAX wait on the connection.
 */
#include <stdio.h>
#include <string.h>

#include "api/proto/bus.pb-c.h"
#include "base/assert.h"
#include "controlplane/bus/bus_impl.h"
#include "controlplane/bus/publish.h"
#include "controlplane/bus/request.h"
#include "controlplane/bus/topic.h"

/* A request: REQUEST_ACKS_MAX sequences of ten bytes, and some room. */
#define SUBSCRIBE_MESSAGE_BYTES_MAX (64u << 10)
/* The connection's queue below which what it was given counts as taken. */
#define SUBSCRIBE_QUEUE_LOW (256u << 10)

/* ---- subscribe ---- */

static void subscribe_open(struct grpc_stream *s)
{
    struct subscription *subscription = mem_alloc(sizeof *subscription);
    subscription->bus = s->ctx;
    subscription->loop = s->x->loop;
    subscription->stream = s;
    s->user = subscription;
    grpc_stream_headers(s, NULL, 0);
}

static struct bus_request *subscribe_request(struct subscription *s, enum bus_request_type type,
                                             size_t sequences)
{
    struct bus_request *request =
        mem_alloc(sizeof *request + sequences * sizeof request->sequences[0]);
    request->subscription = s;
    request->type = type;
    return request;
}

static void subscribe_post(struct subscription *s, struct bus_request *request)
{
    env_post(s->bus->config.loop, &request->msg, broker_request);
}

/* A request of the client's: counted until the bus loop has handled it. */
static void subscribe_post_counted(struct subscription *s, struct bus_request *request)
{
    subscribe_post(s, request);
    if (++s->requests >= BUS_REQUESTS_MAX && !s->paused) {
        s->paused = true;
        grpc_stream_pause(s->stream);
    }
}

static void subscribe_handled(struct subscription *s, uint32_t requests)
{
    ASSERT(s->requests >= requests);
    s->requests -= requests;
    if (s->paused && s->requests < BUS_REQUESTS_MAX / 2 && s->stream != NULL) {
        s->paused = false;
        grpc_stream_resume(s->stream);
    }
}

/* Tells the bus loop what the connection has taken, in steps. */
static void subscribe_report(struct subscription *s)
{
    if (s->taken < BUS_CONSUMER_STEP || grpc_stream_queued(s->stream) > SUBSCRIBE_QUEUE_LOW)
        return;
    struct bus_request *request = subscribe_request(s, BUS_TAKEN, 0);
    request->number = s->taken;
    s->taken = 0;
    subscribe_post(s, request);
}

static void subscribe_drained(struct grpc_stream *stream)
{
    subscribe_report(stream->user);
}

static void subscribe_start(struct subscription *s, const Gantry__Bus__V1__SubscribeStart *start)
{
    struct bus_request *request = subscribe_request(s, BUS_START, 0);
    (void)snprintf(request->topic, sizeof request->topic, "%s", start->topic);
    (void)snprintf(request->channel, sizeof request->channel, "%s", start->channel);
    request->credit = start->credit;
    request->number = start->ack_timeout_ms == 0 ? BUS_ACK_TIMEOUT_MS : start->ack_timeout_ms;
    if (request->number < BUS_ACK_TIMEOUT_MS_MIN)
        request->number = BUS_ACK_TIMEOUT_MS_MIN;
    if (request->number > CHANNEL_HOLD_MAX_MS)
        request->number = CHANNEL_HOLD_MAX_MS;
    request->latest = start->from == GANTRY__BUS__V1__SUBSCRIBE_START__FROM__LATEST;
    s->started = true;
    subscribe_post_counted(s, request);
}

static void subscribe_ack(struct subscription *s, const Gantry__Bus__V1__SubscribeAck *ack)
{
    struct bus_request *request = subscribe_request(s, BUS_ACK, ack->n_sequences);
    request->sequences_count = ack->n_sequences;
    for (size_t i = 0; i < ack->n_sequences; i++)
        request->sequences[i] = ack->sequences[i];
    subscribe_post_counted(s, request);
}

static void subscribe_number(struct subscription *s, enum bus_request_type type, uint64_t sequence,
                             uint32_t number)
{
    struct bus_request *request = subscribe_request(s, type, 0);
    request->sequence = sequence;
    request->number = number;
    subscribe_post_counted(s, request);
}

static void subscribe_message(struct grpc_stream *stream, struct str bytes)
{
    struct subscription *s = stream->user;
    Gantry__Bus__V1__SubscribeRequest *r = NULL;
    struct err e;
    int rc = request_subscribe(bytes, s->started, &r, &e);
    if (rc != 0) {
        grpc_stream_finish_err(stream, rc, &e);
        return;
    }
    switch (r->request_case) {
    case GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_START:
        subscribe_start(s, r->start);
        break;
    case GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_CREDIT:
        subscribe_number(s, BUS_CREDIT, 0, r->credit->messages);
        break;
    case GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_ACK:
        subscribe_ack(s, r->ack);
        break;
    case GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_REQUEUE:
        subscribe_number(s, BUS_REQUEUE, r->requeue->sequence, r->requeue->delay_ms);
        break;
    case GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_TOUCH:
        subscribe_number(s, BUS_TOUCH, r->touch->sequence, 0);
        break;
    default:
        ASSERT(!"a checked request has a case");
    }
    gantry__bus__v1__subscribe_request__free_unpacked(r, NULL);
}

static void subscribe_half_close(struct grpc_stream *stream)
{
    grpc_stream_finish(stream, GRPC_OK, str_of(NULL, 0));
}

static void subscribe_closed(struct grpc_stream *stream, int status)
{
    (void)status;
    struct subscription *s = stream->user;
    s->stream = NULL;
    subscribe_post(s, subscribe_request(s, BUS_CLOSE, 0));
}

void bus_reply_run(struct env_msg *m)
{
    struct bus_reply *reply = container_of(m, struct bus_reply, msg);
    struct subscription *s = reply->subscription;
    if (reply->type == BUS_GONE) {
        ASSERT(s->stream == NULL);
        mem_free(s);
    } else if (reply->type == BUS_HANDLED) {
        subscribe_handled(s, reply->number);
    } else if (s->stream != NULL && reply->type == BUS_DELIVER) {
        grpc_stream_send(s->stream, buf_str(&reply->packed));
        s->taken += (uint32_t)reply->packed.len;
        subscribe_report(s);
    } else if (s->stream != NULL) {
        grpc_stream_finish(s->stream, reply->code, str_from(reply->text));
    }
    buf_deinit(&reply->packed);
    mem_free(reply);
}

static const struct grpc_method bus_methods[] = {
    { .path = "/gantry.bus.v1.Bus/Publish",
      .kind = GRPC_BIDI,
      .message_bytes_max = STORE_TXN_BYTES_MAX,
      .open = publish_open,
      .message = publish_message,
      .half_close = publish_half_close,
      .closed = publish_closed },
    { .path = "/gantry.bus.v1.Bus/Subscribe",
      .kind = GRPC_BIDI,
      .message_bytes_max = SUBSCRIBE_MESSAGE_BYTES_MAX,
      .open = subscribe_open,
      .message = subscribe_message,
      .half_close = subscribe_half_close,
      .drained = subscribe_drained,
      .closed = subscribe_closed },
};

void bus_service_init(struct bus *b)
{
    b->service = (struct grpc_service){ .name = "gantry.bus.v1.Bus",
                                        .methods = bus_methods,
                                        .method_count = sizeof bus_methods / sizeof bus_methods[0],
                                        .ctx = b };
}
