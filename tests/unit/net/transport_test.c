/* A connection's ends that need a hostile peer: a server that is no server, cut handshakes. */
#include "base/arena.h"
#include "net/transport.h"
#include "tests/unit/net/world.h"
#include "tests/unit/unit.h"

/* What a listener answers to the first bytes, then it ends its side. */
static struct str answer;

static void peer_data(void *ctx, struct str bytes)
{
    (void)bytes;
    struct env_stream **s = ctx;
    env_stream_write(*s, answer);
    env_stream_shutdown(*s);
    answer = (struct str){ 0 };
}

static void peer_end(void *ctx, int status)
{
    struct env_stream **s = ctx;
    (void)status;
    env_stream_close(*s);
}

static void peer_closed(void *ctx)
{
    mem_free(ctx);
}

static void on_accept(void *ctx, struct env_stream *s)
{
    static const struct env_stream_events events = { .data = peer_data,
                                                     .end = peer_end,
                                                     .closed = peer_closed };
    struct env_stream **box = mem_alloc(sizeof(struct env_stream *));
    (void)ctx;
    *box = s;
    env_stream_start(s, &events, box);
}

static void handler(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    (void)x;
    fail_msg("no request comes through");
}

static void test_hostile_servers(void **state)
{
    static const struct str answers[] = {
        STR("\x15\3\3\0\2\1\0"),   /* close_notify before the handshake is done */
        STR("\x15\3\3\0\2\2\x28"), /* handshake_failure */
        STR("HTTP/1.1 400 x\r\n\r\n"), STR("\x16\3\3\0\4\2\0\0\0"), STR("\0"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct world *w = world_new(WORLD_TLS_HTTP2, handler, NULL);
        struct world_call c = { 0 };
        struct env_listener *l = NULL;
        world_close_server(w, 0);
        world_run(w, 100);
        answer = answers[i];
        assert_int_equal(env_listen(w->server_loop, "m1:api", false, on_accept, NULL, &l, NULL), 0);
        world_send(w, &c, "GET", "/");
        world_run(w, 20000);
        assert_int_equal(c.done, 1);
        assert_true(c.status < 0);
        world_call_deinit(&c);
        env_listener_close(l);
        world_free(w);
    }
}

/* ---- a peer that pauses at the end ---- */

/* All of it is with the stream, and more than is ever under way; most of it waits in the engine. */
#define BODY_BYTES (240u << 10)
#define LONG_BYTES (4u << 20)

struct slow_peer {
    struct env_connect connect;
    struct env_stream *stream;
    const char *request;
    size_t got;
    bool ended;
    int status;
};

static void slow_data(void *ctx, struct str bytes)
{
    ((struct slow_peer *)ctx)->got += bytes.len;
}

static void slow_end(void *ctx, int status)
{
    struct slow_peer *p = ctx;
    p->ended = true;
    p->status = status;
    env_stream_close(p->stream);
}

static void slow_closed(void *ctx)
{
    ((struct slow_peer *)ctx)->stream = NULL;
}

static void slow_connected(struct env_connect *c, struct env_stream *s, int status)
{
    static const struct env_stream_events events = { .data = slow_data,
                                                     .end = slow_end,
                                                     .closed = slow_closed };
    struct slow_peer *p = container_of(c, struct slow_peer, connect);
    assert_int_equal(status, 0);
    p->stream = s;
    env_stream_start(s, &events, p);
    env_stream_write(s, str_from(p->request));
    env_stream_pause(s);
}

static void answer_much(void *ctx, struct http_exchange *x)
{
    static char body[BODY_BYTES];
    (void)ctx;
    http_respond(x, 200, NULL, 0);
    http_write(x, str_of(body, sizeof(body)));
    http_end(x);
}

/* Reads nothing for pause_ms once the answer is complete, then everything there is. */
static void pausing(uint64_t pause_ms, struct slow_peer *p)
{
    struct world *w = world_new(WORLD_HTTP1, answer_much, NULL);
    *p = (struct slow_peer){ .request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n" };
    env_connect(w->client_loop, &p->connect, "m1:api", 0, slow_connected);
    world_run(w, pause_ms);
    env_stream_resume(p->stream);
    world_run(w, 1000);
    assert_true(p->ended);
    assert_int_equal(http_server_connections(w->server), 0);
    world_free(w);
}

static void test_a_pause_at_the_end_loses_nothing(void **state)
{
    struct slow_peer p;
    (void)state;
    pausing(TRANSPORT_STALL_MS / 2, &p);
    assert_int_equal(p.status, 0);
    assert_true(p.got > BODY_BYTES);
    pausing(TRANSPORT_STALL_MS + 3 * TRANSPORT_LINGER_MS, &p); /* but not for ever */
    assert_true(p.got < BODY_BYTES);
}

static void answer_at_once(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    http_respond(x, 200, NULL, 0);
    http_end(x);
}

/* The limit on handshakes ends with the first answer, also when that was there at once. */
static void test_whoever_was_answered_may_stay(void **state)
{
    struct world *w = world_new(WORLD_HTTP1, answer_at_once, NULL);
    struct slow_peer p = { .request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n" };
    (void)state;
    env_connect(w->client_loop, &p.connect, "m1:api", 0, slow_connected);
    world_run(w, 100);
    env_stream_resume(p.stream);
    world_run(w, 2 * HTTP_SERVER_HANDSHAKE_MS);
    assert_true(p.got > 0);
    assert_false(p.ended);
    world_run(w, 2 * HTTP_SERVER_IDLE_MS);
    assert_true(p.ended);
    world_free(w);
}

static void answer_long(void *ctx, struct http_exchange *x)
{
    static char body[LONG_BYTES];
    (void)ctx;
    http_respond(x, 200, NULL, 0);
    http_write(x, str_of(body, sizeof(body)));
    http_end(x);
}

/* The limit on handshakes is not for whoever still has to be sent something: the answer is
 * complete, the connection stays open. (Who takes nothing for HTTP_STALL_MS: server_bounds_test.c.)
 */
static void test_what_is_unsent_is_not_idle(void **state)
{
    struct world *w = world_new(WORLD_HTTP1, answer_long, NULL);
    struct slow_peer p = { .request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n" };
    (void)state;
    env_connect(w->client_loop, &p.connect, "m1:api", 0, slow_connected);
    world_run(w, HTTP_STALL_MS - HTTP_SERVER_TICK_MS);
    env_stream_resume(p.stream);
    world_run(w, 1000);
    assert_true(p.got > LONG_BYTES);
    world_run(w, HTTP_SERVER_IDLE_MS / 2);
    assert_false(p.ended);
    world_run(w, 2 * HTTP_SERVER_IDLE_MS);
    assert_true(p.ended);
    assert_int_equal(p.status, 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_servers),
        cmocka_unit_test(test_a_pause_at_the_end_loses_nothing),
        cmocka_unit_test(test_whoever_was_answered_may_stay),
        cmocka_unit_test(test_what_is_unsent_is_not_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
