/* Streams of the real world: echo over TCP and unix, ends, back-pressure, close. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "tests/unit/unit.h"

#define BIG_BYTES (8u << 20)

struct fixture;

struct side {
    struct fixture *f;
    struct env_stream *s;
    struct buf got;
    int ends;
    int end_status;
    int drained;
    int closed;
    bool echo;
};

struct fixture {
    struct env *env;
    struct env_loop *loop;
    struct env_listener *listener;
    struct env_connect connect;
    struct side server;
    struct side client;
    int connect_done;
    int connect_status;
    int open; /* streams not yet closed */
    void (*on_open)(struct fixture *f);
    void (*on_server_open)(struct fixture *f);
    void (*on_client_data)(struct fixture *f);
    void (*on_client_drained)(struct fixture *f);
    bool close_server_on_end;
    bool close_client_on_end;
    char path[108];
    struct env_timer watchdog;
};

static void side_maybe_stop(struct fixture *f)
{
    if (f->open == 0)
        env_loop_stop(f->loop);
}

static void on_data(void *ctx, struct str bytes)
{
    struct side *d = ctx;
    buf_append_str(&d->got, bytes);
    if (d->echo)
        env_stream_write(d->s, bytes);
    if (d == &d->f->client && d->f->on_client_data != NULL)
        d->f->on_client_data(d->f);
}

static void on_end(void *ctx, int status)
{
    struct side *d = ctx;
    d->ends++;
    d->end_status = status;
    bool server = d == &d->f->server;
    if (server ? d->f->close_server_on_end : d->f->close_client_on_end)
        env_stream_close(d->s);
}

static void on_drained(void *ctx)
{
    struct side *d = ctx;
    d->drained++;
    assert_true(env_stream_queued(d->s) <= ENV_STREAM_LOW_BYTES);
    if (d == &d->f->client && d->f->on_client_drained != NULL)
        d->f->on_client_drained(d->f);
}

static void on_closed(void *ctx)
{
    struct side *d = ctx;
    d->closed++;
    d->f->open--;
    side_maybe_stop(d->f);
}

static const struct env_stream_events events = { on_data, on_end, on_drained, on_closed };

static void on_accept(void *ctx, struct env_stream *s)
{
    struct fixture *f = ctx;
    f->server.s = s;
    f->open++;
    env_stream_start(s, &events, &f->server);
    if (f->on_server_open != NULL)
        f->on_server_open(f);
}

static void on_connected(struct env_connect *c, struct env_stream *s, int status)
{
    struct fixture *f = container_of(c, struct fixture, connect);
    f->connect_done++;
    f->connect_status = status;
    if (status != 0) {
        assert_null(s);
        env_loop_stop(f->loop);
        return;
    }
    f->client.s = s;
    f->open++;
    env_stream_start(s, &events, &f->client);
    if (f->on_open != NULL)
        f->on_open(f);
}

