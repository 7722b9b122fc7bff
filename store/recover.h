/*
 * Disaster recovery, offline: of a cluster whose majority is lost for good, one member goes on
 * alone. A configuration entry that names only this member is appended to each group's log, in a
 * term of its own; all that its log holds becomes committed, and what only the others had
 * acknowledged is lost.
 *
 * RECOVERY in the data folder says that it was done, and its name (store_config.recovery): at the
 * next start the member leads at once and removes everybody else from the roster, once. It is
 * written before the logs as begun and after them as done: a member does not start in between.
 * The others' data folders must be deleted: their logs may hold entries that these logs do not.
 *
 * Blocking; nobody else has the folder open (it takes LOCK).
 */
#ifndef STORE_RECOVER_H
#define STORE_RECOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "store/store.h"
#include "store/view.h"

#define RECOVER_NAME       "RECOVERY"
#define RECOVER_NAME_BYTES 33 /* a recovery's: 32 hex digits */

struct recover_server {
    uint64_t id;
    char name[64];
    enum view_role role;
};

struct recover_group {
    const char *name;
    uint64_t term; /* the newest that this member knows of */
    uint64_t vote;
    uint64_t last_index;
    uint64_t last_term;
    uint64_t snapshot_index; /* 0: none; all up to it is applied and committed */
    struct recover_server servers[VIEW_SERVERS_MAX]; /* the newest configuration in the log */
    size_t servers_count;
};

struct recover;

/* Takes the lock and reads both logs; changes nothing. -ERR_CORRUPT: a log cannot be read, or the
 * member is in quarantine; -ERR_NOT_FOUND: there is no log. */
int recover_open(struct env *env, const char *folder, struct recover **out, struct err *e);
const struct recover_group *recover_group(const struct recover *r, enum store_group_id id);
/* This member shall be the only one. -ERR_INVALID_ARGUMENT: the logs name the id otherwise. */
int recover_write(struct recover *r, uint64_t id, const char *name, struct err *e);
void recover_close(struct recover *r); /* NULL-safe */

/* At a member's start: its recovery's name, or "" when there was none. -ERR_CORRUPT: one was begun
 * and not ended; do it again. */
int recover_name(struct env *env, const char *folder, char out[RECOVER_NAME_BYTES], struct err *e);

#endif
