/*
 * The guard's rules one by one: real libraft above it, a backend of this file below it that does
 * what each test says. What whole schedules show is in tests/sim.
 */
#include <raft.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/guard.h"
#include "tests/unit/unit.h"

/* A guard that gave up leaves the library as it is: its process ends there. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

#define VOTERS   3
#define LOG_MAX  8
#define SENT_MAX 64

struct world {
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

static struct world *world_of(struct raft_io *io)
{
    return io->impl;
}

static int w_init(struct raft_io *io, raft_id id, const char *address)
{
    (void)io;
    (void)id;
    (void)address;
    return 0;
}

static void w_close(struct raft_io *io, raft_io_close_cb cb)
{
    cb(io);
}

static int w_load(struct raft_io *io, raft_term *term, raft_id *voted_for,
                  struct raft_snapshot **snapshot, raft_index *start_index,
                  struct raft_entry *entries[], size_t *n)
{
    static const char *const names[] = { "1", "2", "3" };
    struct world *w = world_of(io);
    struct raft_configuration c;

    *term = w->term;
    *voted_for = 0;
    *snapshot = NULL;
    *start_index = 1;
    *n = w->terms_count + 1;
    *entries = raft_calloc(*n, sizeof(**entries));
    raft_configuration_init(&c);
    for (raft_id i = 1; i <= VOTERS; i++)
        assert_int_equal(raft_configuration_add(&c, i, names[i - 1], RAFT_VOTER), 0);
    (*entries)[0].term = 1;
    (*entries)[0].type = RAFT_CHANGE;
    assert_int_equal(raft_configuration_encode(&c, &(*entries)[0].buf), 0);
    raft_configuration_close(&c);
    for (unsigned i = 0; i < w->terms_count; i++) {
        (*entries)[i + 1].term = w->terms[i];
        (*entries)[i + 1].type = RAFT_COMMAND;
        (*entries)[i + 1].buf.base = raft_calloc(1, 8);
        (*entries)[i + 1].buf.len = 8;
    }
    return 0;
}

static int w_start(struct raft_io *io, unsigned ms, raft_io_tick_cb tick, raft_io_recv_cb recv)
{
    (void)ms;
    world_of(io)->tick = tick;
    world_of(io)->recv = recv;
    return 0;
}

static int w_set_term(struct raft_io *io, raft_term term)
{
    world_of(io)->term = term;
    return 0;
}

static int w_set_vote(struct raft_io *io, raft_id id)
{
    (void)io;
    (void)id;
    return 0;
}

static int w_send(struct raft_io *io, struct raft_io_send *req, const struct raft_message *m,
                  raft_io_send_cb cb)
{
    struct world *w = world_of(io);

    assert_true(w->sent_count < SENT_MAX);
    req->cb = cb;
    w->sent[w->sent_count] = *m;
    w->sends[w->sent_count++] = req;
    return 0;
}

static int w_append(struct raft_io *io, struct raft_io_append *req,
                    const struct raft_entry entries[], unsigned n, raft_io_append_cb cb)
{
    struct world *w = world_of(io);

    (void)n;
    if (w->fail_append != 0)
        return w->fail_append;
    req->cb = cb;
    w->appended_type = entries[0].type;
    w->appends[w->appends_count++] = req;
    return 0;
}

static int w_truncate(struct raft_io *io, raft_index index)
{
    (void)index;
    world_of(io)->truncations++;
    return 0;
}

static int w_snapshot_put(struct raft_io *io, unsigned trailing, struct raft_io_snapshot_put *req,
                          const struct raft_snapshot *snapshot, raft_io_snapshot_put_cb cb)
{
    (void)io;
    (void)trailing;
    (void)snapshot;
    req->cb = cb;
    return 0;
}

static raft_time w_time(struct raft_io *io)
{
    return world_of(io)->now;
}

static int w_random(struct raft_io *io, int min, int max)
{
    (void)io;
    (void)max;
    return min;
}

static int on_apply(struct raft_fsm *fsm, const struct raft_buffer *buf, void **result)
{
    (void)buf;
    *result = NULL;
    ((struct world *)fsm->data)->applied++;
    return 0;
}

static int on_snapshot(struct raft_fsm *fsm, struct raft_buffer *bufs[], unsigned *n)
{
    (void)fsm;
    (void)bufs;
    (void)n;
    return RAFT_BUSY;
}

static int on_restore(struct raft_fsm *fsm, struct raft_buffer *buf)
{
    (void)fsm;
    (void)buf;
    return 0;
}

static void on_edge(void *ctx, int state, uint64_t term, uint64_t leader_id)
{
    (void)state;
    (void)term;
    (void)leader_id;
    ((struct world *)ctx)->edges++;
}

static void on_ready(void *ctx, uint64_t term)
{
    (void)term;
    ((struct world *)ctx)->ready++;
}

static void on_fatal(void *ctx, const char *what, int code)
{
    (void)what;
    (void)code;
    ((struct world *)ctx)->fatal++;
}

static void on_behind(void *ctx, uint64_t index)
{
    (void)index;
    ((struct world *)ctx)->behind++;
}

static void on_turn(void *ctx)
{
    (void)ctx;
}

static const struct guard_events events = {
    .edge = on_edge, .ready = on_ready, .fatal = on_fatal, .behind = on_behind, .turn = on_turn
};

/* Member 1 of three, in `term`, with entries of these terms after the configuration. */
static struct world *world_new(unsigned rules, raft_term term, const raft_term *terms,
                               unsigned count)
{
    struct world *w = mem_alloc(sizeof(*w));

    w->term = term;
    w->terms_count = count;
    for (unsigned i = 0; i < count; i++)
        w->terms[i] = terms[i];
    w->backend = (struct raft_io){ .version = 2,
                                   .impl = w,
                                   .init = w_init,
                                   .close = w_close,
                                   .load = w_load,
                                   .start = w_start,
                                   .set_term = w_set_term,
                                   .set_vote = w_set_vote,
                                   .send = w_send,
                                   .append = w_append,
                                   .truncate = w_truncate,
                                   .snapshot_put = w_snapshot_put,
                                   .time = w_time,
                                   .random = w_random };
    w->fsm = (struct raft_fsm){
        .version = 1, .data = w, .apply = on_apply, .snapshot = on_snapshot, .restore = on_restore
    };
    guard_init(&w->guard, &w->raft, &w->backend, rules, &events, w);
    assert_int_equal(raft_init(&w->raft, &w->guard.io, &w->fsm, 1, "1"), 0);
    raft_set_pre_vote(&w->raft, true);
    assert_int_equal(raft_start(&w->raft), 0);
    guard_check(&w->guard);
    return w;
}

