/*
 * Three members in one process, over real sockets, logs and LMDB, and calls on them that wait. One
 * world per test program: cmocka's group setup and teardown.
 */
#ifndef TESTS_UNIT_STORE_STORE_WORLD_H
#define TESTS_UNIT_STORE_STORE_WORLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "store/store.h"
#include "tests/fault/members.h"

struct store_world {
    struct env *env;
    struct env_loop *loop; /* the client's */
    struct members m;
    struct store *stores[MEMBERS_COUNT];
    uint32_t level_max; /* the members' feature_level_max */
};

int store_world_setup(void **state);
int store_world_setup_level(void **state, uint32_t level_max);
int store_world_teardown(void **state);
void store_world_open_member(struct store_world *w, int i);
struct store_status store_world_status(struct store_world *w, int i);
/* The index of the member that leads and is ready, within 10 s. */
int store_world_wait_leader(struct store_world *w);
struct store_result store_world_write(struct store_world *w, int i, const struct store_txn *txn);
struct store_result store_world_put(struct store_world *w, int i, const char *key,
                                    const char *value, uint64_t fence);
/* revision 0: linearizable; ms 0: the default deadline. */
struct store_barrier store_world_read_point(struct store_world *w, int i, uint64_t revision,
                                            uint64_t ms);
/* value NULL: any. */
bool store_world_has(struct store_world *w, int i, const char *key, const char *value);
/* Until a callback on the client's loop set it; fails after 20 s. */
void store_world_wait(const atomic_bool *done);

#endif
