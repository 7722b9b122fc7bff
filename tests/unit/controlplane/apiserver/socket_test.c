/* Logs and watches in the messages of a WebSocket, as upstream gives them to browsers. */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "tests/unit/controlplane/apiserver/stream_agent.h"
#include "tests/unit/unit.h"

#define MAPS "/api/v1/namespaces/default/configmaps"
#define LOG  STREAM_PODS "/p/log?container="
/* Their answers are more than the kernel takes. */
#define PINGS_MAX 160000
/* No subprotocol. */
#define BARE                                                                                       \
    "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"       \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* The next whole message or control frame, "op:text"; a close is "8:code". */
static struct str next(struct harness *h, struct client *c)
{
    struct buf message;
    struct str out = str_lit("end");
    enum websocket_event event = WEBSOCKET_EVENT_MORE;
    buf_init(&message);
    do {
        event = websocket_decode(&c->d, &c->in);
        assert_int_not_equal(event, WEBSOCKET_EVENT_ERROR);
        if (event == WEBSOCKET_EVENT_MORE && !client_read(c)) {
            break;
        }
        buf_append_str(&message, event == WEBSOCKET_EVENT_DATA ? c->d.data : str_lit(""));
    } while (event == WEBSOCKET_EVENT_MORE || (event == WEBSOCKET_EVENT_DATA && !c->d.last));
    if (event == WEBSOCKET_EVENT_CONTROL) {
        buf_append_str(&message, c->d.op == WEBSOCKET_CLOSE ? str_printf(&h->arena, "%u", c->d.code)
                                                            : c->d.data);
    }
    if (event != WEBSOCKET_EVENT_MORE) {
        struct buf all;
        buf_init(&all);
        buf_printf(&all, "%d:", c->d.op);
        buf_append_str(&all, buf_str(&message));
        out = str_copy(&h->arena, buf_str(&all));
        buf_deinit(&all);
    }
    buf_deinit(&message);
    return out;
}

static void expect(struct harness *h, struct client *c, const char *text)
{
    assert_string_equal(str_dup(&h->arena, next(h, c)), text);
}

