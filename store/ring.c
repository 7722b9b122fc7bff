/*
 * The ring is an array of chunk pointers between two ever-growing counts, tail and head. Only the
 * applier stores; readers load. The atomics here are the reference count of readers and the
 * published ends of the ring.
 */
#include "store/ring.h"

#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/list.h"

struct chunk {
    uint64_t sequence; /* its place in the ring: the value of head when it was added */
    uint64_t first;    /* revisions */
    uint64_t last;
    size_t bytes;
    struct list retired;
    uint8_t *data; /* what was staged: keys, values and terms of the events */
    size_t count;
    struct store_event *events; /* in the same block, as are their terms */
};

/* A staged change: slices are offsets into the staging buffer until the chunk is built. */
struct staged {
    struct store_event event;
    size_t key_at;
    size_t value_at;
    size_t old_value_at;
    size_t terms_at;
    size_t terms_bytes;
    size_t old_terms_at;
    size_t old_terms_bytes;
};

struct ring {
    _Atomic(struct chunk *) *slots;
    _Atomic uint64_t tail; /* oldest chunk held */
    _Atomic uint64_t head; /* one past the newest */
    _Atomic uint64_t floor;
    _Atomic unsigned epoch;
    _Atomic uint64_t readers[2];

    /* The applier's. */
    size_t bytes;
    size_t count; /* events */
    size_t bytes_max;
    struct buf staging;
    struct staged *staged;
    size_t staged_count;
    size_t staged_capacity;
    size_t staged_terms;
    struct list retired; /* unlinked since the epoch last turned */
    struct list waiting; /* unlinked before: free when both counters were seen at zero */
    unsigned zero_seen;  /* bit per counter */
};

struct ring *ring_new(size_t bytes_max, uint64_t floor)
{
    struct ring *r = mem_alloc(sizeof *r);
    r->slots = mem_alloc(RING_CHUNKS_MAX * sizeof *r->slots);
    r->bytes_max = bytes_max > 0 ? bytes_max : RING_BYTES_MAX;
    atomic_store(&r->floor, floor);
    buf_init(&r->staging);
    list_init(&r->retired);
    list_init(&r->waiting);
    return r;
}

static struct chunk *slot_load(const struct ring *r, uint64_t sequence)
{
    return atomic_load(&r->slots[sequence % RING_CHUNKS_MAX]);
}

static void chunk_free(struct chunk *c)
{
    mem_free(c->data);
    mem_free(c);
}

static void free_list(struct list *chunks)
{
    for (struct list *n = list_pop(chunks); n != NULL; n = list_pop(chunks))
        chunk_free(container_of(n, struct chunk, retired));
}

void ring_free(struct ring *r)
{
    if (r == NULL)
        return;
    ASSERT(atomic_load(&r->readers[0]) == 0);
    ASSERT(atomic_load(&r->readers[1]) == 0);
    free_list(&r->retired);
    free_list(&r->waiting);
    for (uint64_t s = atomic_load(&r->tail); s < atomic_load(&r->head); s++)
        chunk_free(slot_load(r, s));
    buf_deinit(&r->staging);
    mem_free(r->staged);
    mem_free(r->slots);
    mem_free(r);
}

/* ---- writing ---- */

static size_t stage_bytes(struct ring *r, struct str s)
{
    size_t at = r->staging.len;
    buf_append_str(&r->staging, s);
    return at;
}

static size_t count_terms(struct str encoded)
{
    struct store_term term;
    size_t count = 0;
    while (version_term(&encoded, &term))
        count++;
    return count;
}

