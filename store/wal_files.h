/*
 * The log's files ahead of and behind its writing: the next one is prepared before it is needed,
 * and those that are let go serve again.
 *
 * A file gets its place in the log, log-<sequence>, only when its space is allocated, zero-filled
 * and on disk; so a write inside the log needs no space. Files are let go oldest first, each name
 * durably before the next, because the log at load is an unbroken run of sequences. A few are kept
 * as spare-<sequence>: in a log of steady size no file is made at all. What a spare holds is of a
 * lower sequence than any file to come, so it never verifies in it.
 *
 * One thread at a time: the log's loop hands the whole struct to a pool thread and back.
 */
#ifndef STORE_WAL_FILES_H
#define STORE_WAL_FILES_H

#include "store/wal_format.h"

#define WAL_LOG_NAME   "log"
#define WAL_SPARE_NAME "spare"
#define WAL_FRESH_NAME "fresh" /* a file being prepared */
#define WAL_SPARES_MAX 2

struct wal_files {
    struct env *env;
    const char *folder;
    uint64_t file_bytes;
    uint64_t spares[WAL_SPARES_MAX];
    size_t spares_count;
    /* What to do: sequences to let go, oldest first, and the one to prepare (0: none). */
    uint64_t *release;
    size_t release_count;
    size_t release_capacity;
    uint64_t prepare;
    struct env_file *prepared; /* the answer: open for writing; the caller's to take */
};

void wal_files_init(struct wal_files *f, struct env *env, const char *folder, uint64_t file_bytes);
void wal_files_deinit(struct wal_files *f);
void wal_files_release(struct wal_files *f, uint64_t sequence);
/* Does what is to be done. Blocks. After a failure what is left is left to do: call again. */
int wal_files_run(struct wal_files *f, struct err *e);

/* Makes the folder's own name durable, and those of the folders above it. */
int wal_sync_above(struct env *env, const char *folder, struct err *e);

#endif