static void finish_sends(struct world *w, int status)
{
    for (unsigned i = 0; i < w->sent_count; i++)
        if (w->sends[i] != NULL)
            w->sends[i]->cb(w->sends[i], status);
    w->sent_count = 0;
}

static void finish_append(struct world *w, unsigned i, int status)
{
    struct raft_io_append *req = w->appends[i];

    w->appends[i] = NULL;
    req->cb(req, status);
}

static void world_free(struct world *w)
{
    guard_closing(&w->guard);
    finish_sends(w, RAFT_CANCELED);
    for (unsigned i = 0; i < w->appends_count; i++)
        if (w->appends[i] != NULL)
            finish_append(w, i, RAFT_CANCELED);
    raft_close(&w->raft, NULL);
    mem_free(w);
}

static void receive(struct world *w, raft_id from, struct raft_message m)
{
    static const char *const names[] = { "1", "2", "3", "4" };

    m.server_id = from;
    m.server_address = names[from - 1];
    w->recv(&w->backend, &m);
}

static void receive_entries(struct world *w, raft_id from, raft_term term, raft_index prev,
                            raft_term prev_term, unsigned n)
{
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES };

    m.append_entries.term = term;
    m.append_entries.prev_log_index = prev;
    m.append_entries.prev_log_term = prev_term;
    m.append_entries.n_entries = n;
    if (n > 0) {
        uint8_t *batch = raft_calloc(n, 8);

        m.append_entries.entries = raft_calloc(n, sizeof(struct raft_entry));
        for (unsigned i = 0; i < n; i++)
            m.append_entries.entries[i] = (struct raft_entry){
                .term = term, .type = RAFT_COMMAND, .buf = { batch + 8 * i, 8 }, .batch = batch
            };
    }
    receive(w, from, m);
}

static void receive_result(struct world *w, raft_id from, raft_index last)
{
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES_RESULT };

    m.append_entries_result.term = w->raft.current_term;
    m.append_entries_result.last_log_index = last;
    receive(w, from, m);
}

static void receive_vote(struct world *w, raft_id from, bool pre_vote)
{
    struct raft_message m = { .type = RAFT_IO_REQUEST_VOTE_RESULT };

    m.request_vote_result.term = w->raft.current_term + (pre_vote ? 1 : 0);
    m.request_vote_result.vote_granted = true;
    m.request_vote_result.pre_vote = pre_vote ? raft_tribool_true : raft_tribool_false;
    receive(w, from, m);
}

