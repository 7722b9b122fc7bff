/*
 * libraft and the guard over a backend that does what a test says: what was sent and appended is
 * kept here, and completes when the test completes it.
 */
#ifndef TESTS_UNIT_STORE_GUARD_WORLD_H
#define TESTS_UNIT_STORE_GUARD_WORLD_H

#include <raft.h>

#include "store/guard.h"

#define VOTERS   3
#define LOG_MAX  8
#define SENT_MAX 64

struct guard_world {
    struct raft raft;
    struct raft_io backend;
    struct raft_fsm fsm;
    struct guard guard;
    raft_io_tick_cb tick;
    raft_io_recv_cb recv;
    raft_time now;
    /* What is on disk at start: index 2.. after the configuration. */
    raft_term terms[LOG_MAX];
    unsigned terms_count;
    raft_term term;
    /* What happened. */
    struct raft_message sent[SENT_MAX];
    unsigned sent_count;
    struct raft_io_send *sends[SENT_MAX];
    struct raft_io_append *appends[LOG_MAX];
    unsigned appends_count;
    unsigned short appended_type;
    int truncations;
    unsigned fatal;
    unsigned behind;
    unsigned ready;
    unsigned edges;
    unsigned applied;
    int fail_append; /* returned by append */
};

/* Member 1 of three, in `term`, with entries of these terms after the configuration. */
struct guard_world *guard_world_new(unsigned rules, raft_term term, const raft_term *terms,
                                    unsigned count);
void guard_world_free(struct guard_world *w);
void guard_world_finish_sends(struct guard_world *w, int status);
void guard_world_finish_append(struct guard_world *w, unsigned i, int status);
void guard_world_receive(struct guard_world *w, raft_id from, struct raft_message m);
void guard_world_receive_entries(struct guard_world *w, raft_id from, raft_term term,
                                 raft_index prev, raft_term prev_term, unsigned n);
void guard_world_receive_result(struct guard_world *w, raft_id from, raft_index last);
void guard_world_receive_vote(struct guard_world *w, raft_id from, bool pre_vote);
void guard_world_campaign(struct guard_world *w);
void guard_world_lead(struct guard_world *w);
/* Leads, with the own-term barrier committed. */
void guard_world_lead_ready(struct guard_world *w);

#endif
