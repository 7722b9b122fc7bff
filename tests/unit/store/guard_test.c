/*
 * The guard's rules one by one: real libraft above it, a backend below it that does what each
 * test says (guard_world.h). Here: replies, the own term, ticks, edges, a held log. The other rules
 * are in the tests of the guard's other files; what whole schedules show is in tests/sim.
 */
#include <raft.h>
#include <string.h>

#include "store/guard.h"
#include "tests/unit/store/guard_world.h"
#include "tests/unit/unit.h"

/* A guard that gave up leaves the library as it is: its process ends there. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static const raft_term two_of_term_1[] = { 1, 1 };

static void leaks_expected(bool expected)
{
    void (*call)(void) = expected ? __lsan_disable : __lsan_enable;

    if (call != NULL)
        call();
}

static void test_ack_clamp(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        unsigned rules = on ? GUARD_ALL_RULES : GUARD_ALL_RULES & ~(unsigned)GUARD_ACK_CLAMP;
        struct guard_world *w = guard_world_new(rules, 1, two_of_term_1, 2);

        /* A heartbeat that checked index 1 only, to a log that has 3. */
        guard_world_receive_entries(w, 2, 2, 1, 1, 0);
        assert_int_equal(w->sent[0].type, RAFT_IO_APPEND_ENTRIES_RESULT);
        assert_int_equal(w->sent[0].append_entries_result.rejected, 0);
        assert_int_equal(w->sent[0].append_entries_result.last_log_index, on ? 1 : 3);
        guard_world_free(w);
    }
}

static void test_commit_clamp(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        unsigned rules = on ? GUARD_ALL_RULES : GUARD_ALL_RULES & ~(unsigned)GUARD_ACK_CLAMP;
        struct guard_world *w = guard_world_new(rules, 1, two_of_term_1, 2);
        struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES };

        /* The leader has committed its own 3; this member's 3 was never checked. */
        m.append_entries.term = 2;
        m.append_entries.prev_log_index = 2;
        m.append_entries.prev_log_term = 1;
        m.append_entries.leader_commit = 3;
        guard_world_receive(w, 2, m);
        assert_int_equal(w->raft.commit_index, on ? 2 : 3);
        guard_world_free(w);
    }
}

static void test_own_term(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, two_of_term_1, 2);

    (void)state;
    guard_world_lead(w);
    assert_int_equal(w->appends_count, 1);
    assert_int_equal(w->appended_type, RAFT_BARRIER);
    assert_false(guard_ready(&w->guard));
    /* A majority has the old entries, and the barrier too: not stored here, nothing counts. */
    guard_world_receive_result(w, 2, 4);
    assert_int_equal(w->raft.commit_index, 1);
    guard_world_finish_append(w, 0, 0);
    guard_world_receive_result(w, 3, 3);
    assert_int_equal(w->raft.commit_index, 1);
    guard_world_receive_result(w, 3, 4);
    assert_int_equal(w->raft.commit_index, 4);
    assert_int_equal(w->applied, 2);
    assert_int_equal(w->ready, 1);
    assert_true(guard_ready(&w->guard));
    guard_world_free(w);
}

static void on_applied(struct raft_apply *req, int status, void *result)
{
    (void)result;
    *(int *)req->data = status;
}

static void apply_one(struct guard_world *w, struct raft_apply *req, int *status)
{
    struct raft_buffer buf = { raft_calloc(1, 8), 8 };

    *status = -1;
    req->data = status;
    assert_int_equal(raft_apply(&w->raft, req, &buf, 1, on_applied), 0);
    guard_check(&w->guard);
}

