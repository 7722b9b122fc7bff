/* Listening on several addresses, and stopping while watches and idle connections are open. */
#include <sys/socket.h>

#include "controlplane/apiserver/apiserver.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

static void test_ready(void **state)
{
    struct harness *h = *state;
    static const char *const names[] = { "default", "kube-system", "kube-public",
                                         "kube-node-lease" };
    assert_true(apiserver_ready(h->server));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct str target = str_printf(&h->arena, "/api/v1/namespaces/%s", names[i]);
        struct reply r = harness_get(h, target.data);
        harness_expect(&r, 200);
        harness_contains(&r, "\"phase\":\"Active\"");
    }
}

static struct stream left_open;

/* The group's teardown stops the server: the watch must not keep it from ending, and is told. */
static void test_watch_at_stop(void **state)
{
    struct harness *h = *state;
    stream_open(h, &left_open, "/api/v1/namespaces?watch=true", NULL);
    assert_int_equal(left_open.status, 200);
    assert_true(stream_line(h, &left_open).len > 0);
}

static int teardown(void **state)
{
    char bytes[4096];
    int rc = harness_teardown(state);
    ssize_t n;
    struct buf rest;
    buf_init(&rest);
    while ((n = recv(left_open.fd, bytes, sizeof(bytes), 0)) > 0) {
        buf_append(&rest, bytes, (size_t)n);
    }
    if (!str_ends(buf_str(&rest), str_lit("0\r\n\r\n"))) {
        rc = -1; /* cut, not ended */
    }
    buf_deinit(&rest);
    stream_close(&left_open);
    return rc;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready),
        cmocka_unit_test(test_watch_at_stop),
    };
    return cmocka_run_group_tests(tests, harness_setup, teardown);
}
