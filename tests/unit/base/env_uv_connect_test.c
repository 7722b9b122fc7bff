/* Listeners and connection attempts of the real world: each way they fail, and the odd ways in. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "tests/unit/unit.h"

struct fixture {
    struct env *env;
    struct env_loop *loop;
    struct env_listener *listener;
    struct env_connect connect;
    int accepted;
    int connect_done;
    int connect_status;
    char path[108];
};

static void on_accept(void *ctx, struct env_stream *s)
{
    ((struct fixture *)ctx)->accepted++;
    env_stream_close(s);
}

static void on_connected(struct env_connect *c, struct env_stream *s, int status)
{
    struct fixture *f = container_of(c, struct fixture, connect);
    f->connect_done++;
    f->connect_status = status;
    assert_true((s != NULL) == (status == 0));
    if (s != NULL)
        env_stream_close(s);
    env_loop_stop(f->loop);
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    f->env = env_uv_new();
    f->loop = env_loop_new(f->env, "test");
    char folder[] = "/tmp/env-stream-XXXXXX";
    assert_non_null(mkdtemp(folder));
    (void)snprintf(f->path, sizeof(f->path), "%s/s", folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    env_listener_close(f->listener);
    env_loop_free(f->loop);
    (void)unlink(f->path);
    *strrchr(f->path, '/') = '\0';
    (void)rmdir(f->path);
    env_uv_free(f->env);
    mem_free(f);
    return 0;
}

static void open_pair(struct fixture *f)
{
    char address[64];
    struct err e;
    assert_int_equal(env_listen(f->loop, "tcp:127.0.0.1:0", true, on_accept, f, &f->listener, &e),
                     0);
    (void)snprintf(address, sizeof(address), "tcp:127.0.0.1:%d", env_listener_port(f->listener));
    env_connect(f->loop, &f->connect, address, 0, on_connected);
    assert_int_equal(f->connect_done, 0);
}

static void test_connect_failures(void **state)
{
    static const struct {
        const char *address;
        uint64_t timeout_ms;
        int status;
    } rows[] = {
        { "tcp:127.0.0.1:1", 0, -ERR_UNAVAILABLE },
        { "unix:/nowhere/at/all.sock", 0, -ERR_UNAVAILABLE },
        { "tcp:localhost:80", 0, -ERR_INVALID_ARGUMENT },
        { "tcp:127.0.0.1:99999", 0, -ERR_INVALID_ARGUMENT },
        { "tcp:127.0.0.1", 0, -ERR_INVALID_ARGUMENT },
        { "fd:3", 0, -ERR_INVALID_ARGUMENT },
        { "nonsense", 0, -ERR_INVALID_ARGUMENT },
        { "", 0, -ERR_INVALID_ARGUMENT },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        teardown(state);
        setup(state);
        struct fixture *f = *state;
        env_connect(f->loop, &f->connect, rows[i].address, rows[i].timeout_ms, on_connected);
        assert_int_equal(f->connect_done, 0);
        env_loop_run(f->loop);
        assert_int_equal(f->connect_done, 1);
        if (f->connect_status != rows[i].status)
            fail_msg("%s: %d", rows[i].address, f->connect_status);
    }
}

static void test_connect_is_canceled(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    env_connect_cancel(&f->connect);
    assert_int_equal(f->connect_done, 0);
    env_connect_cancel(&f->connect); /* harmless */
    env_loop_run(f->loop);
    assert_int_equal(f->connect_done, 1);
    assert_int_equal(f->connect_status, -ERR_CANCELED);
}

static void test_free_cancels_a_connect(void **state)
{
    struct fixture *f = *state;
    struct fixture g = { .env = f->env };
    g.loop = env_loop_new(f->env, "other");
    open_pair(&g);
    env_loop_free(g.loop);
    assert_int_equal(g.connect_done, 1);
}

static void test_listen_failures(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = { "tcp:here:1", "fd:x",  "fd:9999",
                                       "unix:",      "udp:1", "tcp:192.0.2.77:1" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err e = { 0 };
        struct env_listener *l = NULL;
        assert_true(env_listen(f->loop, bad[i], false, on_accept, f, &l, &e) < 0);
        assert_true(e.msg[0] != '\0');
        assert_null(l);
    }
}

