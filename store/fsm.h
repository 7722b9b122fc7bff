/*
 * The state machine: one committed entry applied to an open kv write transaction.
 *
 * Deterministic and total: no clock, no randomness, no pointers, no errno; it computes nothing from
 * a value. For each transaction of the entry: fence, guards in order, then operations in order,
 * which cannot fail. Each transaction that writes a version takes the next revision; one that only
 * changes limits, plain rows or streams takes none. Errors are results, never return codes; an
 * entry that cannot be applied at all halts the member and leaves the transaction untouched.
 *
 * The digest is a running sum of row hashes (mvcc.h), moved with every change.
 */
#ifndef STORE_FSM_H
#define STORE_FSM_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "store/compact.h"
#include "store/group.h"
#include "store/kv.h"

struct ring;

/* How far back a CHECK may look: digests of the last entries, in memory. */
#define FSM_DIGESTS_MAX 4096
/* How many versions back a retry looks for its own request id. */
#define FSM_REPLAY_STEPS_MAX 4096

struct fsm_digest {
    uint64_t index;
    uint64_t digest;
};

struct fsm {
    struct point point; /* what fsm_save writes: the open transaction's own */
    struct compact compact;
    struct ring *ring;  /* changes are staged here; NULL: nobody watches */
    bool appended;      /* a stream grew; whoever publishes clears it */
    struct arena arena; /* of one entry's decoding */
    struct buf row;     /* scratch of changes */
    struct buf saved;
    struct fsm_digest digests[FSM_DIGESTS_MAX];
};

/* What became of one command; on the caller's thread. */
typedef void fsm_answer_fn(void *ctx, size_t command, const struct store_result *result);

/* Reads the saved point: a new kv gives zeros. -ERR_CORRUPT; -ERR_UNIMPLEMENTED for a feature
 * level of a newer build. */
int fsm_init(struct fsm *f, struct kv *kv, struct err *e);
void fsm_deinit(struct fsm *f);
/* Applies the entry; *out_commands is the number it held. 0, or the halt reason with its message;
 * then nothing of the entry was applied. answer may be NULL. */
enum group_halt fsm_apply(struct fsm *f, struct kv_txn *t, uint64_t index, struct str bytes,
                          fsm_answer_fn *answer, void *ctx, size_t *out_commands, struct err *e);
/* Writes the point; call before commit. */
void fsm_save(struct fsm *f, struct kv_txn *t);
/* The point a transaction sees: zeros in a new kv. */
int fsm_load_point(struct kv_txn *t, struct point *out, struct err *e);
/* The digest counted anew from every row: tests and simulation. */
uint64_t fsm_digest_full(struct kv_txn *t);

#endif
