/* What is asked of the agent, and every way to be refused before a stream begins. */
#include <string.h>

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
          "POST /exec/default/p/refuses?&input=1&output=1&command=a+b&command=c "
          "v4.channel.k8s.io" },
        { "/p/exec?container=refuses&command=%2Fa%3Ab+%2B%26%3B%3D%25%23%22%0A%C3%A9&stdout=1",
          STREAM_SPDY,
          "POST /exec/default/p/refuses?&output=1&command=/a:b+%2B%26%3B%3D%25%23%22%0A%C3%A9 "
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
        { "POST", "/p/portforward", "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n", 400,
          "unable to upgrade: X-Stream-Protocol-Version is required" },
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str target = str_printf(&h->arena, STREAM_PODS "%s", rows[i].target);
        struct reply r = harness_send(h, rows[i].method, target.data, rows[i].headers, NULL);
        harness_expect(&r, rows[i].code);
        harness_contains(&r, rows[i].text);
    }
}

/* Appends text until b is so long. */
static void fill(struct buf *b, size_t len, const char *text)
{
    while (b->len < len) {
        buf_append_c(b, text);
    }
}

/* The arguments of thousands of files, and a script of 128 KiB. What the agent hears is no longer
 * than what the client sent, even of a client that escapes less than it might. */
static void test_long_commands(void **state)
{
    static const char start[] = STREAM_PODS "/p/exec?container=refuses&stdout=1";
    struct harness *h = *state;
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, start);
    for (int i = 0; i < 5000; i++) {
        buf_printf(&b, "&command=a%d", i);
    }
    struct reply r = harness_send(h, "POST", str_dup(&h->arena, buf_str(&b)), STREAM_SPDY, NULL);
    harness_expect(&r, 500);
    harness_contains(&r, "&command=a4998&command=a4999 v4.channel.k8s.io");
    buf_clear(&b);
    buf_append_c(&b,
                 STREAM_PODS "/p/exec?container=refuses&stdout=1&command=sh&command=-c&command=");
    fill(&b, 128u << 10, "echo+(a):%3B/");
    buf_append_c(&b, "the+end");
    r = harness_send(h, "POST", str_dup(&h->arena, buf_str(&b)), STREAM_SPDY, NULL);
    harness_expect(&r, 500);
    harness_contains(&r, "echo+(a):%3B/the+end v4.channel.k8s.io");
    uint64_t heard = 0;
    struct str digits = str_slice(r.body, strlen("POST "), r.body.len);
    assert_int_equal(
        str_to_u64(str_slice(digits, 0, (size_t)str_find(digits, str_lit(" bytes"))), &heard), 0);
    assert_in_range(heard, 127u << 10, b.len);
    fill(&b, 256u << 10, "echo+a%3B/");
    r = harness_send(h, "POST", str_dup(&h->arena, buf_str(&b)), STREAM_SPDY, NULL);
    harness_expect(&r, 414);
    harness_contains(&r, "\"kind\":\"Status\"");
    harness_contains(&r, "\"reason\":\"RequestURITooLong\",\"code\":414");
    buf_deinit(&b);
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
        cmocka_unit_test(test_long_commands),
        cmocka_unit_test(test_client_gone),
    };
    return cmocka_run_group_tests(tests, stream_agent_setup, stream_agent_teardown);
}
