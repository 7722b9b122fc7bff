/* Connections of raft_uv over unix sockets: the handshake, strangers, silence, close. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env_uv.h"
#include "store/raft_transport.h"
#include "tests/unit/unit.h"

struct side {
    struct raft_transport *transport;
    struct raft_uv_connect connect;
    struct uv_stream_s *made; /* by connect */
    int status;
    int connected; /* callbacks */
    struct uv_stream_s *accepted;
    raft_id accepted_id;
    char accepted_address[64];
    int accepts;
    bool closed;
};

struct world {
    struct env *env;
    struct env_loop *loop;
    struct uv_loop_s *uv;
    char folder[64];
    struct store_member members[2];
    struct side sides[2];
};

static void on_accept(struct raft_uv_transport *t, raft_id id, const char *address,
                      struct uv_stream_s *stream)
{
    struct side *s = t->data;

    s->accepts++;
    s->accepted = stream;
    s->accepted_id = id;
    snprintf(s->accepted_address, sizeof(s->accepted_address), "%s", address);
}

static void on_connect(struct raft_uv_connect *req, struct uv_stream_s *stream, int status)
{
    struct side *s = req->data;

    s->connected++;
    s->made = stream;
    s->status = status;
}

static void on_closed(struct raft_uv_transport *t)
{
    ((struct side *)t->data)->closed = true;
}

static void run(struct world *w, const bool *until, const int *count)
{
    for (int i = 0; i < 300 && !(until != NULL && *until) && !(count != NULL && *count > 0); i++) {
        uv_run(w->uv, UV_RUN_NOWAIT);
        usleep(10000);
    }
}

static void open_side(struct world *w, int i)
{
    struct raft_transport_config config = { .loop = w->uv,
                                            .folder = w->folder,
                                            .group = STORE_CLUSTER,
                                            .members = w->members,
                                            .members_count = 2 };
    struct side *s = &w->sides[i];
    struct raft_uv_transport *t;
    struct err e;

    assert_int_equal(raft_transport_new(&config, &s->transport, &e), 0);
    t = raft_transport_uv(s->transport);
    t->data = s;
    s->connect.data = s;
    assert_int_equal(t->init(t, (raft_id)i + 1, w->members[i].name), 0);
    assert_int_equal(t->listen(t, on_accept), 0);
}

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));

    w->env = env_uv_new();
    w->loop = env_loop_new(w->env, "raft");
    w->uv = env_uv_loop(w->loop);
    snprintf(w->folder, sizeof(w->folder), "/tmp/transport-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    for (int i = 0; i < 2; i++) {
        w->members[i].id = (uint64_t)i + 1;
        snprintf(w->members[i].name, sizeof(w->members[i].name), "m%d", i + 1);
        open_side(w, i);
    }
    *state = w;
    return 0;
}

static void close_stream(struct uv_stream_s *stream)
{
    if (stream != NULL)
        uv_close((uv_handle_t *)stream, (uv_close_cb)raft_free);
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 2; i++) {
        struct side *s = &w->sides[i];
        struct raft_uv_transport *t = raft_transport_uv(s->transport);

        close_stream(s->made);
        close_stream(s->accepted);
        t->close(t, on_closed);
        run(w, &s->closed, NULL);
        assert_true(s->closed);
        raft_transport_free(s->transport);
    }
    env_loop_free(w->loop);
    (void)env_remove_tree(w->env, w->folder, NULL); /* only a temporary folder */
    env_uv_free(w->env);
    mem_free(w);
    return 0;
}

static void test_connects(void **state)
{
    struct world *w = *state;
    struct side *a = &w->sides[0];
    struct side *b = &w->sides[1];
    struct raft_uv_transport *t = raft_transport_uv(a->transport);

    assert_int_equal(t->connect(t, &a->connect, 2, "m2", on_connect), 0);
    assert_int_equal(a->connected, 0); /* never inside the call */
    run(w, NULL, &b->accepts);
    run(w, NULL, &a->connected);
    assert_int_equal(a->status, 0);
    assert_non_null(a->made);
    assert_int_equal(b->accepted_id, 1);
    assert_string_equal(b->accepted_address, "m1");
}

