/* Roster, queues, completions and gauges, each in a simulated and in the real world. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/env_sim.h"
#include "base/log.h"
#include "store/links.h"
#include "tests/unit/store/links_world.h"
#include "tests/unit/unit.h"

static struct links_got *got_at(struct links_world *w, int i, size_t n)
{
    struct list *node = w->members[i].got.next;

    while (n-- > 0)
        node = node->next;
    return container_of(node, struct links_got, node);
}

static void closed_member(void *ctx)
{
    ((struct links_member *)ctx)->links = NULL;
}

/* ---- messages ---- */

static void test_every_type_arrives(void **state)
{
    struct links_world *w = *state;
    struct raft_server servers[] = { { 1, "m1", RAFT_VOTER }, { 2, "m2", RAFT_VOTER } };
    struct raft_message snapshot = { .type = RAFT_IO_INSTALL_SNAPSHOT, .server_id = 2 };
    struct raft_message messages[] = {
        { .type = RAFT_IO_APPEND_ENTRIES_RESULT, .server_id = 2 },
        { .type = RAFT_IO_REQUEST_VOTE, .server_id = 2 },
        { .type = RAFT_IO_REQUEST_VOTE_RESULT, .server_id = 2 },
        { .type = RAFT_IO_TIMEOUT_NOW, .server_id = 2 },
        { .type = RAFT_IO_APPEND_ENTRIES, .server_id = 2 },
        links_world_entries(w, 2, 8, 3, 16),
        { 0 },
    };
    size_t count = sizeof(messages) / sizeof(messages[0]);

    snapshot.install_snapshot.conf = (struct raft_configuration){ servers, 2 };
    snapshot.install_snapshot.data = (struct raft_buffer){ "manifest", 8 };
    messages[count - 1] = snapshot;
    links_world_connect(w);
    for (size_t i = 0; i < count; i++) {
        struct links_sent sent;

        links_world_send(w, 0, i % 2 == 0 ? STORE_CLUSTER : STORE_BUS, &messages[i], &sent);
        assert_int_equal(sent.refused, 0);
        links_world_await_sent(w, &sent);
        assert_int_equal(sent.status, 0);
        links_world_await_got(w, 1, i + 1);
        assert_int_equal(got_at(w, 1, i)->message.type, messages[i].type);
        assert_int_equal(got_at(w, 1, i)->group, i % 2 == 0 ? STORE_CLUSTER : STORE_BUS);
        assert_int_equal(got_at(w, 1, i)->message.server_id, 1);
        assert_string_equal(got_at(w, 1, i)->address, "m1");
    }
    assert_int_equal(w->members[2].got_count, 0);
}

struct asking {
    struct links_member *from;
    uint64_t to;
    struct wire_read read;
    bool taken;
};

static void ask(void *ctx)
{
    struct asking *a = ctx;

    a->from->in_call = true;
    a->taken = links_send_read(a->from->links, STORE_BUS, a->to, &a->read);
    a->from->in_call = false;
}

static bool was_asked(void *ctx)
{
    return ((struct links_member *)ctx)->reads_count > 0;
}

static void test_reads_are_asked(void **state)
{
    struct links_world *w = *state;
    struct asking a = { .from = &w->members[0],
                        .to = 2,
                        .read = { WIRE_READ_RESULT, 1ull << 50, 77, true } };
    const struct links_member *m = &w->members[1];

    links_world_connect(w);
    links_world_do(w, 0, ask, &a);
    assert_true(a.taken);
    links_world_until(w, 1, was_asked, &w->members[1]);
    assert_int_equal(m->reads_from, 1);
    assert_int_equal(m->reads_group, STORE_BUS);
    assert_int_equal(m->reads[0].type, WIRE_READ_RESULT);
    assert_int_equal(m->reads[0].round, 1ull << 50);
    assert_int_equal(m->reads[0].value, 77);
    assert_true(m->reads[0].yes);
    a.to = 1; /* itself */
    links_world_do(w, 0, ask, &a);
    assert_false(a.taken);
    a.to = 2;
    links_world_roster(w, 0, 1);
    links_world_do(w, 0, ask, &a);
    assert_false(a.taken);
}

/* Nobody waits for what a question came to: a full queue, a lost connection or a close drop it. */
static void ask_many_and_close(void *ctx)
{
    struct asking *a = ctx;
    size_t taken = 0;

    while (links_send_read(a->from->links, STORE_BUS, a->to, &a->read))
        taken++;
    assert_true(taken > 1000 && taken < 1000000);
    links_close(a->from->links, closed_member, a->from);
}

static bool is_closed(void *ctx)
{
    return ((struct links_member *)ctx)->links == NULL;
}

