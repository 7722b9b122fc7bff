/* Frames of RFC 6455 as bytes, whole and in single bytes, and the handshake. */
#include "base/err.h"
#include "net/websocket.h"
#include "tests/unit/unit.h"

/* What a run of events came to, as text: "data(op,first,last)=..." and so on. */
static struct str run(struct arena *a, bool server, struct str bytes, size_t step)
{
    struct websocket_decoder d;
    struct buf b;
    enum websocket_event event = WEBSOCKET_EVENT_MORE;
    buf_init(&b);
    websocket_decoder_init(&d, server);
    while (bytes.len > 0 && event != WEBSOCKET_EVENT_ERROR) {
        struct str in = str_slice(bytes, 0, step);
        bytes = str_slice(bytes, in.len, bytes.len);
        while ((event = websocket_decode(&d, &in)) != WEBSOCKET_EVENT_MORE) {
            if (event == WEBSOCKET_EVENT_ERROR) {
                buf_printf(&b, "error %u;", d.code);
                break;
            }
            if (event == WEBSOCKET_EVENT_CONTROL)
                buf_printf(&b, "%d:%u=%.*s;", d.op, d.op == WEBSOCKET_CLOSE ? d.code : 0u,
                           STR_ARG(d.data));
            else
                buf_printf(&b, "%s%.*s%s", d.first ? (d.op == WEBSOCKET_TEXT ? "t(" : "b(") : "",
                           STR_ARG(d.data), d.last ? ");" : "");
        }
        assert_int_equal(in.len == 0 || event == WEBSOCKET_EVENT_ERROR, 1);
    }
    struct str out = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    websocket_decoder_deinit(&d);
    return out;
}

#define BYTES(s) str_of(s, sizeof(s) - 1)

