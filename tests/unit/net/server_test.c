/* The server with our own client in a simulated world, over every protocol. */
#include <string.h>

#include "base/arena.h"
#include "net/server.h"
#include "tests/unit/net/world.h"
#include "tests/unit/unit.h"

#define YEARS_10_MS (10ll * 365 * 86400 * 1000)
#define BIG_BYTES   3000000u

struct log {
    int requests;
    int closed;
    int closed_status;
    int end_status;
    int drained;
    struct http_exchange *held;
};

static void on_closed(struct http_exchange *x, int status)
{
    struct log *l = x->user;
    l->closed++;
    l->closed_status = status;
    if (l->held == x)
        l->held = NULL;
}

static void on_end(struct http_exchange *x, int status)
{
    struct log *l = x->user;
    l->end_status = status;
    if (status != 0)
        http_reply(x, 413, NULL, str_lit(""));
    else
        http_reply(x, 200, "application/octet-stream", buf_str(&x->body));
}

static void on_drained(struct http_exchange *x)
{
    struct log *l = x->user;
    l->drained++;
    http_end(x);
}

static void reply_who(struct http_exchange *x)
{
    const struct tls_identity *id = x->peer->identity;
    struct str text = str_printf(&x->arena, "%d %.*s %.*s", id->verified, STR_ARG(id->common_name),
                                 STR_ARG(x->authority));
    http_reply(x, 200, "text/plain", text);
}

static void handler(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .end = on_end, .closed = on_closed };
    static const struct http_exchange_events plain = { .closed = on_closed };
    static const struct http_exchange_events big = { .drained = on_drained, .closed = on_closed };
    struct log *l = ctx;
    l->requests++;
    x->user = l;
    x->events = &plain;
    if (str_eq_c(x->path, "/echo")) {
        x->events = &events;
    } else if (str_eq_c(x->path, "/big")) {
        x->events = &big;
        http_respond(x, 200, NULL, 0);
        char *bytes = arena_alloc(&x->arena, BIG_BYTES);
        memset(bytes, 'b', BIG_BYTES);
        struct shared *shared = shared_new(bytes, BIG_BYTES);
        http_write_shared(x, shared);
        shared_unref(shared);
        assert_true(http_queued(x) >= BIG_BYTES);
    } else if (str_eq_c(x->path, "/hold")) {
        l->held = x;
        http_respond(x, 200, NULL, 0);
        http_write(x, str_lit("first"));
    } else if (str_eq_c(x->path, "/reset")) {
        http_reset(x, -ERR_INTERNAL);
    } else if (str_eq_c(x->path, "/deaf")) {
        /* Answers and wants to hear no more: closed is not for it. */
        x->events = NULL;
        l->requests--;
        http_reply(x, 404, "text/plain", str_lit("no"));
    } else if (str_eq_c(x->path, "/empty")) {
        http_reply(x, 204, NULL, str_lit(""));
    } else {
        reply_who(x);
    }
}

static void each_kind(void (*test)(struct world *w, struct log *l))
{
    for (int kind = 0; kind < WORLD_KINDS; kind++) {
        struct log l = { 0 };
        struct world *w = world_new((enum world_kind)kind, handler, &l);
        test(w, &l);
        world_free(w);
        assert_int_equal(l.closed, l.requests);
    }
}

static void answer(struct world *w, struct log *l)
{
    struct world_call c = { 0 };
    world_send(w, &c, "GET", "/who?x=1");
    world_run(w, 1000);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.status, 0);
    assert_int_equal(c.responses, 1);
    assert_int_equal(c.r.status, 200);
    assert_true(str_eq_c(buf_str(&c.r.body), w->kind >= WORLD_TLS_HTTP1 ? "1 admin gantry.test:443"
                                                                        : "0  gantry.test:443"));
    assert_true(str_eq_c(http_headers_get(&c.r.response_headers, "content-type"), "text/plain"));
    assert_int_equal(http_headers_get(&c.r.response_headers, "date").len, 29);
    assert_int_equal(l->closed_status, 0);
    world_send(w, &c, "HEAD", "/who");
    world_run(w, 1000);
    assert_int_equal(c.status, 0);
    assert_int_equal(c.r.body.len, 0);
    world_send(w, &c, "GET", "/empty");
    world_run(w, 1000);
    assert_int_equal(c.r.status, 204);
    assert_int_equal(w->states, 1);
    world_call_deinit(&c);
}

