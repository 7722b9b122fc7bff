/* Connections of our own making: to whom, how they break, and how they come back. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/env_sim.h"
#include "base/log.h"
#include "tests/unit/store/links_raw.h"
#include "tests/unit/unit.h"

static bool is_open(const struct links_world *w, int i, int j, enum link_kind kind)
{
    return link_slot_is_open(&w->members[i].links->peers[j]->slots[kind]);
}

/* ---- who answers ---- */

struct count {
    struct links_raw_door *door;
    size_t least;
};

static bool has_had_guests(void *ctx)
{
    struct count *c = ctx;

    return c->door->count >= c->least;
}

static void await_guests(struct links_raw_door *d, size_t least)
{
    struct count c = { d, least };

    links_world_until(d->w, d->member, has_had_guests, &c);
}

/* Whoever is not m2 gets no hello from us, not to speak of entries. */
static void test_impostors(void **state)
{
    struct links_world *w = *state;
    struct pki_pair other_ca;
    struct err e = { 0 };

    assert_int_equal(
        pki_make_ca(&w->arena, str_lit("other"), env_wall_ns(w->env) / ENV_S, 2, &other_ca, &e), 0);
    struct pki_pair pairs[] = { links_world_issue(w, &w->ca, "gantry-member-m3"),
                                links_world_issue(w, &w->ca, "m2"),
                                links_world_issue(w, &other_ca, "gantry-member-m2") };

    links_world_open(w, 0, NULL);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct tls_context *tls = links_raw_server_tls(w, &pairs[i]);
        struct links_raw_door d;

        links_raw_listen(&d, w, 1, tls);
        links_world_roster(w, 0, 2);
        await_guests(&d, 4); /* both kinds, twice */
        for (size_t n = 0; n < 2; n++) {
            links_raw_await_over(d.conns[n]);
            assert_int_equal(d.conns[n]->in.len, 0);
        }
        assert_false(is_open(w, 0, 1, LINK_URGENT));
        links_raw_door_deinit(&d);
        tls_context_unref(tls);
    }
    assert_int_equal(w->members[0].lost[2], 0);
}

static void test_wrong_answers(void **state)
{
    static const struct {
        bool answer;
        uint64_t id;
        const char *name; /* NULL: that id's */
        int kind;
        struct str then;
    } cases[] = {
        { false, 0, NULL, -1, { NULL, 0 } },
        { true, 3, NULL, -1, { NULL, 0 } },
        { true, 9, NULL, -1, { NULL, 0 } },
        { true, 3, "m2", -1, { NULL, 0 } },
        { true, 2, "m3", -1, { NULL, 0 } },
        { true, 0, NULL, 7, { NULL, 0 } },
        { true, 0, NULL, -1, STR("garbage garbage") },
        { true, 0, NULL, -1, STR("\0\0\0\0\0\x41\1\0") }, /* a ping: ours alone */
        { true, 0, NULL, -1, STR("\x18\0\0\0\1\6\1\0 no message comes this way") },
    };
    struct links_world *w = *state;
    struct links_stats stats[STORE_MEMBERS_MAX];

    links_world_open(w, 0, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct links_raw_door d;

        links_raw_listen(&d, w, 1, NULL);
        d.answer = cases[i].answer;
        d.answer_id = cases[i].id;
        d.answer_name = cases[i].name;
        d.answer_kind = cases[i].kind;
        d.then = cases[i].then;
        links_world_roster(w, 0, 2);
        await_guests(&d, 6);
        for (size_t n = 0; n < 4; n++)
            links_raw_await_over(d.conns[n]);
        /* Open is only what a right answer opened, before it went wrong. */
        (void)links_stats(w->members[0].links, stats);
        assert_int_equal(stats[1].reconnects > 0, cases[i].then.len > 0);
        links_world_roster(w, 0, 1);
        links_raw_door_deinit(&d);
    }
    assert_int_equal(w->members[0].got_count, 0);
}

/* ---- a peer that stops reading ---- */

static void open_paused(struct links_world *w, struct links_raw_door *d, struct tls_context *tls)
{
    links_world_open(w, 0, NULL);
    links_raw_listen(d, w, 1, tls);
    d->pause_bulk = true;
    links_world_roster(w, 0, 2);
    links_world_await(w, 0, 1);
}

