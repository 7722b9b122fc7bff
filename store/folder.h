/*
 * What lies in a group's folder (lmdb-<group>), and how its environment is exchanged.
 *
 *   CURRENT      names the environment in use, "env-<n>"; replaced atomically
 *   env-<n>/     an environment: KV_FILE and LMDB's lock file
 *   staging/     another member's copy while it arrives: KV_FILE, and NOTE, which says of what
 *
 * Exchange: folder_take moves a complete, flushed copy from staging to env-<n + 1>; the caller
 * opens and verifies it there; folder_switch makes CURRENT name it. A crash at any point leaves
 * CURRENT naming a whole environment: the old one until folder_switch's rename is durable, then the
 * new. What CURRENT does not name is removed at the next folder_open.
 *
 * A folder of a release without CURRENT (KV_FILE directly in it) is adopted: its file is moved to
 * env-1, then CURRENT is written; folder_open finishes that after a crash in between.
 *
 * Blocking; one thread at a time.
 */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "store/group.h"

#define FOLDER_BYTES_MAX 768 /* of a path to an environment, NUL included */
#define FOLDER_STAGING   "staging"
#define FOLDER_NOTE      "NOTE"

/* The folder, and its name in the one that holds it, durably. */
int folder_make(struct env *env, const char *folder, struct err *e);

/* Makes what is missing, removes what an unfinished exchange left, and says where the current
 * environment is (a folder, empty when the group is new). */
int folder_open(struct env *env, const char *folder, char out_current[FOLDER_BYTES_MAX],
                struct err *e);
/* Moves staged's KV_FILE, complete and flushed, to the next environment. */
int folder_take(struct env *env, const char *folder, const char *staged,
                char out_next[FOLDER_BYTES_MAX], struct err *e);
/* CURRENT names next, durably. After an error it does not, except -ERR_UNKNOWN_OUTCOME: it may or
 * may not after a crash, and only a restart can tell; then neither environment may be removed. */
int folder_switch(struct env *env, const char *folder, const char *next, struct err *e);

/* Which copy staging holds a part of: whoever goes on fetching it looks here. */
struct folder_note {
    uint64_t copy_id;
    struct point point;
    uint64_t bytes;
    uint8_t sha256[32];
};
int folder_note_write(struct env *env, const char *staging, const struct folder_note *note,
                      struct err *e);
/* -ERR_NOT_FOUND: there is none, or it does not decode. */
int folder_note_read(struct env *env, const char *staging, struct folder_note *out);
/* Removes staging unless it holds a part of a copy newer than index. */
int folder_sweep(struct env *env, const char *folder, uint64_t index, struct err *e);

#endif
