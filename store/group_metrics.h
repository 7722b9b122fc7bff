/*
 * What /metrics shows of a group's parts: one row each in group_metrics.c, whose help says what it
 * means when it moves. Counters and histograms are counted where things happen, on any thread;
 * gauges are set by replica_metrics.c on the raft loop, a few times a second.
 *
 * In a process of several members (tests) their counts add up and the last gauge shows.
 */
#ifndef STORE_GROUP_METRICS_H
#define STORE_GROUP_METRICS_H

#include <stdint.h>

#include "base/metrics.h"
#include "store/store.h"

enum group_metric_id {
    /* Writes. */
    GROUP_WRITE_SECONDS,
    GROUP_WRITES_OK,
    GROUP_WRITES_CONFLICT,
    GROUP_WRITES_FENCED,
    GROUP_WRITES_NO_SPACE,
    GROUP_WRITES_TOO_MANY,
    GROUP_WRITES_UNAVAILABLE,
    GROUP_WRITES_UNKNOWN,
    GROUP_WRITES_OTHER,
    GROUP_QUEUE_WRITES,
    GROUP_QUEUE_BYTES,
    GROUP_QUEUE_OLDEST,
    GROUP_INFLIGHT,
    GROUP_QUORUM_SECONDS,
    GROUP_BATCH_COMMANDS,
    GROUP_FORWARD_INFLIGHT,
    GROUP_FORWARD_FAILED,
    GROUP_FORWARD_RETURNED,
    /* The log. */
    GROUP_LOG_QUEUED,
    GROUP_LOG_FLUSHES,
    GROUP_LOG_FLUSH_SECONDS,
    GROUP_LOG_BYTES,
    GROUP_LOG_FILES,
    GROUP_LOG_HELD,
    /* The applier. */
    GROUP_APPLY_QUEUE_BYTES,
    GROUP_APPLY_QUEUE_ENTRIES,
    GROUP_APPLY_BATCH_ENTRIES,
    GROUP_APPLY_SECONDS,
    GROUP_APPLY_LAG,
    GROUP_RING_BYTES,
    GROUP_RING_EVENTS,
    /* Reads. */
    GROUP_READINDEX_WAITING,
    GROUP_READINDEX_ROUNDS,
    GROUP_READINDEX_FAILED,
    GROUP_READINDEX_SECONDS,
    GROUP_READS_OPEN,
    GROUP_READS_LONGEST,
    GROUP_READS_REFUSED,
    /* Raft. */
    GROUP_RAFT_LEADER,
    GROUP_RAFT_LEADING,
    GROUP_RAFT_READY,
    GROUP_RAFT_BEHIND,
    GROUP_RAFT_TERM,
    GROUP_RAFT_COMMIT,
    GROUP_RAFT_APPLIED,
    GROUP_RAFT_LAST,
    GROUP_RAFT_SNAPSHOT,
    GROUP_RAFT_LOG_ENTRIES,
    GROUP_RAFT_LOG_BYTES,
    GROUP_ELECTIONS,
    GROUP_LEADER_CHANGES,
    GROUP_CATCHUP_FETCHED,
    GROUP_CATCHUP_BYTES,
    GROUP_CATCHUP_SECONDS,
    GROUP_METRICS
};

/* Before the first use; again is nothing. At start, before threads run. */
void group_metrics_register(void);
struct metric *group_metric(enum store_group_id group, enum group_metric_id id);
/* A client's write was answered. */
void group_count_write(enum store_group_id group, int status, uint64_t took_ns);

#endif
