/*
 * Timers: keys that expire, and producers that stopped. Part of the state machine (fsm.h), counted
 * in the digest.
 *
 * KV_TIMER orders them by deadline: (BE64 deadline, u8 kind, key) -> le64 revision. KV_EXPIRY finds
 * a key's own: (u8 kind, key) -> le64 deadline. A timer belongs to the newest version of its key
 * and goes with it: a put, a delete or an expiry removes or replaces it, so that a timer's key is
 * always present at the timer's revision. A producer's (key: of its row, revision 0) moves on with
 * its appends.
 *
 * Time is data. Deadlines are wall-clock milliseconds chosen by proposers; what is due is decided
 * by a TICK entry alone, which carries the leader's clock and is proposed only when that is past
 * the earliest deadline. A leader whose clock is behind delays expiry; one whose clock is ahead
 * brings it forward by as much, and only for what is due by that clock: when the clock is set
 * right, later deadlines hold again. fsm.point.clock_ms, the highest a TICK ever brought, never
 * goes back.
 */
#ifndef STORE_TIMERS_H
#define STORE_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/key.h"
#include "store/kv.h"

enum timer_kind { TIMER_VERSION = 0, TIMER_PRODUCER = 1 };

struct timers {
    uint64_t count;
    bool changed; /* since whoever reads it cleared it */
};

struct timer {
    uint64_t deadline_ms;
    enum timer_kind kind;
    struct key key; /* copied */
    uint64_t revision;
};

/* The deadline of key, 0: none. */
uint64_t timers_of(struct kv_txn *t, enum timer_kind kind, struct str key);
/* Key's timer becomes this one; whatever it had goes. deadline_ms 0: only that. */
void timers_set(struct timers *timers, struct kv_txn *t, enum timer_kind kind, struct str key,
                uint64_t revision, uint64_t deadline_ms, uint64_t *digest);
/* The earliest; false: there is none. */
bool timers_first(struct kv_txn *t, struct timer *out);

#endif