static void test_logs(void **state)
{
    static const struct {
        const char *headers;
        const char *first;
        const char *line;
    } rows[] = {
        { BARE, "2:", "2:line\n" },
        { STREAM_WEBSOCKET "binary.k8s.io\r\n", "2:", "2:line\n" },
        { STREAM_WEBSOCKET "other, base64.binary.k8s.io, binary.k8s.io\r\n", "1:", "1:bGluZQo=" },
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct client c;
        client_open(h, &c, LOG "good", rows[i].headers);
        struct str head = str_slice(buf_str(&c.s.raw), 0, c.s.parsed);
        assert_true(str_find(head, str_lit("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) >
                    0);
        bool named = str_find(head, str_lit("sec-websocket-protocol: ")) > 0;
        assert_int_equal(named, i > 0);
        expect(h, &c, rows[i].first);
        expect(h, &c, rows[i].line);
        expect(h, &c, "8:1000");
        expect(h, &c, "end");
        client_close(&c);
    }
}

#define TOKEN "base64url.bearer.authorization.k8s.io.c2VjcmV0"

/* Where a browser puts its token is no protocol: it is not spoken and not shown. */
static void test_tokens(void **state)
{
    static const struct {
        const char *target;
        const char *headers;
        const char *protocol; /* NULL: none is named */
    } rows[] = {
        { LOG "good", STREAM_WEBSOCKET TOKEN ", binary.k8s.io\r\n", "binary.k8s.io" },
        { LOG "good", STREAM_WEBSOCKET TOKEN "\r\n", NULL },
        { MAPS "?watch=1", STREAM_WEBSOCKET TOKEN ", mine\r\n", "mine" },
        { MAPS "?watch=1", STREAM_WEBSOCKET TOKEN "\r\n", NULL },
        { STREAM_PODS "/p/exec?container=echo&command=a&stdout=1",
          STREAM_WEBSOCKET TOKEN ",v5.channel.k8s.io\r\n", "v5.channel.k8s.io" },
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct client c;
        client_open(h, &c, rows[i].target, rows[i].headers);
        struct str head = str_slice(buf_str(&c.s.raw), 0, c.s.parsed);
        assert_true(str_find(head, str_lit("101 ")) > 0);
        assert_true(str_find(head, str_lit("bearer")) < 0);
        bool named = str_find(head, str_lit("sec-websocket-protocol: ")) > 0;
        assert_int_equal(named, rows[i].protocol != NULL);
        assert_true(!named || str_find(head, str_from(rows[i].protocol)) > 0);
        client_close(&c);
    }
    struct reply r = harness_send(h, "GET", LOG "good", STREAM_WEBSOCKET TOKEN ", x\r\n", NULL);
    harness_expect(&r, 403);
    harness_contains(&r, "requested protocol(s) are not supported: [x]");
    r = harness_send(h, "GET", STREAM_PODS "/p/exec?container=echo&command=a",
                     STREAM_WEBSOCKET TOKEN ", x\r\n", NULL);
    harness_expect(&r, 400);
    harness_lacks(&r, "bearer");
}

/* What is no upgrade is a plain answer. */
static void test_log_refusals(void **state)
{
    struct harness *h = *state;
    struct reply r =
        harness_send(h, "GET", LOG "good", STREAM_WEBSOCKET "v4.channel.k8s.io\r\n", NULL);
    harness_expect(&r, 403);
    harness_contains(&r, "requested protocol(s) are not supported: [v4.channel.k8s.io]");
    r = harness_send(h, "GET", LOG "good", "Connection: Upgrade\r\nUpgrade: websocket\r\n", NULL);
    harness_expect(&r, 400);
    r = harness_send(h, "GET", LOG "good", BARE "Origin: https://evil.example\r\n", NULL);
    harness_expect(&r, 403);
    harness_contains(&r, "Origin");
    r = harness_send(h, "GET", STREAM_PODS "/p/exec?command=a&stdout=1&container=echo",
                     BARE "Origin: https://evil.example\r\n", NULL);
    harness_expect(&r, 403);
    r = harness_send(h, "GET", MAPS "?watch=1", BARE "Origin: null\r\n", NULL);
    harness_expect(&r, 403);
    r = harness_send(h, "GET", LOG "refuses", BARE, NULL);
    harness_expect(&r, 500);
    harness_contains(&r, "\"kind\":\"Status\"");
    r = harness_send(h, "GET", STREAM_PODS "/free/log", BARE, NULL);
    harness_expect(&r, 204);
    r = harness_send(h, "GET", LOG "good", "Connection: close\r\nUpgrade: websocket\r\n", NULL);
    harness_expect(&r, 200);
    assert_true(str_eq_c(r.body, "line\n"));
}

/* The agent goes away in the middle; the client does; and in between it is heard. */
static void test_log_ends(void **state)
{
    struct harness *h = *state;
    struct client c;
    client_open(h, &c, LOG "dies", BARE);
    expect(h, &c, "2:");
    expect(h, &c, "2:half");
    expect(h, &c, "8:1011");
    client_close(&c);
    client_open(h, &c, LOG "echo&follow=true", BARE);
    expect(h, &c, "2:");
    expect(h, &c, "2:line\n");
    client_message(&c, WEBSOCKET_TEXT, "no matter", 9);
    client_message(&c, WEBSOCKET_PING, "hey", 3);
    expect(h, &c, "10:hey");
    client_message(&c, WEBSOCKET_CLOSE, "\x03\xe8", 2);
    expect(h, &c, "8:1000");
    expect(h, &c, "end");
    client_close(&c);
    for (int i = 0; i < 20; i++) {
        client_open(h, &c, LOG "flood&follow=true", BARE);
        client_close(&c);
    }
    struct reply r = harness_get(h, LOG "good");
    harness_expect(&r, 200);
}

static void label(struct harness *h, const char *value)
{
    struct str body = str_printf(&h->arena, "{\"metadata\":{\"labels\":{\"a\":\"%s\"}}}", value);
    struct reply r = harness_send(h, "PATCH", MAPS "/m",
                                  "Content-Type: application/merge-patch+json\r\n", body.data);
    harness_expect(&r, 200);
}

static void make_map(struct harness *h)
{
    struct reply r = harness_send(h, "DELETE", MAPS "/m", NULL, NULL);
    (void)r; /* of the test before, perhaps */
    r = harness_post(h, MAPS, "{\"metadata\":{\"name\":\"m\"}}");
    harness_expect(&r, 201);
}

/* One event a message, as a line of a plain watch has it. */
static void test_watch(void **state)
{
    static const char *const targets[] = {
        MAPS "?watch=1&fieldSelector=metadata.name%3Dm",
        "/api/v1/watch/namespaces/default/configmaps/m",
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct client c;
        make_map(h);
        client_open(h, &c, targets[i], BARE);
        assert_true(str_starts(next(h, &c), str_lit("1:{\"type\":\"ADDED\",\"object\":{\"kind\":"
                                                    "\"ConfigMap\"")));
        label(h, "1");
        label(h, "2");
        struct str event = next(h, &c);
        assert_true(str_starts(event, str_lit("1:{\"type\":\"MODIFIED\"")));
        assert_true(str_ends(event, str_lit("}}\n")));
        assert_true(str_find(event, str_lit("\"a\":\"1\"")) > 0);
        assert_true(str_find(next(h, &c), str_lit("\"a\":\"2\"")) > 0);
        client_message(&c, WEBSOCKET_PING, "", 0);
        expect(h, &c, "10:");
        client_message(&c, WEBSOCKET_CLOSE, "", 0);
        expect(h, &c, "8:1000");
        expect(h, &c, "end");
        client_close(&c);
    }
}

/* A message tells its own length. */
static void test_watch_in_protobuf(void **state)
{
    struct harness *h = *state;
    struct client c;
    make_map(h);
    client_open(h, &c, MAPS "?watch=1&fieldSelector=metadata.name%3Dm",
                BARE "Accept: application/vnd.kubernetes.protobuf;stream=watch\r\n");
    struct str message = next(h, &c);
    assert_true(str_starts(message, str_lit("2:")));
    message = str_slice(message, 2, message.len);
    WatchEvent *event = watch_event__unpack(NULL, message.len, (const uint8_t *)message.data);
    assert_non_null(event);
    assert_string_equal(event->type, "ADDED");
    assert_memory_equal(event->object->raw.data, "k8s\0", 4);
    watch_event__free_unpacked(event, NULL);
    client_close(&c);
}

/* The end of the time, and an event that is an error. */
static void test_watch_ends(void **state)
{
    struct harness *h = *state;
    struct client c;
    client_open(h, &c, MAPS "?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dnone",
                STREAM_WEBSOCKET "whatever, more\r\n");
    assert_true(str_find(str_slice(buf_str(&c.s.raw), 0, c.s.parsed),
                         str_lit("sec-websocket-protocol: whatever\r\n")) > 0);
    expect(h, &c, "8:1000");
    client_close(&c);
    make_map(h);
    harness_compact(h);
    client_open(h, &c, MAPS "?watch=1&resourceVersion=1", BARE);
    struct str error = next(h, &c);
    assert_true(str_starts(error, str_lit("1:{\"type\":\"ERROR\",\"object\":{\"kind\":"
                                          "\"Status\"")));
    assert_true(str_find(error, str_lit("\"code\":410")) > 0);
    expect(h, &c, "8:1000");
    client_close(&c);
    struct reply r = harness_send(h, "GET", MAPS "?watch=1",
                                  "Connection: Upgrade\r\nUpgrade: websocket\r\n", NULL);
    harness_expect(&r, 400);
    r = harness_send(h, "GET", MAPS, BARE, NULL); /* a list is none */
    harness_expect(&r, 200);
}

/* Pings without end of one who reads nothing: no more is kept for it than for others. */
static void test_pings(void **state)
{
    static const char *const targets[] = {
        MAPS "?watch=1&fieldSelector=metadata.name%3Dnone",
        STREAM_PODS "/p/exec?command=a&stdin=1&stdout=1&container=echo",
    };
    struct harness *h = *state;
    char text[WEBSOCKET_CONTROL_BYTES_MAX] = { 0 };
    struct buf pings;
    buf_init(&pings);
    for (size_t i = 0; i < 500; i++) {
        websocket_write(&pings, WEBSOCKET_PING, true, str_lit(""), str_of(text, sizeof(text)),
                        (const uint8_t *)"mask");
    }
    h->receive_bytes = 4096;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct client c;
        size_t pongs = 0;
        client_open(h, &c, targets[i], BARE);
        for (size_t j = 0; j < PINGS_MAX; j += 500) {
            client_send(&c, buf_str(&pings));
        }
        client_message(&c, WEBSOCKET_CLOSE, "", 0);
        for (bool open = true; open;) {
            enum websocket_event event = websocket_decode(&c.d, &c.in);
            bool control = event == WEBSOCKET_EVENT_CONTROL;
            assert_true(event != WEBSOCKET_EVENT_MORE || client_read(&c));
            pongs += control && c.d.op == WEBSOCKET_PONG;
            open = !control || c.d.op != WEBSOCKET_CLOSE;
        }
        assert_in_range(pongs, 1, PINGS_MAX / 2);
        client_close(&c);
    }
    h->receive_bytes = 0;
    buf_deinit(&pings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logs),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_log_refusals),
        cmocka_unit_test(test_log_ends),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_watch_ends),
        cmocka_unit_test(test_watch_in_protobuf),
        cmocka_unit_test(test_pings),
    };
    return cmocka_run_group_tests(tests, stream_agent_setup, stream_agent_teardown);
}
