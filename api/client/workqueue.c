/*
 * The work queue (see workqueue.h). One struct item per known key carries all the key's states; an
 * item with no state left is freed, so memory follows the work, not the cluster.
 */
#include "api/client/workqueue.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/list.h"
#include "base/map.h"

#define NOT_DELAYED SIZE_MAX

struct item {
    struct list node; /* in workqueue.queue while queued */
    struct str key;
    bool queued;
    bool dirty;
    bool processing;
    uint32_t failures;
    uint64_t queued_at_ms;
    uint64_t due_ms;   /* when delayed */
    size_t heap_index; /* NOT_DELAYED, or its place in workqueue.heap */
    uint64_t sequence; /* breaks ties between equal due times, first come first */
};

struct workqueue {
    struct workqueue_config config;
    char *name;
    struct map items;
    struct list queue;
    struct item **heap; /* by (due_ms, sequence) */
    size_t heap_count;
    size_t heap_capacity;
    size_t depth;
    size_t processing;
    uint64_t sequence;
    struct env_timer timer;
    struct env_msg ready_msg;
    bool ready_posted;
    bool freed; /* waiting for ready_msg to come back */
    uint64_t added, completed, retried, dropped;
    uint64_t sampled_at_ms;
};

static uint64_t now_ms(const struct workqueue *q)
{
    return env_loop_now_ms(q->config.loop);
}

/* ---- the heap of delayed items ---- */

static bool heap_before(const struct item *a, const struct item *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->sequence < b->sequence;
}

static void heap_set(struct workqueue *q, size_t at, struct item *it)
{
    q->heap[at] = it;
    it->heap_index = at;
}

static void heap_up(struct workqueue *q, size_t at)
{
    struct item *it = q->heap[at];

    while (at > 0 && heap_before(it, q->heap[(at - 1) / 2])) {
        heap_set(q, at, q->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_set(q, at, it);
}

static void heap_down(struct workqueue *q, size_t at)
{
    struct item *it = q->heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= q->heap_count)
            break;
        if (child + 1 < q->heap_count && heap_before(q->heap[child + 1], q->heap[child]))
            child++;
        if (!heap_before(q->heap[child], it))
            break;
        heap_set(q, at, q->heap[child]);
        at = child;
    }
    heap_set(q, at, it);
}

static void heap_insert(struct workqueue *q, struct item *it)
{
    if (q->heap_count == q->heap_capacity) {
        q->heap_capacity = q->heap_capacity ? 2 * q->heap_capacity : 64;
        q->heap = mem_realloc(q->heap, q->heap_capacity * sizeof(struct item *));
    }
    heap_set(q, q->heap_count++, it);
    heap_up(q, it->heap_index);
}

static void heap_remove(struct workqueue *q, struct item *it)
{
    size_t at = it->heap_index;
    struct item *last = q->heap[--q->heap_count];

    it->heap_index = NOT_DELAYED;
    if (last == it)
        return;
    heap_set(q, at, last);
    heap_up(q, at);
    heap_down(q, last->heap_index);
}

/* ---- items ---- */

static struct item *item_find(const struct workqueue *q, struct str key)
{
    return map_get(&q->items, key);
}

static struct item *item_of(struct workqueue *q, struct str key)
{
    struct item *it = item_find(q, key);

    ASSERT(key.len <= WORKQUEUE_KEY_BYTES_MAX);
    if (it != NULL)
        return it;
    if (map_count(&q->items) >= WORKQUEUE_KEYS_MAX) {
        q->dropped++;
        return NULL;
    }
    it = mem_alloc(sizeof(*it));
    it->key = str_of(mem_dup(key.data, key.len), key.len);
    it->heap_index = NOT_DELAYED;
    list_init(&it->node);
    (void)map_put(&q->items, it->key, it); /* the key is new: nothing to replace */
    return it;
}

static void item_free(struct item *it)
{
    mem_free((char *)(uintptr_t)it->key.data);
    mem_free(it);
}

static void item_release(struct workqueue *q, struct item *it)
{
    if (it->dirty || it->processing || it->failures > 0 || it->heap_index != NOT_DELAYED)
        return;
    (void)map_remove(&q->items, it->key); /* known to be there */
    item_free(it);
}

static void workqueue_destroy(struct workqueue *q)
{
    mem_free(q->heap);
    mem_free(q->name);
    mem_free(q);
}

static void on_ready(struct env_msg *m)
{
    struct workqueue *q = container_of(m, struct workqueue, ready_msg);

    q->ready_posted = false;
    if (q->freed)
        workqueue_destroy(q);
    else if (q->depth > 0)
        q->config.ready(q->config.ctx);
}

void workqueue_kick(struct workqueue *q)
{
    if (q->depth == 0 || q->ready_posted || q->config.ready == NULL)
        return;
    q->ready_posted = true;
    env_post(q->config.loop, &q->ready_msg, on_ready);
}

static void enqueue(struct workqueue *q, struct item *it)
{
    ASSERT(it->dirty && !it->processing && !it->queued);
    it->queued = true;
    it->queued_at_ms = now_ms(q);
    list_append(&q->queue, &it->node);
    q->depth++;
    workqueue_kick(q);
}

