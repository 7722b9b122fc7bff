/* The HTTP/1.1 parser: each message whole and byte by byte, with the same outcome. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "net/http1.h"
#include "tests/unit/unit.h"

struct outcome {
    int error; /* 0: complete */
    bool complete;
    bool keep_alive;
    int messages;
    char text[400]; /* method or status, target, authority, body, trailer count */
};

/* One message; what is left over must be empty. */
static struct outcome parse(bool response, bool no_body, struct str bytes, size_t piece)
{
    struct outcome o = { 0 };
    struct http1_parser p;
    struct arena a;
    struct buf body;
    arena_init(&a);
    buf_init(&body);
    http1_parser_init(&p, response);
    http1_parser_next(&p, &a, no_body);
    while (bytes.len > 0 && o.error == 0 && !o.complete) {
        struct str in = str_slice(bytes, 0, piece);
        bytes = str_slice(bytes, in.len, bytes.len);
        struct str part = { 0 };
        enum http1_event event = HTTP1_HEAD;
        while (event != HTTP1_MORE && event != HTTP1_ERROR && event != HTTP1_END) {
            event = http1_parse(&p, &in, &part);
            if (event == HTTP1_BODY)
                buf_append_str(&body, part);
        }
        o.complete = event == HTTP1_END;
        o.error = event == HTTP1_ERROR ? p.error : 0;
    }
    if (!o.complete && o.error == 0)
        o.complete = http1_parse_end(&p) == HTTP1_END;
    o.keep_alive = p.keep_alive;
    if (response)
        (void)snprintf(o.text, sizeof(o.text), "%d %.*s %zu", p.status, STR_ARG(buf_str(&body)),
                       p.trailers.count);
    else
        (void)snprintf(o.text, sizeof(o.text), "%.*s %.*s %.*s %.*s %zu", STR_ARG(p.method),
                       STR_ARG(p.target), STR_ARG(p.authority), STR_ARG(buf_str(&body)),
                       p.trailers.count);
    http1_parser_deinit(&p);
    buf_deinit(&body);
    arena_deinit(&a);
    return o;
}

static void same_in_pieces(bool response, bool no_body, const char *bytes, size_t len, int error,
                           const char *text)
{
    static const size_t pieces[] = { 1, 2, 3, 7, 1 << 20 };
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct outcome o = parse(response, no_body, str_of(bytes, len), pieces[i]);
        if (o.error != error || (error == 0 && !o.complete))
            fail_msg("%s: error %d, not %d (complete %d)", bytes, o.error, error, o.complete);
        if (text != NULL)
            assert_string_equal(o.text, text);
    }
}

#define HOST "Host: h\r\n"

static const struct {
    const char *bytes;
    const char *text;
} good_requests[] = {
    { "GET / HTTP/1.1\r\n" HOST "\r\n", "GET / h  0" },
    { "\r\nGET /a?b=c HTTP/1.1\r\n" HOST "\r\n", "GET /a?b=c h  0" },
    { "GET / HTTP/1.0\r\n\r\n", "GET /   0" },
    { "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * h  0" },
    { "GET http://other:1/x HTTP/1.1\r\n" HOST "\r\n", "GET /x other:1  0" },
    { "POST / HTTP/1.1\r\n" HOST "content-LENGTH: 5\r\n\r\nhello", "POST / h hello 0" },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
      "5\r\nhello\r\n1;a=\"b\"\r\n!\r\n0\r\nx: 1\r\ny: 2\r\n\r\n",
      "POST / h hello! 2" },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n000\r\n\r\n", "POST / h  0" },
    { "GET / HTTP/1.1\r\nHost:\t h \r\nx:\r\n\r\n", "GET / h  0" },
};

static void test_good_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good_requests) / sizeof(good_requests[0]); i++)
        same_in_pieces(false, false, good_requests[i].bytes, strlen(good_requests[i].bytes), 0,
                       good_requests[i].text);
}

