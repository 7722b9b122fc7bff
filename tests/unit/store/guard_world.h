/*
 * libraft and the guard over a backend that does what a test says: what was sent and appended is
 * kept here, and completes when the test completes it.
 */
#ifndef TESTS_UNIT_STORE_GUARD_WORLD_H
#define TESTS_UNIT_STORE_GUARD_WORLD_H

#include <raft.h>

#include "store/guard.h"

#define VOTERS    3
#define NAMES_MAX 5
#define LOG_MAX   8
#define SENT_MAX  64

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
    unsigned servers;    /* of the configuration: voters 1.. */
    unsigned changed_to; /* servers of a change at index 2; 0: none */
    /* What happened. */
    struct raft_message sent[SENT_MAX];
    unsigned sent_count;
    struct raft_io_send *sends[SENT_MAX];
    struct raft_io_append *appends[LOG_MAX];
    unsigned appends_count;
    unsigned short appended_type;
    int truncations;
    unsigned fatal;
    unsigned offers; /* install events */
    raft_index offered;
    bool covers; /* answered to later offers */
    unsigned installs;
    raft_index installed; /* as last told */
    unsigned canceled_work;
    unsigned asides;
    struct raft_io_snapshot_put *put;
    struct raft_snapshot put_snapshot; /* as given: borrowed */
    unsigned ready;
    unsigned edges;
    unsigned applied;
    int fail_append; /* returned by append */
    int fail_send;   /* returned by send */
    int fail_term;   /* returned by set_term */
};

/* Member 1 of three, in `term`, with entries of these terms after the configuration. */
struct guard_world *guard_world_new(unsigned rules, raft_term term, const raft_term *terms,
                                    unsigned count);
/* The log is the configuration of `servers` voters, and a change to so many: 0: none. */
struct guard_world *guard_world_new_changed(unsigned rules, unsigned servers, unsigned changed_to);
void guard_world_free(struct guard_world *w);
void guard_world_finish_sends(struct guard_world *w, int status);
void guard_world_finish_append(struct guard_world *w, unsigned i, int status);
void guard_world_receive(struct guard_world *w, raft_id from, struct raft_message m);
void guard_world_receive_entries(struct guard_world *w, raft_id from, raft_term term,
                                 raft_index prev, raft_term prev_term, unsigned n);
/* An offered snapshot of members 1 to 3. */
void guard_world_receive_snapshot(struct guard_world *w, raft_id from, raft_term term,
                                  raft_index index, raft_term index_term);
void guard_world_finish_put(struct guard_world *w, int status);
/* Entries of this type and these bytes; of members 1 to `servers` for a RAFT_CHANGE. */
void guard_world_receive_change(struct guard_world *w, raft_id from, raft_term term,
                                raft_index prev, raft_term prev_term, unsigned servers);
/* The last message sent of this type, or NULL. */
const struct raft_message *guard_world_last(const struct guard_world *w, unsigned short type);
void guard_world_receive_result(struct guard_world *w, raft_id from, raft_index last);
void guard_world_receive_vote(struct guard_world *w, raft_id from, bool pre_vote);
void guard_world_campaign(struct guard_world *w);
void guard_world_lead(struct guard_world *w);
/* Leads, with the own-term barrier committed. */
void guard_world_lead_ready(struct guard_world *w);

#endif
