/*
 * Three members in one process, over real sockets, logs and LMDB: what the public interface
 * promises across them.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv.h"
#include "net/client.h"
#include "net/grpc.h"
#include "net/pki.h"
#include "net/tls.h"
#include "store/store.h"
#include "tests/fault/members.h"
#include "tests/unit/unit.h"

struct world {
    struct env *env;
    struct env_loop *loop; /* the client's */
    struct members m;
    struct store *stores[MEMBERS_COUNT];
};

static void open_member(struct world *w, int i)
{
    struct store_config c = members_config(&w->m, w->env, i);
    struct err e = { 0 };
    int rv = store_open(&c, &w->stores[i], &e);

    if (rv != 0)
        fprintf(stderr, "%s\n", e.msg);
    assert_int_equal(rv, 0);
}

static struct store_status status_of(struct world *w, int i)
{
    struct store_status s;

    store_status(store_group(w->stores[i], STORE_CLUSTER), &s);
    return s;
}

/* The index of the member that leads and is ready, within 10 s. */
static int wait_leader(struct world *w)
{
    for (int n = 0; n < 1000; n++) {
        for (int i = 0; i < MEMBERS_COUNT; i++)
            if (w->stores[i] != NULL && status_of(w, i).ready &&
                status_of(w, i).leader_id == (uint64_t)i + 1)
                return i;
        usleep(10000);
    }
    assert_true(false);
    return -1;
}

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));

    w->env = env_uv_new();
    members_init(&w->m, w->env);
    w->loop = env_loop_new(w->env, "client");
    env_loop_start(w->loop);
    for (int i = 0; i < MEMBERS_COUNT; i++)
        open_member(w, i);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < MEMBERS_COUNT; i++)
        store_close(w->stores[i]);
    env_loop_stop(w->loop);
    env_loop_join(w->loop);
    env_loop_free(w->loop);
    members_deinit(&w->m, w->env);
    env_uv_free(w->env);
    mem_free(w);
    return 0;
}

/* ---- calls that wait ---- */

struct waiting_write {
    struct store_write write;
    struct env_msg msg;
    struct store_group *group;
    const struct store_txn *txn;
    atomic_bool done;
};

static void on_written(struct store_write *w)
{
    atomic_store(&((struct waiting_write *)w)->done, true);
}

static void submit(struct env_msg *m)
{
    struct waiting_write *w = container_of(m, struct waiting_write, msg);

    store_submit(w->group, &w->write, w->txn);
}

static void wait_for(const atomic_bool *done)
{
    for (int n = 0; n < 2000 && !atomic_load(done); n++)
        usleep(10000);
    assert_true(atomic_load(done));
}

static struct store_result put_at(struct world *w, int i, const char *key, const char *value,
                                  uint64_t fence)
{
    struct store_op op = { .type = STORE_OP_PUT, .key = str_from(key), .value = str_from(value) };
    struct store_txn txn = { .ops = &op, .ops_count = 1, .fence_term = fence };
    struct waiting_write write = { .group = store_group(w->stores[i], STORE_CLUSTER), .txn = &txn };

    write.write.loop = w->loop;
    write.write.done = on_written;
    env_post(w->loop, &write.msg, submit);
    wait_for(&write.done);
    return write.write.result;
}

struct waiting_read {
    struct store_barrier barrier;
    struct env_msg msg;
    struct store_group *group;
    uint64_t revision;
    uint64_t wait_ms;
    atomic_bool done;
};

static void on_barrier(struct store_barrier *b)
{
    atomic_store(&((struct waiting_read *)b)->done, true);
}

static void submit_read(struct env_msg *m)
{
    struct waiting_read *r = container_of(m, struct waiting_read, msg);

    r->barrier.deadline_ms = r->wait_ms != 0 ? env_loop_now_ms(r->barrier.loop) + r->wait_ms : 0;
    if (r->revision != 0)
        store_wait_revision(r->group, &r->barrier, r->revision);
    else
        store_barrier(r->group, &r->barrier);
}