void ring_stage(struct ring *r, const struct version *now, const struct version *old)
{
    if (r->staged_count == r->staged_capacity) {
        r->staged_capacity = r->staged_capacity > 0 ? 2 * r->staged_capacity : 64;
        r->staged = mem_realloc(r->staged, r->staged_capacity * sizeof *r->staged);
    }
    struct staged *s = &r->staged[r->staged_count++];
    *s = (struct staged){ 0 };
    s->event.revision = now->v.revision;
    s->event.created = now->v.created;
    s->event.deleted = now->v.tombstone;
    s->event.key.len = now->v.key.len;
    s->event.value.len = now->v.value.len;
    s->key_at = stage_bytes(r, now->v.key);
    s->value_at = stage_bytes(r, now->v.value);
    s->terms_at = stage_bytes(r, now->terms);
    s->terms_bytes = now->terms.len;
    s->event.terms_count = count_terms(now->terms);
    if (old != NULL && !old->v.tombstone) {
        s->event.old_revision = old->v.revision;
        s->event.old_value.len = old->v.value.len;
        s->old_value_at = stage_bytes(r, old->v.value);
        s->old_terms_at = stage_bytes(r, old->terms);
        s->old_terms_bytes = old->terms.len;
        s->event.old_terms_count = count_terms(old->terms);
    }
    r->staged_terms += s->event.terms_count + s->event.old_terms_count;
}

static const struct store_term *build_terms(struct str encoded, struct store_term **at)
{
    const struct store_term *first = *at;
    while (version_term(&encoded, *at))
        (*at)++;
    return first;
}

/* The staged bytes, given away; the next transaction will stage about as many. */
static char *take_staged(struct ring *r, size_t *out_bytes)
{
    uint8_t *data = buf_take(&r->staging, out_bytes);
    buf_reserve(&r->staging, *out_bytes);
    return mem_realloc(data, *out_bytes);
}

/* One block for the chunk, its events and their terms; the staged bytes stay where they are. */
static struct chunk *build_chunk(struct ring *r)
{
    size_t events_bytes = r->staged_count * sizeof(struct store_event);
    size_t terms_bytes = r->staged_terms * sizeof(struct store_term);
    size_t data_bytes;
    char *data = take_staged(r, &data_bytes);
    struct chunk *c = mem_alloc_bytes(sizeof(struct chunk) + events_bytes + terms_bytes);
    *c = (struct chunk){ 0 };
    c->data = (uint8_t *)data;
    c->events = (struct store_event *)(c + 1);
    struct store_term *terms = (struct store_term *)(c->events + r->staged_count);
    for (size_t i = 0; i < r->staged_count; i++) {
        const struct staged *s = &r->staged[i];
        struct store_event *event = &c->events[i];
        *event = s->event;
        event->key.data = data + s->key_at;
        event->value.data = data + s->value_at;
        event->old_value.data = data + s->old_value_at;
        event->terms = build_terms(str_of(data + s->terms_at, s->terms_bytes), &terms);
        event->old_terms = build_terms(str_of(data + s->old_terms_at, s->old_terms_bytes), &terms);
        event->more = i + 1 < r->staged_count && r->staged[i + 1].event.revision == event->revision;
    }
    ASSERT(terms == (struct store_term *)(c->events + r->staged_count) + r->staged_terms);
    c->count = r->staged_count;
    c->first = c->events[0].revision;
    c->last = c->events[c->count - 1].revision;
    c->bytes = sizeof(struct chunk) + events_bytes + terms_bytes + data_bytes;
    return c;
}

static void evict_oldest(struct ring *r)
{
    uint64_t tail = atomic_load(&r->tail);
    struct chunk *c = slot_load(r, tail);
    atomic_store(&r->floor, c->last);
    atomic_store(&r->tail, tail + 1);
    r->bytes -= c->bytes;
    r->count -= c->count;
    list_append(&r->retired, &c->retired);
}

/* A reader that may hold a retired chunk entered before it was unlinked and is still counted.
 * However busy the readers are, this ends: the counter they take from now on is looked at while it
 * is still at zero from the time before, and the other loses its last. */
