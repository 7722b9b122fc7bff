/* Which paths are streams, and which of the runtime's URLs are dialled. */
#include "kubelet-lite/streams.h"
#include "tests/unit/unit.h"

static void test_paths(void **state)
{
    (void)state;
    assert_true(streams_path(str_lit("/exec/ns/pod/c")));
    assert_true(streams_path(str_lit("/attach/ns/pod/c")));
    assert_true(streams_path(str_lit("/portForward/ns/pod")));
    assert_false(streams_path(str_lit("/exec")));
    assert_false(streams_path(str_lit("/containerLogs/ns/pod/c")));
    assert_false(streams_path(str_lit("/")));
}

static void test_urls(void **state)
{
    static const struct {
        const char *url;
        const char *host; /* NULL: refused */
        const char *target;
    } rows[] = {
        { "http://127.0.0.1:4321/exec/tOk-_n", "127.0.0.1:4321", "/exec/tOk-_n" },
        { "http://[::1]:1/attach/x", "[::1]:1", "/attach/x" },
        { "http://localhost:80/portforward/x", "localhost:80", "/portforward/x" },
        { "https://127.0.0.1:4321/exec/x", NULL, NULL },
        { "http://10.0.0.1:4321/exec/x", NULL, NULL },
        { "http://127.0.0.1.evil:1/exec/x", NULL, NULL },
        { "http://127.0.0.1:4321", NULL, NULL },
        { "", NULL, NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str host;
        struct str target;
        bool ok = streams_url(str_from(rows[i].url), &host, &target);
        assert_int_equal(ok, rows[i].host != NULL);
        if (ok) {
            assert_true(str_eq_c(host, rows[i].host));
            assert_true(str_eq_c(target, rows[i].target));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_paths), cmocka_unit_test(test_urls) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
