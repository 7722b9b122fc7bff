/* Which pod, container and agent a stream goes to, and the words when there is none. */
#include "tests/unit/controlplane/apiserver/stream_agent.h"
#include "tests/unit/unit.h"

static void test_refusals(void **state)
{
    static const struct {
        const char *target;
        int code;
        const char *text;
    } rows[] = {
        { "/p/exec?command=a", 400,
          "a container name must be specified for pod p, choose one of: [echo good dies torn mad "
          "flood "
          "refuses late]" },
        { "/p/exec?command=a&container=x", 400, "container x is not valid for pod p" },
        { "/many/exec?command=a", 400,
          "a container name must be specified for pod many, choose one of: [in a b dbg]" },
        { "/many/exec?command=a&container=db", 400, "container db is not valid for pod many" },
        { "/p/attach?container=x", 400, "container x is not valid for pod p" },
        { "/none/exec?command=a", 404, "pods \\\"none\\\" not found" },
        { "/free/exec?command=a", 400, "pod free does not have a host assigned" },
        { "/free/portforward", 400, "pod free does not have a host assigned" },
        { "/lost/exec?command=a", 503, "the node has no InternalIP address" },
        { "/gone/exec?command=a", 404, "nodes \\\"none\\\" not found" },
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str target = str_printf(&h->arena, STREAM_PODS "%s", rows[i].target);
        struct reply r = harness_send(h, "POST", target.data, STREAM_SPDY, NULL);
        harness_expect(&r, rows[i].code);
        harness_contains(&r, rows[i].text);
    }
}

/* Init and ephemeral containers are containers too. */
static void test_every_kind_of_container(void **state)
{
    static const char *const names[] = { "in", "a", "b", "dbg" };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct client c;
        struct str target = str_printf(
            &h->arena, STREAM_PODS "/many/exec?command=a&stdout=1&container=%s", names[i]);
        client_open(h, &c, target.data, STREAM_WEBSOCKET "v5.channel.k8s.io\r\n");
        client_close(&c);
    }
    struct reply r = harness_get(h, STREAM_PODS "/many/log?container=dbg");
    harness_expect(&r, 200);
    assert_true(str_eq_c(r.body, "line\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refusals),
                                        cmocka_unit_test(test_every_kind_of_container) };
    return cmocka_run_group_tests(tests, stream_agent_setup, stream_agent_teardown);
}