static struct store_barrier read_point_at(struct world *w, int i, uint64_t revision, uint64_t ms)
{
    struct waiting_read r = { .group = store_group(w->stores[i], STORE_CLUSTER),
                              .revision = revision,
                              .wait_ms = ms };

    r.barrier.loop = w->loop;
    r.barrier.done = on_barrier;
    env_post(w->loop, &r.msg, submit_read);
    wait_for(&r.done);
    return r.barrier;
}

static bool has(struct world *w, int i, const char *key, const char *value)
{
    struct store_read r;
    struct store_version v;
    bool found;

    assert_int_equal(store_read_begin(store_group(w->stores[i], STORE_CLUSTER), 0, &r), 0);
    found = store_read_get(&r, str_from(key), &v) == 0 && str_eq_c(v.value, value);
    store_read_end(&r);
    return found;
}

/* ---- tests ---- */

/* Written through any member, and after a read point visible on any other. */
static void test_writes_and_reads_on_every_member(void **state)
{
    struct world *w = *state;

    (void)wait_leader(w);
    for (int round = 0; round < 5; round++)
        for (int i = 0; i < MEMBERS_COUNT; i++) {
            char value[32];
            struct store_result result;

            snprintf(value, sizeof(value), "%d-%d", round, i);
            result = put_at(w, i, "key", value, 0);
            assert_int_equal(result.status, 0);
            assert_true(result.revision > 0);
            for (int j = 0; j < MEMBERS_COUNT; j++) {
                struct store_barrier b = read_point_at(w, j, 0, 0);

                assert_int_equal(b.status, 0);
                assert_true(b.revision >= result.revision);
                assert_true(has(w, j, "key", value));
            }
        }
}

static void test_waits_for_a_revision(void **state)
{
    struct world *w = *state;
    int leader = wait_leader(w);
    struct store_result result = put_at(w, leader, "r", "1", 0);

    assert_int_equal(result.status, 0);
    for (int i = 0; i < MEMBERS_COUNT; i++)
        assert_int_equal(read_point_at(w, i, result.revision, 0).status, 0);
    assert_int_equal(read_point_at(w, 0, result.revision + 1000, 300).status, -ERR_TIMEOUT);
}

static void test_fence(void **state)
{
    struct world *w = *state;
    int leader = wait_leader(w);
    uint64_t term = status_of(w, leader).term;

    assert_int_equal(put_at(w, leader, "f", "1", term).status, 0);
    assert_int_equal(put_at(w, (leader + 1) % MEMBERS_COUNT, "f", "2", term).status, 0);
    assert_int_equal(put_at(w, leader, "f", "3", term + 1).status, -ERR_FENCED);
}

static void test_bad_transaction(void **state)
{
    struct world *w = *state;
    char key[STORE_KEY_BYTES_MAX + 2];

    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    assert_true(put_at(w, 0, key, "1", 0).status < 0);
}

struct listener {
    struct store_leadership leadership;
    _Atomic uint64_t leading; /* term, 0: not */
    _Atomic int edges;
};

static void on_changed(struct store_leadership *l, bool leading, uint64_t term)
{
    struct listener *me = (struct listener *)l;

    atomic_store(&me->leading, leading ? term : 0);
    atomic_fetch_add(&me->edges, 1);
}

