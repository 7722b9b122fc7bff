/*
 * Publishing from inside the member: a bounded queue per loop, one transaction in flight, retried
 * with its sequences until the store took it.
 */
#include <string.h>

#include "base/assert.h"
#include "base/metrics.h"
#include "controlplane/bus/bus_impl.h"
#include "controlplane/bus/publish.h"
#include "controlplane/bus/topic.h"

#define PUBLISHER_BATCH_MAX   64u
#define PUBLISHER_BATCH_BYTES (512u << 10)
#define PUBLISHER_RETRY_MS    200u

static struct metric publisher_dropped = {
    .name = "bus_publisher_dropped_total",
    .help = "Messages of this member's own publishers dropped because the bus did not take them.",
    .type = METRIC_COUNTER,
};

struct publisher_item {
    struct list node;
    uint64_t sequence;
    struct str topic;
    struct str body;
    char bytes[];
};

struct bus_publisher {
    struct bus *bus;
    struct env_loop *loop;
    struct list queue; /* struct publisher_item; the first `batch` of them are in flight */
    size_t queued;
    size_t queued_bytes;
    size_t batch;
    uint64_t sequence;
    struct store_write write;
    struct env_timer retry;
    bool waiting;
    bool timer_ready;
    char producer[TOPIC_NAME_BYTES_MAX + 1];
};

static void publisher_send(struct bus_publisher *p);

static struct publisher_item *publisher_first(struct bus_publisher *p)
{
    return container_of(p->queue.next, struct publisher_item, node);
}

static void publisher_written(struct store_write *w)
{
    struct bus_publisher *p = container_of(w, struct bus_publisher, write);
    bool taken = w->result.status == 0 || !err_retryable(w->result.status);
    if (w->result.status != 0 && taken)
        metric_add(&publisher_dropped, (int64_t)p->batch);
    for (; taken && p->batch > 0; p->batch--) {
        struct publisher_item *item = publisher_first(p);
        list_remove(&item->node);
        p->queued--;
        p->queued_bytes -= item->body.len;
        mem_free(item);
    }
    p->batch = 0;
    p->waiting = !taken;
    if (p->waiting)
        env_timer_start(&p->retry, PUBLISHER_RETRY_MS);
    else
        publisher_send(p);
}

static void publisher_retry(struct env_timer *t)
{
    struct bus_publisher *p = container_of(t, struct bus_publisher, retry);
    p->waiting = false;
    publisher_send(p);
}

/* A batch is a run of one topic, so that the sequences of a retry fall into the same batches. */
static void publisher_send(struct bus_publisher *p)
{
    if (p->waiting || p->batch > 0 || list_empty(&p->queue))
        return;
    struct arena a;
    arena_init(&a);
    struct publish_message_in messages[PUBLISHER_BATCH_MAX];
    struct store_op ops[PUBLISHER_BATCH_MAX + 1];
    struct str topic = publisher_first(p)->topic;
    size_t bytes = 0;
    list_foreach (node, &p->queue) {
        struct publisher_item *item = container_of(node, struct publisher_item, node);
        bytes += item->body.len;
        if (p->batch == PUBLISHER_BATCH_MAX || !str_eq(item->topic, topic) ||
            (p->batch > 0 && bytes > PUBLISHER_BATCH_BYTES))
            break;
        messages[p->batch++] =
            (struct publish_message_in){ .body = item->body, .sequence = item->sequence };
    }
    struct store_txn txn = { .ops = ops };
    txn.ops_count = publish_ops(&a, env_wall_ns(p->bus->config.env), topic, str_from(p->producer),
                                publish_forgets(p->bus), messages, p->batch, ops);
    p->write = (struct store_write){ .loop = p->loop, .done = publisher_written };
    store_submit(p->bus->config.group, &p->write, &txn);
    arena_deinit(&a);
}

struct bus_publisher *bus_publisher_new(struct bus *b, struct env_loop *loop, struct str producer)
{
    struct bus_publisher *p = mem_alloc(sizeof *p);
    p->bus = b;
    p->loop = loop;
    list_init(&p->queue);
    ASSERT(producer.len <= TOPIC_NAME_BYTES_MAX);
    memcpy(p->producer, producer.data, producer.len);
    return p;
}

void bus_publish(struct bus_publisher *p, struct str topic, struct str body)
{
    ASSERT(env_on_loop(p->loop));
    if (!p->timer_ready) {
        env_timer_init(p->loop, &p->retry, publisher_retry);
        p->timer_ready = true;
    }
    if (body.len > TOPIC_BODY_BYTES_MAX || p->queued >= BUS_PUBLISHER_QUEUE_MAX ||
        p->queued_bytes >= BUS_PUBLISHER_QUEUE_BYTES_MAX) {
        /* The newest is refused rather than the oldest dropped: the oldest may be in flight. */
        metric_add(&publisher_dropped, 1);
        return;
    }
    struct publisher_item *item = mem_alloc(sizeof *item + topic.len + body.len);
    memcpy(item->bytes, topic.data, topic.len);
    if (body.len > 0)
        memcpy(item->bytes + topic.len, body.data, body.len);
    item->topic = str_of(item->bytes, topic.len);
    item->body = str_of(item->bytes + topic.len, body.len);
    item->sequence = ++p->sequence;
    list_append(&p->queue, &item->node);
    p->queued++;
    p->queued_bytes += body.len;
    publisher_send(p);
}

void bus_publisher_free(struct bus_publisher *p)
{
    if (p == NULL)
        return;
    while (!list_empty(&p->queue))
        mem_free(container_of(list_pop(&p->queue), struct publisher_item, node));
    if (p->timer_ready)
        env_timer_deinit(&p->retry);
    mem_free(p);
}
