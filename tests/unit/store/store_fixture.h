/* A group on LMDB in a temporary folder, with entries handed over as the raft loop would. */
#ifndef TESTS_UNIT_STORE_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_STORE_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "store/group.h"
#include "store/store.h"

#define FIXTURE_TXNS_MAX 512

struct store_fixture {
    struct env *env;
    char folder[256];
    struct store_group *group;
    size_t ring_bytes; /* 0: the default */
    uint64_t index;    /* of the last entry handed over */
    struct buf entry;  /* its bytes */
    uint64_t term;
    struct store_result results[FIXTURE_TXNS_MAX]; /* of the last entry */
};

void fixture_init(struct store_fixture *f, size_t ring_bytes);
void fixture_deinit(struct store_fixture *f);
void fixture_reopen(struct store_fixture *f);
/* Hands over one entry of these transactions and waits until it is published. */
void fixture_apply(struct store_fixture *f, const struct store_txn *txns, size_t count);
/* One transaction; its result. */
struct store_result fixture_txn(struct store_fixture *f, const struct store_txn *txn);
/* One operation without guards. */
struct store_result fixture_op(struct store_fixture *f, struct store_op op);
struct store_result fixture_put(struct store_fixture *f, const char *key, const char *value);
struct store_result fixture_delete(struct store_fixture *f, const char *key);

#endif
