/*
 * Forgetting: history below a revision, and trimmed stream rows.
 *
 * COMPACT moves a mark at once, on every member at the same entry; from then on nothing below is
 * served and a tombstone at or below it counts as absent. The rows themselves go later, in the
 * background, at each member's own pace, by walking rev from where the walk last stopped up to the
 * mark: the predecessor of a row at or below the mark can no longer be read, and a tombstone there
 * neither; so each row is visited once per mark. A mark has a key prefix: the empty one for every
 * key, others for keys with a shorter window (leases, events).
 *
 * Predecessors lie anywhere in rev: taken away as they are met, each costs a page of its own to
 * copy and write. So they are gathered in batches, and a batch goes in order of rev: neighbours
 * share a page, and a row goes after all that its back links lead to. Stored is only where the last
 * whole batch ended. After a restart the walk starts over from there and finds whatever is left of
 * the batch, as what it finds it by has not gone before it.
 */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "store/kv.h"
#include "store/mvcc.h"
#include "store/store.h"

#define COMPACT_STEP_ROWS  1000
#define COMPACT_BATCH_ROWS 65536 /* walked; at most two places for each are kept meanwhile */
#define COMPACT_MARKS_MAX  (STORE_SHORT_PREFIXES_MAX + 1)

struct compact_mark {
    char prefix[STORE_KEY_BYTES_MAX];
    size_t prefix_bytes;
    uint64_t revision; /* history below is not served */
    uint64_t done;     /* rows at or below have been walked, and what they led to is gone */
    struct place at;   /* rows up to here have been walked. Not stored */
};

struct compact {
    struct compact_mark marks[COMPACT_MARKS_MAX]; /* the first is for every key */
    size_t count;
    bool trims; /* some stream may have rows below its first */
    /* The batch. */
    struct compact_mark *walking; /* whose it is; NULL: none is begun */
    bool removing;                /* the walk is over, its rows go */
    size_t walked;
    size_t batch_rows;  /* COMPACT_BATCH_ROWS */
    struct place *dead; /* owned: a heap, the smallest first */
    size_t dead_count;
    size_t dead_max;
};

/* Allocates nothing: compact_step does. Overwrites *c, which is not moved afterwards. */
void compact_load(struct compact *c, struct kv_txn *t);
/* What a step left allocated. */
void compact_deinit(struct compact *c);
/* The COMPACT operation: marks only rise; a prefix beyond COMPACT_MARKS_MAX is ignored. */
void compact_set(struct compact *c, struct kv_txn *t, struct str prefix, uint64_t revision);
/* Below this revision history of key is gone. */
uint64_t compact_of_key(const struct compact *c, struct str key);
/* Below this revision some history of keys that start with prefix is gone. */
uint64_t compact_of_prefix(const struct compact *c, struct str prefix);
/* Is there background work? */
bool compact_pending(const struct compact *c);
/* Revisions that marks passed and whose batches are not over: 0 when nothing waits. */
uint64_t compact_backlog(const struct compact *c);
/* Walks and removes at most rows rows together; returns how many. */
size_t compact_step(struct compact *c, struct kv_txn *t, size_t rows);

#endif
