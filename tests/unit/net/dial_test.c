/* Names with several addresses: which is tried, for how long, and what it comes to. */
#include "base/arena.h"
#include "base/env_sim.h"
#include "net/client.h"
#include "net/dial.h"
#include "tests/unit/net/world.h"
#include "tests/unit/unit.h"

#define NAME       "tcp:m1.test:2380"
#define HERE       "m1:peer"
#define NOBODY     "m2:peer"
#define TIMEOUT_MS 3000

struct fixture {
    struct env *env;
    struct env_loop *client_loop;
    struct env_loop *server_loop;
    struct env_loop *far_loop;
    struct env_listener *here;
    struct env_listener *far;
    struct dial dial;
    int accepted;
    int done;
    int status;
    uint64_t done_ms;
};

static void on_accept(void *ctx, struct env_stream *s)
{
    ((struct fixture *)ctx)->accepted++;
    env_stream_close(s);
}

static void on_done(struct dial *d, struct env_stream *s, int status)
{
    struct fixture *f = container_of(d, struct fixture, dial);
    assert_null(d->at); /* it may be started again from here */
    assert_int_equal(s != NULL, status == 0);
    f->done++;
    f->status = status;
    f->done_ms = env_loop_now_ms(f->client_loop);
    if (s != NULL)
        env_stream_close(s);
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    f->env = env_sim_new(5);
    f->client_loop = env_loop_new(f->env, "client");
    f->server_loop = env_loop_new(f->env, "server");
    f->far_loop = env_loop_new(f->env, "far");
    env_loop_start(f->client_loop);
    env_loop_start(f->server_loop);
    env_loop_start(f->far_loop);
    assert_int_equal(env_listen(f->server_loop, HERE, false, on_accept, f, &f->here, NULL), 0);
    assert_int_equal(env_listen(f->far_loop, "far:peer", false, on_accept, f, &f->far, NULL), 0);
    env_sim_partition(f->env, "client", "far", true); /* packets there are lost */
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    env_loop_free(f->client_loop);
    env_loop_free(f->server_loop);
    env_loop_free(f->far_loop);
    env_sim_free(f->env);
    mem_free(f);
    return 0;
}

static const struct row {
    const char *addresses[3];
    size_t count;
    uint64_t lookup_ms;
    int status;
    uint64_t least_ms, most_ms;
} rows[] = {
    { { HERE }, 1, 0, 0, 0, 100 },
    { { NOBODY, HERE }, 2, 0, 0, 0, 100 },
    { { NOBODY, NOBODY, HERE }, 3, 0, 0, 0, 100 },
    { { NOBODY, NOBODY }, 2, 0, -ERR_UNAVAILABLE, 0, 100 },
    { { NULL }, 0, 0, -ERR_UNAVAILABLE, 0, 100 }, /* an unknown name */
    /* One that swallows packets gets its share of the time, no more. */
    { { "far:peer", HERE }, 2, 0, 0, 1500, 1600 },
    { { "far:peer", "far:peer", HERE }, 3, 0, 0, 2000, 2100 },
    { { "far:peer", "far:peer" }, 2, 0, -ERR_TIMEOUT, 3000, 3100 },
    { { HERE }, 1, 2000, 0, 2000, 2100 },
    { { "far:peer", HERE }, 2, 2000, 0, 2500, 2600 },
    { { HERE }, 1, 60000, -ERR_TIMEOUT, 3000, 3100 }, /* the lookup hangs */
};

static void test_addresses(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        uint64_t began_ms = env_loop_now_ms(f->client_loop);
        f->done = 0;
        f->accepted = 0;
        env_sim_set_name(f->env, NAME, r->addresses, r->count, r->lookup_ms);
        dial_start(&f->dial, f->client_loop, NAME, TIMEOUT_MS, on_done);
        assert_int_equal(f->done, 0);
        env_sim_run(f->env, 2 * TIMEOUT_MS);
        assert_int_equal(f->done, 1);
        assert_int_equal(f->status, r->status);
        assert_int_equal(f->accepted, r->status == 0);
        assert_in_range(f->done_ms - began_ms, r->least_ms, r->most_ms);
    }
}

