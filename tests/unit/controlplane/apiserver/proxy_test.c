/* Requests and answers as they pass, both ways, and what each side sees when the other goes away.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/http.h"
#include "tests/unit/controlplane/apiserver/proxy_backend.h"
#include "tests/unit/unit.h"

#define WEB PROXY_PODS "/web/proxy"

static void test_request_and_answer(void **state)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct reply r = harness_send(h, methods[i], WEB "/a%2Fb//echo?x=%zz&pretty=1&watch=1",
                                      "Authorization: Bearer t\r\nX-Mine: 1\r\n", NULL);
        harness_expect(&r, 203);
        harness_contains(&r, "x-mine: 1\n");
        harness_contains(&r, "x-forwarded-for: 127.0.0.1\n");
        harness_contains(&r, "x-forwarded-uri: " WEB "/a%2Fb//echo\n");
        harness_lacks(&r, "authorization");
        assert_true(str_starts(
            r.body, str_printf(&h->arena, "%s /a%%2Fb//echo?x=%%zz&pretty=1&", methods[i])));
        assert_true(str_find(r.headers, str_lit("x-answer: yes\r\n")) > 0);
    }
    struct reply r = harness_send(h, "HEAD", WEB "/echo", NULL, NULL);
    harness_expect(&r, 203);
    assert_int_equal(r.body.len, 0);
    r = harness_get(h, WEB "/nothing");
    harness_expect(&r, 404);
    assert_string_equal(str_dup(&h->arena, r.body), "not here");
}

static void expect_location(struct harness *h, const struct reply *r, int status, const char *want)
{
    harness_expect(r, status);
    struct str line = str_printf(&h->arena, "location: %s\r\n", want);
    if (str_find(r->headers, line) < 0) {
        fail_msg("no %s in %.*s", want, STR_ARG(r->headers));
    }
}

static void test_redirects(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, WEB);
    expect_location(h, &r, 301, WEB "/");
    r = harness_send(h, "HEAD", WEB "?a=1", NULL, NULL);
    expect_location(h, &r, 301, WEB "/?a=1");
    r = harness_send(h, "POST", WEB, NULL, NULL);
    harness_expect(&r, 404); /* the server's own: POST / */
    r = harness_get(h, WEB "/moved");
    expect_location(h, &r, 302, WEB "/elsewhere?a=1");
}

/* Refused, redirected and answered ones leave the connection to the next request. */
static void test_one_connection(void **state)
{
#define NEXT " HTTP/1.1\r\nHost: test\r\n\r\nGET "
    struct harness *h = *state;
    struct stream s;
    stream_start(h, &s, "GET",
                 PROXY_PODS "/none/proxy/" NEXT WEB NEXT WEB "/nothing" NEXT WEB "/echo", NULL);
#undef NEXT
    while (stream_more(&s)) {
    }
    struct str all = buf_str(&s.raw);
    assert_true(str_starts(all, str_lit("HTTP/1.1 404 ")));
    assert_true(str_find(all, str_lit("HTTP/1.1 301 ")) > 0);
    assert_true(str_find(all, str_lit("not here")) > str_find(all, str_lit("HTTP/1.1 301 ")));
    assert_true(str_find(all, str_lit("HTTP/1.1 203 ")) > 0);
    stream_close(&s);
}

static void test_page(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, WEB "/page");
    harness_expect(&r, 200);
    assert_string_equal(str_dup(&h->arena, r.body), "<a href='" WEB "/x'>x</a><");
    r = harness_send(h, "HEAD", WEB "/page", NULL, NULL);
    harness_expect(&r, 200);
    assert_true(str_find(r.headers, str_lit("content-length")) < 0);
}

