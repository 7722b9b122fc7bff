/* The guard on log writes (G4, G5, G7, G21): see guard_test.c. */
#include <raft.h>

#include "store/guard.h"
#include "tests/unit/store/guard_world.h"
#include "tests/unit/unit.h"

/* A guard that gave up leaves the library as it is: its process ends there. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void leaks_expected(bool expected)
{
    void (*call)(void) = expected ? __lsan_disable : __lsan_enable;

    if (call != NULL)
        call();
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

static void receive_one(struct guard_world *w, raft_id from, raft_term term, raft_term entry_term)
{
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES };
    uint8_t *batch = raft_calloc(1, 8);

    m.append_entries.term = term;
    m.append_entries.prev_log_index = 1;
    m.append_entries.prev_log_term = 1;
    m.append_entries.n_entries = 1;
    m.append_entries.entries = raft_calloc(1, sizeof(struct raft_entry));
    m.append_entries.entries[0] = (struct raft_entry){
        .term = entry_term, .type = RAFT_COMMAND, .buf = { batch, 8 }, .batch = batch
    };
    guard_world_receive(w, from, m);
}

/* An entry is truncated and comes again while its first write is in flight. */
static void test_truncated_entry_waits(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    receive_one(w, 2, 2, 2);
    receive_one(w, 3, 3, 3);
    assert_int_equal(w->truncations, 1);
    assert_int_equal(w->appends_count, 2);
    receive_one(w, 2, 4, 2);
    assert_int_equal(w->appends_count, 2);
    guard_world_finish_append(w, 0, 0);
    receive_one(w, 2, 4, 2);
    assert_int_equal(w->truncations, 2);
    assert_int_equal(w->appends_count, 3);
    assert_int_equal(w->raft.last_stored, 1);
    guard_world_finish_append(w, 1, 0);
    guard_world_finish_append(w, 2, 0);
    assert_int_equal(w->raft.last_stored, 2);
    assert_int_equal(w->guard.stale_references, 0);
    guard_world_free(w);
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

/* The library would free a vote for an address: a transferee's votes are marked disruptive. */
static void test_an_election_without_a_term(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    guard_world_receive_entries(w, 2, 2, 1, 1, 1);
    guard_world_finish_append(w, 0, 0);
    w->fail_term = RAFT_IOERR;
    guard_world_receive(
        w, 2,
        (struct raft_message){
            .type = RAFT_IO_TIMEOUT_NOW,
            .timeout_now = { .term = 2, .last_log_index = 2, .last_log_term = 2 } });
    assert_int_equal(w->fatal, 1);
    assert_int_equal(w->term, 2);
    assert_null(guard_world_last(w, RAFT_IO_REQUEST_VOTE));
    guard_world_free(w);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stale_write_is_not_acknowledged),
        cmocka_unit_test(test_truncated_entry_waits),
        cmocka_unit_test(test_failed_write_is_fatal),
        cmocka_unit_test(test_an_election_without_a_term),
        cmocka_unit_test(test_votes_with_what_is_stored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
