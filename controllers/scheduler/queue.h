/*
 * Pods that wait for a node: three places, as upstream.
 *
 *   active:        highest priority first, then first come; popped for a decision
 *   back-off:      tried not long ago; back to active when QUEUE_BACKOFF_MIN_MS doubled per attempt
 * (up to the maximum) have passed since the attempt unschedulable: no node fits; stays until an
 * event that can help (a bit of enum reason that it failed for) or QUEUE_FLUSH_MS
 *
 * An event that comes while a pod is being tried counts for it too: the attempt may not have seen
 * it. The clock is a parameter: no timers here. Entries are embedded and belong to the caller.
 */
#ifndef CONTROLLERS_SCHEDULER_QUEUE_H
#define CONTROLLERS_SCHEDULER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

#define QUEUE_BACKOFF_MIN_MS 1000
#define QUEUE_BACKOFF_MAX_MS 10000
#define QUEUE_FLUSH_MS       300000

enum queue_place {
    QUEUE_OUT, /* not in the queue */
    QUEUE_ACTIVE,
    QUEUE_BACKOFF,
    QUEUE_UNSCHEDULABLE,
    QUEUE_TRYING /* popped, not yet settled */
};

struct queue_entry {
    enum queue_place place;
    size_t heap_index;
    struct list node; /* in unschedulable */
    int32_t priority;
    uint64_t sequence; /* of the first arrival: keeps its turn among equals */
    uint32_t attempts;
    uint64_t added_ms;   /* first arrival */
    uint64_t tried_ms;   /* last attempt */
    uint64_t due_ms;     /* in back-off */
    uint32_t mask;       /* reasons of the last failure */
    uint64_t move_cycle; /* of the queue, when popped */
};

struct queue_heap {
    struct queue_entry **items;
    size_t count;
    size_t capacity;
    bool (*before)(const struct queue_entry *a, const struct queue_entry *b);
};

struct queue {
    struct queue_heap active;
    struct queue_heap backoff;
    struct list unschedulable;
    size_t unschedulable_count;
    uint64_t sequence;
    uint64_t move_cycle; /* grows with each event */
    uint64_t moved[32];  /* cycle of the last event that helps reason i */
};

void queue_init(struct queue *q);
void queue_deinit(struct queue *q); /* entries are the caller's */

/* A new pod, or one whose change may help (its own update). Not while TRYING. */
void queue_add(struct queue *q, struct queue_entry *e, int32_t priority, uint64_t now_ms);
void queue_remove(struct queue *q, struct queue_entry *e);
/* The next to try (place TRYING), or NULL. */
struct queue_entry *queue_pop(struct queue *q, uint64_t now_ms);
/* No node fits, for these reasons. */
void queue_unschedulable(struct queue *q, struct queue_entry *e, uint32_t mask, uint64_t now_ms);
/* The attempt failed otherwise (binding refused): tried again after its back-off. */
void queue_failed(struct queue *q, struct queue_entry *e, uint64_t now_ms);
/* It has a node, or is gone. */
void queue_settled(struct queue_entry *e);

/* Something happened that can help pods which failed for these reasons. */
void queue_event(struct queue *q, uint32_t mask, uint64_t now_ms);
/* Moves what is due; returns when to call again (absolute), UINT64_MAX: nothing waits. */
uint64_t queue_tick(struct queue *q, uint64_t now_ms);

uint64_t queue_backoff_ms(uint32_t attempts);

#endif
