/* Samples and decisions as JSON on the bus; see the header. */
#include "controlplane/announce.h"

#include <stdio.h>

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "controlplane/bus/bus.h"
#include "controlplane/bus/topic.h"

struct announce {
    struct bus_publisher *publisher;
    char source[160]; /* "m1/controllers" */
    struct buf body;
};

static void announce_string(struct buf *b, const char *name, struct str value)
{
    buf_printf(b, ",\"%s\":", name);
    json_write_string(b, value, false);
}

static void announce_number(struct buf *b, const char *name, uint64_t value)
{
    buf_printf(b, ",\"%s\":%llu", name, (unsigned long long)value);
}

static struct buf *announce_begin(struct announce *a)
{
    buf_clear(&a->body);
    buf_append_c(&a->body, "{\"source\":");
    json_write_string(&a->body, str_from(a->source), false);
    return &a->body;
}

static void announce_queue(void *ctx, const struct workqueue_sample *s)
{
    struct announce *a = ctx;
    struct buf *b = announce_begin(a);
    announce_string(b, "queue", str_from(s->name));
    announce_number(b, "depth", s->depth);
    announce_number(b, "processing", s->processing);
    announce_number(b, "delayed", s->delayed);
    announce_number(b, "oldestMs", s->oldest_ms);
    announce_number(b, "added", s->added);
    announce_number(b, "completed", s->completed);
    announce_number(b, "retried", s->retried);
    announce_number(b, "dropped", s->dropped);
    announce_number(b, "intervalMs", s->interval_ms);
    buf_append_c(b, "}");
    bus_publish(a->publisher, str_lit(TOPIC_QUEUE), buf_str(b));
}

static const char *announce_step(enum scheduling_step step)
{
    switch (step) {
    case SCHEDULING_QUEUED:
        return "queued";
    case SCHEDULING_BOUND:
        return "scheduled";
    case SCHEDULING_UNSCHEDULABLE:
        return "unschedulable";
    case SCHEDULING_BIND_FAILED:
        return "bind-failed";
    }
    return "unknown";
}

static void announce_scheduling(void *ctx, const struct scheduling_event *ev)
{
    struct announce *a = ctx;
    struct buf *b = announce_begin(a);
    announce_string(b, "step", str_from(announce_step(ev->step)));
    announce_string(b, "namespace", ev->namespace);
    announce_string(b, "name", ev->name);
    announce_string(b, "uid", ev->uid);
    announce_string(b, "node", ev->node);
    if (ev->message.len > 0)
        announce_string(b, "message", ev->message);
    announce_number(b, "revision", ev->revision);
    announce_number(b, "timeNs", ev->wall_ns);
    announce_number(b, "queuedUs", ev->queued_ns / 1000);
    announce_number(b, "decideUs", ev->decide_ns / 1000);
    announce_number(b, "bindUs", ev->bind_ns / 1000);
    announce_number(b, "attempt", ev->attempt);
    announce_number(b, "nodes", ev->nodes);
    announce_number(b, "nodesFit", ev->nodes_fit);
    buf_append_c(b, "}");
    bus_publish(a->publisher, str_lit(TOPIC_SCHEDULING), buf_str(b));
}

struct announce *announce_new(struct bus *bus, struct env_loop *loop, const char *source,
                              const char *part)
{
    struct announce *a = mem_alloc(sizeof *a);
    buf_init(&a->body);
    (void)snprintf(a->source, sizeof a->source, "%s/%s", source, part);
    /* A producer's sequences begin anew with each run, so its name does too. */
    char producer[64];
    (void)snprintf(producer, sizeof producer, "%.24s/%.12s/%016llx", source, part,
                   (unsigned long long)env_random_u64(env_of(loop)));
    a->publisher = bus_publisher_new(bus, loop, str_from(producer));
    return a;
}

struct publish announce_publish(struct announce *a)
{
    return (struct publish){ .queue = announce_queue, .scheduling = announce_scheduling, .ctx = a };
}

void announce_free(struct announce *a)
{
    if (a == NULL)
        return;
    bus_publisher_free(a->publisher);
    buf_deinit(&a->body);
    mem_free(a);
}