static void test_urgent_overtakes(void **state)
{
    struct links_world *w = *state;
    struct raft_message entries = links_world_entries(w, 2, 1, 40, 1u << 20);
    struct raft_message heartbeat = { .type = RAFT_IO_APPEND_ENTRIES, .server_id = 2 };
    struct tls_context *tls = NULL;
    struct links_raw_door d;
    struct links_sent slow;
    struct links_sent fast;
    size_t came = 0;

    if (!w->sim) {
        struct pki_pair own = links_world_issue(w, &w->ca, "gantry-member-m2");

        tls = links_raw_server_tls(w, &own);
    }
    open_paused(w, &d, tls);
    links_world_send(w, 0, STORE_CLUSTER, &entries, &slow);
    assert_int_equal(slow.refused, 0);
    for (int i = 0; i < 20; i++) {
        links_world_send(w, 0, STORE_BUS, &heartbeat, &fast);
        links_world_await_sent(w, &fast);
        assert_int_equal(fast.status, 0);
        came += WIRE_HEADER_BYTES + 36;
        links_raw_await_bytes(d.answered[LINK_URGENT], came);
    }
    assert_int_equal(slow.calls, 0);
    assert_int_equal(w->members[0].lost[2], 0);
    links_world_roster(w, 0, 1);
    links_world_await_sent(w, &slow);
    assert_int_equal(slow.status, RAFT_NOCONNECTION);
    links_raw_door_deinit(&d);
    tls_context_unref(tls);
}

static void test_stalled_peer_is_cut(void **state)
{
    struct links_world *w = *state;
    struct raft_message entries = links_world_entries(w, 2, 1, 10, 1u << 20);
    struct links_raw_door d;
    struct links_sent sent;
    struct links_stats stats[STORE_MEMBERS_MAX];

    open_paused(w, &d, NULL);
    links_world_send(w, 0, STORE_CLUSTER, &entries, &sent);
    env_sim_run(w->env, LINKS_STALL_MS - 2000);
    assert_int_equal(sent.calls, 0);
    (void)links_stats(w->members[0].links, stats);
    assert_true(stats[1].queued_bytes > 9u << 20);
    links_world_await_sent(w, &sent);
    assert_int_equal(sent.status, RAFT_NOCONNECTION);
    env_sim_run(w->env, 1000);
    assert_int_equal(sent.calls, 1);
    assert_int_equal(w->members[0].lost[2], 1);
    links_world_await(w, 0, 1); /* and again */
    links_raw_door_deinit(&d);
}

/* ---- coming back ---- */

static bool has_lost_second(void *ctx)
{
    return ((struct links_member *)ctx)->lost[2] > 0;
}

static void test_peer_restarts(void **state)
{
    struct links_world *w = *state;
    struct raft_message m = links_world_entries(w, 2, 1, 3, 100);
    struct links_sent sent;
    struct links_stats stats[STORE_MEMBERS_MAX];

    links_world_connect(w);
    for (size_t i = 1; i <= 3; i++) {
        links_world_close(w, 1);
        links_world_until(w, 0, has_lost_second, &w->members[0]);
        assert_int_equal(w->members[0].lost[2], 1);
        w->members[0].lost[2] = 0;
        links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
        assert_int_equal(sent.refused, RAFT_NOCONNECTION);
        links_world_open(w, 1, NULL);
        links_world_roster(w, 1, 3);
        links_world_await(w, 0, 1);
        links_world_await(w, 1, 0);
        links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
        links_world_await_got(w, 1, i);
    }
    (void)links_stats(w->members[0].links, stats);
    assert_true(stats[1].reconnects >= 6);
    assert_int_equal(w->members[0].lost[3], 0);
}

/* A peer that vanished: nothing breaks the connection but its silence; healed, all comes back. */
static void test_partition(void **state)
{
    struct links_world *w = *state;
    struct raft_message m = links_world_entries(w, 2, 1, 3, 100);
    struct links_sent sent;

    links_world_connect(w);
    env_sim_partition(w->env, "m1", "m2", true);
    env_sim_run(w->env, 500);
    assert_true(is_open(w, 0, 1, LINK_URGENT));
    env_sim_run(w->env, LINKS_SILENCE_MS + 2 * LINKS_PING_MS);
    assert_false(is_open(w, 0, 1, LINK_URGENT));
    env_sim_run(w->env, LINKS_STALL_MS);
    assert_false(is_open(w, 0, 1, LINK_BULK));
    assert_int_equal(w->members[0].lost[2], 1);
    assert_true(is_open(w, 0, 2, LINK_BULK));
    assert_int_equal(w->members[0].lost[3], 0);
    env_sim_partition(w->env, "m1", "m2", false);
    links_world_await(w, 0, 1);
    links_world_await(w, 1, 0);
    links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
    links_world_await_got(w, 1, 1);
}

