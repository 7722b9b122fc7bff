/*
 * The write-ahead log of one group: term and vote, entries, and the newest snapshot's manifest.
 *
 * Files, all in one folder that the owner has locked:
 *   metadata          two checksummed slots {version, term, vote, id of the log}
 *   log-<sequence>    records in files of WAL_FILE_BYTES, allocated and zero-filled before use
 *   snapshot          the newest manifest with its configuration, replaced atomically
 *   spare-<sequence>  files the log has let go of, to be used again
 *
 * A record is {checksums, length, kind, type, index, term, group and its extent} and its bytes,
 * padded to 8 (wal_format.h). Checksums are CRC-32C, seeded with the log's id and the file's
 * sequence number, so that what a recycled file held before never reads as valid. Records are
 * written in groups: everything that waits goes out as one write and one flush, on a thread of the
 * log's own, and a group is begun only after the one before is on disk. Hence the proof at load
 * (wal_load.c): a record that does not verify is a torn tail, and is dropped, only when no record
 * of a later group follows it anywhere; else it was on disk once and the log is corrupt: refused,
 * never repaired by guessing. Truncation is itself a record {first index gone}; an entry whose
 * index is not the last one's plus 1 is corruption.
 *
 * Damage to the last group alone looks like a torn tail. The owner can tell: state.last is then
 * below what its state machine has applied.
 *
 * A full disk, or one with less than config.reserve_bytes left, holds what waits (config.held says
 * so) and tries again every WAL_RETRY_MS; any other failed write or flush ends the log for good
 * (config.failed, once): nothing completes after it, and the process must not open it again before
 * it was restarted.
 *
 * Thread: the owner's loop, except wal_open and wal_close, which block. Requests complete in the
 * order of their submission, on the owner's loop, never inside the submitting call.
 */
#ifndef STORE_WAL_H
#define STORE_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "base/list.h"
#include "base/str.h"

#define WAL_FILE_BYTES      (16u << 20)
#define WAL_ENTRY_BYTES_MAX (8u << 20) /* of one entry; larger lengths are corruption */
#define WAL_RETRY_MS        200
#define WAL_ADDRESS_BYTES   64
#define WAL_SERVERS_MAX     16
#define WAL_MANIFEST_BYTES  256

struct metric;
struct wal;

/* One server of a configuration, as libraft names it. */
struct wal_server {
    uint64_t id;
    char address[WAL_ADDRESS_BYTES];
    int role;
};

struct wal_snapshot {
    uint64_t index; /* of the last entry it stands for; 0: there is none */
    uint64_t term;
    uint64_t configuration_index;
    struct wal_server servers[WAL_SERVERS_MAX];
    size_t servers_count;
    uint8_t manifest[WAL_MANIFEST_BYTES];
    size_t manifest_len;
};

struct wal_entry {
    uint64_t index;
    uint64_t term;
    uint8_t type;
    struct str bytes;
};

struct wal_config {
    struct env *env;
    struct env_loop *loop; /* the owner's */
    const char *name;      /* of the log's own loop: short */
    const char *folder;    /* made when missing */
    uint64_t file_bytes;   /* 0: WAL_FILE_BYTES; the largest entry must fit */
    /* The disk is full and what waits is held, or it is not any more: edges, with the reason. */
    void (*held)(void *ctx, bool held, const struct err *why);
    void (*failed)(void *ctx, const struct err *why);
    struct metric *flush_seconds; /* histogram; NULL: not measured */
    /* Left free on the disk for who shares it: less counts as full. 0: nothing. */
    uint64_t reserve_bytes;
    void *ctx;
};

/* What a load found. */
struct wal_state {
    uint64_t term;
    uint64_t vote;  /* 0: none in this term */
    uint64_t first; /* index of the first entry kept; last + 1 when there is none */
    uint64_t last;  /* of the last entry, or the snapshot's index */
    uint64_t torn;  /* bytes of an unfinished group that were dropped */
    bool fresh;     /* nothing was ever written here: not a term, not an entry */
    struct wal_snapshot snapshot;
};

