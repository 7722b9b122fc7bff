/* What a raft node is made of; for raft_node.c, raft_open.c and raft_change.c only. */
#ifndef STORE_RAFT_NODE_STATE_H
#define STORE_RAFT_NODE_STATE_H

#include <raft.h>

#include "base/list.h"
#include "base/log.h"
#include "store/guard.h"
#include "store/leadership.h"
#include "store/raft_disk.h"
#include "store/raft_node.h"

#define RAFT_SNAPSHOT_NEVER (1u << 31)

/* One proposed entry until the library is done with its request. */
struct flight {
    struct list node;
    struct raft_apply req;
    struct raft_node *owner;
    struct proposal *proposal; /* NULL once handed over or lost */
    uint64_t proposed_ns;
    void (*lost)(struct proposal *p);
};

struct raft_node {
    struct raft_node_config config;
    struct raft raft;
    struct raft_fsm fsm;
    struct guard guard;
    struct raft_disk *disk;
    struct raft_transfer transfer; /* the library may touch it late: lives as long as the node */
    struct leadership leadership;
    struct list flights;
    unsigned flights_count;
    struct env_msg turn;
    bool turn_posted;
    struct env_timer tell; /* runs: followers were told of a commit lately, */
    raft_index told_index; /* of this one */
    bool behind;           /* an offered snapshot is held until the group has a copy */
    bool behind_asked;     /* the owner was told of this offer */
    bool caught_up;        /* the owner's answer came */
    int caught_status;
    bool continued;        /* the guard was told that the group has it */
    uint64_t behind_index; /* what the copy must hold */
    uint64_t behind_leader;
    struct log_pace behind_said; /* since the last copy that was installed */
    bool held;                   /* log_held or state_held */
    bool log_held;
    bool state_held;
    uint64_t held_ms;          /* since when, or since when not */
    struct raft_change change; /* the library's while change_busy */
    bool change_busy;
    raft_index handed;        /* newest command handed over */
    raft_index barrier_index; /* of the own-term barrier, once ready */
    /* A snapshot waits for the applier (see on_snapshot_work). */
    struct raft_io_async_work *snapshot_work;
    raft_io_async_work_cb snapshot_done;
    raft_index snapshot_index;
    bool snapshot_covered;
    struct point snapshot_point;
    struct raft_buffer snapshot_buf;
    uint8_t manifest[MANIFEST_BYTES];
    size_t bytes_since_snapshot;
    unsigned entries_since_snapshot;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* For raft_open.c: the library's and the guard's view of a node. */
extern const struct guard_events raft_node_events;
void raft_node_fsm(struct raft_node *n);
/* log_held or state_held has changed. */
void raft_node_look_at_held(struct raft_node *n);
void raft_node_on_tell(struct env_timer *t);
/* Something moved: the owner is told on a turn of its own. */
void raft_node_post_turn(struct raft_node *n);

#endif
