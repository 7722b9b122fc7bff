/* A channel's delivery state; see the header. */
#include "controlplane/bus/channel.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/err.h"

enum channel_item_state { ITEM_IN_FLIGHT, ITEM_WAITING, ITEM_ACKED };

struct channel_item {
    struct list node;
    uint64_t sequence;
    uint64_t due_ms;       /* in flight: deadline; waiting: when it may be delivered */
    uint64_t delivered_ms; /* of the present delivery */
    const void *consumer;
    uint32_t attempt;
    enum channel_item_state state;
};

static struct channel_item **channel_slot(const struct channel *c, uint64_t sequence)
{
    return &c->items[sequence % CHANNEL_WINDOW_MAX];
}

static struct channel_item *channel_find(const struct channel *c, uint64_t sequence)
{
    if (sequence <= c->cursor || sequence >= c->next)
        return NULL;
    return *channel_slot(c, sequence);
}

void channel_init(struct channel *c, uint64_t cursor)
{
    *c = (struct channel){ .cursor = cursor, .next = cursor + 1, .known = cursor + 1 };
    c->items = mem_alloc(CHANNEL_WINDOW_MAX * sizeof *c->items);
    list_init(&c->in_flight);
    list_init(&c->waiting);
}

void channel_deinit(struct channel *c)
{
    for (size_t i = 0; c->items != NULL && i < CHANNEL_WINDOW_MAX; i++)
        mem_free(c->items[i]);
    mem_free(c->items);
    c->items = NULL;
}

/* Keeps a list ordered by due time; a new item mostly belongs at the end. */
static void channel_insert(struct list *head, struct channel_item *item)
{
    struct list *at = head->prev;
    while (at != head && container_of(at, struct channel_item, node)->due_ms > item->due_ms)
        at = at->prev;
    /* After `at`: list_prepend puts a node behind the one it is given. */
    list_prepend(at, &item->node);
}

static void channel_leave(struct channel *c, struct channel_item *item)
{
    if (item->state == ITEM_IN_FLIGHT)
        c->in_flight_count--;
    else if (item->state == ITEM_WAITING)
        c->waiting_count--;
    list_remove(&item->node);
}

static void channel_wait(struct channel *c, struct channel_item *item, uint64_t due_ms)
{
    channel_leave(c, item);
    item->state = ITEM_WAITING;
    item->consumer = NULL;
    item->due_ms = due_ms;
    channel_insert(&c->waiting, item);
    c->waiting_count++;
}

static void channel_fly(struct channel *c, struct channel_item *item, const void *consumer,
                        uint64_t now_ms, uint64_t timeout_ms)
{
    item->state = ITEM_IN_FLIGHT;
    item->consumer = consumer;
    item->attempt++;
    item->delivered_ms = now_ms;
    item->due_ms = now_ms + timeout_ms;
    channel_insert(&c->in_flight, item);
    c->in_flight_count++;
}

static struct channel_item *channel_add(struct channel *c, uint64_t sequence)
{
    struct channel_item *item = mem_alloc(sizeof *item);
    item->sequence = sequence;
    list_init(&item->node);
    ASSERT(*channel_slot(c, sequence) == NULL);
    *channel_slot(c, sequence) = item;
    if (sequence >= c->known)
        c->known = sequence + 1;
    return item;
}

static void channel_advance(struct channel *c)
{
    while (c->cursor + 1 < c->next) {
        struct channel_item **slot = channel_slot(c, c->cursor + 1);
        if (*slot == NULL || (*slot)->state != ITEM_ACKED)
            break;
        mem_free(*slot);
        *slot = NULL;
        c->cursor++;
    }
}

bool channel_take(struct channel *c, const void *consumer, uint64_t last, uint64_t now_ms,
                  uint64_t timeout_ms, uint64_t *out_sequence, uint32_t *out_attempt)
{
    struct channel_item *item = NULL;
    if (!list_empty(&c->waiting)) {
        item = container_of(c->waiting.next, struct channel_item, node);
        if (item->due_ms <= now_ms)
            channel_leave(c, item);
        else
            item = NULL;
    }
    /* Past what was acknowledged out of order before a leader change. */
    while (item == NULL && c->next <= last && c->next - c->cursor < CHANNEL_WINDOW_MAX) {
        uint64_t sequence = c->next++;
        if (*channel_slot(c, sequence) == NULL)
            item = channel_add(c, sequence);
    }
    if (item == NULL) {
        channel_advance(c);
        return false;
    }
    channel_fly(c, item, consumer, now_ms, timeout_ms);
    *out_sequence = item->sequence;
    *out_attempt = item->attempt;
    return true;
}

static void channel_settle(struct channel *c, struct channel_item *item)
{
    channel_leave(c, item);
    item->state = ITEM_ACKED;
    item->consumer = NULL;
    c->dirty = true;
    channel_advance(c);
}

static struct channel_item *channel_held(const struct channel *c, const void *consumer,
                                         uint64_t sequence)
{
    struct channel_item *item = channel_find(c, sequence);
    if (item == NULL || item->state != ITEM_IN_FLIGHT || item->consumer != consumer)
        return NULL;
    return item;
}