static void add_item(struct workqueue *q, struct item *it)
{
    if (it->dirty)
        return;
    it->dirty = true;
    q->added++;
    if (!it->processing)
        enqueue(q, it);
}

static void arm_timer(struct workqueue *q)
{
    uint64_t now = now_ms(q);

    if (q->heap_count == 0)
        env_timer_stop(&q->timer);
    else
        env_timer_start(&q->timer, q->heap[0]->due_ms > now ? q->heap[0]->due_ms - now : 0);
}

static void on_timer(struct env_timer *t)
{
    struct workqueue *q = container_of(t, struct workqueue, timer);

    while (q->heap_count > 0 && q->heap[0]->due_ms <= now_ms(q)) {
        struct item *it = q->heap[0];

        heap_remove(q, it);
        add_item(q, it);
    }
    arm_timer(q);
}

/* ---- public ---- */

struct workqueue *workqueue_new(const struct workqueue_config *config)
{
    struct workqueue *q = mem_alloc(sizeof(*q));

    ASSERT(config->loop != NULL);
    q->config = *config;
    q->name = mem_strdup(config->name);
    if (q->config.backoff_min_ms == 0)
        q->config.backoff_min_ms = WORKQUEUE_BACKOFF_MIN_MS;
    if (q->config.backoff_max_ms == 0)
        q->config.backoff_max_ms = WORKQUEUE_BACKOFF_MAX_MS;
    map_init(&q->items);
    list_init(&q->queue);
    env_timer_init(config->loop, &q->timer, on_timer);
    q->sampled_at_ms = now_ms(q);
    return q;
}

void workqueue_free(struct workqueue *q)
{
    if (q == NULL)
        return;
    map_foreach (it, &q->items)
        item_free(it.value);
    map_deinit(&q->items);
    env_timer_deinit(&q->timer);
    q->freed = true;
    if (!q->ready_posted)
        workqueue_destroy(q);
}

void workqueue_add(struct workqueue *q, struct str key)
{
    struct item *it = item_of(q, key);

    if (it != NULL)
        add_item(q, it);
}

void workqueue_add_after(struct workqueue *q, struct str key, uint64_t delay_ms)
{
    struct item *it = item_of(q, key);
    uint64_t due = now_ms(q) + delay_ms;

    if (it == NULL)
        return;
    if (delay_ms == 0) {
        add_item(q, it);
        return;
    }
    if (it->heap_index != NOT_DELAYED) {
        if (it->due_ms <= due)
            return;
        heap_remove(q, it);
    }
    it->due_ms = due;
    it->sequence = ++q->sequence;
    heap_insert(q, it);
    if (q->heap[0] == it)
        arm_timer(q);
}

void workqueue_add_limited(struct workqueue *q, struct str key)
{
    struct item *it = item_of(q, key);
    uint64_t delay = q->config.backoff_min_ms;

    if (it == NULL)
        return;
    for (uint32_t i = 0; i < it->failures && delay < q->config.backoff_max_ms; i++)
        delay *= 2;
    if (delay > q->config.backoff_max_ms)
        delay = q->config.backoff_max_ms;
    it->failures++;
    q->retried++;
    workqueue_add_after(q, key, delay);
}

void workqueue_forget(struct workqueue *q, struct str key)
{
    struct item *it = item_find(q, key);

    if (it == NULL)
        return;
    it->failures = 0;
    item_release(q, it);
}

uint32_t workqueue_failures(const struct workqueue *q, struct str key)
{
    const struct item *it = item_find(q, key);

    return it != NULL ? it->failures : 0;
}

bool workqueue_get(struct workqueue *q, struct str *out_key)
{
    struct list *node = list_pop(&q->queue);
    struct item *it;

    if (node == NULL)
        return false;
    it = container_of(node, struct item, node);
    ASSERT(it->dirty && !it->processing && it->queued);
    it->queued = false;
    it->dirty = false;
    it->processing = true;
    q->depth--;
    q->processing++;
    *out_key = it->key;
    return true;
}

void workqueue_done(struct workqueue *q, struct str key)
{
    struct item *it = item_find(q, key);

    ASSERT(it != NULL && it->processing);
    it->processing = false;
    q->processing--;
    q->completed++;
    if (it->dirty)
        enqueue(q, it);
    else
        item_release(q, it);
}

void workqueue_peek(const struct workqueue *q, struct workqueue_sample *out)
{
    uint64_t now = now_ms(q);

    *out = (struct workqueue_sample){ .name = q->name,
                                      .depth = q->depth,
                                      .processing = q->processing,
                                      .delayed = q->heap_count,
                                      .added = q->added,
                                      .completed = q->completed,
                                      .retried = q->retried,
                                      .dropped = q->dropped,
                                      .interval_ms = now - q->sampled_at_ms };
    if (!list_empty(&q->queue))
        out->oldest_ms = now - container_of(q->queue.next, struct item, node)->queued_at_ms;
}

void workqueue_sample(struct workqueue *q, struct workqueue_sample *out)
{
    workqueue_peek(q, out);
    q->added = q->completed = q->retried = 0;
    q->sampled_at_ms = now_ms(q);
}
