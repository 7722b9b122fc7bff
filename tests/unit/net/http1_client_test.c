/* The HTTP/1.1 client engine alone: raw bytes in, raw bytes out. */
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
    struct http_request r;
    struct buf out;
    struct buf got;
    int done;
    int status;
    int responses;
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
    (void)l;
    (void)pause;
}

static void on_link_done(struct http_link *l, struct http_request *r, int status)
{
    struct fixture *f = container_of(l, struct fixture, link);
    assert_ptr_equal(r, &f->r);
    f->done++;
    f->status = status;
}

static void on_response(struct http_request *r)
{
    ((struct fixture *)r->user)->responses++;
}

static void on_body(struct http_request *r, struct str bytes)
{
    buf_append_str(&((struct fixture *)r->user)->got, bytes);
}

static int setup(void **state)
{
    static const struct http_link_ops ops = {
        .wake = on_wake, .queued = on_queued, .pause = on_pause, .done = on_link_done
    };
    static const struct http_request_events events = { .response = on_response, .body = on_body };
    struct fixture *f = mem_alloc(sizeof(*f));
    f->link.ops = &ops;
    f->link.core = &f->core;
    f->link.peer.identity = &tls_identity_none;
    f->g = http1_client_new(&f->link);
    arena_init(&f->r.arena);
    f->r.events = &events;
    f->r.user = f;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    f->g->ops->free(f->g);
    arena_deinit(&f->r.arena);
    buf_deinit(&f->out);
    buf_deinit(&f->got);
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

static void send(struct fixture *f, const char *method)
{
    assert_true(f->g->ops->can_send(f->g));
    f->done = 0;
    f->r.method = method;
    f->r.sent.target = str_lit("/x");
    f->r.sent.authority = str_lit("h");
    f->g->ops->send(f->g, &f->r);
    turn(f);
    assert_int_equal(f->done, 0);
}

static void test_requests_one_after_another(void **state)
{
    struct fixture *f = *state;
    send(f, "GET");
    assert_true(str_eq_c(buf_str(&f->out), "GET /x HTTP/1.1\r\nhost: h\r\n\r\n"));
    assert_false(f->g->ops->can_send(f->g));
    feed(f, "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no");
    assert_int_equal(f->done, 0);
    feed(f, "k");
    assert_int_equal(f->done, 1);
    assert_int_equal(f->status, 0);
    assert_int_equal(f->responses, 1);
    assert_int_equal(f->r.status, 200);
    assert_true(str_eq_c(buf_str(&f->got), "ok"));
    send(f, "HEAD");
    feed(f, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
    assert_int_equal(f->done, 1);
    assert_int_equal(f->status, 0);
}

static void test_streamed_body(void **state)
{
    struct fixture *f = *state;
    f->r.streaming = true;
    send(f, "POST");
    f->g->ops->write(f->g, &f->r, str_lit("hello"));
    f->g->ops->end(f->g, &f->r);
    turn(f);
    assert_true(str_eq_c(buf_str(&f->out), "POST /x HTTP/1.1\r\nhost: h\r\n"
                                           "transfer-encoding: chunked\r\n\r\n"
                                           "5\r\nhello\r\n0\r\n\r\n"));
    feed(f, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nt: 1\r\n\r\n");
    assert_int_equal(f->status, 0);
    assert_int_equal(f->r.trailers.count, 1);
    assert_true(f->g->ops->can_send(f->g));
}

static void test_ends_of_the_connection(void **state)
{
    static const struct {
        const char *bytes;
        int status;
    } cases[] = {
        { "HTTP/1.1 200 OK\r\n\r\nall", 0 },
        { "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nall", -ERR_UNAVAILABLE },
        { "HTTP/1.1 200 OK\r\ncontent", -ERR_UNAVAILABLE },
        { "", -ERR_UNAVAILABLE },
        { "nonsense\r\n\r\n", -ERR_PROTOCOL },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture *f = NULL;
        (void)state;
        setup((void **)&f);
        send(f, "GET");
        feed(f, cases[i].bytes);
        f->g->ops->ended(f->g);
        turn(f);
        assert_int_equal(f->done, 1);
        assert_int_equal(f->status, cases[i].status);
        assert_true(f->g->ops->finished(f->g));
        teardown((void **)&f);
    }
}

static void test_unasked_bytes_end_the_connection(void **state)
{
    struct fixture *f = *state;
    feed(f, "HTTP/1.1 200 OK\r\n\r\n");
    assert_true(f->g->ops->finished(f->g));
    assert_false(f->g->ops->can_send(f->g));
}

static void test_cancel_costs_the_connection(void **state)
{
    struct fixture *f = *state;
    send(f, "GET");
    f->g->ops->cancel(f->g, &f->r);
    turn(f);
    assert_int_equal(f->done, 0);
    assert_true(f->g->ops->finished(f->g));
}

static void test_upgrade(void **state)
{
    struct http_header header = { str_lit("upgrade"), str_lit("x") };
    struct fixture *f = *state;
    f->r.sent.headers = &header;
    f->r.header_count = 1;
    f->r.streaming = true;
    send(f, "POST");
    assert_true(str_eq_c(buf_str(&f->out), "POST /x HTTP/1.1\r\nhost: h\r\nupgrade: x\r\n"
                                           "connection: upgrade\r\n\r\n"));
    feed(f, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nraw");
    assert_int_equal(f->responses, 1);
    assert_true(f->r.upgraded);
    buf_clear(&f->out);
    f->g->ops->write(f->g, &f->r, str_lit("back"));
    turn(f);
    assert_true(str_eq_c(buf_str(&f->out), "back"));
    assert_true(str_eq_c(buf_str(&f->got), "raw"));
    f->g->ops->end(f->g, &f->r);
    turn(f);
    assert_int_equal(f->done, 1);
    assert_int_equal(f->status, 0);
    assert_true(f->g->ops->finished(f->g));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_requests_one_after_another),  CASE(test_streamed_body),
        CASE(test_ends_of_the_connection),      CASE(test_unasked_bytes_end_the_connection),
        CASE(test_cancel_costs_the_connection), CASE(test_upgrade),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
