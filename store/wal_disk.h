/*
 * The writing end of the log: records gather into a group, a group is written and flushed.
 *
 *   wal_disk_add ... wal_disk_add, wal_disk_write, wal_disk_flush, wal_disk_add ...
 *
 * A group lies in one file: a record that does not fit ends the group, and the next group begins
 * the next file. So nothing of group n + 1 is written anywhere before group n is on disk, which is
 * what wal_load.c rests its proof on.
 *
 * Bytes of entries are read where they are, twice (checksum and write), and never copied. No loop,
 * no thread: the log's loop drives it, or the offline tools do.
 */
#ifndef STORE_WAL_DISK_H
#define STORE_WAL_DISK_H

#include "store/wal_files.h"
#include "store/wal_format.h"

#define WAL_GROUP_BYTES   (4u << 20) /* a group takes no more after it has so many */
#define WAL_GROUP_RECORDS 1024u

struct wal_disk_file {
    uint64_t sequence;
    uint64_t bytes;
    uint64_t end; /* 1 + the last index it holds an entry of that is still in the log; or 0 */
};

/* How the log on disk ends: what a load finds, and what the next group continues. */
struct wal_tail {
    uint64_t sequence;     /* of the file it ends in; 0: there is none yet */
    uint64_t at;           /* where in it */
    uint64_t group;        /* the number the next group gets */
    uint64_t before_group; /* the last one there; equal to group when that one is unfinished */
    uint64_t last;         /* index of its last entry */
    bool closed;           /* dropped bytes follow in the file: go on in the next one */
};

struct wal_group {
    struct wal_record *records; /* WAL_GROUP_RECORDS */
    struct str *bytes;          /* theirs */
    uint8_t *heads;             /* a block for the file's, then one each */
    struct str *parts;
    size_t records_count;
    size_t parts_count; /* 0: not sealed yet */
    uint64_t start;
    uint64_t end;
    uint64_t last; /* of the log once it is written */
    bool begins;   /* a file */
};

struct wal_disk {
    const char *folder;
    struct env *env;
    uint64_t id;
    struct wal_tail tail;
    struct env_file *file; /* NULL: the next group begins a file */
    uint64_t size;         /* of it */
    struct env_file *next; /* prepared: sequence + 1; NULL: not yet */
    uint64_t next_size;
    struct wal_disk_file *files; /* oldest first; the last one is the tail's */
    size_t files_count;
    size_t files_capacity;
    struct wal_group group;
};

/* folder: borrowed for d's life. Opens the tail's file when there is one to go on in. */
int wal_disk_init(struct wal_disk *d, struct env *env, const char *folder, uint64_t id,
                  const struct wal_tail *tail, struct err *e);
void wal_disk_deinit(struct wal_disk *d);
/* Files found at load, oldest first. */
void wal_disk_add_file(struct wal_disk *d, const struct wal_disk_file *file);
/* Takes a prepared file; its sequence is wal_disk_next_sequence. */
void wal_disk_give_next(struct wal_disk *d, struct env_file *file, uint64_t bytes);
uint64_t wal_disk_next_sequence(const struct wal_disk *d);

/* Adds a record to the group being gathered. -ERR_LIMIT: the group is full, write it first.
 * -ERR_AGAIN: it needs the next file, and that is not prepared (the group is empty). */
int wal_disk_add(struct wal_disk *d, enum wal_kind kind, const struct wal_entry *entry);
bool wal_disk_gathered(const struct wal_disk *d); /* is there a group to write? */
/* May be called again after -ERR_NO_SPACE: the same bytes go to the same place. */
int wal_disk_write(struct wal_disk *d, struct err *e);
/* Once: a failed flush says nothing about what is on disk, and the next one lies. */
int wal_disk_flush(struct wal_disk *d, struct err *e);

/* Hands to f every file, oldest first, that holds only entries below keep_from. */
void wal_disk_release(struct wal_disk *d, uint64_t keep_from, struct wal_files *f);
/* Bytes of its files, the prepared one included. */
uint64_t wal_disk_bytes(const struct wal_disk *d);

#endif
