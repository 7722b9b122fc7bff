/* Which paths are streams, how long a command may be, and which of the runtime's URLs are dialled.
 */
#include "kubelet-lite/streams.h"
#include "net/http.h"
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

/* ---- what is refused before the runtime is asked ---- */

static int answered;
static struct buf answer;

static void on_respond(struct http_exchange *x, int status, const struct http_header *headers,
                       size_t count)
{
    (void)x;
    (void)headers;
    (void)count;
    answered = status;
}

static void on_write(struct http_exchange *x, struct str bytes, struct shared *shared)
{
    (void)x;
    (void)shared;
    buf_append_str(&answer, bytes);
}

static void on_end(struct http_exchange *x, const struct http_header *trailers, size_t count)
{
    (void)x;
    (void)trailers;
    (void)count;
}

/* Without an upgrade, which is asked for last. */
static void ask(size_t arguments)
{
    static const struct http_exchange_ops ops = { .respond = on_respond,
                                                  .write = on_write,
                                                  .end = on_end };
    static const struct streams host;
    struct http_exchange x = { .ops = &ops, .path = str_lit("/exec/ns/pod/c"), .version = 11 };
    struct buf query;
    buf_init(&query);
    buf_append_c(&query, "output=1");
    for (size_t i = 0; i < arguments; i++)
        buf_append_c(&query, "&command=a+b");
    x.query = buf_str(&query);
    arena_init(&x.arena);
    buf_clear(&answer);
    assert_false(streams_serve(&host, &x));
    assert_int_equal(answered, 400);
    buf_append_byte(&answer, '\0');
    arena_deinit(&x.arena);
    buf_deinit(&query);
}

static void test_commands(void **state)
{
    (void)state;
    buf_init(&answer);
    ask(0);
    assert_string_equal((char *)answer.data, "you must specify a command");
    ask(1);
    assert_string_equal((char *)answer.data, "an upgrade to SPDY/3.1 is required");
    ask(STREAMS_COMMAND_MAX);
    assert_string_equal((char *)answer.data, "an upgrade to SPDY/3.1 is required");
    assert_true(STREAMS_COMMAND_MAX > 5000);
    ask(STREAMS_COMMAND_MAX + 1);
    assert_string_equal((char *)answer.data, "more than 16384 arguments");
    buf_deinit(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_paths), cmocka_unit_test(test_urls),
                                        cmocka_unit_test(test_commands) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
