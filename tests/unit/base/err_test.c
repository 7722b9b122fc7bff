/* Error rows, truncation at a character boundary, wrapping. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "tests/unit/unit.h"

static void test_rows(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *name;
        int http_status;
        const char *reason;
        bool retryable;
    } rows[] = { { ERR_NOT_FOUND, "NOT_FOUND", 404, "NotFound", false },
                 { -ERR_CONFLICT, "CONFLICT", 409, "Conflict", false },
                 { -ERR_TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", 429, "TooManyRequests", true },
                 { ERR_FENCED, "FENCED", 503, "ServiceUnavailable", false },
                 { 12345, "INTERNAL", 500, "InternalError", false },
                 { -12345, "INTERNAL", 500, "InternalError", false } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(err_name(rows[i].code), rows[i].name);
        assert_int_equal(err_http_status(rows[i].code), rows[i].http_status);
        assert_string_equal(err_reason(rows[i].code), rows[i].reason);
        assert_int_equal(err_retryable(rows[i].code), rows[i].retryable);
    }
}

static void test_every_code_has_a_row(void **state)
{
    (void)state;
    for (int code = 1; code < ERR_COUNT; code++) {
        assert_non_null(err_name(code));
        assert_in_range(err_http_status(code), 400, 599);
        assert_true(err_reason(code)[0] != '\0');
    }
}

static void test_set_and_wrap(void **state)
{
    (void)state;
    struct err e;
    assert_int_equal(err_set(&e, ERR_PARSE, "bad byte %d", 7), -ERR_PARSE);
    assert_string_equal(e.msg, "bad byte 7");
    assert_int_equal(err_wrap(&e, -ERR_PARSE, "decode %s", "pod"), -ERR_PARSE);
    assert_string_equal(e.msg, "decode pod: bad byte 7");
    assert_int_equal(err_set(&e, ERR_INVALID, "outer: %s", e.msg), -ERR_INVALID);
    assert_string_equal(e.msg, "outer: decode pod: bad byte 7");
    assert_int_equal(err_set(NULL, ERR_IO, "x"), -ERR_IO);
    assert_int_equal(err_wrap(NULL, -ERR_IO, "x"), -ERR_IO);
}

/* Whatever character the limit falls into, the message stays valid UTF-8 and as long as it can. */
static void test_long_messages_are_cut_between_characters(void **state)
{
    (void)state;
    static const char *const characters[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x9a\x80" };
    for (size_t c = 0; c < 4; c++) {
        for (size_t shift = 0; shift < 4; shift++) {
            char text[2 * ERR_MESSAGE_BYTES] = "xxx";
            size_t len = shift;
            while (len + 5 < sizeof(text) && len < ERR_MESSAGE_BYTES + 8) {
                memcpy(text + len, characters[c], strlen(characters[c]));
                len += strlen(characters[c]);
            }
            text[len] = '\0';
            struct err e;
            (void)err_set(&e, ERR_INVALID, "%s", text);
            size_t got = strlen(e.msg);
            assert_in_range(got, ERR_MESSAGE_BYTES - 4, ERR_MESSAGE_BYTES - 1);
            assert_true(str_utf8_valid(str_from(e.msg)));
            (void)err_wrap(&e, -ERR_INVALID, "%s", "prefix");
            assert_true(str_utf8_valid(str_from(e.msg)));
            assert_true(str_starts(str_from(e.msg), str_lit("prefix: ")));
        }
    }
}

static void test_errno(void **state)
{
    (void)state;
    static const struct {
        int errno_value;
        enum err_code code;
    } rows[] = { { ENOENT, ERR_NOT_FOUND },
                 { ENOSPC, ERR_NO_SPACE },
                 { ECONNREFUSED, ERR_UNAVAILABLE },
                 { EADDRINUSE, ERR_ALREADY_EXISTS },
                 { ETIMEDOUT, ERR_TIMEOUT },
                 { EIO, ERR_IO },
                 { 100000, ERR_IO } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(err_from_errno(rows[i].errno_value), rows[i].code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_every_code_has_a_row),
        cmocka_unit_test(test_set_and_wrap),
        cmocka_unit_test(test_long_messages_are_cut_between_characters),
        cmocka_unit_test(test_errno)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
