/*
 * The log's own half, on the log's loop: takes requests in order, writes them in groups, keeps the
 * next file ready, waits out a full disk.
 *
 * Happy path: a request arrives and posts a turn behind what has arrived; the turn gathers all of
 * it into a group, writes, flushes, and tells how far the log is durable. A pool thread prepares
 * the next file meanwhile.
 * Failures: no space holds what waits and tries again by the timer; anything else, and every failed
 * flush, ends the writer.
 */
#ifndef STORE_WAL_WRITER_H
#define STORE_WAL_WRITER_H

#include <stdatomic.h>

#include "store/wal_disk.h"
#include "store/wal_load.h"

enum wal_write_kind {
    WAL_WRITE_ENTRIES = 1,
    WAL_WRITE_TRUNCATE,
    WAL_WRITE_SNAPSHOT,
    WAL_WRITE_INSTALL /* a snapshot that empties the log */
};

struct wal_writer {
    struct env *env;
    struct env_loop *loop;
    const char *folder;
    uint64_t file_bytes;
    struct wal_disk disk;
    struct wal_files files; /* the pool thread's while working */
    struct env_work work;
    int work_rc;
    struct err work_err;
    struct env_msg turn;
    struct env_timer retry;
    struct list queue;      /* wal_writes, by queued */
    struct list *at;        /* the first one not wholly gathered */
    size_t part;            /* what of it is: entries, or 1: its snapshot is stored */
    uint64_t release_from;  /* entries below it may go */
    struct wal_entry reset; /* index and term of the mark that goes before everything, */
    bool resets;            /* when the snapshot outran the log */
    bool turn_posted;
    bool working;    /* on the pool */
    bool wants_file; /* the next group waits for one */
    bool full;       /* the last write found no space; the timer runs */
    bool closing;
    /* What the owner is told, by changed. */
    uint64_t through; /* requests up to this ticket are durable */
    bool held;
    bool failed;
    struct err why;
    void (*changed)(struct wal_writer *w);
    uint64_t reserve_bytes;
    uint64_t looked_ns;           /* when the disk's space was asked for; 0: never */
    bool low;                     /* it was less than the reserve */
    struct metric *flush_seconds; /* NULL: not measured */
    uint64_t slow_told_ns;        /* when the log last heard of a slow flush; 0: never */
    /* Gauges. */
    _Atomic uint64_t bytes;
    _Atomic uint64_t files_count;
    _Atomic uint64_t flushes;
    _Atomic uint64_t flush_ns;
    _Atomic uint64_t flush_ns_max;
    atomic_bool is_held;
};

/* folder: borrowed. Before the loop runs. */
int wal_writer_init(struct wal_writer *w, struct env *env, struct env_loop *loop,
                    const char *folder, uint64_t file_bytes, const struct wal_loaded *loaded,
                    struct err *e);
void wal_writer_deinit(struct wal_writer *w);
void wal_writer_start(struct wal_writer *w); /* on the loop: prepares the first file */
void wal_writer_submit(struct wal_writer *w, struct wal_write *write); /* on the loop */
/* Writes what is queued, as far as there is space. The loop is freed. */
void wal_writer_finish(struct wal_writer *w);

#endif