int channel_ack(struct channel *c, const void *consumer, uint64_t sequence)
{
    struct channel_item *item = channel_held(c, consumer, sequence);
    if (item == NULL)
        return -ERR_NOT_FOUND;
    channel_settle(c, item);
    return 0;
}

int channel_requeue(struct channel *c, const void *consumer, uint64_t sequence, uint64_t now_ms,
                    uint64_t delay_ms)
{
    struct channel_item *item = channel_held(c, consumer, sequence);
    if (item == NULL)
        return -ERR_NOT_FOUND;
    if (delay_ms > CHANNEL_DELAY_MAX_MS)
        delay_ms = CHANNEL_DELAY_MAX_MS;
    channel_wait(c, item, now_ms + delay_ms);
    return 0;
}

int channel_touch(struct channel *c, const void *consumer, uint64_t sequence, uint64_t now_ms,
                  uint64_t timeout_ms)
{
    struct channel_item *item = channel_held(c, consumer, sequence);
    if (item == NULL)
        return -ERR_NOT_FOUND;
    uint64_t latest = item->delivered_ms + CHANNEL_HOLD_MAX_MS;
    uint64_t due = now_ms + timeout_ms;
    item->due_ms = due < latest ? due : latest;
    list_remove(&item->node);
    channel_insert(&c->in_flight, item);
    return 0;
}

void channel_forget(struct channel *c, uint64_t sequence)
{
    struct channel_item *item = channel_find(c, sequence);
    if (item != NULL && item->state != ITEM_ACKED)
        channel_settle(c, item);
}

void channel_return(struct channel *c, const void *consumer, uint64_t sequence, uint64_t now_ms)
{
    struct channel_item *item = channel_held(c, consumer, sequence);
    ASSERT(item != NULL && item->attempt > 0);
    item->attempt--;
    channel_wait(c, item, now_ms);
}

void channel_trim(struct channel *c, uint64_t first)
{
    if (first <= c->cursor + 1)
        return;
    for (uint64_t sequence = c->cursor + 1; sequence < first && sequence < c->known; sequence++) {
        struct channel_item **slot = channel_slot(c, sequence);
        if (*slot != NULL && (*slot)->state != ITEM_ACKED)
            channel_leave(c, *slot);
        mem_free(*slot);
        *slot = NULL;
    }
    c->cursor = first - 1;
    c->next = c->next > first ? c->next : first;
    c->known = c->known > first ? c->known : first;
    c->dirty = true;
    channel_advance(c);
}

size_t channel_expire(struct channel *c, uint64_t now_ms)
{
    size_t expired = 0;
    while (!list_empty(&c->in_flight)) {
        struct channel_item *item = container_of(c->in_flight.next, struct channel_item, node);
        if (item->due_ms > now_ms)
            break;
        channel_wait(c, item, now_ms);
        expired++;
    }
    return expired;
}

void channel_drop_consumer(struct channel *c, const void *consumer, uint64_t now_ms)
{
    list_foreach_safe (node, &c->in_flight) {
        struct channel_item *item = container_of(node, struct channel_item, node);
        if (item->consumer == consumer)
            channel_wait(c, item, now_ms);
    }
}

static uint64_t channel_first_due(const struct list *head)
{
    return list_empty(head) ? 0 : container_of(head->next, struct channel_item, node)->due_ms;
}

uint64_t channel_deadline_ms(const struct channel *c)
{
    return channel_first_due(&c->in_flight);
}

uint64_t channel_waiting_ms(const struct channel *c)
{
    return channel_first_due(&c->waiting);
}

static bool channel_acked(const struct channel *c, uint64_t sequence)
{
    const struct channel_item *item = *channel_slot(c, sequence);
    return item != NULL && item->state == ITEM_ACKED;
}

void channel_encode(struct channel *c, struct buf *out)
{
    buf_put_varint(out, c->cursor);
    for (uint64_t from = c->cursor + 1; from < c->known; from++) {
        if (!channel_acked(c, from))
            continue;
        uint64_t to = from;
        while (to + 1 < c->known && channel_acked(c, to + 1))
            to++;
        buf_put_varint(out, from - c->cursor);
        buf_put_varint(out, to - from + 1);
        from = to;
    }
    c->dirty = false;
}

int channel_decode(struct channel *c, struct str bytes)
{
    struct reader r;
    reader_init(&r, bytes);
    uint64_t cursor = reader_varint(&r);
    if (!reader_ok(&r) || cursor > UINT64_MAX / 2)
        return -ERR_CORRUPT;
    c->cursor = cursor;
    c->next = cursor + 1;
    c->known = cursor + 1;
    while (reader_left(&r) > 0) {
        uint64_t offset = reader_varint(&r);
        uint64_t count = reader_varint(&r);
        if (!reader_ok(&r) || offset == 0 || offset >= CHANNEL_WINDOW_MAX || count == 0 ||
            count > CHANNEL_WINDOW_MAX - offset)
            return -ERR_CORRUPT;
        for (uint64_t i = 0; i < count; i++) {
            if (*channel_slot(c, cursor + offset + i) != NULL)
                return -ERR_CORRUPT;
            channel_add(c, cursor + offset + i)->state = ITEM_ACKED;
        }
    }
    return 0;
}