static void on_watchdog(struct env_timer *t)
{
    (void)t; /* any test that hangs ends here */
    fail_msg("no progress in 20 s");
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    f->env = env_uv_new();
    f->loop = env_loop_new(f->env, "test");
    f->server.f = f;
    f->client.f = f;
    f->close_server_on_end = true;
    f->close_client_on_end = true;
    env_timer_init(f->loop, &f->watchdog, on_watchdog);
    env_timer_start(&f->watchdog, 20000);
    char folder[] = "/tmp/env-stream-XXXXXX";
    assert_non_null(mkdtemp(folder));
    (void)snprintf(f->path, sizeof(f->path), "%s/s", folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    env_timer_deinit(&f->watchdog);
    env_listener_close(f->listener);
    env_loop_free(f->loop);
    (void)unlink(f->path);
    *strrchr(f->path, '/') = '\0';
    (void)rmdir(f->path);
    env_uv_free(f->env);
    buf_deinit(&f->server.got);
    buf_deinit(&f->client.got);
    mem_free(f);
    return 0;
}

/* Listens on kind's address and connects to it. */
static void open_pair(struct fixture *f, const char *kind)
{
    char address[160];
    struct err e = { 0 };
    if (strcmp(kind, "unix") == 0)
        (void)snprintf(address, sizeof(address), "unix:%s", f->path);
    else
        (void)snprintf(address, sizeof(address), "tcp:%s:0", kind);
    int rc = env_listen(f->loop, address, true, on_accept, f, &f->listener, &e);
    if (rc != 0)
        fail_msg("%s", e.msg);
    if (strcmp(kind, "unix") != 0) {
        assert_int_not_equal(env_listener_port(f->listener), 0);
        (void)snprintf(address, sizeof(address), "tcp:%s:%d", kind, env_listener_port(f->listener));
    }
    env_connect(f->loop, &f->connect, address, 0, on_connected);
    assert_int_equal(f->connect_done, 0);
}

static void say_hello(struct fixture *f)
{
    env_stream_write(f->client.s, str_lit("hello"));
}

static void close_on_hello(struct fixture *f)
{
    if (f->client.got.len == 5)
        env_stream_close(f->client.s);
}

static void test_echo(void **state)
{
    static const char *const kinds[] = { "127.0.0.1", "[::1]", "unix" };
    for (size_t i = 0; i < 3; i++) {
        if (i > 0) {
            teardown(state);
            setup(state);
        }
        struct fixture *f = *state;
        f->server.echo = true;
        f->on_open = say_hello;
        f->on_client_data = close_on_hello;
        open_pair(f, kinds[i]);
        env_loop_run(f->loop);
        assert_int_equal(f->connect_status, 0);
        assert_true(str_eq(buf_str(&f->client.got), str_lit("hello")));
        assert_int_equal(f->server.ends, 1);
        assert_int_equal(f->server.end_status, 0);
        assert_int_equal(f->server.closed, 1);
        assert_int_equal(f->client.closed, 1);
        assert_int_equal(f->client.ends, 0); /* it closed first */
    }
}

static void check_peer(struct fixture *f)
{
    struct env_peer_cred cred;
    assert_string_equal(env_stream_peer(f->server.s), "unix");
    assert_int_equal(env_stream_peer_cred(f->server.s, &cred), 0);
    assert_int_equal(cred.pid, getpid());
    assert_int_equal(cred.uid, getuid());
    env_stream_close(f->server.s);
}

static void test_unix_peer_is_known(void **state)
{
    struct fixture *f = *state;
    f->on_server_open = check_peer;
    open_pair(f, "unix");
    env_loop_run(f->loop);
    assert_int_equal(f->client.ends, 1);
}

/* A megabytes-long write: queued while the reader is paused, drained when it resumes, in order. */
static void write_big(struct fixture *f)
{
    uint8_t *bytes = mem_alloc(BIG_BYTES);
    for (size_t i = 0; i < BIG_BYTES; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    env_stream_write(f->client.s, str_of(bytes, BIG_BYTES));
    mem_free(bytes); /* the stream has copied */
    assert_true(env_stream_queued(f->client.s) > ENV_STREAM_LOW_BYTES);
    assert_int_equal(f->client.drained, 0);
    if (f->server.s != NULL)
        env_stream_resume(f->server.s);
}

static void pause_server(struct fixture *f)
{
    env_stream_pause(f->server.s);
    if (f->client.s != NULL)
        env_stream_resume(f->server.s);
}

static void shut_client(struct fixture *f)
{
    env_stream_shutdown(f->client.s);
}

static void test_back_pressure_and_half_close(void **state)
{
    struct fixture *f = *state;
    f->on_open = write_big;
    f->on_server_open = pause_server;
    f->on_client_drained = shut_client;
    open_pair(f, "127.0.0.1");
    env_loop_run(f->loop);
    assert_int_equal(f->client.drained, 1);
    assert_int_equal(f->server.got.len, BIG_BYTES);
    for (size_t i = 0; i < BIG_BYTES; i += 997)
        assert_int_equal(f->server.got.data[i], (uint8_t)(i * 31 >> 3));
    assert_int_equal(f->server.ends, 1);
    assert_int_equal(f->server.end_status, 0);
    assert_int_equal(f->client.ends, 1);
}

static void close_at_once(struct fixture *f)
{
    env_stream_write(f->client.s, str_lit("lost or not"));
    env_stream_close(f->client.s);
    env_stream_close(f->client.s); /* harmless */
    assert_int_equal(f->client.closed, 0);
}

static void test_close_is_never_inside_the_call(void **state)
{
    struct fixture *f = *state;
    f->on_open = close_at_once;
    open_pair(f, "127.0.0.1");
    env_loop_run(f->loop);
    assert_int_equal(f->client.closed, 1);
    assert_int_equal(f->client.ends, 0);
}

/* ---- a peer that has gone after its orderly end ---- */

struct broken {
    struct env_timer look;
    struct fixture *f;
    int peer;
};

static void look_at_server(struct env_timer *t)
{
    struct broken *b = container_of(t, struct broken, look);
    const struct linger at_once = { .l_onoff = 1 };
    struct side *server = &b->f->server;
    if (server->ends > 0 && b->peer >= 0) {
        assert_false(env_stream_broken(server->s)); /* it may still read */
        (void)setsockopt(b->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(b->peer);
        b->peer = -1;
    } else if (server->ends > 0 && env_stream_broken(server->s)) {
        env_stream_close(server->s);
        assert_true(env_stream_broken(server->s));
        return;
    }
    env_timer_start(t, 5);
}

static int connect_raw(struct fixture *f, bool tcp)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)env_listener_port(f->listener)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
    memcpy(un.sun_path, f->path, sizeof(un.sun_path));
    int rc = tcp ? connect(fd, (struct sockaddr *)&in, sizeof(in))
                 : connect(fd, (struct sockaddr *)&un, sizeof(un));
    assert_int_equal(rc, 0);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    return fd;
}

static void test_broken_after_the_end(void **state)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        teardown(state);
        setup(state);
        struct fixture *f = *state;
        struct broken b = { .f = f };
        struct err e;
        char address[160];
        (void)snprintf(address, sizeof(address), "%s%s",
                       tcp ? "tcp:127.0.0.1:0" : "unix:", tcp ? "" : f->path);
        f->close_server_on_end = false;
        assert_int_equal(env_listen(f->loop, address, false, on_accept, f, &f->listener, &e), 0);
        b.peer = connect_raw(f, tcp);
        env_timer_init(f->loop, &b.look, look_at_server);
        env_timer_start(&b.look, 5);
        env_loop_run(f->loop);
        env_timer_deinit(&b.look);
        assert_int_equal(f->server.ends, 1);
        assert_int_equal(f->server.closed, 1);
    }
}