static void test_commit_match(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        unsigned rules = on ? GUARD_ALL_RULES : GUARD_ALL_RULES & ~(unsigned)GUARD_COMMIT_MATCH;
        struct guard_world *w = guard_world_new(rules, 1, NULL, 0);
        struct raft_apply reqs[2];
        int statuses[2];

        guard_world_lead_ready(w);
        for (int i = 0; i < 2; i++) {
            apply_one(w, &reqs[i], &statuses[i]);
            guard_world_finish_append(w, w->appends_count - 1, 0);
        }
        guard_world_receive_result(w, 2, reqs[0].index);
        assert_int_equal(statuses[0], on ? 0 : -1);
        assert_int_equal(statuses[1], -1);
        guard_world_receive_result(w, 2, reqs[1].index);
        assert_int_equal(statuses[1], 0);
        assert_int_equal(w->raft.last_stored, reqs[1].index);
        guard_world_free(w);
    }
}

/* Who is not in this configuration may have joined since; what cannot be true is dropped. */
static void test_senders(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);
    raft_term term;

    (void)state;
    guard_world_receive_entries(w, 4, 9, 1, 1, 1);
    assert_int_equal(w->raft.current_term, 9);
    assert_int_equal(guard_leader(&w->guard), 4);
    guard_world_receive_entries(w, 1, 10, 1, 1, 0); /* itself */
    assert_int_equal(w->raft.current_term, 9);
    guard_world_finish_sends(w, 0);
    guard_world_finish_append(w, 0, 0);
    guard_world_lead_ready(w);
    term = w->raft.current_term;
    guard_world_receive_entries(w, 3, term, 1, 1,
                                1); /* another leader of our term: impossible, so a lie */
    assert_int_equal(w->raft.state, RAFT_LEADER);
    guard_world_free(w);
}

static void test_late_tick_is_skipped(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        unsigned rules = on ? GUARD_ALL_RULES : GUARD_ALL_RULES & ~(unsigned)GUARD_LATE_TICK;
        struct guard_world *w = guard_world_new(rules, 1, NULL, 0);

        w->now += 100;
        w->tick(&w->backend);
        w->now += 5000;
        w->tick(&w->backend);
        assert_int_equal(w->raft.state, on ? RAFT_FOLLOWER : RAFT_CANDIDATE);
        /* The heartbeat that waited is read now, and the next tick is on time. */
        guard_world_receive_entries(w, 2, 1, 1, 1, 0);
        w->now += 100;
        w->tick(&w->backend);
        assert_int_equal(w->raft.state, RAFT_FOLLOWER);
        guard_world_free(w);
    }
}

/* A machine whose every tick is late still elects. */
static void test_late_ticks_pass_in_turn(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    w->now += 100;
    w->tick(&w->backend);
    for (int i = 0; i < 2; i++) {
        w->now += 5000;
        w->tick(&w->backend);
    }
    assert_int_equal(w->raft.state, RAFT_CANDIDATE);
    guard_world_free(w);
}

static void test_edges(void **state)
{
    struct guard_world *w;
    unsigned before;

    (void)state;
    leaks_expected(true);
    w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);
    before = w->edges;
    assert_int_equal(before, 1); /* follower */
    guard_world_receive_entries(w, 2, 2, 1, 1, 0);
    assert_int_equal(w->edges, before + 1); /* term and leader */
    guard_world_receive_entries(w, 2, 2, 1, 1, 0);
    assert_int_equal(w->edges, before + 1);
    w->raft.state = RAFT_UNAVAILABLE;
    guard_check(&w->guard);
    assert_int_equal(w->fatal, 1);
    guard_world_free(w);
    leaks_expected(false);
}

static void tick(struct guard_world *w)
{
    w->now += 100;
    guard_world_receive_result(w, 2, raft_last_index(&w->raft));
    w->tick(&w->backend);
    guard_world_finish_sends(w, 0);
}

static void test_held_leader_steps_aside(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    guard_world_lead_ready(w);
    guard_world_finish_sends(w, 0);
    guard_held(&w->guard, true);
    assert_false(guard_ready(&w->guard));
    for (int i = 0; i < 9; i++)
        tick(w);
    assert_int_equal(w->asides, 0);
    tick(w);
    assert_int_equal(w->asides, 1);
    for (int i = 0; i < 10; i++)
        tick(w);
    assert_int_equal(w->asides, 2);
    guard_held(&w->guard, false);
    assert_true(guard_ready(&w->guard));
    for (int i = 0; i < 20; i++)
        tick(w);
    assert_int_equal(w->asides, 2);
    assert_int_equal(guard_successor(&w->guard), 2); /* the one that was heard */
    guard_world_free(w);
}

