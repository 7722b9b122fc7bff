/* gRPC calls between our own two sides in a simulated world. */
#include <string.h>

#include "base/arena.h"
#include "net/grpc.h"
#include "tests/unit/net/world.h"
#include "tests/unit/unit.h"

#define BIG_BYTES 100000u

struct log {
    int opened;
    int messages;
    int half_closed;
    int closed;
    int closed_status;
    int drained;
    struct grpc_stream *stream; /* the one that is open */
};

static struct log seen;

static void on_open(struct grpc_stream *s)
{
    seen.opened++;
    seen.stream = s;
}

static void on_closed(struct grpc_stream *s, int status)
{
    (void)s;
    seen.closed++;
    seen.closed_status = status;
    seen.stream = NULL;
}

static void echo_message(struct grpc_stream *s, struct str bytes)
{
    seen.messages++;
    seen.stream = s;
    grpc_stream_send(s, bytes);
    if (s->method->kind == GRPC_UNARY)
        grpc_stream_finish(s, GRPC_OK, (struct str){ 0 });
}

static void hold_message(struct grpc_stream *s, struct str bytes)
{
    (void)bytes;
    seen.messages++;
    seen.stream = s;
}

static void pausing_message(struct grpc_stream *s, struct str bytes)
{
    (void)bytes;
    seen.messages++;
    grpc_stream_pause(s);
}

static void fail_message(struct grpc_stream *s, struct str bytes)
{
    struct err e;
    (void)bytes;
    int rc = err_set(&e, ERR_NOT_FOUND, "no such thing");
    grpc_stream_finish_err(s, rc, &e);
    grpc_stream_finish(s, GRPC_OK, (struct str){ 0 }); /* too late: nothing */
    grpc_stream_send(s, str_lit("too late"));
}

static void many_message(struct grpc_stream *s, struct str bytes)
{
    (void)bytes;
    static char piece[BIG_BYTES];
    for (int i = 0; i < 20; i++)
        grpc_stream_send(s, str_of(piece, sizeof(piece)));
}

static void many_drained(struct grpc_stream *s)
{
    seen.drained++;
    grpc_stream_finish(s, GRPC_OK, (struct str){ 0 });
}

static void on_half_close(struct grpc_stream *s)
{
    seen.half_closed++;
    if (s->method->kind == GRPC_CLIENT_STREAM)
        grpc_stream_send(s, str_lit("sum"));
    grpc_stream_finish(s, GRPC_OK, (struct str){ 0 });
}

static const struct grpc_method methods[] = {
    { .path = "/t.T/Unary",
      .kind = GRPC_UNARY,
      .message_bytes_max = 1000,
      .message = echo_message,
      .closed = on_closed },
    { .path = "/t.T/Fail", .kind = GRPC_UNARY, .message = fail_message, .closed = on_closed },
    { .path = "/t.T/Hold",
      .kind = GRPC_SERVER_STREAM,
      .message = hold_message,
      .closed = on_closed },
    { .path = "/t.T/Many",
      .kind = GRPC_SERVER_STREAM,
      .message = many_message,
      .drained = many_drained,
      .closed = on_closed },
    { .path = "/t.T/Chat",
      .kind = GRPC_BIDI,
      .open = on_open,
      .message = echo_message,
      .half_close = on_half_close,
      .closed = on_closed },
    { .path = "/t.T/Sum",
      .kind = GRPC_CLIENT_STREAM,
      .open = on_open,
      .message = pausing_message,
      .half_close = on_half_close,
      .closed = on_closed },
};
static const struct grpc_service service = { .name = "t.T", .methods = methods, .method_count = 6 };

static void none_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

static void handler(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .closed = none_closed };
    const struct grpc_service *services[] = { &service };
    (void)ctx;
    if (grpc_serve(x, services, 1))
        return;
    x->events = &events;
    http_reply(x, 404, NULL, str_lit(""));
}

