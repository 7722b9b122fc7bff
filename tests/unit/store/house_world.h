/*
 * Members of one group in the simulated world, fed by one log: what a leader's housekeeping
 * proposes becomes the next entry of it and is handed to every member that lives. Consensus itself
 * is left out: who leads is said by the test.
 */
#ifndef TESTS_UNIT_STORE_HOUSE_WORLD_H
#define TESTS_UNIT_STORE_HOUSE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/housekeeping.h"
#include "store/kv.h"

#define HOUSE_MEMBERS     3
#define HOUSE_ENTRIES_MAX 4096
#define HOUSE_OP_TYPES    (STORE_OP_TICK + 1)

struct house_member {
    struct house_world *world;
    uint64_t id;
    uint64_t retain_ms; /* 0: as usual */
    uint32_t level_max; /* 1: the release before, which reports nothing of level 2 */
    bool silent;        /* does not answer */
    bool alive;
    enum group_halt halted;
    char why[ERR_MESSAGE_BYTES];
    int64_t skew_ms; /* of its wall clock */
    bool wasteful;   /* its LMDB is mostly free pages: where the world says so */
    unsigned defragmented;
    struct kv_sim_disk *disk;
    struct kv *kv;
    struct env_loop *apply;
    struct env_loop *raft;
    struct store_group *group;
    struct housekeeping house;
};

struct house_world {
    struct env *env;
    struct house_member members[HOUSE_MEMBERS];
    struct housekeeping_member configuration[STORE_MEMBERS_MAX];
    size_t configuration_count;
    size_t leader;
    bool wasteful; /* usage is said by the members' `wasteful`, not measured */
    unsigned handovers;
    struct buf log[HOUSE_ENTRIES_MAX]; /* by index, from 1 */
    uint64_t index;
    unsigned proposed[HOUSE_OP_TYPES]; /* by housekeeping, by type */
    struct store_result result;        /* of the last write */
};

void house_world_init(struct house_world *w, const uint32_t level_max[HOUSE_MEMBERS]);
void house_world_deinit(struct house_world *w);
/* Turns of every living member's housekeeping, every 100 ms. */
void house_world_run(struct house_world *w, uint64_t ms);
/* Stops a member (as a crash) and starts it anew as this release, over the same disk and log. */
void house_world_restart(struct house_world *w, size_t i, uint32_t level_max);
/* A write through the leader. -ERR_UNIMPLEMENTED as the proposer refuses it. */
struct store_result house_world_write(struct house_world *w, struct store_op op);
struct store_result house_world_put(struct house_world *w, const char *key, uint64_t expires_ms);
struct point house_world_point(struct house_world *w, size_t i);
bool house_world_has(struct house_world *w, size_t i, const char *key);
uint64_t house_world_wall_ms(struct house_world *w, size_t i);
/* Its state is no longer what the log says: the digest is off from the next entry on. */
void house_world_corrupt(struct house_world *w, size_t i);

#endif