static void campaign(struct world *w)
{
    w->now += 5000;
    w->tick(&w->backend);
    assert_int_equal(w->raft.state, RAFT_CANDIDATE);
}

static void lead(struct world *w)
{
    campaign(w);
    receive_vote(w, 2, true);
    receive_vote(w, 2, false);
    assert_int_equal(w->raft.state, RAFT_LEADER);
}

/* Leads, with the own-term barrier committed. */
static void lead_ready(struct world *w)
{
    lead(w);
    finish_append(w, w->appends_count - 1, 0);
    receive_result(w, 2, raft_last_index(&w->raft));
    assert_true(guard_ready(&w->guard));
}

static const raft_term two_of_term_1[] = { 1, 1 };

static void test_ack_clamp(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        unsigned rules = on ? GUARD_ALL_RULES : GUARD_ALL_RULES & ~(unsigned)GUARD_ACK_CLAMP;
        struct world *w = world_new(rules, 1, two_of_term_1, 2);

        /* A heartbeat that checked index 1 only, to a log that has 3. */
        receive_entries(w, 2, 2, 1, 1, 0);
        assert_int_equal(w->sent[0].type, RAFT_IO_APPEND_ENTRIES_RESULT);
        assert_int_equal(w->sent[0].append_entries_result.rejected, 0);
        assert_int_equal(w->sent[0].append_entries_result.last_log_index, on ? 1 : 3);
        world_free(w);
    }
}

static void test_own_term(void **state)
{
    struct world *w = world_new(GUARD_ALL_RULES, 1, two_of_term_1, 2);

    (void)state;
    lead(w);
    assert_int_equal(w->appends_count, 1);
    assert_int_equal(w->appended_type, RAFT_BARRIER);
    assert_false(guard_ready(&w->guard));
    /* A majority has the old entries, and the barrier too: not stored here, nothing counts. */
    receive_result(w, 2, 4);
    assert_int_equal(w->raft.commit_index, 1);
    finish_append(w, 0, 0);
    receive_result(w, 3, 3);
    assert_int_equal(w->raft.commit_index, 1);
    receive_result(w, 3, 4);
    assert_int_equal(w->raft.commit_index, 4);
    assert_int_equal(w->applied, 2);
    assert_int_equal(w->ready, 1);
    assert_true(guard_ready(&w->guard));
    world_free(w);
}

static void on_applied(struct raft_apply *req, int status, void *result)
{
    (void)result;
    *(int *)req->data = status;
}

static void apply_one(struct world *w, struct raft_apply *req, int *status)
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
        struct world *w = world_new(rules, 1, NULL, 0);
        struct raft_apply reqs[2];
        int statuses[2];

        lead_ready(w);
        for (int i = 0; i < 2; i++) {
            apply_one(w, &reqs[i], &statuses[i]);
            finish_append(w, w->appends_count - 1, 0);
        }
        receive_result(w, 2, reqs[0].index);
        assert_int_equal(statuses[0], on ? 0 : -1);
        assert_int_equal(statuses[1], -1);
        receive_result(w, 2, reqs[1].index);
        assert_int_equal(statuses[1], 0);
        assert_int_equal(w->raft.last_stored, reqs[1].index);
        world_free(w);
    }
}

static void test_stale_write_is_not_acknowledged(void **state)
{
    struct world *w = world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    receive_entries(w, 2, 2, 1, 1, 1);
    assert_int_equal(w->appends_count, 1);
    receive_entries(w, 3, 3, 1, 1, 0); /* another leader, another term */
    finish_sends(w, 0);
    finish_append(w, 0, 0);
    assert_int_equal(w->sent_count, 0);
    world_free(w);
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
    struct world *w;

    (void)state;
    leaks_expected(true);
    w = world_new(GUARD_ALL_RULES, 1, NULL, 0);
    receive_entries(w, 2, 2, 1, 1, 1);
    finish_append(w, 0, RAFT_IOERR);
    assert_int_equal(w->fatal, 1);
    assert_int_equal(w->raft.last_stored, 1);
    /* Nothing leaves and nothing comes in any more. */
    assert_int_equal(w->guard.io.send(&w->guard.io, &send, &m, NULL), RAFT_CANCELED);
    receive_entries(w, 2, 3, 1, 1, 1);
    assert_int_equal(w->appends_count, 1);
    world_free(w);

    w = world_new(GUARD_ALL_RULES, 1, NULL, 0);
    w->fail_append = RAFT_NOSPACE;
    receive_entries(w, 2, 2, 1, 1, 1);
    assert_int_equal(w->fatal, 1);
    world_free(w);
    leaks_expected(false);
}

