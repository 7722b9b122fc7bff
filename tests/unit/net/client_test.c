/* The client: connections made when needed, shared or queued for, lost, refused and closed. */
#include "base/arena.h"
#include "net/client.h"
#include "tests/unit/net/world.h"
#include "tests/unit/unit.h"

#define CALLS 50

static int open_now;
static int open_most;

static void on_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
    open_now--;
}

static void handler(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .closed = on_closed };
    (void)ctx;
    x->events = &events;
    if (++open_now > open_most)
        open_most = open_now;
    if (str_eq_c(x->path, "/never"))
        return;
    http_reply(x, 200, NULL, x->query);
}

static void each_kind(void (*test)(struct world *w))
{
    for (int kind = 0; kind < WORLD_KINDS; kind++) {
        open_now = 0;
        open_most = 0;
        struct world *w = world_new((enum world_kind)kind, handler, NULL);
        test(w);
        world_free(w);
        assert_int_equal(open_now, 0);
    }
}

static void many(struct world *w)
{
    struct world_call calls[CALLS] = { 0 };
    for (int i = 0; i < CALLS; i++) {
        struct str target = str_printf(&w->arena, "/x?%d", i);
        world_send(w, &calls[i], "GET", str_dup(&w->arena, target));
    }
    world_run(w, 10000);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(calls[i].done, 1);
        assert_int_equal(calls[i].status, 0);
        struct str want = str_printf(&w->arena, "%d", i);
        assert_true(str_eq(buf_str(&calls[i].r.body), want));
        world_call_deinit(&calls[i]);
    }
    assert_int_equal(w->states, 1);
    if (!world_is_http2(w))
        assert_int_equal(open_most, 1);
}

static void test_many_requests_share_one_connection(void **state)
{
    (void)state;
    each_kind(many);
}

static void nobody_there(struct world *w)
{
    struct world_call c = { 0 };
    world_close_server(w, 0);
    world_run(w, 1000);
    world_send(w, &c, "GET", "/x");
    world_run(w, 6000);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.status, -ERR_UNAVAILABLE);
    assert_true(c.r.refused);
    assert_int_not_equal(w->last_state, 0);
    world_open_server(w, handler, NULL);
    world_send(w, &c, "GET", "/x");
    world_run(w, 1000);
    assert_int_equal(c.status, 0);
    world_call_deinit(&c);
}

static void test_a_server_that_is_not_there(void **state)
{
    (void)state;
    each_kind(nobody_there);
}

static void ends(struct world *w)
{
    struct world_call timeout = { 0 };
    struct world_call waiting = { 0 };
    struct world_call lost = { 0 };
    timeout.r.timeout_ms = 200;
    world_send(w, &timeout, "GET", "/never");
    world_send(w, &waiting, "GET", "/x?1");
    http_request_cancel(&waiting.r);
    http_request_cancel(&waiting.r);
    world_run(w, 100);
    assert_int_equal(waiting.done, 1);
    assert_int_equal(waiting.status, -ERR_CANCELED);
    assert_int_equal(timeout.done, 0);
    world_run(w, 200);
    assert_int_equal(timeout.done, 1);
    assert_int_equal(timeout.status, -ERR_TIMEOUT);
    world_send(w, &lost, "GET", "/never");
    world_run(w, 500);
    http_client_disconnect(w->client);
    http_client_disconnect(w->client);
    assert_int_equal(lost.done, 0);
    world_run(w, 500);
    assert_int_equal(lost.status, -ERR_UNAVAILABLE);
    world_send(w, &lost, "GET", "/never");
    http_client_disconnect(w->client); /* while it connects */
    world_run(w, 500);
    assert_int_equal(lost.done, 1);
    assert_int_equal(lost.status, -ERR_UNAVAILABLE);
    world_call_deinit(&timeout);
    world_call_deinit(&waiting);
    world_call_deinit(&lost);
}

static void test_deadline_cancel_and_loss(void **state)
{
    (void)state;
    each_kind(ends);
}

static void on_client_closed(void *ctx)
{
    ((struct world *)ctx)->client_closed++;
}

static void closing(struct world *w)
{
    struct world_call open = { 0 };
    struct world_call early = { 0 };
    struct world_call late = { 0 };
    world_send(w, &open, "GET", "/never");
    world_run(w, 500);
    world_send(w, &early, "GET", "/x");
    http_client_close(w->client, on_client_closed, w);
    world_send(w, &late, "GET", "/x");
    assert_int_equal(w->client_closed, 0);
    world_run(w, 2000);
    assert_int_equal(w->client_closed, 1);
    assert_int_equal(open.status, -ERR_CANCELED);
    assert_int_equal(early.status, -ERR_CANCELED);
    assert_int_equal(late.status, -ERR_CANCELED);
    w->client = NULL;
    world_call_deinit(&open);
    world_call_deinit(&early);
    world_call_deinit(&late);
}

static void test_close_ends_everything(void **state)
{
    (void)state;
    each_kind(closing);
}

static void test_a_server_of_another_name(void **state)
{
    (void)state;
    struct world *w = world_new(WORLD_TLS_HTTP2, handler, NULL);
    struct world_call c = { 0 };
    http_client_close(w->client, on_client_closed, w);
    world_run(w, 100);
    w->client_closed = 0;
    w->client_options.server_name = "other.test";
    w->client = http_client_new(w->client_loop, &w->client_options);
    world_send(w, &c, "GET", "/x");
    world_run(w, 2000);
    assert_int_equal(c.status, -ERR_UNAUTHENTICATED);
    world_call_deinit(&c);
    world_free(w);
}

static void test_pings_find_a_dead_peer(void **state)
{
    (void)state;
    struct world *w = world_new(WORLD_HTTP2, handler, NULL);
    struct world_call c = { 0 };
    http_client_close(w->client, on_client_closed, w);
    world_run(w, 100);
    w->client_closed = 0;
    w->client_options.ping_ms = 1000;
    w->client = http_client_new(w->client_loop, &w->client_options);
    world_send(w, &c, "GET", "/never");
    world_run(w, 20000);
    assert_int_equal(c.done, 0); /* answered pings keep it */
    env_sim_pause_loop(w->server_loop, true);
    world_run(w, 5000);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.status, -ERR_UNAVAILABLE);
    env_sim_pause_loop(w->server_loop, false);
    world_call_deinit(&c);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_requests_share_one_connection),
        cmocka_unit_test(test_a_server_that_is_not_there),
        cmocka_unit_test(test_deadline_cancel_and_loss),
        cmocka_unit_test(test_close_ends_everything),
        cmocka_unit_test(test_a_server_of_another_name),
        cmocka_unit_test(test_pings_find_a_dead_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
