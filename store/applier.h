/*
 * The applier: one thread (an env_loop) that turns committed entries into LMDB transactions.
 *
 * The raft loop hands over each committed entry; the applier applies what is queued in one LMDB
 * transaction, up to APPLIER_BATCH_COMMANDS, APPLIER_BATCH_BYTES or APPLIER_BATCH_NS, answering
 * each command right after its evaluation, then commits (applied index, term, revision and digest
 * in the same transaction), then publishes the revision and tells its subscribers and the raft loop
 * once. Commits keep a few milliseconds apart unless somebody waits for one (applier.c): meanwhile
 * later entries gather in the open transaction, and readers see what was committed.
 *
 * In the simulation the same code runs on a simulated loop over kv_sim.
 */
#ifndef STORE_APPLIER_H
#define STORE_APPLIER_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/str.h"
#include "store/store.h"

#define APPLIER_BATCH_COMMANDS 256
#define APPLIER_BATCH_BYTES    (1u << 20)
#define APPLIER_BATCH_NS       (2 * ENV_MS)
/* A full disk is looked at again so often. */
#define APPLIER_ROOM_MS 200
/* A leader stops proposing above this many queued bytes (group_queue_bytes). */
#define APPLIER_QUEUE_BYTES_MAX (64u << 20)

/*
 * A local proposal: who waits for the commands of one entry, in command order. Given with the entry
 * on the member that proposed it; NULL elsewhere. The raft loop allocates it and keeps no access
 * after group_apply; answer runs on the applier's loop, once for each command, and only copies the
 * result and posts it on (a store_write to its loop, a forwarded one to the raft loop); released
 * runs there after the last answer and frees it. A halted or closing applier answers
 * -ERR_UNKNOWN_OUTCOME.
 */
struct proposal {
    void (*answer)(struct proposal *p, size_t command, const struct store_result *result);
    void (*released)(struct proposal *p);
    size_t count; /* commands in the entry; asserted against it */
};

struct store_group;

/*
 * Hands over one committed entry. The raft loop only, indexes ascending. bytes are copied. An index
 * at or below the durable one is skipped (a restart replays the log's tail): then proposal must be
 * NULL. Never blocks.
 */
void group_apply(struct store_group *g, uint64_t index, uint64_t term, struct str bytes,
                 struct proposal *proposal);

#endif
