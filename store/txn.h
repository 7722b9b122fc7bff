/*
 * Transactions and entries as bytes.
 *
 * An entry is what Raft replicates: a header {format, feature level, proposer's term}, then N
 * framed transactions (group commit), zero-padded to a multiple of 8 (libraft loses what is not).
 * Integers are little endian or varints; there are no pointers, no alignment and no optional
 * order: one transaction has exactly one encoding. Decoding is strict, bounded by the constants of
 * store.h and total: any bytes give a transaction or -ERR_CORRUPT, never a crash. An operation's
 * fields are those its type uses; the others are not encoded and decode as zero. A put or append
 * that expires has a type of its own in bytes, so that those that do not are as they always were.
 *
 *     entry  = u8 format, le32 level, le64 term, le32 count, count * (le32 length, txn), padding
 */
#ifndef STORE_TXN_H
#define STORE_TXN_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

struct arena;

#define ENTRY_FORMAT 1
/* The highest level this build can apply; a member that meets a higher one stops. A new cluster
 * starts at the first, and rises by an entry once every member reported that it can follow.
 * 2: alarms, timers (STORE_OP_ALARM, TIMER, TICK, and PUT with expires_ms).
 * 3: writes for the leader go over links (writes.h).
 * 4: versions of a key have skip links (mvcc.h). */
#define STORE_FEATURE_LEVEL       4
#define STORE_LEVEL_WRITES        3
#define STORE_LEVEL_SKIPS         4
#define STORE_FEATURE_LEVEL_FIRST 1

#define TXN_GUARDS_MAX            64
#define TXN_TERMS_MAX             64 /* of one put */
#define TXN_CHARGES_MAX           16 /* of one put */
#define TXN_REQUEST_ID_BYTES_MAX  64
#define TXN_PRODUCER_BYTES_MAX    64
#define TXN_COUNTER_BYTES_MAX     300
#define ENTRY_TXNS_MAX            4096
/* What one entry may hold however it came: the gathering limit plus one largest transaction. */
#define ENTRY_BYTES_MAX (4u << 20)

/* Checks txn against every limit and appends its encoding; b is as it was on failure.
 * -ERR_TOO_LARGE above STORE_TXN_BYTES_MAX, -ERR_INVALID_ARGUMENT for anything else. */
int txn_encode(const struct store_txn *txn, struct buf *b, struct err *e);
/* The feature level that must be the state's before this may be proposed. */
uint32_t txn_level(const struct store_txn *txn);
/* Whether it makes a feature level the state's that is above this one: no member could follow. */
bool txn_raises_above(const struct store_txn *txn, uint32_t level);
/* Arrays live in the arena, strings in bytes. -ERR_CORRUPT. */
int txn_decode(struct str bytes, struct arena *a, struct store_txn *out, struct err *e);

/* What an entry of so many transactions takes at most. */
size_t entry_bytes(size_t count, size_t txns_bytes);
/* Building an entry: begin, add each encoded transaction, end (patches count, pads to 8). */
void entry_begin(struct buf *b, uint32_t level, uint64_t term);
void entry_add(struct buf *b, struct str txn);
void entry_end(struct buf *b, uint32_t count);

struct entry {
    uint8_t format;
    uint32_t level;
    uint64_t term;
    uint32_t count;
    struct str txns; /* the frames, already checked: entry_next cannot fail on them */
};

/* Header and framing; the transactions inside are not decoded yet. -ERR_CORRUPT. An unknown format
 * gives -ERR_UNIMPLEMENTED: the member must be upgraded. */
int entry_decode(struct str bytes, struct entry *out, struct err *e);
/* The next frame, taken off entry->txns; false at the end. */
bool entry_next(struct entry *entry, struct str *out_txn);

#endif