/* The leader goes: another is told that it leads, writes go on, and the first comes back equal. */
static void test_leader_restarts(void **state)
{
    struct world *w = *state;
    static struct listener listeners[MEMBERS_COUNT]; /* live as long as the stores */
    int old = wait_leader(w);
    int new;
    uint64_t term = status_of(w, old).term;
    bool equal = false;

    for (int i = 0; i < MEMBERS_COUNT; i++) {
        listeners[i].leadership.loop = w->loop;
        listeners[i].leadership.changed = on_changed;
        store_on_leadership(store_group(w->stores[i], STORE_CLUSTER), &listeners[i].leadership);
    }
    for (int n = 0; n < 500 && atomic_load(&listeners[old].leading) == 0; n++)
        usleep(10000);
    assert_int_equal(atomic_load(&listeners[old].leading), term);
    assert_int_equal(put_at(w, old, "before", "1", 0).status, 0);
    store_close(w->stores[old]);
    w->stores[old] = NULL;
    new = wait_leader(w);
    for (int n = 0; n < 500 && atomic_load(&listeners[new].leading) == 0; n++)
        usleep(10000);
    assert_true(atomic_load(&listeners[new].leading) > term);
    assert_int_equal(atomic_load(&listeners[old].leading), 0);
    assert_int_equal(put_at(w, new, "between", "1", 0).status, 0);
    open_member(w, old);
    assert_int_equal(read_point_at(w, old, 0, 0).status, 0);
    assert_true(has(w, old, "before", "1") && has(w, old, "between", "1"));
    for (int n = 0; n < 500 && !equal; n++) {
        struct store_status a = status_of(w, old);
        struct store_status b = status_of(w, new);

        equal = a.applied_index == b.applied_index && a.digest == b.digest && a.digest != 0;
        usleep(10000);
    }
    assert_true(equal);
}

/* One of three can promise nothing: reads and writes end with an error, not with a guess. */
static void test_minority_says_so(void **state)
{
    struct world *w = *state;
    struct store_barrier b;

    (void)wait_leader(w);
    store_close(w->stores[1]);
    store_close(w->stores[2]);
    w->stores[1] = w->stores[2] = NULL;
    usleep(1500000); /* a leader steps down when it hears nobody */
    b = read_point_at(w, 0, 0, 1000);
    assert_true(b.status == -ERR_UNAVAILABLE || b.status == -ERR_TIMEOUT);
    assert_false(status_of(w, 0).ready);
    open_member(w, 1);
    open_member(w, 2);
    (void)wait_leader(w);
    assert_int_equal(put_at(w, 0, "again", "1", 0).status, 0);
}

static void test_folder_is_locked(void **state)
{
    struct world *w = *state;
    struct store_config c = members_config(&w->m, w->env, 0);
    struct store *s;
    struct err e = { 0 };

    assert_int_equal(store_open(&c, &s, &e), -ERR_CONFLICT);
    assert_non_null(strstr(e.msg, c.folder));
}

static void test_bad_config(void **state)
{
    struct world *w = *state;
    struct store_config c = members_config(&w->m, w->env, 0);
    struct store *s;
    struct err e = { 0 };

    c.member_id = 7;
    assert_int_equal(store_open(&c, &s, &e), -ERR_INVALID_ARGUMENT);
    c.member_id = 1;
    c.members[1].id = 1;
    assert_int_equal(store_open(&c, &s, &e), -ERR_INVALID_ARGUMENT);
    c.members_count = 0;
    assert_int_equal(store_open(&c, &s, &e), -ERR_INVALID_ARGUMENT);
}

/* ---- the peer loop's door ---- */

struct stranger {
    struct env_msg msg;
    struct env_loop *loop;
    struct http_client *client;
    struct grpc_call call;
    const char *path;
    struct str request;
    enum grpc_code code;
    atomic_bool done;
};

static void on_client_closed(void *ctx)
{
    atomic_store(&((struct stranger *)ctx)->done, true);
}

static void close_client(struct env_msg *m)
{
    struct stranger *s = container_of(m, struct stranger, msg);

    grpc_call_deinit(&s->call);
    http_client_close(s->client, on_client_closed, s);
}

static void on_call_done(struct grpc_call *c)
{
    struct stranger *s = c->user;

    s->code = c->code;
    env_post(s->loop, &s->msg, close_client);
}

static const struct grpc_call_events stranger_events = { .done = on_call_done };