/* More than a body of the API may have, and than any queue holds. */
static void test_bodies(void **state)
{
    enum { BYTES = 8 << 20 };
    struct harness *h = *state;
    struct stream s;
    char *bytes = malloc(BYTES);
    size_t sent = 0;
    for (size_t i = 0; i < BYTES; i++) {
        bytes[i] = (char)(i * 7 + i / 4096);
    }
    struct str head = str_printf(&h->arena, "Content-Length: %d\r\n", BYTES);
    stream_start(h, &s, "POST", WEB "/back", head.data);
    for (bool more = true; more;) {
        struct pollfd p = { .fd = s.fd, .events = (short)(POLLIN | (sent < BYTES ? POLLOUT : 0)) };
        assert_int_equal(poll(&p, 1, HARNESS_WAIT_MS), 1);
        if ((p.revents & POLLOUT) != 0) {
            ssize_t n = send(s.fd, bytes + sent, BYTES - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            sent += n > 0 ? (size_t)n : 0;
        }
        more = (p.revents & (POLLIN | POLLHUP)) == 0 || stream_more(&s);
    }
    stream_unframe(&s);
    assert_true(s.ended);
    assert_int_equal(s.text.len, BYTES);
    assert_memory_equal(s.text.data, bytes, BYTES);
    assert_int_equal(s.status, 200);
    stream_close(&s);
    free(bytes);
}

static void wait_for_none(void)
{
    for (int i = 0; i < HARNESS_WAIT_MS / 10 && atomic_load(&proxy_backend_open) > 0; i++) {
        (void)poll(NULL, 0, 10);
    }
    assert_int_equal(atomic_load(&proxy_backend_open), 0);
}

/* A client that does not read holds up the server behind, and is let go with it. */
static void test_slow_client(void **state)
{
    struct harness *h = *state;
    struct stream s;
    size_t before = 0;
    size_t now = 1;
    h->receive_bytes = 65536;
    stream_open(h, &s, WEB "/flood", NULL);
    h->receive_bytes = 0;
    for (int i = 0; i < 100 && before != now; i++) {
        before = now;
        (void)poll(NULL, 0, 100);
        now = atomic_load(&proxy_backend_flooded);
    }
    assert_int_equal(before, now);
    assert_true(now < (32u << 20));
    stream_close(&s);
    wait_for_none();
}

static void test_lost_server(void **state)
{
    struct harness *h = *state;
    struct stream s;
    stream_open(h, &s, WEB "/half", NULL);
    assert_int_equal(s.status, 200);
    while (stream_more(&s)) {
    }
    /* 100 bytes were announced: the client sees that they are not all. */
    assert_true(str_ends(buf_str(&s.raw), str_lit("half")));
    stream_close(&s);
    struct reply r = harness_get(h, PROXY_PODS "/web:1/proxy/echo");
    harness_expect(&r, 503);
    harness_contains(&r, "error trying to reach service: 10.0.0.1:1: ");
    harness_contains(&r, "\"reason\":\"ServiceUnavailable\"");
}

static void test_lost_client(void **state)
{
    struct harness *h = *state;
    struct stream s;
    stream_start(h, &s, "GET", WEB "/waits", NULL);
    for (int i = 0; i < HARNESS_WAIT_MS / 10 && atomic_load(&proxy_backend_open) == 0; i++) {
        (void)poll(NULL, 0, 10);
    }
    assert_int_equal(atomic_load(&proxy_backend_open), 1);
    stream_close(&s);
    wait_for_none();
}

#define UPGRADE "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n"

static void test_tunnel(void **state)
{
    struct harness *h = *state;
    struct stream s;
    stream_open(h, &s, WEB "/tunnel", UPGRADE "Origin: https://test\r\n"); /* of a proxied page */
    assert_int_equal(s.status, 101);
    assert_true(str_find(buf_str(&s.raw), str_lit("sec-websocket-accept: yes\r\n")) > 0);
    assert_true(str_find(buf_str(&s.raw), str_lit("upgrade: websocket\r\n")) > 0);
    assert_int_equal(send(s.fd, "ping", 4, MSG_NOSIGNAL), 4);
    while (!str_ends(buf_str(&s.raw), str_lit("\r\n\r\nping"))) {
        assert_true(stream_more(&s));
    }
    /* The end of either side is the end of both. */
    (void)shutdown(s.fd, SHUT_WR);
    while (stream_more(&s)) {
    }
    stream_close(&s);
    wait_for_none();
    stream_open(h, &s, WEB "/short", UPGRADE);
    while (stream_more(&s)) {
    }
    assert_true(str_ends(buf_str(&s.raw), str_lit("\r\n\r\nbye")));
    stream_close(&s);
    wait_for_none();
}

static void test_refused_upgrade(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "GET", WEB "/nothing", UPGRADE, NULL);
    harness_expect(&r, 404);
    assert_string_equal(str_dup(&h->arena, r.body), "not here");
    r = harness_send(h, "GET", WEB "/echo", UPGRADE, NULL);
    harness_expect(&r, 500);
    harness_contains(&r, "invalid upgrade response: status code 203");
    r = harness_send(h, "GET", WEB "/tunnel", UPGRADE "Origin: https://evil.example\r\n", NULL);
    harness_expect(&r, 403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_and_answer),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_one_connection),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_slow_client),
        cmocka_unit_test(test_lost_server),
        cmocka_unit_test(test_lost_client),
        cmocka_unit_test(test_tunnel),
        cmocka_unit_test(test_refused_upgrade),
    };
    return cmocka_run_group_tests(tests, proxy_backend_setup, proxy_backend_teardown);
}
