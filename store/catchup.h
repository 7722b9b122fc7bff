/*
 * A member that is too far behind its leader's log gets a copy of the group's state: fetched on the
 * peer loop (fetch.h), made the group's by its applier (group_install), and only then reported, so
 * that libraft installs the snapshot it was offered. One at a time for each group; asked again
 * while one is under way, it goes on, from whoever leads now.
 *
 * Thread: the raft loop, unless said otherwise.
 */
#ifndef STORE_CATCHUP_H
#define STORE_CATCHUP_H

#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "store/group.h"

struct catchup;
struct peers;

struct catchup_config {
    struct env *env;
    struct env_loop *raft_loop;
    struct env_loop *peer_loop;
    struct store_group *group;
    const char *folder;   /* the group's */
    uint64_t bytes_per_s; /* 0: COPY_BYTES_PER_S */
    /* May be NULL. The member asked does not answer, or not well: catchup_start may name another.
     * On the raft loop. */
    void (*trouble)(void *ctx);
    /* What it came to: 0 when the group holds the copy. */
    void (*done)(void *ctx, int status);
    void *ctx;
};

/* Before the loops run. */
struct catchup *catchup_new(const struct catchup_config *config);
void catchup_set_peers(struct catchup *c, struct peers *peers);
/* A copy that holds at least entry `index`, from a member. */
void catchup_start(struct catchup *c, uint64_t member_id, uint64_t index);
/* The peer loop: what is under way is given up and nothing new begins. */
void catchup_stop(struct catchup *c);
/* After both loops have stopped. NULL-safe. */
void catchup_free(struct catchup *c);

/* Bytes fetched and to fetch; both 0 when nothing is. Any thread. */
void catchup_progress(const struct catchup *c, uint64_t *out_got, uint64_t *out_total);

#endif