/*
 * Opens, checks every record, drops a torn tail, and calls visit for each entry kept, in order; its
 * bytes are borrowed for the call. -ERR_CORRUPT: with file, offset and reason; the folder is left
 * as it was. -ERR_UNIMPLEMENTED: a format of a newer build.
 */
int wal_open(const struct wal_config *config, struct wal **out, struct wal_state *out_state,
             void (*visit)(void *ctx, const struct wal_entry *entry), void *ctx, struct err *e);
/* Finishes what was submitted (a held log gives it up), stops and joins its loop. Nothing completes
 * any more, not even what was finished. On the owner's loop (not inside a callback of the log), or
 * when that runs no more. NULL-safe. */
void wal_close(struct wal *w);

/* Durable when they return: on the owner's loop, at elections only. A new, larger term forgets the
 * vote, and a vote stands until then (both asserted). After a failure nothing has changed for the
 * caller; what is on disk may be the old or the new value. */
int wal_set_term(struct wal *w, uint64_t term, struct err *e);
int wal_set_vote(struct wal *w, uint64_t vote, struct err *e);

/* done is the caller's to set; all else is the log's until then. */
struct wal_write {
    void (*done)(struct wal_write *w); /* durable, in order; NULL: it lives until a later one's */
    struct env_msg msg;
    struct list node;   /* of what the owner's side waits for */
    struct list queued; /* of what the log's loop has to do */
    struct wal *wal;
    uint64_t ticket;
    int kind;
    uint64_t index;
    const struct wal_entry *entries;
    size_t count;
    struct wal_snapshot snapshot;
    uint64_t keep_from;
};

/* Entries with consecutive indexes after the last one submitted (asserted), of terms up to that of
 * wal_set_term. They and their bytes stay the caller's and must live until done. */
void wal_append(struct wal *w, struct wal_write *write, const struct wal_entry *entries,
                size_t count);
/* Entries from index on, which is above the snapshot's, are gone. Ordered with appends: later ones
 * begin at index. */
void wal_truncate(struct wal *w, struct wal_write *write, uint64_t index);
/* Stores the snapshot (copied; not below the one there is), then lets go of entries below keep_from
 * (whole files at a time). A snapshot beyond the last entry, or with another term than the entry at
 * its index, empties the log: the next entry has index snapshot.index + 1. */
void wal_snapshot(struct wal *w, struct wal_write *write, const struct wal_snapshot *snapshot,
                  uint64_t keep_from);

/* Gauges, any thread. */
struct wal_stats {
    uint64_t bytes;    /* of its files */
    uint64_t files;    /* prepared and spare ones included */
    uint64_t queued;   /* requests not yet durable */
    uint64_t flushes;  /* ever */
    uint64_t flush_ns; /* of the last flush */
    uint64_t flush_ns_max;
    bool held;
};
void wal_stats(struct wal *w, struct wal_stats *out);

/*
 * Offline, blocking, on a folder nobody has open: bootstrap, restore, disaster recovery.
 */

/* As wal_open, without a log to write to: reads and checks, changes nothing. */
int wal_read(struct env *env, const char *folder, struct wal_state *out_state,
             void (*visit)(void *ctx, const struct wal_entry *entry), void *ctx, struct err *e);
/* Makes a log that holds exactly this, or none: it is made beside, as <folder>.new, and renamed.
 * Entries begin after the snapshot, or with index 1. folder is missing or empty, its parent is
 * there; -ERR_ALREADY_EXISTS: it has something in it. */
int wal_create(struct env *env, const char *folder, uint64_t term,
               const struct wal_snapshot *snapshot, const struct wal_entry *entries, size_t count,
               struct err *e);
/* Appends the entry after the last one, setting its index; the log's term is raised to its. */
int wal_append_offline(struct env *env, const char *folder, struct wal_entry *entry, struct err *e);

#endif