static void test_reads_are_dropped(void **state)
{
    struct links_world *w = *state;
    struct asking a = { .from = &w->members[0], .to = 2, .read = { .type = WIRE_READ } };

    links_world_connect(w);
    links_world_do(w, 0, ask_many_and_close, &a);
    links_world_until(w, 0, is_closed, &w->members[0]);
    assert_int_equal(w->members[1].reads_count, 0);
}

/* 5 MiB of entries, some above a piece: the same entries in the same order. */
static void test_pieces_over_the_wire(void **state)
{
    struct links_world *w = *state;
    struct raft_message m = links_world_entries(w, 3, 100, 40, 100000);
    struct raft_entry *entries = m.append_entries.entries;
    struct links_sent sent;
    uint64_t index = 99;
    size_t pieces = 0;

    entries[7].buf = (struct raft_buffer){ arena_alloc(&w->arena, 1500000), 1500000 };
    memset(entries[7].buf.base, 'x', 1500000);
    links_world_connect(w);
    links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
    links_world_await_sent(w, &sent);
    assert_int_equal(sent.status, 0);
    while (index < 139) {
        const struct raft_append_entries *a;

        links_world_await_got(w, 2, pieces + 1);
        a = &got_at(w, 2, pieces++)->message.append_entries;
        assert_int_equal(a->prev_log_index, index);
        assert_int_equal(a->prev_log_term, index == 99 ? 2 : 3);
        assert_int_equal(a->leader_commit, index + a->n_entries);
        for (unsigned i = 0; i < a->n_entries; i++) {
            const struct raft_buffer *expected = &entries[index++ - 99].buf;

            assert_int_equal(a->entries[i].buf.len, expected->len);
            assert_memory_equal(a->entries[i].buf.base, expected->base, expected->len);
        }
    }
    assert_int_equal(index, 139);
    assert_true(pieces >= 5);
}

/* ---- refusals ---- */

static void test_who_is_not_there(void **state)
{
    struct links_world *w = *state;
    struct raft_message m = { .type = RAFT_IO_TIMEOUT_NOW, .server_id = 2 };
    struct links_sent sent;

    links_world_open(w, 0, NULL);
    links_world_send(w, 0, STORE_CLUSTER, &m, &sent); /* no roster */
    assert_int_equal(sent.refused, RAFT_NOCONNECTION);
    links_world_open(w, 1, NULL);
    links_world_close(w, 1); /* an address nobody listens on */
    links_world_roster(w, 0, 2);
    links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
    assert_int_equal(sent.refused, RAFT_NOCONNECTION);
    m.server_id = 1; /* itself */
    links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
    assert_int_equal(sent.refused, RAFT_NOCONNECTION);
    m.server_id = 77;
    links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
    assert_int_equal(sent.refused, RAFT_NOCONNECTION);
    assert_int_equal(sent.calls, 0);
}

static void test_what_cannot_be_sent(void **state)
{
    struct links_world *w = *state;
    char manifest[WIRE_MANIFEST_BYTES_MAX + 1] = { 0 };
    struct raft_message m = { .type = RAFT_IO_INSTALL_SNAPSHOT, .server_id = 2 };
    struct links_sent sent;

    links_world_connect(w);
    m.install_snapshot.data = (struct raft_buffer){ manifest, sizeof(manifest) };
    links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
    assert_int_equal(sent.refused, RAFT_NOCONNECTION);
}

/* All in one call on the loop, so that nothing can be written in between. */
struct many {
    struct links_member *from;
    const struct raft_message *message;
    struct links_sent sent[80];
    size_t count;
    bool then_close;
};

static void on_many_sent(struct raft_io_send *req, int status)
{
    struct links_sent *s = container_of(req, struct links_sent, req);

    s->calls++;
    s->status = status;
}

static void send_many(void *ctx)
{
    struct many *m = ctx;

    for (size_t i = 0; i < m->count; i++)
        m->sent[i].refused = links_send(m->from->links, i % 2 == 0 ? STORE_CLUSTER : STORE_BUS,
                                        &m->sent[i].req, m->message, on_many_sent);
    if (m->then_close)
        links_close(m->from->links, closed_member, m->from);
}

static bool are_called(void *ctx)
{
    struct many *m = ctx;

    for (size_t i = 0; i < m->count; i++)
        if (m->sent[i].refused == 0 && m->sent[i].calls == 0)
            return false;
    return true;
}