static void deaf_handler(struct world *w, struct log *l)
{
    (void)l;
    struct world_call c = { 0 };
    world_send(w, &c, "GET", "/deaf");
    world_run(w, 1000);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.r.status, 404);
    world_call_deinit(&c);
}

static void test_handler_without_events(void **state)
{
    (void)state;
    each_kind(deaf_handler);
}

static void test_answers(void **state)
{
    (void)state;
    each_kind(answer);
}

static void bodies(struct world *w, struct log *l)
{
    struct world_call c = { 0 };
    char *bytes = mem_alloc(BIG_BYTES);
    memset(bytes, 'q', BIG_BYTES);
    c.r.content = str_of(bytes, BIG_BYTES);
    world_send(w, &c, "POST", "/echo");
    world_run(w, 5000);
    assert_int_equal(c.status, 0);
    assert_int_equal(c.done, 1);
    assert_true(str_eq(buf_str(&c.r.body), str_of(bytes, BIG_BYTES)));
    c.r.content = (struct str){ 0 };
    c.r.streaming = true;
    world_send(w, &c, "POST", "/echo");
    for (int i = 0; i < 10; i++) {
        http_request_write(&c.r, str_lit("0123456789"));
        world_run(w, 5);
    }
    http_request_end(&c.r);
    world_run(w, 1000);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.status, 0);
    assert_int_equal(c.r.body.len, 100);
    assert_int_equal(l->end_status, 0);
    world_call_deinit(&c);
    mem_free(bytes);
}

static void test_bodies(void **state)
{
    (void)state;
    each_kind(bodies);
}

static void too_large(struct world *w, struct log *l)
{
    struct world_call c = { 0 };
    char *bytes = mem_alloc(HTTP_BODY_BYTES_MAX + 1);
    c.r.content = str_of(bytes, HTTP_BODY_BYTES_MAX + 1);
    world_send(w, &c, "POST", "/echo");
    world_run(w, 5000);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.status, 0);
    assert_int_equal(c.r.status, 413);
    assert_int_equal(l->end_status, -ERR_LIMIT);
    world_call_deinit(&c);
    mem_free(bytes);
}

static void test_too_large_bodies(void **state)
{
    (void)state;
    each_kind(too_large);
}

/* A paused reader fills the windows; the writer's queue stays and drains only after the resume. */
static void back_pressure(struct world *w, struct log *l)
{
    struct world_call c = { .streamed = true };
    world_send(w, &c, "GET", "/big");
    http_request_pause(&c.r);
    world_run(w, 2000);
    assert_int_equal(l->requests, 1);
    assert_int_equal(c.got.len, 0);
    assert_int_equal(l->drained, 0);
    assert_int_equal(c.done, 0);
    http_request_resume(&c.r);
    world_run(w, 5000);
    assert_int_equal(l->drained, 1);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.status, 0);
    assert_int_equal(c.got.len, BIG_BYTES);
    world_call_deinit(&c);
}

static void test_back_pressure(void **state)
{
    (void)state;
    each_kind(back_pressure);
}

