/*
 * An ordered map of bytes with transactions: what the state machine writes and readers read.
 *
 * Two implementations behind one vtable: LMDB (kv_lmdb.c) and an ordered map in memory for the
 * simulation (kv_sim.c). A crash loses none or the last commit and never part of one: LMDB commits
 * with MDB_NOMETASYNC; the simulated one does it on purpose. The Raft log replays what was lost.
 *
 * One write transaction at a time, on one thread (the applier). Read transactions on any thread,
 * each used by one thread, opened and closed inside one function. Slices returned are borrowed:
 * from a read transaction until its end, from a write transaction until its next change.
 *
 * Writing cannot fail: a full map, an I/O error or a corrupt page aborts the process, because the
 * state machine could not go on without diverging. Limits are kept far below the map's size. That
 * the disk is full is known before (kv_room), and the writer waits.
 */
#ifndef STORE_KV_H
#define STORE_KV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum kv_table {
    KV_META,     /* name -> fixed records: applied point, compaction marks */
    KV_REV,      /* BE64 revision, BE32 sub -> version row; append only */
    KV_CUR,      /* key -> newest version's place, row digest, flags */
    KV_INDEX,    /* BE32 index, term, key -> nothing */
    KV_COUNTER,  /* name -> value, limit */
    KV_ROW,      /* plain rows */
    KV_STREAM,   /* stream, BE64 sequence -> value */
    KV_STATE,    /* stream -> first, last, running hash */
    KV_PRODUCER, /* stream, producer -> producer's sequence, sequence */
    KV_TIMER,    /* BE64 deadline, kind, key -> revision that expires then (timers.h) */
    KV_EXPIRY,   /* kind, key -> deadline of its row in KV_TIMER */
    KV_TABLES
};

/* LMDB's own limit; key.h keeps every row below it. */
#define KV_KEY_BYTES_MAX 511

struct env;
struct kv;
struct kv_txn;

struct kv_cursor {
    struct kv_txn *txn;
    enum kv_table table;
    void *impl;
    struct str key; /* of the current row, borrowed */
    struct str value;
};

struct kv_ops {
    struct kv_txn *(*begin)(struct kv *kv, bool write); /* NULL: no reader slot is free */
    void (*commit)(struct kv_txn *t);                   /* durable (less the last, on a crash) */
    void (*abort)(struct kv_txn *t);                    /* also ends a read transaction */
    bool (*get)(struct kv_txn *t, enum kv_table table, struct str key, struct str *out);
    void (*put)(struct kv_txn *t, enum kv_table table, struct str key, struct str value,
                bool append);
    bool (*del)(struct kv_txn *t, enum kv_table table, struct str key);
    void (*cursor_open)(struct kv_cursor *c);
    void (*cursor_close)(struct kv_cursor *c);
    bool (*seek)(struct kv_cursor *c, struct str key); /* first row at or after key */
    bool (*last)(struct kv_cursor *c);
    bool (*next)(struct kv_cursor *c);
    bool (*prev)(struct kv_cursor *c);
    bool (*room)(struct kv *kv);
    void (*close)(struct kv *kv);
};

struct kv {
    const struct kv_ops *ops;
};

struct kv_txn {
    struct kv *kv;
    bool write;
};

/*
 * Who makes environments out of folders: LMDB, or the simulation. Everything that moves a state
 * between members or into a backup goes through it, so that the same code runs in both worlds. An
 * environment is KV_FILE in a folder of its own; a copy is one file that is only read, and becomes
 * an environment by being put as KV_FILE into a folder. Blocking.
 *
 * With LMDB a copy is its own compact one, pages and all, not rows: making it is one pass at the
 * disk's speed, and installing it a rename, whatever its size; rows would have to be inserted
 * again, one by one, into an environment that nobody can read meanwhile.
 */
#define KV_FILE "data.mdb"

