/* The two request messages, checked; see the header. */
#include "controlplane/bus/request.h"

#include "controlplane/bus/bus_impl.h"
#include "controlplane/bus/topic.h"

static int check_publish(const Gantry__Bus__V1__PublishRequest *r, size_t *out_bytes, struct err *e)
{
    size_t bytes = 0;
    if (!topic_name_valid(str_from(r->topic)))
        return err_set(e, ERR_INVALID_ARGUMENT, "topic must be 1 to 64 of [.a-zA-Z0-9_-]");
    if (r->n_bodies == 0 || r->n_bodies > TOPIC_BODIES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "a request has 1 to %u bodies", TOPIC_BODIES_MAX);
    for (size_t i = 0; i < r->n_bodies; i++) {
        bytes += r->bodies[i].len;
        if (r->bodies[i].len > TOPIC_BODY_BYTES_MAX)
            return err_set(e, ERR_INVALID_ARGUMENT, "a body is at most %u bytes",
                           TOPIC_BODY_BYTES_MAX);
    }
    if (bytes > REQUEST_BODIES_BYTES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "the bodies of a request are at most %u bytes",
                       REQUEST_BODIES_BYTES_MAX);
    if (str_from(r->producer).len > TOPIC_NAME_BYTES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "a producer's name is at most %d bytes",
                       TOPIC_NAME_BYTES_MAX);
    if (r->producer[0] != '\0' && (r->sequence == 0 || r->sequence > UINT64_MAX - TOPIC_BODIES_MAX))
        return err_set(e, ERR_INVALID_ARGUMENT, "a producer's sequences begin at 1");
    *out_bytes = bytes;
    return 0;
}

int request_publish(struct str bytes, Gantry__Bus__V1__PublishRequest **out, size_t *out_bytes,
                    struct err *e)
{
    Gantry__Bus__V1__PublishRequest *in =
        gantry__bus__v1__publish_request__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    if (in == NULL)
        return err_set(e, ERR_INVALID_ARGUMENT, "not a gantry.bus.v1.PublishRequest");
    int rc = check_publish(in, out_bytes, e);
    if (rc == 0)
        *out = in;
    else
        gantry__bus__v1__publish_request__free_unpacked(in, NULL);
    return rc;
}

static int check_start(const Gantry__Bus__V1__SubscribeStart *start, struct err *e)
{
    if (!topic_name_valid(str_from(start->topic)) || !channel_name_valid(str_from(start->channel)))
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "topic and channel must be 1 to 64 of [.a-zA-Z0-9_-]; a channel may end in "
                       "#ephemeral");
    if (start->credit > BUS_CREDIT_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "credit is at most %u", BUS_CREDIT_MAX);
    return 0;
}

static int check_subscribe(const Gantry__Bus__V1__SubscribeRequest *r, bool started, struct err *e)
{
    bool starts = r->request_case == GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_START;
    if (starts == started)
        return err_set(e, ERR_INVALID_ARGUMENT, "%s",
                       started ? "start was sent already" : "send start first");
    if (starts)
        return check_start(r->start, e);
    if (r->request_case == GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST__NOT_SET)
        return err_set(e, ERR_INVALID_ARGUMENT, "an empty request");
    if (r->request_case == GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_ACK &&
        r->ack->n_sequences > REQUEST_ACKS_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "at most %u sequences in one ack",
                       REQUEST_ACKS_MAX);
    return 0;
}

int request_subscribe(struct str bytes, bool started, Gantry__Bus__V1__SubscribeRequest **out,
                      struct err *e)
{
    Gantry__Bus__V1__SubscribeRequest *in =
        gantry__bus__v1__subscribe_request__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    if (in == NULL)
        return err_set(e, ERR_INVALID_ARGUMENT, "not a gantry.bus.v1.SubscribeRequest");
    int rc = check_subscribe(in, started, e);
    if (rc == 0)
        *out = in;
    else
        gantry__bus__v1__subscribe_request__free_unpacked(in, NULL);
    return rc;
}
