/* What is asked of the agent, and every way to be refused before a stream begins. */
#include "tests/unit/controlplane/apiserver/stream_agent.h"
#include "tests/unit/unit.h"

static void test_asked(void **state)
{
    static const struct {
        const char *target;
        const char *headers;
        const char *text;
    } rows[] = {
        { "/p/exec?container=refuses&command=a%20b&command=c&stdin=true&stdout=true&tty=false",
          STREAM_SPDY,
          "POST /exec/default/p/refuses?&input=1&output=1&command=a%20b&command=c "
          "v4.channel.k8s.io" },
        { "/p/attach?container=refuses&stderr=true&tty=1", STREAM_SPDY,
          "POST /attach/default/p/refuses?&error=1&tty=1 v4.channel.k8s.io" },
        { "/p/exec?container=refuses&command=a&stdout=1", STREAM_WEBSOCKET "v5.channel.k8s.io\r\n",
          "POST /exec/default/p/refuses?&output=1&command=a v4.channel.k8s.io" },
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str target = str_printf(&h->arena, STREAM_PODS "%s", rows[i].target);
        struct reply r = harness_send(h, "GET", target.data, rows[i].headers, NULL);
        harness_expect(&r, 500);
        assert_string_equal(str_dup(&h->arena, r.body), rows[i].text);
    }
}

static void test_refusals(void **state)
{
    static const struct {
        const char *method;
        const char *target;
        const char *headers;
        int code;
        const char *text;
    } rows[] = {
        { "GET", "/p/exec?container=echo&command=a", NULL, 400, "Upgrade request required" },
        { "POST", "/p/exec?container=echo&command=a", "Connection: Upgrade\r\nUpgrade: h2c\r\n",
          400, "Upgrade request required" },
        { "GET", "/p/exec?container=echo&command=a", STREAM_WEBSOCKET "v9.channel.k8s.io, x\r\n",
          400, "none of the offered WebSocket protocols is supported" },
        { "GET", "/p/portforward?ports=80", STREAM_WEBSOCKET "v5.channel.k8s.io\r\n", 400,
          "none of the offered WebSocket protocols is supported" },
        { "GET", "/p/exec?container=echo&command=a",
          "Connection: Upgrade\r\nUpgrade: websocket\r\n", 400,
          "Sec-WebSocket-Version must be 13" },
        { "GET", "/p/portforward", STREAM_WEBSOCKET "v4.channel.k8s.io\r\n", 400, "\\\"ports\\\"" },
        { "GET", "/p/portforward?ports=80,0", STREAM_WEBSOCKET "v4.channel.k8s.io\r\n", 400,
          "port \\\"0\\\" is not a number between 1 and 65535" },
        { "POST", "/deaf/exec?command=a", STREAM_SPDY, 503,
          "error dialing backend: the node's agent at 127.0.0.1:1 did not answer" },
        { "PUT", "/p/exec?container=echo", STREAM_SPDY, 405, "MethodNotAllowed" },
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str target = str_printf(&h->arena, STREAM_PODS "%s", rows[i].target);
        struct reply r = harness_send(h, rows[i].method, target.data, rows[i].headers, NULL);
        harness_expect(&r, rows[i].code);
        harness_contains(&r, rows[i].text);
    }
}

/* The client goes away in the middle, more than once, and the server goes on. */
static void test_client_gone(void **state)
{
    struct harness *h = *state;
    for (int i = 0; i < 20; i++) {
        struct client c;
        client_open(h, &c, STREAM_PODS "/p/exec?container=flood&command=a&stdout=1",
                    STREAM_WEBSOCKET "v5.channel.k8s.io\r\n");
        client_close(&c);
    }
    struct reply r = harness_get(h, STREAM_PODS "/p");
    harness_expect(&r, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_client_gone),
    };
    return cmocka_run_group_tests(tests, stream_agent_setup, stream_agent_teardown);
}