/* Both ends are in this process: among its descriptors they are the TCP sockets with a peer. */
static int count_sockets_with(int level, int option, int value)
{
    int count = 0;
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        int got = -1;
        socklen_t got_len = sizeof(got);
        if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 || peer.ss_family != AF_INET)
            continue;
        assert_int_equal(getsockopt(fd, level, option, &got, &got_len), 0);
        count += value != 0 && value != 1 ? got == value : (got != 0) == value;
    }
    return count;
}

static void check_options(struct fixture *f)
{
    assert_int_equal(count_sockets_with(IPPROTO_TCP, TCP_NODELAY, 1), 2);
    assert_int_equal(count_sockets_with(SOL_SOCKET, SO_KEEPALIVE, 1), 2);
    assert_int_equal(count_sockets_with(IPPROTO_TCP, TCP_KEEPIDLE, ENV_STREAM_KEEPALIVE_IDLE_S), 2);
    assert_int_equal(count_sockets_with(IPPROTO_TCP, TCP_NOTSENT_LOWAT, ENV_STREAM_UNSENT_BYTES),
                     2);
    assert_int_equal(count_sockets_with(IPPROTO_TCP, TCP_USER_TIMEOUT, 0), 2);
    env_stream_peer_limit(f->client.s, 7000);
    assert_int_equal(count_sockets_with(IPPROTO_TCP, TCP_USER_TIMEOUT, 7000), 1);
    env_stream_close(f->client.s);
}

static void say_hello_to_client(struct fixture *f)
{
    env_stream_write(f->server.s, str_lit("hello"));
}

static void test_tcp_options_on_both_ends(void **state)
{
    struct fixture *f = *state;
    f->on_server_open = say_hello_to_client;
    f->on_client_data = check_options;
    open_pair(f, "127.0.0.1");
    env_loop_run(f->loop);
    assert_int_equal(f->client.closed, 1);
    teardown(state);
    setup(state);
    f = *state;
    open_pair(f, "unix");
    f->on_server_open = say_hello_to_client;
    f->on_client_data = close_on_hello;
    env_loop_run(f->loop);
    assert_int_equal(f->client.closed, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_echo),
                                        T(test_unix_peer_is_known),
                                        T(test_tcp_options_on_both_ends),
                                        T(test_broken_after_the_end),
                                        T(test_back_pressure_and_half_close),
                                        T(test_close_is_never_inside_the_call) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
