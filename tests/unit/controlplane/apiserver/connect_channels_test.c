/* Channels of a WebSocket against an agent that speaks SPDY. */
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "net/http.h"
#include "tests/unit/controlplane/apiserver/stream_agent.h"
#include "tests/unit/unit.h"

#define EXEC    STREAM_PODS "/p/exec?command=a&stdin=1&stdout=1&stderr=1&container="
#define TEXT(s) s, sizeof(s) - 1

static void expect(struct harness *h, struct client *c, const char *want)
{
    assert_string_equal(str_dup(&h->arena, client_next(h, c)), want);
}

static void expect_start(struct harness *h, struct client *c, const char *want)
{
    struct str got = client_next(h, c);
    assert_string_equal(str_dup(&h->arena, str_slice(got, 0, strlen(want))), want);
}

/* v5 can end stdin; the exit code comes as one message, then the close. */
static void test_v5(void **state)
{
    struct harness *h = *state;
    struct client c;
    client_open(h, &c, EXEC "echo", STREAM_WEBSOCKET "v5.channel.k8s.io, v4.channel.k8s.io\r\n");
    assert_true(str_find(buf_str(&c.s.raw), str_lit("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) > 0);
    assert_true(str_find(buf_str(&c.s.raw), str_lit("v5.channel.k8s.io")) > 0);
    client_message(&c, WEBSOCKET_BINARY, TEXT("\0hello"));
    expect(h, &c, "2:1:hello");
    client_message(&c, WEBSOCKET_PING, TEXT("there?"));
    expect(h, &c, "10::there?");
    client_message(&c, WEBSOCKET_BINARY, TEXT("\x09nobody's"));
    client_message(&c, WEBSOCKET_BINARY, "", 0);
    client_message(&c, WEBSOCKET_BINARY, TEXT("\xff\0"));
    expect(h, &c,
           "2:3:{\"metadata\":{},\"status\":\"Failure\",\"reason\":\"NonZeroExitCode\",\"details\":"
           "{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"7\"}]}}");
    expect(h, &c, "8::1000");
    client_close(&c);
}

/* What a client sends at once is not lost in a runtime that has not replied yet. */
static void test_late_replies(void **state)
{
    struct harness *h = *state;
    struct client c;
    client_open(h, &c, EXEC "late", STREAM_WEBSOCKET "v5.channel.k8s.io\r\n");
    client_message(&c, WEBSOCKET_BINARY, TEXT("\0early"));
    expect(h, &c, "2:1:early");
    client_close(&c);
}

/* Channel 255 means nothing in v4. */
static void test_v4_cannot_close(void **state)
{
    struct harness *h = *state;
    struct client c;
    client_open(h, &c, EXEC "echo", STREAM_WEBSOCKET "v4.channel.k8s.io\r\n");
    client_message(&c, WEBSOCKET_BINARY, TEXT("\xff\0"));
    client_message(&c, WEBSOCKET_BINARY, TEXT("\0still"));
    expect(h, &c, "2:1:still");
    client_message(&c, WEBSOCKET_CLOSE, TEXT("\x03\xe8"));
    expect(h, &c, "8::1000");
    client_close(&c);
}

static void test_base64(void **state)
{
    struct harness *h = *state;
    struct client c;
    client_open(h, &c, EXEC "echo", STREAM_WEBSOCKET "v4.base64.channel.k8s.io\r\n");
    client_message(&c, WEBSOCKET_TEXT, TEXT("0aGVsbG8="));
    expect(h, &c, "1:49:aGVsbG8=");
    client_message(&c, WEBSOCKET_TEXT, TEXT("0????"));
    expect(h, &c, "8::1002");
    client_close(&c);
}

/* Without versions success is silence, and with them a Status. */
static void test_success(void **state)
{
    struct harness *h = *state;
    struct client c;
    client_open(h, &c, EXEC "good", STREAM_WEBSOCKET "channel.k8s.io\r\n");
    expect(h, &c, "8::1000");
    client_close(&c);
    client_open(h, &c, EXEC "good", STREAM_WEBSOCKET "v5.channel.k8s.io\r\n");
    expect(h, &c, "2:3:{\"metadata\":{},\"status\":\"Success\"}");
    expect(h, &c, "8::1000");
    client_close(&c);
}

static void test_agent_dies(void **state)
{
    struct harness *h = *state;
    struct client c;
    client_open(h, &c, EXEC "dies", STREAM_WEBSOCKET "v5.channel.k8s.io\r\n");
    expect(h, &c, "2:1:half");
    struct str got = client_next(h, &c);
    assert_true(str_starts(got, str_lit("2:3:{")));
    assert_true(str_find(got, str_lit("\"status\":\"Failure\"")) > 0);
    assert_true(str_find(got, str_lit("agent or its container runtime closed the stream")) > 0);
    expect_start(h, &c, "8::");
    client_close(&c);
}

static void test_not_masked(void **state)
{
    struct harness *h = *state;
    struct client c;
    client_open(h, &c, EXEC "echo", STREAM_WEBSOCKET "v5.channel.k8s.io\r\n");
    client_send(&c, str_of("\x82\x02\0x", 4));
    expect(h, &c, "8::1002");
    client_close(&c);
}

/* Without a subprotocol it is the same as with the binary one, as the kubelet takes it. */
static void test_forward(void **state)
{
    static const char *const headers[] = {
        STREAM_WEBSOCKET "v4.channel.k8s.io\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct client c;
        client_open(h, &c, STREAM_PODS "/p/portforward?ports=258", headers[i]);
        expect(h, &c, "2:1:\x02\x01");
        expect(h, &c, "2:0:\x02\x01");
        client_message(&c, WEBSOCKET_BINARY, TEXT("\0data"));
        expect(h, &c, "2:0:data");
        client_close(&c);
    }
}

/* A client that does not read stops the agent: what is under way is bounded by the queues and the
 * kernel's buffers. */
static void test_slow_client(void **state)
{
    struct harness *h = *state;
    struct client c;
    size_t before = 0;
    h->receive_bytes = 65536;
    atomic_store(&stream_agent_flooded, 0);
    client_open(h, &c, EXEC "flood", STREAM_WEBSOCKET "v5.channel.k8s.io\r\n");
    while (atomic_load(&stream_agent_flooded) == 0 ||
           before != atomic_load(&stream_agent_flooded)) {
        before = atomic_load(&stream_agent_flooded);
        usleep(200000);
        assert_true(before < 32u << 20);
    }
    size_t got = 0;
    while (got < before) { /* and reading sets it going again */
        assert_true(client_read(&c));
        got += c.in.len;
        c.in.len = 0;
    }
    client_close(&c);
    h->receive_bytes = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v5),          cmocka_unit_test(test_v4_cannot_close),
        cmocka_unit_test(test_base64),      cmocka_unit_test(test_late_replies),
        cmocka_unit_test(test_success),     cmocka_unit_test(test_agent_dies),
        cmocka_unit_test(test_not_masked),  cmocka_unit_test(test_forward),
        cmocka_unit_test(test_slow_client),
    };
    return cmocka_run_group_tests(tests, stream_agent_setup, stream_agent_teardown);
}