static void test_queue_is_bounded(void **state)
{
    struct links_world *w = *state;
    struct raft_message m = links_world_entries(w, 2, 1, 2, 1u << 20);
    struct raft_message huge = links_world_entries(w, 2, 1, 70, 1u << 20);
    struct many many = { .from = &w->members[0], .message = &m, .count = 40 };
    size_t taken = 0;

    links_world_connect(w);
    links_world_do(w, 0, send_many, &many);
    for (size_t i = 0; i < many.count; i++)
        taken += many.sent[i].refused == 0;
    assert_int_equal(taken, LINKS_QUEUE_BYTES_MAX / (2u << 20) - 1);
    assert_int_equal(many.sent[many.count - 1].refused, RAFT_NOCONNECTION);
    links_world_until(w, 0, are_called, &many);
    for (size_t i = 0; i < many.count; i++)
        assert_int_equal(many.sent[i].calls, many.sent[i].refused == 0 ? 1 : 0);
    /* More than a queue holds, and nothing before it: taken, lest it never be sent. */
    many.message = &huge;
    many.count = 2;
    memset(many.sent, 0, sizeof(many.sent));
    links_world_do(w, 0, send_many, &many);
    assert_int_equal(many.sent[0].refused, 0);
    assert_int_equal(many.sent[1].refused, RAFT_NOCONNECTION);
    links_world_until(w, 0, are_called, &many);
    assert_int_equal(many.sent[0].status, 0);
}

static void test_close_with_a_queue(void **state)
{
    struct links_world *w = *state;
    struct raft_message m = links_world_entries(w, 2, 1, 8, 100000);
    struct many many = { .from = &w->members[0], .message = &m, .count = 20, .then_close = true };

    links_world_connect(w);
    links_world_do(w, 0, send_many, &many);
    links_world_until(w, 0, are_called, &many);
    for (size_t i = 0; i < many.count; i++) {
        assert_int_equal(many.sent[i].refused, 0);
        assert_int_equal(many.sent[i].calls, 1);
        assert_int_equal(many.sent[i].status, RAFT_CANCELED);
    }
    assert_int_equal(w->members[0].lost[2], 0);
}

/* Cluster first: of what waits together, whatever the order it came in. */
static void test_cluster_goes_before_bus(void **state)
{
    struct links_world *w = *state;
    struct raft_message m = links_world_entries(w, 2, 1, 1, 100);
    struct many many = { .from = &w->members[0], .message = &m, .count = 20 };

    links_world_connect(w);
    links_world_do(w, 0, send_many, &many);
    links_world_await_got(w, 1, 20);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(got_at(w, 1, i)->group, i < 10 ? STORE_CLUSTER : STORE_BUS);
}

/* ---- the roster ---- */

static void test_a_member_goes(void **state)
{
    struct links_world *w = *state;
    struct raft_message m = { .type = RAFT_IO_TIMEOUT_NOW, .server_id = 3 };
    struct links_sent sent;

    links_world_connect(w);
    links_world_roster(w, 0, 2);
    links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
    assert_int_equal(sent.refused, RAFT_NOCONNECTION);
    assert_int_equal(w->members[0].lost[3], 1);
    assert_int_equal(w->members[0].lost[2], 0);
    /* The other is not touched: no connection was lost on either side. */
    m.server_id = 2;
    links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
    links_world_await_sent(w, &sent);
    assert_int_equal(sent.status, 0);
    links_world_await_got(w, 1, 1);
    /* And comes back. */
    links_world_roster(w, 0, 3);
    links_world_await(w, 0, 2);
    links_world_await(w, 2, 0);
    assert_int_equal(w->members[0].lost[2], 0);
}

static bool has_lost_third(void *ctx)
{
    return ((struct links_member *)ctx)->lost[3] > 0;
}

static void test_a_member_moves(void **state)
{
    struct links_world *w = *state;
    struct raft_message m = links_world_entries(w, 3, 1, 1, 100);
    struct links_sent sent;

    links_world_connect(w);
    links_world_close(w, 2);
    links_world_until(w, 0, has_lost_third, &w->members[0]);
    if (w->sim)
        (void)snprintf(w->roster[2].raft_address, sizeof(w->roster[2].raft_address), "m3:new");
    else
        w->roster[2].raft_address[0] = '\0'; /* the next free port */
    links_world_open(w, 2, w->sim ? NULL : "tcp:127.0.0.1:0");
    for (int i = 0; i < LINKS_WORLD_MEMBERS; i++)
        links_world_roster(w, i, 3);
    for (int i = 0; i < 2; i++) {
        links_world_await(w, i, 2);
        links_world_await(w, 2, i);
    }
    links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
    links_world_await_got(w, 2, 1);
    assert_int_equal(w->members[0].lost[2], 0);
}

static bool knows_second_gone(void *ctx)
{
    return ((struct links_member *)ctx)->gone[2] > 0;
}

/* Refused where nobody listens any more, and only then. */
static void test_a_member_is_gone(void **state)
{
    struct links_world *w = *state;

    links_world_connect(w);
    for (int i = 0; i < LINKS_WORLD_MEMBERS; i++)
        memset(w->members[i].gone, 0, sizeof(w->members[i].gone)); /* before all listened */
    links_world_close(w, 1);
    links_world_until(w, 0, knows_second_gone, &w->members[0]);
    links_world_until(w, 2, knows_second_gone, &w->members[2]);
    assert_int_equal(w->members[0].gone[3], 0);
    assert_int_equal(w->members[2].gone[1], 0);
}

