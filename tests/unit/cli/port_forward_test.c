/* gantry port-forward: a connection from end to end, the end of the pod, and refusals. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/flags.h"
#include "tests/unit/cli/forward_server.h"
#include "tests/unit/unit.h"

#define POLL_US       20000
#define NOTICED_POLLS 500
/* More than the kernel takes for a reader that does not read, by less than what holds the tunnel
 * back. The reader comes later than any limit that there once was. */
#define ANSWER_BYTES (200u << 10)
#define LATE_US      10500000

static uint16_t free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    close(fd);
    return ntohs(a.sin_port);
}

static int run(struct forward_server *s, const char *ports)
{
    const char *words[] = { "p", ports };
    s->base.cli.objects = NULL;
    return flags_act(&s->base.cli, &port_forward_verb, 2, (char **)(uintptr_t)words);
}

static void test_until_the_pod_goes(void **state)
{
    struct forward_server *s = *state;
    char ports[32];
    forward_server_reset(s);
    s->port = free_port();
    (void)snprintf(ports, sizeof ports, "%u:8080", (unsigned)s->port);
    assert_int_equal(run(s, ports), CLI_FAILED); /* "lost connection to pod" */
    assert_true(str_eq_c(buf_str(&s->back), "hello"));
    assert_string_equal(s->port_header, "8080");
}

/* ---- a local side of ours, on a thread of its own ---- */

struct local {
    struct forward_server *server;
    uint16_t port;
    size_t got;
    bool noticed;
};

/* Connected once the port is listened on. A small window: what does not fit waits at the other end.
 */
static int local_connect(const struct local *l)
{
    const struct sockaddr_in a = { .sin_family = AF_INET,
                                   .sin_port = htons(l->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int window = 4096;
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
        if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0)
            return fd;
        close(fd);
        usleep(POLL_US);
    }
}

/* Runs the verb beside the thread, until that deletes the pod. */
static void run_beside(struct local *l, void *(*thread)(void *))
{
    pthread_t id;
    char ports[32];
    l->port = free_port();
    (void)snprintf(ports, sizeof ports, "%u:80", (unsigned)l->port);
    assert_int_equal(pthread_create(&id, NULL, thread, l), 0);
    assert_int_equal(run(l->server, ports), CLI_FAILED);
    assert_int_equal(pthread_join(id, NULL), 0);
}

static void *read_late(void *arg)
{
    static char bytes[65536];
    struct local *l = arg;
    ssize_t n;
    int fd = local_connect(l);
    while (atomic_load(&l->server->tunnels_closed) == 0)
        usleep(POLL_US);
    usleep(LATE_US);
    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        l->got += (size_t)n;
    close(fd);
    forward_server_delete_pod(l->server);
    return NULL;
}

/* What the pod sent before its end is kept for a reader, however late that is. */
static void test_slow_reader(void **state)
{
    struct forward_server *s = *state;
    struct local l = { .server = s };
    forward_server_reset(s);
    s->answer_bytes = ANSWER_BYTES;
    run_beside(&l, read_late);
    assert_int_equal(l.got, ANSWER_BYTES);
}

static void *break_off(void *arg)
{
    const struct linger at_once = { .l_onoff = 1 };
    struct local *l = arg;
    int fd = local_connect(l);
    (void)shutdown(fd, SHUT_WR);
    usleep(10 * POLL_US); /* the end first, and alone */
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
    for (int i = 0; i < NOTICED_POLLS && !l->noticed; i++) {
        usleep(POLL_US);
        l->noticed = atomic_load(&l->server->tunnels_closed) > 0;
    }
    forward_server_delete_pod(l->server);
    return NULL;
}

/* A local side that is gone after its end: the tunnel is given up though no data flows. */
static void test_gone(void **state)
{
    struct forward_server *s = *state;
    struct local l = { .server = s };
    forward_server_reset(s);
    s->holds = true;
    run_beside(&l, break_off);
    assert_true(l.noticed);
}

static void test_refused(void **state)
{
    struct forward_server *s = *state;
    forward_server_reset(s);
    s->base.pod = FORWARD_POD("Pending");
    assert_int_equal(run(s, ":80"), CLI_FAILED);
    assert_int_equal(s->watches, 0);
    /* Its watch may reach the server when it has ended already: so this comes last. */
    forward_server_reset(s);
    s->base.refusal = 403;
    assert_int_equal(run(s, ":80"), CLI_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_until_the_pod_goes),
                                        cmocka_unit_test(test_slow_reader),
                                        cmocka_unit_test(test_gone),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, forward_server_setup, forward_server_teardown);
}
