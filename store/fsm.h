/*
 * The state machine: one committed entry applied to an open kv write transaction.
 *
 * Deterministic and total: no clock, no randomness, no pointers, no errno; it computes nothing from
 * a value. For each transaction of the entry: fence, guards in order, then operations in order,
 * which cannot fail. Each transaction that writes a version takes the next revision; one that only
 * changes limits, plain rows or streams takes none. Errors are results, never return codes; an
 * entry that cannot be applied at all halts the member and leaves the transaction untouched.
 *
 * The digest is a running sum of row hashes (mvcc.h), moved with every change: present versions,
 * counters, plain rows, streams' states, producers, timers and the alarm.
 */
#ifndef STORE_FSM_H
#define STORE_FSM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "store/alarm.h"
#include "store/compact.h"
#include "store/group.h"
#include "store/kv.h"
#include "store/timers.h"

struct ring;

/* How far back a CHECK may look: digests of the last entries, in memory. */
#define FSM_DIGESTS_MAX 4096
/* How many versions back a retry looks for its own request id. */
#define FSM_REPLAY_STEPS_MAX 4096

/* What other threads may ask of the state machine: each word whole, one writer. */
struct fsm_view {
    struct {
        _Atomic uint64_t index; /* 0: being written */
        _Atomic uint64_t digest;
    } digests[FSM_DIGESTS_MAX];
    _Atomic uint64_t alarms[ALARM_MEMBERS_MAX]; /* member << 8 | reasons; 0: none */
};

/* The CHECK that stopped this member. */
struct fsm_mismatch {
    uint64_t index; /* 0: none did */
    uint64_t digest;
    uint64_t agreed; /* what a majority of the members had */
};

struct fsm {
    struct point point; /* what fsm_save writes: the open transaction's own */
    struct compact compact;
    struct timers timers;
    struct alarm alarm;
    uint32_t level_max;                       /* the feature levels this member can follow */
    struct ring *ring;                        /* changes are staged here; NULL: nobody watches */
    void (*touch)(void *ctx, struct str key); /* each key put or deleted by an operation */
    void *touch_ctx;
    bool appended;      /* a stream grew; whoever publishes clears it */
    struct arena arena; /* of one entry's decoding */
    struct buf row;     /* scratch of changes */
    struct buf saved;
    struct fsm_mismatch mismatch;
    struct fsm_view view;
};

/* What became of one command; on the caller's thread. */
typedef void fsm_answer_fn(void *ctx, size_t command, const struct store_result *result);

/* Reads the saved point: a new kv gives zeros. -ERR_CORRUPT; -ERR_UNIMPLEMENTED for a feature
 * level of a newer build. */
int fsm_init(struct fsm *f, struct kv *kv, struct err *e);
/* As a build that knows no level above level_max. */
int fsm_init_level(struct fsm *f, struct kv *kv, uint32_t level_max, struct err *e);
/* Another state, at least as new, takes the place of this one: what other threads look at meanwhile
 * stays true. */
int fsm_reload(struct fsm *f, struct kv *kv, struct err *e);
void fsm_deinit(struct fsm *f);
/* Applies the entry; *out_commands is the number it held. 0, or the halt reason with its message;
 * then nothing of the entry was applied. answer may be NULL. */
enum group_halt fsm_apply(struct fsm *f, struct kv_txn *t, uint64_t index, struct str bytes,
                          fsm_answer_fn *answer, void *ctx, size_t *out_commands, struct err *e);
/* Writes the point; call before commit. */
void fsm_save(struct fsm *f, struct kv_txn *t);
/* The point a transaction sees: zeros in a new kv. */
int fsm_load_point(struct kv_txn *t, struct point *out, struct err *e);
/* The digest after entry index, if it is one of the last FSM_DIGESTS_MAX applied since the start.
 * Any thread. */
bool fsm_digest_at(const struct fsm *f, uint64_t index, uint64_t *out_digest);
/* The members whose alarm is on: their number. Any thread. */
size_t fsm_alarms(const struct fsm *f, struct alarm_member out[ALARM_MEMBERS_MAX]);
/* The digest counted anew from every row: tests and simulation. */
uint64_t fsm_digest_full(struct kv_txn *t);

#endif
