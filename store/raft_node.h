/*
 * One group's libraft behind the guard, over our own log and links (raft_disk.h), on the raft loop.
 *
 * Entries are padded to 8 bytes (entry_end does it) and go in as one buffer each. Callbacks of the
 * library only note and post: everything that may call it again runs from on_turn, a message of the
 * raft loop. Committed entries go to group_apply; indexes at or below the durable one are skipped.
 *
 * Log compaction. libraft's snapshot is a manifest (group.h); it is stored only when the applier is
 * durable up to it, and the newest RAFT_RETAIN_BYTES of entries stay in the log behind it. A member
 * that needs older ones is offered the manifest: the guard holds the offer, on_behind asks the
 * owner to fetch a copy of the state that is at least as new, and raft_node_caught_up lets libraft
 * install the manifest, which by then is only a note. It acknowledges nothing that it does not
 * hold.
 *
 * A restart loads the log, restores the manifest and waits for the leader's commit index: the state
 * machine skips what it holds. A first start (config.found) makes a log whose first entry is the
 * identical configuration; a member that joins starts with an empty log and waits for a leader. A
 * log that is corrupt, or that lost what this member had applied, is never repaired by guessing:
 * the open fails and says what to do.
 *
 * A full disk holds writes: see wal.h and guard_held. Any other write error ends the process.
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
#define RAFT_RETAIN_BYTES   (32u << 20)
#define RAFT_RETAIN_ENTRIES 65536u
/* And for one that fetches a copy of the state, from the copy on. */
#define RAFT_PINNED_BYTES (512u << 20)
/* A snapshot is due when a quarter of either was applied since the last. */
#define RAFT_HEARTBEAT_MS 50
#define RAFT_ELECTION_MS  500

struct raft_message;
struct raft_node;
struct wal_stats;

struct raft_node_config {
    struct env *env;
    struct env_loop *loop;
    struct store_group *group;
    const char *folder; /* of the log; made when missing */
    uint64_t member_id;
    const char *member_name;
    /* The first configuration: when the folder and the state are empty and this is set. */
    const struct store_member *found_members;
    size_t found_count;
    bool joining;            /* an empty folder is as it should be: a leader will speak first */
    uint32_t heartbeat_ms;   /* 0: RAFT_HEARTBEAT_MS */
    uint32_t election_ms;    /* 0: RAFT_ELECTION_MS */
    size_t retain_bytes;     /* 0: RAFT_RETAIN_BYTES */
    unsigned retain_entries; /* 0: RAFT_RETAIN_ENTRIES */
    const struct store_simulation *simulation; /* borrowed; NULL: none */
    /* On the raft loop, outside the library, after anything may have moved: coalesced. */
    void (*on_turn)(void *ctx);
    /* The leader's log does not reach back to ours: fetch a copy of the state that has applied at
     * least `index`, make it the group's, then call raft_node_caught_up. Called again when the
     * offer is made again. On the raft loop, outside the library. */
    void (*on_behind)(void *ctx, uint64_t leader_id, uint64_t index);
    void *ctx;
};

/* Blocking: before the loop runs. Ends with the log loaded and libraft started. */
int raft_node_open(const struct raft_node_config *config, struct raft_node **out, struct err *e);
/* Raft loop. closed runs there later; then raft_node_free. */
void raft_node_close(struct raft_node *n, void (*closed)(void *ctx), void *ctx);
void raft_node_free(struct raft_node *n); /* the loop has stopped and is not freed yet */

/* What the raft loop may know, any turn. */
struct raft_view {
    uint64_t term;
    uint64_t leader_id; /* 0: none known */
    uint64_t commit_index;
    uint64_t applied_index; /* handed over to the group */
    bool following;         /* is follower (with leader_id's leader, if known) */
    bool leading;           /* is leader, whatever its barrier */
    bool ready;             /* leading, and the own-term barrier is committed and handed over */
    bool behind;            /* a copy of the state is being fetched */
    bool held;              /* the disk is full: nothing is appended, or nothing is applied */
    uint64_t barrier_index; /* ready: index of the own-term barrier */
};
void raft_node_view(const struct raft_node *n, struct raft_view *out);

