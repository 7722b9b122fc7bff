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
 * state machine could not go on without diverging. Limits are kept far below the map's size.
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
    KV_TABLES
};

/* LMDB's own limit; key.h keeps every row below it. */
#define KV_KEY_BYTES_MAX 511

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
    void (*close)(struct kv *kv);
};

struct kv {
    const struct kv_ops *ops;
};

struct kv_txn {
    struct kv *kv;
    bool write;
};

/* LMDB in folder (made when missing). map_bytes: address space, not disk. Opens once per process.
 */
int kv_lmdb_open(const char *folder, uint64_t map_bytes, struct kv **out, struct err *e);
/* A compact, consistent copy of the whole environment as path/data.mdb; path exists. A read
 * transaction is open meanwhile: on a pool thread. */
int kv_lmdb_copy(struct kv *kv, const char *folder, struct err *e);
/* Bytes in use of the map, and its size: any thread. */
void kv_lmdb_usage(struct kv *kv, uint64_t *out_used_bytes, uint64_t *out_map_bytes);

/* The simulated disk outlives the kv opened on it. One thread. */
struct kv_sim_disk;
struct kv_sim_disk *kv_sim_disk_new(void);
void kv_sim_disk_free(struct kv_sim_disk *d);
struct kv *kv_sim_open(struct kv_sim_disk *d);
/* The power went: an open write transaction is gone and, when asked, the last commit too. Every kv
 * and transaction on it is dead; open again. */
void kv_sim_crash(struct kv_sim_disk *d, bool lose_last_commit);

void kv_close(struct kv *kv); /* no transaction is open */

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
