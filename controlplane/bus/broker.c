/*
 * The bus loop: who consumes which channel, and what consumers say.
 *
 * Only the group's leader has channels in memory; they are read from the store when the first
 * consumer comes. Losing leadership ends every consumer with the new leader's name and drops the
 * channels: what was not written back is delivered again by the next leader.
 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "controlplane/bus/bus_impl.h"
#include "controlplane/bus/topic.h"

static struct bus_channel *broker_find_channel(struct topic *t, const char *name)
{
    list_foreach (node, &t->channels) {
        struct bus_channel *c = container_of(node, struct bus_channel, node);
        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

static struct topic *broker_topic(struct bus *b, const char *name)
{
    struct topic *t = map_get(&b->topics, str_from(name));
    if (t != NULL)
        return t;
    t = mem_alloc(sizeof *t);
    list_init(&t->channels);
    (void)snprintf(t->name, sizeof t->name, "%s", name);
    (void)map_put(&b->topics, str_from(name), t); /* was absent */
    return t;
}

/* Where a channel begins: its stored row, else the end or the beginning of the topic. */
static int broker_load(struct bus *b, struct bus_channel *c, bool latest)
{
    struct store_read r;
    int rc = store_read_begin(b->config.group, 0, &r);
    if (rc != 0)
        return rc;
    uint64_t first = 0;
    uint64_t last = 0;
    struct str row = { NULL, 0 };
    (void)store_read_stream_bounds(&r, str_from(c->topic->name), &first, &last); /* absent: 0, 0 */
    c->topic->last = last;
    struct str key = channel_row_key(&b->scratch, str_from(c->topic->name), str_from(c->name));
    bool stored = !c->ephemeral && store_read_row(&r, key, &row) == 0;
    uint64_t start = latest ? last : (first > 0 ? first - 1 : 0);
    channel_init(&c->state, start);
    if (stored)
        rc = channel_decode(&c->state, row);
    else
        c->state.dirty = !c->ephemeral;
    store_read_end(&r);
    arena_reset(&b->scratch);
    if (rc != 0)
        channel_deinit(&c->state);
    return rc;
}

static struct bus_channel *broker_channel(struct bus *b, const struct bus_request *request,
                                          int *out_rc)
{
    struct topic *t = broker_topic(b, request->topic);
    struct bus_channel *c = broker_find_channel(t, request->channel);
    if (c != NULL)
        return c;
    c = mem_alloc(sizeof *c);
    c->topic = t;
    c->ephemeral = channel_is_ephemeral(str_from(request->channel));
    list_init(&c->consumers);
    (void)snprintf(c->name, sizeof c->name, "%s", request->channel);
    *out_rc = broker_load(b, c, request->latest);
    if (*out_rc != 0) {
        mem_free(c);
        return NULL;
    }
    list_append(&t->channels, &c->node);
    upkeep_dirty(b);
    return c;
}

static void broker_not_leader(struct bus *b, struct subscription *s)
{
    struct store_status status;
    store_status(b->config.group, &status);
    char text[160] = "this member does not lead the bus, and no leader is known yet; try again";
    for (size_t i = 0; i < b->config.members_count; i++) {
        if (b->config.members[i].id == status.leader_id && !b->leading)
            (void)snprintf(text, sizeof text,
                           "this member does not lead the bus; subscribe at leader=%s",
                           b->config.members[i].name);
    }
    bus_reply_post(s, BUS_FINISH, GRPC_UNAVAILABLE, text, NULL);
}

static void broker_free_channel(struct bus_channel *c)
{
    list_remove(&c->node);
    channel_deinit(&c->state);
    mem_free(c);
}

/* The consumer leaves its channel; an ephemeral channel goes with its last consumer. */
static void broker_drop(struct bus *b, struct consumer *consumer)
{
    struct bus_channel *c = consumer->channel;
    channel_drop_consumer(&c->state, consumer, env_loop_now_ms(b->config.loop));
    list_remove(&consumer->node);
    consumer->subscription->consumer = NULL;
    mem_free(consumer);
    if (list_empty(&c->consumers) && c->ephemeral)
        broker_free_channel(c);
    else
        deliver_channel(b, c);
}

