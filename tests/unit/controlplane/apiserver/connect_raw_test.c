/* SPDY passed on, alone and within a WebSocket, and the last words for an agent that died. */
#include <poll.h>

#include "net/spdy.h"
#include "tests/unit/controlplane/apiserver/stream_agent.h"
#include "tests/unit/unit.h"

#define EXEC STREAM_PODS "/p/exec?command=a&stdin=1&stdout=1&container="

static const struct http_header error_type = { STR("streamtype"), STR("error") };
static const struct http_header stdin_type = { STR("streamtype"), STR("stdin") };
static const struct http_header stdout_type = { STR("streamtype"), STR("stdout") };
static const struct http_header data_type = { STR("streamtype"), STR("data") };

static void open_streams(struct spdy_encoder *e, struct buf *b)
{
    spdy_encoder_init(e);
    spdy_write_syn_stream(e, b, 1, false, &error_type, 1);
    spdy_write_syn_stream(e, b, 3, false, &stdin_type, 1);
    spdy_write_syn_stream(e, b, 5, false, &stdout_type, 1);
}

/* Everything until the end: "STREAM:data" of frames in a row, "|" at a FIN. */
static struct str read_all(struct harness *h, struct client *c)
{
    struct spdy_decoder d;
    struct buf b;
    enum spdy_event event;
    uint32_t last = 0;
    buf_init(&b);
    spdy_decoder_init(&d);
    do {
        while ((event = spdy_decode(&d, &c->in)) != SPDY_EVENT_MORE) {
            assert_int_not_equal(event, SPDY_EVENT_ERROR);
            if (event == SPDY_EVENT_DATA && d.stream != last)
                buf_printf(&b, "%s%u:", last != 0 ? " " : "", d.stream);
            if (event == SPDY_EVENT_DATA) {
                buf_printf(&b, "%.*s%s", STR_ARG(d.data), d.fin ? "|" : "");
                last = d.stream;
            }
        }
    } while (client_read(c));
    struct str out = str_copy(&h->arena, buf_str(&b));
    spdy_decoder_deinit(&d);
    buf_deinit(&b);
    return out;
}

static void test_passed_on(void **state)
{
    struct harness *h = *state;
    struct spdy_encoder e;
    struct client c;
    struct buf b;
    buf_init(&b);
    client_open(h, &c, EXEC "echo", STREAM_SPDY);
    assert_true(str_find(buf_str(&c.s.raw), str_lit("v4.channel.k8s.io")) > 0);
    open_streams(&e, &b);
    spdy_write_data(&b, 3, true, str_lit("hello"));
    client_send(&c, buf_str(&b));
    struct str got = read_all(h, &c);
    assert_true(str_starts(got, str_lit("5:hello 1:{")));
    assert_true(str_find(got, str_lit("\"message\":\"7\"}]}}| 5:|")) > 0);
    spdy_encoder_deinit(&e);
    buf_deinit(&b);
    client_close(&c);
}

/* Without it kubectl ends with 0. */
static void test_last_words(void **state)
{
    struct harness *h = *state;
    struct spdy_encoder e;
    struct client c;
    struct buf b;
    buf_init(&b);
    client_open(h, &c, EXEC "dies", STREAM_SPDY);
    open_streams(&e, &b);
    client_send(&c, buf_str(&b));
    struct str got = read_all(h, &c);
    assert_true(str_starts(got, str_lit("5:half 1:{")));
    assert_true(str_find(got, str_lit("closed the stream before the end")) > 0);
    assert_true(str_ends(got, str_lit("|")));
    spdy_encoder_deinit(&e);
    buf_deinit(&b);
    client_close(&c);
}

/* A frame that is not whole, or is none, does not stand in the way of the last words. */
static void test_broken_frames(void **state)
{
    static const char *const targets[] = { EXEC "torn", EXEC "mad" };
    struct harness *h = *state;
    for (size_t i = 0; i < 2; i++) {
        struct spdy_encoder e;
        struct client c;
        struct buf b;
        buf_init(&b);
        client_open(h, &c, targets[i], STREAM_SPDY);
        open_streams(&e, &b);
        client_send(&c, buf_str(&b));
        struct str got = read_all(h, &c);
        assert_true(
            str_starts(got, i == 0 ? str_lit("5:half 1:{") : str_lit("5:half and the rest 1:{")));
        assert_true(str_find(got, str_lit("closed the stream before the end")) > 0);
        spdy_encoder_deinit(&e);
        buf_deinit(&b);
        client_close(&c);
    }
}

/* One that stops in the middle of a frame, one that is gone there, and one that sends byte by byte:
 * the last gets its answer all the same. */
static void test_pieces(void **state)
{
    struct harness *h = *state;
    struct client stalled;
    struct client gone;
    struct client slow;
    struct spdy_encoder e;
    struct buf b;
    buf_init(&b);
    open_streams(&e, &b);
    spdy_write_data(&b, 3, true, str_lit("hello"));
    client_open(h, &stalled, EXEC "echo", STREAM_SPDY);
    client_open(h, &gone, EXEC "echo", STREAM_SPDY);
    client_open(h, &slow, EXEC "echo", STREAM_SPDY);
    client_send(&stalled, str_slice(buf_str(&b), 0, 13));
    client_send(&gone, str_slice(buf_str(&b), 0, b.len - 3));
    client_close(&gone);
    for (size_t i = 0; i < b.len; i++) {
        client_send(&slow, str_slice(buf_str(&b), i, i + 1));
        (void)poll(NULL, 0, 1);
    }
    struct str got = read_all(h, &slow);
    assert_true(str_starts(got, str_lit("5:hello 1:{")));
    client_close(&slow);
    client_send(&stalled, str_slice(buf_str(&b), 13, b.len));
    got = read_all(h, &stalled);
    assert_true(str_starts(got, str_lit("5:hello 1:{")));
    client_close(&stalled);
    spdy_encoder_deinit(&e);
    buf_deinit(&b);
}

static void test_tunnel(void **state)
{
    struct harness *h = *state;
    struct spdy_encoder e;
    struct client c;
    struct buf b;
    buf_init(&b);
    spdy_encoder_init(&e);
    client_open(h, &c, STREAM_PODS "/p/portforward",
                STREAM_WEBSOCKET "SPDY/3.1+portforward.k8s.io\r\n");
    spdy_write_syn_stream(&e, &b, 1, true, &error_type, 1);
    spdy_write_syn_stream(&e, &b, 3, false, &data_type, 1);
    spdy_write_data(&b, 3, true, str_lit("there and back"));
    /* message boundaries mean nothing */
    client_message(&c, WEBSOCKET_BINARY, (const char *)b.data, 7);
    client_message(&c, WEBSOCKET_BINARY, (const char *)b.data + 7, b.len - 7);
    struct buf got;
    buf_init(&got);
    while (str_find(buf_str(&got), str_lit("there and back")) < 0) {
        enum websocket_event event = websocket_decode(&c.d, &c.in);
        assert_int_not_equal(event, WEBSOCKET_EVENT_ERROR);
        if (event == WEBSOCKET_EVENT_DATA)
            buf_append_str(&got, c.d.data);
        else
            assert_true(client_read(&c));
    }
    buf_deinit(&got);
    buf_deinit(&b);
    spdy_encoder_deinit(&e);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passed_on),     cmocka_unit_test(test_last_words),
        cmocka_unit_test(test_broken_frames), cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_tunnel),
    };
    return cmocka_run_group_tests(tests, stream_agent_setup, stream_agent_teardown);
}
