/*
 * The watch ring: the changes of recent commits, in memory, bounded in bytes.
 *
 * The applier stages each change while it applies, and after the commit publishes them as one
 * immutable chunk. Readers on any thread walk chunks without a lock and without copying. The oldest
 * chunks leave when the ring is over its bounds; a chunk's memory goes when no reader that could
 * have seen it is left: readers count themselves in one of two counters, and a chunk is freed
 * once each of the two has been seen at zero after the chunk was unlinked.
 */
#ifndef STORE_RING_H
#define STORE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/mvcc.h"
#include "store/store.h"

#define RING_BYTES_MAX  (16u << 20)
#define RING_CHUNKS_MAX (32u << 10) /* a power of two */

struct ring;

/* The ring holds every change after floor. */
struct ring *ring_new(size_t bytes_max, uint64_t floor);
void ring_free(struct ring *r); /* no reader is left */

/* The applier only. old: NULL when there was none. Copies. */
void ring_stage(struct ring *r, const struct version *now, const struct version *old);
void ring_publish(struct ring *r); /* after the commit, before the revision is published */
/* Lets go of everything: the next change is after floor, which is at least the newest revision
 * held. The applier, before a revision above is published: who is behind finds nothing here. */
void ring_reset(struct ring *r, uint64_t floor);

/*
 * Visits events with revision in (after, upto], as store_events. upto is at most the published
 * revision. false: the ring no longer holds what follows `after` (nothing was visited). Any thread.
 */
bool ring_events(struct ring *r, uint64_t after, uint64_t upto,
                 bool (*visit)(void *ctx, const struct store_event *event), void *ctx,
                 uint64_t *out_last);
size_t ring_bytes(const struct ring *r); /* the applier */
size_t ring_count(const struct ring *r); /* events held: the applier */
/* Chunks that left the ring and are kept for readers: the applier; O(n), for tests. */
size_t ring_unlinked(const struct ring *r);

#endif
