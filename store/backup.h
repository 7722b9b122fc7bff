/*
 * A backup: one file with a copy of every group, checksummed as a whole, to restore a new cluster
 * from.
 *
 *   "GNTYSNAP", le32 format, le32 header bytes (of everything up to the first copy)
 *   cluster id, version (varint length, bytes), le64 wall time in ns since 1970
 *   le32 groups, and for each: le32 id, le32 level, le64 index, term, revision, digest, compacted,
 *       le64 bytes of its copy; from format 2 on le64 keys in it
 *   the copies, in that order
 *   SHA-256 of all before it
 *
 * Reading takes the file for a stranger's: every length is bounded, the file's size is exactly what
 * its header says, and nothing is used before the digest was found right. What restores a member
 * from it is restore.h.
 *
 * This file knows nothing of a running store, so that the command line can read backups, too.
 *
 * Blocking: pool threads, or offline.
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "store/point.h"

#define BACKUP_GROUPS_MAX       STORE_BUS
#define BACKUP_TEXT_BYTES_MAX   64
#define BACKUP_HEADER_BYTES_MAX 1024

#define BACKUP_KEYS_UNKNOWN     UINT64_MAX

struct backup_group {
    enum store_group_id id;
    struct point point;
    uint64_t bytes;
    uint64_t keys;         /* in its copy; BACKUP_KEYS_UNKNOWN: a file of format 1 */
    uint64_t offset;       /* backup_open: where in the file its copy is */
    const char *path;      /* backup_write: where its copy is; else NULL */
    struct env_file *file; /* backup_source: its copy, open; else NULL */
};

struct backup {
    char cluster_id[BACKUP_TEXT_BYTES_MAX + 1];
    char version[BACKUP_TEXT_BYTES_MAX + 1]; /* of the member that made it */
    uint64_t wall_ns;
    struct backup_group groups[BACKUP_GROUPS_MAX]; /* each id once */
    size_t groups_count;
};

/* The header as bytes and back. -ERR_CORRUPT; -ERR_UNIMPLEMENTED: a newer format. */
void backup_encode(const struct backup *b, struct buf *out);
int backup_decode(struct str header, struct backup *out, struct err *e);

/*
 * The file's bytes piece by piece, for whoever sends it as fast as it is taken. The groups' files
 * stay the caller's, open until the source is freed. One thread at a time.
 */
#define BACKUP_PIECE_BYTES (256u << 10)
struct backup_source;
struct backup_source *backup_source_new(const struct backup *b); /* copied */
uint64_t backup_bytes(const struct backup *b);                   /* of the whole file */
/* The next piece, at most BACKUP_PIECE_BYTES, in place of what out held; empty: that was all. A
 * copy that is not as long as it should be is -ERR_CORRUPT. */
int backup_source_next(struct backup_source *s, struct buf *out, struct err *e);
void backup_source_free(struct backup_source *s); /* NULL-safe */

/* Opens the groups' paths and gives the whole file to sink, in order, in such pieces; what sink
 * returns other than 0 ends it. */
int backup_write(struct env *env, const struct backup *b, int (*sink)(void *ctx, struct str bytes),
                 void *ctx, struct err *e);

/* Verifies the whole file. */
int backup_check(struct env *env, const char *path, struct backup *out, struct err *e);
/* The same, and *out_file is open to take the copies from; the caller closes it. */
int backup_open(struct env *env, const char *path, struct backup *out, struct env_file **out_file,
                struct err *e);
/* The copy of a group as a new file, flushed; none is left behind on failure. f as backup_open gave
 * it. -ERR_ALREADY_EXISTS: path is there. */
int backup_take(struct env *env, struct env_file *f, const struct backup_group *g, const char *path,
                struct err *e);

#endif
