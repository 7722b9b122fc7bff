/*
 * Log segments of raft_uv, prepared so that an append overwrites blocks that are already written.
 * raft_segment.c says how.
 */
#ifndef STORE_RAFT_SEGMENT_H
#define STORE_RAFT_SEGMENT_H

/* From raft_node_open: makes the preparation part of every program that opens a log. */
void raft_segment_prepare(void);

#endif
