/* A write transaction on the simulated map, with what changes need: for the parts of the FSM. */
#ifndef TESTS_UNIT_STORE_SIM_FIXTURE_H
#define TESTS_UNIT_STORE_SIM_FIXTURE_H

#include "store/change.h"
#include "store/compact.h"
#include "store/kv.h"

struct sim_fixture {
    struct kv_sim_disk *disk;
    struct kv *kv;
    struct kv_txn *t;
    struct compact compact;
    struct changer changer;
    struct buf row;
    struct buf saved;
    uint64_t digest;
};

void sim_init(struct sim_fixture *f);
void sim_deinit(struct sim_fixture *f);
/* At the next revision. */
void sim_put(struct sim_fixture *f, struct store_op op);
bool sim_delete(struct sim_fixture *f, const char *key);
size_t sim_rows(struct sim_fixture *f, enum kv_table table);

#endif
