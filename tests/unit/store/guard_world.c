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

static struct raft_configuration servers_of(unsigned n)
{
    static const char *const names[NAMES_MAX] = { "1", "2", "3", "4", "5" };
    struct raft_configuration c;

    raft_configuration_init(&c);
    for (raft_id i = 1; i <= n; i++)
        assert_int_equal(raft_configuration_add(&c, i, names[i - 1], RAFT_VOTER), 0);
    return c;
}

static void load_change(struct raft_entry *entry, unsigned servers)
{
    struct raft_configuration c = servers_of(servers);

    entry->term = 1;
    entry->type = RAFT_CHANGE;
    assert_int_equal(raft_configuration_encode(&c, &entry->buf), 0);
    raft_configuration_close(&c);
}

static int w_load(struct raft_io *io, raft_term *term, raft_id *voted_for,
                  struct raft_snapshot **snapshot, raft_index *start_index,
                  struct raft_entry *entries[], size_t *n)
{
    struct guard_world *w = world_of(io);

    *term = w->term;
    *voted_for = 0;
    *snapshot = NULL;
    *start_index = 1;
    *n = w->terms_count + 1;
    *entries = raft_calloc(LOG_MAX + 1, sizeof(**entries));
    load_change(&(*entries)[0], w->servers);
    for (unsigned i = 0; i < w->terms_count; i++) {
        (*entries)[i + 1].term = w->terms[i];
        (*entries)[i + 1].type = RAFT_COMMAND;
        (*entries)[i + 1].buf.base = raft_calloc(1, 8);
        (*entries)[i + 1].buf.len = 8;
    }
    if (w->changed_to != 0)
        load_change(&(*entries)[(*n)++], w->changed_to);
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
    struct guard_world *w = world_of(io);

    if (w->fail_term == 0)
        w->term = term;
    return w->fail_term;
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
    if (w->fail_send != 0)
        return w->fail_send;
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
    struct guard_world *w = world_of(io);

    (void)trailing;
    req->cb = cb;
    w->put = req;
    w->put_snapshot = *snapshot;
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
    raft_free(buf->base);
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

static void on_install(void *ctx, uint64_t index, uint64_t term, struct str manifest,
                       uint64_t leader_id)
{
    struct guard_world *w = ctx;

    (void)term;
    (void)leader_id;
    assert_int_equal(manifest.len, 8);
    w->offers++;
    w->offered = index;
}

static bool on_covers(void *ctx, struct str manifest)
{
    (void)manifest;
    return ((struct guard_world *)ctx)->covers;
}

static void on_installed(void *ctx, uint64_t index)
{
    struct guard_world *w = ctx;

    w->installs++;
    w->installed = index;
}

static void on_step_aside(void *ctx)
{
    ((struct guard_world *)ctx)->asides++;
}

static int on_async_work(void *ctx, struct raft_io_async_work *req, raft_io_async_work_cb cb)
{
    (void)ctx;
    (void)req;
    (void)cb;
    return 0;
}

static void on_cancel_work(void *ctx)
{
    ((struct guard_world *)ctx)->canceled_work++;
}

static void on_turn(void *ctx)
{
    (void)ctx;
}

static const struct guard_events events = {
    .edge = on_edge,
    .ready = on_ready,
    .fatal = on_fatal,
    .install = on_install,
    .covers = on_covers,
    .installed = on_installed,
    .step_aside = on_step_aside,
    .async_work = on_async_work,
    .cancel_work = on_cancel_work,
    .turn = on_turn,
};

static void start(struct guard_world *w, unsigned rules)
{
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
}

struct guard_world *guard_world_new(unsigned rules, raft_term term, const raft_term *terms,
                                    unsigned count)
{
    struct guard_world *w = mem_alloc(sizeof(*w));

    w->term = term;
    w->servers = VOTERS;
    w->terms_count = count;
    for (unsigned i = 0; i < count; i++)
        w->terms[i] = terms[i];
    start(w, rules);
    return w;
}

struct guard_world *guard_world_new_changed(unsigned rules, unsigned servers, unsigned changed_to)
{
    struct guard_world *w = mem_alloc(sizeof(*w));

    w->term = 1;
    w->servers = servers;
    w->changed_to = changed_to;
    start(w, rules);
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
    if (w->put != NULL && !w->guard.dead)
        guard_world_finish_put(w, RAFT_CANCELED);
    raft_close(&w->raft, NULL);
    mem_free(w);
}

void guard_world_receive(struct guard_world *w, raft_id from, struct raft_message m)
{
    static const char *const names[NAMES_MAX] = { "1", "2", "3", "4", "5" };

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

void guard_world_receive_change(struct guard_world *w, raft_id from, raft_term term,
                                raft_index prev, raft_term prev_term, unsigned servers)
{
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES };
    struct raft_configuration c = servers_of(servers);
    struct raft_buffer buf;

    assert_int_equal(raft_configuration_encode(&c, &buf), 0);
    raft_configuration_close(&c);
    m.append_entries.term = term;
    m.append_entries.prev_log_index = prev;
    m.append_entries.prev_log_term = prev_term;
    m.append_entries.n_entries = 1;
    m.append_entries.entries = raft_calloc(1, sizeof(struct raft_entry));
    m.append_entries.entries[0] =
        (struct raft_entry){ .term = term, .type = RAFT_CHANGE, .buf = buf, .batch = buf.base };
    guard_world_receive(w, from, m);
}

void guard_world_receive_snapshot(struct guard_world *w, raft_id from, raft_term term,
                                  raft_index index, raft_term index_term)
{
    struct raft_message m = { .type = RAFT_IO_INSTALL_SNAPSHOT };

    m.install_snapshot.term = term;
    m.install_snapshot.last_index = index;
    m.install_snapshot.last_term = index_term;
    m.install_snapshot.conf = servers_of(VOTERS);
    m.install_snapshot.conf_index = 1;
    m.install_snapshot.data = (struct raft_buffer){ raft_calloc(1, 8), 8 };
    guard_world_receive(w, from, m);
}

void guard_world_finish_put(struct guard_world *w, int status)
{
    struct raft_io_snapshot_put *put = w->put;

    assert_non_null(put);
    w->put = NULL;
    put->cb(put, status);
}

const struct raft_message *guard_world_last(const struct guard_world *w, unsigned short type)
{
    for (unsigned i = w->sent_count; i > 0; i--)
        if (w->sent[i - 1].type == type)
            return &w->sent[i - 1];
    return NULL;
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