static void reclaim(struct ring *r)
{
    if (list_empty(&r->waiting)) {
        if (list_empty(&r->retired))
            return;
        list_foreach_safe (n, &r->retired) {
            list_remove(n);
            list_append(&r->waiting, n);
        }
        r->zero_seen = 0;
        atomic_fetch_add(&r->epoch, 1);
    }
    for (unsigned i = 0; i < 2; i++)
        if (atomic_load(&r->readers[i]) == 0)
            r->zero_seen |= 1u << i;
    if (r->zero_seen == 3)
        free_list(&r->waiting);
}

void ring_publish(struct ring *r)
{
    if (r->staged_count > 0) {
        struct chunk *c = build_chunk(r);
        uint64_t head = atomic_load(&r->head);
        while (
            head - atomic_load(&r->tail) > 0 &&
            (r->bytes + c->bytes > r->bytes_max || head - atomic_load(&r->tail) >= RING_CHUNKS_MAX))
            evict_oldest(r);
        c->sequence = head;
        r->bytes += c->bytes;
        r->count += c->count;
        atomic_store(&r->slots[head % RING_CHUNKS_MAX], c);
        atomic_store(&r->head, head + 1);
        r->staged_count = 0;
        r->staged_terms = 0;
    }
    reclaim(r);
}

void ring_reset(struct ring *r, uint64_t floor)
{
    ASSERT(r->staged_count == 0);
    while (atomic_load(&r->tail) < atomic_load(&r->head))
        evict_oldest(r);
    ASSERT(atomic_load(&r->floor) <= floor);
    atomic_store(&r->floor, floor);
    reclaim(r);
}

size_t ring_count(const struct ring *r)
{
    return r->count;
}

size_t ring_bytes(const struct ring *r)
{
    return r->bytes;
}

size_t ring_unlinked(const struct ring *r)
{
    return list_count(&r->retired) + list_count(&r->waiting);
}

/* ---- reading ---- */

/* Sequence of the first chunk with last > after. */
static uint64_t find_chunk(const struct ring *r, uint64_t tail, uint64_t head, uint64_t after)
{
    while (tail < head) {
        uint64_t middle = tail + (head - tail) / 2;
        if (slot_load(r, middle)->last > after)
            head = middle;
        else
            tail = middle + 1;
    }
    return tail;
}

struct walk {
    uint64_t after;
    uint64_t upto;
    bool (*visit)(void *ctx, const struct store_event *event);
    void *ctx;
    uint64_t last; /* whole revisions visited */
};

/* false: stop. */
static bool walk_chunk(struct walk *w, const struct chunk *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct store_event *event = &c->events[i];
        if (event->revision <= w->after)
            continue;
        if (event->revision > w->upto || !w->visit(w->ctx, event))
            return false;
        if (!event->more)
            w->last = event->revision;
    }
    return true;
}

static bool walk_ring(struct ring *r, struct walk *w)
{
    uint64_t head = atomic_load(&r->head);
    uint64_t tail = atomic_load(&r->tail);
    if (tail > head || w->after < atomic_load(&r->floor))
        return false;
    uint64_t at = find_chunk(r, tail, head, w->after);
    for (; at < head; at++) {
        const struct chunk *c = slot_load(r, at);
        /* The applier passed us by a whole turn: what follows is no longer here. */
        if (c->sequence != at)
            return w->last > w->after;
        if (!walk_chunk(w, c))
            return true;
    }
    w->last = w->last > w->upto ? w->last : w->upto;
    return true;
}

bool ring_events(struct ring *r, uint64_t after, uint64_t upto,
                 bool (*visit)(void *ctx, const struct store_event *event), void *ctx,
                 uint64_t *out_last)
{
    struct walk w = { .after = after, .upto = upto, .visit = visit, .ctx = ctx, .last = after };
    unsigned counter = atomic_load(&r->epoch) & 1;
    atomic_fetch_add(&r->readers[counter], 1);
    bool served = walk_ring(r, &w);
    atomic_fetch_sub(&r->readers[counter], 1);
    if (served)
        *out_last = w.last;
    return served;
}