/* Our own loop stood still: whose answers wait unread is not silent. */
static void test_own_stall_is_nobodys_silence(void **state)
{
    struct links_world *w = *state;

    links_world_connect(w);
    env_sim_run(w->env, 2000);
    env_sim_pause_loop(w->members[0].loop, true);
    env_sim_run(w->env, 2 * LINKS_SILENCE_MS);
    env_sim_pause_loop(w->members[0].loop, false);
    env_sim_run(w->env, 200);
    assert_true(is_open(w, 0, 1, LINK_BULK));
    assert_int_equal(w->members[0].lost[2], 0);
    assert_int_equal(w->members[0].lost[3], 0);
}

/* Attempts at an address where nobody is: each later than the last, never above the bound. */
static void test_attempts_back_off(void **state)
{
    struct links_world *w = *state;

    links_world_open(w, 0, NULL);
    links_world_roster(w, 0, 2);
    env_sim_run(w->env, 30000);
    assert_int_equal(w->members[0].links->peers[1]->slots[LINK_BULK].delay_ms, LINKS_RETRY_MS_MAX);
    /* When the peer shows itself, it is not waited for. */
    links_world_open(w, 1, NULL);
    links_world_roster(w, 1, 2);
    env_sim_run(w->env, 40);
    assert_true(is_open(w, 0, 1, LINK_URGENT));
    assert_true(is_open(w, 0, 1, LINK_BULK));
    /* What lasted a while begins anew. */
    assert_int_equal(w->members[0].links->peers[1]->slots[LINK_BULK].delay_ms, LINKS_RETRY_MS_MAX);
    env_sim_run(w->env, 2 * LINKS_PING_MS);
    assert_int_equal(w->members[0].links->peers[1]->slots[LINK_BULK].delay_ms, LINKS_RETRY_MS_MIN);
}

/* ---- addresses ---- */

static void test_ipv6(void **state)
{
    struct links_world *w = *state;

    for (int i = 0; i < LINKS_WORLD_MEMBERS; i++)
        links_world_open(w, i, "tcp:[::1]:0");
    for (int i = 0; i < LINKS_WORLD_MEMBERS; i++)
        links_world_roster(w, i, 3);
    links_world_await(w, 0, 2);
    links_world_await(w, 2, 1);
}

static void test_host_names(void **state)
{
    struct links_world *w = *state;
    char name[sizeof(w->roster[1].raft_address)];

    links_world_open(w, 0, NULL);
    links_world_open(w, 1, NULL);
    (void)snprintf(name, sizeof(name), "tcp:localhost:%d", links_port(w->members[1].links));
    memcpy(w->roster[1].raft_address, name, sizeof(name));
    links_world_roster(w, 0, 2);
    links_world_roster(w, 1, 2);
    links_world_await(w, 0, 1);
    /* A name that nobody knows is an address where nobody is. */
    (void)snprintf(w->roster[1].raft_address, sizeof(w->roster[1].raft_address),
                   "tcp:nobody.invalid:1");
    links_world_roster(w, 0, 2);
    links_world_close(w, 0); /* while it asks */
}

/* The same seed, the same trace. */
static uint64_t digest_of_a_run(void)
{
    struct links_world *w = links_world_new(true);
    struct raft_message m = links_world_entries(w, 2, 1, 30, 5000);
    struct links_sent sent;
    uint64_t digest;

    links_world_connect(w);
    links_world_send(w, 0, STORE_CLUSTER, &m, &sent);
    links_world_await_got(w, 1, 1);
    env_sim_run(w->env, 5000);
    digest = env_sim_digest(w->env);
    links_world_free(w);
    return digest;
}

static void test_simulation_repeats(void **state)
{
    (void)state;
    assert_int_equal(digest_of_a_run(), digest_of_a_run());
}

int main(void)
{
#define SIM(test) cmocka_unit_test_setup_teardown(test, links_world_setup_sim, links_world_teardown)
#define REAL(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, links_world_setup_real, links_world_teardown)
    const struct CMUnitTest tests[] = {
        REAL(test_impostors),
        SIM(test_wrong_answers),
        SIM(test_urgent_overtakes),
        REAL(test_urgent_overtakes),
        SIM(test_stalled_peer_is_cut),
        SIM(test_peer_restarts),
        REAL(test_peer_restarts),
        SIM(test_partition),
        SIM(test_own_stall_is_nobodys_silence),
        SIM(test_attempts_back_off),
        REAL(test_ipv6),
        REAL(test_host_names),
        cmocka_unit_test(test_simulation_repeats),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
