/*
 * Changes to versions of keys, and to counters: what put, delete and rewrap do to the tables, with
 * index rows, charges and the digest kept in step. Part of the state machine (fsm.h).
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/compact.h"
#include "store/kv.h"
#include "store/mvcc.h"
#include "store/store.h"
#include "store/timers.h"

struct ring;

/* What a change needs beside the transaction. */
struct changer {
    struct kv_txn *t;
    const struct compact *compact;
    struct ring *ring;     /* NULL: nobody watches */
    struct timers *timers; /* NULL: below feature level 2 */
    bool skips;            /* versions get skip links: from feature level STORE_LEVEL_SKIPS */
    uint64_t *digest;
    struct str request_id;
    struct place at;   /* of the next version; sub counts up inside one transaction */
    struct buf *row;   /* scratch */
    struct buf *saved; /* scratch */
};

/* The newest version's row of cur; a tombstone that a mark has passed counts as none. */
bool change_newest(struct kv_txn *t, const struct compact *compact, struct str key,
                   struct newest *out);
/* Writes a version (NULL op fields for a delete); false: nothing to delete. */
bool change_put(struct changer *c, const struct store_op *op);
bool change_delete(struct changer *c, struct str key);
/* Another value for the version of key at this revision; no such version: nothing. */
void change_rewrap(struct changer *c, const struct store_op *op);

struct counter {
    int64_t value;
    int64_t limit;
    bool limited;
};

void counter_get(struct kv_txn *t, struct str name, struct counter *out);
void counter_set(struct kv_txn *t, struct str name, const struct counter *counter,
                 uint64_t *digest);

#endif