static void test_nobody_there(void **state)
{
    struct world *w = *state;
    struct side *a = &w->sides[0];
    struct raft_uv_transport *t = raft_transport_uv(a->transport);

    assert_int_equal(t->connect(t, &a->connect, 2, "absent", on_connect), 0);
    run(w, NULL, &a->connected);
    assert_int_equal(a->status, RAFT_NOCONNECTION);
    assert_null(a->made);
}

/* A raw client of member 2's socket. */
static int dial(struct world *w)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%d-m2.sock", w->folder, STORE_CLUSTER);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static bool ended(struct world *w, int fd)
{
    char byte;

    for (int i = 0; i < 300; i++) {
        uv_run(w->uv, UV_RUN_NOWAIT);
        if (recv(fd, &byte, 1, MSG_DONTWAIT) == 0)
            return true;
        usleep(10000);
    }
    return false;
}

static void test_bad_handshakes_are_closed(void **state)
{
    static const struct {
        uint64_t magic;
        uint32_t version;
        uint32_t group;
        uint64_t id;
    } bad[] = {
        { 1, 1, STORE_CLUSTER, 1 },                     /* not ours */
        { 0x31666172796e6167ull, 2, STORE_CLUSTER, 1 }, /* another version */
        { 0x31666172796e6167ull, 1, STORE_BUS, 1 },     /* another group */
        { 0x31666172796e6167ull, 1, STORE_CLUSTER, 9 }, /* no member */
        { 0x31666172796e6167ull, 1, STORE_CLUSTER, 2 }, /* itself */
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t bytes[24];
        int fd = dial(w);

        store_le64(bytes, bad[i].magic);
        store_le32(bytes + 8, bad[i].version);
        store_le32(bytes + 12, bad[i].group);
        store_le64(bytes + 16, bad[i].id);
        assert_int_equal(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
        assert_true(ended(w, fd));
        close(fd);
    }
    assert_int_equal(w->sides[1].accepts, 0);
}

static void test_silence_is_closed(void **state)
{
    struct world *w = *state;
    int fd = dial(w);

    assert_int_equal(write(fd, "gan", 3), 3);
    assert_true(ended(w, fd)); /* after TRANSPORT_HANDSHAKE_MS */
    close(fd);
    assert_int_equal(w->sides[1].accepts, 0);
}

static void test_too_many_in_handshake(void **state)
{
    struct world *w = *state;
    int fds[TRANSPORT_ACCEPTS_MAX + 8];

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        fds[i] = dial(w);
        uv_run(w->uv, UV_RUN_NOWAIT);
    }
    assert_true(ended(w, fds[TRANSPORT_ACCEPTS_MAX + 7]));
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        close(fds[i]);
}

static void test_close_cancels_connects(void **state)
{
    struct world *w = *state;
    struct side *a = &w->sides[0];
    struct raft_uv_transport *t = raft_transport_uv(a->transport);

    assert_int_equal(t->connect(t, &a->connect, 2, "m2", on_connect), 0);
    t->close(t, on_closed);
    run(w, &a->closed, NULL);
    assert_int_equal(a->connected, 1);
    assert_int_equal(a->status, RAFT_CANCELED);
    raft_transport_free(a->transport);
    memset(a, 0, sizeof(*a));
    open_side(w, 0); /* its socket's name is free again */
}

static void test_long_folder(void **state)
{
    struct world *w = *state;
    struct raft_transport_config config = { .loop = w->uv,
                                            .members = w->members,
                                            .members_count = 2 };
    struct raft_transport *t;
    char folder[120];
    struct err e;

    memset(folder, 'x', sizeof(folder) - 1);
    folder[sizeof(folder) - 1] = '\0';
    config.folder = folder;
    assert_int_equal(raft_transport_new(&config, &t, &e), -ERR_INVALID_ARGUMENT);
    folder[104] = '\0'; /* fits itself, not with a member's name behind it */
    assert_int_equal(raft_transport_new(&config, &t, &e), -ERR_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_connects, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_handshakes_are_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silence_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_in_handshake, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close_cancels_connects, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_folder, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
