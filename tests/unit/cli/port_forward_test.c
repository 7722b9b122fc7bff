/* gantry port-forward: a connection from end to end, the end of the pod, and refusals. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/flags.h"
#include "tests/unit/cli/forward_server.h"
#include "tests/unit/unit.h"

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
    s->cli.objects = NULL;
    return flags_act(&s->cli, &port_forward_verb, 2, (char **)(uintptr_t)words);
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

static void test_refused(void **state)
{
    struct forward_server *s = *state;
    forward_server_reset(s);
    s->pod = FORWARD_POD("Pending");
    assert_int_equal(run(s, ":80"), CLI_FAILED);
    assert_int_equal(s->watches, 0);
    /* Its watch may reach the server when it has ended already: so this comes last. */
    forward_server_reset(s);
    s->refusal = 403;
    assert_int_equal(run(s, ":80"), CLI_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_until_the_pod_goes),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, forward_server_setup, forward_server_teardown);
}
