/* Envelope, failures by Status, content types, query escaping. */
#include <string.h>

#include "api/client/client.h"
#include "base/arena.h"
#include "base/buf.h"
#include "tests/unit/unit.h"

static int done_calls;

static void on_done(struct client_call *c)
{
    (void)c; /* the test looks at it afterwards */
    done_calls++;
}

static void test_envelope(void **state)
{
    struct str kind, raw;
    struct buf b;

    (void)state; /* no shared fixture */
    buf_init(&b);
    client_wrap(&b, str_lit("apps/v1"), str_lit("Deployment"), str_lit("\x0a\x00"));
    assert_int_equal(client_unwrap(buf_str(&b), &kind, &raw), 0);
    assert_true(str_eq_c(kind, "Deployment"));
    assert_true(str_eq(raw, str_lit("\x0a\x00")));
    assert_int_equal(client_unwrap(str_lit("{}"), &kind, &raw), -ERR_PARSE);
    assert_int_equal(client_unwrap(str_slice(buf_str(&b), 0, 4), &kind, &raw), -ERR_PARSE);
    buf_deinit(&b);
}

static void test_failures(void **state)
{
    static const struct {
        const char *reason;
        int http_status;
        enum err_code want;
    } rows[] = { { "NotFound", 404, ERR_NOT_FOUND }, { "AlreadyExists", 409, ERR_ALREADY_EXISTS },
                 { "Conflict", 409, ERR_CONFLICT },  { "Expired", 410, ERR_EXPIRED },
                 { "Invalid", 422, ERR_INVALID },    { "", 403, ERR_FORBIDDEN },
                 { "", 418, ERR_INVALID_ARGUMENT },  { "", 599, ERR_INTERNAL } };

    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct client_call call = { .done = on_done };
        struct buf raw, body;

        buf_init(&raw);
        buf_init(&body);
        buf_append_byte(&raw, 3 << 3 | 2);
        buf_put_bytes(&raw, str_lit("it says why"));
        buf_append_byte(&raw, 4 << 3 | 2);
        buf_put_bytes(&raw, str_from(rows[i].reason));
        client_wrap(&body, str_lit("v1"), str_lit("Status"), buf_str(&raw));
        client_call_finish(&call, rows[i].http_status, buf_str(&body));
        assert_int_equal(call.status, -(int)rows[i].want);
        assert_string_equal(call.err.msg, "it says why");
        assert_int_equal(done_calls, i + 1);
        buf_deinit(&raw);
        buf_deinit(&body);
    }
}

static void test_plain_text(void **state)
{
    struct client_call call = { .done = on_done };

    (void)state; /* no shared fixture */
    client_call_finish(&call, 503, str_lit("upstream is gone"));
    assert_int_equal(call.status, -ERR_UNAVAILABLE);
    assert_string_equal(call.err.msg, "upstream is gone");
    client_call_finish(&call, 200, str_lit("a log line"));
    assert_int_equal(call.status, 0);
    assert_int_equal(call.result_kind.len, 0);
    client_call_fail(&call, -ERR_TIMEOUT, "too slow");
    assert_int_equal(call.status, -ERR_TIMEOUT);
    assert_int_equal(call.http_status, 0);
}

static void test_escape(void **state)
{
    struct buf b;

    (void)state; /* no shared fixture */
    buf_init(&b);
    client_query_escape(&b, str_lit("a=b,c in (d)\x00~"));
    assert_true(str_eq_c(buf_str(&b), "a%3Db%2Cc%20in%20%28d%29%00~"));
    buf_deinit(&b);
    assert_string_equal(client_content_type(CLIENT_STRATEGIC_PATCH),
                        "application/strategic-merge-patch+json");
    assert_null(client_content_type(CLIENT_NO_BODY));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_envelope),
                                        cmocka_unit_test(test_failures),
                                        cmocka_unit_test(test_plain_text),
                                        cmocka_unit_test(test_escape) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
