/* Codes, timeouts and messages of gRPC. */
#include "base/arena.h"
#include "base/err.h"
#include "net/grpc.h"
#include "tests/unit/unit.h"

static void test_codes_and_errors(void **state)
{
    (void)state;
    assert_int_equal(grpc_code_from_err(0), GRPC_OK);
    assert_int_equal(grpc_code_to_err(GRPC_OK), 0);
    for (int code = 1; code < GRPC_CODE_COUNT; code++) {
        int err = grpc_code_to_err((enum grpc_code)code);
        assert_true(err < 0);
        if (code != GRPC_UNKNOWN)
            assert_int_equal(grpc_code_from_err(err), code);
    }
    for (int err = 1; err < ERR_COUNT; err++) {
        assert_int_not_equal(grpc_code_from_err(err), GRPC_OK);
        assert_int_equal(grpc_code_from_err(err), grpc_code_from_err(-err));
    }
    assert_string_equal(grpc_code_name(GRPC_NOT_FOUND), "NOT_FOUND");
    assert_int_equal(grpc_code_from_http(503), GRPC_UNAVAILABLE);
    assert_int_equal(grpc_code_from_h2(8), GRPC_CANCELLED);
}

static void test_timeouts(void **state)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t ms;
    } cases[] = {
        { "1S", 0, 1000 },        { "100m", 0, 100 },
        { "2M", 0, 120000 },      { "1H", 0, 3600000 },
        { "1n", 0, 1 },           { "1500u", 0, 2 },
        { "0m", 0, 0 },           { "99999999H", 0, 359999996400000 },
        { "", -ERR_PARSE, 0 },    { "S", -ERR_PARSE, 0 },
        { "1", -ERR_PARSE, 0 },   { "1s", -ERR_PARSE, 0 },
        { "-1S", -ERR_PARSE, 0 }, { "123456789S", -ERR_PARSE, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t ms = 0;
        assert_int_equal(grpc_timeout_parse(str_from(cases[i].text), &ms), cases[i].rc);
        assert_int_equal(ms, cases[i].ms);
    }
    struct arena a;
    arena_init(&a);
    assert_true(str_eq_c(grpc_timeout_format(&a, 1500), "1500m"));
    assert_true(str_eq_c(grpc_timeout_format(&a, 200000000), "200000S"));
    arena_deinit(&a);
}

static void test_messages(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a);
    struct str text = str_lit("100% \xc3\xa4\n");
    struct str encoded = grpc_message_encode(&a, text);
    assert_true(str_eq_c(encoded, "100%25 %C3%A4%0A"));
    assert_true(str_eq(grpc_message_decode(&a, encoded), text));
    assert_true(str_eq_c(grpc_message_decode(&a, str_lit("broken %zz")), "broken %zz"));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_and_errors),
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
