/* The guard on what is sent (G11 to G14, G20): see guard_test.c. */
#include <raft.h>
#include <string.h>

#include "store/guard.h"
#include "tests/unit/store/guard_world.h"
#include "tests/unit/unit.h"

static const raft_term two_of_term_1[] = { 1, 1 };

static void on_applied(struct raft_apply *req, int status, void *result)
{
    (void)req;
    (void)status;
    (void)result;
}

static void apply_one(struct guard_world *w, struct raft_apply *req)
{
    struct raft_buffer buf = { raft_calloc(1, 8), 8 };

    assert_int_equal(raft_apply(&w->raft, req, &buf, 1, on_applied), 0);
    guard_check(&w->guard);
}

/* The last AppendEntries to a peer. */
static const struct raft_append_entries *last_to(const struct guard_world *w, raft_id id)
{
    for (unsigned i = w->sent_count; i > 0; i--)
        if (w->sent[i - 1].type == RAFT_IO_APPEND_ENTRIES && w->sent[i - 1].server_id == id)
            return &w->sent[i - 1].append_entries;
    return NULL;
}

/* Leads with peers 2 and 3 in step at index 2, and nothing on its way. */
static struct guard_world *leading(unsigned rules)
{
    struct guard_world *w = guard_world_new(rules, 1, NULL, 0);

    guard_world_lead_ready(w);
    guard_world_receive_result(w, 3, raft_last_index(&w->raft));
    guard_world_finish_sends(w, 0);
    return w;
}

static void test_window_cuts(void **state)
{
    struct guard_world *w = leading(GUARD_ALL_RULES);
    struct raft_progress *progress = &w->raft.leader_state.progress[1];
    struct raft_apply reqs[5];

    (void)state;
    w->guard.window_bytes = 16;
    for (int i = 0; i < 5; i++) {
        apply_one(w, &reqs[i]);
        guard_world_finish_append(w, w->appends_count - 1, 0);
    }
    /* Indexes 3 and 4 are on their way, the rest waits. */
    assert_int_equal(last_to(w, 2)->prev_log_index, 3);
    assert_int_equal(progress->next_index, 5);
    guard_world_finish_sends(w, 0);
    assert_int_equal(w->guard.write_bytes, 0);
    guard_world_receive_result(w, 2, 4);
    /* What is left is longer than the window: its first part, and the library knows. */
    assert_int_equal(last_to(w, 2)->prev_log_index, 4);
    assert_int_equal(last_to(w, 2)->n_entries, 2);
    assert_int_equal(last_to(w, 2)->leader_commit, 4);
    assert_int_equal(progress->next_index, 7);
    guard_world_free(w);
}

static void test_window_is_each_peers_own(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);
    struct raft_entry entry = { .buf = { NULL, GUARD_WINDOW_BYTES / 2 + 1 } };
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES,
                              .server_id = 2,
                              .server_address = "2" };
    struct raft_io_send sends[2] = { 0 };

    (void)state;
    m.append_entries.entries = &entry;
    m.append_entries.n_entries = 1;
    assert_int_equal(w->guard.io.send(&w->guard.io, &sends[0], &m, NULL), 0);
    assert_int_equal(w->guard.io.send(&w->guard.io, &sends[1], &m, NULL), RAFT_NOCONNECTION);
    m.server_id = 1000003; /* ids are never used again: they grow */
    m.server_address = "3";
    assert_int_equal(w->guard.io.send(&w->guard.io, &sends[1], &m, NULL), 0);
    guard_world_finish_sends(w, 0);
    m.server_id = 2;
    m.server_address = "2";
    assert_int_equal(w->guard.io.send(&w->guard.io, &sends[0], &m, NULL), 0);
    guard_world_free(w);
}

