/*
 * A log in a temporary folder of the real world. The owner's loop has a thread of its own that
 * stands still while the test runs and moves only inside wal_fixture_wait and _close: the test may
 * use the log as if it were on the owner's loop.
 */
#ifndef TESTS_UNIT_STORE_WAL_FIXTURE_H
#define TESTS_UNIT_STORE_WAL_FIXTURE_H

#include <stdatomic.h>

#include "store/wal.h"
#include "tests/unit/store/wal_model.h"

struct wal_fixture {
    struct env *env;
    struct env_loop *loop;
    char parent[256];
    char folder[300];
    struct wal_config config;
    struct wal_model model;
    struct wal_state state; /* of the last open */
    uint64_t random;
    struct env_msg msg;
    atomic_bool tests_turn;
    void (*on_loop)(struct wal_fixture *f); /* what the loop does next */
    int held;                               /* edges up */
    int failed;                             /* calls */
    struct err why;
};

void wal_fixture_init(struct wal_fixture *f, uint64_t file_bytes, uint64_t seed);
void wal_fixture_deinit(struct wal_fixture *f);
void wal_fixture_open(struct wal_fixture *f); /* and checks it against the model */
void wal_fixture_close(struct wal_fixture *f);
/* Opens what must fail. */
int wal_fixture_refuse(struct wal_fixture *f, struct err *e);
void wal_fixture_wait(struct wal_fixture *f); /* until nothing is in flight */
/* The folder's files, for a test that damages them: borrowed path of one, its bytes, and back. */
struct str wal_fixture_read(struct wal_fixture *f, struct arena *a, const char *name);
void wal_fixture_write(struct wal_fixture *f, const char *name, struct str bytes);

#endif
