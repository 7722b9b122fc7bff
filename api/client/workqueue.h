/*
 * Work queue of keys, with client-go's three sets.
 *
 *   queue:      keys to hand out, in order of arrival
 *   dirty:      keys that need work (everything in queue, and what was added while processing)
 *   processing: keys handed out and not yet done
 * Invariant: every key in queue is dirty and not processing. So a key is never processed twice at
 * the same time, and adding it many times before it is handed out processes it once.
 *
 * On top: delayed adds (one timer; the earliest time wins), and per-key exponential back-off
 * (WORKQUEUE_BACKOFF_MIN_MS doubled up to the maximum) until workqueue_forget.
 *
 * One loop's thread. `ready` runs on a later turn, once, after the queue went from empty to not.
 */
#ifndef API_CLIENT_WORKQUEUE_H
#define API_CLIENT_WORKQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/str.h"

struct workqueue;

#define WORKQUEUE_BACKOFF_MIN_MS 5
#define WORKQUEUE_BACKOFF_MAX_MS 60000
/* Keys are "namespace/name" or any other text up to this. */
#define WORKQUEUE_KEY_BYTES_MAX 600
/* A queue's keys are objects of the cluster; beyond this many adds are dropped and counted. */
#define WORKQUEUE_KEYS_MAX (1u << 20)

struct workqueue_config {
    struct env_loop *loop;
    const char *name;
    uint64_t backoff_min_ms; /* 0: the default */
    uint64_t backoff_max_ms; /* 0: the default */
    void (*ready)(void *ctx);
    void *ctx;
};

struct workqueue *workqueue_new(const struct workqueue_config *config);
void workqueue_free(struct workqueue *q);

void workqueue_add(struct workqueue *q, struct str key);
void workqueue_add_after(struct workqueue *q, struct str key, uint64_t delay_ms);
/* Adds after the key's back-off, and doubles it. */
void workqueue_add_limited(struct workqueue *q, struct str key);
/* Resets the key's back-off. */
void workqueue_forget(struct workqueue *q, struct str key);
uint32_t workqueue_failures(const struct workqueue *q, struct str key);

/* Hands out the next key (borrowed until workqueue_done), or false. */
bool workqueue_get(struct workqueue *q, struct str *out_key);
/* Calls ready on a later turn if keys are queued: for a consumer that had left some. */
void workqueue_kick(struct workqueue *q);
/* Ends the processing of a key handed out; if it became dirty meanwhile it is queued again. */
void workqueue_done(struct workqueue *q, struct str key);

/* Figures since the last sample (cluster.queue): depth and age now, rates over the interval. */
struct workqueue_sample {
    const char *name;
    uint64_t depth;      /* queued */
    uint64_t processing; /* handed out */
    uint64_t delayed;    /* waiting for their time */
    uint64_t oldest_ms;  /* age of the oldest queued key */
    uint64_t added;      /* since the last sample */
    uint64_t completed;  /* since the last sample */
    uint64_t retried;    /* workqueue_add_limited since the last sample */
    uint64_t dropped;    /* since start */
    uint64_t interval_ms;
};
void workqueue_sample(struct workqueue *q, struct workqueue_sample *out);
/* The same without starting a new interval. */
void workqueue_peek(const struct workqueue *q, struct workqueue_sample *out);

#endif
