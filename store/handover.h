/*
 * Handing a group's leadership over before this member stops, so that writes wait for an election
 * of milliseconds and not for its timeout.
 *
 * The most caught-up voter is asked to lead (raft_node_transfer), again when that came to nothing,
 * until this member knows another leader. Meanwhile it takes what it is given: writes wait in its
 * queue and go to the new leader. What was proposed is committed before the other one is asked
 * (guard.h, G14), so no write's outcome is lost by it.
 *
 * Thread: the raft loop.
 */
#ifndef STORE_HANDOVER_H
#define STORE_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"

struct raft_node;

#define HANDOVER_MS      1000 /* for a successor to take over */
#define HANDOVER_POLL_MS 10

struct handover {
    struct env_loop *loop;
    struct raft_node *node;
    struct env_timer timer;
    bool led; /* at some time since it began */
    bool settle;
    uint64_t began_ms;
    void (*done)(void *ctx, int status);
    void *ctx;
};

void handover_init(struct handover *h, struct env_loop *loop);
void handover_deinit(struct handover *h); /* done is not called any more */
/* done runs once, later; one under way ends first, with -ERR_CANCELED. settle: while nobody leads,
 * an election may be under way that this member wins: it waits for who does. 0: another member
 * leads, or this one did not; -ERR_NOT_FOUND: no other member can; -ERR_TIMEOUT: none did within
 * HANDOVER_MS. */
void handover_begin(struct handover *h, struct raft_node *node, bool settle,
                    void (*done)(void *ctx, int status), void *ctx);
/* Something moved: looks at once. */
void handover_turn(struct handover *h);

#endif