static void broker_subscribe(struct bus *b, const struct bus_request *request)
{
    struct subscription *s = request->subscription;
    if (!b->leading) {
        broker_not_leader(b, s);
        return;
    }
    int rc = 0;
    struct bus_channel *c = broker_channel(b, request, &rc);
    if (c == NULL) {
        bus_reply_post(s, BUS_FINISH, grpc_code_from_err(rc), "the channel could not be read",
                       NULL);
        return;
    }
    struct consumer *consumer = mem_alloc(sizeof *consumer);
    consumer->channel = c;
    consumer->subscription = s;
    consumer->credit = request->credit;
    consumer->timeout_ms = request->number;
    list_append(&c->consumers, &consumer->node);
    s->consumer = consumer;
    deliver_channel(b, c);
}

/* An answer to a message that is no longer the consumer's (it timed out) changes nothing, as in
 * NSQ. */
static void broker_answer(struct bus *b, const struct bus_request *request)
{
    struct consumer *consumer = request->subscription->consumer;
    if (consumer == NULL)
        return;
    struct channel *state = &consumer->channel->state;
    uint64_t now = env_loop_now_ms(b->config.loop);
    switch (request->type) {
    case BUS_CREDIT:
        consumer->credit += request->number;
        if (consumer->credit > BUS_CREDIT_MAX)
            consumer->credit = BUS_CREDIT_MAX;
        break;
    case BUS_ACK:
        for (size_t i = 0; i < request->sequences_count; i++)
            (void)channel_ack(state, consumer, request->sequences[i]); /* see above */
        break;
    case BUS_REQUEUE:
        (void)channel_requeue(state, consumer, request->sequence, now, request->number);
        break;
    default:
        (void)channel_touch(state, consumer, request->sequence, now, consumer->timeout_ms);
        break;
    }
    if (state->dirty)
        upkeep_dirty(b);
    deliver_channel(b, consumer->channel);
}

void broker_request(struct env_msg *m)
{
    struct bus_request *request = container_of(m, struct bus_request, msg);
    struct subscription *s = request->subscription;
    struct bus *b = s->bus;
    if (request->type == BUS_START) {
        broker_subscribe(b, request);
    } else if (request->type == BUS_CLOSE) {
        if (s->consumer != NULL)
            broker_drop(b, s->consumer);
        bus_reply_post(s, BUS_GONE, GRPC_OK, "", NULL);
    } else {
        broker_answer(b, request);
    }
    mem_free(request);
    deliver_arm(b);
}

static void broker_end_consumers(struct bus *b, struct bus_channel *c)
{
    while (!list_empty(&c->consumers)) {
        struct consumer *consumer = container_of(c->consumers.next, struct consumer, node);
        broker_not_leader(b, consumer->subscription);
        list_remove(&consumer->node);
        consumer->subscription->consumer = NULL;
        mem_free(consumer);
    }
}

static void broker_drop_channels(struct bus *b)
{
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        while (!list_empty(&t->channels)) {
            struct bus_channel *c = container_of(t->channels.next, struct bus_channel, node);
            broker_end_consumers(b, c);
            broker_free_channel(c);
        }
    }
}

static void broker_leadership(struct store_leadership *l, bool leading, uint64_t term)
{
    struct bus *b = container_of(l, struct bus, leadership);
    b->leading = false;
    broker_drop_channels(b);
    b->leading = leading;
    b->term = term;
    log_info("bus leadership", KVN("leading", leading), KVN("term", term));
}

/* Something was committed: topics with consumers may have new messages. */
static void broker_published(struct store_subscriber *s, uint64_t revision)
{
    (void)revision;
    struct bus *b = container_of(s, struct bus, subscriber);
    if (!b->leading)
        return;
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        list_foreach_safe (node, &t->channels) {
            deliver_channel(b, container_of(node, struct bus_channel, node));
        }
    }
    deliver_arm(b);
}

void broker_start(struct bus *b)
{
    b->subscriber.loop = b->config.loop;
    b->subscriber.published = broker_published;
    store_subscribe(b->config.group, &b->subscriber);
    b->leadership.loop = b->config.loop;
    b->leadership.changed = broker_leadership;
    store_on_leadership(b->config.group, &b->leadership);
}

void broker_deinit(struct bus *b)
{
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        while (!list_empty(&t->channels)) {
            struct bus_channel *c = container_of(t->channels.next, struct bus_channel, node);
            while (!list_empty(&c->consumers))
                mem_free(container_of(list_pop(&c->consumers), struct consumer, node));
            broker_free_channel(c);
        }
        mem_free(t);
    }
    map_deinit(&b->topics);
}
