/* The guard on the membership (G15 to G18): see guard_test.c. */
#include <raft.h>
#include <string.h>

#include "store/guard_parts.h"
#include "tests/unit/store/guard_world.h"
#include "tests/unit/unit.h"

static void test_decode(void **state)
{
    struct raft_configuration c;
    struct raft_configuration back;
    struct raft_buffer buf;

    (void)state;
    raft_configuration_init(&c);
    assert_int_equal(raft_configuration_add(&c, 7, "node-7", RAFT_VOTER), 0);
    assert_int_equal(raft_configuration_add(&c, 1u << 31, "n", RAFT_SPARE), 0);
    assert_int_equal(raft_configuration_encode(&c, &buf), 0);
    assert_true(guard_configuration_decode(&buf, &back));
    assert_int_equal(back.n, 2);
    assert_int_equal(back.servers[1].id, 1u << 31);
    assert_string_equal(back.servers[0].address, "node-7");
    assert_int_equal(back.servers[1].role, RAFT_SPARE);
    raft_configuration_close(&back);
    raft_configuration_close(&c);
    /* Cut anywhere before its last server's role: refused, and nothing read behind the end. */
    for (size_t len = 0; len < 9 + 16 + 11; len++) {
        struct raft_buffer part = { raft_malloc(len + 1), len };

        memcpy(part.base, buf.base, len);
        assert_false(guard_configuration_decode(&part, &back));
        assert_int_equal(back.n, 0);
        raft_free(part.base);
    }
    memset((uint8_t *)buf.base + 1, 0xff, 8); /* more servers than anybody has */
    assert_false(guard_configuration_decode(&buf, &back));
    memset((uint8_t *)buf.base + 1, 0, 8);
    assert_false(guard_configuration_decode(&buf, &back));
    raft_free(buf.base);
}

/* The last configuration of a loaded log may be taken back. */
static void test_restart_with_uncommitted(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        unsigned rules = on ? GUARD_ALL_RULES : GUARD_ALL_RULES & ~(unsigned)GUARD_CONFIGURATION;
        struct guard_world *w = guard_world_new_changed(rules, 3, 4);

        assert_int_equal(w->raft.configuration.n, 4);
        assert_int_equal(w->raft.configuration_index, on ? 1 : 2);
        assert_int_equal(w->raft.configuration_uncommitted_index, on ? 2 : 0);
        guard_world_receive_entries(w, 2, 2, 1, 1, 1); /* another entry at index 2 */
        assert_int_equal(w->truncations, 1);
        assert_int_equal(w->raft.configuration.n, on ? 3 : 4);
        assert_int_equal(w->raft.configuration_uncommitted_index, 0);
        guard_world_free(w);
    }
}

/* Received, effective, taken back, and another one instead. */
static void test_roll_back(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    guard_world_receive_change(w, 2, 2, 1, 1, 4);
    guard_world_finish_append(w, 0, 0);
    assert_int_equal(w->raft.configuration.n, 4);
    assert_int_equal(w->raft.configuration_uncommitted_index, 2);
    guard_world_receive_change(w, 3, 3, 1, 1, 5);
    assert_int_equal(w->raft.configuration.n, 3);
    assert_int_equal(w->raft.configuration_index, 1);
    guard_world_finish_append(w, 1, 0);
    assert_int_equal(w->raft.configuration.n, 5);
    assert_int_equal(w->guard.newest.index, 2);
    assert_int_equal(w->guard.before.index, 1);
    guard_world_free(w);
}

static void test_malformed_change_is_dropped(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES };
    uint8_t *batch = raft_calloc(1, 8);

    (void)state;
    m.append_entries.term = 2;
    m.append_entries.prev_log_index = 1;
    m.append_entries.prev_log_term = 1;
    m.append_entries.n_entries = 1;
    m.append_entries.entries = raft_calloc(1, sizeof(struct raft_entry));
    m.append_entries.entries[0] =
        (struct raft_entry){ .term = 2, .type = RAFT_CHANGE, .buf = { batch, 8 }, .batch = batch };
    guard_world_receive(w, 2, m);
    assert_int_equal(w->raft.current_term, 1);
    assert_int_equal(w->appends_count, 0);
    guard_world_free(w);
}

static void test_no_snapshot_while_uncommitted(void **state)
{
    struct guard_world *w = guard_world_new_changed(GUARD_ALL_RULES, 3, 4);
    struct raft_io_snapshot_put put = { .data = &w->raft };
    struct raft_snapshot snapshot = { .index = 1 };

    (void)state;
    assert_int_equal(w->guard.io.snapshot_put(&w->guard.io, 1, &put, &snapshot, NULL), RAFT_BUSY);
    assert_null(w->put);
    guard_world_free(w);
}

