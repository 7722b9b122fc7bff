/*
 * One group's consensus half: node, proposer, read points, leadership, and what every other part of
 * store/ needs of it. group_set_raft(group, replica) ties it to the state half.
 *
 * Thread: the raft loop unless said otherwise. The gauges are its state for other threads.
 */
#ifndef STORE_REPLICA_H
#define STORE_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "base/metrics.h"
#include "store/group.h"
#include "store/proposer.h"
#include "store/raft_node.h"
#include "store/readindex.h"
#include "store/store.h"

struct forwarder;

#define REPLICA_CHECK_MS        60000 /* a digest check is proposed so often by a leader */
#define REPLICA_COMPACT_MS      10000
#define REPLICA_COMPACT_OPS_MAX 16

/* Gauges: raft's view for any thread and for /metrics. */
enum replica_gauge {
    REPLICA_LEADER,
    REPLICA_TERM,
    REPLICA_COMMIT,
    REPLICA_APPLIED,
    REPLICA_READY, /* a leader is known, and all it had committed then is published here */
    REPLICA_GAUGES
};

struct replica {
    struct env *env;
    struct env_loop *loop;
    struct store_group *group;
    uint64_t member_id;
    struct raft_node *node;
    struct proposer proposer;
    struct readindex readindex;
    struct forwarder *forwarder; /* NULL: a single member */
    struct store_leadership *listeners;
    uint64_t told; /* 0, or the term whose leadership was announced */
    uint64_t check_ms;
    uint64_t compact_ms;
    struct env_msg durable;
    struct metric gauges[REPLICA_GAUGES];
    struct metric *gauge_table[REPLICA_GAUGES + 1];
    char labels[32];
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
    struct env_timer close_timer;
    uint64_t close_ms;
};

struct replica_config {
    struct env *env;
    struct env_loop *raft_loop;
    const struct store_config *store; /* borrowed for the replica's life */
    enum store_group_id id;
    struct forwarder *forwarder; /* may be NULL */
};

/* Opens the group's state and log. Blocking: before the loops run. */
int replica_open(const struct replica_config *config, struct replica **out, struct err *e);
/* Stops taking writes and reads; what waits fails. Leadership is over for its listeners. */
void replica_quiesce(struct replica *r);
/* After that: hands leadership over if it can, closes the node; closed runs on the loop. */
void replica_close(struct replica *r, void (*closed)(void *ctx), void *ctx);
/* After the raft loop has stopped. */
void replica_free(struct replica *r);

/* The replica of a group. Any thread. */
struct replica *replica_of(struct store_group *g);
void replica_add_listener(struct replica *r, struct store_leadership *l); /* any thread */
void replica_status(struct replica *r, struct store_status *out);         /* any thread */

#endif