/* While the name is looked up, and while an address is tried; twice, and too late. */
static void test_cancel(void **state)
{
    static const uint64_t lookups_ms[] = { 1000, 0 };
    struct fixture *f = *state;
    for (size_t i = 0; i < 2; i++) {
        f->done = 0;
        f->accepted = 0;
        env_sim_set_name(f->env, NAME, (const char *[]){ "far:peer", HERE }, 2, lookups_ms[i]);
        dial_start(&f->dial, f->client_loop, NAME, TIMEOUT_MS, on_done);
        env_sim_run(f->env, 500);
        dial_cancel(&f->dial);
        dial_cancel(&f->dial);
        assert_int_equal(f->done, 0); /* never inside the call */
        env_sim_run(f->env, 2 * TIMEOUT_MS);
        assert_int_equal(f->done, 1);
        assert_int_equal(f->status, -ERR_CANCELED);
        assert_int_equal(f->accepted, 0);
        dial_cancel(&f->dial);
        env_sim_run(f->env, 100);
        assert_int_equal(f->done, 1);
    }
}

/* ---- under a client ---- */

static void handler(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    http_reply(x, 200, NULL, x->query);
}

static void on_client_closed(void *ctx)
{
    ((struct world *)ctx)->client_closed++;
}

static void use_name(struct world *w)
{
    http_client_close(w->client, on_client_closed, w);
    world_run(w, 100);
    w->client_closed = 0;
    w->client_options.address = NAME;
    w->client = http_client_new(w->client_loop, &w->client_options);
}

static void test_client_of_a_name(void **state)
{
    (void)state;
    for (int kind = 0; kind < WORLD_KINDS; kind++) {
        struct world *w = world_new((enum world_kind)kind, handler, NULL);
        struct world_call c = { 0 };
        const char *addresses[] = { NOBODY, w->client_options.address };
        env_sim_set_name(w->env, NAME, addresses, 2, 10);
        use_name(w);
        world_send(w, &c, "GET", "/x?1");
        world_run(w, 2000);
        assert_int_equal(c.status, 0);
        /* The name moves: the next connection goes where it points then. */
        http_client_disconnect(w->client);
        world_run(w, 100);
        env_sim_set_name(w->env, NAME, (const char *[]){ NOBODY }, 1, 10);
        world_send(w, &c, "GET", "/x?2");
        world_run(w, 2000);
        assert_int_equal(c.status, -ERR_UNAVAILABLE);
        assert_true(c.r.refused);
        env_sim_set_name(w->env, NAME, addresses, 2, 10);
        world_send(w, &c, "GET", "/x?3");
        world_run(w, 2000);
        assert_int_equal(c.status, 0);
        world_call_deinit(&c);
        world_free(w);
    }
}

/* Closed, or disconnected, while the name is looked up. */
static void test_client_closed_in_a_lookup(void **state)
{
    (void)state;
    for (int close = 0; close < 2; close++) {
        struct world *w = world_new(WORLD_TLS_HTTP2, handler, NULL);
        struct world_call c = { 0 };
        env_sim_set_name(w->env, NAME, &w->client_options.address, 1, 1000);
        use_name(w);
        world_send(w, &c, "GET", "/x");
        world_run(w, 100);
        if (close) {
            http_client_close(w->client, on_client_closed, w);
            w->client = NULL;
        } else {
            http_client_disconnect(w->client);
        }
        world_run(w, 100);
        assert_int_equal(c.done, 1);
        assert_int_equal(c.status, close ? -ERR_CANCELED : -ERR_UNAVAILABLE);
        assert_int_equal(w->client_closed, close);
        world_call_deinit(&c);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test(test_client_of_a_name),
        cmocka_unit_test(test_client_closed_in_a_lookup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
