/* The HTTP/1.1 server engine alone: raw bytes in, raw bytes out. */
#include <string.h>

#include "base/arena.h"
#include "base/list.h"
#include "net/engine.h"
#include "net/tls.h"
#include "tests/unit/unit.h"

struct fixture {
    struct http_core core;
    struct http_link link;
    struct http_engine *g;
    struct buf out;
    bool paused;
    int requests;
    int closed;
    int closed_status;
    struct http_exchange *held;
    struct buf tunnel;
    int tunnel_ends;
};

static void on_wake(struct http_link *l)
{
    (void)l; /* the test runs turns itself */
}

static size_t on_queued(const struct http_link *l)
{
    (void)l;
    return 0;
}

static void on_pause(struct http_link *l, bool pause)
{
    container_of(l, struct fixture, link)->paused = pause;
}

static void on_closed(struct http_exchange *x, int status)
{
    struct fixture *f = x->user;
    f->closed++;
    f->closed_status = status;
    f->held = NULL;
}

static void on_end(struct http_exchange *x, int status)
{
    static const struct http_header trailer = { STR("x-sum"), STR("1") };
    (void)status;
    if (str_eq_c(x->path, "/trailer")) {
        http_respond(x, 200, NULL, 0);
        http_write(x, buf_str(&x->body));
        http_end_trailers(x, &trailer, 1);
    } else {
        http_reply(x, 200, NULL, buf_str(&x->body));
    }
}

static void tunnel_body(struct http_exchange *x, struct str bytes)
{
    struct fixture *f = x->user;
    buf_append_str(&f->tunnel, bytes);
    http_write(x, str_lit("back"));
}

static void tunnel_end(struct http_exchange *x, int status)
{
    struct fixture *f = x->user;
    (void)status;
    f->tunnel_ends++;
}

static void handler(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events plain = { .end = on_end, .closed = on_closed };
    static const struct http_exchange_events hold = { .closed = on_closed };
    static const struct http_exchange_events tunnel = { .body = tunnel_body,
                                                        .end = tunnel_end,
                                                        .closed = on_closed };
    static const struct http_header upgrade = { STR("upgrade"), STR("spdy/3.1") };
    struct fixture *f = ctx;
    f->requests++;
    x->user = f;
    x->events = &plain;
    if (str_eq_c(x->path, "/hold")) {
        x->events = &hold;
        f->held = x;
    } else if (str_eq_c(x->path, "/tunnel")) {
        x->events = &tunnel;
        if (http_upgrade(x, &upgrade, 1) != 0)
            http_reply(x, 400, NULL, str_lit("no upgrade"));
        else
            f->held = x;
    } else if (str_eq_c(x->path, "/short")) {
        struct http_header length = { str_lit("content-length"), str_lit("10") };
        x->events = &hold;
        http_respond(x, 200, &length, 1);
        http_write(x, str_lit("only"));
        http_end(x);
    } else if (str_eq_c(x->path, "/split")) {
        struct http_header bad = { str_lit("x"), str_lit("a\r\nset-cookie: b") };
        x->events = &hold;
        http_reply_headers(x, 200, &bad, 1, str_lit(""));
    }
}

static int setup(void **state)
{
    static const struct http_link_ops ops = { .wake = on_wake,
                                              .queued = on_queued,
                                              .pause = on_pause };
    struct fixture *f = mem_alloc(sizeof(*f));
    f->core.handler = handler;
    f->core.handler_ctx = f;
    f->link.ops = &ops;
    f->link.core = &f->core;
    f->link.peer.identity = &tls_identity_none;
    f->g = http1_server_new(&f->link);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    (f->g->ops->fail)(f->g, -ERR_UNAVAILABLE); /* in parentheses: cmocka has a macro fail() */
    f->g->ops->free(f->g);
    assert_int_equal(f->closed, f->requests);
    buf_deinit(&f->out);
    buf_deinit(&f->tunnel);
    mem_free(f);
    return 0;
}

static void turn(struct fixture *f)
{
    do {
        f->g->ops->turn(f->g);
        f->g->ops->fill(f->g, &f->out, SIZE_MAX);
    } while (f->g->ops->pending(f->g));
}

static void feed(struct fixture *f, const char *bytes)
{
    f->g->ops->receive(f->g, str_from(bytes));
    turn(f);
}

static void wrote(struct fixture *f, const char *want)
{
    assert_true(str_eq_c(buf_str(&f->out), want));
    buf_clear(&f->out);
}

#define OK(length) "HTTP/1.1 200 OK\r\ncontent-length: " length "\r\n\r\n"

static void test_pipelined_requests_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    feed(f, "POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n\r\nA"
            "GET /hold HTTP/1.1\r\nhost: h\r\n\r\n"
            "POST /b HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n\r\nB");
    wrote(f, OK("1") "A");
    assert_int_equal(f->requests, 2);
    assert_true(f->paused);
    http_reply(f->held, 200, NULL, str_lit("held"));
    turn(f);
    wrote(f, OK("4") "held" OK("1") "B");
    assert_int_equal(f->closed, 3);
    assert_int_equal(f->closed_status, 0);
    assert_false(f->paused);
    assert_false(f->g->ops->finished(f->g));
}