/* From within a message: the sender's own connection is cut under it. */
static void leave(struct links_member *m, const struct raft_message *message)
{
    (void)message;
    links_set_members(m->links, m->world->roster, 1);
}

static void close_now(struct links_member *m, const struct raft_message *message)
{
    (void)message;
    m->on_message = NULL;
    links_close(m->links, closed_member, m);
}

static bool is_gone(void *ctx)
{
    return ((struct links_member *)ctx)->links == NULL;
}

/* Both connections to m1 broke, as m2 knows by now. */
static bool has_noticed(void *ctx)
{
    return ((struct links_member *)ctx)->links->peers[0]->reconnects == LINK_KINDS;
}

static void test_calls_from_a_message(void **state)
{
    struct links_world *w = *state;
    struct raft_message m = { .type = RAFT_IO_TIMEOUT_NOW, .server_id = 1 };
    struct many many = { .from = &w->members[1], .message = &m, .count = 10 };

    links_world_connect(w);
    w->members[0].on_message = leave;
    links_world_do(w, 1, send_many, &many);
    links_world_await_got(w, 0, 1);
    links_world_until(w, 1, are_called, &many);
    links_world_until(w, 1, has_noticed, &w->members[1]);
    w->members[0].on_message = NULL;
    links_world_roster(w, 0, 3);
    links_world_await(w, 1, 0);
    w->members[0].on_message = close_now;
    links_world_do(w, 1, send_many, &many);
    links_world_until(w, 0, is_gone, &w->members[0]);
}

/* ---- gauges ---- */

static void test_gauges(void **state)
{
    struct links_world *w = *state;
    struct raft_message m = links_world_entries(w, 2, 1, 1, 50000);
    struct links_stats stats[STORE_MEMBERS_MAX];
    struct links_sent sent;

    links_world_connect(w);
    links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
    links_world_await_got(w, 1, 1);
    assert_int_equal(links_stats(w->members[0].links, stats), 3);
    assert_int_equal(stats[0].member_id, 1);
    assert_false(stats[0].connected);
    assert_int_equal(stats[1].member_id, 2);
    assert_true(stats[1].connected);
    assert_true(stats[1].sent_bytes >= 50000);
    assert_int_equal(stats[1].queued_bytes, 0);
    assert_true(stats[2].sent_bytes < 50000);
    assert_int_equal(links_stats(w->members[1].links, stats), 3);
    assert_true(stats[0].received_bytes >= 50000);
    links_world_roster(w, 0, 2);
    assert_int_equal(links_stats(w->members[0].links, stats), 2);
}

/* ---- opening ---- */

struct tried {
    struct links_config config;
    int rv;
    struct err e;
};

static void try_open(void *ctx)
{
    struct tried *t = ctx;
    struct links *l;

    t->rv = links_open(&t->config, &l, &t->e);
}

static void test_opening_fails(void **state)
{
    struct links_world *w = *state;
    struct links_member *m = w->members;
    struct links_config good = { .env = w->env,
                                 .loop = m[0].loop,
                                 .member_id = 1,
                                 .ca_file = w->ca_file,
                                 .cert_file = m[0].cert,
                                 .key_file = m[0].key };
    struct tried tries[] = { { good, 0, { 0 } }, { good, 0, { 0 } }, { good, 0, { 0 } } };

    tries[0].config.ca_file = "/nonexistent";
    tries[1].config.key_file = m[1].key; /* not the certificate's */
    tries[2].config.listen_address = "tcp:no-number:1";
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        links_world_do(w, 0, try_open, &tries[i]);
        assert_true(tries[i].rv < 0);
        assert_non_null(strstr(tries[i].e.msg, "raft's connections"));
    }
}

int main(void)
{
#define BOTH(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, links_world_setup_sim, links_world_teardown),            \
        cmocka_unit_test_setup_teardown(test, links_world_setup_real, links_world_teardown)
    const struct CMUnitTest tests[] = {
        BOTH(test_every_type_arrives),
        BOTH(test_reads_are_asked),
        BOTH(test_reads_are_dropped),
        BOTH(test_pieces_over_the_wire),
        BOTH(test_who_is_not_there),
        BOTH(test_what_cannot_be_sent),
        BOTH(test_queue_is_bounded),
        BOTH(test_close_with_a_queue),
        BOTH(test_cluster_goes_before_bus),
        BOTH(test_a_member_goes),
        BOTH(test_a_member_moves),
        BOTH(test_a_member_is_gone),
        BOTH(test_calls_from_a_message),
        BOTH(test_gauges),
        cmocka_unit_test_setup_teardown(test_opening_fails, links_world_setup_real,
                                        links_world_teardown),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