/* ---- a call whose outcome is kept ---- */

struct kept {
    struct grpc_call c;
    int messages;
    size_t bytes;
    int done;
};

static void on_message(struct grpc_call *c, struct str bytes)
{
    struct kept *k = c->user;
    k->messages++;
    k->bytes += bytes.len;
}

static void on_done(struct grpc_call *c)
{
    ((struct kept *)c->user)->done++;
}

static void start(struct world *w, struct kept *k, const char *path, enum grpc_kind kind,
                  struct str request)
{
    static const struct grpc_call_events events = { .message = on_message, .done = on_done };
    k->messages = 0;
    k->bytes = 0;
    k->done = 0;
    k->c.path = path;
    k->c.kind = kind;
    k->c.events = &events;
    k->c.user = k;
    grpc_call_start(w->client, &k->c, request);
    assert_int_equal(k->done, 0);
}

static int setup(void **state)
{
    memset(&seen, 0, sizeof(seen));
    *state = world_new(WORLD_HTTP2, handler, NULL);
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

static void test_unary(void **state)
{
    struct world *w = *state;
    struct kept k = { 0 };
    start(w, &k, "/t.T/Unary", GRPC_UNARY, str_lit("hello"));
    world_run(w, 1000);
    assert_int_equal(k.done, 1);
    assert_int_equal(k.c.code, GRPC_OK);
    assert_int_equal(k.bytes, 5);
    assert_int_equal(seen.closed, 1);
    assert_int_equal(seen.closed_status, 0);
    start(w, &k, "/t.T/Unary", GRPC_UNARY, str_lit(""));
    world_run(w, 1000);
    assert_int_equal(k.c.code, GRPC_OK);
    assert_int_equal(k.messages, 1);
    grpc_call_deinit(&k.c);
}

static void test_errors_travel(void **state)
{
    struct world *w = *state;
    struct kept k = { 0 };
    struct err e;
    char big[1001] = { 0 };
    start(w, &k, "/t.T/Fail", GRPC_UNARY, str_lit(""));
    world_run(w, 1000);
    assert_int_equal(k.c.code, GRPC_NOT_FOUND);
    assert_true(str_eq_c(k.c.message, "no such thing"));
    assert_int_equal(grpc_call_error(&k.c, &e), -ERR_NOT_FOUND);
    assert_int_equal(k.messages, 0);
    assert_int_equal(k.c.http.trailers.count, 0); /* Trailers-Only */
    start(w, &k, "/t.T/Nothing", GRPC_UNARY, str_lit(""));
    world_run(w, 1000);
    assert_int_equal(k.c.code, GRPC_UNIMPLEMENTED);
    start(w, &k, "/t.Other/Nothing", GRPC_UNARY, str_lit(""));
    world_run(w, 1000);
    assert_int_equal(k.c.code, GRPC_UNIMPLEMENTED);
    start(w, &k, "/t.T/Unary", GRPC_UNARY, str_of(big, sizeof(big)));
    world_run(w, 1000);
    assert_int_equal(k.c.code, GRPC_RESOURCE_EXHAUSTED);
    grpc_call_deinit(&k.c);
}

static void test_streams(void **state)
{
    struct world *w = *state;
    struct kept k = { 0 };
    start(w, &k, "/t.T/Chat", GRPC_BIDI, (struct str){ 0 });
    for (int i = 0; i < 100; i++)
        grpc_call_send(&k.c, str_lit("message"));
    world_run(w, 100);
    assert_int_equal(seen.opened, 1);
    assert_int_equal(k.messages, 100);
    assert_int_equal(k.done, 0);
    grpc_call_end(&k.c);
    world_run(w, 100);
    assert_int_equal(seen.half_closed, 1);
    assert_int_equal(k.done, 1);
    assert_int_equal(k.c.code, GRPC_OK);
    grpc_call_deinit(&k.c);
}

/* A handler that pauses in every message gets them one at a time, in spite of one frame. */
static void test_a_pausing_handler(void **state)
{
    struct world *w = *state;
    struct kept k = { 0 };
    start(w, &k, "/t.T/Sum", GRPC_CLIENT_STREAM, (struct str){ 0 });
    for (int i = 0; i < 5; i++)
        grpc_call_send(&k.c, str_lit("message"));
    grpc_call_end(&k.c);
    for (int i = 1; i <= 5; i++) {
        world_run(w, 100);
        assert_int_equal(seen.messages, i);
        assert_int_equal(seen.half_closed, 0);
        grpc_stream_resume(seen.stream);
        assert_int_equal(seen.messages, i);
    }
    world_run(w, 100);
    assert_int_equal(seen.half_closed, 1);
    assert_int_equal(k.done, 1);
    assert_int_equal(k.c.code, GRPC_OK);
    grpc_call_deinit(&k.c);
}

static void test_a_paused_client_holds_the_server_back(void **state)
{
    struct world *w = *state;
    struct kept k = { 0 };
    start(w, &k, "/t.T/Many", GRPC_SERVER_STREAM, str_lit(""));
    grpc_call_pause(&k.c);
    world_run(w, 1000);
    assert_int_equal(k.messages, 0);
    assert_int_equal(seen.drained, 0);
    grpc_call_resume(&k.c);
    world_run(w, 1000);
    assert_int_equal(seen.drained, 1);
    assert_int_equal(k.bytes, 20 * BIG_BYTES);
    assert_int_equal(k.c.code, GRPC_OK);
    grpc_call_deinit(&k.c);
}

static void test_deadlines_and_cancels(void **state)
{
    struct world *w = *state;
    struct kept k = { 0 };
    k.c.timeout_ms = 300;
    start(w, &k, "/t.T/Hold", GRPC_SERVER_STREAM, str_lit(""));
    world_run(w, 200);
    assert_int_equal(k.done, 0);
    assert_int_equal(seen.messages, 1);
    assert_true(seen.stream->deadline_ms > 0);
    world_run(w, 200);
    assert_int_equal(k.done, 1);
    assert_int_equal(k.c.code, GRPC_DEADLINE_EXCEEDED);
    assert_int_equal(seen.closed, 1);
    k.c.timeout_ms = 0;
    start(w, &k, "/t.T/Hold", GRPC_SERVER_STREAM, str_lit(""));
    world_run(w, 200);
    grpc_call_cancel(&k.c);
    assert_int_equal(k.done, 0);
    world_run(w, 200);
    assert_int_equal(k.c.code, GRPC_CANCELLED);
    assert_int_equal(seen.closed, 2);
    assert_int_equal(seen.closed_status, -ERR_CANCELED);
    grpc_call_deinit(&k.c);
}

static void test_a_lost_connection(void **state)
{
    struct world *w = *state;
    struct kept k = { 0 };
    start(w, &k, "/t.T/Hold", GRPC_SERVER_STREAM, str_lit(""));
    world_run(w, 200);
    http_client_disconnect(w->client);
    world_run(w, 200);
    assert_int_equal(k.done, 1);
    assert_int_equal(k.c.code, GRPC_UNAVAILABLE);
    assert_int_equal(seen.closed, 1);
    grpc_call_deinit(&k.c);
}

static void test_other_content_is_415(void **state)
{
    struct world *w = *state;
    struct world_call c = { 0 };
    world_send(w, &c, "POST", "/t.T/Unary");
    world_run(w, 500);
    assert_int_equal(c.r.status, 415);
    world_send(w, &c, "POST", "/elsewhere");
    world_run(w, 500);
    assert_int_equal(c.r.status, 404);
    world_call_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_unary, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors_travel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_streams, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_pausing_handler, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_paused_client_holds_the_server_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_deadlines_and_cancels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_lost_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_content_is_415, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
