/*
 * The bus loop: who consumes which channel, and what consumers say.
 *
 * Only the group's leader has channels in memory (open.c). Losing leadership ends every consumer
 * with the new leader's name and drops the channels: what was not written back is delivered again
 * by the next leader.
 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "controlplane/bus/bus_impl.h"
#include "controlplane/bus/topic.h"
#include "store/roster.h"

/* As configured, else as the newest rows have it. */
static bool broker_member_name(struct bus *b, uint64_t id,
                               char out[sizeof((struct store_member *)NULL)->name])
{
    struct roster roster = { 0 };
    const struct roster_row *row;
    for (size_t i = 0; i < b->config.members_count; i++) {
        if (b->config.members[i].id == id) {
            memcpy(out, b->config.members[i].name, sizeof b->config.members[i].name);
            return true;
        }
    }
    if (b->config.cluster != NULL)
        (void)roster_read(b->config.cluster, &roster, NULL); /* then: nobody */
    row = roster_by_id(&roster, id);
    if (row != NULL)
        memcpy(out, row->member.name, sizeof row->member.name);
    return row != NULL;
}

static void broker_not_leader(struct bus *b, struct subscription *s)
{
    struct store_status status;
    store_status(b->config.group, &status);
    char text[160] = "this member does not lead the bus, and no leader is known yet; try again";
    char name[sizeof b->config.members->name];
    if (broker_member_name(b, status.leader_id, name))
        (void)snprintf(text, sizeof text,
                       "this member does not lead the bus; subscribe at leader=%s",
                       name); /* fits */
    bus_finish(s, GRPC_UNAVAILABLE, text);
}

static void broker_remove(struct bus *b, struct consumer *consumer)
{
    list_remove(&consumer->node);
    consumer->subscription->consumer = NULL;
    b->consumers_count--;
    mem_free(consumer);
}

/* The consumer leaves its channel; an ephemeral channel goes with its last consumer. */
static void broker_drop(struct bus *b, struct consumer *consumer)
{
    struct bus_channel *c = consumer->channel;
    channel_drop_consumer(&c->state, consumer, env_loop_now_ms(b->config.loop));
    broker_remove(b, consumer);
    if (list_empty(&c->consumers) && c->ephemeral)
        bus_channel_free(b, c);
    else
        deliver_channel(b, c);
}

static void broker_subscribe(struct bus *b, const struct bus_request *request)
{
    struct subscription *s = request->subscription;
    struct bus_channel *c = NULL;
    struct err e;
    ASSERT(s->consumer == NULL);
    if (!b->leading) {
        broker_not_leader(b, s);
        return;
    }
    int rc = 0;
    if (b->consumers_count >= BUS_CONSUMERS_MAX)
        rc = err_set(&e, ERR_TOO_MANY_REQUESTS, "the bus serves %u consumers at once, its limit",
                     BUS_CONSUMERS_MAX);
    if (rc == 0)
        rc = bus_channel_open(b, request, &c, &e);
    if (rc != 0) {
        bus_finish(s, grpc_code_from_err(rc), e.msg);
        return;
    }
    struct consumer *consumer = mem_alloc(sizeof *consumer);
    consumer->channel = c;
    consumer->subscription = s;
    consumer->credit = request->credit;
    consumer->timeout_ms = request->number;
    list_append(&c->consumers, &consumer->node);
    b->consumers_count++;
    s->consumer = consumer;
    deliver_channel(b, c);
    /* A new topic's end is not known yet. */
    deliver_grown(b);
}

/* A channel that begins at the end begins behind every message acknowledged before: an answer comes
 * before it is visible here, so the end is looked at after a read point. */
struct broker_wait {
    struct store_barrier barrier;
    struct bus_request *request;
};

static void broker_waited(struct store_barrier *barrier)
{
    struct broker_wait *wait = container_of(barrier, struct broker_wait, barrier);
    struct bus_request *request = wait->request;
    struct subscription *s = request->subscription;
    s->waiting = false;
    s->bus->waiting_count--;
    if (s->closing) {
        bus_gone(s);
    } else if (barrier->status != 0) {
        bus_finish(s, grpc_code_from_err(barrier->status),
                   "the end of the topic is not known now; try again");
    } else {
        request->credit = s->credit_waiting;
        broker_subscribe(s->bus, request);
    }
    mem_free(request);
    mem_free(wait);
}

