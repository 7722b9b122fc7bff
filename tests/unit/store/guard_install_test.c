/* The guard on snapshots that are offered and installed (G6): see guard_test.c. */
#include <raft.h>

#include "store/guard.h"
#include "tests/unit/store/guard_world.h"
#include "tests/unit/unit.h"

/* A guard that gave up leaves the library as it is: its process ends there. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static const raft_term two_of_term_1[] = { 1, 1 };
static const raft_term one_of_term_5[] = { 5 };

static struct guard_world *following(void)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, two_of_term_1, 2);

    guard_world_receive_entries(w, 2, 2, 3, 1, 0);
    guard_world_finish_sends(w, 0);
    return w;
}

static void test_known_entry_is_answered(void **state)
{
    struct guard_world *w = following();

    (void)state;
    guard_world_receive_snapshot(w, 2, 2, 3, 1);
    assert_int_equal(w->offers, 0);
    assert_int_equal(w->sent_count, 1);
    assert_int_equal(w->sent[0].append_entries_result.last_log_index, 3);
    guard_world_free(w);
}

static void test_offer_is_held(void **state)
{
    struct guard_world *w = following();

    (void)state;
    guard_world_receive_snapshot(w, 2, 2, 9, 2);
    assert_int_equal(w->offers, 1);
    assert_int_equal(w->offered, 9);
    assert_int_equal(w->sent_count, 0);
    /* Again, older, newer: one fetch at a time. */
    guard_world_receive_snapshot(w, 2, 2, 9, 2);
    guard_world_receive_snapshot(w, 2, 2, 8, 2);
    guard_world_receive_snapshot(w, 2, 2, 12, 2);
    assert_int_equal(w->offers, 1);
    /* Meanwhile it is a follower like any other. */
    guard_world_receive_entries(w, 2, 2, 3, 1, 0);
    assert_int_equal(w->sent[0].append_entries_result.last_log_index, 3);
    assert_int_equal(raft_last_index(&w->raft), 3);
    guard_install_abort(&w->guard);
    guard_install_continue(&w->guard); /* nothing is held any more */
    assert_null(w->put);
    guard_world_receive_snapshot(w, 2, 2, 12, 2);
    assert_int_equal(w->offers, 2);
    guard_world_free(w);
}

static void test_install(void **state)
{
    struct raft_message vote = { .type = RAFT_IO_REQUEST_VOTE };
    struct guard_world *w = following();

    (void)state;
    guard_world_receive_snapshot(w, 2, 2, 9, 2);
    guard_install_continue(&w->guard);
    assert_non_null(w->put);
    assert_int_equal(w->put_snapshot.index, 9);
    /* Neither time nor votes nor entries touch it now; the leader hears of it. */
    for (int i = 0; i < 50; i++) {
        w->now += 100;
        w->tick(&w->backend);
    }
    vote.request_vote.term = 7;
    vote.request_vote.candidate_id = 3;
    vote.request_vote.disrupt_leader = true;
    vote.request_vote.last_log_index = 100;
    vote.request_vote.last_log_term = 6;
    guard_world_receive(w, 3, vote);
    assert_int_equal(w->raft.state, RAFT_FOLLOWER);
    assert_int_equal(w->raft.current_term, 2);
    assert_int_equal(w->sent_count, 0);
    guard_world_receive_entries(w, 2, 2, 9, 2, 1);
    assert_int_equal(w->appends_count, 0);
    assert_int_equal(w->sent_count, 1);
    assert_int_equal(w->sent[0].append_entries_result.rejected, 0);
    assert_int_equal(w->sent[0].append_entries_result.last_log_index, 0);
    guard_world_receive_snapshot(w, 2, 2, 15, 2);
    assert_int_equal(w->offers, 1);
    guard_world_finish_put(w, 0);
    assert_int_equal(w->installs, 1);
    assert_int_equal(w->installed, 9);
    assert_int_equal(raft_last_index(&w->raft), 9);
    assert_int_equal(w->raft.commit_index, 9);
    assert_int_equal(
        guard_world_last(w, RAFT_IO_APPEND_ENTRIES_RESULT)->append_entries_result.last_log_index,
        9);
    guard_world_free(w);
}