/* A follower whose write is held answers heartbeats and does not campaign. */
static void test_held_follower(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    guard_world_receive_entries(w, 2, 2, 1, 1, 1);
    for (int i = 0; i < 50; i++) {
        w->now += 100;
        w->tick(&w->backend);
    }
    assert_int_equal(w->raft.state, RAFT_FOLLOWER);
    guard_world_receive_entries(w, 2, 2, 2, 2, 0);
    assert_int_equal(w->sent_count, 1);
    assert_int_equal(w->sent[0].append_entries_result.rejected, 0);
    assert_int_equal(w->sent[0].append_entries_result.last_log_index, 1);
    guard_world_free(w);
}

/* G11 on the receiving side: a disk that is far behind gets heartbeats only. */
static void test_entries_wait_for_the_disk(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    w->guard.window_bytes = 12;
    guard_world_receive_entries(w, 2, 2, 1, 1, 1);
    guard_world_receive_entries(w, 2, 2, 2, 2, 1);
    assert_int_equal(w->appends_count, 2);
    guard_world_receive_entries(w, 2, 2, 3, 2, 1);
    assert_int_equal(w->appends_count, 2);
    assert_int_equal(w->sent_count, 1);
    guard_world_finish_append(w, 0, 0);
    guard_world_receive_entries(w, 2, 2, 3, 2, 1);
    assert_int_equal(w->appends_count, 3);
    guard_world_free(w);
}

/* And one whose state machine is. */
static void test_entries_wait_for_the_state(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    guard_full(&w->guard, true);
    guard_world_receive_entries(w, 2, 2, 1, 1, 1);
    assert_int_equal(w->appends_count, 0);
    assert_int_equal(w->sent_count, 1); /* it is there, with what it had */
    assert_int_equal(w->sent[0].append_entries_result.rejected, 0);
    assert_int_equal(w->sent[0].append_entries_result.last_log_index, 1);
    guard_full(&w->guard, false);
    guard_world_receive_entries(w, 2, 2, 1, 1, 1);
    assert_int_equal(w->appends_count, 1);
    guard_world_free(w);
}

/* A follower whose leader's process ended stands soon, and votes for whoever stands before. */
static void test_peer_gone(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, two_of_term_1, 2);
    unsigned before;

    (void)state;
    guard_world_receive_entries(w, 2, 2, 1, 1, 0);
    assert_int_equal(guard_leader(&w->guard), 2);
    before = w->raft.follower_state.randomized_election_timeout;
    guard_peer_gone(&w->guard, 3); /* does not lead */
    assert_int_equal(guard_leader(&w->guard), 2);
    assert_int_equal(w->raft.follower_state.randomized_election_timeout, before);
    w->now += 100;
    guard_peer_gone(&w->guard, 2);
    assert_int_equal(guard_leader(&w->guard), 0);
    assert_in_range(w->raft.follower_state.randomized_election_timeout, 100,
                    100 + w->raft.election_timeout / 2);
    /* It was wrong: the leader is heard, and the next draw is as ever. */
    guard_world_receive_entries(w, 2, 2, 1, 1, 0);
    assert_int_equal(guard_leader(&w->guard), 2);
    guard_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ack_clamp),
        cmocka_unit_test(test_commit_clamp),
        cmocka_unit_test(test_peer_gone),
        cmocka_unit_test(test_own_term),
        cmocka_unit_test(test_commit_match),
        cmocka_unit_test(test_senders),
        cmocka_unit_test(test_late_tick_is_skipped),
        cmocka_unit_test(test_late_ticks_pass_in_turn),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_held_leader_steps_aside),
        cmocka_unit_test(test_held_follower),
        cmocka_unit_test(test_entries_wait_for_the_disk),
        cmocka_unit_test(test_entries_wait_for_the_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