struct kv_engine {
    /* folder is made when missing. Never opened twice at once in a process. map_bytes: address
     * space, not disk; 0: STORE_MAP_BYTES. */
    int (*open)(const struct kv_engine *k, const char *folder, uint64_t map_bytes, struct kv **out,
                struct err *e);
    /* A compact, consistent copy as a new file. A read transaction is open meanwhile: on a pool
     * thread. Not flushed. */
    int (*copy)(const struct kv_engine *k, struct kv *kv, const char *path, struct err *e);
    /* Opens a copy for reading. Its bytes are trusted: verify a digest before. */
    int (*open_copy)(const struct kv_engine *k, const char *path, struct kv **out, struct err *e);
};

extern const struct kv_engine kv_lmdb;

/* kv_lmdb's open. */
int kv_lmdb_open(const char *folder, uint64_t map_bytes, struct kv **out, struct err *e);
/* Bytes up to the last page in use, and the size of the map: any thread. */
void kv_lmdb_usage(struct kv *kv, uint64_t *out_used_bytes, uint64_t *out_map_bytes);
/* Of the bytes in use, those on pages free for reuse. Any thread; walks LMDB's list of them. */
uint64_t kv_lmdb_free_bytes(struct kv *kv);

/* The simulated disk outlives the kv opened on it. One thread. A read transaction sees the commit
 * it began after, whatever is written meanwhile. */
struct kv_sim_disk;
struct kv_sim_disk *kv_sim_disk_new(void);
void kv_sim_disk_free(struct kv_sim_disk *d);
struct kv *kv_sim_open(struct kv_sim_disk *d);
bool kv_sim_is(const struct kv *kv); /* else it is LMDB's */
/* The power went: an open write transaction is gone and, when asked, the last commit too. Every kv
 * and transaction on it is dead; open again. */
void kv_sim_crash(struct kv_sim_disk *d, bool lose_last_commit);
/* A bit of that byte of a row's value changes by itself, also of what a crash brings back of it.
 * false: there is no such row, or byte. */
bool kv_sim_rot(struct kv *kv, enum kv_table table, struct str key, size_t byte);
/* kv_room says no from now on, or yes again. */
void kv_sim_disk_full(struct kv_sim_disk *d, bool full);

/*
 * The simulation's engine. Folders and copies are files of env; a copy holds the rows, and the rows
 * of an environment lie in a disk of the engine, which outlives every kv opened through it.
 */
struct kv_engine *kv_sim_engine_new(struct env *env);
void kv_sim_engine_free(struct kv_engine *k);
/* kv_sim_crash of every disk. */
void kv_sim_engine_crash(struct kv_engine *k, bool lose_last_commit);

void kv_close(struct kv *kv); /* NULL-safe; no transaction is open */

/* Is there room on the disk for the largest write transaction? If not, ask again later. The writing
 * thread, between transactions. */
bool kv_room(struct kv *kv);
struct kv_txn *kv_begin_write(struct kv *kv);
struct kv_txn *kv_begin_read(struct kv *kv); /* NULL: no reader slot is free */
void kv_commit(struct kv_txn *t);
void kv_abort(struct kv_txn *t);
bool kv_get(struct kv_txn *t, enum kv_table table, struct str key, struct str *out);
void kv_put(struct kv_txn *t, enum kv_table table, struct str key, struct str value);
void kv_append(struct kv_txn *t, enum kv_table table, struct str key, struct str value);
bool kv_delete(struct kv_txn *t, enum kv_table table, struct str key); /* was it there? */
void kv_cursor_open(struct kv_txn *t, enum kv_table table, struct kv_cursor *c);
void kv_cursor_close(struct kv_cursor *c);
bool kv_seek(struct kv_cursor *c, struct str key); /* first row at or after key; key, value set */
bool kv_last(struct kv_cursor *c);
bool kv_next(struct kv_cursor *c);
bool kv_prev(struct kv_cursor *c);

#endif
