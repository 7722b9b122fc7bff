/* Who may speak to a member, and what it may say: everybody else is cut, and nobody notices. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/env_sim.h"
#include "base/log.h"
#include "tests/unit/store/links_raw.h"
#include "tests/unit/unit.h"

static int setup_sim(void **state)
{
    *state = links_world_new(true);
    links_world_connect(*state);
    return 0;
}

static int setup_real(void **state)
{
    *state = links_world_new(false);
    links_world_connect(*state);
    return 0;
}

static int teardown(void **state)
{
    links_world_free(*state);
    return 0;
}

/* What m2 and m3 have with member 1 still stands, and nothing but this message has come. */
static void expect_unmoved(struct links_world *w)
{
    struct raft_message m = { .type = RAFT_IO_TIMEOUT_NOW, .server_id = 1 };

    for (int i = 1; i < LINKS_WORLD_MEMBERS; i++) {
        struct links_sent sent;

        links_world_send(w, i, STORE_CLUSTER, &m, &sent);
        assert_int_equal(sent.refused, 0);
        links_world_await_got(w, 0, (size_t)i);
        assert_int_equal(w->members[i].lost[1], 0);
    }
    assert_int_equal(w->members[0].got_count, 2);
    assert_int_equal(w->members[0].lost[2] + w->members[0].lost[3], 0);
    links_world_clear(w, 0);
}

/* ---- certificates ---- */

static void test_who_has_no_right_certificate(void **state)
{
    struct links_world *w = *state;
    struct pki_pair other_ca;
    struct pki_pair none = { 0 };
    struct err e = { 0 };

    assert_int_equal(
        pki_make_ca(&w->arena, str_lit("other"), env_wall_ns(w->env) / ENV_S, 2, &other_ca, &e), 0);
    const struct {
        struct pki_pair own;
        bool alpn;
    } cases[] = {
        { none, true },
        { links_world_issue(w, &other_ca, "gantry-member-m2"), true },
        { links_world_issue(w, &w->ca, "gantry-member-m9"), true },
        { links_world_issue(w, &w->ca, "gantry-member-m1"), true }, /* itself */
        { links_world_issue(w, &w->ca, "m2"), true },
        { links_world_issue(w, &w->ca, "gantry-member-m2"), false }, /* no ALPN */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_context *tls = links_raw_client_tls(w, &cases[i].own, cases[i].alpn);
        struct links_raw raw;

        links_raw_dial(&raw, w, 0, w->roster[0].raft_address, tls, "gantry-member-m1");
        links_raw_hello(&raw, LINK_URGENT, 2, 1);
        links_raw_await_over(&raw);
        assert_int_equal(raw.in.len, 0); /* no hello in return */
        links_raw_deinit(&raw);
        tls_context_unref(tls);
        expect_unmoved(w);
    }
}

/* No TLS at all. */
static void test_plain_bytes(void **state)
{
    static const struct str says[] = { STR("GET / HTTP/1.1\r\n\r\n"),
                                       STR("\x1a\0\0\0\0\x40\1\0 no TLS") };
    struct links_world *w = *state;

    for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
        struct links_raw raw;

        links_raw_dial(&raw, w, 0, w->roster[0].raft_address, NULL, NULL);
        links_raw_say(&raw, says[i]);
        links_raw_await_over(&raw);
        links_raw_deinit(&raw);
        expect_unmoved(w);
    }
}

/* ---- the first words ---- */