static void test_newest_covered_offer(void **state)
{
    (void)state;
    for (int covers = 0; covers < 2; covers++) {
        struct guard_world *w = following();

        guard_world_receive_snapshot(w, 2, 2, 9, 2);
        guard_world_receive_snapshot(w, 2, 2, 12, 2);
        w->covers = covers != 0;
        guard_install_continue(&w->guard);
        assert_int_equal(w->put_snapshot.index, covers ? 12 : 9);
        guard_world_finish_put(w, 0);
        assert_int_equal(w->installed, covers ? 12 : 9);
        guard_world_free(w);
    }
}

/* A write in flight, a candidate, another leader by then. */
static void test_install_waits(void **state)
{
    struct guard_world *w = following();

    (void)state;
    guard_world_receive_snapshot(w, 2, 2, 9, 2);
    guard_world_receive_entries(w, 2, 2, 3, 1, 1);
    guard_install_continue(&w->guard);
    assert_null(w->put);
    guard_world_receive_entries(w, 2, 2, 4, 2, 1); /* no further writes begin */
    assert_int_equal(w->appends_count, 1);
    guard_world_finish_append(w, 0, 0);
    assert_non_null(w->put);
    guard_world_finish_put(w, 0);
    assert_int_equal(w->installed, 9);
    guard_world_finish_sends(w, 0);

    guard_world_receive_snapshot(w, 2, 2, 20, 2);
    guard_world_campaign(w);
    guard_install_continue(&w->guard);
    assert_null(w->put);
    guard_world_receive_entries(w, 3, 6, 0, 0, 0);
    assert_non_null(w->put);
    guard_world_finish_put(w, 0);
    assert_int_equal(w->installed, 20);
    assert_int_equal(guard_world_last(w, RAFT_IO_APPEND_ENTRIES_RESULT)->server_id, 3);
    guard_world_free(w);
}

/* It got those entries otherwise meanwhile. */
static void test_install_not_needed(void **state)
{
    struct guard_world *w = following();

    (void)state;
    guard_world_receive_snapshot(w, 2, 2, 4, 2);
    guard_world_receive_entries(w, 2, 2, 3, 1, 1);
    guard_world_finish_append(w, 0, 0);
    guard_install_continue(&w->guard);
    assert_null(w->put);
    assert_int_equal(w->installs, 1);
    assert_int_equal(w->installed, 0);
    guard_world_free(w);
}

static void test_failures_are_fatal(void **state)
{
    void (*off)(void) = __lsan_disable;
    void (*on)(void) = __lsan_enable;
    struct guard_world *w;

    (void)state;
    if (off != NULL)
        off();
    w = following();
    guard_world_receive_snapshot(w, 2, 2, 9, 2);
    guard_install_continue(&w->guard);
    guard_world_finish_put(w, RAFT_IOERR);
    assert_int_equal(w->fatal, 1);
    guard_world_free(w);

    /* An uncommitted entry of a higher term at the snapshot's index: the library would answer that
     * it has everything. */
    w = guard_world_new(GUARD_ALL_RULES, 5, one_of_term_5, 1);
    guard_world_receive_entries(w, 2, 6, 1, 1, 0);
    guard_world_finish_sends(w, 0);
    guard_world_receive_snapshot(w, 2, 6, 2, 4);
    assert_int_equal(w->offers, 1);
    guard_install_continue(&w->guard);
    assert_int_equal(w->put_snapshot.index, 2);
    assert_int_equal(w->put_snapshot.term, 4);
    guard_world_finish_put(w, 0);
    assert_int_equal(w->fatal, 1); /* and begins again from there */
    guard_world_free(w);
    if (on != NULL)
        on();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_entry_is_answered),
        cmocka_unit_test(test_offer_is_held),
        cmocka_unit_test(test_install),
        cmocka_unit_test(test_newest_covered_offer),
        cmocka_unit_test(test_install_waits),
        cmocka_unit_test(test_install_not_needed),
        cmocka_unit_test(test_failures_are_fatal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