static void test_stale_socket_is_replaced_and_live_one_is_not(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    (void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", f->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    close(fd); /* the file stays, nobody listens */
    char address[160];
    (void)snprintf(address, sizeof(address), "unix:%s", f->path);
    struct err e = { 0 };
    struct env_listener *second = NULL;
    assert_int_equal(env_listen(f->loop, address, false, on_accept, f, &f->listener, &e), 0);
    assert_int_equal(env_listen(f->loop, address, false, on_accept, f, &second, &e),
                     -ERR_ALREADY_EXISTS);
}

static void test_listening_descriptor_is_handed_in(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    (void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", f->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 8), 0);
    char address[160];
    (void)snprintf(address, sizeof(address), "fd:%d", fd);
    struct err e = { 0 };
    assert_int_equal(env_listen(f->loop, address, false, on_accept, f, &f->listener, &e), 0);
    (void)snprintf(address, sizeof(address), "unix:%s", f->path);
    env_connect(f->loop, &f->connect, address, 0, on_connected);
    env_loop_run(f->loop);
    assert_int_equal(f->connect_status, 0);
    close(fd);
}

static void connect_to(struct fixture *f, const char *host, int port)
{
    char address[64];
    (void)snprintf(address, sizeof(address), "tcp:%s:%d", host, port);
    env_connect(f->loop, &f->connect, address, 0, on_connected);
    env_loop_run(f->loop);
    if (f->connect_status != 0)
        fail_msg("%s: %d", address, f->connect_status);
    env_listener_close(f->listener);
    f->listener = NULL;
    env_loop_free(f->loop);
    f->loop = env_loop_new(f->env, "test");
}

/* Both kinds of address come in by one listener. */
static void test_listening_on_every_address(void **state)
{
    static const char *const hosts[] = { "127.0.0.1", "[::1]" };
    for (size_t i = 0; i < 2; i++) {
        struct fixture *f = *state;
        struct err e = { 0 };
        assert_int_equal(env_listen(f->loop, "tcp:[::]:0", true, on_accept, f, &f->listener, &e),
                         0);
        connect_to(f, hosts[i], env_listener_port(f->listener));
    }
}

static void test_tcp_descriptors_are_handed_in(void **state)
{
    static const char *const hosts[] = { "127.0.0.1", "[::1]" };
    for (size_t i = 0; i < 2; i++) {
        struct fixture *f = *state;
        struct sockaddr_in in = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
        int fd = socket(i == 0 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
        const struct sockaddr *a = i == 0 ? (struct sockaddr *)&in : (struct sockaddr *)&in6;
        assert_int_equal(bind(fd, a, i == 0 ? sizeof(in) : sizeof(in6)), 0);
        assert_int_equal(listen(fd, 8), 0);
        char address[32];
        (void)snprintf(address, sizeof(address), "fd:%d", fd);
        struct err e = { 0 };
        assert_int_equal(env_listen(f->loop, address, false, on_accept, f, &f->listener, &e), 0);
        int port = env_listener_port(f->listener);
        assert_true(port > 0);
        connect_to(f, hosts[i], port);
        close(fd);
    }
}

static void test_two_listeners_share_a_port(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    struct env_listener *other;
    char address[64];
    assert_int_equal(env_listen(f->loop, "tcp:127.0.0.1:0", true, on_accept, f, &f->listener, &e),
                     0);
    (void)snprintf(address, sizeof(address), "tcp:127.0.0.1:%d", env_listener_port(f->listener));
    assert_int_equal(env_listen(f->loop, address, true, on_accept, f, &other, &e), 0);
    env_listener_close(other);
    assert_true(env_listen(f->loop, address, false, on_accept, f, &other, &e) < 0);
}

static void on_stop(struct env_timer *t)
{
    env_loop_stop(t->loop);
}

static void run_for(struct fixture *f, uint64_t ms)
{
    struct env_timer t;
    env_timer_init(f->loop, &t, on_stop);
    env_timer_start(&t, ms);
    env_loop_run(f->loop);
    env_timer_deinit(&t);
}

/* No descriptor is left: the loop has its turns all the same, and who came is taken later. */
static void test_no_descriptor_is_left(void **state)
{
    struct fixture *f = *state;
    struct rlimit limit;
    open_pair(f);
    run_for(f, 10);
    assert_int_equal(f->accepted, 1);
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)env_listener_port(f->listener)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit none = { .rlim_cur = 0, .rlim_max = limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    run_for(f, 20); /* ends */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(f->accepted, 1);
    for (int i = 0; f->accepted < 2 && i < 1000; i++)
        run_for(f, 10);
    assert_int_equal(f->accepted, 2);
    (void)close(client);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_connect_failures),
                                        T(test_connect_is_canceled),
                                        T(test_free_cancels_a_connect),
                                        T(test_listen_failures),
                                        T(test_stale_socket_is_replaced_and_live_one_is_not),
                                        T(test_listening_descriptor_is_handed_in),
                                        T(test_listening_on_every_address),
                                        T(test_tcp_descriptors_are_handed_in),
                                        T(test_two_listeners_share_a_port),
                                        T(test_no_descriptor_is_left) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