/* Peers come and go: the table never fills with those that have nothing under way. */
static void test_peers_are_forgotten(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);
    struct raft_entry entry = { .buf = { NULL, 8 } };
    struct raft_io_send sends[GUARD_SERVERS_MAX + 1] = { 0 };
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES, .server_address = "x" };

    (void)state;
    m.append_entries.entries = &entry;
    m.append_entries.n_entries = 1;
    for (raft_id id = 100; id < 100 + 3 * GUARD_SERVERS_MAX; id++) {
        m.server_id = id;
        assert_int_equal(w->guard.io.send(&w->guard.io, &sends[0], &m, NULL), 0);
        guard_world_finish_sends(w, 0);
    }
    for (unsigned i = 0; i < GUARD_SERVERS_MAX; i++) {
        m.server_id = 200 + i;
        assert_int_equal(w->guard.io.send(&w->guard.io, &sends[i], &m, NULL), 0);
    }
    m.server_id = 300;
    assert_int_equal(w->guard.io.send(&w->guard.io, &sends[GUARD_SERVERS_MAX], &m, NULL),
                     RAFT_NOCONNECTION);
    guard_world_free(w);
}

static void test_probes_from_the_end(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        unsigned rules = on ? GUARD_ALL_RULES : GUARD_ALL_RULES & ~(unsigned)GUARD_PROBE_END;
        struct guard_world *w = guard_world_new(rules, 1, two_of_term_1, 2);

        guard_world_lead(w);
        guard_world_finish_sends(w, RAFT_NOCONNECTION);
        /* Index 2 of the configuration: member 3, which never answered. */
        assert_int_equal(w->raft.leader_state.progress[2].next_index,
                         on ? raft_last_index(&w->raft) + 1 : 1);
        guard_world_free(w);
    }
}

static void test_commit_is_told(void **state)
{
    struct guard_world *w = leading(GUARD_ALL_RULES);
    struct raft_apply req;

    (void)state;
    (void)guard_tell_commit(&w->guard);
    guard_world_finish_sends(w, 0);
    apply_one(w, &req);
    guard_world_finish_append(w, w->appends_count - 1, 0);
    guard_world_finish_sends(w, 0);
    assert_false(guard_tell_commit(&w->guard));
    assert_int_equal(w->sent_count, 0); /* not committed */
    guard_world_receive_result(w, 2, 3);
    assert_true(guard_tell_commit(&w->guard));
    assert_int_equal(w->sent_count, 1); /* the other would not understand yet */
    assert_int_equal(last_to(w, 2)->leader_commit, 3);
    assert_int_equal(last_to(w, 2)->prev_log_index, 3);
    assert_false(guard_tell_commit(&w->guard));
    assert_int_equal(w->sent_count, 1);
    guard_world_receive_result(w, 3, 3);
    assert_true(guard_tell_commit(&w->guard));
    assert_int_equal(w->sent_count, 2);
    assert_int_equal(last_to(w, 3)->leader_commit, 3);
    guard_world_free(w);
}

static void tick_after(struct guard_world *w, unsigned ms)
{
    for (; ms >= 100; ms -= 100) {
        guard_world_finish_sends(w, 0);
        w->now += 100;
        w->tick(&w->backend);
    }
}

/* A heartbeat asks for what is confirmed while entries are on their way. */
static void test_heartbeats_before_entries(void **state)
{
    static const struct {
        unsigned ms;
        bool lost;
        raft_index asked;
    } cases[] = { { 300, false, 2 }, { 1200, false, 3 }, { 300, true, 3 } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guard_world *w = leading(GUARD_ALL_RULES);
        struct raft_apply req;

        apply_one(w, &req);
        guard_world_finish_append(w, w->appends_count - 1, 0);
        assert_int_equal(last_to(w, 3)->n_entries, 1);
        guard_world_finish_sends(w, 0);
        guard_world_receive_result(w, 2, 3);
        if (cases[i].lost)
            guard_peer_lost(&w->guard, 3);
        w->raft.leader_state.progress[1].recent_recv = true;
        tick_after(w, cases[i].ms);
        assert_int_equal(last_to(w, 3)->n_entries, 0);
        assert_int_equal(last_to(w, 3)->prev_log_index, cases[i].asked);
        assert_int_equal(last_to(w, 3)->leader_commit, cases[i].asked);
        guard_world_free(w);
    }
}

