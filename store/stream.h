/*
 * Plain rows and streams: what the bus stands on. No revisions, no history, no watch.
 *
 * A stream is {first, last, running hash of all it ever held} and its rows (stream, sequence) ->
 * value. Trimming moves `first` at once; rows below it go later, in the background. A producer
 * has one row per stream: its newest sequence and the stream's sequence that got.
 */
#ifndef STORE_STREAM_H
#define STORE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "store/kv.h"
#include "store/store.h"
#include "store/timers.h"

/* A producer's timer is moved on only by so much: not with every append. */
#define STREAM_PRODUCER_STEP_MS (60u * 60 * 1000)

struct stream_state {
    uint64_t first; /* 1 for a new stream */
    uint64_t last;  /* 0: nothing was ever appended */
    uint64_t hash;
};

bool stream_get(struct kv_txn *t, struct str stream, struct stream_state *out);
/* Is an APPEND a producer's duplicate? Then the sequence of the first time, 0: no longer known. */
bool stream_seen(struct kv_txn *t, const struct store_op *op, uint64_t *out_sequence);
/* Each adds to *digest what it changes. *out_appended: false for a producer's duplicate. */
uint64_t stream_append(struct kv_txn *t, const struct store_op *op, uint64_t *digest,
                       bool *out_appended);
/* After an APPEND that added a row: the producer's row is forgotten at op->expires_ms, give or take
 * the step, unless it appends again. */
void stream_producer_expires(struct kv_txn *t, const struct store_op *op, struct timers *timers,
                             uint64_t *digest);
void stream_forget_producer(struct kv_txn *t, struct str key, uint64_t *digest);
void stream_trim(struct kv_txn *t, const struct store_op *op, uint64_t *digest);
void row_put(struct kv_txn *t, struct str key, struct str value, uint64_t *digest);
void row_delete(struct kv_txn *t, struct str key, uint64_t *digest);
/* Removes at most rows rows that lie below their stream's first; returns how many. */
size_t stream_forget(struct kv_txn *t, size_t rows);

#endif
