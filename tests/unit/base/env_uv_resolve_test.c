/* Host names of the real world: numeric and local ones, bad syntax, unknown names, cancellation. */
#include <string.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "tests/unit/unit.h"

struct fixture {
    struct env *env;
    struct env_loop *loop;
    struct env_resolve resolve;
    int done;
    int status;
};

static void on_resolved(struct env_resolve *r, int status)
{
    struct fixture *f = container_of(r, struct fixture, resolve);
    f->done++;
    f->status = status;
    assert_true((status == 0) == (r->count > 0));
    env_loop_stop(f->loop);
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    f->env = env_uv_new();
    f->loop = env_loop_new(f->env, "test");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    env_loop_free(f->loop);
    env_uv_free(f->env);
    mem_free(f);
    return 0;
}

static void test_answers(void **state)
{
    static const struct {
        const char *address;
        int status;
        const char *first;
    } rows[] = {
        { "tcp:192.0.2.7:2381", 0, "tcp:192.0.2.7:2381" },
        { "tcp:[::1]:2381", 0, "tcp:[::1]:2381" },
        { "tcp:[2001:DB8:0::7]:1", 0, "tcp:[2001:db8::7]:1" },
        { "unix:/run/x.sock", 0, "unix:/run/x.sock" },
        { "fd:3", -ERR_INVALID_ARGUMENT, NULL },
        { "", -ERR_INVALID_ARGUMENT, NULL },
        { "localhost", -ERR_INVALID_ARGUMENT, NULL },
        { "tcp:localhost", -ERR_INVALID_ARGUMENT, NULL },
        { "tcp::80", -ERR_INVALID_ARGUMENT, NULL },
        { "tcp:localhost:", -ERR_INVALID_ARGUMENT, NULL },
        { "tcp:localhost:0", -ERR_INVALID_ARGUMENT, NULL },
        { "tcp:localhost:65536", -ERR_INVALID_ARGUMENT, NULL },
        { "tcp:local host:80", -ERR_INVALID_ARGUMENT, NULL },
        { "tcp:[localhost]:80", -ERR_INVALID_ARGUMENT, NULL },
        { "tcp:-x:80", -ERR_INVALID_ARGUMENT, NULL },
        { "udp:localhost:80", -ERR_INVALID_ARGUMENT, NULL },
        { "tcp:no-such-name.invalid:80", -ERR_UNAVAILABLE, NULL }, /* RFC 6761, section 6.4 */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        teardown(state);
        setup(state);
        struct fixture *f = *state;
        env_resolve(f->loop, &f->resolve, rows[i].address, on_resolved);
        assert_int_equal(f->done, 0);
        env_loop_run(f->loop);
        assert_int_equal(f->done, 1);
        if (f->status != rows[i].status)
            fail_msg("%s: %d", rows[i].address, f->status);
        if (rows[i].first != NULL)
            assert_string_equal(f->resolve.addresses[0], rows[i].first);
    }
}

static void test_a_name_gives_numeric_addresses(void **state)
{
    struct fixture *f = *state;
    env_resolve(f->loop, &f->resolve, "tcp:localhost:2381", on_resolved);
    env_loop_run(f->loop);
    assert_int_equal(f->status, 0);
    for (size_t i = 0; i < f->resolve.count; i++) {
        const char *a = f->resolve.addresses[i];
        assert_true(strcmp(a, "tcp:127.0.0.1:2381") == 0 || strcmp(a, "tcp:[::1]:2381") == 0);
    }
}

static void test_cancel_and_free_complete_once(void **state)
{
    static const char *const addresses[] = { "tcp:127.0.0.1:1", "tcp:localhost:1", "nonsense" };
    for (size_t i = 0; i < 2 * sizeof(addresses) / sizeof(addresses[0]); i++) {
        teardown(state);
        setup(state);
        struct fixture *f = *state;
        env_resolve(f->loop, &f->resolve, addresses[i / 2], on_resolved);
        env_resolve_cancel(&f->resolve);
        env_resolve_cancel(&f->resolve);
        assert_int_equal(f->done, 0);
        if (i % 2 == 0) {
            env_loop_run(f->loop);
            assert_int_equal(f->done, 1);
        }
        env_loop_free(f->loop);
        assert_int_equal(f->done, 1);
        assert_int_equal(f->status, -ERR_CANCELED);
        f->loop = NULL;
    }
    teardown(state);
    setup(state);
    struct fixture *f = *state;
    env_resolve(f->loop, &f->resolve, "tcp:localhost:1", on_resolved);
    env_loop_free(f->loop);
    assert_int_equal(f->done, 1);
    assert_int_equal(f->status, -ERR_CANCELED);
    f->loop = NULL;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_answers), T(test_a_name_gives_numeric_addresses),
                                        T(test_cancel_and_free_complete_once) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
