/*
 * Term and vote on disk: two slots in blocks of their own, in one file that never grows.
 *
 * A change writes the first slot and flushes; then it is durable, and the second slot is brought up
 * to date without waiting. Before the next change that one is flushed too, so that at every moment
 * one slot is whole on disk, and a log at rest survives the loss of either.
 *
 * Blocks: on the owner's loop, at elections.
 */
#ifndef STORE_WAL_META_H
#define STORE_WAL_META_H

#include "store/wal_format.h"

struct wal_meta {
    struct env_file *file;
    struct wal_slot now;
    bool stale;    /* the second slot was not written */
    bool poisoned; /* a flush failed: what is on disk is not known any more */
};

/* Makes the file, atomically, with one version in both slots. */
int wal_meta_make(struct env *env, const char *folder, const struct wal_slot *slot, struct err *e);
/* The newest slot. -ERR_NOT_FOUND: there is no file. Changes nothing. */
int wal_meta_read(struct env *env, const char *folder, struct wal_slot *out, struct err *e);
/* Opens what wal_meta_read has read, makes it durable and both slots the same. */
int wal_meta_open(struct wal_meta *m, struct env *env, const char *folder,
                  const struct wal_slot *slot, struct err *e);
void wal_meta_close(struct wal_meta *m);
int wal_meta_set(struct wal_meta *m, uint64_t term, uint64_t vote, struct err *e);

#endif
