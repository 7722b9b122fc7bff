/*
 * Handing messages to consumers: picks by the channel's state, bodies by one short read, one
 * SubscribeResponse per consumer and round. Credit bounds the messages under way to a consumer,
 * BUS_CONSUMER_BYTES_MAX the bytes that wait on its connection.
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

/* ---- replies to a stream's loop ---- */

static struct bus_reply *bus_reply_new(struct subscription *s, enum bus_reply_type type)
{
    struct bus_reply *reply = mem_alloc(sizeof *reply);
    reply->subscription = s;
    reply->type = type;
    buf_init(&reply->packed);
    return reply;
}

static void bus_reply_post(struct bus_reply *reply)
{
    env_post(reply->subscription->loop, &reply->msg, bus_reply_run);
}

void bus_finish(struct subscription *s, enum grpc_code code, const char *text)
{
    struct bus_reply *reply = bus_reply_new(s, BUS_FINISH);
    reply->code = code;
    (void)snprintf(reply->text, sizeof reply->text, "%s", text);
    bus_reply_post(reply);
}

void bus_gone(struct subscription *s)
{
    bus_reply_post(bus_reply_new(s, BUS_GONE));
}

void bus_handled(struct subscription *s, uint32_t requests)
{
    struct bus_reply *reply = bus_reply_new(s, BUS_HANDLED);
    reply->number = requests;
    bus_reply_post(reply);
}

/* ---- one round for one consumer ---- */

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

/* Reads the bodies of the picks, as many as fit one response; none when no reader slot is free. */
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

static bool deliver_can(const struct consumer *consumer)
{
    return consumer->credit > 0 && consumer->queued < BUS_CONSUMER_BYTES_MAX;
}

static size_t deliver_pick(struct bus *b, struct bus_channel *c, struct consumer *consumer,
                           struct deliver_pick *picks)
{
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
    return count;
}

/* true when something came of it; false also when nothing could be read. */
static bool deliver_consumer(struct bus *b, struct bus_channel *c, struct consumer *consumer)
{
    struct deliver_pick picks[BUS_DELIVERY_MESSAGES_MAX];
    size_t count = deliver_can(consumer) ? deliver_pick(b, c, consumer, picks) : 0;
    if (count == 0)
        return false;
    uint64_t now = env_loop_now_ms(b->config.loop);
    size_t read = deliver_read(b, c, picks, count);
    uint32_t sent = 0;
    for (size_t i = 0; i < count; i++) {
        if (i >= read)
            channel_return(&c->state, consumer, picks[i].sequence, now);
        else if (!picks[i].found)
            channel_forget(&c->state, picks[i].sequence);
        else
            sent++;
    }
    if (sent > 0) {
        struct bus_reply *reply = bus_reply_new(consumer->subscription, BUS_DELIVER);
        deliver_pack(picks, read, &reply->packed);
        consumer->credit -= sent;
        consumer->queued += reply->packed.len;
        bus_reply_post(reply);
    }
    arena_reset(&b->scratch);
    return read > 0;
}

/* ---- the due timer ---- */

/* Deadlines always count; what waits counts when somebody could take it. */
static uint64_t deliver_due_of(const struct bus_channel *c)
{
    uint64_t due = channel_deadline_ms(&c->state);
    uint64_t waiting = channel_waiting_ms(&c->state);
    bool can = false;
    list_foreach (node, &c->consumers) {
        can = can || deliver_can(container_of(node, struct consumer, node));
    }
    return can && waiting != 0 && (due == 0 || waiting < due) ? waiting : due;
}

/* Only ever moves the timer forward; deliver_due finds the next one by looking at all. */
static void deliver_arm(struct bus *b, uint64_t due_ms)
{
    if (due_ms == 0 || (b->due_ms != 0 && b->due_ms <= due_ms))
        return;
    uint64_t now = env_loop_now_ms(b->config.loop);
    uint64_t delay = due_ms > now ? due_ms - now : BUS_RETRY_MS;
    b->due_ms = now + delay;
    env_timer_start(&b->due_timer, delay);
}

void deliver_channel(struct bus *b, struct bus_channel *c)
{
    if (!b->leading || list_empty(&c->consumers))
        return;
    /* A new channel is served once the store has it: what a consumer has seen of it survives. */
    if (!c->stored && !c->ephemeral)
        return;
    (void)channel_expire(&c->state, env_loop_now_ms(b->config.loop)); /* they wait now */
    channel_trim(&c->state, c->topic->first);
    /* Each consumer in turn, until none can take more or nothing is left. */
    size_t idle = 0;
    size_t consumers = list_count(&c->consumers);
    while (idle < consumers) {
        struct consumer *consumer = container_of(c->consumers.next, struct consumer, node);
        list_remove(&consumer->node);
        list_append(&c->consumers, &consumer->node);
        idle = deliver_consumer(b, c, consumer) ? 0 : idle + 1;
    }
    if (c->state.dirty)
        upkeep_dirty(b);
    deliver_arm(b, deliver_due_of(c));
}

void deliver_due(struct bus *b)
{
    b->due_ms = 0;
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        list_foreach (node, &t->channels) {
            deliver_channel(b, container_of(node, struct bus_channel, node));
        }
    }
    deliver_grown(b);
}

void deliver_grown(struct bus *b)
{
    struct store_read r;
    if (!b->leading || map_count(&b->topics) == 0)
        return;
    if (store_read_begin(b->config.group, 0, &r) != 0) {
        /* No reader slot: looks again soon. */
        deliver_arm(b, env_loop_now_ms(b->config.loop) + BUS_RETRY_MS);
        return;
    }
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        uint64_t first = 0;
        uint64_t last = 0;
        if (store_read_stream_bounds(&r, str_from(t->name), &first, &last) != 0)
            continue; /* nothing was published yet */
        t->grown = last > t->last;
        t->first = first;
        t->last = last;
    }
    store_read_end(&r);
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        if (!t->grown)
            continue;
        t->grown = false;
        list_foreach (node, &t->channels) {
            deliver_channel(b, container_of(node, struct bus_channel, node));
        }
    }
}
