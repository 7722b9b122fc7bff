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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refusals) };
    return cmocka_run_group_tests(tests, stream_agent_setup, stream_agent_teardown);
}
