/* A connection's ends that need a hostile peer: a server that is no server, cut handshakes. */
#include "base/arena.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
