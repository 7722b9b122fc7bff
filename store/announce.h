/*
 * Tells the other members where this one is, until they have heard: often while no leader is known
 * here, now and then for ever. A member that moved is found again this way, and one that was
 * removed while it was away, or that did not see it happen, learns that it is no member any more.
 *
 * Thread: the peer loop.
 */
#ifndef STORE_ANNOUNCE_H
#define STORE_ANNOUNCE_H

#include "base/env.h"
#include "store/store.h"

struct announcer;
struct peers;

#define ANNOUNCE_LOST_MS   1000  /* no leader is known, or nobody has heard yet */
#define ANNOUNCE_STEADY_MS 10000 /* else */

struct announcer_config {
    struct env_loop *loop;
    struct peers *peers;
    const struct store_member *self;   /* borrowed: where this member is */
    struct store_group *const *groups; /* by enum store_group_id */
    void (*removed)(void *ctx);        /* once: a member knows that this one is none */
    void *ctx;
};

/* Before the loop runs. */
struct announcer *announcer_new(const struct announcer_config *config);
/* Peer loop: nothing is said any more. NULL-safe, as is free. */
void announcer_stop(struct announcer *a);
void announcer_free(struct announcer *a); /* after the loop has stopped */

#endif
