/*
 * One group's libraft over raft_uv behind the guard, on the raft loop.
 *
 * Entries are padded to 8 bytes (entry_end does it) and go in as one buffer each. Callbacks of the
 * library only note and post: everything that may call it again runs from on_turn, a message of the
 * raft loop. Committed entries go to group_apply; indexes at or below the durable one are skipped.
 *
 * Log compaction. libraft's snapshot is a manifest (group.h); it is stored only when the applier is
 * durable up to it, and the newest RAFT_RETAIN_BYTES of entries stay in the log behind it. With
 * raft_uv nothing carries the data itself yet: a member that needs entries older than the others
 * kept is refused the snapshot, says so (status behind, an error in the log, never ready) and
 * applies nothing more; its operator copies another member's data folder. It never diverges.
 *
 * A restart loads the log, restores the manifest and waits for the leader's commit index: the state
 * machine skips what it holds. A first start bootstraps every member with the identical
 * configuration. A crash between bootstrap's two writes leaves a term without log; that folder is
 * recognized and bootstrapped again. A log that lost its beginning or is corrupt is never repaired
 * by guessing (auto recovery is off): the open fails.
 */
#ifndef STORE_RAFT_NODE_H
#define STORE_RAFT_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "store/group.h"
#include "store/store.h"

/* Entries kept in memory and on disk for members that lag. */
#define RAFT_RETAIN_BYTES   (64u << 20)
#define RAFT_RETAIN_ENTRIES 65536u
/* A snapshot is due when so many bytes were applied since the last. */
#define RAFT_SNAPSHOT_BYTES (RAFT_RETAIN_BYTES / 4)
#define RAFT_HEARTBEAT_MS   50
#define RAFT_ELECTION_MS    500

struct raft_node;

struct raft_node_config {
    struct env *env;
    struct env_loop *loop;
    struct store_group *group;
    const char *folder;        /* of the log; made when missing */
    const char *socket_folder; /* raft_transport.h */
    uint64_t member_id;
    const struct store_member *members; /* borrowed for the node's life */
    size_t members_count;
    uint32_t heartbeat_ms; /* 0: RAFT_HEARTBEAT_MS */
    uint32_t election_ms;  /* 0: RAFT_ELECTION_MS */
    /* On the raft loop, outside the library, after anything may have moved: coalesced. */
    void (*on_turn)(void *ctx);
    void *ctx;
};

/* Blocking: before the loop runs. Ends with the log loaded and libraft started. */
int raft_node_open(const struct raft_node_config *config, struct raft_node **out, struct err *e);
/* Raft loop. closed runs there later; then raft_node_free. */
void raft_node_close(struct raft_node *n, void (*closed)(void *ctx), void *ctx);
void raft_node_free(struct raft_node *n);

/* What the raft loop may know, any turn. */
struct raft_view {
    uint64_t term;
    uint64_t leader_id; /* 0: none known */
    uint64_t commit_index;
    uint64_t applied_index; /* handed over to the group */
    bool following;         /* is follower (with leader_id's leader, if known) */
    bool leading;           /* is leader, whatever its barrier */
    bool ready;             /* leading, and the own-term barrier is committed and handed over */
    bool behind;            /* refused a snapshot: cannot catch up */
    uint64_t barrier_index; /* ready: index of the own-term barrier */
};
void raft_node_view(const struct raft_node *n, struct raft_view *out);

/* Proposes one entry (padded). Takes bytes' memory in every case. 0: p is the node's until it is
 * handed to the applier (group_apply) or `lost` is called for it: leadership was lost and the
 * outcome is unknown. -ERR_NOT_LEADER: nothing happened, p is still the caller's. */
int raft_node_propose(struct raft_node *n, struct buf *entry, struct proposal *p,
                      void (*lost)(struct proposal *p));
/* Proposed and not yet committed here. */
unsigned raft_node_inflight(const struct raft_node *n);
/* The group's newest durable point moved (group_config.on_durable). */
void raft_node_durable(struct raft_node *n);
/* Asks another member to lead, if this one leads and is ready. */
void raft_node_transfer(struct raft_node *n);

#endif