static void test_continue_and_chunks(void **state)
{
    struct fixture *f = *state;
    feed(f, "POST /trailer HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n"
            "expect: 100-continue\r\n\r\n");
    wrote(f, "HTTP/1.1 100 Continue\r\n\r\n");
    feed(f, "3\r\nabc\r\n0\r\n\r\n");
    wrote(f, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
             "3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n");
}

static void test_who_closes(void **state)
{
    struct fixture *f = *state;
    feed(f, "GET /a HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\nGET /b HTTP/1.1\r\n");
    wrote(f, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    assert_true(f->g->ops->finished(f->g));
    assert_int_equal(f->requests, 1);
}

static void test_old_clients_get_no_chunks(void **state)
{
    struct fixture *f = *state;
    feed(f, "GET /trailer HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    wrote(f, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
    assert_true(f->g->ops->finished(f->g));
}

static void test_an_answer_before_the_body_closes(void **state)
{
    struct fixture *f = *state;
    feed(f, "POST /hold HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nab");
    http_reply(f->held, 200, NULL, str_lit(""));
    turn(f);
    assert_true(f->g->ops->finished(f->g));
    assert_int_equal(f->closed_status, 0);
}

static void test_bad_bytes(void **state)
{
    struct fixture *f = *state;
    feed(f, "GET / HTTP/1.1\nhost: h\n\n");
    wrote(f, "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 16\r\n"
             "connection: close\r\n\r\n400 Bad Request\n");
    assert_true(f->g->ops->finished(f->g));
    assert_int_equal(f->requests, 0);
}

static void test_a_bad_chunk_in_an_exchange(void **state)
{
    struct fixture *f = *state;
    feed(f, "POST /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n");
    wrote(f, "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    assert_int_equal(f->closed_status, -ERR_PROTOCOL);
    assert_true(f->g->ops->finished(f->g));
}

static void test_a_broken_promise_cuts(void **state)
{
    struct fixture *f = *state;
    feed(f, "GET /short HTTP/1.1\r\nhost: h\r\n\r\n");
    wrote(f, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nonly");
    assert_true(f->g->ops->finished(f->g));
    assert_int_equal(f->closed_status, -ERR_INTERNAL);
}

static void test_a_value_cannot_split_the_message(void **state)
{
    struct fixture *f = *state;
    feed(f, "GET /split HTTP/1.1\r\nhost: h\r\n\r\n");
    wrote(f, "HTTP/1.1 200 OK\r\nx: a  set-cookie: b\r\ncontent-length: 0\r\n\r\n");
}

static void test_a_client_that_goes_away(void **state)
{
    struct fixture *f = *state;
    feed(f, "GET /hold HTTP/1.1\r\nhost: h\r\n\r\n");
    f->g->ops->ended(f->g);
    assert_int_equal(f->closed_status, -ERR_CANCELED);
    assert_true(f->g->ops->finished(f->g));
}

static void test_upgrade(void **state)
{
    struct fixture *f = *state;
    feed(f, "POST /tunnel HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\n"
            "early");
    wrote(f, "HTTP/1.1 101 Switching Protocols\r\nupgrade: spdy/3.1\r\nconnection: upgrade\r\n\r\n"
             "back");
    feed(f, " GET / HTTP/1.1\r\n\r\n");
    wrote(f, "back");
    assert_true(str_eq_c(buf_str(&f->tunnel), "early GET / HTTP/1.1\r\n\r\n"));
    f->g->ops->ended(f->g);
    turn(f);
    assert_int_equal(f->tunnel_ends, 1);
    assert_int_equal(f->closed, 0);
    http_write(f->held, str_lit("bye"));
    http_end(f->held);
    turn(f);
    wrote(f, "bye");
    assert_int_equal(f->closed_status, 0);
    assert_true(f->g->ops->finished(f->g));
}

static void test_upgrade_that_was_not_asked_for(void **state)
{
    struct fixture *f = *state;
    feed(f, "GET /tunnel HTTP/1.1\r\nhost: h\r\n\r\n");
    wrote(f, "HTTP/1.1 400 Bad Request\r\ncontent-length: 10\r\n\r\nno upgrade");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_pipelined_requests_are_answered_in_order),
        CASE(test_continue_and_chunks),
        CASE(test_who_closes),
        CASE(test_old_clients_get_no_chunks),
        CASE(test_an_answer_before_the_body_closes),
        CASE(test_bad_bytes),
        CASE(test_a_bad_chunk_in_an_exchange),
        CASE(test_a_broken_promise_cuts),
        CASE(test_a_value_cannot_split_the_message),
        CASE(test_a_client_that_goes_away),
        CASE(test_upgrade),
        CASE(test_upgrade_that_was_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
