/* CopyService over mutual TLS: a fetch through it, strangers, and requests that are none. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "store/copy_service.h"
#include "store/fetch.h"
#include "store/kv.h"
#include "store/peers.h"
#include "tests/fault/members.h"
#include "tests/unit/store/copy_world.h"
#include "tests/unit/store/peer_caller.h"
#include "tests/unit/unit.h"

struct world {
    struct copy_world *c;
    struct store_world s; /* for peer_caller: members, env and a loop */
    struct peers *sender;
    struct peers *receiver;
    struct fetch *fetch;
    atomic_bool done;
    int status;
    struct point point;
    struct err err;
};

/* The other service of a peer loop, without methods. */
static const struct grpc_service none = { .name = "PeerService" };

static struct peers *open_peers(struct world *w, int i, const struct grpc_service *copies)
{
    struct peers_config c = { .env = w->c->env,
                              .loop = w->c->peers,
                              .member_id = w->s.m.table[i].id,
                              .listen_address = w->s.m.table[i].peer_address,
                              .ca_file = w->s.m.ca,
                              .cert_file = w->s.m.certs[i],
                              .key_file = w->s.m.keys[i],
                              .service = &none,
                              .copies = copies };
    struct peers *p;
    struct err e;
    if (peers_open(&c, &p, &e) != 0)
        fail_msg("%s", e.msg);
    peers_set_members(p, w->s.m.table, MEMBERS_COUNT);
    return p;
}

static void open_both(struct copy_world *c, void *arg)
{
    struct world *w = arg;
    w->sender = open_peers(w, 0, copy_service_grpc(c->service));
    w->receiver = open_peers(w, 1, NULL);
    copy_service_set_peers(c->service, w->sender);
}

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof *w);
    (void)copy_world_setup((void **)&w->c); /* cannot fail: it asserts */
    w->s.env = w->c->env;
    members_init(&w->s.m, w->c->env);
    w->s.loop = env_loop_new(w->c->env, "client");
    env_loop_start(w->s.loop);
    copy_world_run(w->c, open_both, w);
    *state = w;
    return 0;
}

static void on_closed(void *ctx)
{
    atomic_store((atomic_bool *)ctx, true);
}

struct closing {
    struct peers *peers;
    atomic_bool closed;
};

static void close_peers(struct copy_world *c, void *arg)
{
    struct closing *closing = arg;
    (void)c; /* the loop is all that is needed of it */
    peers_close(closing->peers, on_closed, &closing->closed);
}

static int teardown(void **state)
{
    struct world *w = *state;
    struct peers *both[] = { w->receiver, w->sender };
    for (int i = 0; i < 2; i++) {
        struct closing closing = { .peers = both[i] };
        copy_world_run(w->c, close_peers, &closing);
        copy_world_wait(&closing.closed);
    }
    env_loop_stop(w->s.loop);
    env_loop_join(w->s.loop);
    env_loop_free(w->s.loop);
    members_deinit(&w->s.m, w->c->env);
    (void)copy_world_teardown((void **)&w->c); /* it asserts, too */
    mem_free(w);
    return 0;
}

static void on_done(void *ctx, int status, const struct point *point, const struct err *e)
{
    struct world *w = ctx;
    w->status = status;
    if (point != NULL)
        w->point = *point;
    w->err = *e;
    w->fetch = NULL;
    atomic_store(&w->done, true);
}

static void start_fetch(struct copy_world *c, void *arg)
{
    struct world *w = arg;
    struct fetch_config config = { .env = c->env,
                                   .loop = c->peers,
                                   .calls = &fetch_peer_calls,
                                   .calls_ctx = w->receiver,
                                   .group = STORE_CLUSTER,
                                   .member_id = 1,
                                   .min_index = 10,
                                   .folder = c->staging,
                                   .done = on_done,
                                   .ctx = w };
    w->fetch = fetch_start(&config);
}

static void cancel(struct copy_world *c, void *arg)
{
    struct world *w = arg;
    (void)c; /* the loop is all that is needed of it */
    if (w->fetch != NULL)
        fetch_cancel(w->fetch);
}

static void test_fetch(void **state)
{
    struct world *w = *state;
    struct point sent;
    char path[500];
    copy_world_fill(w->c, 10, 400000);
    atomic_store(&w->done, false);
    copy_world_run(w->c, start_fetch, w);
    copy_world_wait(&w->done);
    if (w->status != 0)
        fail_msg("%s", w->err.msg);
    group_point(w->c->sender, &sent);
    assert_true(copy_world_same_point(&w->point, &sent));
    snprintf(path, sizeof path, "%s/" KV_FILE, w->c->staging);
    assert_int_equal(group_copy_point(&kv_lmdb, STORE_CLUSTER, path, &w->point, NULL), 0);
    assert_true(copy_world_same_point(&w->point, &sent));
}

/* Given up at any moment, while calls are in flight. */
static void test_cancel(void **state)
{
    struct world *w = *state;
    copy_world_fill(w->c, 10, 400000);
    for (int naps = 0; naps < 20; naps++) {
        atomic_store(&w->done, false);
        copy_world_run(w->c, start_fetch, w);
        for (int i = 0; i < naps; i++)
            copy_world_nap();
        copy_world_run(w->c, cancel, w);
        copy_world_wait(&w->done);
        assert_true(w->status == 0 || w->status == -ERR_CANCELED);
    }
}

static void test_refused(void **state)
{
    static const struct {
        int as;
        const char *path;
        struct str request;
        enum grpc_code code;
    } cases[] = {
        { 1, COPY_OPEN_PATH, STR("\x08\x01\x10\x01"), GRPC_OK },
        { 1, COPY_OPEN_PATH, STR("\x08\x01\x10\x09"), GRPC_UNAVAILABLE },
        { 1, COPY_OPEN_PATH, STR("\x08\x02\x10\x01"), GRPC_INVALID_ARGUMENT }, /* not kept */
        { 1, COPY_OPEN_PATH, STR("\x08\x63\x10\x01"), GRPC_INVALID_ARGUMENT },
        { 1, COPY_OPEN_PATH, STR("\x08\x01"), GRPC_INVALID_ARGUMENT },
        { 1, COPY_OPEN_PATH, STR("\xff"), GRPC_INVALID_ARGUMENT },
        { 1, COPY_READ_PATH, STR("\x08\x01\x10\x05\x18\x00\x20\x09"), GRPC_NOT_FOUND },
        { 1, COPY_READ_PATH, STR("\x08\x01\x10\x05\x18\x00"), GRPC_INVALID_ARGUMENT },
        { 1, "/CopyService/Write", STR("\x08\x01"), GRPC_UNIMPLEMENTED },
        /* A member's own name, and no name: not from another member. */
        { 0, COPY_OPEN_PATH, STR("\x08\x01\x10\x01"), GRPC_PERMISSION_DENIED },
        { -1, COPY_READ_PATH, STR("\x08\x01\x10\x05\x18\x00\x20\x09"), GRPC_PERMISSION_DENIED },
    };
    struct world *w = *state;
    struct copy_info made; /* so that no case finds one being made */
    copy_world_fill(w->c, 1, 10);
    assert_int_equal(copy_world_ask(w->c, 1, &made, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum grpc_code code = peer_caller_call(&w->s, cases[i].as, cases[i].path, cases[i].request);
        if (code != cases[i].code)
            fail_msg("case %zu: %s", i, grpc_code_name(code));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fetch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