static void test_votes_with_what_is_stored(void **state)
{
    struct world *w = world_new(GUARD_ALL_RULES, 1, NULL, 0);

    (void)state;
    receive_entries(w, 2, 2, 1, 1, 2);
    w->now += 5000;
    w->tick(&w->backend);
    assert_int_equal(w->raft.state, RAFT_FOLLOWER); /* its writes are in flight */
    finish_append(w, 0, 0);
    finish_sends(w, 0);
    campaign(w);
    assert_int_equal(w->sent[0].type, RAFT_IO_REQUEST_VOTE);
    assert_int_equal(w->sent[0].request_vote.last_log_index, 3);
    assert_int_equal(w->sent[0].request_vote.last_log_term, 2);
    world_free(w);
}

static void test_snapshot_order(void **state)
{
    struct world *w = world_new(GUARD_ALL_RULES, 1, two_of_term_1, 2);
    struct raft_io_snapshot_put put = { .data = &w->raft };
    struct raft_snapshot snapshot = { .index = 1 };

    (void)state;
    receive_entries(w, 2, 2, 2, 1, 1); /* truncates index 3 */
    assert_int_equal(w->truncations, 1);
    assert_int_equal(w->guard.io.snapshot_put(&w->guard.io, 1, &put, &snapshot, NULL), RAFT_BUSY);
    finish_append(w, 0, 0);
    assert_int_equal(w->guard.io.snapshot_put(&w->guard.io, 1, &put, &snapshot, NULL), 0);
    assert_int_equal(w->guard.io.truncate(&w->guard.io, 3), RAFT_BUSY);
    assert_int_equal(w->fatal, 1);
    assert_int_equal(w->truncations, 1);
    world_free(w);
}

static void test_window(void **state)
{
    struct world *w = world_new(GUARD_ALL_RULES, 1, NULL, 0);
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
    finish_sends(w, 0);
    assert_int_equal(w->guard.window[2], 0);
    world_free(w);
}

static void test_probes_from_the_end(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        unsigned rules = on ? GUARD_ALL_RULES : GUARD_ALL_RULES & ~(unsigned)GUARD_PROBE_END;
        struct world *w = world_new(rules, 1, two_of_term_1, 2);

        lead(w);
        finish_sends(w, RAFT_NOCONNECTION);
        /* Index 2 of the configuration: member 3, which never answered. */
        assert_int_equal(w->raft.leader_state.progress[2].next_index,
                         on ? raft_last_index(&w->raft) + 1 : 1);
        world_free(w);
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
    struct world *w = world_new(GUARD_ALL_RULES, 1, two_of_term_1, 2);

    (void)state;
    receive(w, 2, snapshot_message(3, 1)); /* it has that entry: answered, not installed */
    assert_int_equal(w->behind, 0);
    assert_int_equal(w->sent_count, 1);
    assert_int_equal(w->sent[0].append_entries_result.last_log_index, 3);
    receive(w, 2, snapshot_message(9, 2));
    assert_int_equal(w->behind, 1);
    assert_int_equal(w->sent_count, 1);
    assert_int_equal(raft_last_index(&w->raft), 3);
    world_free(w);
}

static void test_strangers_and_second_leaders(void **state)
{
    struct world *w = world_new(GUARD_ALL_RULES, 1, NULL, 0);
    raft_term term;

    (void)state;
    receive_entries(w, 4, 9, 1, 1, 1); /* not a member */
    assert_int_equal(w->raft.current_term, 1);
    assert_int_equal(w->sent_count, 0);
    lead_ready(w);
    term = w->raft.current_term;
    receive_entries(w, 3, term, 1, 1, 1); /* another leader of our term: impossible, so a lie */
    assert_int_equal(w->raft.state, RAFT_LEADER);
    world_free(w);
}

static void test_edges(void **state)
{
    struct world *w;
    unsigned before;

    (void)state;
    leaks_expected(true);
    w = world_new(GUARD_ALL_RULES, 1, NULL, 0);
    before = w->edges;
    assert_int_equal(before, 1); /* follower */
    receive_entries(w, 2, 2, 1, 1, 0);
    assert_int_equal(w->edges, before + 1); /* term and leader */
    receive_entries(w, 2, 2, 1, 1, 0);
    assert_int_equal(w->edges, before + 1);
    w->raft.state = RAFT_UNAVAILABLE;
    guard_check(&w->guard);
    assert_int_equal(w->fatal, 1);
    world_free(w);
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
        cmocka_unit_test(test_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
