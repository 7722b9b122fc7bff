/*
 * Handing messages to consumers: picks by the channel's state, bodies by one short read, one
 * SubscribeResponse per consumer and round. Credit bounds what is queued on a stream.
 */
#include <stdio.h>
#include <string.h>

#include "api/proto/bus.pb-c.h"
#include "base/assert.h"
#include "controlplane/bus/bus_impl.h"
#include "controlplane/bus/topic.h"

struct deliver_pick {
    uint64_t sequence;
    uint32_t attempt;
    uint64_t wall_ns;
    struct str body; /* in the scratch arena */
    bool found;
};

void bus_reply_post(struct subscription *s, enum bus_reply_type type, enum grpc_code code,
                    const char *text, struct buf *packed)
{
    struct bus_reply *reply = mem_alloc(sizeof *reply);
    reply->subscription = s;
    reply->type = type;
    reply->code = code;
    (void)snprintf(reply->text, sizeof reply->text, "%s", text);
    if (packed != NULL) {
        reply->packed = *packed;
        buf_init(packed);
    }
    env_post(s->loop, &reply->msg, bus_reply_run);
}

struct deliver_visit {
    struct arena *arena;
    struct deliver_pick *pick;
};

static bool deliver_visit_record(void *ctx, uint64_t sequence, struct str value)
{
    struct deliver_visit *v = ctx;
    if (sequence == v->pick->sequence) {
        v->pick->found = true;
        struct str body;
        topic_record_read(value, &v->pick->wall_ns, &body);
        v->pick->body = str_copy(v->arena, body);
    }
    return false;
}

static void deliver_pack(const struct deliver_pick *picks, size_t count, struct buf *out)
{
    Gantry__Bus__V1__Delivery rows[BUS_DELIVERY_MESSAGES_MAX];
    Gantry__Bus__V1__Delivery *pointers[BUS_DELIVERY_MESSAGES_MAX];
    Gantry__Bus__V1__SubscribeResponse response = GANTRY__BUS__V1__SUBSCRIBE_RESPONSE__INIT;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!picks[i].found)
            continue;
        gantry__bus__v1__delivery__init(&rows[n]);
        rows[n].sequence = picks[i].sequence;
        rows[n].attempt = picks[i].attempt;
        rows[n].published_at_ns = picks[i].wall_ns;
        rows[n].body.data = (uint8_t *)(uintptr_t)picks[i].body.data;
        rows[n].body.len = picks[i].body.len;
        pointers[n] = &rows[n];
        n++;
    }
    response.n_deliveries = n;
    response.deliveries = pointers;
    size_t size = gantry__bus__v1__subscribe_response__get_packed_size(&response);
    buf_reserve(out, size);
    out->len += gantry__bus__v1__subscribe_response__pack(&response, out->data + out->len);
}

/* Reads the bodies of the picks. Messages that were trimmed meanwhile count as acknowledged. */
static size_t deliver_read(struct bus *b, struct bus_channel *c, struct deliver_pick *picks,
                           size_t count)
{
    struct store_read r;
    if (store_read_begin(b->config.group, 0, &r) != 0)
        return 0;
    size_t bytes = 0;
    size_t read = 0;
    for (; read < count && bytes < BUS_DELIVERY_BYTES_MAX; read++) {
        struct deliver_visit v = { &b->scratch, &picks[read] };
        (void)store_read_stream(&r, str_from(c->topic->name), picks[read].sequence - 1,
                                deliver_visit_record, &v); /* found says */
        bytes += picks[read].body.len;
    }
    store_read_end(&r);
    return read;
}

/* One round for one consumer; true when something was delivered. */
static bool deliver_consumer(struct bus *b, struct bus_channel *c, struct consumer *consumer)
{
    struct deliver_pick picks[BUS_DELIVERY_MESSAGES_MAX];
    uint64_t now = env_loop_now_ms(b->config.loop);
    size_t count = 0;
    while (count < BUS_DELIVERY_MESSAGES_MAX && count < consumer->credit) {
        struct deliver_pick *pick = &picks[count];
        *pick = (struct deliver_pick){ 0 };
        if (!channel_take(&c->state, consumer, c->topic->last, now, consumer->timeout_ms,
                          &pick->sequence, &pick->attempt))
            break;
        count++;
    }
    if (count == 0)
        return false;
    size_t read = deliver_read(b, c, picks, count);
    uint32_t sent = 0;
    for (size_t i = 0; i < count; i++) {
        if (i >= read)
            (void)channel_requeue(&c->state, consumer, picks[i].sequence, now, 0); /* is held */
        else if (!picks[i].found)
            channel_forget(&c->state, picks[i].sequence);
        else
            sent++;
    }
    if (sent > 0) {
        struct buf packed;
        buf_init(&packed);
        deliver_pack(picks, read, &packed);
        consumer->credit -= sent;
        bus_reply_post(consumer->subscription, BUS_DELIVER, GRPC_OK, "", &packed);
    }
    arena_reset(&b->scratch);
    if (c->state.dirty)
        upkeep_dirty(b);
    return read > 0;
}

static void deliver_refresh(struct bus *b, struct topic *t)
{
    struct store_read r;
    if (store_read_begin(b->config.group, 0, &r) != 0)
        return;
    uint64_t first = 0;
    uint64_t last = 0;
    if (store_read_stream_bounds(&r, str_from(t->name), &first, &last) == 0 && last > t->last)
        t->last = last;
    store_read_end(&r);
}

void deliver_channel(struct bus *b, struct bus_channel *c)
{
    if (!b->leading || list_empty(&c->consumers))
        return;
    (void)channel_expire(&c->state, env_loop_now_ms(b->config.loop));
    deliver_refresh(b, c->topic);
    /* Each consumer in turn, until none has credit or nothing is left. */
    size_t idle = 0;
    size_t consumers = list_count(&c->consumers);
    while (idle < consumers) {
        struct consumer *consumer = container_of(c->consumers.next, struct consumer, node);
        list_remove(&consumer->node);
        list_append(&c->consumers, &consumer->node);
        idle = deliver_consumer(b, c, consumer) ? 0 : idle + 1;
    }
}

void deliver_arm(struct bus *b)
{
    uint64_t due = 0;
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        list_foreach (node, &t->channels) {
            struct bus_channel *c = container_of(node, struct bus_channel, node);
            uint64_t at = list_empty(&c->consumers) ? 0 : channel_due_ms(&c->state);
            if (at != 0 && (due == 0 || at < due))
                due = at;
        }
    }
    if (due == 0) {
        env_timer_stop(&b->due_timer);
        return;
    }
    uint64_t now = env_loop_now_ms(b->config.loop);
    env_timer_start(&b->due_timer, due > now ? due - now : 1);
}