static const struct {
    const char *bytes;
    int error;
} bad_requests[] = {
    { "GET / HTTP/1.1\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
    { "GET / HTTP/2.0\r\n" HOST "\r\n", 505 },
    { "GET / http/1.1\r\n" HOST "\r\n", 400 },
    { "GET  / HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "GET nowhere HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "GET /\r\n" HOST "\r\n", 400 },
    { "G(T / HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "\x16\x03\x01\x02", 400 },
    { "GET / HTTP/1.1\n" HOST "\n", 400 },
    { "GET / HTTP/1.1\r\nHost: h\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" HOST "a : b\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" HOST "a: b\r\n c\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" HOST "a\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" HOST "a: b\rc\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" HOST "a: b\x7f\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\na", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\na", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\na", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775808\r\n\r\na", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
    { "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nz\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n 1\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\na", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nab", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nbad\r\n\r\n", 400 },
};

static void test_bad_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_requests) / sizeof(bad_requests[0]); i++)
        same_in_pieces(false, false, bad_requests[i].bytes, strlen(bad_requests[i].bytes),
                       bad_requests[i].error, NULL);
}

static void test_a_nul_is_refused(void **state)
{
    (void)state;
    static const char value[] = "GET / HTTP/1.1\r\n" HOST "a: b\0c\r\n\r\n";
    static const char target[] = "GET /\0 HTTP/1.1\r\n" HOST "\r\n";
    same_in_pieces(false, false, value, sizeof(value) - 1, 400, NULL);
    same_in_pieces(false, false, target, sizeof(target) - 1, 400, NULL);
}

static void test_limits(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "GET /");
    for (size_t i = 0; i < HTTP_URI_BYTES_MAX; i++)
        buf_append_byte(&b, 'a');
    buf_append_c(&b, " HTTP/1.1\r\n" HOST "\r\n");
    same_in_pieces(false, false, (char *)b.data, b.len, 414, NULL);
    buf_clear(&b);
    buf_append_c(&b, "GET / HTTP/1.1\r\n" HOST);
    for (size_t i = 0; i < HTTP_HEADER_COUNT_MAX; i++)
        buf_append_c(&b, "a: b\r\n");
    buf_append_c(&b, "\r\n");
    same_in_pieces(false, false, (char *)b.data, b.len, 431, NULL);
    buf_clear(&b);
    buf_append_c(&b, "GET / HTTP/1.1\r\n" HOST "a: ");
    for (size_t i = 0; i < HTTP_HEADER_BYTES_MAX; i++)
        buf_append_byte(&b, 'a');
    buf_append_c(&b, "\r\n\r\n");
    same_in_pieces(false, false, (char *)b.data, b.len, 431, NULL);
    buf_deinit(&b);
}

static const struct {
    const char *bytes;
    bool no_body;
    int error;
    const char *text;
} responses[] = {
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, 0, "200 ok 0" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", true, 0, "200  0" },
    { "HTTP/1.1 204 No Content\r\n\r\n", false, 0, "204  0" },
    { "HTTP/1.1 304\r\nContent-Length: 9\r\n\r\n", false, 0, "304  0" },
    { "HTTP/1.1 100 Continue\r\n\r\n", false, 0, "100  0" },
    { "HTTP/1.0 200 OK\r\n\r\nto the end", false, 0, "200 to the end 0" },
    { "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\na: b\r\n\r\n", false, 0,
      "200 ok 1" },
    { "HTTP/1.1 99 OK\r\n\r\n", false, 400, NULL },
    { "HTTP/1.1 2000\r\n\r\n", false, 400, NULL },
    { "HTTP/1.1  200 OK\r\n\r\n", false, 400, NULL },
    { "HTTP/3.0 200 OK\r\n\r\n", false, 505, NULL },
    { "ICY 200 OK\r\n\r\n", false, 400, NULL },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", false, 400, NULL },
};

static void test_responses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++)
        same_in_pieces(true, responses[i].no_body, responses[i].bytes, strlen(responses[i].bytes),
                       responses[i].error, responses[i].text);
}

static void test_an_end_inside_a_message(void **state)
{
    (void)state;
    struct str cut = str_lit("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
    assert_false(parse(true, false, cut, 100).complete);
    cut = str_lit("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nab");
    assert_false(parse(false, false, cut, 100).complete);
}

static void test_keep_alive(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool keep_alive;
    } cases[] = {
        { "GET / HTTP/1.1\r\n" HOST "\r\n", true },
        { "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\n" HOST "Connection: x, Close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(parse(false, false, str_from(cases[i].bytes), 5).keep_alive,
                         cases[i].keep_alive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_requests),    cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_a_nul_is_refused), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_responses),        cmocka_unit_test(test_an_end_inside_a_message),
        cmocka_unit_test(test_keep_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