static void broker_start_latest(struct bus *b, struct bus_request *request)
{
    struct broker_wait *wait = mem_alloc(sizeof *wait);
    wait->request = request;
    wait->barrier.loop = b->config.loop;
    wait->barrier.done = broker_waited;
    request->subscription->waiting = true;
    request->subscription->credit_waiting = request->credit;
    b->waiting_count++;
    store_barrier(b->config.group, &wait->barrier);
}

static uint32_t broker_add_credit(uint32_t credit, uint32_t more)
{
    uint32_t room = BUS_CREDIT_MAX - credit;
    return credit + (more < room ? more : room);
}

/* An answer to a message that is no longer the consumer's (it timed out) changes nothing, as in
 * NSQ. */
static void broker_answer(struct bus *b, const struct bus_request *request)
{
    struct subscription *s = request->subscription;
    struct consumer *consumer = s->consumer;
    if (s->waiting && request->type == BUS_CREDIT)
        s->credit_waiting = broker_add_credit(s->credit_waiting, request->number);
    if (consumer == NULL)
        return;
    struct channel *state = &consumer->channel->state;
    uint64_t now = env_loop_now_ms(b->config.loop);
    switch (request->type) {
    case BUS_CREDIT:
        consumer->credit = broker_add_credit(consumer->credit, request->number);
        break;
    case BUS_ACK:
        for (size_t i = 0; i < request->sequences_count; i++)
            (void)channel_ack(state, consumer, request->sequences[i]); /* see above */
        break;
    case BUS_REQUEUE:
        (void)channel_requeue(state, consumer, request->sequence, now, request->number);
        break;
    case BUS_TAKEN:
        ASSERT(consumer->queued >= request->number);
        consumer->queued -= request->number;
        break;
    default:
        (void)channel_touch(state, consumer, request->sequence, now, consumer->timeout_ms);
        break;
    }
    if (state->dirty)
        upkeep_dirty(b);
    deliver_channel(b, consumer->channel);
}

static void broker_close(struct bus *b, struct subscription *s)
{
    s->closing = true;
    if (s->consumer != NULL)
        broker_drop(b, s->consumer);
    if (!s->waiting)
        bus_gone(s);
}

void broker_request(struct env_msg *m)
{
    struct bus_request *request = container_of(m, struct bus_request, msg);
    struct subscription *s = request->subscription;
    struct bus *b = s->bus;
    if (request->type == BUS_CLOSE) {
        broker_close(b, s);
        mem_free(request);
        return;
    }
    if (request->type != BUS_TAKEN && ++s->handled == BUS_REQUESTS_ROUND) {
        s->handled = 0;
        bus_handled(s, BUS_REQUESTS_ROUND);
    }
    if (request->type == BUS_START && request->latest && b->leading) {
        broker_start_latest(b, request);
        return;
    }
    if (request->type == BUS_START)
        broker_subscribe(b, request);
    else
        broker_answer(b, request);
    mem_free(request);
}

/* ---- leadership ---- */

static struct bus_channel *broker_any_channel(struct bus *b)
{
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        return container_of(t->channels.next, struct bus_channel, node);
    }
    return NULL;
}

static void broker_drop_channels(struct bus *b)
{
    for (struct bus_channel *c = broker_any_channel(b); c != NULL; c = broker_any_channel(b)) {
        while (!list_empty(&c->consumers)) {
            struct consumer *consumer = container_of(c->consumers.next, struct consumer, node);
            broker_not_leader(b, consumer->subscription);
            broker_remove(b, consumer);
        }
        bus_channel_free(b, c);
    }
    b->due_ms = 0;
    env_timer_stop(&b->due_timer);
    b->trim_after[0] = '\0';
}

/* Edges are coalesced: leading after leading is another term with a loss in between. */
static void broker_leadership(struct store_leadership *l, bool leading, uint64_t term)
{
    struct bus *b = container_of(l, struct bus, leadership);
    b->leading = false;
    broker_drop_channels(b);
    b->leading = leading;
    b->term = term;
    log_info("bus leadership", KVN("leading", leading), KVN("term", term));
}

static void broker_published(struct store_subscriber *s, uint64_t revision)
{
    (void)revision;
    deliver_grown(container_of(s, struct bus, subscriber));
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
    for (struct bus_channel *c = broker_any_channel(b); c != NULL; c = broker_any_channel(b)) {
        while (!list_empty(&c->consumers))
            mem_free(container_of(list_pop(&c->consumers), struct consumer, node));
        bus_channel_free(b, c);
    }
    map_deinit(&b->topics);
}
