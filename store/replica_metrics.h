/* The gauges of a group, set on the raft loop from what lies there: group_metrics.h says what. */
#ifndef STORE_REPLICA_METRICS_H
#define STORE_REPLICA_METRICS_H

#include <stdint.h>

struct raft_view;
struct replica;

#define REPLICA_MEASURE_MS  250
#define REPLICA_READS_MS    60000 /* store_read_longest_seconds: of this, and the one before */
#define REPLICA_LOG_WALK_MS 5000  /* the log in memory is walked so often */

struct replica_measure {
    uint64_t due_ms;
    uint64_t walk_ms;
    uint64_t reads_ms;
    uint64_t longest_ns;        /* in this window */
    uint64_t longest_before_ns; /* in the one before */
};

/* Every turn; does something REPLICA_MEASURE_MS after the last time. */
void replica_measure(struct replica *r, const struct raft_view *v);

#endif
