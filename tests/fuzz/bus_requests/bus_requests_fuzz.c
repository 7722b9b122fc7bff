/*
 * The bus's request messages from any bytes: never a crash, and what is taken keeps its limits. The
 * first byte chooses: a publish request, a subscription's first one, or a later one.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "controlplane/bus/request.h"
#include "controlplane/bus/topic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_publish(struct str bytes)
{
    Gantry__Bus__V1__PublishRequest *r = NULL;
    size_t body_bytes = 0;
    struct err e;
    if (request_publish(bytes, &r, &body_bytes, &e) != 0)
        return;
    ASSERT(r->n_bodies > 0 && r->n_bodies <= TOPIC_BODIES_MAX);
    ASSERT(body_bytes <= bytes.len);
    ASSERT(topic_name_valid(str_from(r->topic)));
    gantry__bus__v1__publish_request__free_unpacked(r, NULL);
}

static void try_subscribe(struct str bytes, bool started)
{
    Gantry__Bus__V1__SubscribeRequest *r = NULL;
    struct err e;
    if (request_subscribe(bytes, started, &r, &e) != 0)
        return;
    bool starts = r->request_case == GANTRY__BUS__V1__SUBSCRIBE_REQUEST__REQUEST_START;
    ASSERT(starts == !started);
    ASSERT(!starts || channel_name_valid(str_from(r->start->channel)));
    gantry__bus__v1__subscribe_request__free_unpacked(r, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct str bytes = str_of(data + 1, len - 1);
    if (data[0] % 3 == 0)
        try_publish(bytes);
    else
        try_subscribe(bytes, data[0] % 3 == 2);
    return 0;
}
