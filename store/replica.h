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
#include "store/group.h"
#include "store/handover.h"
#include "store/housekeeping.h"
#include "store/membership_news.h"
#include "store/proposer.h"
#include "store/raft_node.h"
#include "store/readindex.h"
#include "store/reads.h"
#include "store/replica_metrics.h"
#include "store/roster.h"
#include "store/store.h"
#include "store/writes.h"

struct catchup;
struct forwarder;

#define REPLICA_MEMBERS_MS 100 /* a leader looks at the roster so often */

/* Raft's view, for any thread. */
enum replica_gauge {
    REPLICA_LEADER,
    REPLICA_TERM,
    REPLICA_COMMIT,
    REPLICA_READY, /* a leader is known, and all it had committed then is published here */
    REPLICA_HELD,
    REPLICA_BEHIND,
    REPLICA_GAUGES
};

struct replica {
    struct env *env;
    struct env_loop *loop;
    struct store_group *group;
    uint64_t member_id;
    const struct roster *roster; /* the raft loop's: who the members shall be */
    void (*fetch)(void *ctx, struct replica *r, uint64_t from, uint64_t index);
    bool (*may_remove)(void *ctx, const struct replica *r, uint64_t id);
    void *ctx;
    struct raft_node *node;
    struct proposer proposer;
    struct readindex readindex;
    struct forwarder *forwarder;
    const struct catchup *catchup; /* its progress; NULL: none. Set before the loops run */
    struct links *links;           /* NULL: a single member */
    struct reads reads;
    struct writes writes;
    struct store_leadership *listeners;
    uint64_t told; /* 0, or the term whose leadership was announced */
    struct housekeeping house;
    const struct store_config *config; /* borrowed */
    uint64_t members_ms;
    struct membership_news news;
    const char *name; /* of this member */
    _Atomic uint64_t gauges[REPLICA_GAUGES];
    struct replica_measure measure;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
    struct handover handover;
    void (*handed_over)(void *ctx);
    void *handed_over_ctx;
};

struct replica_config {
    struct env *env;
    struct env_loop *raft_loop;
    const struct store_config *store; /* borrowed for the replica's life */
    enum store_group_id id;
    struct forwarder *forwarder;
    const struct roster *roster; /* borrowed; changes on the raft loop only */
    /* This member is too far behind: fetch a copy of at least `index` from a member, install it,
     * then call replica_caught_up. On the raft loop. */
    void (*fetch)(void *ctx, struct replica *r, uint64_t from, uint64_t index);
    /* May a server be removed from this group now? On the raft loop; NULL: yes. */
    bool (*may_remove)(void *ctx, const struct replica *r, uint64_t id);
    void *ctx;
};

/* Opens the group's state and log. Blocking: before the loops run. */
int replica_open(const struct replica_config *config, struct replica **out, struct err *e);
/* Where a group's state lies. */
void replica_state_folder(const struct store_config *config, enum store_group_id id, char *out,
                          size_t len);
/* Asks another member to lead, if this one does, and goes on; done runs on the loop, later. Before
 * replica_quiesce. */
void replica_hand_over(struct replica *r, void (*done)(void *ctx), void *ctx);
/* Before the loops run. */
void replica_set_links(struct replica *r, struct links *links);
/* Stops taking writes and reads; what waits fails. Leadership is over for its listeners. */
void replica_quiesce(struct replica *r);
/* After that: hands leadership over if it can, closes the node; closed runs on the loop. */
void replica_close(struct replica *r, void (*closed)(void *ctx), void *ctx);
/* After the raft loop has stopped. */
void replica_free(struct replica *r);

/* What fetch came to: 0 once the group holds the copy. Raft loop. */
void replica_caught_up(struct replica *r, int status);
/* Whom fetch asks does not answer well: another is named if another leads. Raft loop. */
void replica_fetch_trouble(struct replica *r);
/* Something outside moved (the roster): look again soon. Raft loop. */
void replica_poke(struct replica *r);

/* The replica of a group. Any thread. */
uint64_t replica_gauge(const struct replica *r, enum replica_gauge which);
struct replica *replica_of(struct store_group *g);
void replica_add_listener(struct replica *r, struct store_leadership *l); /* any thread */
void replica_status(struct replica *r, struct store_status *out);         /* any thread */

#endif
