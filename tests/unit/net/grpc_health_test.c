/* The health service: Check, Watch, and malformed requests. */
#include "base/arena.h"
#include "net/grpc.h"
#include "tests/unit/net/world.h"
#include "tests/unit/unit.h"

static struct grpc_health *health;

static void handler(void *ctx, struct http_exchange *x)
{
    const struct grpc_service *services[] = { grpc_health_service(health) };
    (void)ctx;
    assert_true(grpc_serve(x, services, 1));
}

struct kept {
    struct grpc_call c;
    struct buf states;
    int done;
};

static void on_message(struct grpc_call *c, struct str bytes)
{
    assert_int_equal(bytes.len, 2);
    buf_append_byte(&((struct kept *)c->user)->states, (uint8_t)bytes.data[1]);
}

static void on_done(struct grpc_call *c)
{
    ((struct kept *)c->user)->done++;
}

static void start(struct world *w, struct kept *k, const char *path, enum grpc_kind kind,
                  struct str request)
{
    static const struct grpc_call_events events = { .message = on_message, .done = on_done };
    buf_clear(&k->states);
    k->c.path = path;
    k->c.kind = kind;
    k->c.events = &events;
    k->c.user = k;
    grpc_call_start(w->client, &k->c, request);
    world_run(w, 500);
}

static int setup(void **state)
{
    health = grpc_health_new();
    grpc_health_set(health, "", true);
    grpc_health_set(health, "a", false);
    *state = world_new(WORLD_HTTP2, handler, NULL);
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    grpc_health_free(health);
    return 0;
}

static void test_check(void **state)
{
    static const struct {
        struct str request;
        enum grpc_code code;
        uint8_t state;
    } cases[] = {
        { STR(""), GRPC_OK, 1 },
        { STR("\x0a\0"), GRPC_OK, 1 },
        { STR("\x0a\1a"), GRPC_OK, 2 },
        { STR("\x10\1\x0a\1a"), GRPC_OK, 2 },
        { STR("\x0a\1b"), GRPC_NOT_FOUND, 0 },
        { STR("\x0a\5b"), GRPC_INVALID_ARGUMENT, 0 },
        { STR("\x0b"), GRPC_INVALID_ARGUMENT, 0 },
    };
    struct kept k = { 0 };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(*state, &k, "/grpc.health.v1.Health/Check", GRPC_UNARY, cases[i].request);
        assert_int_equal(k.done, i + 1);
        assert_int_equal(k.c.code, cases[i].code);
        assert_int_equal(k.states.len, cases[i].state != 0);
        if (cases[i].state != 0)
            assert_int_equal(k.states.data[0], cases[i].state);
    }
    grpc_call_deinit(&k.c);
    buf_deinit(&k.states);
}

static void test_watch(void **state)
{
    struct kept k = { 0 };
    start(*state, &k, "/grpc.health.v1.Health/Watch", GRPC_SERVER_STREAM, str_lit("\x0a\1b"));
    grpc_health_set(health, "b", true);
    grpc_health_set(health, "b", true);
    grpc_health_set(health, "a", true);
    grpc_health_set(health, "b", false);
    world_run(*state, 500);
    assert_int_equal(k.done, 0);
    assert_int_equal(k.states.len, 3);
    assert_memory_equal(k.states.data, "\3\1\2", 3);
    grpc_call_cancel(&k.c);
    world_run(*state, 500);
    assert_int_equal(k.done, 1);
    grpc_health_set(health, "b", true);
    grpc_call_deinit(&k.c);
    buf_deinit(&k.states);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_check, setup, teardown),
        cmocka_unit_test_setup_teardown(test_watch, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
