/*
 * The alarm of a group, as replicated state: which members ran out of room, and which transactions
 * are refused while one has. Part of the state machine (fsm.h), counted in the digest.
 *
 * The leader's housekeeping measures and proposes; what is refused follows from the entry and the
 * state alone. Refused is what grows the live rows: a put, row put or append whose bytes are not
 * made up for, in the same transaction, by what it deletes or replaces. An update of a key or row
 * that is there may be ALARM_SLACK_BYTES larger than what it replaces, so that a lease's renewal or
 * a cursor, which are a byte longer or shorter by chance, is never refused. Deletes, compaction,
 * trims, timers and the store's own operations always pass.
 */
#ifndef STORE_ALARM_H
#define STORE_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/compact.h"
#include "store/kv.h"
#include "store/store.h"

/* Members with a reason at once; more are not needed to refuse. */
#define ALARM_MEMBERS_MAX (2 * STORE_MEMBERS_MAX)
#define ALARM_SLACK_BYTES 64
/* What a row costs beside its bytes, about. */
#define ALARM_ROW_BYTES 64

struct alarm_member {
    uint64_t member;
    uint32_t reasons; /* STORE_ALARM_*, not 0 */
};

struct alarm {
    struct alarm_member members[ALARM_MEMBERS_MAX]; /* by rising id */
    size_t count;
};

void alarm_load(struct alarm *a, struct kv_txn *t);
/* The ALARM operation; one member too many is ignored. */
void alarm_set(struct alarm *a, struct kv_txn *t, uint64_t member, uint32_t reasons,
               uint64_t *digest);
/* Of all members; 0: no alarm. */
uint32_t alarm_reasons(const struct alarm *a);
/* Would it grow the group? Asked after its guards, while an alarm is on. */
bool alarm_refuses(struct kv_txn *t, const struct compact *compact, const struct store_txn *txn);
/* What the row of meta adds to the digest. */
uint64_t alarm_digest(struct kv_txn *t);

#endif
