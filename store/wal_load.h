/*
 * Reading a log: what it holds, where it ends, and whether it is whole.
 *
 * wal_load only reads. wal_mend then makes sure that what was read is on disk and that what was
 * dropped is never read again; after it the log may be written.
 */
#ifndef STORE_WAL_LOAD_H
#define STORE_WAL_LOAD_H

#include "store/wal_disk.h"
#include "store/wal_terms.h"

struct wal_loaded {
    struct wal_state state;
    struct wal_slot slot; /* id 0: the folder holds no log yet */
    struct wal_tail tail;
    uint64_t mend_from;          /* in the tail's file: where its last group begins */
    bool reset;                  /* the snapshot outran the log: its next record is a WAL_RESET */
    struct wal_disk_file *files; /* oldest first */
    size_t files_count;
    struct wal_terms terms; /* of the entries kept */
    uint64_t next;          /* sequence of a prepared file that can be used; 0: none */
    uint64_t spares[WAL_SPARES_MAX];
    size_t spares_count;
    struct arena *arena;
    struct str *leftovers; /* names to remove */
    size_t leftovers_count;
};

/* visit: each entry kept, in order, after everything was checked. On failure nothing is owned. */
int wal_load(struct env *env, const char *folder,
             void (*visit)(void *ctx, const struct wal_entry *entry), void *ctx,
             struct wal_loaded *out, struct err *e);
void wal_loaded_deinit(struct wal_loaded *l);
int wal_mend(struct env *env, const char *folder, struct wal_loaded *l, struct err *e);

/* The newest snapshot's manifest; index 0 when there is none. */
int wal_snapshot_read(struct env *env, const char *folder, uint64_t id, struct wal_snapshot *out,
                      struct err *e);
int wal_snapshot_write(struct env *env, const char *folder, uint64_t id,
                       const struct wal_snapshot *s, struct err *e);

#endif