static void test_frames(void **state)
{
    static const struct {
        bool server;
        struct str bytes;
        const char *want;
    } rows[] = {
        /* the examples of RFC 6455 section 5.7 */
        { false, { "\x81\x05Hello", 7 }, "t(Hello);" },
        { true, { "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11 }, "t(Hello);" },
        { false, { "\x01\x03Hel\x80\x02lo", 9 }, "t(Hello);" },
        { false, { "\x89\x05Hello", 7 }, "9:0=Hello;" },
        { true, { "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11 }, "10:0=Hello;" },
        /* a control frame between the parts of a message */
        { false, { "\x02\x01x\x89\x00\x80\x01y", 8 }, "b(x9:0=;y);" },
        { false, { "\x82\x00\x82\x01z", 5 }, "b();b(z);" },
        { false, { "\x88\x00", 2 }, "8:1005=;" },
        { false,
          { "\x88\x05\x03\xe8"
            "bye",
            7 },
          "8:1000=bye;" },
        /* refused */
        { false, { "\x88\x01\x03", 3 }, "error 1002;" },
        { true, { "\x81\x05Hello", 7 }, "error 1002;" },                     /* not masked */
        { false, { "\x81\x85\x37\xfa\x21\x3d\x7f\x9f", 8 }, "error 1002;" }, /* masked */
        { false, { "\xc1\x01x", 3 }, "error 1002;" },                        /* a reserved bit */
        { false, { "\x83\x01x", 3 }, "error 1002;" },                        /* no such op */
        { false, { "\x8b\x00", 2 }, "error 1002;" },
        { false, { "\x09\x00", 2 }, "error 1002;" },         /* control in parts */
        { false, { "\x89\x7e\x00\x7e", 4 }, "error 1002;" }, /* control too long */
        { false, { "\x80\x01x", 3 }, "error 1002;" },        /* continues nothing */
        { false, { "\x01\x01x\x81\x01y", 6 }, "t(xerror 1002;" },
        { false, { "\x82\x7e\x00\x7d", 4 }, "error 1002;" }, /* length not the shortest */
        { false, { "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 10 }, "error 1002;" },
        { false, { "\x82\x7f\x00\x00\x00\x00\x10\x00\x00\x00", 10 }, "error 1009;" },
        { false, { "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 10 }, "error 1009;" },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str whole = run(&a, rows[i].server, rows[i].bytes, rows[i].bytes.len);
        struct str single = run(&a, rows[i].server, rows[i].bytes, 1);
        assert_string_equal(str_dup(&a, whole), rows[i].want);
        assert_string_equal(str_dup(&a, single), rows[i].want);
    }
    arena_deinit(&a);
}

/* Every width of the length, written, masked and read again; never more than a piece at once. */
static void test_lengths(void **state)
{
    static const size_t lengths[] = { 0, 1, 125, 126, 65535, 65536, 200000 };
    const uint8_t mask[4] = { 1, 2, 3, 255 };
    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct websocket_decoder d;
        struct buf payload;
        struct buf wire;
        struct buf got;
        buf_init(&payload);
        buf_init(&wire);
        buf_init(&got);
        for (size_t n = 0; n < lengths[i]; n++)
            buf_append_byte(&payload, (uint8_t)(n * 7));
        websocket_write(&wire, WEBSOCKET_BINARY, true, str_slice(buf_str(&payload), 0, 1),
                        str_slice(buf_str(&payload), 1, payload.len), mask);
        websocket_decoder_init(&d, true);
        struct str in = buf_str(&wire);
        while (websocket_decode(&d, &in) == WEBSOCKET_EVENT_DATA) {
            assert_true(d.data.len <= WEBSOCKET_PIECE_BYTES);
            buf_append_str(&got, d.data);
        }
        assert_true(d.last);
        assert_true(str_eq(buf_str(&got), buf_str(&payload)));
        websocket_decoder_deinit(&d);
        buf_deinit(&payload);
        buf_deinit(&wire);
        buf_deinit(&got);
    }
}

static void test_close(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b);
    websocket_write_close(&b, WEBSOCKET_NORMAL, str_lit("ok"));
    assert_true(str_eq(buf_str(&b), BYTES("\x88\x04\x03\xe8ok")));
    buf_deinit(&b);
}

static void test_handshake(void **state)
{
    static const struct {
        const char *upgrade;
        const char *version;
        const char *key;
        bool good;
    } rows[] = {
        { "websocket", "13", "dGhlIHNhbXBsZSBub25jZQ==", true },
        { "WebSocket", "13", "dGhlIHNhbXBsZSBub25jZQ==", true },
        { "SPDY/3.1", "13", "dGhlIHNhbXBsZSBub25jZQ==", false },
        { "websocket", "8", "dGhlIHNhbXBsZSBub25jZQ==", false },
        { "websocket", "13", "dGhl", false },
        { "websocket", "13", "?", false },
    };
    struct arena a;
    struct err e;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_headers h = { 0 };
        http_headers_add(&a, &h, str_lit("connection"), str_lit("keep-alive, Upgrade"));
        http_headers_add(&a, &h, str_lit("upgrade"), str_from(rows[i].upgrade));
        http_headers_add(&a, &h, str_lit("sec-websocket-version"), str_from(rows[i].version));
        http_headers_add(&a, &h, str_lit("sec-websocket-key"), str_from(rows[i].key));
        assert_int_equal(websocket_check(&h, &e) == 0, rows[i].good);
    }
    /* RFC 6455 section 1.3 */
    assert_true(str_eq_c(websocket_accept(&a, str_lit("dGhlIHNhbXBsZSBub25jZQ==")),
                         "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    arena_deinit(&a);
}

static void test_origin(void **state)
{
    static const struct {
        const char *origin;
        const char *second;
        bool same;
    } rows[] = {
        { NULL, NULL, true },
        { "https://api.example:6443", NULL, true },
        { "https://API.example:6443", NULL, true },
        { "https://api.example", NULL, false },
        { "https://api.example:64430", NULL, false },
        { "https://evil.example", NULL, false },
        { "https://evil.example/://api.example:6443", NULL, false },
        { "api.example:6443", NULL, false },
        { "http://localhost", NULL, true },
        { "http://127.0.0.1:8001", NULL, true },
        { "http://[::1]:8001", NULL, true },
        { "http://localhost.evil.example", NULL, false },
        { "http://127.0.0.1.evil.example", NULL, false },
        { "null", NULL, false },
        { "", NULL, false },
        { "https://api.example:6443", "https://evil.example", false },
        { "https://api.example:6443", "https://api.example:6443", false },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_headers h = { 0 };
        const char *const values[] = { rows[i].origin, rows[i].second };
        for (size_t j = 0; j < 2 && values[j] != NULL; j++)
            http_headers_add(&a, &h, str_lit("origin"), str_from(values[j]));
        assert_int_equal(websocket_same_origin(&h, str_lit("api.example:6443")), rows[i].same);
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames), cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_close),  cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