static void test_first_words(void **state)
{
    static const struct {
        struct str bytes; /* absent: a hello */
        uint8_t kind;
        uint64_t from;
        uint64_t to;
        const char *name; /* NULL: its own */
    } cases[] = {
        { { NULL, 0 }, LINK_URGENT, 3, 1, NULL }, /* another's name */
        { { NULL, 0 }, LINK_URGENT, 3, 1, "m2" },
        { { NULL, 0 }, LINK_URGENT, 2, 1, "m3" },
        { { NULL, 0 }, LINK_URGENT, 1, 1, NULL },
        { { NULL, 0 }, LINK_URGENT, 9, 1, NULL },
        { { NULL, 0 }, LINK_URGENT, 2, 3, NULL }, /* for another */
        { { NULL, 0 }, LINK_KINDS, 2, 1, NULL },
        { STR("garbage garbage"), 0, 0, 0, NULL },
        { STR("\0\0\0\0\0\x41\1\0"), 0, 0, 0, NULL }, /* a ping */
        { STR("\x18\0\0\0\1\6\1\0 a message of 24 bytes..."), 0, 0, 0,
          NULL },                                             /* before the hello */
        { STR("\0\0\x10\0\1\1\1\0"), 0, 0, 0, NULL },         /* 1 MiB, from a stranger */
        { STR("\x52\0\0\0\0\x40\1\0"), 0, 0, 0, NULL },       /* too long for a hello */
        { STR("\x03\0\0\0\0\x40\1\0\1\2\3"), 0, 0, 0, NULL }, /* too short for one */
        { STR("\x15\0\0\0\0\x40\2\0"), 0, 0, 0, NULL },       /* another version */
    };
    struct links_world *w = *state;
    struct tls_context *tls = NULL;

    if (!w->sim) {
        struct pki_pair own = links_world_issue(w, &w->ca, "gantry-member-m2");

        tls = links_raw_client_tls(w, &own, true);
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct links_raw raw;

        if (w->sim && cases[i].from == 3 && cases[i].name == NULL)
            continue; /* there a hello is believed */
        links_raw_dial(&raw, w, 1, w->roster[0].raft_address, tls, "gantry-member-m1");
        if (cases[i].bytes.len == 0)
            links_raw_hello_as(&raw, cases[i].kind, cases[i].from, cases[i].name, cases[i].to);
        else
            links_raw_say(&raw, cases[i].bytes);
        links_raw_await_over(&raw);
        assert_int_equal(raw.in.len, 0);
        links_raw_deinit(&raw);
        expect_unmoved(w);
    }
    tls_context_unref(tls);
}

/* ---- a member gone mad ---- */

#define HELLO_BYTES (WIRE_HEADER_BYTES + 18 + 2) /* of a member "mN" */

/* The real m2 comes back after each; m3 notices nothing. */
static void test_later_words(void **state)
{
    static const struct str cases[] = {
        STR("garbage garbage"),
        STR("\0\0\0\0\0\x42\1\0"),                                /* a pong for no ping of ours */
        STR("\x14\0\0\0\0\x40\1\0 and again a hello! And more."), /* a second one */
        STR("\1\0\x80\0\1\1\1\0"),                                /* above 8 MiB */
        STR("\x18\0\0\0\1\6\2\0 another version......."),
        STR("\x18\0\0\0\1\7\1\0 another type.........."),
        STR("\x18\0\0\0\3\6\1\0 another group........."),
        STR("\x17\0\0\0\1\6\1\0 a byte is missing, and more"),
    };
    struct links_world *w = *state;
    struct raft_message m = { .type = RAFT_IO_TIMEOUT_NOW, .server_id = 1 };
    struct pki_pair own = { 0 };
    struct tls_context *tls = NULL;
    struct links_sent sent;

    if (!w->sim) {
        own = links_world_issue(w, &w->ca, "gantry-member-m2");
        tls = links_raw_client_tls(w, &own, true);
    }
    links_world_close(w, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct links_raw raw;

        links_raw_dial(&raw, w, 1, w->roster[0].raft_address, tls, "gantry-member-m1");
        links_raw_hello(&raw, LINK_URGENT, 2, 1);
        links_raw_await_bytes(&raw, HELLO_BYTES);
        links_raw_say(&raw, str_lit("\0\0\0\0\0\x41\1\0"));
        links_raw_await_bytes(&raw, HELLO_BYTES + WIRE_HEADER_BYTES); /* the answer to a ping */
        links_raw_say(&raw, cases[i]);
        links_raw_await_over(&raw);
        links_raw_deinit(&raw);
    }
    tls_context_unref(tls);
    assert_int_equal(w->members[0].got_count, 0);
    assert_int_equal(w->members[2].lost[1], 0);
    links_world_send(w, 2, STORE_BUS, &m, &sent);
    links_world_await_got(w, 0, 1);
    links_world_open(w, 1, NULL);
    links_world_roster(w, 1, 3);
    links_world_await(w, 1, 0);
}

/* Half a message, and then the end: nothing is delivered. */
static void test_half_a_frame(void **state)
{
    struct links_world *w = *state;
    struct raft_message m = links_world_entries(w, 1, 1, 3, 1000);
    struct links_raw raw;
    struct buf b;

    links_world_close(w, 1);
    buf_init(&b);
    (void)wire_encode(&m, STORE_CLUSTER, 0, SIZE_MAX, &b);
    links_raw_dial(&raw, w, 1, w->roster[0].raft_address, NULL, NULL);
    links_raw_hello(&raw, LINK_BULK, 2, 1);
    links_raw_await_bytes(&raw, HELLO_BYTES);
    links_raw_say(&raw, str_slice(buf_str(&b), 0, b.len - 1));
    env_sim_run(w->env, LINKS_IDLE_MS - 2000);
    assert_false(raw.over);
    assert_int_equal(w->members[0].got_count, 0);
    /* Its last byte makes it whole; then it is silent too long. */
    links_raw_say(&raw, str_slice(buf_str(&b), b.len - 1, b.len));
    links_world_await_got(w, 0, 1);
    env_sim_run(w->env, LINKS_IDLE_MS - 2000);
    assert_false(raw.over);
    env_sim_run(w->env, 4000);
    assert_true(raw.over);
    links_raw_deinit(&raw);
    buf_deinit(&b);
}

