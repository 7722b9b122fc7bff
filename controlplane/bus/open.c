/*
 * Channels coming to the leader's memory and leaving it. A channel is read from the store when its
 * first consumer comes; one that nobody uses and that has nothing under way leaves again.
 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "controlplane/bus/bus_impl.h"
#include "controlplane/bus/topic.h"

static struct bus_channel *open_find(struct bus *b, const struct bus_request *request)
{
    struct topic *t = map_get(&b->topics, str_from(request->topic));
    if (t == NULL)
        return NULL;
    list_foreach (node, &t->channels) {
        struct bus_channel *c = container_of(node, struct bus_channel, node);
        if (strcmp(c->name, request->channel) == 0)
            return c;
    }
    return NULL;
}

static struct topic *open_topic(struct bus *b, const char *name)
{
    struct topic *t = map_get(&b->topics, str_from(name));
    if (t != NULL)
        return t;
    t = mem_alloc(sizeof *t);
    list_init(&t->channels);
    (void)snprintf(t->name, sizeof t->name, "%s", name); /* checked by the service */
    (void)map_put(&b->topics, str_from(name), t);        /* was absent */
    return t;
}

static bool open_count(void *ctx, struct str key, struct str value)
{
    (void)key;
    (void)value;
    size_t *count = ctx;
    return ++*count < TOPIC_CHANNELS_MAX;
}

/* A channel that is not stored yet may become one more of its topic's. */
static int open_check_channels(struct bus *b, struct store_read *r, const char *topic,
                               struct err *e)
{
    size_t count = 0;
    bool more = false;
    struct str prefix = channel_row_prefix(&b->scratch, str_from(topic));
    (void)store_read_rows(r, prefix, str_of(NULL, 0), open_count, &count, &more); /* none: 0 */
    if (count < TOPIC_CHANNELS_MAX)
        return 0;
    return err_set(e, ERR_TOO_MANY_REQUESTS,
                   "topic %s has %u channels, its limit; subscribe to one of them or to an "
                   "#ephemeral one",
                   topic, TOPIC_CHANNELS_MAX);
}

/* Where a channel begins: its stored row, else the end or the beginning of the topic. */
static int open_read(struct bus *b, struct store_read *r, const struct bus_request *request,
                     struct bus_channel *c, struct err *e)
{
    uint64_t first = 0;
    uint64_t last = 0;
    struct str row = { NULL, 0 };
    (void)store_read_stream_bounds(r, str_from(request->topic), &first, &last); /* absent: 0, 0 */
    struct str key =
        channel_row_key(&b->scratch, str_from(request->topic), str_from(request->channel));
    c->stored = !c->ephemeral && store_read_row(r, key, &row) == 0;
    if (!c->stored && !c->ephemeral) {
        int rc = open_check_channels(b, r, request->topic, e);
        if (rc != 0)
            return rc;
    }
    channel_init(&c->state, request->latest ? last : (first > 0 ? first - 1 : 0));
    c->state.dirty = !c->stored && !c->ephemeral;
    if (!c->stored || channel_decode(&c->state, row) == 0)
        return 0;
    channel_deinit(&c->state);
    return err_set(e, ERR_CORRUPT, "the stored cursor of channel %s is damaged", request->channel);
}

static int open_load(struct bus *b, const struct bus_request *request, struct bus_channel *c,
                     struct err *e)
{
    struct store_read r;
    int rc = store_read_begin(b->config.group, 0, &r);
    if (rc != 0)
        return err_set(e, (enum err_code)(-rc), "the bus cannot be read now; try again");
    rc = open_read(b, &r, request, c, e);
    store_read_end(&r);
    arena_reset(&b->scratch);
    return rc;
}

int bus_channel_open(struct bus *b, const struct bus_request *request, struct bus_channel **out,
                     struct err *e)
{
    *out = open_find(b, request);
    if (*out != NULL)
        return 0;
    if (b->channels_count >= BUS_CHANNELS_MAX)
        broker_unload_idle(b);
    if (b->channels_count >= BUS_CHANNELS_MAX)
        return err_set(e, ERR_TOO_MANY_REQUESTS, "the bus serves %u channels at once, its limit",
                       BUS_CHANNELS_MAX);
    struct bus_channel *c = mem_alloc(sizeof *c);
    c->ephemeral = channel_is_ephemeral(str_from(request->channel));
    list_init(&c->consumers);
    (void)snprintf(c->name, sizeof c->name, "%s", request->channel); /* checked by the service */
    int rc = open_load(b, request, c, e);
    if (rc != 0) {
        mem_free(c);
        return rc;
    }
    c->topic = open_topic(b, request->topic);
    list_append(&c->topic->channels, &c->node);
    b->channels_count++;
    if (c->state.dirty)
        upkeep_soon(b);
    *out = c;
    return 0;
}

void bus_channel_free(struct bus *b, struct bus_channel *c)
{
    struct topic *t = c->topic;
    ASSERT(list_empty(&c->consumers));
    list_remove(&c->node);
    channel_deinit(&c->state);
    mem_free(c);
    b->channels_count--;
    if (list_empty(&t->channels)) {
        (void)map_remove(&b->topics, str_from(t->name)); /* is there */
        mem_free(t);
    }
}

static bool open_idle(const struct bus *b, const struct bus_channel *c)
{
    return env_loop_now_ms(b->config.loop) >= c->flushed_ms + BUS_IDLE_MS &&
           list_empty(&c->consumers) && !c->state.dirty && !c->flushing &&
           c->state.in_flight_count == 0 && c->state.waiting_count == 0;
}

void broker_unload_idle(struct bus *b)
{
    struct list idle;
    list_init(&idle);
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        list_foreach_safe (node, &t->channels) {
            if (!open_idle(b, container_of(node, struct bus_channel, node)))
                continue;
            list_remove(node);
            list_append(&idle, node);
        }
    }
    /* Outside the loop, because a topic goes with its last channel. */
    for (struct list *node = idle.next; node != &idle; node = idle.next)
        bus_channel_free(b, container_of(node, struct bus_channel, node));
}