/* Proposes one entry (padded). Takes bytes' memory in every case. 0: p is the node's until it is
 * handed to the applier (group_apply) or `lost` is called for it: leadership was lost and the
 * outcome is unknown. -ERR_NOT_LEADER: nothing happened, p is still the caller's. */
int raft_node_propose(struct raft_node *n, struct buf *entry, struct proposal *p,
                      void (*lost)(struct proposal *p));
/* For /metrics. */
struct raft_node_load {
    uint64_t last_index;
    uint64_t snapshot_index;
    size_t entries; /* in memory */
    size_t bytes;   /* of them */
};
/* Walks the log in memory. */
void raft_node_load(const struct raft_node *n, struct raft_node_load *out);
/* Proposed and not yet committed here. */
unsigned raft_node_inflight(const struct raft_node *n);
/* The group's newest durable point moved (group_config.on_durable). */
void raft_node_durable(struct raft_node *n);
/* The group's disk is full, or not any more (group_config.on_room). */
void raft_node_state_held(struct raft_node *n, bool held);
/* Followers that could know of everything committed know it now (guard.h, G13). */
void raft_node_tell_commit(struct raft_node *n);
/* Asks a member (0: the most up to date) to lead, if this one leads and is ready. */
void raft_node_transfer(struct raft_node *n, uint64_t member_id);
/* The voter that would be asked, 0: there is none, or this member does not lead. */
uint64_t raft_node_successor(const struct raft_node *n);

/* ---- messages and the copy of the state: raft loop ---- */

struct links;
/* Who carries messages; NULL: nobody. Before the loop runs, and NULL again before links_close. */
void raft_node_set_links(struct raft_node *n, struct links *links);
void raft_node_receive(struct raft_node *n, struct raft_message *m);
/* The connection for entries to a member broke. */
void raft_node_peer_lost(struct raft_node *n, uint64_t member_id);
/* Its process has most likely ended. */
void raft_node_peer_gone(struct raft_node *n, uint64_t member_id);
/* After on_behind: the group has the copy (0), or it was given up. */
void raft_node_caught_up(struct raft_node *n, int status);
/* It does not come from whom it is asked: on_behind is called again if another leads by now. */
void raft_node_behind_trouble(struct raft_node *n);

/* ---- the configuration: raft loop ---- */

#define RAFT_SERVERS_MAX 16

struct raft_server_view {
    uint64_t id;
    char name[64];
    int role; /* RAFT_VOTER, RAFT_STANDBY, RAFT_SPARE */
    /* On a leader: the newest entry that it has, and whether it was heard of lately. */
    uint64_t match_index;
    bool heard;
};
/* The newest configuration in the log, committed or not; its number of servers. */
size_t raft_node_servers(const struct raft_node *n, struct raft_server_view *out, size_t max);
bool raft_node_settled(const struct raft_node *n); /* that configuration is committed */
/* Its index then; 0: it is not, or there is none. */
uint64_t raft_node_configuration_index(const struct raft_node *n);
bool raft_node_may_change(const struct raft_node *n); /* leads, and no change is under way */

uint64_t raft_node_last_index(const struct raft_node *n);

/* One change of one server; what came of it shows in raft_node_servers. -ERR_NOT_LEADER;
 * -ERR_AGAIN: another change is under way; -ERR_INVALID_ARGUMENT: the library refuses. */
int raft_node_add(struct raft_node *n, uint64_t id, const char *name); /* as SPARE */
int raft_node_assign(struct raft_node *n, uint64_t id, int role);
int raft_node_remove(struct raft_node *n, uint64_t id);

void raft_node_log_stats(struct raft_node *n, struct wal_stats *out); /* any thread */

#endif
