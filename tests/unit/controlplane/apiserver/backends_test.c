/* Which clients are kept, shared, and let go. Nothing listens where they lead. */
#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "controlplane/apiserver/backends.h"
#include "net/client.h"
#include "tests/unit/unit.h"

static size_t closed_count;
static size_t closed_wanted;

static void on_closed(void *ctx)
{
    if (++closed_count == closed_wanted) {
        env_loop_stop(ctx);
    }
}

static void on_done(struct http_request *r, int status)
{
    assert_int_not_equal(status, 0);
    r->user = NULL;
}

static const struct http_request_events events = { .done = on_done };

static struct http_client *get(struct backends *b, enum backend_kind kind, int port)
{
    const struct backend to = { kind, str_lit("127.0.0.1"), port };
    const char *why = NULL;
    return backends_get(b, &to, &why);
}

static void test_names(void **state)
{
    struct arena a;
    const struct backend v4 = { BACKEND_HTTP, str_lit("10.0.0.1"), 80 };
    const struct backend v6 = { BACKEND_HTTP, str_lit("fd00::1"), 80 };
    (void)state;
    arena_init(&a);
    assert_string_equal(str_dup(&a, backend_host(&a, &v4)), "10.0.0.1:80");
    assert_string_equal(str_dup(&a, backend_host(&a, &v6)), "[fd00::1]:80");
    arena_deinit(&a);
}

static void test_life(void **state)
{
    struct env *env = env_uv_new();
    struct env_loop *loop = env_loop_new(env, "test");
    struct backends *b = backends_new(loop, NULL);
    const struct backend web = { BACKEND_HTTP, str_lit("127.0.0.1"), 1 };
    const char *why = NULL;
    const struct backend agent = { BACKEND_KUBELET, str_lit("127.0.0.1"), 2 };
    struct http_request r = { .method = "GET", .target = STR("/"), .events = &events };
    (void)state;
    assert_null(backends_get(b, &agent, &why));
    assert_string_equal(why, "this server has no certificate to show to node agents");
    struct http_client *one = get(b, BACKEND_HTTP, 1);
    assert_non_null(one);
    assert_ptr_equal(get(b, BACKEND_HTTP, 1), one);
    assert_ptr_not_equal(get(b, BACKEND_HTTPS, 1), one);
    /* In use: it stays. */
    http_client_send(one, &r);
    assert_false(http_client_idle(one));
    backends_release(b, &web);
    assert_ptr_equal(get(b, BACKEND_HTTP, 1), one);
    /* Full: an idle one goes, and one that is in use does not. */
    for (int i = 2; i < 2 + BACKENDS_MAX; i++) {
        assert_non_null(get(b, BACKEND_HTTP, i));
    }
    assert_ptr_equal(get(b, BACKEND_HTTP, 1), one);
    http_request_cancel(&r);
    assert_true(http_client_idle(one));
    backends_release(b, &web);
    /* Those that are on their way out are waited for too. */
    closed_wanted = backends_close(b, on_closed, loop);
    assert_int_equal(closed_wanted, BACKENDS_MAX + 2);
    assert_null(backends_get(b, &web, &why));
    assert_string_equal(why, "the server is stopping");
    backends_release(b, &web);
    env_loop_run(loop);
    assert_int_equal(closed_count, closed_wanted);
    http_request_deinit(&r);
    backends_free(b);
    env_loop_free(loop);
    env_uv_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_names), cmocka_unit_test(test_life) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