/* However many entries are sent, a heartbeat leaves each heartbeat. */
static void test_heartbeats_beside_entries(void **state)
{
    struct guard_world *w = leading(GUARD_ALL_RULES);
    struct raft_apply reqs[4];
    unsigned beats = 0;

    (void)state;
    for (int i = 0; i < 4; i++) {
        w->now += 50;
        apply_one(w, &reqs[i]);
        guard_world_finish_append(w, w->appends_count - 1, 0);
        w->now += 50;
        w->tick(&w->backend);
        beats += last_to(w, 2)->n_entries == 0 ? 1 : 0;
        guard_world_finish_sends(w, 0);
    }
    assert_int_equal(beats, 4);
    guard_world_free(w);
}

/* Sent entries to a peer, since sends were finished last. */
static unsigned entries_to(const struct guard_world *w, raft_id id)
{
    unsigned n = 0;

    for (unsigned i = 0; i < w->sent_count; i++)
        if (w->sent[i].type == RAFT_IO_APPEND_ENTRIES && w->sent[i].server_id == id)
            n += w->sent[i].append_entries.n_entries;
    return n;
}

/* Probing: what is on its way is not sent with each heartbeat, and is when it was rejected. */
static void test_probing_sends_once(void **state)
{
    struct guard_world *w = leading(GUARD_ALL_RULES);
    struct raft_progress *progress = &w->raft.leader_state.progress[2];
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES_RESULT };
    struct raft_apply req;

    (void)state;
    progress->state = 0; /* probing */
    progress->last_send = w->now;
    apply_one(w, &req);
    guard_world_finish_append(w, w->appends_count - 1, 0);
    assert_int_equal(entries_to(w, 3), 0);
    tick_after(w, 100);
    assert_int_equal(entries_to(w, 3), 1);
    for (int i = 0; i < 3; i++) {
        tick_after(w, 100);
        assert_int_equal(entries_to(w, 3), 0);
        assert_int_equal(last_to(w, 3)->prev_log_index, 2);
    }
    m.append_entries_result.term = w->raft.current_term;
    m.append_entries_result.rejected = 2;
    m.append_entries_result.last_log_index = 1;
    guard_world_receive(w, 3, m);
    tick_after(w, 100);
    assert_int_equal(entries_to(w, 3), 2);
    guard_world_free(w);
}

static void on_transferred(struct raft_transfer *req)
{
    (void)req;
}

static void test_timeout_now_waits(void **state)
{
    struct guard_world *w = leading(GUARD_ALL_RULES);
    struct raft_transfer transfer;
    struct raft_apply req;

    (void)state;
    apply_one(w, &req);
    guard_world_finish_append(w, w->appends_count - 1, 0);
    assert_int_equal(raft_transfer(&w->raft, &transfer, 2, on_transferred), 0);
    guard_check(&w->guard);
    assert_null(guard_world_last(w, RAFT_IO_TIMEOUT_NOW));
    guard_world_receive_result(w, 2, 3);
    assert_non_null(guard_world_last(w, RAFT_IO_TIMEOUT_NOW));
    assert_int_equal(guard_world_last(w, RAFT_IO_TIMEOUT_NOW)->timeout_now.last_log_index, 3);
    /* The library's request is not in any message's hands. */
    memset(&transfer, 0xff, sizeof(transfer.send));
    guard_world_finish_sends(w, 0);
    guard_world_free(w);
}

/* A refused reply to a message with entries: the library would free them twice. */
static void test_unsent_reply_is_lost(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    w->fail_send = RAFT_NOCONNECTION;
    guard_world_receive_entries(w, 2, 2, 7, 2, 3);
    w->fail_send = RAFT_IOERR;
    guard_world_receive_entries(w, 2, 2, 7, 2, 3);
    w->fail_send = 0;
    assert_int_equal(w->raft.state, RAFT_FOLLOWER);
    assert_int_equal(w->fatal, 0);
    guard_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window_cuts),
        cmocka_unit_test(test_window_is_each_peers_own),
        cmocka_unit_test(test_peers_are_forgotten),
        cmocka_unit_test(test_probes_from_the_end),
        cmocka_unit_test(test_commit_is_told),
        cmocka_unit_test(test_heartbeats_before_entries),
        cmocka_unit_test(test_heartbeats_beside_entries),
        cmocka_unit_test(test_probing_sends_once),
        cmocka_unit_test(test_timeout_now_waits),
        cmocka_unit_test(test_unsent_reply_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