static void gives_up(struct world *w, struct log *l)
{
    struct world_call c = { .streamed = true };
    world_send(w, &c, "GET", "/hold");
    world_run(w, 500);
    assert_int_equal(c.got.len, 5);
    assert_non_null(l->held);
    http_request_cancel(&c.r);
    assert_int_equal(c.done, 0);
    world_run(w, 500);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.status, -ERR_CANCELED);
    assert_null(l->held);
    assert_int_equal(l->closed_status, -ERR_CANCELED);
    world_send(w, &c, "GET", "/reset");
    world_run(w, 500);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.status, world_is_http2(w) ? -ERR_PROTOCOL : -ERR_UNAVAILABLE);
    world_send(w, &c, "GET", "/who");
    world_run(w, 500);
    assert_int_equal(c.status, 0);
    world_call_deinit(&c);
}

static void test_either_side_gives_up(void **state)
{
    (void)state;
    each_kind(gives_up);
}

static void closing(struct world *w, struct log *l)
{
    struct world_call held = { .streamed = true };
    struct world_call cut = { .streamed = true };
    world_send(w, &held, "GET", "/hold");
    world_run(w, 500);
    world_close_server(w, 10000);
    world_run(w, 500);
    assert_int_equal(w->server_closed, 0);
    http_write(l->held, str_lit("last"));
    http_end(l->held);
    world_run(w, 5000);
    assert_int_equal(held.status, 0);
    assert_int_equal(held.got.len, 9);
    assert_int_equal(w->server_closed, 1);
    world_send(w, &cut, "GET", "/who");
    world_run(w, 6000);
    assert_int_equal(cut.status, -ERR_UNAVAILABLE);
    world_open_server(w, handler, l);
    world_send(w, &cut, "GET", "/hold");
    world_run(w, 500);
    assert_int_equal(cut.got.len, 5);
    world_close_server(w, 1000);
    world_run(w, 5000);
    assert_int_equal(w->server_closed, 2);
    assert_int_equal(l->closed_status, -ERR_UNAVAILABLE);
    assert_int_equal(cut.status, -ERR_UNAVAILABLE);
    world_call_deinit(&held);
    world_call_deinit(&cut);
}

static void test_graceful_close_and_cut(void **state)
{
    (void)state;
    each_kind(closing);
}

static void idle(struct world *w, struct log *l)
{
    (void)l;
    struct world_call c = { 0 };
    world_send(w, &c, "GET", "/who");
    world_run(w, 1000);
    assert_int_equal(http_server_connections(w->server), 1);
    world_run(w, 3 * HTTP_SERVER_IDLE_MS);
    assert_int_equal(http_server_connections(w->server), 0);
    world_send(w, &c, "GET", "/who");
    world_run(w, 1000);
    assert_int_equal(c.status, 0);
    assert_int_equal(w->states, 2);
    world_call_deinit(&c);
}

static void test_idle_connections_end(void **state)
{
    (void)state;
    each_kind(idle);
}

/* Who asks, on the connection of before. */
static void ask_who(struct world *w, const char *text)
{
    struct world_call c = { 0 };
    world_send(w, &c, "GET", "/who");
    world_run(w, 1000);
    assert_int_equal(c.status, 0);
    assert_true(str_eq_c(buf_str(&c.r.body), text));
    assert_int_equal(w->states, 1);
    world_call_deinit(&c);
}

static void dates(struct world *w, struct log *l)
{
    (void)l;
    if (w->kind < WORLD_TLS_HTTP1)
        return;
    ask_who(w, "1 admin gantry.test:443");
    env_sim_host_wall_jump(w->env, -YEARS_10_MS);
    ask_who(w, "0 admin gantry.test:443");
    env_sim_host_wall_jump(w->env, YEARS_10_MS);
    ask_who(w, "1 admin gantry.test:443");
}

static void test_dates_are_checked_for_each_request(void **state)
{
    (void)state;
    each_kind(dates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates_are_checked_for_each_request),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_handler_without_events),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_too_large_bodies),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_either_side_gives_up),
        cmocka_unit_test(test_graceful_close_and_cut),
        cmocka_unit_test(test_idle_connections_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