static void start_call(struct env_msg *m)
{
    struct stranger *s = container_of(m, struct stranger, msg);

    s->call.path = s->path;
    s->call.kind = GRPC_UNARY;
    s->call.timeout_ms = 5000;
    s->call.events = &stranger_events;
    s->call.user = s;
    grpc_call_start(s->client, &s->call, s->request);
}

static struct str read_file(struct world *w, struct arena *a, const char *path)
{
    struct str bytes;

    assert_int_equal(env_file_read(w->env, a, path, 1 << 20, &bytes, NULL), 0);
    return bytes;
}

/* Calls member 1 with member `as`'s certificate, or with none. */
static enum grpc_code call_as(struct world *w, int as, const char *path, struct str request)
{
    static const char *const alpn[] = { "h2", NULL };
    struct stranger s = { .loop = w->loop, .path = path, .request = request };
    struct tls_options o = { .alpn = alpn };
    struct http_client_options c = { .address = w->m.table[0].peer_address,
                                     .authority = "gantry-member-m1",
                                     .server_name = "gantry-member-m1",
                                     .protocol = HTTP_PROTOCOL_HTTP2 };
    struct arena a;
    struct err e;

    arena_init(&a);
    o.ca_pem = read_file(w, &a, w->m.ca);
    if (as >= 0) {
        o.certificate_pem = read_file(w, &a, w->m.certs[as]);
        o.key_pem = read_file(w, &a, w->m.keys[as]);
    }
    c.tls = tls_client_context_new(&o, &e);
    assert_non_null(c.tls);
    s.client = http_client_new(w->loop, &c);
    env_post(w->loop, &s.msg, start_call);
    wait_for(&s.done);
    tls_context_unref(c.tls);
    arena_deinit(&a);
    return s.code;
}

static void test_only_members_are_served(void **state)
{
    struct world *w = *state;
    struct str status = str_lit("\x08\x01"); /* group 1 */

    (void)wait_leader(w);
    assert_int_equal(call_as(w, 1, "/PeerService/Status", status), GRPC_OK);
    assert_int_equal(call_as(w, -1, "/PeerService/Status", status), GRPC_PERMISSION_DENIED);
    /* Its own certificate proves nobody else. */
    assert_int_equal(call_as(w, 0, "/PeerService/Status", status), GRPC_PERMISSION_DENIED);
}

static void test_nonsense_is_refused(void **state)
{
    static const struct {
        const char *path;
        struct str request;
        enum grpc_code code;
    } cases[] = {
        { "/PeerService/Status", STR("\x08\x07"), GRPC_INVALID_ARGUMENT },
        { "/PeerService/Status", STR("\xff\xff\xff"), GRPC_INVALID_ARGUMENT },
        { "/PeerService/Confirm", STR("\xff"), GRPC_INVALID_ARGUMENT },
        { "/PeerService/Read", STR("\x08"), GRPC_INVALID_ARGUMENT },
        /* A transaction that does not decode must never reach the log. */
        { "/PeerService/Forward", STR("\x08\x01\x12\x03xyz\x18\x05"), GRPC_INVALID_ARGUMENT },
        { "/PeerService/Forward", STR("\x08\x01"), GRPC_INVALID_ARGUMENT },
        { "/PeerService/Nothing", STR(""), GRPC_UNIMPLEMENTED },
    };
    struct world *w = *state;

    (void)wait_leader(w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(call_as(w, 1, cases[i].path, cases[i].request), cases[i].code);
    assert_int_equal(put_at(w, 1, "alive", "1", 0).status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_and_reads_on_every_member),
        cmocka_unit_test(test_waits_for_a_revision),
        cmocka_unit_test(test_fence),
        cmocka_unit_test(test_bad_transaction),
        cmocka_unit_test(test_folder_is_locked),
        cmocka_unit_test(test_bad_config),
        cmocka_unit_test(test_only_members_are_served),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_leader_restarts),
        cmocka_unit_test(test_minority_says_so),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
