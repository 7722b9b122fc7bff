/* The scheduling queue (see queue.h). */
#include "controllers/scheduler/queue.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

/* ---- heaps ---- */

static bool by_priority(const struct queue_entry *a, const struct queue_entry *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->sequence < b->sequence;
}

static bool by_due(const struct queue_entry *a, const struct queue_entry *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->sequence < b->sequence;
}

static void heap_set(struct queue_heap *h, size_t at, struct queue_entry *e)
{
    h->items[at] = e;
    e->heap_index = at;
}

static void heap_up(struct queue_heap *h, size_t at)
{
    struct queue_entry *e = h->items[at];

    while (at > 0 && h->before(e, h->items[(at - 1) / 2])) {
        heap_set(h, at, h->items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_set(h, at, e);
}

static void heap_down(struct queue_heap *h, size_t at)
{
    struct queue_entry *e = h->items[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= h->count)
            break;
        if (child + 1 < h->count && h->before(h->items[child + 1], h->items[child]))
            child++;
        if (!h->before(h->items[child], e))
            break;
        heap_set(h, at, h->items[child]);
        at = child;
    }
    heap_set(h, at, e);
}

static void heap_insert(struct queue_heap *h, struct queue_entry *e)
{
    if (h->count == h->capacity) {
        h->capacity = h->capacity ? 2 * h->capacity : 64;
        h->items = mem_realloc(h->items, h->capacity * sizeof(struct queue_entry *));
    }
    heap_set(h, h->count++, e);
    heap_up(h, e->heap_index);
}

static void heap_remove(struct queue_heap *h, struct queue_entry *e)
{
    size_t at = e->heap_index;
    struct queue_entry *last = h->items[--h->count];

    ASSERT(at <= h->count);
    if (last == e)
        return;
    heap_set(h, at, last);
    heap_up(h, at);
    heap_down(h, last->heap_index);
}

/* ---- places ---- */

static void leave(struct queue *q, struct queue_entry *e)
{
    if (e->place == QUEUE_ACTIVE)
        heap_remove(&q->active, e);
    if (e->place == QUEUE_BACKOFF)
        heap_remove(&q->backoff, e);
    if (e->place == QUEUE_UNSCHEDULABLE) {
        list_remove(&e->node);
        q->unschedulable_count--;
    }
    e->place = QUEUE_OUT;
}

static void enter_active(struct queue *q, struct queue_entry *e)
{
    e->place = QUEUE_ACTIVE;
    heap_insert(&q->active, e);
}

/* To active, or to back-off when its time has not come. */
static void enter_ready(struct queue *q, struct queue_entry *e, uint64_t now_ms)
{
    uint64_t due = e->tried_ms + queue_backoff_ms(e->attempts);

    if (e->attempts == 0 || due <= now_ms) {
        enter_active(q, e);
        return;
    }
    e->due_ms = due;
    e->place = QUEUE_BACKOFF;
    heap_insert(&q->backoff, e);
}

uint64_t queue_backoff_ms(uint32_t attempts)
{
    uint64_t delay = QUEUE_BACKOFF_MIN_MS;

    for (uint32_t i = 1; i < attempts && delay < QUEUE_BACKOFF_MAX_MS; i++)
        delay *= 2;
    return delay < QUEUE_BACKOFF_MAX_MS ? delay : QUEUE_BACKOFF_MAX_MS;
}

void queue_init(struct queue *q)
{
    *q = (struct queue){ .active.before = by_priority, .backoff.before = by_due };
    list_init(&q->unschedulable);
}

void queue_deinit(struct queue *q)
{
    mem_free(q->active.items);
    mem_free(q->backoff.items);
}

void queue_add(struct queue *q, struct queue_entry *e, int32_t priority, uint64_t now_ms)
{
    ASSERT(e->place != QUEUE_TRYING);
    leave(q, e);
    e->priority = priority;
    if (e->sequence == 0) {
        list_init(&e->node);
        e->sequence = ++q->sequence;
        e->added_ms = now_ms;
    }
    enter_ready(q, e, now_ms);
}

void queue_remove(struct queue *q, struct queue_entry *e)
{
    leave(q, e);
}

struct queue_entry *queue_pop(struct queue *q, uint64_t now_ms)
{
    struct queue_entry *e;

    if (q->active.count == 0)
        return NULL;
    e = q->active.items[0];
    heap_remove(&q->active, e);
    e->place = QUEUE_TRYING;
    e->attempts++;
    e->tried_ms = now_ms;
    e->move_cycle = q->move_cycle;
    return e;
}

/* Did an event that helps one of these reasons come since the pod was popped? */
static bool moved_since(const struct queue *q, const struct queue_entry *e, uint32_t mask)
{
    for (int i = 0; i < 32; i++)
        if ((mask & 1u << i) != 0 && q->moved[i] > e->move_cycle)
            return true;
    return false;
}

void queue_unschedulable(struct queue *q, struct queue_entry *e, uint32_t mask, uint64_t now_ms)
{
    ASSERT(e->place == QUEUE_TRYING);
    e->mask = mask;
    if (moved_since(q, e, mask)) {
        enter_ready(q, e, now_ms);
        return;
    }
    e->place = QUEUE_UNSCHEDULABLE;
    list_append(&q->unschedulable, &e->node);
    q->unschedulable_count++;
}

void queue_failed(struct queue *q, struct queue_entry *e, uint64_t now_ms)
{
    ASSERT(e->place == QUEUE_TRYING);
    enter_ready(q, e, now_ms);
}

void queue_settled(struct queue_entry *e)
{
    ASSERT(e->place == QUEUE_TRYING);
    e->place = QUEUE_OUT;
}

void queue_event(struct queue *q, uint32_t mask, uint64_t now_ms)
{
    q->move_cycle++;
    for (int i = 0; i < 32; i++)
        if ((mask & 1u << i) != 0)
            q->moved[i] = q->move_cycle;
    list_foreach_safe (node, &q->unschedulable) {
        struct queue_entry *e = container_of(node, struct queue_entry, node);

        if ((e->mask & mask) == 0)
            continue;
        leave(q, e);
        enter_ready(q, e, now_ms);
    }
}

uint64_t queue_tick(struct queue *q, uint64_t now_ms)
{
    uint64_t next = UINT64_MAX;

    while (q->backoff.count > 0 && q->backoff.items[0]->due_ms <= now_ms) {
        struct queue_entry *e = q->backoff.items[0];

        leave(q, e);
        enter_active(q, e);
    }
    if (q->backoff.count > 0)
        next = q->backoff.items[0]->due_ms;
    /* First in the list was tried first. */
    while (!list_empty(&q->unschedulable)) {
        struct queue_entry *e = container_of(q->unschedulable.next, struct queue_entry, node);

        if (e->tried_ms + QUEUE_FLUSH_MS > now_ms) {
            if (e->tried_ms + QUEUE_FLUSH_MS < next)
                next = e->tried_ms + QUEUE_FLUSH_MS;
            break;
        }
        leave(q, e);
        enter_ready(q, e, now_ms);
    }
    return next;
}