static void test_newer_replaces_older(void **state)
{
    struct links_world *w = *state;
    struct links_raw first;
    struct links_raw second;
    struct links_raw bulk;

    links_world_close(w, 1);
    links_raw_dial(&first, w, 1, w->roster[0].raft_address, NULL, NULL);
    links_raw_hello(&first, LINK_URGENT, 2, 1);
    links_raw_await_bytes(&first, HELLO_BYTES);
    links_raw_dial(&bulk, w, 1, w->roster[0].raft_address, NULL, NULL);
    links_raw_hello(&bulk, LINK_BULK, 2, 1);
    links_raw_await_bytes(&bulk, HELLO_BYTES);
    assert_false(first.over);
    links_raw_dial(&second, w, 1, w->roster[0].raft_address, NULL, NULL);
    links_raw_hello(&second, LINK_URGENT, 2, 1);
    links_raw_await_bytes(&second, HELLO_BYTES);
    env_sim_run(w->env, 100); /* the end is on its way */
    assert_true(first.over);
    assert_false(second.over);
    assert_false(bulk.over);
    assert_int_equal(w->members[0].lost[2], 1); /* by m2's own end, and not again */
    links_raw_deinit(&first);
    links_raw_deinit(&second);
    links_raw_deinit(&bulk);
}

/* ---- a crowd at the door ---- */

static void test_silent_strangers(void **state)
{
    struct links_world *w = *state;
    struct links_raw raws[LINKS_ACCEPTS_OF_HOST_MAX + 1];
    size_t last = LINKS_ACCEPTS_OF_HOST_MAX;

    for (size_t i = 0; i <= last; i++)
        links_raw_dial(&raws[i], w, 1, w->roster[0].raft_address, NULL, NULL);
    /* One address has so many and no more; the others wait for their time. */
    links_raw_await_over(&raws[last]);
    for (size_t i = 0; i < last; i++)
        assert_false(raws[i].over);
    expect_unmoved(w);
    env_sim_run(w->env, LINKS_HANDSHAKE_MS + 100);
    for (size_t i = 0; i < last; i++)
        assert_true(raws[i].over);
    for (size_t i = 0; i <= last; i++)
        links_raw_deinit(&raws[i]);
    assert_int_equal(w->members[0].links->strangers, 0);
}

static bool has_no_strangers(void *ctx)
{
    return ((struct links_world *)ctx)->members[0].links->strangers == 0;
}

static void test_too_many_a_second(void **state)
{
    struct links_world *w = *state;
    struct links_raw raw;
    size_t taken = 0;
    size_t tried = 3 * LINKS_ACCEPTS_MAX;

    env_sim_run(w->env, 2000); /* what the members themselves took is forgotten */
    for (size_t i = 0; i < tried; i++) {
        links_raw_dial(&raw, w, 1, w->roster[0].raft_address, NULL, NULL);
        taken += w->members[0].links->strangers;
        links_raw_deinit(&raw);
        links_world_until(w, 0, has_no_strangers, w);
    }
    assert_true(taken >= LINKS_ACCEPTS_MAX);
    assert_true(taken < tried);
    expect_unmoved(w);
    /* A second later there is room again. */
    env_sim_run(w->env, 1000);
    links_raw_dial(&raw, w, 1, w->roster[0].raft_address, NULL, NULL);
    assert_int_equal(w->members[0].links->strangers, 1);
    links_raw_deinit(&raw);
}

int main(void)
{
#define SIM(test)  cmocka_unit_test_setup_teardown(test, setup_sim, teardown)
#define REAL(test) cmocka_unit_test_setup_teardown(test, setup_real, teardown)
    const struct CMUnitTest tests[] = {
        REAL(test_who_has_no_right_certificate),
        REAL(test_plain_bytes),
        SIM(test_first_words),
        REAL(test_first_words),
        SIM(test_later_words),
        REAL(test_later_words),
        SIM(test_half_a_frame),
        SIM(test_newer_replaces_older),
        SIM(test_silent_strangers),
        SIM(test_too_many_a_second),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
