/*
 * A new member's data folder made from a backup: offline, before its first start.
 *
 * Every member of the new cluster restores the same file with the same list of members. What must
 * be new then comes as one more entry of the log, "the restoring entry", applied by the state
 * machine to the restored state on each member alone: the old cluster's member rows (roster.h) go,
 * as do the keys that the caller names; the new members' rows come; alarms are forgotten. It has
 * the same bytes on every member, and the state machine is deterministic, so all end with the same
 * state and digest, as if it had been replicated; a member that was given another file or list is
 * found by the first CHECK. The log begins behind it: a snapshot at that entry, with the new
 * members as voters. Revisions go on from the backup's: one is taken by the restoring entry.
 *
 * The folder is built in <folder>/restoring, and its parts are moved into place, states before
 * logs, at the end: a member does not start on half of them.
 */
#ifndef STORE_RESTORE_H
#define STORE_RESTORE_H

#include <stddef.h>

#include "base/err.h"
#include "store/backup.h"
#include "store/store.h"

struct kv_engine;

struct restore_config {
    struct env *env;
    const char *file;   /* the backup */
    const char *folder; /* the member's data folder: missing or empty */
    const struct store_member *members;
    size_t members_count;
    /* Keys that were the old cluster's own, by prefix, NULL-ended; NULL: none. */
    const char *const *forget_prefixes;
    const struct kv_engine *engine; /* NULL: kv_lmdb */
    /* Runs when everything is built and before the first part is moved into place: what allowed an
     * empty folder to found a new cluster must be gone by then. NULL: nothing to do. */
    int (*built)(void *ctx, struct err *e);
    void *ctx;
};

struct restored {
    struct backup backup;
    struct point points[STORE_BUS + 1]; /* by group, the restoring entry applied */
};

/* Blocking. -ERR_ALREADY_EXISTS: folder has something in it; -ERR_CORRUPT: the backup is damaged;
 * -ERR_UNIMPLEMENTED: it needs a newer release. After a failure folder is as empty as it was, or
 * (out of room, say) holds <folder>/restoring, which the next call removes. */
int store_restore(const struct restore_config *config, struct restored *out, struct err *e);

#endif