static void on_changed(struct raft_change *req, int status)
{
    (void)req;
    (void)status;
}

static void test_may_change(void **state)
{
    struct guard_world *w = guard_world_new(GUARD_ALL_RULES, 1, NULL, 0);
    struct raft_change req;

    (void)state;
    guard_world_lead(w);
    assert_false(guard_may_change(&w->guard)); /* own-term barrier not committed */
    guard_world_finish_append(w, 0, 0);
    guard_world_receive_result(w, 2, 2);
    assert_true(guard_may_change(&w->guard));
    assert_int_equal(raft_add(&w->raft, &req, 4, "4", on_changed), 0);
    guard_check(&w->guard);
    assert_false(guard_may_change(&w->guard));
    guard_world_finish_append(w, 1, 0);
    guard_world_receive_result(w, 2, 3);
    assert_true(guard_may_change(&w->guard));
    guard_held(&w->guard, true);
    assert_false(guard_may_change(&w->guard));
    guard_world_free(w);
}

static void ask_vote(struct guard_world *w, raft_id from, raft_term term, bool disrupt)
{
    struct raft_message m = { .type = RAFT_IO_REQUEST_VOTE };

    m.request_vote.term = term;
    m.request_vote.candidate_id = from;
    m.request_vote.last_log_index = 100;
    m.request_vote.last_log_term = term - 1;
    m.request_vote.disrupt_leader = disrupt;
    guard_world_receive(w, from, m);
}

static unsigned votes_granted(const struct guard_world *w)
{
    unsigned granted = 0;

    for (unsigned i = 0; i < w->sent_count; i++)
        granted += w->sent[i].type == RAFT_IO_REQUEST_VOTE_RESULT &&
                           w->sent[i].request_vote_result.vote_granted
                       ? 1
                       : 0;
    return granted;
}

static void on_transferred(struct raft_transfer *req)
{
    (void)req;
}

static void test_one_vote(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        unsigned rules = on ? GUARD_ALL_RULES : GUARD_ALL_RULES & ~(unsigned)GUARD_ONE_VOTE;
        struct guard_world *w = guard_world_new(rules, 1, NULL, 0);
        struct raft_transfer transfer;
        raft_term term;

        guard_world_lead_ready(w);
        guard_world_receive_result(w, 3, 2);
        guard_world_finish_sends(w, 0);
        term = w->raft.current_term + 1;
        assert_int_equal(raft_transfer(&w->raft, &transfer, 2, on_transferred), 0);
        ask_vote(w, 3, term, true);
        assert_int_equal(votes_granted(w), 1);
        ask_vote(w, 2, term, true);
        assert_int_equal(votes_granted(w), on ? 1 : 2);
        ask_vote(w, 3, term, true); /* the same again is no second one */
        assert_int_equal(votes_granted(w), on ? 2 : 2);
        guard_world_free(w);
    }
}

static void test_vote_of_one_who_does_not_know(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        unsigned rules = on ? GUARD_ALL_RULES : GUARD_ALL_RULES & ~(unsigned)GUARD_VOTE_ANYWAY;
        struct guard_world *w = guard_world_new(rules, 1, NULL, 0);

        w->raft.configuration.servers[0].role = RAFT_STANDBY;
        guard_world_receive_entries(w, 2, 2, 1, 1, 0);
        ask_vote(w, 3, 3, false);
        assert_int_equal(votes_granted(w), 0); /* it has heard of its leader just now */
        assert_int_equal(guard_leader(&w->guard), 2);
        w->now += 5000;
        ask_vote(w, 3, 3, false);
        assert_int_equal(votes_granted(w), on ? 1 : 0);
        assert_int_equal(w->raft.configuration.servers[0].role, RAFT_STANDBY);
        guard_world_free(w);
    }
}

static void test_sole_voter_leads_in_its_own_term(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        unsigned rules = on ? GUARD_ALL_RULES : GUARD_ALL_RULES & ~(unsigned)GUARD_SOLE_TERM;
        struct guard_world *w = guard_world_new_changed(rules, 1, 0);

        assert_int_equal(w->raft.state, RAFT_LEADER);
        assert_int_equal(w->raft.current_term, on ? 2 : 1);
        assert_int_equal(w->term, on ? 2 : 1);
        guard_world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_restart_with_uncommitted),
        cmocka_unit_test(test_roll_back),
        cmocka_unit_test(test_malformed_change_is_dropped),
        cmocka_unit_test(test_no_snapshot_while_uncommitted),
        cmocka_unit_test(test_may_change),
        cmocka_unit_test(test_one_vote),
        cmocka_unit_test(test_vote_of_one_who_does_not_know),
        cmocka_unit_test(test_sole_voter_leads_in_its_own_term),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
