/*
 * The guard's rules one by one: real libraft above it, a backend below it that does what each
 * test says (guard_world.h). What whole schedules show is in tests/sim.
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

static void test_stale_write_is_not_acknowledged(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    guard_world_receive_entries(w, 2, 2, 1, 1, 1);
    assert_int_equal(w->appends_count, 1);
    guard_world_receive_entries(w, 3, 3, 1, 1, 0); /* another leader, another term */
    guard_world_finish_sends(w, 0);
    guard_world_finish_append(w, 0, 0);
    assert_int_equal(w->sent_count, 0);
    guard_world_free(w);
}

static void leaks_expected(bool expected)
{
    void (*call)(void) = expected ? __lsan_disable : __lsan_enable;

    if (call != NULL)
        call();
}

static void test_failed_write_is_fatal(void **state)
{
    struct raft_io_send send;
    struct raft_message m = { .type = RAFT_IO_REQUEST_VOTE_RESULT,
                              .server_id = 2,
                              .server_address = "2" };
    struct guard_world *w;

    (void)state;
    leaks_expected(true);
    w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);
    guard_world_receive_entries(w, 2, 2, 1, 1, 1);
    guard_world_finish_append(w, 0, RAFT_IOERR);
    assert_int_equal(w->fatal, 1);
    assert_int_equal(w->raft.last_stored, 1);
    /* Nothing leaves and nothing comes in any more. */
    assert_int_equal(w->guard.io.send(&w->guard.io, &send, &m, NULL), RAFT_CANCELED);
    guard_world_receive_entries(w, 2, 3, 1, 1, 1);
    assert_int_equal(w->appends_count, 1);
    guard_world_free(w);

    w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);
    w->fail_append = RAFT_NOSPACE;
    guard_world_receive_entries(w, 2, 2, 1, 1, 1);
    assert_int_equal(w->fatal, 1);
    guard_world_free(w);
    leaks_expected(false);
}

static void test_votes_with_what_is_stored(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    guard_world_receive_entries(w, 2, 2, 1, 1, 2);
    w->now += 5000;
    w->tick(&w->backend);
    assert_int_equal(w->raft.state, RAFT_FOLLOWER); /* its writes are in flight */
    guard_world_finish_append(w, 0, 0);
    guard_world_finish_sends(w, 0);
    guard_world_campaign(w);
    assert_int_equal(w->sent[0].type, RAFT_IO_REQUEST_VOTE);
    assert_int_equal(w->sent[0].request_vote.last_log_index, 3);
    assert_int_equal(w->sent[0].request_vote.last_log_term, 2);
    guard_world_free(w);
}

static void test_snapshot_order(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, two_of_term_1, 2);
    struct raft_io_snapshot_put put = { .data = &w->raft };
    struct raft_snapshot snapshot = { .index = 1 };

    (void)state;
    guard_world_receive_entries(w, 2, 2, 2, 1, 1); /* truncates index 3 */
    assert_int_equal(w->truncations, 1);
    assert_int_equal(w->guard.io.snapshot_put(&w->guard.io, 1, &put, &snapshot, NULL), RAFT_BUSY);
    guard_world_finish_append(w, 0, 0);
    assert_int_equal(w->guard.io.snapshot_put(&w->guard.io, 1, &put, &snapshot, NULL), 0);
    assert_int_equal(w->guard.io.truncate(&w->guard.io, 3), RAFT_BUSY);
    assert_int_equal(w->fatal, 1);
    assert_int_equal(w->truncations, 1);
    guard_world_free(w);
}

static void test_window(void **state)
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
    m.server_id = 3; /* another peer has a window of its own */
    m.server_address = "3";
    assert_int_equal(w->guard.io.send(&w->guard.io, &sends[1], &m, NULL), 0);
    guard_world_finish_sends(w, 0);
    assert_int_equal(w->guard.window[2], 0);
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

static struct raft_message snapshot_message(raft_index index, raft_term term)
{
    struct raft_message m = { .type = RAFT_IO_INSTALL_SNAPSHOT };

    m.install_snapshot.term = 2;
    m.install_snapshot.last_index = index;
    m.install_snapshot.last_term = term;
    raft_configuration_init(&m.install_snapshot.conf);
    m.install_snapshot.data = (struct raft_buffer){ raft_calloc(1, 8), 8 };
    return m;
}

static void test_snapshot_is_refused(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, two_of_term_1, 2);

    (void)state;
    guard_world_receive(w, 2,
                        snapshot_message(3, 1)); /* it has that entry: answered, not installed */
    assert_int_equal(w->behind, 0);
    assert_int_equal(w->sent_count, 1);
    assert_int_equal(w->sent[0].append_entries_result.last_log_index, 3);
    guard_world_receive(w, 2, snapshot_message(9, 2));
    assert_int_equal(w->behind, 1);
    assert_int_equal(w->sent_count, 1);
    assert_int_equal(raft_last_index(&w->raft), 3);
    guard_world_free(w);
}

static void test_strangers_and_second_leaders(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);
    raft_term term;

    (void)state;
    guard_world_receive_entries(w, 4, 9, 1, 1, 1); /* not a member */
    assert_int_equal(w->raft.current_term, 1);
    assert_int_equal(w->sent_count, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ack_clamp),
        cmocka_unit_test(test_own_term),
        cmocka_unit_test(test_commit_match),
        cmocka_unit_test(test_stale_write_is_not_acknowledged),
        cmocka_unit_test(test_failed_write_is_fatal),
        cmocka_unit_test(test_votes_with_what_is_stored),
        cmocka_unit_test(test_snapshot_order),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_probes_from_the_end),
        cmocka_unit_test(test_snapshot_is_refused),
        cmocka_unit_test(test_strangers_and_second_leaders),
        cmocka_unit_test(test_late_tick_is_skipped),
        cmocka_unit_test(test_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
