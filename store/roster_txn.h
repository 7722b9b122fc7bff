/*
 * Transactions over the roster's rows: each row that is written is guarded by the revision it was
 * read at, so that two operators, or an operator and a member that moves, never overwrite each
 * other. Rows are few: everything is in the struct. One thread.
 */
#ifndef STORE_ROSTER_TXN_H
#define STORE_ROSTER_TXN_H

#include "base/arena.h"
#include "store/roster.h"
#include "store/store.h"

/* Rows, the next id, and a few keys that go with them. */
#define ROSTER_TXN_OPS (ROSTER_MAX + 4)

struct roster_txn {
    struct arena arena;
    struct store_guard guards[ROSTER_TXN_OPS];
    struct store_op ops[ROSTER_TXN_OPS];
    struct store_txn txn;
};

void roster_txn_init(struct roster_txn *t);
void roster_txn_deinit(struct roster_txn *t);

/* The row as it shall be; its revision is the guard (0: no such key). */
void roster_txn_row(struct roster_txn *t, const struct roster_row *row);
void roster_txn_drop(struct roster_txn *t, const struct roster_row *row);
/* next_id is taken: guarded by the roster's revision of it. */
void roster_txn_take_id(struct roster_txn *t, const struct roster *roster);
/* Another key of the cluster group; bytes are copied. expires_ms 0: never. */
void roster_txn_put(struct roster_txn *t, struct str key, struct str value, uint64_t revision,
                    uint64_t expires_ms);
void roster_txn_delete(struct roster_txn *t, struct str key, uint64_t revision);
/* Borrowed from t. fence_term 0: any leader. */
const struct store_txn *roster_txn_get(struct roster_txn *t, uint64_t fence_term);

#endif
