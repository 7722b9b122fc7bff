/* See the header. */
#include "tests/unit/store/guard_world.h"

#include <stdlib.h>

#include "base/arena.h"
#include "tests/unit/unit.h"

static struct guard_world *world_of(struct raft_io *io)
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
    struct guard_world *w = world_of(io);
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
    struct guard_world *w = world_of(io);

    assert_true(w->sent_count < SENT_MAX);
    req->cb = cb;
    w->sent[w->sent_count] = *m;
    w->sends[w->sent_count++] = req;
    return 0;
}

static int w_append(struct raft_io *io, struct raft_io_append *req,
                    const struct raft_entry entries[], unsigned n, raft_io_append_cb cb)
{
    struct guard_world *w = world_of(io);

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
    ((struct guard_world *)fsm->data)->applied++;
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
    ((struct guard_world *)ctx)->edges++;
}

static void on_ready(void *ctx, uint64_t term)
{
    (void)term;
    ((struct guard_world *)ctx)->ready++;
}

static void on_fatal(void *ctx, const char *what, int code)
{
    (void)what;
    (void)code;
    ((struct guard_world *)ctx)->fatal++;
}

static void on_behind(void *ctx, uint64_t index)
{
    (void)index;
    ((struct guard_world *)ctx)->behind++;
}

static void on_turn(void *ctx)
{
    (void)ctx;
}

static const struct guard_events events = {
    .edge = on_edge, .ready = on_ready, .fatal = on_fatal, .behind = on_behind, .turn = on_turn
};

/* Member 1 of three, in `term`, with entries of these terms after the configuration. */
struct guard_world *guard_world_new(unsigned rules, raft_term term, const raft_term *terms,
                                    unsigned count)
{
    struct guard_world *w = mem_alloc(sizeof(*w));

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

void guard_world_finish_sends(struct guard_world *w, int status)
{
    for (unsigned i = 0; i < w->sent_count; i++)
        if (w->sends[i] != NULL)
            w->sends[i]->cb(w->sends[i], status);
    w->sent_count = 0;
}

void guard_world_finish_append(struct guard_world *w, unsigned i, int status)
{
    struct raft_io_append *req = w->appends[i];

    w->appends[i] = NULL;
    req->cb(req, status);
}

void guard_world_free(struct guard_world *w)
{
    guard_closing(&w->guard);
    guard_world_finish_sends(w, RAFT_CANCELED);
    for (unsigned i = 0; i < w->appends_count; i++)
        if (w->appends[i] != NULL)
            guard_world_finish_append(w, i, RAFT_CANCELED);
    raft_close(&w->raft, NULL);
    mem_free(w);
}

void guard_world_receive(struct guard_world *w, raft_id from, struct raft_message m)
{
    static const char *const names[] = { "1", "2", "3", "4" };

    m.server_id = from;
    m.server_address = names[from - 1];
    w->recv(&w->backend, &m);
}

void guard_world_receive_entries(struct guard_world *w, raft_id from, raft_term term,
                                 raft_index prev, raft_term prev_term, unsigned n)
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
    guard_world_receive(w, from, m);
}

void guard_world_receive_result(struct guard_world *w, raft_id from, raft_index last)
{
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES_RESULT };

    m.append_entries_result.term = w->raft.current_term;
    m.append_entries_result.last_log_index = last;
    guard_world_receive(w, from, m);
}

void guard_world_receive_vote(struct guard_world *w, raft_id from, bool pre_vote)
{
    struct raft_message m = { .type = RAFT_IO_REQUEST_VOTE_RESULT };

    m.request_vote_result.term = w->raft.current_term + (pre_vote ? 1 : 0);
    m.request_vote_result.vote_granted = true;
    m.request_vote_result.pre_vote = pre_vote ? raft_tribool_true : raft_tribool_false;
    guard_world_receive(w, from, m);
}

void guard_world_campaign(struct guard_world *w)
{
    w->now += 5000;
    w->tick(&w->backend); /* late: skipped, unless it is the first */
    w->tick(&w->backend);
    assert_int_equal(w->raft.state, RAFT_CANDIDATE);
}

void guard_world_lead(struct guard_world *w)
{
    guard_world_campaign(w);
    guard_world_receive_vote(w, 2, true);
    guard_world_receive_vote(w, 2, false);
    assert_int_equal(w->raft.state, RAFT_LEADER);
}

/* Leads, with the own-term barrier committed. */
void guard_world_lead_ready(struct guard_world *w)
{
    guard_world_lead(w);
    guard_world_finish_append(w, w->appends_count - 1, 0);
    guard_world_receive_result(w, 2, raft_last_index(&w->raft));
    assert_true(guard_ready(&w->guard));
}
